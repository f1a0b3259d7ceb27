"""A row of what the machine does wrong, and the ways in which a job is carried out on it.

1. A job is one request after the other, seed i for request i. Something strikes while request 1 is painted,
   so it is in flight and billed, unless the row's way says otherwise.
2. A row is judged by the server's account, the directory, and the journal as it is read back.
3. Then the job is carried out again, the same way, on a machine that is well: that brings what can be brought
   to its end, buys nothing twice, and leaves files that are the journal's and nothing else.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import psutil
from attrs import define, field, frozen

from venice_async import ImageRequest, VeniceSession, gather_generate
from venice_async.errors import StorageError
from venice_async.sandbox import Sandbox
from venice_async.storage.inputs import read_requests
from venice_async.storage.journal import JournalReader, audit

from ..jobs import Job
from .places import picture
from .row import KEY, USUAL, Found, files_with_key, pictures, word

PATIENCE = 50  # seconds for what is waited for
_FIELDS = {"model": "fluently-xl", "width": 64, "height": 64}


class Way(Protocol):
    """How a job is carried out."""

    def run(self, work: Work, *, struck: bool) -> None:
        """Carry it out, on a machine that fails or on one that is well."""
        ...


@frozen
class Row:
    """One thing that goes wrong.

    Attributes:
        name: What it is called.
        way: How the job is carried out, and what strikes it.
        ends: What each request has ended as, by the journal: `image`, `there` (before this run),
            `unconfirmed`, `unsent`, or an error's name, with `+paid` where it is told as billed.
        after: The same once the job was carried out again.
        received: Requests that had reached the server whole before that.
        billed: Requests that it had charged for.
        files: Pictures that were in the directory.
        forgotten: Whether the journal itself is lost, and with it what keeps things from being bought again.
    """

    name: str
    way: Way
    ends: str
    after: str
    received: int = field(kw_only=True)
    billed: int = field(kw_only=True)
    files: int = field(kw_only=True)
    forgotten: bool = field(default=False, kw_only=True)


@define
class Work:
    """A job, its server and its directory.

    Attributes:
        sandbox: The server.
        into: The directory.
        prompts: Of the requests.
        nursery: Where processes come from.
        monkeypatch: What is patched with it is so until the end of the row.
        strikes: What happens while the picture of a seed is painted, once.
        large: Whether the picture of request 1 finds no room on the disk of the nursery.
    """

    sandbox: Sandbox
    into: Path
    prompts: list[str]
    nursery: Any
    monkeypatch: Any
    strikes: dict[int, Any] = field(factory=dict)
    large: bool = False

    def requests(self):
        """One for each prompt."""
        for seed, prompt in enumerate(self.prompts):
            yield ImageRequest(prompt, seed=seed, **_FIELDS)

    def painted(self, seed):
        """The picture of a seed."""
        whole = picture(seed, "png")
        return whole[:-12] + bytes(2_000_000 * (self.large and seed == 1)) + whole[-12:]

    def paint(self, body):
        """Paint a picture, and strike."""
        self.strikes.pop(body["seed"], bool)()
        return self.painted(body["seed"])

    def found(self):
        """What there is now."""
        words = asyncio.run(_words(self.into)) if JournalReader(self.into).path.exists() else {}
        return Found(
            ends=" ".join(words.get(index, "unsent") for index in range(len(self.prompts))),
            received=self.sandbox.account.received,
            billed=self.sandbox.account.billed,
            files=len(pictures(self.into)) if self.into.is_dir() else 0,
            kept=len(list(self.into.glob(".venice/rejected/*"))),
        )


async def batch(work, what=None, into=None, options=MappingProxyType({}), **more):
    """The report of the job as one batch of a session in this process."""
    async with VeniceSession(KEY, base_url=work.sandbox.url, **{**USUAL, **options}) as venice:
        return await gather_generate(venice, what or work.requests(), into=into or work.into, **more)


async def _words(into):
    reader = JournalReader(into)
    return {outcome.index: word(outcome) async for outcome in reader.outcomes(reader.status().runs)}


def check(row, folder, nursery, monkeypatch):
    """Carry a row out, compare what came of it with what it expects, and bring the job to its end."""
    number = len(row.ends.split())
    prompts = getattr(row.way, "prompts", None) or [f"fox {seed}" for seed in range(number)]
    work = Work(None, folder / "out", prompts, nursery, monkeypatch)
    with Sandbox(latency=0, rpm=None, abuse_rule=False, images=work.paint) as work.sandbox:
        with monkeypatch.context() as work.monkeypatch:
            row.way.run(work, struck=True)
        before = work.found()
        assert before == Found(row.ends, row.received, row.billed, row.files, kept=0)
        row.way.run(work, struck=False)
        _check_completed(row, work, before)
    assert not files_with_key(folder)


def _check_completed(row, work, before):
    words = row.after.split()
    bought = words.count("image")
    after = work.found()
    assert after == Found(
        row.after, before.received + bought, before.billed + bought, bought + words.count("there"), kept=0
    )
    seeds = Counter(record.body["seed"] for record in work.sandbox.requests if record.billed)
    assert row.forgotten or max(seeds.values()) == 1
    status = JournalReader(work.into).status()
    assert (status.in_flight, status.pending, status.running, status.cut_off) == (0, 0, False, False)
    assert (status.done, status.images) == (after.files, after.files)
    assert {finding.verdict for finding in audit(work.into)} == {"intact"}
    assert not list((work.into / ".venice" / "parts").iterdir())
    painted = Counter(work.painted(seed) for seed, word in enumerate(words) if word in {"image", "there"})
    assert Counter(path.read_bytes() for path in pictures(work.into)) == painted
    folded = [path.name.casefold() for path in work.into.iterdir()]
    assert len(set(folded)) == len(folded)


# In this process


@frozen
class Here:
    """A job in this process.

    Args:
        strike: Given the job, what happens in mid-job.
        mend: Given the job, makes it good again once it has ended.
        number: What the operating system says to that, on entering or in the report; None for nothing.
        early: Whether it happens before the job begins, and not in the middle of it.
        prompts: Of the requests, where they matter.
        options: Of the session.
        batch: Of the batch.
    """

    strike: Any
    mend: Any = lambda work: None
    number: int | None = None
    early: bool = field(default=False, kw_only=True)
    prompts: tuple[str, ...] = field(default=(), kw_only=True)
    options: Mapping[str, Any] = field(factory=dict, kw_only=True)
    batch: Mapping[str, Any] = field(factory=dict, kw_only=True)

    def run(self, work, *, struck):
        """Carry it out."""
        into = work.into
        if struck and self.early:
            into = self.strike(work) or into
        elif struck:
            work.strikes[1] = lambda: self.strike(work)
        try:
            stopped = asyncio.run(batch(work, into=into, options=self.options, **self.batch)).stopped
        except StorageError as exc:
            stopped = exc
        assert getattr(stopped, "errno", None) == (self.number if struck else None)
        if struck:
            self.mend(work)


class Sleeper(asyncio.SelectorEventLoop):
    """An event loop whose clock goes on while it sleeps with its machine."""

    slept = 0.0

    def time(self):
        return super().time() + self.slept

    def sleep(self, until=bool):
        """Sleep for ten minutes, and until then; in the loop's own thread."""
        until()
        self.slept += 600


