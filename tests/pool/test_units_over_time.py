"""Requests for several images beside others, in a whole pool against whole servers, on a hand-moved clock."""

import asyncio
import random
from functools import partial

import pytest

from tests.policy.simulation import FixedWindow, Gcra, SlidingLog, WeightedCounter
from venice_async.errors import ConfigurationError, PoolFullError, RateLimitError
from venice_async.policy.rate_limit import RateLimit
from venice_async.policy.retry import RetryPolicy
from venice_async.pool import Halt, Pool
from venice_async.types.options import Priority
from venice_async.types.response import RateLimitSnapshot

from .clock import simulated

WINDOW = 60.0
SERVERS = {
    "a calendar's windows": lambda limit, rng: FixedWindow(limit, WINDOW, rng.uniform(0, WINDOW)),
    "windows that open with a request": lambda limit, rng: FixedWindow(limit, WINDOW),
    "a sliding log": lambda limit, rng: SlidingLog(limit, WINDOW),
    "GCRA": lambda limit, rng: Gcra(limit, WINDOW, rng.randint(limit // 2 + 2, limit)),
    "a weighted counter": lambda limit, rng: WeightedCounter(limit, WINDOW, rng.uniform(0, WINDOW)),
}


class Run:
    """A batch whose requests ask for the numbers of images that are drawn.

    Attributes:
        sent: When each request arrived, and for how many images.
        admitted: The images of those that the server took.
        refused: How many it did not take.
    """

    def __init__(self, server, rng, draw, *, workers=40, rate_limit=RateLimit.auto()):
        self.server, self.rng, self.draw, self.workers = server, rng, draw, workers
        self.pool = Pool(workers, rate_limit=rate_limit, retry=RetryPolicy(attempts=100))
        self.sent, self.admitted, self.refused = [], [], 0
        self.offset = 1.7e9 + rng.uniform(-3600, 3600)

    async def attempt(self, units, admission):
        await asyncio.sleep(self.rng.uniform(0.03, 0.4))
        now = self.pool.now()
        allowed, remaining, reset_at = self.server.take(now + self.offset, units)
        self.sent.append((now, units))
        self.admitted += [now] * (units * allowed)
        self.refused += not allowed
        await asyncio.sleep(self.rng.uniform(4, 20) if allowed else self.rng.uniform(0.03, 0.4))
        told = RateLimitSnapshot(
            limit=self.server.limit,
            remaining=remaining,
            reset_at=reset_at,
            scope="api_key",
            server_time=float(int(self.pool.now() + self.offset)),
        )
        admission.answered(200 if allowed else 429, told)
        if not allowed:
            raise RateLimitError("Rate limit exceeded", status=429, reason="rate_limit")

    async def go_on(self, seconds):
        halt, until = Halt(), self.pool.now() + seconds

        async def worker():
            while self.pool.now() < until:
                units = self.draw(self.rng)
                attempt = partial(self.attempt, units)
                await self.pool.run(attempt, model="m", units=units, priority=Priority.BULK, halt=halt)

        async with asyncio.TaskGroup() as group:
            for _ in range(self.workers):
                group.create_task(worker())


def utilisation(run, begin, end):
    """Images admitted between two times, over what the limit admits in as long a time."""
    return sum(begin <= at < end for at in run.admitted) / ((end - begin) * run.server.limit / WINDOW)


def played(name, limit, draw, seed, *, windows=25):
    rng = random.Random(seed)
    run = Run(SERVERS[name](limit, rng), rng, draw)
    simulated(run.go_on(windows * WINDOW))
    return run


MIXED = {"1, 2 or 4": (1, 2, 4), "one in four for 4": (1, 1, 1, 4), "1 to 4": (1, 2, 3, 4), "all for 4": (4,)}


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("limit", [20, 60])
@pytest.mark.parametrize("sizes", MIXED)
@pytest.mark.parametrize("name", [name for name in SERVERS if name != "a weighted counter"])
def test_requests_for_several_images_use_the_limit_and_are_never_refused(name, sizes, limit, long):
    """Counts images, and from the first second, learning included."""
    windows, used = 25 if long else 10, []
    for seed in range(20 if long else 1):
        run = played(name, limit, lambda rng: rng.choice(MIXED[sizes]), seed, windows=windows)
        assert run.refused == 0, seed
        used.append(utilisation(run, 1000, 1000 + windows * WINDOW))
    assert sum(used) / len(used) >= 0.95
    assert min(used) >= 0.93


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("limit", [20, 60])
def test_a_weighted_counter_refuses_few_requests_for_several_images(limit, long):
    """Its sum fades in between, so a request for four finds no room where one for one does."""
    for seed in range(20 if long else 3):
        run = played("a weighted counter", limit, lambda rng: rng.choice(MIXED["1, 2 or 4"]), seed)
        assert run.refused <= 0.05 * len(run.sent), seed
        assert utilisation(run, 1000, 1000 + 25 * WINDOW) >= 0.55, seed


def test_who_needs_four_permits_is_overtaken_by_seven_that_need_one_and_no_more():
    async def whole():
        run = Run(FixedWindow(20, WINDOW), random.Random(1), None, rate_limit=RateLimit.per_minute(20))
        pool = run.pool
        order = []

        async def one(units, number):
            def attempt(admission):
                order.append(number)
                return run.attempt(units, admission)

            await pool.run(attempt, model="m", units=units)

        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(one(1, number))
            await asyncio.sleep(0.001)
            group.create_task(one(4, "four"))
            await asyncio.sleep(0.001)
            for number in range(20, 60):
                group.create_task(one(1, number))
        return order

    order = simulated(whole())
    place = order.index("four")
    assert sorted(order[:20]) == list(range(20))
    assert 20 <= place <= 27
    assert len(order) == 61


def test_many_that_go_first_do_not_starve_one_that_needs_four_permits():
    """Interactive calls for one image each come all the time; the eighth turn is kept for the oldest."""

    async def whole():
        run = Run(FixedWindow(20, WINDOW), random.Random(1), None, rate_limit=RateLimit.per_minute(20))
        went = []

        async def one(units, priority):
            def attempt(admission):
                went.append(units)
                return run.attempt(units, admission)

            await run.pool.run(attempt, model="m", units=units, priority=priority)

        async def crowd():
            while 4 not in went:
                await one(1, Priority.INTERACTIVE)

        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(crowd())
            await asyncio.sleep(10)
            group.create_task(one(4, Priority.BULK))
        return went.index(4), run.refused

    place, refused = simulated(whole())
    assert refused == 0
    assert place <= 20 + 16


def test_one_that_waits_for_four_permits_does_not_hold_up_another_model():
    async def whole():
        pool = Pool(8, rate_limit=RateLimit.per_minute(4))

        async def attempt(_):
            pass

        async def timed(model, units):
            await pool.run(attempt, model=model, units=units)
            return pool.now()

        began = pool.now()
        await timed("a", 1)
        four = asyncio.create_task(timed("a", 4))
        await asyncio.sleep(1)
        return await timed("b", 4) - began, await four - began

    other, four = simulated(whole())
    assert other == 1
    assert four >= WINDOW


@pytest.mark.parametrize("wait_first", [False, True])
def test_a_request_for_more_images_than_the_limit_holds_is_an_error_before_it_is_sent(wait_first):
    async def whole():
        pool, sent = Pool(8, rate_limit=RateLimit.per_minute(3)), []

        async def attempt(_):
            sent.append(1)

        if wait_first:
            await pool.run(attempt, model="m", units=3)
        with pytest.raises(
            ConfigurationError, match=r"variants=4: .* m never holds more than 3; nothing was sent"
        ):
            await pool.run(attempt, model="m", units=4)
        assert (pool.in_flight, pool.waiting) == (0, 0)
        return sent

    assert simulated(whole()) == [1] * wait_first


def test_a_limit_that_is_told_while_a_request_waits_counts_for_it():
    """It waits for the answer to the first one, which says that the window holds three."""

    async def whole():
        pool, release, sent = Pool(8, rate_limit=RateLimit.auto()), asyncio.Event(), []

        async def first(admission):
            await release.wait()
            admission.answered(
                200, RateLimitSnapshot(limit=3, remaining=2, reset_at=1e9 + 60, server_time=1e9)
            )

        async def attempt(_):
            sent.append(1)

        async with asyncio.TaskGroup() as group:
            group.create_task(pool.run(first, model="m"))
            await asyncio.sleep(1)
            waiting = asyncio.create_task(pool.run(attempt, model="m", units=4))
            await asyncio.sleep(1)
            assert pool.waiting == 1
            release.set()
        with pytest.raises(ConfigurationError, match="never holds more than 3"):
            await waiting
        return sent

    assert simulated(whole()) == []


def test_what_a_refused_call_would_have_waited_counts_images():
    """Four images at three a minute are more than the wait for one."""

    async def whole():
        pool = Pool(8, max_waiting=0, rate_limit=RateLimit.per_minute(6))

        async def attempt(_):
            pass

        async def wait_of(units):
            with pytest.raises(PoolFullError) as caught:
                await pool.run(attempt, model="m", units=units)
            return caught.value.wait

        await pool.run(attempt, model="m", units=4)
        return await wait_of(1), await wait_of(4)

    one, four = simulated(whole())
    assert four == pytest.approx(one + 30, rel=0.05)
