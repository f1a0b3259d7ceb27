"""The pool: places in order, given back at whatever point a call ends."""

import asyncio
import random

import pytest

from venice_async.errors import (
    BadRequestError,
    DecodeError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    UnconfirmedError,
)
from venice_async.pool import Pool, confirmed


async def steps(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def usable(pool: Pool) -> bool:
    """Whether every place can be taken at once, and all are given back."""
    inside, everyone = 0, asyncio.Event()

    async def attempt():
        nonlocal inside
        inside += 1
        if inside == pool.concurrency:
            everyone.set()
        await everyone.wait()

    await asyncio.wait_for(asyncio.gather(*(pool.run(attempt) for _ in range(pool.concurrency))), 10)
    return (pool.in_flight, pool.waiting) == (0, 0)


async def occupy(pool: Pool, number: int) -> tuple[asyncio.Event, list[asyncio.Task]]:
    """Take places until the event is set."""
    release = asyncio.Event()
    tasks = [asyncio.create_task(pool.run(release.wait)) for _ in range(number)]
    await steps(2)
    return release, tasks


def test_a_call_returns_what_its_attempt_returns():
    async def attempt():
        return "answer"

    pool = Pool(1)
    assert asyncio.run(pool.run(attempt)) == "answer"
    assert (pool.in_flight, pool.waiting) == (0, 0)


@pytest.mark.parametrize("concurrency", [1, 2, 5])
def test_no_more_attempts_run_at_once_than_there_are_places(concurrency):
    async def whole():
        pool, running, most = Pool(concurrency), 0, 0

        async def attempt():
            nonlocal running, most
            running += 1
            most = max(most, running)
            assert running <= pool.in_flight <= concurrency
            await steps(3)
            running -= 1

        await asyncio.gather(*(pool.run(attempt) for _ in range(20)))
        return most, pool.in_flight, pool.waiting

    assert asyncio.run(whole()) == (concurrency, 0, 0)


def test_places_and_waiting_calls_are_counted():
    async def whole():
        pool = Pool(2)
        release, tasks = await occupy(pool, 5)
        assert (pool.in_flight, pool.waiting) == (2, 3)
        release.set()
        await asyncio.gather(*tasks)
        assert (pool.in_flight, pool.waiting) == (0, 0)

    asyncio.run(whole())


def test_waiting_calls_are_admitted_in_the_order_in_which_they_came():
    async def whole():
        pool, order = Pool(2), []
        release, first = await occupy(pool, 2)

        async def attempt(number):
            order.append(number)
            await steps(number % 3)

        waiting = [asyncio.create_task(pool.run(lambda n=n: attempt(n))) for n in range(30)]
        await steps(2)
        for number in (0, 7, 8, 29):
            waiting[number].cancel()
        release.set()
        await asyncio.gather(*first, *waiting, return_exceptions=True)
        return order

    assert asyncio.run(whole()) == [number for number in range(30) if number not in {0, 7, 8, 29}]


def test_a_newcomer_does_not_overtake_one_who_was_just_let_in():
    async def whole():
        pool, order = Pool(1), []

        async def attempt(name):
            order.append(name)

        async def first():
            order.append("first")
            await steps(3)

        tasks = [asyncio.create_task(pool.run(first))]
        await steps(1)
        tasks.append(asyncio.create_task(pool.run(lambda: attempt("second"))))
        await tasks[0]
        tasks.append(asyncio.create_task(pool.run(lambda: attempt("third"))))
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(whole()) == ["first", "second", "third"]


def test_a_cancelled_attempt_gives_its_place_to_the_next():
    async def whole():
        pool = Pool(1)
        _, (held,) = await occupy(pool, 1)
        next_one = asyncio.create_task(pool.run(lambda: steps(1)))
        await steps(2)
        held.cancel()
        await asyncio.wait_for(next_one, 10)
        return await usable(pool)

    assert asyncio.run(whole())


@pytest.mark.parametrize("late", [True, False], ids=["after-it-was-let-in", "before-it-was-let-in"])
def test_a_call_cancelled_in_the_moment_it_is_let_in_passes_the_place_on(late):
    async def whole():
        pool, sent = Pool(1), []
        release = asyncio.Event()

        async def attempt(name):
            sent.append(name)

        async def hold():
            async with pool.place():
                await release.wait()
                if not late:
                    second.cancel()
            second.cancel()

        first = asyncio.create_task(hold())
        await steps(1)
        second = asyncio.create_task(pool.run(lambda: attempt("second")))
        third = asyncio.create_task(pool.run(lambda: attempt("third")))
        await steps(1)
        assert pool.waiting == 2
        release.set()
        await asyncio.gather(first, second, third, return_exceptions=True)
        assert second.cancelled()
        return sent, await usable(pool)

    assert asyncio.run(whole()) == (["third"], True)


@pytest.mark.parametrize("seed", range(6))
def test_cancellations_and_deadlines_at_any_point_give_every_place_back(seed):
    """A seeded storm: some four hundred calls, cancelled, timed out or failing at random moments."""
    chance = random.Random(seed)

    async def one_round():
        pool, running = Pool(chance.randint(1, 4)), 0
        loop = asyncio.get_running_loop()

        async def attempt(length, *, fails):
            nonlocal running
            running += 1
            assert running <= pool.concurrency
            try:
                await steps(length)
                if fails:
                    raise ServerError("no", status=chance.choice([500, 502]))
            finally:
                running -= 1

        async def before_send(_, length):
            await steps(length)

        tasks = []
        for _ in range(chance.randint(2, 14)):
            length, ahead, fails = chance.randint(0, 5), chance.randint(0, 2), chance.random() < 0.2
            deadline = loop.time() if chance.random() < 0.2 else None
            tasks.append(
                asyncio.create_task(
                    pool.run(
                        lambda length=length, fails=fails: attempt(length, fails=fails),
                        before_send=lambda number, ahead=ahead: before_send(number, ahead),
                        deadline=deadline,
                    )
                )
            )
            await steps(chance.randint(0, 2))
            if chance.random() < 0.6:
                chance.choice(tasks).cancel()
        for task in tasks:
            if chance.random() < 0.4:
                await steps(chance.randint(0, 3))
                task.cancel()
        found = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        expected = (asyncio.CancelledError, RequestTimeoutError, ServerError, UnconfirmedError)
        assert all(one is None or isinstance(one, expected) for one in found)
        assert running == 0
        assert await usable(pool)
        return len(tasks)

    async def whole():
        return sum([await one_round() for _ in range(50)])

    assert asyncio.run(whole()) > 300


def test_a_deadline_that_passes_while_waiting_is_a_time_out_of_a_request_that_was_not_sent():
    async def whole():
        pool, sent = Pool(1), []
        release, (held,) = await occupy(pool, 1)

        async def attempt():
            sent.append(1)

        async def before_send(_):
            sent.append(0)

        deadline = asyncio.get_running_loop().time() + 0.01
        with pytest.raises(RequestTimeoutError, match="nothing was sent") as caught:
            await pool.run(attempt, before_send=before_send, deadline=deadline)
        assert isinstance(caught.value, TimeoutError)
        assert (pool.in_flight, pool.waiting) == (1, 0)
        release.set()
        await held
        return sent, await usable(pool)

    assert asyncio.run(whole()) == ([], True)


def test_a_deadline_is_for_the_wait_only():
    async def whole():
        pool, loop = Pool(1), asyncio.get_running_loop()
        deadline = loop.time() + 0.01

        async def attempt():
            await asyncio.sleep(0.02)
            assert loop.time() > deadline
            return "answer"

        return await pool.run(attempt, before_send=lambda _: steps(3), deadline=deadline)

    assert asyncio.run(whole()) == "answer"


def test_a_time_out_of_the_attempt_itself_is_left_as_it_is():
    async def attempt():
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own") as caught:
        asyncio.run(Pool(1).run(attempt))
    assert type(caught.value) is TimeoutError


def test_before_send_is_awaited_with_the_place_in_hand_and_before_the_attempt():
    async def whole():
        pool, seen = Pool(1), []

        async def before_send(number):
            seen.append(("before", number, pool.in_flight))
            await steps(2)
            seen.append(("before is over", number, pool.in_flight))

        async def attempt():
            seen.append(("attempt", pool.in_flight))

        await pool.run(attempt, before_send=before_send)
        return seen

    assert asyncio.run(whole()) == [("before", 1, 1), ("before is over", 1, 1), ("attempt", 1)]


def test_before_send_waits_until_there_is_a_place():
    async def whole():
        pool, seen = Pool(1), []
        release, (held,) = await occupy(pool, 1)

        async def before_send(number):
            seen.append(number)

        waiting = asyncio.create_task(pool.run(lambda: steps(0), before_send=before_send))
        await steps(5)
        assert seen == []
        release.set()
        await asyncio.gather(held, waiting)
        return seen

    assert asyncio.run(whole()) == [1]


@pytest.mark.parametrize("error", [ValueError("budget"), ServerError("its own", status=502)], ids=repr)
def test_an_exception_of_before_send_prevents_the_attempt_and_frees_the_place(error):
    async def whole():
        pool, sent = Pool(1), []

        async def before_send(_):
            raise error

        async def attempt():
            sent.append(1)

        with pytest.raises(type(error)) as caught:
            await pool.run(attempt, before_send=before_send)
        assert caught.value is error
        return sent, await usable(pool)

    assert asyncio.run(whole()) == ([], True)


def raising(error: Exception):
    async def attempt():
        raise error

    return attempt


@pytest.mark.parametrize("status", [502, 504, 520, 524])
def test_a_status_that_leaves_the_purchase_open_becomes_unconfirmed_from_it(status):
    error = ServerError("gateway", status=status, request_id="8f1-FRA")
    pool = Pool(1)
    with pytest.raises(UnconfirmedError) as caught:
        asyncio.run(pool.run(raising(error)))
    assert caught.value.__cause__ is error
    assert (caught.value.status, caught.value.request_id) == (status, "8f1-FRA")
    assert pool.in_flight == 0


@pytest.mark.parametrize(
    "error",
    [
        ServerError("x", status=500),
        ServerError("x", status=503),
        RateLimitError("x", status=429),
        BadRequestError("x", status=400),
        DecodeError("x"),
        UnconfirmedError("x", status=502),
        KeyError("x"),
    ],
    ids=lambda error: f"{type(error).__name__}-{getattr(error, 'status', '')}",
)
def test_any_other_error_of_the_attempt_stays_what_it_is(error):
    pool = Pool(1)
    with pytest.raises(type(error)) as caught:
        asyncio.run(pool.run(raising(error)))
    assert caught.value is error
    assert caught.value.__cause__ is None
    assert pool.in_flight == 0


def test_confirmed_lets_through_what_raises_nothing():
    reached = []
    with confirmed():
        reached.append(1)
    assert reached == [1]
