"""Records that are written down in groups: those that queue while one group is committed share the next.

1. A record is what comes before a transaction, a step in it, and what follows once that is committed.
   Its future is ready after all three.
2. Nothing waits for company: a record that finds the thread idle is committed at once, by itself.
3. A record that fails takes no other one with it: its group is tried again, one by one.
"""

from __future__ import annotations

import sqlite3
from asyncio import Future
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from typing import Any, Generic, NamedTuple, TypeVar, cast

from attrs import frozen
from typing_extensions import override

from venice_async.storage.writer import Done, Job, WriterThread, attempted

__all__ = ["GroupCommit", "Record", "Step"]

T = TypeVar("T")
R = TypeVar("R")


Before = Callable[[sqlite3.Connection, bool], None]


def _same(value: Any) -> Any:
    return value


Step = Callable[[sqlite3.Connection], T]


@frozen
class Record(Generic[T, R]):
    """One record.

    Attributes:
        step: What it changes; carried out again if its group fails. None: what `prepare` brings.
        then: What follows the commit, with what the step has returned.
        durable: Whether the commit waits for the disk, where the journal's durability asks for it.
        publishes: Whether what follows is only done once `after` is.
        prepare: What comes before the transaction, in the thread; it brings the step.
    """

    step: Step[T] | None = None
    then: Callable[[T], R] = _same
    durable: bool = True
    publishes: bool = False
    prepare: Callable[[], Step[T]] | None = None

    def __call__(self) -> R:
        """A record is carried out in a transaction, by `GroupCommit`."""
        raise TypeError


class _Ready(NamedTuple):
    record: Record[Any, Any]
    step: Step[Any]
    future: Future[Any]


class GroupCommit(WriterThread):
    """The thread that owns a connection, and writes to it.

    Args:
        synced: Whether a commit of durable records waits for the disk.
        before: Adds to a transaction what else is to be written, just before its commit; it is told
            whether the commit waits for the disk.
        after: Carried out once what follows a commit is done.

    Attributes:
        commits: How many there were.
    """

    def __init__(self, *, synced: bool, before: Before, after: Callable[[], None]) -> None:
        super().__init__("venice-async-journal")
        self.connection: sqlite3.Connection | None = None
        self.commits = 0
        self._synced = synced
        self._before = before
        self._after = after
        self._waits_for_disk: bool | None = None

    def record(self, record: Record[Any, R]) -> Future[R]:
        """Queue a record."""
        return self.submit(record)

    @override
    def perform(self, jobs: list[Job]) -> Iterator[Done]:
        for is_record, group in groupby(jobs, key=lambda job: isinstance(job[0], Record)):
            if is_record:
                yield from self._prepare([(cast("Record[Any, Any]", job), future) for job, future in group])
            else:
                yield from super().perform(list(group))

    def _prepare(self, group: list[tuple[Record[Any, Any], Future[Any]]]) -> Iterator[Done]:
        ready: list[_Ready] = []
        for record, future in group:
            step, error = attempted(record.prepare or partial(_same, record.step))
            if error is None:
                ready.append(_Ready(record, step, future))
            else:
                yield future, None, error
        if ready:
            yield from self._commit(ready)

    def _commit(self, group: list[_Ready]) -> Iterator[Done]:
        results, error = attempted(partial(self._transact, group))
        if error is not None:
            if len(group) == 1:
                yield group[0].future, None, error
                return
            for entry in group:
                yield from self._commit([entry])
            return
        self.commits += 1
        done = [
            (entry, *attempted(partial(entry.record.then, result)))
            for entry, result in zip(group, results, strict=True)
        ]
        _, error = attempted(self._after)
        for entry, result, failure in done:
            yield entry.future, result, failure or (error if entry.record.publishes else None)

    def _transact(self, group: list[_Ready]) -> list[Any]:
        assert self.connection is not None  # noqa: S101
        synced = self._synced and any(entry.record.durable for entry in group)
        self._wait_for_disk(self.connection, synced)
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            results = [entry.step(self.connection) for entry in group]
            self._before(self.connection, synced)
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        return results

    def _wait_for_disk(self, connection: sqlite3.Connection, wanted: bool) -> None:  # noqa: FBT001
        if wanted is not self._waits_for_disk:
            connection.execute(f"PRAGMA synchronous = {'FULL' if wanted else 'NORMAL'}")
            self._waits_for_disk = wanted
