"""One job on several workers of this machine: `python -m benchmarks.distributed [--images N]`.

The rate limit is off, and the server answers at once, so that only the client's side is measured. Printed are
images a second and the processor time of an image, for `gather_generate` in one process, and for
`distribute_generate` on one worker and on four: what the distribution costs, and what more workers give while
they share this machine's cores with the server. Where a Redis server is installed, four workers are measured
once more with a limit that is never reached, which each request asks Redis for.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from attrs import frozen
from distributed import Client

from venice_async import RateLimit, VeniceSession, gather_generate
from venice_async.dask import distribute_generate
from venice_async.dask.local import local_cluster

from .answers import Answer
from .scratch import open_scratch
from .server import installed, serve

_ANSWER = Answer("json", "200k")
_SHARD = 250
_REPETITIONS = 3
_NEVER_REACHED = 1_000_000  # requests a minute


@frozen(kw_only=True)
class _Reading:
    what: str
    rate: float
    processor: float

    def line(self) -> str:
        return f"{self.what:42} {self.rate:8.0f} images/s {self.processor * 1e6:8.0f} us of CPU an image"


def _spent(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


async def _alone(url: str, images: int, into: Path) -> _Reading:
    me = [psutil.Process()]
    async with VeniceSession("key", base_url=url, rate_limit=None, guard=None) as venice:
        before, began = _spent(me), time.perf_counter()
        report = await gather_generate(
            venice, _prompts(images), into=into, model="stub", durability="process"
        )
        report.raise_for_failures()
        seconds, spent = time.perf_counter() - began, _spent(me) - before
    return _Reading(what="gather_generate", rate=images / seconds, processor=spent / images)


@contextmanager
def _redis() -> Iterator[str | None]:
    """The address of a Redis server of our own; None where there is none to start."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()


async def _distributed(url: str, images: int, into: Path, workers: int, shared: str | None) -> _Reading:
    me = psutil.Process()
    servers = me.children(recursive=True)
    async with (
        local_cluster(workers) as cluster,
        Client(cluster, asynchronous=True) as client,
    ):
        everybody = [me, *(child for child in me.children(recursive=True) if child not in servers)]
        before, began = _spent(everybody), time.perf_counter()
        report = await distribute_generate(
            client,
            _prompts(images),
            into=into,
            shard_size=_SHARD,
            api_key="key",
            base_url=url,
            rate_limit=None if shared is None else RateLimit.per_minute(_NEVER_REACHED, shared=shared),
            guard=None,
            model="stub",
            durability="process",
        )
        report.raise_for_failures()
        seconds, spent = time.perf_counter() - began, _spent(everybody) - before
    what = f"distribute_generate, {workers} worker{'s' if workers > 1 else ''}"
    if shared is not None:
        what += ", Redis"
    return _Reading(what=what, rate=images / seconds, processor=spent / images)


def _prompts(images: int) -> list[str]:
    return [f"a fox, number {number}" for number in range(images)]


async def _measure(url: str, images: int, scratch: Path, shared: str | None) -> list[_Reading]:
    readings = [await _alone(url, images, scratch)]
    for workers, store in ((1, None), (4, None), *([(4, shared)] if shared else [])):
        shutil.rmtree(scratch)
        readings.append(await _distributed(url, images, scratch, workers, store))
    shutil.rmtree(scratch)
    return readings


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=4000)
    images = parser.parse_args().images
    with (
        tempfile.TemporaryDirectory() as folder,
        open_scratch([], None, None) as scratch,
        serve(installed(), {_ANSWER}, Path(folder)) as server,
        _redis() as shared,
    ):
        url = server.base_url(_ANSWER, tls=False)
        runs = [
            asyncio.run(_measure(url, images, scratch.quick / "images", shared)) for _ in range(_REPETITIONS)
        ]
    for readings in zip(*runs, strict=True):
        print(sorted(readings, key=lambda reading: reading.rate)[len(readings) // 2].line())


if __name__ == "__main__":
    main()
