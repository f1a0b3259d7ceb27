"""`metadata.jsonl`: the rows of a job's images, beside them, as readers of image folders expect it.

1. It is written anew from the journal, whole before it gets its name; what has not changed stays as it is.
2. It names only what is there: a reader stops at a file that is missing.
3. A job in shards has one file for all of them, and none in a shard: a reader would take both.
"""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import orjson

from venice_async.storage.files import storage_errors, sync_directory
from venice_async.storage.journal import RecordedImage
from venice_async.storage.shards import JobReader, ShardedReader, open_job

from .rows import Row, Survey

__all__ = ["METADATA", "put_in_place", "write_metadata"]

METADATA = "metadata.jsonl"


@storage_errors()
def write_metadata(directory: Path, *, synced: bool = True) -> None:
    """Bring a directory's `metadata.jsonl` up to its journal; blocks.

    Memory does not grow with the number of images: they are gone over twice. Rows stand in the order of the
    input, but for a few that come first because they show what the columns hold, see `Survey.first`.

    Args:
        directory: A job's.
        synced: Whether it is on the disk when this returns.

    Raises:
        StorageError: The journal cannot be read, or the disk refused.
    """
    reader = open_job(directory)
    survey = Survey.of(_present(reader))

    def rows() -> Iterator[Row]:
        return map(survey.columns.row, _present(reader))

    put_in_place(directory / METADATA, survey.arranged(rows), synced=synced)
    for shard in reader.shards() if isinstance(reader, ShardedReader) else ():
        (shard / METADATA).unlink(missing_ok=True)


def put_in_place(goal: Path, rows: Iterable[Row], *, synced: bool) -> None:
    """Swap in a file of rows; without any, there is none."""
    new = goal.with_name(f".{goal.name}.part")
    try:
        with new.open("wb") as file:
            for row in rows:
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            file.flush()
            if synced:
                os.fsync(file.fileno())
        if new.stat().st_size == 0:
            goal.unlink(missing_ok=True)
        elif not _is_same(new, goal):
            new.replace(goal)
    finally:
        new.unlink(missing_ok=True)
    if synced:
        sync_directory(goal.parent)


def _is_same(new: Path, goal: Path) -> bool:
    """Whether both hold the same; somebody may remove the goal meanwhile."""
    with suppress(FileNotFoundError):
        return filecmp.cmp(new, goal, shallow=False)
    return False


def _present(reader: JobReader) -> Iterator[RecordedImage]:
    for image in reader.images():
        with suppress(OSError):
            # A string: a `Path` interns its parts, and of a hundred thousand of them the table stays.
            if os.stat(f"{reader.directory}/{image.file.name}").st_size == image.file.size:  # noqa: PTH116
                yield image
