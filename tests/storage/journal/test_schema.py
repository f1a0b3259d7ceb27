"""How a journal's file comes to be, and what is said of one that is none."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from venice_async.errors import JobChangedError, JournalError, StorageError
from venice_async.storage.journal.schema import (
    State,
    check_job,
    connect_to_read,
    connect_to_write,
    create,
    journal_errors,
)

JOB = {"name": "{index}", "model": "m"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite3"


@pytest.fixture
def journal(path):
    create(path, JOB)
    return path


def told(path, connect=connect_to_write):
    """What is said of a file."""
    with journal_errors(path), closing(connect(path)):
        pass


def test_a_new_journal_holds_its_job_and_nothing_else(journal, tmp_path):
    with closing(connect_to_write(journal)) as connection:
        assert dict(connection.execute("SELECT name, value FROM job")) == JOB
        for table in ("runs", "items", "pictures"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert list(tmp_path.iterdir()) == [journal]


def test_a_journal_has_its_name_only_once_it_is_whole(path, monkeypatch):
    """A run that dies while it makes one leaves none, and the next one makes it."""

    class DyingError(Exception):
        pass

    with pytest.raises(sqlite3.IntegrityError):
        create(path, {"name": None})
    assert not path.exists()
    with monkeypatch.context() as patched:
        patched.setattr(type(path), "replace", lambda *_: (_ for _ in ()).throw(DyingError))
        with pytest.raises(DyingError):
            create(path, JOB)
    assert not path.exists()
    create(path, JOB)
    told(path)


def test_what_an_earlier_attempt_left_is_not_built_upon(path):
    path.with_suffix(".new").write_bytes(b"half of a journal")
    create(path, JOB)
    told(path)


def test_a_journals_unsettled_items_have_an_index_of_their_own():
    """The numbers that it is made of are those of the states."""
    from venice_async.storage.journal import schema

    assert f"({State.SENT}, {State.RECEIVED})" in schema._TABLES


# What is no journal


def empty(path):
    path.write_bytes(b"")


def foreign(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE job (name TEXT, value TEXT)")


def text(path):
    path.write_bytes(b"no database at all, but long enough to be looked at " * 50)


def overwritten(path):
    create(path, JOB)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(os.urandom(path.stat().st_size // 2))


def cut(path):
    create(path, JOB)
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("make", [empty, foreign, text, overwritten, cut], ids=lambda make: make.__name__)
def test_a_damaged_file_is_refused_and_left_alone(path, make):
    """The message says what to do; nothing is ever begun anew on top of it."""
    make(path)
    before = path.read_bytes()
    with pytest.raises(JournalError, match=r"The journal is damaged .* Nothing was sent") as caught:
        told(path)
    assert (caught.value.errno, caught.value.filename) == (errno.EIO, str(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize("make", [empty, foreign, text], ids=lambda make: make.__name__)
def test_what_is_no_journal_is_refused_to_readers_as_well(path, make):
    make(path)
    with pytest.raises(JournalError, match="damaged"):
        told(path, connect_to_read)


@pytest.mark.parametrize("connect", [connect_to_write, connect_to_read])
def test_a_newer_version_is_refused(journal, connect):
    """It may hold what this one would lose."""
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute("PRAGMA user_version = 3")
    with pytest.raises(JournalError, match=r"version 3.*update"):
        told(journal, connect)


def test_there_is_nothing_to_read_where_nothing_was_begun(path):
    """And nothing is made there."""
    with pytest.raises(JournalError, match="no batch was begun here") as caught:
        told(path, connect_to_read)
    assert caught.value.errno == errno.ENOENT
    assert not path.exists()


def test_a_refused_file_leaves_no_descriptor(path):
    text(path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for connect in (connect_to_read, connect_to_write):
        with pytest.raises(JournalError):
            told(path, connect)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_reader_cannot_write(journal):
    with closing(connect_to_read(journal)) as connection:
        with pytest.raises(StorageError, match="Read-only") as caught, journal_errors(journal):
            connection.execute("INSERT INTO job VALUES ('a', 'b')")
    assert caught.value.errno == errno.EROFS


# What SQLite and the operating system say


def sqlite_error(code):
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind", "number"),
    [
        (sqlite3.SQLITE_FULL, StorageError, errno.ENOSPC),
        (sqlite3.SQLITE_READONLY, StorageError, errno.EROFS),
        (sqlite3.SQLITE_READONLY_DIRECTORY, StorageError, errno.EROFS),
        (sqlite3.SQLITE_PERM, StorageError, errno.EACCES),
        (sqlite3.SQLITE_BUSY, StorageError, errno.EBUSY),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StorageError, errno.EBUSY),
        (sqlite3.SQLITE_IOERR_FSYNC, StorageError, errno.EIO),
        (sqlite3.SQLITE_CORRUPT, JournalError, errno.EIO),
        (sqlite3.SQLITE_CORRUPT_INDEX, JournalError, errno.EIO),
        (sqlite3.SQLITE_NOTADB, JournalError, errno.EIO),
    ],
)
def test_what_sqlite_says_is_told_as_what_it_means(path, code, kind, number):
    error = sqlite_error(code)
    with pytest.raises(StorageError) as caught, journal_errors(path):
        raise error
    assert type(caught.value) is kind
    assert (caught.value.errno, caught.value.filename) == (number, str(path))
    assert caught.value.__cause__ is error


def test_a_file_that_cannot_be_opened_says_why(tmp_path):
    """SQLite does not."""
    folder = tmp_path / "journal.sqlite3"
    folder.mkdir()
    with pytest.raises(StorageError) as caught:
        told(folder)
    assert caught.value.errno == errno.EISDIR


def test_what_the_operating_system_says_keeps_its_number_and_path(path):
    with pytest.raises(StorageError) as caught, journal_errors(path):
        raise OSError(errno.EDQUOT, "Disk quota exceeded", "elsewhere")
    assert (caught.value.errno, caught.value.filename) == (errno.EDQUOT, "elsewhere")
    own = StorageError(errno.EIO, "mine", "there")
    with pytest.raises(StorageError) as caught, journal_errors(path):
        raise own
    assert caught.value is own


# Jobs


def test_another_job_is_told_apart_by_what_has_changed(tmp_path):
    with pytest.raises(JobChangedError) as caught:
        check_job(
            {"model": "a", "steps": "5", "name": "n"}, {"model": "b", "name": "n", "seeds": "0-3"}, tmp_path
        )
    told = str(caught.value)
    assert "model was a, and is b; seeds was not set, and is 0-3; steps was 5, and is not set." in told
    assert "choose another directory, or add to this one with extend=True" in told
    check_job({"a": "1"}, {"a": "1"}, tmp_path)