@frozen
class Asleep:
    """A job in this process, on a machine that sleeps for ten minutes.

    Args:
        when: `answered`: while a request is in flight, and its answer comes meanwhile; so for each of them.
            `unanswered`: while request 1 is in flight, and its answer never comes. `idle`: between batches.
        wall: Seconds by which the wall clock is off each time that an answer has come meanwhile.
        options: Of the session.
    """

    when: str
    wall: float = 0
    options: Mapping[str, Any] = field(factory=dict, kw_only=True)

    def run(self, work, *, struck):
        """Carry it out."""
        with asyncio.Runner(loop_factory=Sleeper) as runner, held() as release:
            loop = runner.get_loop()

            def unanswered():
                loop.call_soon_threadsafe(loop.sleep)
                release.wait(PATIENCE)

            def there(seed):
                wait_until(lambda: work.sandbox.account.answered > seed)
                now = time.time
                work.monkeypatch.setattr(time, "time", lambda: now() + self.wall)

            def answered(seed):
                loop.call_soon_threadsafe(loop.sleep, partial(there, seed))

            if struck and self.when == "unanswered":
                work.strikes[1] = unanswered
            elif struck and self.when == "answered":
                work.strikes.update({seed: partial(answered, seed) for seed in range(len(work.prompts))})
            run = self._two_batches if struck and self.when == "idle" else batch
            runner.run(run(work, options=self.options))

    async def _two_batches(self, work, options):
        async with VeniceSession(KEY, base_url=work.sandbox.url, **{**USUAL, **options}) as venice:
            await gather_generate(venice, list(work.requests())[:2], into=work.into)
            known, later = _connections(work.sandbox), set()
            assert known
            asyncio.get_running_loop().sleep()
            work.strikes[2] = lambda: later.update(_connections(work.sandbox))
            await gather_generate(venice, work.requests(), into=work.into)
            assert later
            assert not later & known  # which a server, or what is on the way, has forgotten


