"""A Dask cluster on this machine, and what its tests ask for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from collections import Counter

from distributed import Client, LocalCluster

SMALL = {"model": "fluently-xl", "width": 64, "height": 64, "durability": "process"}


@contextlib.asynccontextmanager
async def cluster(workers=2):
    """So many worker processes on this machine, and a client of theirs."""
    async with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            asynchronous=True,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as started,
        Client(started, asynchronous=True) as client,
    ):
        yield client


def distributed(test, workers):
    """Run a test's coroutine with a client of so many workers of its own."""

    async def main():
        async with cluster(workers) as client:
            return await test(client)

    return asyncio.run(main())


def connected(test, address):
    """Run a test's coroutine with a client of workers that are there already."""

    async def main():
        async with Client(address, asynchronous=True) as client:
            return await test(client)

    return asyncio.run(main())


@contextlib.contextmanager
def standing():
    """The address of two workers, which a process of their own starts and ends."""
    with subprocess.Popen(
        [sys.executable, "-m", __spec__.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process.stdout.readline().strip()


async def _stand():
    async with cluster() as client:
        sys.stdout.write(f"{client.scheduler.address}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


def prompts(number):
    return [f"a fox, number {n}" for n in range(number)]


def bought(sandbox):
    """How often each prompt was billed."""
    return Counter(
        request.body["prompt"] for request in sandbox.requests if request.body and request.status == 200
    )


async def worker_pids(client):
    return await client.run(os.getpid)


if __name__ == "__main__":
    asyncio.run(_stand())
