"""What the machine may do to a batch: a second process, a damaged journal, a disk that takes nothing more."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager, suppress

import pytest

from venice_async import VeniceSession, gather_generate
from venice_async.errors import (
    DirectoryLockedError,
    JobChangedError,
    JournalError,
    OutputExistsError,
    StorageError,
)
from venice_async.sandbox import Sandbox
from venice_async.storage.journal import audit

from .jobs import Job, Painter
from .killing import LARGEST, SMALL

PROMPTS = [f"fox {number}" for number in range(6)]
STEPS = "venice_async.storage.journal.steps"
OPENING = "venice_async.storage.journal.journal"


@pytest.fixture
def sandbox():
    with Sandbox(latency=0, rpm=None, images=Painter()) as running:
        yield running


@pytest.fixture
def into(tmp_path):
    return tmp_path / "out"


def gathered(sandbox, into, what=PROMPTS, **options):
    """The report of a batch in this process."""

    async def main():
        async with VeniceSession("key", base_url=sandbox.url, rate_limit=None, guard=None) as venice:
            return await gather_generate(venice, what, into=into, **{**SMALL, **options})

    return asyncio.run(main())


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


def content(folder):
    """The content of each file, but of the lock, which names the last one who tried."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "lock"
    }


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
            gathered(sandbox, into)
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
    first = gathered(sandbox, into, **options)
    with refused(sandbox, into, JobChangedError, f"{into} holds another job: ", *texts, "with extend=True"):
        gathered(sandbox, into, **{**options, **changes})
    before = content(into)
    report = gathered(sandbox, into, extend=True, **{**options, **changes})
    assert report.generated + report.skipped > 0
    assert sandbox.account.billed == first.generated + report.generated
    assert {
        name: data for name, data in content(into).items() if name in before and "journal" not in name
    } == {name: data for name, data in before.items() if "journal" not in name}
    with refused(sandbox, into, JobChangedError):
        gathered(sandbox, into, **options)


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
        connection.execute("PRAGMA user_version = 2")


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
        (renumbered, ("The journal is of version 2, which a newer venice-async has written; update it",)),
        (os.unlink, ()),
    ],
    ids=["torn", "overwritten", "halved", "emptied", "no-database", "newer", "deleted"],
)
def test_a_journal_that_cannot_be_trusted_is_not_gone_on_with(sandbox, into, damage, texts):
    """Nothing is sent, the directory stays as it is, and the message says what to do."""
    gathered(sandbox, into)
    path = into / ".venice" / "journal.sqlite3"
    whole = path.read_bytes()
    damage(path)
    kind = OutputExistsError if damage is os.unlink else JournalError
    texts = texts or (
        "The directory holds images already (0000",
        "and no journal that tells of them; choose another",
    )
    with refused(sandbox, into, kind, *texts, str(into)):
        gathered(sandbox, into)
    path.write_bytes(whole)
    assert gathered(sandbox, into).skipped == len(PROMPTS)


def test_a_record_that_cannot_be_read_is_damage(sandbox, into):
    """SQLite cannot know that a text is none any more: it is found out when its item is asked for."""
    gathered(sandbox, into)
    with closing(sqlite3.connect(into / ".venice" / "journal.sqlite3")) as connection, connection:
        connection.execute("UPDATE items SET files = ?", (b"[[\0\0\0",))
    report = gathered(sandbox, into)
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
            gathered(sandbox, into)
    finally:
        path.unlink()
    assert gathered(sandbox, into).generated == len(PROMPTS)


def test_a_journal_that_was_closed_needs_no_file_beside_it(sandbox, into):
    """What SQLite writes beside the journal is gone, or may be deleted, once the batch has ended."""
    gathered(sandbox, into)
    for name in ("wal", "shm"):
        (into / ".venice" / f"journal.sqlite3-{name}").unlink(missing_ok=True)
    assert gathered(sandbox, into).skipped == len(PROMPTS)


# A disk that takes nothing more


