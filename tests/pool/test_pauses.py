"""What the pool waits for, and what an even pace beside other calls costs, on a hand-moved clock."""

import asyncio
import time

import pytest

from venice_async.errors import BadRequestError, RateLimitError, ServerError
from venice_async.policy.guard import Guard
from venice_async.policy.rate_limit import Permits, RateLimit
from venice_async.policy.retry import RetryPolicy
from venice_async.pool import Pool
from venice_async.types.catalogue import KeyRateLimits
from venice_async.types.options import Priority
from venice_async.types.response import RateLimitSnapshot

from .clock import simulated

OVERLOADED = RateLimitError("overloaded", status=429, reason="overloaded", retry_after=30.0)
REFUSED = RateLimitError("Rate limit exceeded", status=429, reason="rate_limit", retry_after=25.0)
LOCKED_OUT = RateLimitError("Too many failed attempts (> 50)", status=429, reason="error_budget")


async def done(_):
    pass


async def seen_while_waiting(error, *, status=None, snapshot=None):
    """The waits while two calls wait after this refusal of one, and those before and after."""
    pool = Pool(4, rate_limit=RateLimit.per_minute(600), guard=Guard(), retry=RetryPolicy(attempts=1))

    async def refused(admission):
        if snapshot is not None:
            admission.answered(status, snapshot)
        raise error

    with pytest.raises(type(error)):
        await pool.run(refused, model="m")
    before = pool.waits()
    calls = [asyncio.create_task(pool.run(done, model="m")) for _ in range(2)]
    await asyncio.sleep(0.01)
    waits = pool.waits()
    began = pool.now()
    await asyncio.gather(*calls)
    return before, waits, pool.waits(), pool.now() - began


@pytest.mark.parametrize(
    ("error", "snapshot", "what", "seconds", "model"),
    [
        (OVERLOADED, None, "m is overloaded", 30, "m"),
        (ServerError("at capacity", status=503, retry_after=12.0), None, "m is overloaded", 12, "m"),
        (REFUSED, None, "the rate limit of m", 25, "m"),
        (REFUSED, RateLimitSnapshot(scope="user"), "the rate limit of the key", 25, None),
        (LOCKED_OUT, RateLimitSnapshot(error_budget_remaining=0), "the error budget of the key", 31, "m"),
        (
            LOCKED_OUT,
            RateLimitSnapshot(error_budget_remaining=0, error_budget_resets_at=1012.0, server_time=1000.0),
            "the error budget of the key",
            12,
            "m",
        ),
    ],
)
def test_what_is_waited_for_is_told_while_somebody_waits(error, snapshot, what, seconds, model):
    before, (wait,), after, waited = simulated(
        seen_while_waiting(error, status=error.status, snapshot=snapshot)
    )
    assert (before, after) == ((), ())
    assert (wait.what, wait.model) == (what, model)
    assert wait.until - time.time() == pytest.approx(seconds, abs=5)
    assert waited == pytest.approx(seconds, abs=1)


def test_a_call_that_waits_for_its_next_attempt_tells_what_it_waits_for():
    async def main():
        pool, outcomes = Pool(4, rate_limit=None, retry=RetryPolicy(attempts=2)), [OVERLOADED, None]

        async def attempt(_):
            if (error := outcomes.pop(0)) is not None:
                raise error

        call = asyncio.create_task(pool.run(attempt, model="m"))
        await asyncio.sleep(1)
        assert pool.waiting == 0
        waits = pool.waits()
        await call
        return waits, pool.waits()

    (wait,), after = simulated(main())
    assert (wait.what, after) == ("m is overloaded", ())


