"""Priorities, the most calls that may wait, and deadlines that cannot be kept."""

import asyncio

import pytest

from venice_async.errors import PoolFullError, RequestTimeoutError
from venice_async.policy.rate_limit import RateLimit
from venice_async.pool import Halt, Pool


def call(pool: Pool, attempt, **options):
    return pool.run(lambda _: attempt(), model="m", **options)


async def steps(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def held(pool: Pool) -> tuple[asyncio.Event, asyncio.Task]:
    """Take one place until the event is set."""
    release = asyncio.Event()
    task = asyncio.create_task(call(pool, release.wait))
    await steps(2)
    return release, task


def test_an_interactive_call_goes_before_bulk_work_that_waits():
    async def whole():
        pool, order = Pool(1), []
        release, first = await held(pool)

        async def attempt(name):
            order.append(name)

        tasks = [asyncio.create_task(call(pool, lambda n=n: attempt(n), priority=-10)) for n in range(3)]
        await steps(2)
        tasks.append(asyncio.create_task(call(pool, lambda: attempt("now"), priority=10)))
        await steps(2)
        assert pool.waiting_by_priority == {-10: 3, 10: 1}
        release.set()
        await asyncio.gather(first, *tasks)
        return order

    assert asyncio.run(whole()) == ["now", 0, 1, 2]


def test_more_waiting_calls_than_may_are_refused_at_once():
    async def whole():
        pool = Pool(1, max_waiting=2)
        release, first = await held(pool)
        waiting = [asyncio.create_task(call(pool, lambda: steps(1))) for _ in range(2)]
        await steps(2)
        with pytest.raises(PoolFullError, match=r"2 calls wait already \(max_waiting\); nothing was sent"):
            await call(pool, lambda: steps(1))
        assert pool.waiting == 2
        release.set()
        await asyncio.gather(first, *waiting)
        await call(pool, lambda: steps(1))
        return pool.in_flight, pool.waiting

    assert asyncio.run(whole()) == (0, 0)


def test_where_nobody_may_wait_a_free_place_is_taken_all_the_same():
    async def whole():
        pool = Pool(1, max_waiting=0)
        release, first = await held(pool)
        with pytest.raises(PoolFullError):
            await call(pool, lambda: steps(1))
        release.set()
        await first
        await call(pool, lambda: steps(1))

    asyncio.run(whole())


def test_items_of_a_batch_wait_however_many_do_and_refuse_nobody():
    async def whole():
        pool = Pool(1, max_waiting=1)
        release, first = await held(pool)
        halt = Halt()
        batch = [asyncio.create_task(call(pool, lambda: steps(1), halt=halt)) for _ in range(5)]
        await steps(2)
        single = asyncio.create_task(call(pool, lambda: steps(1)))
        await steps(2)
        assert pool.waiting == 6
        release.set()
        await asyncio.gather(first, single, *batch)

    asyncio.run(whole())


@pytest.mark.parametrize(("waiting", "seconds"), [(0, 20), (2, 60)])
def test_a_refused_call_says_how_long_it_would_have_waited(waiting, seconds):
    """At three a minute, one call follows the other after twenty seconds."""

    async def whole():
        pool = Pool(8, max_waiting=waiting, rate_limit=RateLimit.per_minute(3))
        await call(pool, lambda: steps(1))
        tasks = [asyncio.create_task(call(pool, lambda: steps(1))) for _ in range(waiting)]
        await steps(2)
        with pytest.raises(PoolFullError) as caught:
            await call(pool, lambda: steps(1))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return caught.value

    error = asyncio.run(whole())
    assert error.wait == pytest.approx(seconds, rel=0.15)
    assert f"about {error.wait:.0f} s" in str(error)


def test_a_call_that_cannot_make_it_at_the_rate_limit_fails_at_once():
    async def whole():
        pool = Pool(8, rate_limit=RateLimit.per_minute(1))
        await call(pool, lambda: steps(1))
        before = pool.now()
        with pytest.raises(RequestTimeoutError, match=r"the rate limit lets it go in 6.*nothing was sent"):
            await call(pool, lambda: steps(1), deadline=before + 30)
        return pool.now() - before, pool.waiting, pool.in_flight

    seconds, *left = asyncio.run(whole())
    assert left == [0, 0]
    assert seconds < 20  # not the thirty that it was given


def test_those_ahead_count_for_what_can_be_made():
    async def whole():
        pool = Pool(8, rate_limit=RateLimit.per_minute(1))
        await call(pool, lambda: steps(1))
        ahead = [asyncio.create_task(call(pool, lambda: steps(1))) for _ in range(2)]
        await steps(2)
        with pytest.raises(RequestTimeoutError):  # three windows from now
            await call(pool, lambda: steps(1), deadline=pool.now() + 100)
        urgent = asyncio.create_task(call(pool, lambda: steps(1), deadline=pool.now() + 100, priority=1))
        await steps(2)
        assert not urgent.done()  # it goes first, within the next window
        for task in (*ahead, urgent):
            task.cancel()
        await asyncio.gather(*ahead, urgent, return_exceptions=True)
        return pool.waiting

    assert asyncio.run(whole()) == 0


def test_who_would_be_next_gives_up_once_a_pause_is_longer_than_its_time():
    from venice_async.errors import RateLimitError

    async def whole():
        pool = Pool(1, rate_limit=RateLimit.per_minute(60))
        release = asyncio.Event()

        async def refused():
            await release.wait()
            raise RateLimitError("slow down", status=429, retry_after=50.0)

        first = asyncio.create_task(call(pool, refused))
        await steps(2)
        second = asyncio.create_task(call(pool, lambda: steps(1), deadline=pool.now() + 30))
        await steps(2)
        assert not second.done()
        release.set()
        return await asyncio.wait_for(asyncio.gather(first, second, return_exceptions=True), 10)

    first, second = asyncio.run(whole())
    assert isinstance(first, RateLimitError)
    assert isinstance(second, RequestTimeoutError)
