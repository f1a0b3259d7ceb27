"""Where a job in shards keeps what, and the mark that tells such a directory from any other.

1. The mark is written once, before the first shard begins, and stays as it is.
2. A file that others may read meanwhile gets its name once it is whole and on the disk.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
from attrs import frozen

from venice_async.errors import ConfigurationError, JobChangedError, JournalError, OutputExistsError
from venice_async.storage.files import check_no_images, prepare_directory, storage_errors, sync_directory
from venice_async.storage.journal.schema import JOURNAL, PRIVATE, SHARDS, changed_fields
from venice_async.storage.published import move_without_overwriting, temporary_in

__all__ = [
    "RECEIPTS",
    "VERSION",
    "Mark",
    "check_version",
    "mark_sharded",
    "read_mark",
    "shard_directory",
    "shard_name",
    "shard_number",
    "shards_begun",
    "write_whole",
]

RECEIPTS = "receipts"
VERSION = 1

_NAME = re.compile(r"[0-9]{5,}")


@frozen
class Mark:
    """What marks the directory of a job in shards.

    Attributes:
        shard_size: Items of a shard; the last one may hold fewer.
        job: What makes the job the one it is, by name.
        traits: What each trait stood for when the job began: the ids of models; None if nobody has asked.
    """

    shard_size: int
    job: dict[str, str]
    traits: dict[str, str] | None = None


def shard_name(number: int) -> str:
    """The name of a shard's folder, and the stem of its receipt's."""
    return f"{number:05d}"


def shard_number(name: str) -> int | None:
    """The number of the shard with that name; None where it is no shard's."""
    found = int(name) if _NAME.fullmatch(name) else None
    return None if found is None or shard_name(found) != name else found


def shard_directory(directory: Path, number: int) -> Path:
    """Where a shard's images are.

    Args:
        directory: The job's.
        number: The shard's, from 0.
    """
    return directory / shard_name(number)


def shards_begun(directory: Path) -> set[int]:
    """The shards of a job on which somebody has begun to work, by their folders."""
    with os.scandir(directory) as entries:
        numbers = (shard_number(entry.name) for entry in entries)
        return {
            number
            for number in numbers
            if number is not None and (shard_directory(directory, number) / PRIVATE).is_dir()
        }


@storage_errors()
def mark_sharded(
    directory: Path, shard_size: int, job: Mapping[str, str], traits: Mapping[str, str] | None = None
) -> Mark:
    """Mark a directory as that of a job in shards, or see that it is marked as this one's; blocks.

    Args:
        directory: The job's, which is made if need be.
        shard_size: Items of a shard, at least 1.
        job: What makes the job the one it is, by name.
        traits: What each trait stands for, which a new mark keeps; None if nobody has asked.

    Returns:
        The mark that stands there.

    Raises:
        ConfigurationError: The size is none, or the directory holds a job that is not in shards.
        JobChangedError: It holds another job, or shards of another size.
        OutputExistsError: It holds images, and no mark.
        StorageError: The disk refused, or its mark cannot be read.
    """
    if type(shard_size) is not int or shard_size < 1:
        raise ConfigurationError(f"shard_size={shard_size!r}: expected an integer of 1 or more")
    known = read_mark(directory)
    if known is None:
        _check_unused(directory)
        prepare_directory(directory, synced=True)
        told = {"version": VERSION, "shard_size": shard_size, "job": dict(job)}
        if traits is not None:
            told["traits"] = dict(traits)
        with suppress(FileExistsError):  # somebody was faster; it may be the same job
            write_whole(directory / PRIVATE / SHARDS, told, replace=False)
        known = read_mark(directory)
        assert known is not None  # noqa: S101 - it is never removed
    was = {"shard_size": str(known.shard_size), **known.job}
    if changed := changed_fields(was, {"shard_size": str(shard_size), **job}):
        raise JobChangedError(
            f"{directory} holds another job: {'; '.join(changed)}. Nothing was sent; choose another directory"
        )
    return known


def _check_unused(directory: Path) -> None:
    if (directory / PRIVATE / JOURNAL).exists():
        raise ConfigurationError(
            f"{directory} holds a job that is not in shards. Nothing was sent; choose another directory"
        )
    try:
        check_no_images(directory)
    except OutputExistsError as exc:
        text = "The directory holds images already, and no job; choose another"
        raise OutputExistsError(errno.EEXIST, text, str(directory)) from exc


@storage_errors()
def read_mark(directory: Path) -> Mark | None:
    """How a directory is marked; None for one that is not in shards. Blocks.

    Raises:
        JournalError: The mark is damaged, or of a newer version.
        StorageError: It cannot be read.
    """
    path = directory / PRIVATE / SHARDS
    try:
        told: dict[str, Any] = orjson.loads(path.read_bytes())
        check_version(path, told["version"])
        size, job, traits = told["shard_size"], told["job"], told.get("traits")
        texts = (*job.values(), *(() if traits is None else traits.values()))
        whole = type(size) is int and size > 0 and all(isinstance(value, str) for value in texts)
    except FileNotFoundError:
        return None
    except (AttributeError, KeyError, TypeError, ValueError):
        whole, size, job, traits = False, 0, {}, None
    if not whole:
        text = "This marks a job in shards, and is damaged; put a copy back"
        raise JournalError(errno.EIO, text, str(path))
    return Mark(size, job, traits)


def check_version(path: Path, version: object) -> None:
    """Raise if a file is of another version.

    Raises:
        JournalError: It is of a newer one.
        ValueError: It is of none.
    """
    if type(version) is not int or version < VERSION:
        raise ValueError(f"version={version!r}")
    if version > VERSION:
        text = f"The file is of version {version}, which a newer venice-async has written; update it"
        raise JournalError(errno.EINVAL, text, str(path))


def write_whole(path: Path, told: Mapping[str, Any], *, replace: bool) -> None:
    """Write JSON to a file that has its name only once it is whole and on the disk.

    Args:
        path: The file; its folder is made if need be.
        told: What goes there.
        replace: Whether a file that is there makes way.

    Raises:
        FileExistsError: One is there, and does not.
    """
    folder = path.parent
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        sync_directory(folder.parent)
    new = Path(temporary_in(str(folder)))  # two may write at once
    try:
        with new.open("xb") as file:
            file.write(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
            file.flush()
            os.fsync(file.fileno())
        if replace:
            new.replace(path)
        else:
            move_without_overwriting(str(new), str(path))
    finally:
        new.unlink(missing_ok=True)
    sync_directory(folder)
