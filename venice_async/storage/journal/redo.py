"""Images that are bought again, and take the place of those that an item has.

1. The new purchase is a row of its own, which names the item (`redoes`). The item stays what it is until the
   new images are whole and recorded: a redo that fails, is blocked or is lost takes nothing away.
2. Then the old files, if any, go to `.venice/superseded/`, the new ones get their names, and in one
   transaction the item takes over what the row holds, its costs included. A crash between two of these steps
   is brought to its end by the next run (`recovery`).
3. It is marked as bought again (`redone`) until a redo that names it is complete: the same call, after one
   that was stopped or cut off, buys only the rest.
4. The item keeps its identity, so that the call that asked for it finds it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import Connection

import attrs
from attrs import define

from venice_async.errors import ConfigurationError
from venice_async.storage.files import sync_directory
from venice_async.storage.published import Published
from venice_async.types.request import ImageRequest

from .lock import DirectoryLock
from .records import KeptFile, dump_files, gone_of, load_files, load_request
from .schema import (
    JOURNAL,
    LOCK,
    PRIVATE,
    SUPERSEDED,
    State,
    check_no_shards,
    connect_to_read,
    connect_to_write,
    journal_errors,
)
from .steps import ENTRY, Entry, entry_of

__all__ = ["end_redo", "enter_redo", "files_of", "find_redos", "forget", "merge", "set_aside"]

_FINGERPRINT_BYTES = 16
_OPEN = f"({State.SENT}, {State.BILLED}, {State.UNCONFIRMED})"  # with these, the seed is that of the purchase
_ENDED = f"({State.BILLED}, {State.UNCONFIRMED}, {State.BLOCKED})"  # what the same call does not send again
_REDONE = "SELECT id FROM items WHERE redone IS NOT NULL"
_DONE = f"SELECT id, files FROM items WHERE state = {State.DONE} AND redoes IS NULL ORDER BY id"
_ENTER = f"""
INSERT INTO items (
    fingerprint, occurrence, run, place, seen, state, seed, pictures, request, metadata, redoes
)
SELECT ?2, occurrence, ?3, place, 0, {State.PENDING}, iif(?4, NULL, seed), pictures, request, metadata, id
FROM items WHERE id = ?1
ON CONFLICT (fingerprint, occurrence) DO UPDATE SET
    run = excluded.run, place = excluded.place, seed = iif(state IN {_OPEN}, seed, excluded.seed)
