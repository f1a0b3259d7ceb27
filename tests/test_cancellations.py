"""Calls and batches that are cancelled at any moment leave nothing behind."""

import asyncio
import contextlib
import gc
import random
import threading

import psutil
import pytest

from venice_async import ImageRequest, Priority, RateLimit, VeniceSession, stream_generate
from venice_async.sandbox import Fault, Sandbox

CONCURRENCY = 8
CALLERS = 12
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(200_000) + b"\0\0\0\0IEND\xaeB`\x82"


def fox(number):
    return ImageRequest(f"fox {number}", model="venice-sd35", width=64, height=64)


async def one_call(venice, folder, number, chance):
    """Any of the ways to ask for images."""
    priority = chance.choice(list(Priority))
    match chance.randrange(4):
        case 0:
            await venice.generate(fox(number), priority=priority)
        case 1:
            await venice.save(fox(number), folder / f"{number}", priority=priority)
        case 2:
            async with venice.stream(fox(number), priority=priority) as image:
                async for _ in image:
                    await asyncio.sleep(chance.choice([0, 0.001]))
        case _:
            batch = stream_generate(
                venice,
                (fox(n) for n in range(5)),
                into=folder / f"batch-{number}",
                durability="process",
                drain_timeout=chance.choice([0, 0.01]),
            )
            async with batch as outcomes:
                async for _ in outcomes:
                    pass


async def a_while(chance):
    """From no turn of the loop to longer than a call takes."""
    for _ in range(chance.randrange(12)):
        await asyncio.sleep(0)
    if chance.random() < 0.5:
        await asyncio.sleep(chance.uniform(0, 0.02) if chance.random() < 0.6 else chance.uniform(0, 0.3))


async def cancelled(venice, folder, numbers, chance):
    """Begin one call after the other, and cancel each at some moment; how many had ended by then."""
    ended = 0
    for number in numbers:
        task = asyncio.create_task(one_call(venice, folder, number, chance))
        await a_while(chance)
        ended += task.done()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
    return ended


def connections(port):
    return [one for one in psutil.Process().net_connections("tcp") if one.raddr and one.raddr.port == port]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_random_cancellations_leave_no_place_permit_connection_file_or_task(long, tmp_path):
    """Calls, streams and batches, more than there are places; one answer in twenty is a fault."""
    number = 10_000 if long else 600
    chance = random.Random(number)
    faults = [Fault(status=503), Fault(status=500), Fault(reset="body"), Fault(truncated=True)]

    async def main(sandbox):
        port = int(sandbox.url.split(":")[2].split("/")[0])
        limit = RateLimit.per_minute(1_000_000)
        async with VeniceSession(
            "key", base_url=sandbox.url, concurrency=CONCURRENCY, rate_limit=limit, guard=None
        ) as venice:
            await venice.generate(fox(-1))
            tasks = asyncio.all_tasks()
            numbers = iter(range(number))
            ended = await asyncio.gather(
                *(cancelled(venice, tmp_path, numbers, chance) for _ in range(CALLERS))
            )
            for _ in range(200):  # what is given up is closed in turns of the loop
                await asyncio.sleep(0.005)
                told = venice.statistics()
                if not (told.in_flight or told.calls or told.waiting):
                    break
            assert sum(ended) < number  # the others were cut off somewhere
            assert (told.in_flight, told.calls, told.waiting) == (0, 0, {})
            pool = venice._pool
            assert (pool.in_flight, pool.waiting, pool.guard.in_flight) == (0, 0, 0)
            sends = len(pool.permits.bucket("venice-sd35").sends.times())
            assert sandbox.account.received <= sends <= told.sent
            assert asyncio.all_tasks() == tasks
            assert len(connections(port)) <= CONCURRENCY + CALLERS  # a batch asks for prices beside the pool
            # Every place is to be had, all at once; of another model, which no fault has made busy.
            async with contextlib.AsyncExitStack() as stack, asyncio.timeout(30):
                for _ in range(CONCURRENCY):
                    await stack.enter_async_context(pool.place("fluently-xl"))
                assert pool.in_flight == CONCURRENCY
            mine = [one.name for one in threading.enumerate() if one.name.startswith("venice-async")]
            assert mine == ["venice-async-writer"]
        assert connections(port) == []

    with Sandbox(latency=0.004, rpm=None, abuse_rule=False, images=PICTURE) as sandbox:
        lots = random.Random(7)
        for fault in faults:
            sandbox.script(fault, times=None, when=lambda _: lots.random() < 0.0125)
        asyncio.run(main(sandbox))
    gc.collect()
    assert not list(tmp_path.rglob("*.part"))
    opened = [one.path for one in psutil.Process().open_files() if str(tmp_path) in one.path]
    assert opened == []