def _connections(sandbox):
    """The ports of this process that are connected to a server."""
    port = int(sandbox.url.split(":")[2].split("/")[0])
    found = psutil.Process().net_connections("tcp")
    return {one.laddr.port for one in found if one.raddr and one.raddr.port == port}


def wait_until(condition):
    """Wait until something is so, which happens in another thread or process."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.002)


@contextmanager
def held():
    """An event that holds the server's worker until it is set, at the latest at the end of the block."""
    release = threading.Event()
    try:
        yield release
    finally:
        release.set()


# In another process


@frozen
class Child:
    """A job in a process that something happens to, as `tests.killing` has it.

    Args:
        where: The function that is passed.
        side: Before it or after it.
        act: What happens.
        number: What the operating system says to that, as the batch tells it.
        large: Whether the picture of request 1 is large.
    """

    where: str
    side: str
    act: str
    number: int
    large: bool = False

    def run(self, work, *, struck):
        """Carry it out; what strikes does so at the second item."""
        work.large = self.large
        items = [(prompt, seed) for seed, prompt in enumerate(work.prompts)]
        job = Job(work.nursery, work.sandbox, None, work.into, items, options={"concurrency": 1}, key=KEY)
        job.start(*([(self.where, self.side, 2, "", self.act)] if struck else []))
        stopped = job.wait().stopped
        assert (stopped and stopped[0]) == (self.number if struck else None)
        assert not struck or stopped[1].startswith(str(work.into))


@frozen
class Command:
    """A job on the command line, whose process is signalled or loses its reader while request 1 is painted.

    It is carried out again in this process, which has to know it for the same.

    Args:
        signals: What it gets, each once the one before has had its effect; a stopped process is answered and
            goes on.
        code: What it ends with.
        cuts: Whether the last signal ends the process, with what is in flight.
        reader: Whether somebody reads what it prints to the end.
        shell: How it is started.
    """

    signals: tuple[int, ...] = ()
    code: int = 130
    cuts: bool = False
    reader: bool = True
    shell: str = 'exec "$0" "$@"'

    def run(self, work, *, struck):
        """Carry it out."""
        path = work.into.parent / "requests.csv"
        if not struck:
            asyncio.run(batch(work, read_requests(path, **_FIELDS)))
            return
        rows = "".join(f"{prompt},{seed}\n" for seed, prompt in enumerate(work.prompts))
        path.write_text("prompt,seed\n" + rows)
        arrived = threading.Event()
        with held() as release:
            work.strikes[1] = lambda: (arrived.set(), release.wait(PATIENCE))
            with self._started(work, path) as process:
                try:
                    self._strike(process, work, arrived, release)
                    release.set()
                    out, err = process.communicate(timeout=PATIENCE)
                finally:
                    process.kill()
            assert process.returncode == self.code, err
            assert "Traceback" not in err
            assert "Exception ignored" not in err
            assert "BrokenPipe" not in err
            assert KEY not in out + err

    def _strike(self, process, work, arrived, release):
        assert arrived.wait(PATIENCE)
        if not self.reader:
            assert Path(process.stdout.readline().strip()).is_file()
            process.stdout.close()
        for place, number in enumerate(self.signals):
            process.send_signal(number)
            if number == signal.SIGSTOP:
                release.set()
                wait_until(lambda: work.sandbox.account.answered == 2)
                process.send_signal(signal.SIGCONT)
            elif self.code == 130 and not place:
                _read_until(process.stderr, "waiting for what is in flight")
        if self.cuts:
            process.wait(PATIENCE)

    def _started(self, work, path):
        command = [sys.executable, "-W", "error", "-m", "venice_async.cli", "generate", "--from", path]
        options = {**_FIELDS, "into": work.into, "concurrency": 1}
        told = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        settings = {"VENICE_API_KEY": KEY, "VENICE_BASE_URL": work.sandbox.url, "NO_COLOR": "1"}
        ours = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may have it ignored
        try:
            return subprocess.Popen(
                ["/bin/sh", "-c", self.shell, *command, *told],
                env={**os.environ, **settings},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        finally:
            signal.signal(signal.SIGHUP, ours)


def _read_until(stream, text):
    for line in stream:
        if text in line:
            return
    raise AssertionError(text)
