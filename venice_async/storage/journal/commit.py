"""Records that are written down in groups: those that queue while one group is committed share the next.

1. A record is a step in a transaction, and what follows once that is committed. Its future is ready
   after both.
2. Nothing waits for company: a record that finds the thread idle is committed at once, by itself.
3. A record that fails takes no other one with it: its group is tried again, one by one.
"""

from __future__ import annotations

import sqlite3
from asyncio import Future
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from typing import Any, Generic, TypeVar, cast

from attrs import frozen
from typing_extensions import override

from venice_async.storage.writer import Done, Job, WriterThread, attempted

__all__ = ["GroupCommit", "Record"]

T = TypeVar("T")
R = TypeVar("R")


Before = Callable[[sqlite3.Connection, bool], None]


def _same(value: Any) -> Any:
    return value


@frozen
class Record(Generic[T, R]):
    """One record.

    Attributes:
        step: What it changes; carried out again if its group fails.
        then: What follows the commit, with what the step has returned.
        durable: Whether the commit waits for the disk, where the journal's durability asks for it.
        publishes: Whether what follows is only done once `after` is.
    """

    step: Callable[[sqlite3.Connection], T]
    then: Callable[[T], R] = _same
    durable: bool = True
    publishes: bool = False

    def __call__(self) -> R:
        """A record is carried out in a transaction, by `GroupCommit`."""
        raise TypeError


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
                yield from self._commit([(cast("Record[Any, Any]", job), future) for job, future in group])
            else:
                yield from super().perform(list(group))

    def _commit(self, group: list[tuple[Record[Any, Any], Future[Any]]]) -> Iterator[Done]:
        records = [record for record, _ in group]
        results, error = attempted(partial(self._transact, records))
        if error is not None:
            if len(group) == 1:
                yield group[0][1], None, error
                return
            for entry in group:
                yield from self._commit([entry])
            return
        self.commits += 1
        done = [
            (future, *attempted(partial(record.then, result)))
            for (record, future), result in zip(group, results, strict=True)
        ]
        _, error = attempted(self._after)
        for record, (future, result, failure) in zip(records, done, strict=True):
            yield future, result, failure or (error if record.publishes else None)

    def _transact(self, records: list[Record[Any, Any]]) -> list[Any]:
        assert self.connection is not None  # noqa: S101
        synced = self._synced and any(record.durable for record in records)
        self._wait_for_disk(self.connection, synced)
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            results = [record.step(self.connection) for record in records]
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
