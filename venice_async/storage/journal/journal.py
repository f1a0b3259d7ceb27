"""The journal of one directory, open for writing."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import attrs
from attrs import frozen

from venice_async.errors import ContentBlockedError, JournalError, VeniceError
from venice_async.storage.files import (
    prepare_directory,
    storage_errors,
    sync_directory,
)
from venice_async.storage.published import Published
from venice_async.storage.writer import WriterThread, attempted, outlasted
from venice_async.types.frozen import FrozenDict
from venice_async.types.request import ImageRequest

from . import steps
from .commit import GroupCommit, Record, Step
from .lock import DirectoryLock
from .opening import Costs, Standing, begin_run
from .records import KeptFile, dump_answer, dump_error, dump_files, gone_of
from .recovery import part_name
from .redo import end_redo, enter_redo, files_of, merge, set_aside
from .schema import JOURNAL, LOCK, PRIVATE, State, check_no_shards, journal_errors
from .steps import Entry

__all__ = ["DURABILITIES", "Costs", "Durability", "Entry", "Journal", "Standing", "WholeFile"]

Durability = Literal["power", "process"]
DURABILITIES = ("power", "process")

Part = tuple[int, int]
"""The number of an attempt, and a descriptor of the file that its first image grows in."""

R = TypeVar("R")

_UNKNOWN = Costs(lambda _: None, needed=False)
_NO_TRAITS: Mapping[str, str] = FrozenDict()


@frozen
class WholeFile:
    """One image of an answer, whole and checked, before it gets its name."""

    path: str
    name: str
    sha256: str
    size: int


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
        self._lock = DirectoryLock(directory / PRIVATE / LOCK, directory)
        self._published = Published(directory)
        self._run = 0
        self._orderly = True
        self._parts_changed = False
        self._marks: list[tuple[bytes, int]] = []
        self._marked = 0
        self._touched: set[Path] = set()

    @property
    def writer(self) -> WriterThread:
        """The thread that writes the journal, and what comes before its records."""
        return self._thread

    @property
    def commits(self) -> int:
        """How many transactions were committed."""
        return self._thread.commits

    async def open(
        self,
        job: Mapping[str, str],
        costs: Costs = _UNKNOWN,
        traits: Mapping[str, str] = _NO_TRAITS,
        *,
        extend: bool = False,
    ) -> Standing:
        """Take the directory, bring to an end what an earlier run left open, and begin a run.

        Args:
            job: What makes the job the one it is, by name; `name` is the template of file names.
            costs: What earlier purchases have cost, where that was not known.
            traits: What each trait stands for, which a new journal keeps.
            extend: Whether another job's journal is gone on with as this one's.

        Raises:
            ConfigurationError: The directory is that of a job in shards.
            DirectoryLockedError: Another process is at work there.
            JobChangedError: The directory holds another job.
            JournalError: Its journal is damaged, or records of it are lost.
            OutputExistsError: It holds images, and no journal.
            StorageError: It cannot be written to.
        """
        try:
            return await self._thread.submit(partial(self._open, dict(job), costs, traits, extend=extend))
        except BaseException:
            self._thread.submit(self._let_go)
            await outlasted(self._thread.close())
            raise

    async def close(
        self, stopped: VeniceError | None = None, *, last: Callable[[], None] = lambda: None
    ) -> None:
        """End the run, and let go of the directory.

        Args:
            stopped: What stopped the run before its end.
            last: Carried out in between, in the thread; what it raises is raised once all is done.
        """
        told = None if stopped is None else dump_error(stopped)
        ended: asyncio.Future[None] = self._thread.record(Record(partial(steps.end_run, self._run, told)))
        carried_out = self._thread.submit(last)
        gone = self._thread.submit(self._let_go)
        await outlasted(self._thread.close())  # which carries out all three before
        gone.result()
        with suppress(OSError, sqlite3.Error):  # a disk that fails has told so before
            ended.result()
        carried_out.result()

    async def enter(self, place: int, request: ImageRequest, *, keep_duplicates: bool) -> Entry:
        """Find an item, or take it up.

        Args:
            place: Its place in the input.
            request: As it was given.
            keep_duplicates: Whether what the input holds a second time is bought a second time.
        """
        step = partial(steps.enter, self._run, place, request, keep_duplicates=keep_duplicates)
        return await self._record(Record(step, self._looked_for, durable=False))

    async def enter_again(self, after: int, states: Sequence[State]) -> tuple[Entry, ImageRequest] | None:
        """The next item, after one of that number, that ended in one of some states; None for no more."""
        return await self._record(Record(partial(steps.enter_again, self._run, after, states), durable=False))

    async def enter_redo(
        self, item: int, *, by_name: bool, new_seed: bool
    ) -> tuple[Entry, ImageRequest] | None:
        """The new purchase of an item whose images are to be bought again; None if that is not so any more.

        Args:
            item: The number of the item.
            by_name: Whether it is bought again in any case, and not only if a file of it is gone.
            new_seed: Whether another seed is drawn.
        """

        def is_gone(files: tuple[KeptFile, ...]) -> bool:
            return any(file.wanted for file in gone_of(self.directory, files))

        def then(found: tuple[Entry, ImageRequest] | None) -> tuple[Entry, ImageRequest] | None:
            return None if found is None else (self._looked_for(found[0]), found[1])

        step = partial(enter_redo, self._run, item, by_name=by_name, is_gone=is_gone, new_seed=new_seed)
        return await self._record(Record(step, then, durable=False))

    async def end_redo(self) -> None:
        """Note that this run has taken up all images that it was to buy again, and has nothing in flight."""
        await self._record(Record(lambda _: None, durable=False))  # with it, what is done takes its place
        await self._record(Record(partial(end_redo, self._run), durable=False))

    async def enter_invalid(self, place: int, error: VeniceError) -> None:
        """Take note of what the input held in place of a request."""
        step = partial(steps.enter_invalid, self._run, place, dump_error(error))
        await self._record(Record(step, durable=False))

    async def enter_and_intend(
        self, place: int, request: ImageRequest, seed: int | None, cost: int
    ) -> tuple[Entry, Part, BaseException | None]:
        """Take up an item and record that its first attempt is about to be sent, in one record.

        The arguments are those of `enter` and `intend`. What went wrong with the part is returned: the
        item is recorded, and is to be withdrawn.
        """

        def step(connection: sqlite3.Connection) -> tuple[Entry, int]:
            entry = steps.enter(self._run, place, request, connection, keep_duplicates=True)
            return entry, steps.intend(entry.item, seed, cost, connection, lost=False)

        def then(found: tuple[Entry, int]) -> tuple[Entry, Part, BaseException | None]:
            entry, attempt = found
            return entry, *attempted(partial(self._open_part, entry.item, attempt))

        return await self._record(Record(step, then))

    async def intend(self, item: int, seed: int | None, cost: int, *, lost: bool) -> Part:
        """Record that an attempt is about to be sent; its number, and a file descriptor for its first image.

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

        That need not wait for the disk: without it, the item is unconfirmed.

        Args:
            item: The number of the item.
            state: The one it was in.
            lost: Whether the last attempt may have been billed.
        """
        await self._record(Record(partial(steps.withdraw, item, state, lost=lost), durable=False))

    async def keep(
        self,
        item: int,
        answer: Mapping[str, Any],
        complete: Callable[[], Sequence[WholeFile]],
        refund: int = 0,
    ) -> tuple[Path, ...]:
        """Record that images have come, and give them their names; their paths.

        Args:
            item: The number of the item.
            answer: What came besides the images.
            complete: Makes the parts whole, in the thread.
            refund: Of what was set aside, what was not billed, in millionths of a US dollar.
        """
        prepare = partial(self._receive, item, answer, complete, refund)
        record = Record(prepare=prepare, then=partial(self._put_in_place, item), publishes=True)
        return await self._record(record)

    async def fail(
        self, item: int, error: VeniceError, *, billed: bool, adoptable: bool = False, refund: int = 0
    ) -> None:
        """Record that an item has failed, or was blocked.

        Args:
            item: The number of the item.
            error: What with.
            billed: Whether it was paid for all the same.
            adoptable: Whether its images are whole all the same, for the next run to take over.
            refund: Of what was set aside, what was not billed, in millionths of a US dollar.
        """
        told = dump_error(error)
        if adoptable:
            await self._record(Record(partial(steps.note, self._run, item, told)))
            return
        state = State.BILLED if billed else State.FAILED
        state = State.BLOCKED if isinstance(error, ContentBlockedError) else state
        step = partial(steps.end, self._run, item, state, told, lost=billed, refund=refund)
        await self._record(Record(step))

    async def put_back(self, item: int, error: VeniceError) -> None:
        """Record why an item has no outcome: its model was stopped; it need not wait for the disk."""
        step = partial(steps.put_back, self._run, item, dump_error(error))
        await self._record(Record(step, durable=False))

    async def unconfirm(self, item: int, error: VeniceError) -> None:
        """Record that nobody knows what became of an item's last attempt."""
        step = partial(steps.end, self._run, item, State.UNCONFIRMED, dump_error(error), lost=True)
        await self._record(Record(step))

    async def _record(self, record: Record[Any, R]) -> R:
        with journal_errors(self.path):
            return await self._thread.record(record)

    # In the thread

    def _looked_for(self, entry: Entry) -> Entry:
        """What the journal knows of an item, with those of its images that are not there."""
        if entry.state != State.DONE or not (gone := gone_of(self.directory, entry.files)):
            return entry
        return attrs.evolve(entry, gone=gone)

    def _open(
        self, job: dict[str, str], costs: Costs, traits: Mapping[str, str], *, extend: bool
    ) -> Standing:
        with storage_errors(), journal_errors(self.path):
            check_no_shards(self.directory)
            prepare_directory(self.directory, synced=self.synced)
            self.parts.parent.mkdir(exist_ok=True)
            self._lock.take()
            died = self._lock.left_behind
            begin = partial(
                begin_run, self.path, self.parts, self._published, job, costs, traits, extend=extend
            )
            try:
                self._thread.connection, standing = begin(synced=self.synced, died=died)
            except JournalError:
                self._orderly = not died  # what is missing now is missing the next time as well
                raise
            self._run = standing.run
            if self.synced:
                sync_directory(self.parts.parent)
                sync_directory(self.directory)
            return standing

    def _let_go(self) -> None:
        connection, self._thread.connection = self._thread.connection, None
        try:
            if connection is not None:
                connection.close()
        finally:
            self._lock.release(orderly=self._orderly)

    def _before(self, connection: sqlite3.Connection, synced: bool) -> None:  # noqa: FBT001
        self._marked = len(self._marks)
        if self._marks:
            steps.mark_done(self._marks, connection)
            merge(connection)
        if synced and self._parts_changed:
            self._parts_changed = False
            try:
                sync_directory(self.parts)
            except OSError:
                self._parts_changed = True
                raise

    def _after(self) -> None:
        del self._marks[: self._marked]
        self._marked = 0
        self._sync_touched()

    def _sync_touched(self) -> None:
        """Wait until the names that files have got are on the disk."""
        touched, self._touched = self._touched, set()
        with storage_errors():
            for directory in touched:
                with suppress(FileNotFoundError):  # somebody has removed it, and what was in it
                    sync_directory(directory)

    def _receive(
        self,
        item: int,
        answer: Mapping[str, Any],
        complete: Callable[[], Sequence[WholeFile]],
        refund: int,
    ) -> Step[tuple[Sequence[WholeFile], int | None]]:
        files = complete()
        self._parts_changed = True
        planned = dump_files(KeptFile(file.name, file.sha256, file.size) for file in files)
        told = dump_answer(answer)

        def step(connection: sqlite3.Connection) -> tuple[Sequence[WholeFile], int | None]:
            return files, steps.receive(self._run, item, told, planned, connection, refund=refund)

        return step

    @storage_errors()
    def _put_in_place(self, item: int, received: tuple[Sequence[WholeFile], int | None]) -> tuple[Path, ...]:
        files, redoes = received
        if redoes is not None and self._thread.connection is not None:
            former = files_of(redoes, self._thread.connection)
            set_aside(self.directory, (file.name for file in former), synced=self.synced)
        names = [self._published.publish(file.path, file.name) for file in files]
        kept = [KeptFile(name, file.sha256, file.size) for name, file in zip(names, files, strict=True)]
        self._marks.append((dump_files(kept), item))
        paths = tuple(self.directory / name for name in names)
        for path in paths if self.synced else ():
            self._touched.update(folder for folder in path.parents if folder.is_relative_to(self.directory))
        return paths

    @storage_errors()
    def _open_part(self, item: int, attempt: int) -> Part:
        path = f"{self.parts}/{part_name(item, attempt, 0)}.part"
        return attempt, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
