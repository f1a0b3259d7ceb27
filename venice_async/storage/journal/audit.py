"""The files of a directory, held against what its journal says of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

from attrs import frozen

from venice_async.storage.files import images_in, storage_errors

from .reading import JournalReader, RecordedFile
from .recovery import file_digest

__all__ = ["Finding", "audit", "audit_files", "unknown_images"]


@frozen
class Finding:
    """One file.

    Attributes:
        path: Relative to the directory.
        verdict: `intact`; `missing`: the journal knows it, and it is gone; `altered`: its content is
            another; `foreign`: the journal does not know it.
    """

    path: str
    verdict: Literal["intact", "missing", "altered", "foreign"]


def audit(directory: Path) -> Iterator[Finding]:
    """Hash every file that the journal knows, and look for images that it does not; changes nothing.

    Raises:
        StorageError: The journal or the directory cannot be read.
    """
    yield from audit_files(directory, JournalReader(directory).files())


def audit_files(directory: Path, files: Iterable[RecordedFile]) -> Iterator[Finding]:
    """Hash recorded files, and look for images in their directory that are none of them; changes nothing.

    Args:
        directory: Where the files are, at whatever depth.
        files: What is known of them.

    Raises:
        StorageError: The directory cannot be read.
    """
    with closing(sqlite3.connect("", isolation_level=None)) as known, storage_errors():
        _make(known)
        for file in files:
            name = str(file.path.relative_to(directory))
            known.execute("INSERT OR IGNORE INTO names VALUES (?)", (name,))
            if not file.path.is_file():
                yield Finding(name, "missing")
            elif file.path.stat().st_size != file.size or file_digest(file.path) != file.sha256:
                yield Finding(name, "altered")
            else:
                yield Finding(name, "intact")
        for name in _unknown(directory, known):
            yield Finding(name, "foreign")


def unknown_images(directory: Path, names: Iterable[str]) -> Iterator[str]:
    """Images in a directory, relative to it, that are not among some names."""
    with closing(sqlite3.connect("", isolation_level=None)) as known:
        _make(known)
        known.executemany("INSERT OR IGNORE INTO names VALUES (?)", ((name,) for name in names))
        yield from _unknown(directory, known)


def _make(known: sqlite3.Connection) -> None:
    known.execute("PRAGMA synchronous = OFF")
    known.execute("CREATE TABLE names (name TEXT PRIMARY KEY) WITHOUT ROWID")
    known.execute("BEGIN")


def _unknown(directory: Path, known: sqlite3.Connection) -> Iterator[str]:
    for name in images_in(directory):
        if known.execute("SELECT 1 FROM names WHERE name = ?", (name,)).fetchone() is None:
            yield name
