"""What became of a shard, in a file that others may read while its journal is none of their business.

1. A receipt is whole or not there, and one that is torn or foreign is an error that names it.
2. Who begins to work on a shard writes a receipt first that says it has not ended; the one that says it has
   is written once the shard's journal is closed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import orjson
from attrs import field, frozen

from venice_async.errors import JournalError
from venice_async.storage.files import storage_errors
from venice_async.storage.journal import JournalReader
from venice_async.storage.journal.schema import PRIVATE

from .layout import RECEIPTS, VERSION, check_version, shard_name, shard_number, write_whole

__all__ = ["Receipt", "read_receipt", "read_receipts", "receipt_of", "write_receipt"]


def _count(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if type(value) is not int or value < 0:
        raise ValueError(f"{attribute.name}={value!r}: expected an integer of 0 or more")


def _number(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if type(value) not in {int, float} or not 0 <= value < float("inf"):
        raise ValueError(f"{attribute.name}={value!r}: expected a number of 0 or more")


def _flag(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if type(value) is not bool:
        raise ValueError(f"{attribute.name}={value!r}: expected True or False")


def _text(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if type(value) is not str:
        raise ValueError(f"{attribute.name}={value!r}: expected text")


_count_or_none = attrs.validators.optional(_count)
_number_or_none: Any = attrs.validators.optional(_number)
_text_or_none = attrs.validators.optional(_text)


@frozen(kw_only=True)
class Receipt:
    """What became of a shard.

    All runs together are counted, but for `generated` and `skipped`.

    Attributes:
        shard: Its number, from 0.
        ended: Whether its batch has ended, whole or not, and its journal is closed.
        items: Items that were ever asked for.
        generated: Of them, those whose images came in the last run.
        skipped: Those whose images an earlier run has bought.
        failed: Those that failed and were not billed.
        billed: Those that failed and were paid for.
        unconfirmed: Those of which nobody knows.
        blocked: Those that the content policy blocked.
        missing: Of those that are done, those of which a file is gone.
        pending: Those of its input that have no outcome; None where that is not known.
        images: Files.
        bytes: Their size.
        spent_usd: US dollars that were billed, or may have been; None where a price is not known.
        digest: SHA-256 over the SHA-256 of its images, in hexadecimal and in the order of the input; empty
            where that is not known.
        began_at: When its last run began, Unix seconds.
        ended_at: When that ended, or None.
        worker: Who has worked on it, as people know them.
        stopped: What stopped its last run before its end, or None.
        host: The machine's name.
    """

    shard: int = field(validator=_count)
    ended: bool = field(validator=_flag)
    items: int = field(default=0, validator=_count)
    generated: int = field(default=0, validator=_count)
    skipped: int = field(default=0, validator=_count)
    failed: int = field(default=0, validator=_count)
    billed: int = field(default=0, validator=_count)
    unconfirmed: int = field(default=0, validator=_count)
    blocked: int = field(default=0, validator=_count)
    missing: int = field(default=0, validator=_count)
    pending: int | None = field(default=None, validator=_count_or_none)
    images: int = field(default=0, validator=_count)
    bytes: int = field(default=0, validator=_count)
    spent_usd: float | None = field(default=0.0, validator=_number_or_none)
    digest: str = field(default="", validator=_text)
    began_at: float = field(validator=_number)
    ended_at: float | None = field(default=None, validator=_number_or_none)
    worker: str = field(validator=_text)
    stopped: str | None = field(default=None, validator=_text_or_none)
    host: str = field(factory=socket.gethostname, validator=_text)

    @property
    def done(self) -> int:
        """Items whose images are there."""
        return self.generated + self.skipped


@storage_errors()
def write_receipt(directory: Path, receipt: Receipt) -> None:
    """Put a shard's receipt in place of the one before; blocks.

    Args:
        directory: The job's.
        receipt: What became of the shard.

    Raises:
        StorageError: The disk refused.
    """
    told = {"version": VERSION, **attrs.asdict(receipt)}
    write_whole(_path(directory, receipt.shard), told, replace=True)


@storage_errors()
def read_receipt(directory: Path, shard: int) -> Receipt | None:
    """A shard's receipt; None where there is none. Blocks.

    Raises:
        JournalError: It is torn, foreign, or of a newer version.
        StorageError: It cannot be read.
    """
    path = _path(directory, shard)
    try:
        told: dict[str, Any] = orjson.loads(path.read_bytes())
        check_version(path, told.pop("version"))
        receipt = Receipt(**told)
    except FileNotFoundError:
        return None
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise _no_receipt(path, str(exc)) from exc
    if receipt.shard != shard:
        raise _no_receipt(path, f"it is of shard {receipt.shard}")
    return receipt


def read_receipts(directory: Path) -> Iterator[Receipt]:
    """The receipts of a job's shards, in their order; blocks.

    Raises:
        JournalError: One is torn, foreign, or of a newer version.
        StorageError: One cannot be read.
    """
    for shard in _shards(directory / PRIVATE / RECEIPTS):
        if (receipt := read_receipt(directory, shard)) is not None:
            yield receipt


@storage_errors()
def _shards(folder: Path) -> list[int]:
    """The shards that a folder holds receipts of; what is hidden are receipts that nobody has finished."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - a `Path` for each would stay in its table of names
    except FileNotFoundError:
        return []
    numbers: list[int] = []
    for name in names:
        if name.startswith("."):
            continue
        stem, _, suffix = name.rpartition(".")
        if suffix != "json" or (number := shard_number(stem)) is None:
            raise _no_receipt(folder / name, "its name is no shard's")
        numbers.append(number)
    return sorted(numbers)


def receipt_of(
    directory: Path, *, worker: str, pending: int | None = None, host: str | None = None
) -> Receipt:
    """What became of a shard, from its journal, which the caller alone may have had open; blocks.

    Args:
        directory: The shard's own, as `shard_directory` names it.
        worker: Who has worked on it.
        pending: Items of its input that have no outcome, where the caller knows.
        host: The machine's name; this one's where None.

    Raises:
        StorageError: The directory is no shard's, or its journal cannot be read.
    """
    number = shard_number(directory.name)
    if number is None:
        raise JournalError(errno.EINVAL, "No shard's directory has such a name", str(directory))
    reader = JournalReader(directory)
    status, run = reader.status(), reader.last_run()
    ended = run.ended_at is not None and not status.running
    digest = hashlib.sha256()
    for image in reader.images():
        digest.update(image.file.sha256.encode())
    return Receipt(
        shard=number,
        ended=ended,
        items=status.items,
        generated=run.generated,
        skipped=status.done - run.generated,
        failed=status.failed,
        billed=status.billed,
        unconfirmed=status.unconfirmed,
        blocked=status.blocked,
        missing=status.missing,
        pending=pending,
        images=status.images,
        bytes=status.bytes,
        spent_usd=status.spent_usd,
        digest=digest.hexdigest(),
        began_at=run.began_at,
        ended_at=run.ended_at if ended else None,
        worker=worker,
        stopped=status.stopped,
        host=host or socket.gethostname(),
    )


def _path(directory: Path, shard: int) -> Path:
    return directory / PRIVATE / RECEIPTS / f"{shard_name(shard)}.json"


def _no_receipt(path: Path, detail: str) -> JournalError:
    text = f"This is no receipt of a shard ({detail}); put the shard's own back, or remove the file"
    return JournalError(errno.EIO, text, str(path))
