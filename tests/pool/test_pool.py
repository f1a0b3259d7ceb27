"""The pool: places and permits in order, given back at whatever point a call ends, and further attempts."""

import asyncio
import random

import attrs
import pytest

from venice_async.errors import (
    BadRequestError,
    ConnectError,
    DecodeError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    SessionStateError,
    StorageError,
    UnconfirmedError,
)
from venice_async.policy.guard import Guard
from venice_async.policy.rate_limit import RateLimit
from venice_async.policy.retry import RetryPolicy
from venice_async.pool import Halt, NotSentError, Pool, confirmed
from venice_async.types.catalogue import KeyRateLimits
from venice_async.types.response import RateLimitSnapshot


def call(pool: Pool, attempt, **options):
    """Run an attempt that does not look at its admission."""
    return pool.run(lambda _: attempt(), model="m", **options)


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

    await asyncio.wait_for(asyncio.gather(*(call(pool, attempt) for _ in range(pool.concurrency))), 10)
    return (pool.in_flight, pool.waiting) == (0, 0)


async def occupy(pool: Pool, number: int) -> tuple[asyncio.Event, list[asyncio.Task]]:
    """Take places until the event is set."""
    release = asyncio.Event()
    tasks = [asyncio.create_task(call(pool, release.wait)) for _ in range(number)]
    await steps(2)
    return release, tasks


def test_a_call_returns_what_its_attempt_returns():
    async def attempt():
        return "answer"

    pool = Pool(1)
    assert asyncio.run(call(pool, attempt)) == "answer"
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

        await asyncio.gather(*(call(pool, attempt) for _ in range(20)))
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

        waiting = [asyncio.create_task(call(pool, lambda n=n: attempt(n))) for n in range(30)]
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

        tasks = [asyncio.create_task(call(pool, first))]
        await steps(1)
        tasks.append(asyncio.create_task(call(pool, lambda: attempt("second"))))
        await tasks[0]
        tasks.append(asyncio.create_task(call(pool, lambda: attempt("third"))))
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(whole()) == ["first", "second", "third"]


