"""What a machine can do wrong, and what comes of it: a row each."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from venice_async import RateLimit, VeniceSession
from venice_async.errors import SessionStateError
from venice_async.sandbox import Sandbox

from . import elsewhere
from .elsewhere import FOX, tried
from .machine import PATIENCE, Asleep, Child, Command, Here, Row, check
from .row import KEY, params

STEPS = "venice_async.storage.journal.steps"


@pytest.fixture
def carry_out(tmp_path, nursery, monkeypatch):
    """Carry a row out."""
    return lambda row: check(row, tmp_path, nursery, monkeypatch)


# The disk

_ONE = {"received": 1, "billed": 1, "files": 1}
_TWO = {"received": 2, "billed": 2, "files": 1}
_ALL = {"received": 4, "billed": 4, "files": 4}
_NONE = {"received": 0, "billed": 0, "files": 0}
_UNSENT = "unsent unsent unsent unsent"
_IMAGES = "image image image image"
_THERE = "there there there there"


def _takes_sockets(work):
    """No socket is made any more that could connect."""

    class Socket(socket.socket):
        def __init__(self, family=-1, type=-1, proto=-1, fileno=None):  # noqa: A002
            if fileno is None:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            super().__init__(family, type, proto, fileno)

    work.monkeypatch.setattr(socket, "socket", Socket)


def _aside(work):
    return work.into.with_name("aside")


def _takes_the_place(work):
    """A file is where the directory is to be."""
    work.into.write_text("mine")


def _unlinks(work):
    work.into.unlink()


def _moves_away(work):
    work.into.rename(_aside(work))


def _comes_back(work):
    _aside(work).rename(work.into)


def _deletes(work):
    shutil.rmtree(work.into)


def _too_long(work):
    """No file system takes a name of so many bytes."""
    return work.into.with_name("x" * 300)


def _too_deep(work):
    """Every file system takes it, and SQLite does not."""
    return work.into.joinpath(*["x" * 100] * 5)


DISK = [
    Row("the disk is full", Child(f"{STEPS}:intend", "after", "fill", errno.EFBIG, large=True),
        "image StorageError+paid unsent unsent", "there StorageError+paid image image", **_TWO),
    Row("read-only before a request is sent", Child(f"{STEPS}:intend", "after", "protect", errno.EROFS),
        "image unconfirmed unsent unsent", "there unconfirmed image image", **_ONE),
    Row("read-only once an answer is recorded", Child(f"{STEPS}:receive", "after", "protect", errno.EROFS),
        "image StorageError+paid unsent unsent", "there there image image", **_TWO),
    Row("no descriptors left", Child(f"{STEPS}:intend", "after", "starve", errno.EMFILE),
        "image StorageError unsent unsent", "there image image image", **_ONE),
    Row("no descriptors for connections", Here(_takes_sockets, early=True, batch={"max_wait": 0.1}),
        _UNSENT, _IMAGES, **_NONE),
    Row("a file where the directory is to be", Here(_takes_the_place, _unlinks, errno.EEXIST, early=True),
        _UNSENT, _IMAGES, **_NONE),
    Row("a name too long", Here(_too_long, number=errno.ENAMETOOLONG, early=True), _UNSENT, _IMAGES, **_NONE),
    Row("a path too long", Here(_too_deep, number=errno.ENAMETOOLONG, early=True), _UNSENT, _IMAGES, **_NONE),
    Row("the directory is moved away", Here(_moves_away, _comes_back, errno.ENOENT),
        "image StorageError+paid unsent unsent", "there StorageError+paid image image", **_TWO),
    Row("the directory is deleted", Here(_deletes, number=errno.ENOENT),
        _UNSENT, _IMAGES, received=2, billed=2, files=0, forgotten=True),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*DISK))
def test_a_disk_that_fails_stops_a_job_which_goes_on_once_it_is_well(row, carry_out):
    carry_out(row)


_STARVED = """
import asyncio, resource, sys
from venice_async import ImageRequest, RetryPolicy, VeniceSession
from venice_async.errors import ConnectError

FOX = ImageRequest("a red fox", model="fluently-xl", width=64, height=64)

async def main():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    async with VeniceSession(base_url=sys.argv[1], retry=RetryPolicy(attempts=1)) as venice:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, most))
        try:
            await venice.generate(FOX)
        except ConnectError as exc:
            print(exc)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        await venice.generate(FOX)

