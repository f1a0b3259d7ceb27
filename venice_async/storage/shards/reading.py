"""A job's directory as its readers see it, whether it is one journal's or in shards.

1. A shard's journal is opened only if its receipt says that its batch has ended, and one at a time.
2. A shard that has not ended counts with what its receipt knows; its images are not told of.
3. Memory does not grow with the number of images.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import attrs

from venice_async.storage.files import storage_errors
from venice_async.storage.journal import (
    PRIVATE,
    Finding,
    JournalReader,
    JournalStatus,
    RecordedFile,
    RecordedImage,
    State,
    audit_files,
)
from venice_async.storage.journal.lock import DirectoryLock
from venice_async.storage.journal.schema import LOCK, SHARDS
from venice_async.storage.journal.waiting import read_waits
from venice_async.types.statistics import latest_waits

from .layout import Mark, read_mark, shard_directory, shard_name, shards_begun
from .receipts import Receipt, read_receipts
from .totals import ShardedStatus, Totals

__all__ = ["JobReader", "ShardedReader", "ShardedStatus", "audit_job", "images_there", "open_job"]


class JobReader(Protocol):
    """What a job's directory tells, whichever kind it is; everything blocks."""

    directory: Path

    def status(self) -> JournalStatus:
        """Where the job stands."""
        ...

    def job(self) -> dict[str, str]:
        """What makes the job the one it is."""
        ...

    def began_at(self) -> float:
        """When the job began, Unix seconds, which tells it from every other."""
        ...

    def count(self, *states: State) -> int:
        """How many items ended in one of some states."""
        ...

    def files(self) -> Iterator[RecordedFile]:
        """Every file of every purchase."""
        ...

    def images(self) -> Iterator[RecordedImage]:
        """Every image that is under its name, in the order of the input."""
        ...


def open_job(directory: Path) -> JobReader:
    """What a job's directory tells; blocks.

    Raises:
        StorageError: The directory is marked as one of shards, and the mark cannot be read.
    """
    mark = read_mark(directory)
    return JournalReader(directory) if mark is None else ShardedReader(directory, mark)


def images_there(reader: JobReader) -> Iterator[RecordedImage]:
    """The images of a job whose files are there, in the order of the input; a stat for each. Blocks."""
    for image in reader.images():
        # A string: a `Path` costs as much as the look, and interns its parts.
        if os.path.exists(f"{reader.directory}/{image.file.name}"):  # noqa: PTH110
            yield image


class ShardedReader:
    """The directory of a job in shards, for reading; made by `open_job`.

    Args:
        directory: The job's.
        mark: What it is marked with.
    """

    def __init__(self, directory: Path, mark: Mark) -> None:
        self.directory = directory
        self._mark = mark

    def status(self) -> ShardedStatus:
        """Where the job stands; blocks.

        Whether somebody is at work is told by the shards' locks, which are seen from other machines only if
        the file system passes them on.

        Raises:
            StorageError: A receipt or a journal cannot be read.
        """
        totals = Totals()
        with storage_errors():
            unread = shards_begun(self.directory)
        for receipt in read_receipts(self.directory):
            if receipt.ended:
                unread.discard(receipt.shard)
                totals.add_ended(receipt, self._journal(receipt).status())
            else:
                unread.add(receipt.shard)
                totals.add_open(receipt)
        busy = [shard for shard in sorted(unread) if self._is_at_work(shard)]
        waits = latest_waits(
            wait for shard in busy for wait in read_waits(shard_directory(self.directory, shard))
        )
        return totals.status(self._mark, still_open=len(unread), running=bool(busy), waits=waits)

    def job(self) -> dict[str, str]:
        """What makes the job the one it is."""
        return dict(self._mark.job)

    def began_at(self) -> float:
        """When the directory was marked, Unix seconds, which tells its job from every other; blocks.

        Raises:
            StorageError: The mark is gone.
        """
        with storage_errors():
            return (self.directory / PRIVATE / SHARDS).stat().st_mtime

    def count(self, *states: State) -> int:
        """How many items ended in one of some states; blocks.

        Raises:
            StorageError: A receipt or a journal cannot be read.
        """
        return sum(
            self._journal(receipt).count(*states) if receipt.ended else _told(receipt, set(states))
            for receipt in read_receipts(self.directory)
        )

    def files(self) -> Iterator[RecordedFile]:
        """Every file of every purchase, of the shards that have ended; blocks.

        Raises:
            StorageError: A receipt or a journal cannot be read.
        """
        for receipt in self._ended():
            yield from self._journal(receipt).files()

    def images(self) -> Iterator[RecordedImage]:
        """Every image of the shards that have ended, in the order of the input; blocks.

        Raises:
            StorageError: A receipt or a journal cannot be read.
        """
        for receipt in self._ended():
            folder, first = shard_name(receipt.shard), receipt.shard * self._mark.shard_size
            for image in self._journal(receipt).images():
                file = attrs.evolve(image.file, name=f"{folder}/{image.file.name}")
                yield attrs.evolve(image, file=file, index=first + image.index)

    def shards(self) -> Iterator[Path]:
        """The directories of the shards on which somebody has begun to work, in their order; blocks.

        Raises:
            StorageError: The directory cannot be read.
        """
        with storage_errors():
            numbers = sorted(shards_begun(self.directory))
        for number in numbers:
            yield shard_directory(self.directory, number)

    def unread(self) -> Iterator[int]:
        """The shards whose batch has begun and not ended, in their order; blocks.

        Raises:
            StorageError: A receipt or the directory cannot be read.
        """
        with storage_errors():
            unread = shards_begun(self.directory)
        for receipt in read_receipts(self.directory):
            if receipt.ended:
                unread.discard(receipt.shard)
            else:
                unread.add(receipt.shard)
        yield from sorted(unread)

    def _ended(self) -> Iterator[Receipt]:
        return (receipt for receipt in read_receipts(self.directory) if receipt.ended)

    def _journal(self, receipt: Receipt) -> JournalReader:
        return JournalReader(shard_directory(self.directory, receipt.shard))

    def _is_at_work(self, shard: int) -> bool:
        with storage_errors():
            return DirectoryLock.is_held(shard_directory(self.directory, shard) / PRIVATE / LOCK)


def _told(receipt: Receipt, states: set[State]) -> int:
    """Items that ended in some states, as a receipt knows it."""
    counts = {
        State.DONE: receipt.done,
        State.FAILED: receipt.failed,
        State.BILLED: receipt.billed,
        State.UNCONFIRMED: receipt.unconfirmed,
        State.BLOCKED: receipt.blocked,
        State.PENDING: receipt.pending or 0,
    }
    return sum(counts.get(state, 0) for state in states)


def audit_job(directory: Path) -> Iterator[Finding]:
    """Hash every file that a job knows, and look for images that it does not; changes nothing.

    Nothing is said of the images of shards that have not ended.

    Raises:
        StorageError: A journal, a receipt or the directory cannot be read.
    """
    reader = open_job(directory)
    unread = set(reader.unread()) if isinstance(reader, ShardedReader) else set[int]()
    folders = {shard_name(number) for number in unread}
    for finding in audit_files(directory, reader.files()):
        if finding.verdict != "foreign" or finding.path.partition("/")[0] not in folders:
            yield finding
