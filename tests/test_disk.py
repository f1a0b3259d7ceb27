"""What a disk may do to a batch: be full, be read-only, or fail in the middle of it."""

from __future__ import annotations

import errno
import os
import subprocess
from contextlib import contextmanager, suppress

import pytest

from venice_async.errors import StorageError
from venice_async.sandbox import Sandbox
from venice_async.storage.journal import audit

from .jobs import Job, Painter, content, gathered
from .killing import LARGEST

PROMPTS = [f"fox {number}" for number in range(6)]
STEPS = "venice_async.storage.journal.steps"
RUN = "venice_async.storage.journal.journal"


@pytest.fixture
def sandbox():
    with Sandbox(latency=0, rpm=None, images=Painter()) as running:
        yield running


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


def test_a_disk_that_is_full_from_the_start_costs_nothing(sandbox, disk):
    """The error names the path, and once a file is deleted the same call begins."""
    disk.mount("256k")
    with disk.full():
        with pytest.raises(StorageError) as caught:
            gathered(sandbox, disk.folder / "out", PROMPTS)
        assert caught.value.errno == errno.ENOSPC
        assert str(caught.value).startswith(f"{disk.folder}/out")
        assert "No space left on device" in str(caught.value)
        assert sandbox.account.received == 0
    disk.grow("2m")
    assert gathered(sandbox, disk.folder / "out", PROMPTS).generated == len(PROMPTS)


# A disk that cannot be written to


def test_a_read_only_disk_costs_nothing(sandbox, disk):
    """Whether a job is there already or not: the error names the path, and the job goes on later."""
    disk.mount("2m")
    gathered(sandbox, disk.folder / "old", PROMPTS[:3])
    before = content(disk.folder)
    with disk.read_only():
        for name in ("old", "new"):
            with pytest.raises(StorageError) as caught:
                gathered(sandbox, disk.folder / name, PROMPTS)
            assert caught.value.errno == errno.EROFS
            assert str(caught.value).startswith(f"{disk.folder}/{name}")
            assert "Read-only file system" in str(caught.value)
        assert sandbox.account.received == 3
        assert content(disk.folder) == before
    report = gathered(sandbox, disk.folder / "old", PROMPTS)
    assert (report.skipped, report.generated) == (3, 3)


FAILING = [
    ("at-an-intent", f"{STEPS}:intend", "after", ["protect", "starve", "unsettle"]),
    ("before-a-record", f"{STEPS}:receive", "before", ["protect"]),
    ("after-a-record", f"{STEPS}:receive", "after", ["protect", "starve", "unsettle"]),
    ("at-a-part", f"{RUN}:Journal._open_part", "before", ["protect", "starve"]),
    ("at-a-rename", "os:rename", "before", ["protect"]),
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