asyncio.run(main())
"""


def test_a_first_call_without_descriptors_was_not_sent():
    """Whatever is needed besides a socket is there already."""
    with Sandbox(latency=0, rpm=None) as sandbox:
        command = [sys.executable, "-W", "error", "-c", _STARVED, sandbox.url]
        done = subprocess.run(
            command,
            env={**os.environ, "VENICE_API_KEY": KEY},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "Too many open files" in done.stdout
        assert "nothing was sent" in done.stdout
        assert sandbox.account.received == sandbox.account.billed == 1


# Names


def _folds(work):
    """Names that differ only in case are one name, as on the file systems of macOS and Windows."""
    link = os.link

    def folded(source, goal):
        taken = {path.name.casefold() for path in Path(goal).parent.iterdir()}
        if Path(goal).name.casefold() in taken:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), goal)
        link(source, goal)

    work.monkeypatch.setattr(os, "link", folded)


NAMES = [
    Row("names that differ in case", Here(_folds, early=True, prompts=("Fox", "fox", "FOX", "fox!"),
                                          batch={"name": "{prompt}"}),
        _IMAGES, _THERE, **_ALL),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*NAMES))
def test_no_name_hides_another(row, carry_out):
    carry_out(row)


# Clocks


_SLOW = {"rate_limit": RateLimit.per_minute(1)}  # it would take minutes by any other clock
_HOUR, _TEN_YEARS = 3600, 315_360_000


def _clock(name, seconds):
    return Row(f"asleep with the wall clock {name}", Asleep("answered", seconds, options=_SLOW),
               _IMAGES, _THERE, **_ALL)  # fmt: skip


CLOCKS = [
    _clock("right", 0),
    _clock("an hour ahead", _HOUR),
    _clock("an hour back", -_HOUR),
    _clock("ten years ahead", _TEN_YEARS),
    _clock("ten years back", -_TEN_YEARS),
    Row("asleep between two batches", Asleep("idle"), "there there image image", _THERE, **_ALL),
    Row("asleep while the server goes away", Asleep("unanswered"),
        "image unconfirmed image image", "there unconfirmed there there", received=4, billed=4, files=3),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*CLOCKS))
def test_a_clock_that_jumps_costs_at_most_what_was_in_flight(row, carry_out):
    carry_out(row)


# The end of the process

_DRAINED = ("image image unsent unsent", "there there image image")
_CUT_OFF = ("image unconfirmed unsent unsent", "there unconfirmed image image")
_SAVED = {"received": 2, "billed": 2, "files": 2}

ENDS = [
    Row("SIGINT", Command((signal.SIGINT,)), *_DRAINED, **_SAVED),
    Row("SIGTERM", Command((signal.SIGTERM,)), *_DRAINED, **_SAVED),
    Row("SIGHUP", Command((signal.SIGHUP,)), *_DRAINED, **_SAVED),
    Row("SIGHUP under nohup", Command((signal.SIGHUP,), code=0, shell='trap "" HUP; exec "$0" "$@"'),
        _IMAGES, _THERE, **_ALL),
    Row("SIGINT twice", Command((signal.SIGINT, signal.SIGINT), cuts=True), *_CUT_OFF, **_TWO),
    Row("SIGINT and SIGTERM", Command((signal.SIGINT, signal.SIGTERM), cuts=True), *_CUT_OFF, **_TWO),
    Row("SIGKILL", Command((signal.SIGKILL,), code=-signal.SIGKILL, cuts=True), *_CUT_OFF, **_TWO),
    Row("SIGSTOP while the answer comes", Command((signal.SIGSTOP,), code=0), _IMAGES, _THERE, **_ALL),
    Row("a reader that goes away", Command(reader=False, code=1), *_DRAINED, **_SAVED),
    Row("no standard streams at all", Command(code=0, shell='exec "$0" "$@" <&- >&- 2>&-'),
        _IMAGES, _THERE, **_ALL),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*ENDS))
def test_a_process_that_ends_early_leaves_what_can_be_gone_on_with(row, carry_out):
    carry_out(row)


# Elsewhere

_CALLS = ("generate", "save", "stream", "batch", "models", "drain")
_LOOP, _PROCESS = (
    f"SessionStateError: this session was opened {where}"
    for where in (
        "on another event loop; make one for each loop and each thread",
        "in another process; make one for each process",
    )
)


def _session(sandbox):
    return VeniceSession(KEY, base_url=sandbox.url, rate_limit=None, guard=None)


def test_a_session_in_another_thread_says_so_and_stays_well(tmp_path):
    async def main(sandbox):
        async with _session(sandbox) as venice:
            await venice.save(FOX, tmp_path / "before")
            told = await asyncio.to_thread(asyncio.run, tried(venice, tmp_path))
            await venice.save(FOX, tmp_path / "after")
        return told

    with Sandbox(latency=0, rpm=None) as sandbox:
        assert asyncio.run(main(sandbox)) == dict.fromkeys(_CALLS, _LOOP)
        assert sandbox.account.received == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["after.webp", "before.webp"]


def test_a_session_on_another_event_loop_says_so_and_stays_well(tmp_path):
    """It cannot be left there either."""
    with Sandbox(latency=0, rpm=None) as sandbox, asyncio.Runner() as one, asyncio.Runner() as other:
        venice = _session(sandbox)
        one.run(venice.__aenter__())
        assert other.run(tried(venice, tmp_path)) == dict.fromkeys(_CALLS, _LOOP)
        with pytest.raises(SessionStateError, match="another event loop"):
            other.run(venice.__aexit__(None, None, None))
        one.run(venice.generate(FOX))
        one.run(venice.__aexit__(None, None, None))
        assert sandbox.account.received == 1
    assert not list(tmp_path.iterdir())


def test_a_session_in_a_forked_process_says_so_and_stays_the_parents(tmp_path):
    """The child neither uses nor closes a connection of its parent, and a session of its own works."""
    with Sandbox(latency=0, rpm=None) as sandbox:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", elsewhere.__file__, sandbox.url, tmp_path],
            env={**os.environ, "VENICE_API_KEY": KEY},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout) == {**dict.fromkeys(_CALLS, _PROCESS), "own": "webp"}
        assert sandbox.account.received == sandbox.account.billed == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["after.webp", "before.webp"]
