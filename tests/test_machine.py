"""What a batch finds in its directory: a second process, another job, a damaged journal."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import time
from contextlib import closing, contextmanager

import pytest

from venice_async.errors import (
    DirectoryLockedError,
    JobChangedError,
    JournalError,
    OutputExistsError,
)
from venice_async.sandbox import Sandbox

from .jobs import Job, Painter, content, gathered

PROMPTS = [f"fox {number}" for number in range(6)]


@pytest.fixture
def sandbox():
    with Sandbox(latency=0, rpm=None, images=Painter()) as running:
        yield running


@pytest.fixture
def into(tmp_path):
    return tmp_path / "out"


@contextmanager
def refused(sandbox, into, kind, *texts):
    """Within, a batch is refused: with these texts, before anything is sent, and nothing is changed."""
    received, before = sandbox.account.received, content(into)
    with pytest.raises(kind) as caught:
        yield
    assert type(caught.value) is kind
    for text in texts:
        assert text in str(caught.value)
    assert sandbox.account.received == received
    assert content(into) == before


# Somebody else


def test_a_directory_has_one_process_at_a_time(nursery, tmp_path, into):
    """The second fails at once and names the first; that one's death leaves no lock behind."""
    painter = Painter()
    with Sandbox(latency=60, rpm=None, images=painter) as sandbox:
        job = Job(nursery, sandbox, painter, into, [(prompt, 1) for prompt in PROMPTS])
        process = job.start()
        while sandbox.account.in_flight < len(PROMPTS):
            time.sleep(0.01)
        journal = {name for name in content(into) if "journal" in name}
        received = sandbox.account.received
        with pytest.raises(DirectoryLockedError) as caught:
            gathered(sandbox, into, PROMPTS)
        assert re.fullmatch(
            rf"{re.escape(str(into))}: Another job is at work here: process {process} on \S+ since"
            r" \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00; wait for its end, or choose another directory",
            str(caught.value),
        )
        assert sandbox.account.received == received
        assert {name for name in content(into) if "journal" in name} == journal
        os.kill(process, signal.SIGKILL)
        assert job.wait() is None
        told = job.resumed()
        assert told.counts["unconfirmed"] == len(PROMPTS)
        assert sandbox.account.received == received


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        ({"model": "venice-sd35"}, ["model was fluently-xl, and is venice-sd35"]),
        ({"seeds": range(1, 3)}, ["seeds was 0-1, and is 1-2"]),
        ({"name": "{prompt}"}, ["name was {index:05d}_{seed}_{prompt}, and is {prompt}"]),
        ({"steps": 5, "seeds": None}, ["steps was not set, and is 5", "seeds was 0-1, and is not set"]),
        ({"duplicates": "skip"}, ["duplicates was keep, and is skip"]),
    ],
    ids=["model", "seeds", "name", "two-of-them", "duplicates"],
)
def test_another_job_is_not_mistaken_for_the_same(sandbox, into, changes, texts):
    """The message shows what was and what is; with `extend=True` it is added to what is there."""
    options = {"seeds": range(2)}
    first = gathered(sandbox, into, PROMPTS, **options)
    with refused(sandbox, into, JobChangedError, f"{into} holds another job: ", *texts, "with extend=True"):
        gathered(sandbox, into, PROMPTS, **{**options, **changes})
    before = content(into)
    report = gathered(sandbox, into, PROMPTS, extend=True, **{**options, **changes})
    assert report.generated + report.skipped > 0
    assert sandbox.account.billed == first.generated + report.generated
    own = {name for name in before if "journal" not in name and name != "metadata.jsonl"}
    assert {name: content(into)[name] for name in own} == {name: before[name] for name in own}
    with refused(sandbox, into, JobChangedError):
        gathered(sandbox, into, PROMPTS, **options)


# A damaged journal


