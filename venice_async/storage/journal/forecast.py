"""What a run would find in a directory's journal, without beginning it.

Nothing is written there: what has to be counted is counted in a temporary database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from venice_async.storage.files import check_no_images
from venice_async.types.request import ImageRequest
from venice_async.wire.codec import fingerprint

from .records import gone_of, load_files
from .schema import (
    JOURNAL,
    PRIVATE,
    State,
    check_job,
    check_no_shards,
    connect_to_read,
    journal_errors,
    read_job,
    read_traits,
)

__all__ = ["Forecast"]


class Forecast:
    """The journal of a directory as a run would find it; a context manager.

    Args:
        directory: Where the images would go.
        job: What makes the job the one it is.
        extend: Whether another job's journal would be gone on with.

    Attributes:
        spent: Millionths of a US dollar.
        traits: What each trait stood for when the job began; None where it has not.

    Raises:
        ConfigurationError: The directory is that of a job in shards.
        JobChangedError: The directory holds another job.
        OutputExistsError: It holds images, and no journal.
        StorageError: The journal cannot be read.
    """

    def __init__(self, directory: Path, job: Mapping[str, str], *, extend: bool) -> None:
        self._directory = directory
        self._path = directory / PRIVATE / JOURNAL
        self._journal: sqlite3.Connection | None = None
        self.spent = 0
        self.traits: Mapping[str, str] | None = None
        check_no_shards(directory)
        if not self._path.exists():
            check_no_images(directory)
        else:
            with journal_errors(self._path):
                self._journal = connect_to_read(self._path)
                self.traits = read_traits(self._journal)
                if not extend:
                    check_job(read_job(self._journal), job, directory)
                (spent,) = self._journal.execute("SELECT total(spent + reserved) FROM items").fetchone()
                self.spent = int(spent)
        self._counts = sqlite3.connect("", isolation_level=None)
        self._counts.execute("PRAGMA synchronous = OFF")
        self._counts.execute("CREATE TABLE seen (fingerprint BLOB PRIMARY KEY, number INTEGER) WITHOUT ROWID")
        self._counts.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._counts.close()
        if self._journal is not None:
            self._journal.close()

    def state(self, request: ImageRequest, *, keep_duplicates: bool) -> tuple[State, bool]:
        """How far the next item of the input has come, and whether a file of it is gone that is wanted."""
        identity = fingerprint(request)
        (occurrence,) = self._counts.execute(
            "INSERT INTO seen VALUES (?, 0) ON CONFLICT DO UPDATE SET number = number + 1 RETURNING number",
            (identity,),
        ).fetchone()
        found = None
        if self._journal is not None:
            with journal_errors(self._path):
                found = self._journal.execute(
                    "SELECT state, files FROM items WHERE fingerprint = ? AND occurrence = ?",
                    (identity, occurrence),
                ).fetchone()
        state, told = (State.PENDING, None) if found is None else (State(found[0]), found[1])
        if occurrence and not keep_duplicates and state in {State.PENDING, State.FAILED, State.DUPLICATE}:
            return State.DUPLICATE, False
        if state == State.DUPLICATE:
            return State.PENDING, False
        gone = gone_of(self._directory, load_files(told)) if state == State.DONE else ()
        return state, any(file.wanted for file in gone)
