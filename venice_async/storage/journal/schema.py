"""What a journal's tables hold, and how its file comes to be.

1. The file gets its name once its tables are in it: one without them is damaged, never new.
2. What SQLite says of a file is told as what it means: a full disk, a damaged journal.
3. A journal of an earlier version is brought up to this one by who writes to it. Who reads it sees what it
   lacks as null, and changes nothing.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType

import orjson

from venice_async.errors import ConfigurationError, JobChangedError, JournalError, StorageError
from venice_async.storage.files import sync_directory

__all__ = [
    "JOURNAL",
    "LOCK",
    "PRIVATE",
    "SHARDS",
    "SUPERSEDED",
    "State",
    "changed_fields",
    "check_job",
    "check_no_shards",
    "connect_to_read",
    "connect_to_write",
    "create",
    "journal_errors",
    "read_job",
    "read_traits",
    "write_job",
]

PRIVATE = ".venice"
JOURNAL = "journal.sqlite3"
LOCK = "lock"
_TRAITS = "traits"  # in the table of the job: what each trait stood for when it began, as JSON; no part of it
SUPERSEDED = "superseded"  # the images whose place others have taken
SHARDS = "shards.json"  # marks a directory whose folders hold a journal each

_NO_TRAITS: Mapping[str, str] = MappingProxyType({})
_APPLICATION = 0x56656E69
_VERSION = 2
_BUSY = 5.0  # seconds to wait for somebody who only reads
_CACHE = 256  # KiB: records go to the end, and what reads, reads everything once

_TABLES = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
CREATE TABLE job (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    began_at REAL NOT NULL,     -- Unix seconds, as every time here
    ended_at REAL,
    stopped BLOB                -- the error, as JSON
);
CREATE TABLE pictures (digest BLOB PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    fingerprint BLOB,           -- of the request as it was given; none where it was no request
    occurrence INTEGER NOT NULL,
    run INTEGER NOT NULL,       -- the last one that asked for it
    place INTEGER NOT NULL,     -- in that run's input
    seen INTEGER NOT NULL,      -- how often that run asked for it again; kept with occurrence 0
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    seed INTEGER,
    reserved INTEGER NOT NULL DEFAULT 0,    -- millionths of a US dollar in flight
    spent INTEGER NOT NULL DEFAULT 0,       -- the same, billed or perhaps billed
    ended_run INTEGER,
    sent_at REAL,
    ended_at REAL,
    pictures BLOB REFERENCES pictures,
    files BLOB,                 -- JSON: name, sha256 and size of each, and false if it is wanted no more
    request BLOB,               -- JSON, without what is in `pictures`
    metadata BLOB,              -- JSON: what is kept beside the request
    answer BLOB,                -- JSON
    error BLOB,                 -- JSON
    redoes INTEGER REFERENCES items,    -- the item whose images this one is to take the place of
    redone INTEGER              -- the run that has bought its images again, until that redo is complete
);
CREATE UNIQUE INDEX items_by_request ON items (fingerprint, occurrence);
CREATE INDEX items_by_place ON items (place);
CREATE INDEX items_unsettled ON items (state) WHERE state IN (1, 2);
CREATE INDEX items_redoing ON items (redoes) WHERE redoes IS NOT NULL;
"""
_TO_VERSION = {
    2: "ALTER TABLE items ADD COLUMN redoes INTEGER REFERENCES items;"
    " ALTER TABLE items ADD COLUMN redone INTEGER;"
    " CREATE INDEX items_redoing ON items (redoes) WHERE redoes IS NOT NULL;",
}
_LACKS = {1: ("redoes", "redone")}  # columns of items, by the version that has none of them


class State(IntEnum):
    """How far a purchase has come."""

    PENDING = 0
    SENT = 1  # the intent is recorded; nobody knows yet what became of it
    RECEIVED = 2  # the images are whole on disk and recorded, but perhaps not under their names yet
    DONE = 3
    FAILED = 4
    BILLED = 5  # failed, and paid for all the same
    UNCONFIRMED = 6
    DUPLICATE = 7  # left out: the input holds it before
    BLOCKED = 8  # the content policy has blocked the images, which cost nothing


def create(path: Path, job: Mapping[str, str], traits: Mapping[str, str] = _NO_TRAITS) -> None:
    """Make a new journal, under its name only once it is whole."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.executescript(_TABLES)
        write_job(connection, job, traits)
    new.replace(path)
    sync_directory(path.parent)


def connect_to_write(path: Path) -> sqlite3.Connection:
    """Connect to a journal, look through the whole of it first, and bring it up to this version.

    Raises:
        JournalError: It is damaged, or of a newer version.
    """
    connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
    try:
        version = _check(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        for next_one in range(version + 1, _VERSION + 1):
            connection.executescript(
                f"BEGIN IMMEDIATE; {_TO_VERSION[next_one]} PRAGMA user_version = {next_one}; COMMIT;"
            )
        connection.execute(f"PRAGMA cache_size = -{_CACHE}")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Connect to a journal only to read it, whether somebody is at work on it or not.

    Raises:
        JournalError: There is none, it is damaged, or of a newer version.
    """
    if not path.exists():
        raise JournalError(errno.ENOENT, "There is no journal: no batch was begun here", str(path))
    for options in ("mode=ro", "immutable=1"):  # the second for a directory that cannot be written to
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{options}", uri=True, timeout=_BUSY, check_same_thread=False
        )
        try:
            version = _check_kind(connection, path)
            if lacking := _LACKS.get(version):
                nulls = ", ".join(f"NULL AS {name}" for name in lacking)
                connection.execute(f"CREATE TEMP VIEW items AS SELECT *, {nulls} FROM main.items")
        except sqlite3.OperationalError as exc:
            connection.close()
            if exc.sqlite_errorcode in _UNWRITABLE and options == "mode=ro":
                continue
            raise
        except BaseException:
            connection.close()
            raise
        connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        return connection
    raise AssertionError  # the second one has returned or raised