class Disk:
    """A small file system of its own, if one may be mounted here; else a folder that refuses as one would.

    Attributes:
        folder: Where it is.
        mounted: Whether it is a file system.
    """

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        self.mounted = False
        self._monkeypatch = monkeypatch
        folder.mkdir()

    def mount(self, size):
        self.mounted = self._mount("-t", "tmpfs", "-o", f"size={size}", "none")

    def grow(self, size):
        assert not self.mounted or self._mount("-o", f"remount,size={size}")

    @contextmanager
    def full(self):
        """Within, nothing more finds room."""
        with self._refusing(errno.ENOSPC):
            filler = self.folder / "filler"
            with suppress(OSError), filler.open("wb", buffering=0) as file:
                while self.mounted:
                    file.write(bytes(4096))
            yield
            filler.unlink()

    @contextmanager
    def read_only(self):
        """Within, nothing can be written."""
        assert not self.mounted or self._mount("-o", "remount,ro")
        with self._refusing(errno.EROFS):
            yield
        assert not self.mounted or self._mount("-o", "remount,rw")

    @contextmanager
    def _refusing(self, number):
        def refused(path, flags, *args, **options):
            if not self.mounted and flags & os.O_CREAT and str(path).startswith(str(self.folder)):
                raise OSError(number, os.strerror(number), str(path))
            return opened(path, flags, *args, **options)

        opened = os.open
        with self._monkeypatch.context() as patch:
            patch.setattr(os, "open", refused)
            yield

    def _mount(self, *options):
        try:
            return not subprocess.run(
                ["mount", *options, self.folder], capture_output=True, check=False
            ).returncode
        except OSError:  # there is no such program
            return False

    def unmount(self):
        if self.mounted:
            subprocess.run(["umount", self.folder], check=True)


@pytest.fixture
def disk(tmp_path, monkeypatch):
    made = Disk(tmp_path / "disk", monkeypatch)
    try:
        yield made
    finally:
        made.unmount()


def job_on(nursery, disk, sandbox, painter, **options):
    items = [(f"fox {number}", number) for number in range(30)]
    return Job(nursery, sandbox, painter, disk.folder / "out", items, options={"concurrency": 4, **options})


def check_interrupted(job, told, number, folder):
    """It stopped at once, says why, and whatever was billed is on the disk or told as such."""
    stopped, path = told.stopped
    assert stopped == number
    assert path.startswith(str(folder))
    assert told.counts["pending"] > 0
    assert job.sandbox.account.received <= told.counts["generated"] + 2 * job.options["concurrency"]
    assert sum(told.counts.values()) == len(job.items)
    billed = job.billed()
    for outcome in told.outcomes:
        if outcome["kind"] == "failed":
            assert outcome["billed"] == bool(billed[outcome["prompt"]])
    known = {outcome["prompt"] for outcome in told.outcomes}
    assert set(billed) <= known


def check_completed(job, told):
    """Nothing was bought twice; what is not there was in flight, was paid for, and is held as such."""
    assert told.stopped is None
    assert told.counts["pending"] == 0
    kinds = {outcome["prompt"]: outcome["kind"] for outcome in told.outcomes}
    assert set(kinds) == {prompt for prompt, _ in job.items}
    billed = job.billed()
    assert max(billed.values()) == 1
    held = [outcome for outcome in told.outcomes if outcome["kind"] in {"failed", "unconfirmed"}]
    assert len(held) <= job.options["concurrency"]
    assert all(outcome["billed"] in {True, None} for outcome in held)
    done = [prompt for prompt, kind in kinds.items() if kind in {"generated", "skipped"}]
    assert all(billed[prompt] for prompt in done)
    assert len(done) == len(list(job.into.glob("*.png")))
    assert told.counts["generated"] + told.counts["skipped"] == len(done)
    assert {finding.verdict for finding in audit(job.into)} == {"intact"}
    assert not list((job.into / ".venice" / "parts").iterdir())


