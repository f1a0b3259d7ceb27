"""Running the rows: each in a fresh process, in turns with the others of its group."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from .answers import Answer
from .check import faults
from .clients import CLIENTS
from .clients.job import Job
from .measure import Orders, Reading, dump_orders
from .rows import Group, Row
from .scratch import Scratch
from .server import Server
from .summary import Results, figures_of

__all__ = ["ROOT", "Runner", "answers_of"]

ROOT = Path(__file__).resolve().parent.parent
_LONGEST = 900.0  # seconds that a client may take
_SMALL = Answer("json", "1k")
_IMPORTS = 3  # fresh processes for one repetition, of which the quickest counts
_IMPORT = "import time; began = time.perf_counter(); import {}; print(time.perf_counter() - began)"


class _RunError(Exception):
    """A client failed, or left the wrong files."""


def answers_of(groups: Iterable[Group]) -> set[Answer]:
    """What the server needs to have."""
    return {_SMALL} | {row.answer for group in groups for row in group.rows if row.answer is not None}


@frozen(kw_only=True)
class Runner:
    """Runs rows.

    Attributes:
        server: Where the answers come from.
        scratch: Directories for the images: one in memory, if there is room, and one on a disk.
        repetitions: How many times each row is run.
        say: Told what is being done.
    """

    server: Server
    scratch: Scratch
    repetitions: int
    say: Callable[[str], None]

    def run(self, groups: Iterable[Group]) -> Results:
        """Run all rows of all groups."""
        results = Results()
        for group in groups:
            rows = [row for row in group.rows if self._can_run(row, results)]
            for repetition in range(self.repetitions):
                self.say(f"{group.key}: {repetition + 1} of {self.repetitions}")
                for row in rows if repetition % 2 == 0 else reversed(rows):
                    self._run_row(row, repetition, results)
        return results

    def _can_run(self, row: Row, results: Results) -> bool:
        missing = CLIENTS[row.client].missing if row.answer is not None else None
        if missing is not None:
            results.failures[row.key] = f"{missing} is not installed"
        return missing is None

    def _run_row(self, row: Row, repetition: int, results: Results) -> None:
        if row.key in results.failures:
            return
        try:
            figures = _import(row) if row.answer is None else self._client(row, row.answer)
        except _RunError as exc:
            results.failures[row.key] = str(exc)
            self.say(f"{row.key} failed: {exc}")
        else:
            results.add(row.key, repetition, figures)

    def _client(self, row: Row, answer: Answer) -> dict[str, float]:
        with _directory(self.scratch.of(row) / "images") as into:
            job = Job(
                base_url=self.server.base_url(answer, tls=row.tls),
                requests=row.requests,
                concurrency=row.concurrency,
                into=into,
                binary=answer.form == "binary",
                variants=answer.images,
                compression=row.compression,
                authority=self.server.authority if row.tls else None,
            )
            warm_up = self.server.base_url(_SMALL, tls=row.tls)
            orders = Orders(client=row.client, job=job, warm_up=warm_up, lag=row.lag)
            told = _python(["-m", "benchmarks.measure"], dump_orders(orders), CLIENTS[row.client].environment)
            wrong = faults(into, answer, row.requests, files=CLIENTS[row.client].files)
        if wrong:
            raise _RunError("; ".join(wrong[:3]))
        return figures_of(row, Reading(**json.loads(told)))


def _import(row: Row) -> dict[str, float]:
    """How long an import takes, when it is not disturbed."""
    code = _IMPORT.format(row.client)
    return {"milliseconds": min(float(_python(["-c", code])) for _ in range(_IMPORTS)) * 1e3}


@contextmanager
def _directory(path: Path) -> Iterator[Path]:
    """A new directory, which is deleted with everything in it."""
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def _python(arguments: list[str], orders: str = "", variables: Mapping[str, str] | None = None) -> str:
    """What a fresh interpreter prints."""
    # A proxy of the user's is not for the loopback device.
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            input=orders,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST,
            env={**environment, **(variables or {})},
            cwd=ROOT,
        )
    except subprocess.TimeoutExpired:
        raise _RunError(f"not done after {_LONGEST:.0f} s") from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise _RunError(last[0])
    return done.stdout