def _check(connection: sqlite3.Connection, path: Path) -> int:
    version = _check_kind(connection, path)
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise _damaged(path, found)
    return version


def _check_kind(connection: sqlite3.Connection, path: Path) -> int:
    """The journal's version."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != _APPLICATION:
        raise _damaged(path, "it is no journal of this library")
    if version > _VERSION:
        raise JournalError(
            errno.EINVAL,
            f"The journal is of version {version}, which a newer venice-async has written; update it",
            str(path),
        )
    return int(version)


def _damaged(path: Path, detail: str) -> JournalError:
    return JournalError(
        errno.EIO,
        f"The journal is damaged ({' '.join(detail.split())}). Nothing was sent: without it, images that"
        " were paid for would be bought again. Put a copy of it back, rescue what is readable with"
        " `sqlite3 FILE .recover`, or choose another directory; the images here stay as they are",
        str(path),
    )


def read_job(connection: sqlite3.Connection) -> dict[str, str]:
    """What makes a journal's job the one it is, by name."""
    return dict(connection.execute("SELECT name, value FROM job WHERE name != ?", (_TRAITS,)))


def read_traits(connection: sqlite3.Connection) -> dict[str, str]:
    """What each trait stood for when a journal's job began; none for a version that sent their names."""
    found = connection.execute("SELECT value FROM job WHERE name = ?", (_TRAITS,)).fetchone()
    return {} if found is None else orjson.loads(found[0])


def write_job(connection: sqlite3.Connection, job: Mapping[str, str], traits: Mapping[str, str]) -> None:
    """Replace what a journal says of its job."""
    rows = {**job, _TRAITS: orjson.dumps(dict(traits)).decode()} if traits else job
    connection.execute("DELETE FROM job")
    connection.executemany("INSERT INTO job VALUES (?, ?)", rows.items())


def changed_fields(known: Mapping[str, str], job: Mapping[str, str]) -> list[str]:
    """What tells two jobs apart, in words."""
    return [
        f"{name} was {known.get(name, 'not set')}, and is {job.get(name, 'not set')}"
        for name in sorted({*known, *job})
        if known.get(name) != job.get(name)
    ]


def check_job(known: Mapping[str, str], job: Mapping[str, str], directory: Path) -> None:
    """Raise a `JobChangedError` if a directory's job is another one."""
    if changed := changed_fields(known, job):
        raise JobChangedError(
            f"{directory} holds another job: {'; '.join(changed)}. Nothing was sent; choose another"
            " directory, or add to this one with extend=True"
        )


def check_no_shards(directory: Path) -> None:
    """Raise a `ConfigurationError` if a directory is that of a job in shards, each with its own journal."""
    if (directory / PRIVATE / SHARDS).exists():
        raise ConfigurationError(
            f"{directory} holds a job in shards. Nothing was sent; use venice_async.dask, or a shard's own"
            f" directory, such as {directory / '00000'}"
        )


_MEANINGS = {
    sqlite3.SQLITE_FULL: (errno.ENOSPC, "No space left on device"),
    sqlite3.SQLITE_READONLY: (errno.EROFS, "Read-only file system"),
    sqlite3.SQLITE_PERM: (errno.EACCES, "Permission denied"),
    sqlite3.SQLITE_BUSY: (errno.EBUSY, "Another program holds the journal locked"),
}
# What comes of a file system that is mounted for reading, and of a directory without the permission.
_UNWRITABLE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY_DIRECTORY}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LONGEST_PATH = 504  # bytes that SQLite takes, on any file system


@contextmanager
def journal_errors(path: Path) -> Generator[None, None, None]:
    """Turn what SQLite and the operating system raise into a `StorageError`, a damaged file into its own."""
    try:
        yield
    except StorageError:
        raise
    except sqlite3.Error as exc:
        code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGE:
            raise _damaged(path, str(exc)) from exc
        number, text = _MEANINGS.get(code, (errno.EIO, f"The journal cannot be written or read: {exc}"))
        if code == sqlite3.SQLITE_CANTOPEN:
            number, text = _why_not_open(path)
        raise StorageError(number, text, str(path)) from exc
    except OSError as exc:
        raise StorageError(exc.errno, exc.strerror, exc.filename or str(path)) from exc
    except orjson.JSONDecodeError as exc:  # SQLite cannot know that its text is none
        raise _damaged(path, f"a record cannot be read: {exc}") from exc


def _why_not_open(path: Path) -> tuple[int, str]:
    """What the operating system says when the same file is opened; SQLite does not tell."""
    if len(os.fsencode(path.absolute())) > _LONGEST_PATH:
        return errno.ENAMETOOLONG, f"The path is too long for a journal: SQLite takes {_LONGEST_PATH} bytes"
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError as exc:
        return exc.errno or errno.EIO, exc.strerror or "It cannot be opened"
    return errno.EIO, "The journal cannot be opened"
