"""The journal of one directory, open for writing."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePath
from typing import Any, Literal, TypeVar

from attrs import frozen

from venice_async.errors import JournalError, StorageError, VeniceError
from venice_async.storage.files import (
    Published,
    check_no_images,
    prepare_directory,
    storage_errors,
    sync_directory,
)
from venice_async.types.request import ImageRequest

from . import steps
from .commit import GroupCommit, Record
from .lock import DirectoryLock
from .records import KeptFile, dump_answer, dump_error, dump_files
from .recovery import settle
from .schema import JOURNAL, PRIVATE, State, check_job, connect_to_write, create, journal_errors
from .steps import Entry

__all__ = ["DURABILITIES", "Durability", "Entry", "Journal", "Standing", "WholeFile", "part_name"]

Durability = Literal["power", "process"]
DURABILITIES = ("power", "process")

R = TypeVar("R")


@frozen
class Standing:
    """What a journal holds when a run begins.

    Attributes:
        run: The run's number, from 1.
        spent: Millionths of a US dollar that earlier runs have spent.
    """

    run: int
    spent: int


@frozen
class WholeFile:
    """One image of an answer, whole and checked, before it gets its name."""

    path: Path
    name: PurePath
    sha256: str
    size: int


def part_name(item: int, attempt: int, image: int) -> str:
    """The name under which an image grows; with an extension once it is whole."""
    return f"{item}-{attempt}-{image}"


class Journal:
    """The journal of one directory, open for writing.

    Args:
        directory: Where the images go.
        durability: `power`: what is recorded survives a power cut. `process`: it survives the end of
            the process.
    """

    def __init__(self, directory: Path, durability: Durability = "power") -> None:
        self.directory = directory
        self.parts = directory / PRIVATE / "parts"
        self.path = directory / PRIVATE / JOURNAL
        self.synced = durability == "power"
        self._thread = GroupCommit(synced=self.synced, before=self._before, after=self._after)
        self._lock = DirectoryLock(directory / PRIVATE / "lock", directory)
        self._published = Published(directory)
        self._run = 0
        self._parts_changed = False
        self._marks: list[tuple[bytes, int]] = []
        self._marked = 0
        self._touched: set[Path] = set()

    @property
    def commits(self) -> int:
        """How many transactions were committed."""
        return self._thread.commits

    async def open(self, job: Mapping[str, str], *, extend: bool = False) -> Standing:
        """Take the directory, bring to an end what an earlier run left open, and begin a run.

        Args:
            job: What makes the job the one it is, by name; `name` is the template of file names.
            extend: Whether another job's journal is gone on with as this one's.

        Raises:
            DirectoryLockedError: Another process is at work there.
            JobChangedError: The directory holds another job.
            JournalError: Its journal is damaged.
            OutputExistsError: It holds images, and no journal.
            StorageError: It cannot be written to.
        """
        try:
            return await self._thread.submit(partial(self._open, dict(job), extend=extend))
        except BaseException:
            self._thread.submit(self._let_go)
            await self._thread.close()
            raise

    async def close(self, stopped: VeniceError | None = None) -> None:
        """End the run, and let go of the directory."""
        told = None if stopped is None else dump_error(stopped)
        ended: asyncio.Future[None] = self._thread.record(Record(partial(steps.end_run, self._run, told)))
        gone = self._thread.submit(self._let_go)
        await self._thread.close()  # which carries out both before
        gone.result()
        with suppress(StorageError, sqlite3.Error):  # a disk that is full has told so before
            ended.result()

    async def enter(self, place: int, request: ImageRequest, *, keep_duplicates: bool) -> Entry:
        """Find an item, or take it up.

        Args:
            place: Its place in the input.
            request: As it was given.
            keep_duplicates: Whether what the input holds a second time is bought a second time.
        """
        step = partial(steps.enter, self._run, place, request, keep_duplicates=keep_duplicates)
        return await self._record(Record(step, durable=False))

    async def enter_again(self, after: int, states: Sequence[State]) -> tuple[Entry, ImageRequest] | None:
        """The next item, after one of that number, that ended in one of some states; None for no more."""
        return await self._record(Record(partial(steps.enter_again, self._run, after, states), durable=False))

    async def enter_invalid(self, place: int, error: VeniceError) -> None:
        """Take note of what the input held in place of a request."""
        step = partial(steps.enter_invalid, self._run, place, dump_error(error))
        await self._record(Record(step, durable=False))

    async def intend(self, item: int, seed: int | None, cost: int, *, lost: bool) -> int:
        """Record that an attempt is about to be sent; a file descriptor for its first image.

        Args:
            item: The number of the item.
            seed: The seed that it is sent with.
            cost: Millionths of a US dollar.
            lost: Whether the attempt before may have been billed.
        """
        step = partial(steps.intend, item, seed, cost, lost=lost)
        return await self._record(Record(step, partial(self._open_part, item)))

    async def withdraw(self, item: int, state: State, *, lost: bool) -> None:
        """Nothing is in flight any more, and there is no outcome: the item is as it was before.

        Args:
            item: The number of the item.
            state: The one it was in.
            lost: Whether the last attempt may have been billed.
        """
        await self._record(Record(partial(steps.withdraw, item, state, lost=lost)))

    async def keep(
        self, item: int, answer: Mapping[str, Any], files: Sequence[WholeFile]
    ) -> tuple[Path, ...]:
        """Record that images have come, and give them their names; their paths."""
        planned = dump_files(KeptFile(str(file.name), file.sha256, file.size) for file in files)
        step = partial(steps.receive, self._run, item, dump_answer(answer), planned)
        self._parts_changed = True
        return await self._record(Record(step, partial(self._put_in_place, item, files)))

    async def fail(self, item: int, error: VeniceError, *, billed: bool, adoptable: bool = False) -> None:
        """Record that an item has failed.

        Args:
            item: The number of the item.
            error: What with.
            billed: Whether it was paid for all the same.
            adoptable: Whether its images are whole all the same, for the next run to take over.
        """
        told = dump_error(error)
        if adoptable:
            await self._record(Record(partial(steps.note, self._run, item, told)))
            return
        state = State.BILLED if billed else State.FAILED
        await self._record(Record(partial(steps.end, self._run, item, state, told, lost=billed)))

    async def unconfirm(self, item: int, error: VeniceError) -> None:
        """Record that nobody knows what became of an item's last attempt."""
        step = partial(steps.end, self._run, item, State.UNCONFIRMED, dump_error(error), lost=True)
        await self._record(Record(step))

    async def _record(self, record: Record[Any, R]) -> R:
        with journal_errors(self.path):
            return await self._thread.record(record)

    # In the thread

    def _open(self, job: dict[str, str], *, extend: bool) -> Standing:
        with storage_errors(), journal_errors(self.path):
            prepare_directory(self.directory)
            self.parts.parent.mkdir(exist_ok=True)
            self._lock.take()
            if not self.path.exists():
                self._check_nothing_is_lost()
                create(self.path, job)
            self.parts.mkdir(exist_ok=True)
            connection = self._thread.connection = connect_to_write(self.path)
            known = dict(connection.execute("SELECT name, value FROM job"))
            if not extend:
                check_job(known, job, self.directory)
            settle(connection, self._published, self.parts, known["name"], synced=self.synced)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM job")
            connection.executemany("INSERT INTO job VALUES (?, ?)", job.items())
            connection.execute("DELETE FROM items WHERE fingerprint IS NULL")
            began = connection.execute("INSERT INTO runs (began_at) VALUES (?)", (time.time(),))
            (spent,) = connection.execute("SELECT total(spent) FROM items").fetchone()
            connection.execute("COMMIT")
            self._run = began.lastrowid or 0
            return Standing(self._run, int(spent))

    def _check_nothing_is_lost(self) -> None:
        """A directory without a journal that a journal has been in is not begun anew."""
        check_no_images(self.directory)
        traces = [
            *self.path.parent.glob(f"{JOURNAL}-*"),
            *self.path.parent.glob("rejected/*"),
            *self.parts.glob("*"),
        ]
        if traces:
            raise JournalError(
                errno.ENOENT,
                f"The journal is missing, and {traces[0].name} tells that there was one. Nothing was sent;"
                " put it back, or choose another directory",
                str(self.path),
            )

    def _let_go(self) -> None:
        connection, self._thread.connection = self._thread.connection, None
        try:
            if connection is not None:
                connection.close()
        finally:
            self._lock.release()

    def _before(self, connection: sqlite3.Connection, synced: bool) -> None:  # noqa: FBT001
        self._marked = len(self._marks)
        if self._marks:
            steps.mark_done(self._marks, connection)
        if synced and self._parts_changed:
            self._parts_changed = False
            sync_directory(self.parts)

    def _after(self) -> None:
        del self._marks[: self._marked]
        self._marked = 0
        touched, self._touched = self._touched, set()
        if self.synced:
            with storage_errors():
                for directory in touched:
                    sync_directory(directory)

    @storage_errors()
    def _put_in_place(self, item: int, files: Sequence[WholeFile], _: None) -> tuple[Path, ...]:
        paths = tuple(self._published.publish(file.path, file.name) for file in files)
        kept = dump_files(
            KeptFile(str(path.relative_to(self.directory)), file.sha256, file.size)
            for path, file in zip(paths, files, strict=True)
        )
        self._marks.append((kept, item))
        self._touched.update(path.parent for path in paths)
        return paths

    @storage_errors()
    def _open_part(self, item: int, attempt: int) -> int:
        path = self.parts / f"{part_name(item, attempt, 0)}.part"
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
