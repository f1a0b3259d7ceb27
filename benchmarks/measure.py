"""One client, once, in a process of its own: `python -m benchmarks.measure`.

Takes its orders as JSON on the standard input and prints one line of JSON. Before anything is counted, the
client has been imported, opened, and used for one small image, so that what it loads late is loaded.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import tempfile
from pathlib import Path

import attrs
from attrs import frozen

from .clients import CLIENTS, Open
from .clients.job import Job
from .gauges import LagMeter, peak_bytes, resident_bytes, usage

__all__ = ["Orders", "Reading", "dump_orders"]


@frozen(kw_only=True)
class Orders:
    """What a measuring process is told.

    Attributes:
        client: A key of `CLIENTS`.
        job: What is measured.
        warm_up: The base URL of a small answer.
        lag: Whether the event loop's lag is measured, which costs a few per cent of the throughput.
    """

    client: str
    job: Job
    warm_up: str
    lag: bool = False


@frozen(kw_only=True)
class Reading:
    """What a measuring process found: seconds, bytes and milliseconds."""

    seconds: float
    processor: float
    baseline: int
    peak: int
    lag_p50: float | None = None
    lag_p99: float | None = None
    lag_max: float | None = None


def dump_orders(orders: Orders) -> str:
    """Orders as a process reads them."""
    return json.dumps(attrs.asdict(orders), default=str)


def _load_orders(text: str) -> Orders:
    told = json.loads(text)
    job = told["job"]
    authority = job.pop("authority")
    told["job"] = Job(**{**job, "into": Path(job["into"]), "authority": authority and Path(authority)})
    return Orders(**told)


async def _warm_up(open_client: Open, job: Job, base_url: str) -> None:
    with tempfile.TemporaryDirectory(dir=job.into.parent) as folder:
        small = attrs.evolve(
            job,
            base_url=base_url,
            requests=1,
            into=Path(folder),
            binary=False,
            variants=1,
            compression=None,
        )
        async with open_client(small) as run:
            await run()


async def _measure(open_client: Open, orders: Orders) -> Reading:
    await _warm_up(open_client, orders.job, orders.warm_up)
    async with open_client(orders.job) as run:
        gc.collect()
        baseline, before = resident_bytes(), usage()
        lag = None
        if orders.lag:
            async with LagMeter() as meter:
                await run()
                lag = meter.read()
        else:
            await run()
        after, peak = usage(), peak_bytes()
    return Reading(
        seconds=after.wall - before.wall,
        processor=after.processor - before.processor,
        baseline=baseline,
        peak=peak,
        lag_p50=None if lag is None else lag.p50,
        lag_p99=None if lag is None else lag.p99,
        lag_max=None if lag is None else lag.max,
    )


def main() -> None:
    """Measure and print."""
    orders = _load_orders(sys.stdin.read())
    client = CLIENTS[orders.client]
    # Not imported at the top: it would weigh on those that run without it.
    run = importlib.import_module("uvloop" if client.uvloop else "asyncio").run
    reading = run(_measure(client.load(), orders))
    print(json.dumps(attrs.asdict(reading)))


if __name__ == "__main__":
    main()