RETURNING {ENTRY}
"""
_TAKEN_OVER = ("files", "answer", "seed", "sent_at", "ended_at", "ended_run", "run", "error")


def enter_redo(
    run: int,
    item: int,
    connection: Connection,
    *,
    by_name: bool,
    is_gone: Callable[[tuple[KeptFile, ...]], bool],
    new_seed: bool,
) -> tuple[Entry, ImageRequest] | None:
    """Take up the new purchase of an item; None where there is nothing to buy.

    Args:
        run: The run's number.
        item: The item's.
        connection: In a transaction.
        by_name: Whether it is bought again in any case, and not only if a file of it is gone. What a redo
            that is not complete has bought is not bought once more: the item itself is returned.
        is_gone: Whether one of an item's files is gone.
        new_seed: Whether another seed is drawn.
    """
    found = connection.execute(
        f"SELECT {ENTRY}, fingerprint, redone, request, pictures.body, metadata FROM items"
        " LEFT JOIN pictures ON pictures.digest = items.pictures"
        f" WHERE items.id = ? AND state = {State.DONE}",
        (item,),
    ).fetchone()
    if found is None:
        return None
    *fields, identity, redone, body, pictures, metadata = found
    entry = entry_of(fields)
    request = load_request(body, pictures, metadata)
    if not is_gone(entry.files):
        if not by_name:
            return None
        if redone is not None:
            connection.execute("UPDATE items SET run = ? WHERE id = ?", (run, item))
            return entry, request
    own = hashlib.blake2b(identity, digest_size=_FINGERPRINT_BYTES, person=b"redo").digest()
    entry = entry_of(connection.execute(_ENTER, (item, own, run, new_seed)).fetchone())
    return entry, attrs.evolve(request, seed=None) if new_seed else request


def end_redo(run: int, connection: Connection) -> None:
    """Note that a run has taken up all that it was asked for: complete, unless some is to be sent again."""
    connection.execute(
        "UPDATE items SET redone = NULL WHERE run = ?1 AND redone IS NOT NULL AND NOT EXISTS"
        f" (SELECT 1 FROM items WHERE run = ?1 AND redoes IS NOT NULL AND state NOT IN {_ENDED})",
        (run,),
    )


def files_of(item: int, connection: Connection) -> tuple[KeptFile, ...]:
    """The files that an item has."""
    found = connection.execute("SELECT files FROM items WHERE id = ?", (item,)).fetchone()
    return () if found is None else load_files(found[0])


def set_aside(directory: Path, names: Iterable[str], *, synced: bool) -> None:
    """Move files of a directory out of the way, if they are there; nothing is overwritten."""
    superseded = Published(directory / PRIVATE / SUPERSEDED)
    folders: set[Path] = set()
    for name in names:
        path = directory / name

        def is_it(aside: str, path: Path = path) -> bool:
            return (superseded.directory / aside).samefile(path)

        with suppress(FileNotFoundError):
            found = superseded.find(name, path.stat().st_size, is_it)
            if found is not None:  # its other name was given it in the last moment of a run
                path.unlink()
            found = found or superseded.publish(str(path), name)
            folders |= {(superseded.directory / found).parent, path.parent}
    for folder in folders if synced else ():
        sync_directory(folder)


def merge(connection: Connection) -> None:
    """Have items take over the purchases that are to take their place, and are done."""
    changes = ", ".join(f"{name} = new.{name}" for name in _TAKEN_OVER)
    connection.execute(
        f"UPDATE items SET {changes}, redone = new.run, spent = items.spent + new.spent FROM items AS new"
        f" WHERE new.redoes IS NOT NULL AND new.state = {State.DONE} AND items.id = new.redoes"
    )
    connection.execute(f"DELETE FROM items WHERE redoes IS NOT NULL AND state = {State.DONE}")


def find_redos(directory: Path, files: Iterable[str | os.PathLike[str]], *, missing: bool) -> dict[int, bool]:
    """The items of a directory that are to be bought again, and whether by name; blocks.

    Args:
        directory: A job's.
        files: Of its images, with the directory in front or relative to it.
        missing: Whether those of which a file is gone are among them.

    Raises:
        ConfigurationError: A file is not the job's, nothing is asked for, or the job is in shards.
        StorageError: The journal cannot be read.
    """
    path = directory / PRIVATE / JOURNAL
    names = _Names.of(directory, files, missing=missing)
    found: dict[int, bool] = {}
    with journal_errors(path), closing(connect_to_read(path)) as connection:
        for item, told in connection.execute(_DONE):
            kept = load_files(told)
            if names.among(kept):
                found[item] = True
            elif missing and any(file.wanted for file in gone_of(directory, kept)):
                found[item] = False
        if names.left and (redone := connection.execute(_REDONE).fetchall()) and names.superseded(directory):
            found |= {item: True for (item,) in redone}
    names.check_found(directory)
    return found


def forget(directory: Path, files: Iterable[str | os.PathLike[str]], *, missing: bool = False) -> list[str]:
    """Record that files that are gone are wanted no more; which ones. Blocks.

    Args:
        directory: A job's.
        files: Of its images, with the directory in front or relative to it.
        missing: Whether every other one that is gone is meant as well.

    Raises:
        ConfigurationError: A file is not the job's or is there, nothing is asked for, or the job is in
            shards.
        DirectoryLockedError: Another process is at work there.
        StorageError: The journal cannot be read or written.
    """
    path = directory / PRIVATE / JOURNAL
    names = _Names.of(directory, files, missing=missing)
    with journal_errors(path):
        connect_to_read(path).close()  # which tells whether there is one
        lock = DirectoryLock(path.with_name(LOCK), directory)
        lock.take()
        try:
            with closing(connect_to_write(path)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                forgotten = [*_forget(directory, names, connection, missing=missing)]
                names.check_found(directory)
                connection.execute("COMMIT")
        finally:
            lock.release(orderly=not lock.left_behind)
    return forgotten


def _forget(directory: Path, names: _Names, connection: Connection, *, missing: bool) -> Iterator[str]:
    for item, told in connection.execute(_DONE).fetchall():
        kept = load_files(told)
        named = names.among(kept)
        gone = {file.name for file in gone_of(directory, kept)}
        if there := named - gone:
            raise ConfigurationError(f"{directory / min(there)} is there; only what is gone can be forgotten")
        meant = {file.name for file in kept if file.wanted and file.name in (gone if missing else named)}
        if meant:
            kept = tuple(attrs.evolve(file, wanted=file.wanted and file.name not in meant) for file in kept)
            connection.execute("UPDATE items SET files = ? WHERE id = ?", (dump_files(kept), item))
            yield from sorted(meant)


@define
class _Names:
    """Files as somebody has named them, with the directory in front or relative to it.

    Attributes:
        _given: By the name that a file may have in the journal, how it was given.
        left: Those that no item was found for yet.
    """

    _given: dict[str, str]
    left: set[str]

    @classmethod
    def of(cls, directory: Path, files: Iterable[str | os.PathLike[str]], *, missing: bool) -> _Names:
        """Take them in; raise where nothing at all is asked for."""
        check_no_shards(directory)
        given = [os.fspath(file) for file in ([files] if isinstance(files, str | os.PathLike) else files)]
        if not given and not missing:
            raise ConfigurationError("say which images: name their files, or say missing=True")
        names = {os.path.relpath(name, directory): name for name in given}
        return cls({**names, **{os.path.normpath(name): name for name in given}}, set(given))

    def among(self, kept: Iterable[KeptFile]) -> set[str]:
        """Which of an item's files are named."""
        hits = {file.name for file in kept if file.name in self._given} if self._given else set[str]()
        self.left -= {self._given[name] for name in hits}
        return hits

    def superseded(self, directory: Path) -> bool:
        """Take as found what was set aside, as a new seed gives another name; whether there was any."""
        aside = directory / PRIVATE / SUPERSEDED
        found = {given for name, given in self._given.items() if (aside / name).exists()} & self.left
        self.left -= found
        return bool(found)

    def check_found(self, directory: Path) -> None:
        """Raise if a name was none."""
        if self.left:
            raise ConfigurationError(f"{min(self.left)} is not an image of the job in {directory}")
