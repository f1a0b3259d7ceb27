"""One process at a time works on a directory, and its end is the lock's end."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from venice_async.errors import DirectoryLockedError
from venice_async.storage.journal.lock import DirectoryLock

_HOLDER = """
import sys
from pathlib import Path
from venice_async.storage.journal.lock import DirectoryLock
DirectoryLock(Path(sys.argv[1]) / "lock", Path(sys.argv[1])).take()
print("taken", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path):
    held = DirectoryLock(tmp_path / "lock", tmp_path)
    yield held
    held.release()


def test_a_second_one_is_refused_at_once_and_told_who_holds_it(lock, tmp_path):
    lock.take()
    with pytest.raises(DirectoryLockedError, match=f"process {os.getpid()} on .* since ") as caught:
        DirectoryLock(tmp_path / "lock", tmp_path).take()
    assert caught.value.filename == str(tmp_path)
    assert "choose another directory" in str(caught.value)


def test_what_was_released_can_be_taken_again(lock, tmp_path):
    """The file stays, and says who holds it now."""
    other = DirectoryLock(tmp_path / "lock", tmp_path)
    for _ in range(2):
        lock.take()
        lock.release()
        lock.release()
        assert (tmp_path / "lock").read_text() == ""
        other.take()
        assert re.fullmatch(r"process \d+ on \S+ since .*\+00:00\n", (tmp_path / "lock").read_text())
        other.release()
        assert not other.left_behind


def test_a_holder_that_has_died_is_told_from_one_that_let_go(lock, tmp_path):
    """Its name is still there."""
    lock.take()
    lock.release(orderly=False)
    lock.take()
    assert lock.left_behind


def test_a_shorter_holders_name_leaves_nothing_of_a_longer_one(lock, tmp_path):
    (tmp_path / "lock").write_text("x" * 500)
    lock.take()
    assert "x" * 10 not in (tmp_path / "lock").read_text()


def test_a_refusal_leaves_the_holders_name_and_no_descriptor(lock, tmp_path):
    lock.take()
    told = (tmp_path / "lock").read_text()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(DirectoryLockedError):
            DirectoryLock(tmp_path / "lock", tmp_path).take()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert (tmp_path / "lock").read_text() == told


def test_a_lock_whose_file_is_empty_is_held_by_another_process(lock, tmp_path):
    """It has taken the lock, and not yet written down who it is."""
    lock.take()
    (tmp_path / "lock").write_text("")
    with pytest.raises(DirectoryLockedError, match="another process"):
        DirectoryLock(tmp_path / "lock", tmp_path).take()


def test_a_killed_processs_lock_is_free(lock, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "taken\n"
        with pytest.raises(DirectoryLockedError, match=f"process {process.pid} "):
            lock.take()
        process.send_signal(signal.SIGKILL)
        process.wait()
        lock.take()
    assert f"process {os.getpid()} " in (tmp_path / "lock").read_text()