def torn(path):
    """Its middle page was never written."""
    data = path.read_bytes()
    middle = len(data) // 2 // 4096 * 4096
    path.write_bytes(data[:middle] + bytes(4096) + data[middle + 4096 :])


def overwritten(path):
    """Something else stands in its middle page."""
    data = path.read_bytes()
    middle = len(data) // 2 // 4096 * 4096
    path.write_bytes(data[:middle] + b"\xa5venice" * 585 + data[middle + 4095 :])


def halved(path):
    os.truncate(path, path.stat().st_size // 2)


def emptied(path):
    os.truncate(path, 0)


def replaced(path):
    path.write_text("This is no database. " * 400)


def renumbered(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 3")


DAMAGED = (
    "The journal is damaged (",
    "Nothing was sent",
    "Put a copy of it back",
    ".recover",
    "another directory",
)


@pytest.mark.parametrize(
    ("damage", "texts"),
    [
        (torn, DAMAGED),
        (overwritten, DAMAGED),
        (halved, DAMAGED),
        (emptied, (*DAMAGED, "it is no journal of this library")),
        (replaced, (*DAMAGED, "file is not a database")),
        (renumbered, ("The journal is of version 3, which a newer venice-async has written; update it",)),
        (os.unlink, ()),
    ],
    ids=["torn", "overwritten", "halved", "emptied", "no-database", "newer", "deleted"],
)
def test_a_journal_that_cannot_be_trusted_is_not_gone_on_with(sandbox, into, damage, texts):
    """Nothing is sent, the directory stays as it is, and the message says what to do."""
    gathered(sandbox, into, PROMPTS)
    path = into / ".venice" / "journal.sqlite3"
    whole = path.read_bytes()
    damage(path)
    kind = OutputExistsError if damage is os.unlink else JournalError
    texts = texts or (
        "The directory holds images already (0000",
        "and no journal that tells of them; choose another",
    )
    with refused(sandbox, into, kind, *texts, str(into)):
        gathered(sandbox, into, PROMPTS)
    path.write_bytes(whole)
    assert gathered(sandbox, into, PROMPTS).skipped == len(PROMPTS)


def test_a_record_that_cannot_be_read_is_damage(sandbox, into):
    """SQLite cannot know that a text is none any more: it is found out when its item is asked for."""
    gathered(sandbox, into, PROMPTS)
    with closing(sqlite3.connect(into / ".venice" / "journal.sqlite3")) as connection, connection:
        connection.execute("UPDATE items SET files = ?", (b"[[\0\0\0",))
    report = gathered(sandbox, into, PROMPTS)
    assert isinstance(report.stopped, JournalError)
    assert "The journal is damaged (a record cannot be read: " in str(report.stopped)
    assert report.pending == len(PROMPTS)
    assert sandbox.account.received == len(PROMPTS)


@pytest.mark.parametrize(
    "trace", ["parts/1-1-0.png", "parts/1-1-0.part", "rejected/fox.bin", "journal.sqlite3-wal"]
)
def test_a_journal_that_is_gone_is_missed_though_there_are_no_images(sandbox, into, trace):
    """Whatever tells that there was one keeps its items from being bought again."""
    path = into / ".venice" / trace
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something")
    text = f"The journal is missing, and {path.name} tells that there was one. Nothing was sent; put it back"
    try:
        with refused(sandbox, into, JournalError, text, "choose another directory", "journal.sqlite3"):
            gathered(sandbox, into, PROMPTS)
    finally:
        path.unlink()
    assert gathered(sandbox, into, PROMPTS).generated == len(PROMPTS)


def test_a_journal_that_was_closed_needs_no_file_beside_it(sandbox, into):
    """What SQLite writes beside the journal is gone, or may be deleted, once the batch has ended."""
    gathered(sandbox, into, PROMPTS)
    for name in ("wal", "shm"):
        (into / ".venice" / f"journal.sqlite3-{name}").unlink(missing_ok=True)
    assert gathered(sandbox, into, PROMPTS).skipped == len(PROMPTS)
