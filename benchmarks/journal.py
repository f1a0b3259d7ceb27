"""What a journal costs, and what it holds in memory: `python -m benchmarks.journal`.

A transport in the process answers at once with one small image, so that what is left is the library: its
workers, its files and its journal. Each row is a process of its own; the memory is that at its peak, above
what it held before the batch. With `--items 1000000` the run of a million (about half an hour).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

from venice_async import VeniceSession, gather_generate

_IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(980) + b"\0\0\0\0IEND\xaeB`\x82"
_TIMING = dict.fromkeys(("inferenceDuration", "inferencePreprocessingTime", "inferenceQueueTime", "total"), 1)
_MODELS = {
    "data": [{"id": "stub", "type": "image", "model_spec": {"pricing": {"generation": {"usd": 0.01}}}}]
}


class _Exchange:
    """An answer that is there at once."""

    def __init__(self, body: bytes) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.content_type = "application/json"
        self._body = body

    async def read(self) -> bytes:
        body, self._body = self._body, b""
        return body

    async def read_all(self, *_: Any) -> bytes:
        return await self.read()


class _Transport:
    """Answers every request with the same image."""

    def __init__(self) -> None:
        encoded = base64.b64encode(_IMAGE).decode()
        self._answer = json.dumps({"id": "x", "images": [encoded], "timing": _TIMING}).encode()

    def open(self, _: int) -> None:
        pass

    async def close(self) -> None:
        pass

    @asynccontextmanager
    async def post(self, *_: Any, **__: Any) -> Any:
        await asyncio.sleep(0)
        yield _Exchange(self._answer)

    @asynccontextmanager
    async def get(self, *_: Any, **__: Any) -> Any:
        yield _Exchange(json.dumps(_MODELS).encode())


async def _batch(into: str, items: int, durability: Any) -> dict[str, float]:
    session = VeniceSession("key", base_url="http://stub/api/v1", rate_limit=None, guard=None)
    session._transport = _Transport()  # noqa: SLF001 - it takes the network's place
    prompts = (f"a fox, number {number}" for number in itertools.count())
    async with session:
        began = time.perf_counter()
        report = await gather_generate(
            session,
            itertools.islice(prompts, items),
            into=into,
            name="{index:03d}",
            durability=durability,
            model="stub",
        )
        batch = time.perf_counter() - began
        began = time.perf_counter()
        outcomes = sum([1 async for _ in report.outcomes()])
        reading = time.perf_counter() - began
    assert outcomes == items == report.generated + report.skipped
    return {"new": report.generated, "batch": batch, "reading": reading}


def _measure(into: str, items: int, durability: str) -> None:
    """One row, in a process of its own."""
    before = psutil.Process().memory_info().rss
    found = asyncio.run(_batch(into, items, durability))
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    print(json.dumps({**found, "total": found["peak"] + before}))


def _row(title: str, into: str, items: int, durability: str) -> None:
    measure = ["--measure", into, "--items", str(items), "--durability", durability]
    command = [sys.executable, "-m", "benchmarks.journal", *measure]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    times = [f"{found[name] / items * 1e6:>9.0f}" for name in ("batch", "reading")]
    sizes = [f"{found[name] / 1e6:>8.1f}" for name in ("peak", "total")]
    print(f"{title:<34} {items:>9,}", *times, *sizes, sep="  ", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=20_000, help="of the largest run (default 20000)")
    parser.add_argument("--durability", choices=["power", "process"], default="process")
    parser.add_argument("--measure", metavar="DIR", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        _measure(given.measure, given.items, given.durability)
        return
    print(f"{'':<34} {'items':>9}  {'us / item':>9}  {'read back':>9}  {'MB held':>8}  {'MB total':>8}")
    with tempfile.TemporaryDirectory() as folder:
        few = max(200, given.items // 20)
        _row('new, durability="power"', f"{folder}/power", few, "power")
        _row('new, durability="process"', f"{folder}/few", few, "process")
        _row('new, durability="process"', f"{folder}/many", given.items, "process")
        _row("resumed, all of them done", f"{folder}/many", given.items, "process")
        journal = Path(folder, "many", ".venice", "journal.sqlite3").stat().st_size
    print(f"the journal takes {journal / given.items:.0f} bytes an item")


if __name__ == "__main__":
    main()