@pytest.mark.parametrize(
    ("size", "image", "durability"),
    [
        ("2m", 150_000, "power"),
        ("2m", 150_000, "process"),
        ("2m", 400_000, "power"),
        ("400k", 600, "power"),
        ("400k", 600, "process"),
    ],
    ids=["images", "images-unsynced", "large-images", "journal", "journal-unsynced"],
)
def test_a_full_disk_stops_a_batch_that_goes_on_when_there_is_room(nursery, disk, size, image, durability):
    """Whether an image finds no room or the journal: what is paid for is told, and not bought again."""
    disk.mount(size)
    painter = Painter(image if disk.mounted else LARGEST + 100_000)
    with Sandbox(latency=0, rpm=None, images=painter) as sandbox:
        job = job_on(nursery, disk, sandbox, painter, durability=durability)
        acts = [] if disk.mounted else [(f"{STEPS}:intend", "after", 9, "", "fill")]
        told = job.resumed(*acts)
        check_interrupted(job, told, errno.ENOSPC if disk.mounted else errno.EFBIG, disk.folder)
        disk.grow("64m")
        check_completed(job, job.resumed())


def test_a_limit_of_a_files_size_is_a_full_disk(nursery, disk):
    """The number is the operating system's own."""
    painter = Painter(LARGEST + 100_000)
    with Sandbox(latency=0, rpm=None, images=painter) as sandbox:
        job = job_on(nursery, disk, sandbox, painter)
        told = job.resumed((f"{STEPS}:intend", "after", 9, "", "fill"))
        check_interrupted(job, told, errno.EFBIG, disk.folder)
        check_completed(job, job.resumed())


def test_a_disk_that_is_full_from_the_start_costs_nothing(sandbox, disk):
    """The error names the path, and once a file is deleted the same call begins."""
    disk.mount("256k")
    with disk.full():
        with pytest.raises(StorageError) as caught:
            gathered(sandbox, disk.folder / "out")
        assert caught.value.errno == errno.ENOSPC
        assert str(caught.value).startswith(f"{disk.folder}/out")
        assert "No space left on device" in str(caught.value)
        assert sandbox.account.received == 0
    disk.grow("2m")
    assert gathered(sandbox, disk.folder / "out").generated == len(PROMPTS)


# A disk that cannot be written to


def test_a_read_only_disk_costs_nothing(sandbox, disk):
    """Whether a job is there already or not: the error names the path, and the job goes on later."""
    disk.mount("2m")
    gathered(sandbox, disk.folder / "old", PROMPTS[:3])
    before = content(disk.folder)
    with disk.read_only():
        for name in ("old", "new"):
            with pytest.raises(StorageError) as caught:
                gathered(sandbox, disk.folder / name)
            assert caught.value.errno == errno.EROFS
            assert str(caught.value).startswith(f"{disk.folder}/{name}")
            assert "Read-only file system" in str(caught.value)
        assert sandbox.account.received == 3
        assert content(disk.folder) == before
    report = gathered(sandbox, disk.folder / "old")
    assert (report.skipped, report.generated) == (3, 3)


FAILING = [
    ("at-an-intent", f"{STEPS}:intend", "after", ["protect", "starve", "unsettle"]),
    ("before-a-record", f"{STEPS}:receive", "before", ["protect"]),
    ("after-a-record", f"{STEPS}:receive", "after", ["protect", "starve", "unsettle"]),
    ("at-a-part", f"{OPENING}:Journal._open_part", "before", ["protect", "starve"]),
    ("at-a-rename", "pathlib:Path.rename", "before", ["protect"]),
    ("at-a-link", "os:link", "before", ["protect", "unsettle"]),
]
NUMBERS = {"protect": errno.EROFS, "starve": errno.EMFILE, "unsettle": errno.EIO}


@pytest.mark.parametrize(
    ("where", "side", "act"),
    [pytest.param(*row[1:3], act, id=f"{act}-{row[0]}") for row in FAILING for act in row[3]],
)
def test_a_disk_that_fails_in_mid_job_loses_nothing(nursery, disk, where, side, act):
    """Wherever it is met: the batch stops with what the system says, and goes on when it is gone."""
    painter = Painter()
    with Sandbox(latency=0.005, rpm=None, images=painter) as sandbox:
        job = job_on(nursery, disk, sandbox, painter)
        check_interrupted(job, job.resumed((where, side, 9, "", act)), NUMBERS[act], disk.folder)
        check_completed(job, job.resumed())