def test_an_overload_pauses_the_model_and_no_request_that_is_answered():
    """Of three in flight one is refused: two come back well, at once, and change nothing of the pause."""

    async def main():
        pool, began = Pool(8, rate_limit=None, retry=RetryPolicy(attempts=1)), 1000.0
        ends = {}

        async def attempt(name, seconds, error, admission):
            await asyncio.sleep(seconds)
            if error is None:
                admission.answered(200, RateLimitSnapshot())
            ends[name] = pool.now() - began
            if error is not None:
                raise error

        def call(name, model, seconds=0.0, error=None):
            return pool.run(lambda admission: attempt(name, seconds, error, admission), model=model)

        flying = [
            asyncio.create_task(call("refused", "m", 1, OVERLOADED)),
            asyncio.create_task(call("well", "m", 5)),
            asyncio.create_task(call("well, too", "m", 20)),
        ]
        await asyncio.sleep(2)
        later = [asyncio.create_task(call("later", "m")), asyncio.create_task(call("other", "other"))]
        await asyncio.gather(*flying, *later, return_exceptions=True)
        return ends

    assert simulated(main()) == pytest.approx(
        {"refused": 1, "other": 2, "well": 5, "well, too": 20, "later": 31}
    )


def test_a_day_that_is_used_up_is_waited_for_and_told():
    async def main():
        pool = Pool(4, rate_limit=RateLimit.auto())
        pool.permits.key_limits(KeyRateLimits(models={"m": {"RPM": 600.0, "RPD": 5.0}}))
        await pool.run(done, model="m", units=4)
        call = asyncio.create_task(pool.run(done, model="m", units=2))
        await pool.run(done, model="other")
        await asyncio.sleep(1)
        (wait,) = pool.waits()
        began = pool.now()
        await call
        return wait, pool.now() - began

    wait, seconds = simulated(main())
    assert (wait.what, wait.model) == ("the daily limit of m", "m")
    assert seconds == pytest.approx(86_400, rel=0.01)
    assert wait.until - time.time() == pytest.approx(seconds, rel=0.01)


def test_a_refusal_whose_reset_is_hours_away_is_of_the_day():
    """The minute's limit stays what it was, and its next window is not waited for."""
    permits, server = Permits(), 1_700_000_000.0
    permits.key_limits(KeyRateLimits(models={"m": {"RPM": 20.0}}))
    permit = permits.sent("m", 0)
    told = RateLimitSnapshot(limit=500, remaining=0, reset_at=server + 7 * 3600, server_time=server)
    permits.refused(permit, None, told, 0)
    assert permits.wait("m", 10) == 7 * 3600 - 10
    assert permits.wait("other", 10) == 0
    assert permits.bucket("m").limit == 20
    ((what, until, model),) = [(pause.what, pause.until, pause.model) for pause in permits.waits("m", 10)]
    assert (what, until, model) == ("the daily limit of m", 7 * 3600, "m")


def test_failures_that_are_waited_for_are_told():
    async def main():
        pool = Pool(30, rate_limit=None, guard=Guard(), retry=RetryPolicy(attempts=1))

        async def fails(_):
            raise BadRequestError("no", status=400)

        await asyncio.gather(*(pool.run(fails, model="m") for _ in range(20)), return_exceptions=True)
        assert pool.waits() == ()
        call = asyncio.create_task(pool.run(done, model="m"))
        await asyncio.sleep(1)
        waits = pool.waits()
        await call
        return waits

    (wait,) = simulated(main())
    assert (wait.what, wait.model) == ("the error budget of the key", None)


async def eight_images(pool):
    began = pool.now()
    calls = (pool.run(done, model="m", priority=Priority.BULK) for _ in range(8))
    await asyncio.gather(*calls)
    return pool.now() - began


@pytest.mark.parametrize(("later", "seconds"), [(0, 21), (50, 12), (61, 0), (3600, 0)])
def test_an_even_pace_beside_a_call_ends_a_window_after_it(later, seconds):
    """Eight images of a batch go at once again, as in a fresh session."""

    async def main():
        pool = Pool(16, rate_limit=RateLimit.per_minute(20))
        await pool.run(done, model="m", priority=Priority.INTERACTIVE)
        await asyncio.sleep(later)
        return await eight_images(pool)

    assert simulated(main()) == pytest.approx(seconds, abs=3.5)


def test_calls_that_keep_coming_keep_the_pace_even():
    permits = Permits(RateLimit.per_minute(20))
    permits.called_at = 0
    assert [permits.has_callers("m", now) for now in (0, 59, 60)] == [True, True, False]
    permits.called_at = 59
    assert [permits.has_callers("m", now) for now in (60, 118, 119)] == [True, True, False]