def test_a_cancelled_attempt_gives_its_place_to_the_next():
    async def whole():
        pool = Pool(1)
        _, (held,) = await occupy(pool, 1)
        next_one = asyncio.create_task(call(pool, lambda: steps(1)))
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
            async with pool.place("m"):
                await release.wait()
                if not late:
                    second.cancel()
            second.cancel()

        first = asyncio.create_task(hold())
        await steps(1)
        second = asyncio.create_task(call(pool, lambda: attempt("second")))
        third = asyncio.create_task(call(pool, lambda: attempt("third")))
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

        async def before_send(length):
            await steps(length)

        tasks = []
        for _ in range(chance.randint(2, 14)):
            length, ahead, fails = chance.randint(0, 5), chance.randint(0, 2), chance.random() < 0.2
            deadline = loop.time() if chance.random() < 0.2 else None
            tasks.append(
                asyncio.create_task(
                    call(
                        pool,
                        lambda length=length, fails=fails: attempt(length, fails=fails),
                        before_send=lambda ahead=ahead: before_send(ahead),
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

        async def before_send():
            sent.append(0)

        deadline = asyncio.get_running_loop().time() + 0.01
        with pytest.raises(RequestTimeoutError, match="nothing was sent") as caught:
            await call(pool, attempt, before_send=before_send, deadline=deadline)
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

        return await call(pool, attempt, before_send=lambda: steps(3), deadline=deadline)

    assert asyncio.run(whole()) == "answer"


def test_a_time_out_of_the_attempt_itself_is_left_as_it_is():
    async def attempt():
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own") as caught:
        asyncio.run(call(Pool(1), attempt))
    assert type(caught.value) is TimeoutError


def test_before_send_is_awaited_with_the_place_in_hand_and_before_the_attempt():
    async def whole():
        pool, seen = Pool(1), []

        async def before_send():
            seen.append(("before", pool.in_flight))
            await steps(2)
            seen.append(("before is over", pool.in_flight))

        async def attempt():
            seen.append(("attempt", pool.in_flight))

        await call(pool, attempt, before_send=before_send)
        return seen

    assert asyncio.run(whole()) == [("before", 1), ("before is over", 1), ("attempt", 1)]


def test_before_send_waits_until_there_is_a_place():
    async def whole():
        pool, seen = Pool(1), []
        release, (held,) = await occupy(pool, 1)

        async def before_send():
            seen.append("before")

        waiting = asyncio.create_task(call(pool, lambda: steps(0), before_send=before_send))
        await steps(5)
        assert seen == []
        release.set()
        await asyncio.gather(held, waiting)
        return seen

    assert asyncio.run(whole()) == ["before"]


@pytest.mark.parametrize("error", [ValueError("budget"), ServerError("its own", status=502)], ids=repr)
def test_an_exception_of_before_send_prevents_the_attempt_and_frees_the_place(error):
    async def whole():
        pool, sent = Pool(1), []

        async def before_send():
            raise error

        async def attempt():
            sent.append(1)

        with pytest.raises(type(error)) as caught:
            await call(pool, attempt, before_send=before_send)
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
        asyncio.run(call(pool, raising(error)))
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
        asyncio.run(call(pool, raising(error)))
    assert caught.value is error
    assert caught.value.__cause__ is None
    assert pool.in_flight == 0


def test_confirmed_lets_through_what_raises_nothing():
    reached = []
    with confirmed():
        reached.append(1)
    assert reached == [1]


# Further attempts


def counting(errors, result="answer"):
    """An attempt that fails with each of these errors in turn, and then does not."""
    left = list(errors)

    async def attempt():
        if left:
            raise left.pop(0)
        return result

    return attempt


def at_once(attempts=4, **options):
    return RetryPolicy(attempts=attempts, wait_initial=0, **options)


REPEATED = [
    ConnectError("x"),
    RequestTimeoutError("x"),
    ServerError("x", status=500),
    ServerError("x", status=503),
    ServerError("x", status=521),
    RateLimitError("x", status=429, code="MODEL_OVERLOADED"),
]


@pytest.mark.parametrize("error", REPEATED, ids=lambda error: f"{type(error).__name__}-{error}")
def test_what_was_not_billed_is_tried_again(error):
    """With a place each time; what an attempt has ended with is told before the next one."""

    async def whole():
        pool, told = Pool(1, retry=at_once()), []

        async def before_send():
            told.append(("before", pool.in_flight))

        async def after_failure(error):
            told.append(error)

        hooks = {"before_send": before_send, "after_failure": after_failure}
        assert await call(pool, counting([error]), **hooks) == "answer"
        return told, await usable(pool)

    assert asyncio.run(whole()) == ([("before", 1), error, ("before", 1)], True)


@pytest.mark.parametrize(
    "error",
    [BadRequestError("x", status=400), DecodeError("x"), UnconfirmedError("x"), ServerError("x", status=504)],
    ids=lambda error: type(error).__name__,
)
def test_what_may_have_been_billed_or_will_never_succeed_is_not_tried_again(error):
    """One attempt, and its error."""
    tried = []

    async def attempt():
        tried.append(1)
        raise error

    with pytest.raises((type(error), UnconfirmedError)):
        asyncio.run(call(Pool(1, retry=at_once()), attempt))
    assert len(tried) == 1


def test_the_last_error_is_raised_and_says_after_how_many_attempts():
    """The first ones are forgotten."""
    errors = [ServerError(f"number {n}", status=500) for n in (1, 2, 3)]
    with pytest.raises(ServerError, match="number 3") as caught:
        asyncio.run(call(Pool(1, retry=at_once(3)), counting(errors)))
    assert caught.value.__notes__ == ["after 3 attempts"]


def test_the_unconfirmed_is_sent_again_if_the_caller_says_so():
    """And only then."""
    pool = Pool(1, retry=at_once(resend_unconfirmed=True))
    attempt = counting([ServerError("x", status=504), UnconfirmedError("x")])
    assert asyncio.run(call(pool, attempt)) == "answer"


def test_a_retry_goes_before_new_work():
    """It is not put off to the end of the job."""

    async def whole():
        pool, order = Pool(1, retry=at_once()), []

        async def attempt(name):
            order.append(name)
            await steps(2)
            if order.count(name) == 1 and name == "first":
                raise ServerError("x", status=500)

        await asyncio.gather(
            *(call(pool, lambda name=name: attempt(name)) for name in ("first", "b", "c", "d"))
        )
        return order

    order = asyncio.run(whole())
    assert order[:2] == ["first", "b"]
    assert order[2] == "first"


def test_no_retry_is_waited_for_beyond_the_deadline():
    """The error comes at once instead."""

    async def whole():
        pool = Pool(1, retry=RetryPolicy(wait_initial=3600, wait_max=3600), random=lambda: 0.5)
        deadline = asyncio.get_running_loop().time() + 60
        with pytest.raises(ServerError):
            await call(pool, counting([ServerError("x", status=500)]), deadline=deadline)

    asyncio.run(whole())


# Permits and the guard

ALLOWED = RateLimitSnapshot(limit=1_000_000, remaining=1_000_000, reset_at=1e9 + 60, server_time=1e9)


def test_a_model_without_permits_is_passed_over_by_others():
    """One bucket's wait is nobody else's."""

    async def whole():
        pool, order = Pool(1, rate_limit=RateLimit.auto()), []

        async def attempt(name, admission):
            order.append(name)
            admission.answered(200, attrs.evolve(ALLOWED, limit=1, remaining=0))

        async def one(name, model):
            await pool.run(lambda admission: attempt(name, admission), model=model)

        await one("first", "slow")
        waiting = asyncio.create_task(one("second", "slow"))
        await steps(3)
        await one("other", "quick")
        assert (pool.in_flight, pool.waiting) == (0, 1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return order, pool.waiting

    assert asyncio.run(whole()) == (["first", "other"], 0)


def test_before_the_first_answer_one_request_is_sent_and_the_others_wait_for_its_head():
    """Where the server was not asked for the key's limits, or did not tell."""

    async def whole():
        pool, running, head = Pool(8, rate_limit=RateLimit.auto()), 0, asyncio.Event()

        async def attempt(admission):
            nonlocal running
            running += 1
            await head.wait()
            admission.answered(200, ALLOWED)
            await steps(5)

        tasks = [asyncio.create_task(pool.run(attempt, model="m")) for _ in range(8)]
        await steps(20)
        assert running == 1
        head.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 10)
        return running

    assert asyncio.run(whole()) == 8


def test_the_keys_limits_are_asked_for_once_and_before_the_first_request():
    """All calls wait for the answer; one of them that is cancelled does not cut the asking off."""

    async def whole():
        asked, go = [], asyncio.Event()

        async def ask(permits):
            asked.append(permits)
            await go.wait()
            permits.key_limits(KeyRateLimits(models={"m": {"RPM": 1000}}))

        pool, sent = Pool(8, rate_limit=RateLimit.auto(), ask=ask), []

        async def attempt(_):
            sent.append(1)

        tasks = [asyncio.create_task(pool.run(attempt, model="m")) for _ in range(4)]
        await steps(5)
        assert (len(asked), sent) == (1, [])
        tasks[0].cancel()
        await steps(5)
        assert (len(asked), sent) == (1, [])
        go.set()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        return len(asked), len(sent)

    assert asyncio.run(whole()) == (1, 3)


def test_a_server_that_does_not_tell_the_keys_limits_is_no_error():
    """Its answers tell them as well."""

    async def ask(_):
        raise ConnectError("nobody there")

    assert asyncio.run(call(Pool(1, rate_limit=RateLimit.auto(), ask=ask), counting([]))) == "answer"


def test_failures_hold_new_requests_back():
    """Twenty within the guard's window, and nothing more is sent before it is over."""

    async def whole():
        pool, sent = Pool(64, guard=Guard()), []

        async def attempt():
            sent.append(1)
            await steps(1)
            raise BadRequestError("x", status=400)

        tasks = [asyncio.create_task(call(pool, attempt)) for _ in range(100)]
        await steps(50)
        counts = len(sent), pool.in_flight, pool.waiting
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return counts, pool.in_flight, pool.waiting

    assert asyncio.run(whole()) == ((20, 0, 80), 0, 0)


def test_what_the_server_did_not_refuse_is_no_failure():
    """A cancelled attempt, an answer that cannot be used, an exception of the caller's own."""

    async def whole():
        pool = Pool(4, guard=Guard(strict=True))
        for error in (
            DecodeError("x"),
            StorageError(28, "full"),
            KeyError("x"),
            asyncio.CancelledError(),
        ) * 20:
            with pytest.raises(type(error)):
                await asyncio.wait_for(call(pool, counting([error])), 10)
        return pool.guard.in_flight

    assert asyncio.run(whole()) == 0


# Halting


def test_a_halt_ends_the_waiting_and_nothing_else():
    """For a place, for a permit and for a retry; what is in flight goes on."""

    async def whole():
        pool, halt = Pool(1, retry=RetryPolicy(wait_initial=3600, wait_max=3600)), Halt()
        release = asyncio.Event()
        running = asyncio.create_task(call(pool, release.wait, halt=halt))
        await steps(3)
        waiting = asyncio.create_task(call(pool, counting([]), halt=halt))
        stranger = asyncio.create_task(call(pool, counting([])))
        await steps(3)
        halt.call()
        with pytest.raises(NotSentError):
            await waiting
        with pytest.raises(NotSentError):
            await call(pool, counting([]), halt=halt)
        assert not running.done()
        release.set()
        assert await running is True
        assert await stranger == "answer"
        return await usable(pool)

    assert asyncio.run(whole())


def test_a_halt_ends_the_wait_for_a_retry():
    """However long it was to be."""

    async def whole():
        retry = RetryPolicy(wait_initial=3600, wait_max=3600)
        pool, halt = Pool(1, retry=retry, random=lambda: 0.9), Halt()
        task = asyncio.create_task(call(pool, counting([ServerError("x", status=500)]), halt=halt))
        await steps(10)
        assert (pool.in_flight, task.done()) == (0, False)
        halt.call()
        with pytest.raises(NotSentError):
            await asyncio.wait_for(task, 10)

    asyncio.run(whole())


# Closing, and what may have been billed


def test_closing_ends_the_waiting_of_all():
    """For places, permits and the key's limits; nothing comes after."""

    async def whole():
        async def ask(_):
            await asyncio.Event().wait()

        pool = Pool(1, ask=ask)
        asking = asyncio.create_task(call(pool, counting([])))
        await steps(3)
        await pool.close()
        with pytest.raises((SessionStateError, asyncio.CancelledError)):
            await asking
        other = Pool(1)
        release, (held,) = await occupy(other, 1)
        waiting = [asyncio.create_task(call(other, counting([]))) for _ in range(5)]
        await steps(3)
        await other.close()
        for task in waiting:
            with pytest.raises(SessionStateError, match="closed"):
                await asyncio.wait_for(task, 10)
        with pytest.raises(SessionStateError):
            await call(other, counting([]))
        release.set()
        await held
        return other.in_flight, other.waiting

    assert asyncio.run(whole()) == (0, 0)


def test_a_halt_does_not_hide_a_purchase_that_may_have_been_made():
    """An earlier attempt that may have been billed is what the call ends with."""

    async def whole():
        retry = RetryPolicy(wait_initial=3600, wait_max=3600, resend_unconfirmed=True)
        pool, halt = Pool(1, retry=retry, random=lambda: 0.9), Halt()
        task = asyncio.create_task(call(pool, counting([ServerError("x", status=504)]), halt=halt))
        await steps(10)
        halt.call()
        with pytest.raises(UnconfirmedError):
            await asyncio.wait_for(task, 10)

    asyncio.run(whole())


def test_a_deadline_does_not_hide_it_either():
    """Nor does an error of a later attempt."""

    async def whole(later):
        pool = Pool(1, retry=at_once(2, resend_unconfirmed=True))
        with pytest.raises(UnconfirmedError) as caught:
            await call(pool, counting([UnconfirmedError("lost"), later]))
        assert "lost" in str(caught.value)
        assert caught.value.__notes__ == ["after 2 attempts"]

    for later in (RequestTimeoutError("x"), ServerError("x", status=500)):
        asyncio.run(whole(later))
