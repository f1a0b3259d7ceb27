"""Jobs whose processes are killed, as the tests see them, and what a directory is held against afterwards."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path

from attrs import define, field, frozen

from venice_async import VeniceSession, gather_generate
from venice_async.storage.journal import JournalReader, State, audit

from .killing import SMALL


def gathered(sandbox, into, what, **options):
    """The report of a batch in this process."""

    async def main():
        async with VeniceSession("key", base_url=sandbox.url, rate_limit=None, guard=None) as venice:
            return await gather_generate(venice, what, into=into, **{**SMALL, **options})

    return asyncio.run(main())


def content(folder):
    """The content of each file, but of the lock, which names the last one who tried."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "lock"
    }


def digests_of(paths):
    """The different contents of some files."""
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


class Nursery:
    """Starts processes that run a batch, one at a time.

    Args:
        notes: A folder for what they have to tell.
    """

    def __init__(self, notes):
        self.notes = notes

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", str(Path(__file__).with_name("killing.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def start(self, order):
        """Start a process; its id."""
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def wait(self):
        """Wait for the end of the process; its exit code, or the negative number of a signal."""
        return int(self._process.stdout.readline())


class Painter:
    """Makes images, and knows to whom it has given them.

    Args:
        size: Bytes of each.
        alike: Whether all of them are the same; else no two are.

    Attributes:
        sent: The digests of the images of each prompt.
    """

    def __init__(self, size=3000, *, alike=False):
        self._size = size
        self._numbers = itertools.repeat(0) if alike else itertools.count()
        self.sent = defaultdict(list)

    def __call__(self, body):
        head = b"\x89PNG\r\n\x1a\n" + f"{next(self._numbers)} ".encode()
        data = head + bytes(self._size - len(head)) + b"\0\0\0\0IEND\xaeB`\x82"
        self.sent[body["prompt"]].append(hashlib.sha256(data).hexdigest())
        return data


@frozen
class Told:
    """What a process has told of its batch: the counts of the report, and its outcomes in order."""

    counts: dict[str, int]
    stopped: list | None
    outcomes: list[dict]

    def kind(self, prompt):
        """What became of the one item with a prompt."""
        (kind,) = (outcome["kind"] for outcome in self.outcomes if outcome["prompt"] == prompt)
        return kind


@define
class Job:
    """One job: its input, its directory, and the processes that work on it.

    Attributes:
        nursery: Where the processes come from.
        sandbox: The server.
        painter: The one that the server has.
        into: The directory.
        items: Prompts with seeds.
        fields: More fields of the requests.
        options: Of `gather_generate`.
        key: Of the API.
    """

    nursery: Nursery
    sandbox: object
    painter: Painter
    into: Path
    items: list[tuple[str, int | None]]
    fields: dict = field(factory=dict)
    options: dict = field(factory=dict)
    key: str = "key"

    @property
    def _told(self):
        return self.nursery.notes / "told.json"

    @property
    def _stderr(self):
        return self.nursery.notes / "stderr.txt"

    def start(self, *kills, resend_unconfirmed=False, redo=None):
        """Start a process that works on the job, or buys some of it again; its id."""
        self._told.unlink(missing_ok=True)
        return self.nursery.start(
            {
                "key": self.key,
                "url": self.sandbox.url,
                "into": str(self.into),
                "told": str(self._told),
                "stderr": str(self._stderr),
                "items": self.items,
                "fields": self.fields,
                "options": self.options,
                "resend_unconfirmed": resend_unconfirmed,
                "redo": redo,
                "kills": kills,
            }
        )

    def wait(self):
        """Wait for the end of the process; what it told, None if it was killed."""
        code = self.nursery.wait()
        assert not (text := self._stderr.read_text()), text
        assert code in {0, -signal.SIGKILL}
        if code:
            return None
        told = json.loads(self._told.read_text())
        return Told(**told)

    def killed_after(self, seconds):
        """Run for a while, and kill the process; what it told if it was done by then."""
        process = self.start()
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
        return self.wait()

    def killed_at(self, *kill, **options):
        """Run until the process kills itself."""
        self.start(kill, **options)
        assert self.wait() is None, "it was not killed: it never came there"

    def resumed(self, *acts, **options):
        """Run to the end; what the process told."""
        self.start(*acts, **options)
        told = self.wait()
        assert told is not None, "it was killed"
        return told

    def state(self, prompt):
        """How far the journal says that the item with a prompt has come; None if it has none."""
        path = JournalReader(self.into).path
        if not path.exists():
            return None
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            found = connection.execute(
                "SELECT state FROM items WHERE CAST(request AS TEXT) ->> '$.prompt' = ?", (prompt,)
            ).fetchone()
        return None if found is None else State(found[0])

    def billed(self):
        """How often each prompt was charged for."""
        return Counter(record.body["prompt"] for record in self.sandbox.requests if record.billed)

    def sent_seeds(self):
        """The seeds that each prompt was sent with, in the order in which they came."""
        seeds = defaultdict(list)
        for record in self.sandbox.requests:
            if record.method == "POST" and record.body is not None:
                seeds[record.body["prompt"]].append(record.body["seed"])
        return seeds

    def check(self, told, *, lost, resent=False):
        """Hold directory, journal, report and the server's account against each other.

        Args:
            told: By the last process.
            lost: The most items that may be unconfirmed.
            resent: Whether unconfirmed ones were sent again.
        """
        while self.sandbox.account.in_flight:  # whose client is gone
            time.sleep(0.001)
        asked = Counter(prompt for prompt, _ in self.items)
        variants = self.fields.get("variants") or 1
        counts = told.counts
        assert (counts["pending"], told.stopped) == (0, None)
        assert sum(counts.values()) == len(self.items)
        assert counts["unconfirmed"] <= lost

        kinds = defaultdict(Counter)
        for outcome in told.outcomes:
            kinds[outcome["kind"]][outcome["prompt"]] += 1
        assert {kind: sum(kinds[kind].values()) for kind in ("generated", "skipped", "unconfirmed")} == {
            kind: counts[kind] for kind in ("generated", "skipped", "unconfirmed")
        }
        done = kinds["generated"] + kinds["skipped"]
        assert done + kinds["unconfirmed"] + kinds["failed"] == asked

        billed = self.billed()
        for prompt in asked:
            if not resent:
                assert billed[prompt] <= done[prompt] + kinds["unconfirmed"][prompt], f"{prompt} bought twice"
            assert done[prompt] <= billed[prompt], f"{prompt} was never bought"

        files = [path for path in self.into.rglob("*.png") if ".venice" not in path.parts]
        assert {finding.verdict for finding in audit(self.into)} <= {"intact"}
        assert len(files) == variants * done.total()
        assert len({path for outcome in told.outcomes for path in outcome["paths"]}) == len(files)
        for outcome in told.outcomes:
            digests = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in outcome["paths"]]
            assert set(digests) <= set(self.painter.sent[outcome["prompt"]])
            assert len(digests) == (variants if outcome["kind"] in {"generated", "skipped"} else 0)

        status = JournalReader(self.into).status()
        assert (status.done, status.images, status.unconfirmed) == (
            done.total(),
            len(files),
            counts["unconfirmed"],
        )
        assert (status.in_flight, status.pending, status.running) == (0, 0, False)
        assert not list((self.into / ".venice" / "parts").iterdir())
        assert not list(self.into.rglob("*.part"))
