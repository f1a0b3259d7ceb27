"""What a caller waits for beside a long sweep, on a clock that is moved by hand."""

import asyncio
import random

from venice_async.policy.rate_limit import RateLimit
from venice_async.pool import Halt, Pool
from venice_async.types.options import Priority

from .clock import simulated


async def beside_a_sweep(items, interactive, *, known):
    """A sweep of so many items at sixty a minute, and at random moments calls of somebody who waits.

    Where somebody is known, the first of them calls before the sweep begins.
    """
    pool, sends, waits = Pool(16, rate_limit=RateLimit.per_minute(60)), [], []
    chance, rest, halt = random.Random(7), iter(range(items)), Halt()

    async def attempt(name):
        sends.append(name)
        await asyncio.sleep(chance.uniform(3, 12))

    async def worker():
        for _ in rest:
            await pool.run(lambda _: attempt("bulk"), model="m", priority=Priority.BULK, halt=halt)

    async def somebody(number):
        began, before = pool.now(), len(sends)

        async def mine(_):
            waits.append((pool.now() - began, len(sends) - before))
            await attempt(number)

        await pool.run(mine, model="m", priority=Priority.INTERACTIVE)

    async with asyncio.TaskGroup() as group:
        if known:
            await somebody(-1)
        for _ in range(16):
            group.create_task(worker())
        for number in range(interactive - known):
            await asyncio.sleep(chance.uniform(0, 2 * items / interactive) + 0.01)
            group.create_task(somebody(number))
    return sends, waits


SLOT = 60.25 / 60  # seconds, with the margin


def test_an_interactive_call_waits_for_two_send_slots_at_most():
    """Ten thousand items on the same session: the call is the next to be sent, or the one after that."""
    sends, waits = simulated(beside_a_sweep(10_000, 1000, known=True))
    assert (sends.count("bulk"), len(waits)) == (10_000, 1000)
    assert max(overtaken_by for _, overtaken_by in waits) <= 1
    assert max(seconds for seconds, _ in waits) <= 2 * SLOT


def test_a_burst_from_before_the_first_interactive_call_is_the_last_one():
    """What a sweep alone has sent at once is made up for within a window, and never again."""
    _, waits = simulated(beside_a_sweep(10_000, 200, known=False))
    late = [number for number, (seconds, _) in enumerate(waits) if seconds > 2 * SLOT]
    assert len(late) <= 2
    assert max(seconds for seconds, _ in waits) < 30


def test_bulk_work_goes_on_beside_a_crowd_of_interactive_calls():
    """More of them come than may be sent: one turn in eight is still the oldest item's."""

    async def main():
        pool, sends, halt = Pool(4, rate_limit=RateLimit.per_minute(60)), [], Halt()

        async def send(name):
            sends.append(name)

        async def keep_calling(name, priority, halt=None):
            while len(sends) < 400:
                await pool.run(lambda _: send(name), model="m", priority=priority, halt=halt)

        async with asyncio.TaskGroup() as group:
            group.create_task(keep_calling("bulk", Priority.BULK, halt))
            for _ in range(20):
                group.create_task(keep_calling("now", Priority.INTERACTIVE))
        return sends[:400]

    sends = simulated(main())
    # The crowd waits in the order in which it came, so the oldest of all is mostly one of it.
    assert sends.count("bulk") >= 400 // 8 // 21
    assert sends.count("now") > sends.count("bulk")
