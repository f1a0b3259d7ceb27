"""Staying clear of the lock-out, one decision at a time and over whole runs."""

import heapq
import random

import attrs
import pytest

from venice_async.errors import (
    BadRequestError,
    ConfigurationError,
    ConnectError,
    RateLimitError,
    ServerError,
    StatusError,
    UnconfirmedError,
)
from venice_async.policy.guard import FAILURES, FAILURES_TODAY, Guard, GuardState

OUTAGE = ServerError("out of order", status=500)
MISTAKE = BadRequestError("no such field", status=400)
LOCKED_OUT = RateLimitError("too many failed attempts", status=429, reason="error_budget")


def fail(guard, now, times=1, *, error=OUTAGE, model="m"):
    for _ in range(times):
        assert guard.wait(model, now) == 0
        guard.started(model)
        guard.failed(model, now, error)


def succeed(guard, now, times=1, *, model="m"):
    for _ in range(times):
        assert guard.wait(model, now) == 0
        guard.started(model)
        guard.succeeded(model, now)


@pytest.mark.parametrize("strict", [None, 1, "yes"])
def test_strict_is_a_truth_value(strict):
    with pytest.raises(ConfigurationError, match="expected True or False"):
        Guard(strict=strict)


@pytest.mark.parametrize("guard", [Guard(), Guard(strict=True)])
def test_twenty_may_be_in_flight_before_anything_is_known(guard):
    state = GuardState(guard)
    for _ in range(20):
        assert state.wait("m", 0) == 0
        state.started("m")
    assert state.wait("m", 0) is None
    state.abandoned("m")
    assert state.wait("m", 0) == 0


def test_failures_and_requests_in_flight_are_twenty_together():
    guard = GuardState()
    fail(guard, 0, 15)
    for _ in range(5):
        guard.started("m")
    assert guard.wait("m", 0) == 31
    assert guard.wait("m", 31) == 0


def test_the_wait_is_for_as_many_failures_as_must_be_forgotten():
    guard = GuardState()
    for second in range(20):
        fail(guard, second)
    assert guard.wait("m", 20) == 11
    guard.started("m")
    guard.started("m")
    assert guard.wait("m", 20) == 13


def test_after_twenty_successes_in_a_row_only_the_concurrency_bounds():
    guard = GuardState()
    succeed(guard, 0, 19)
    fail(guard, 0)
    succeed(guard, 0, 20)
    for _ in range(500):
        assert guard.wait("m", 0) == 0
        guard.started("m")
    guard.failed("m", 0, OUTAGE)
    assert guard.wait("m", 0) is None


def test_a_strict_guard_stays_strict():
    guard = GuardState(Guard(strict=True))
    succeed(guard, 0, 500)
    for _ in range(20):
        guard.started("m")
    assert guard.wait("m", 0) is None


def test_after_a_lock_out_all_are_silent_and_then_one_goes_first():
    guard = GuardState()
    succeed(guard, 0, 20)
    guard.started("m")
    guard.started("m")
    guard.locked_out("m", 10, LOCKED_OUT)
    guard.succeeded("m", 11)
    assert guard.wait("m", 12) == 29
    assert guard.wait("m", 41) == 0
    guard.started("m")
    assert guard.wait("m", 41) is None
    guard.succeeded("m", 45)
    assert guard.wait("m", 45) == 0


def test_without_a_guard_only_a_lock_out_that_came_is_waited_for():
    guard = GuardState(None)
    fail(guard, 0, 100)
    guard.started("m")
    guard.locked_out("m", 0, LOCKED_OUT)
    assert guard.wait("m", 0) == 31


def worst_of_a_run(guard, rng, *, today=False, error=OUTAGE):
    """The most failures within 30 s at a server where a drawn share fails, by its own clock."""
    state, share = GuardState(guard), rng.choice([1.0, rng.random()])
    if today:
        state.told("m", 0.0, FAILURES_TODAY)
    concurrency, slow = rng.randint(1, 200), rng.choice([0.1, 1.0, 10.0, 40.0])
    now, events, order, failures = 0.0, [], 0, []
    while now < 200:
        while state.in_flight < concurrency and state.wait("m", now) == 0:
            state.started("m")
            seen = now + rng.uniform(0.03, 0.4) + rng.random() * slow
            failed, order = rng.random() < share, order + 1
            if failed:
                failures.append(seen)
            heapq.heappush(events, (seen + rng.uniform(0.03, 0.4), order, failed))
        wait = state.wait("m", now)
        wake = now + wait if wait and state.in_flight < concurrency else float("inf")
        if not events or wake < events[0][0]:
            now = wake
            continue
        now, _, failed = heapq.heappop(events)
        state.failed("m", now, error) if failed else state.succeeded("m", now)
    failures.sort()
    within, begin = 0, 0
    for end, at in enumerate(failures):
        while failures[begin] <= at - 30:
            begin += 1
        within = max(within, end - begin + 1)
    return within


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_strict_guard_keeps_failures_in_thirty_seconds_at_twenty_whatever_fails(long):
    seeds = range(3000 if long else 60)
    assert max(worst_of_a_run(Guard(strict=True), random.Random(seed)) for seed in seeds) == FAILURES


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_strict_guard_keeps_mistakes_at_fifty_once_the_server_has_told_of_today(long):
    seeds = range(3000 if long else 60)
    worst = [
        worst_of_a_run(Guard(strict=True), random.Random(seed), today=True, error=MISTAKE) for seed in seeds
    ]
    assert max(worst) == FAILURES_TODAY


def test_a_guard_that_is_not_strict_keeps_an_outage_from_the_start_at_twenty():
    class Outage(random.Random):
        def choice(self, options):
            return options[0]

    assert worst_of_a_run(Guard(), Outage(1)) == 20


@pytest.mark.parametrize(
    "error", [OUTAGE, LOCKED_OUT, ConnectError("no"), UnconfirmedError("lost")], ids=repr
)
def test_once_the_server_has_told_of_today_what_is_no_mistake_is_free(error):
    guard = GuardState(Guard(strict=True))
    fail(guard, 0, FAILURES, error=error)
    assert guard.wait("m", 0) == 31
    guard.told("m", 0, FAILURES_TODAY)
    fail(guard, 0, 500, error=error)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 415, 422])
def test_fifty_mistakes_of_one_model_bound_that_model_alone(status):
    guard = GuardState()
    guard.told("m", 0, FAILURES_TODAY)
    fail(guard, 0, FAILURES_TODAY, error=StatusError("no", status=status))
    assert guard.wait("m", 0) == 31
    assert guard.wait("other", 0) == 0
    fail(guard, 0, FAILURES_TODAY, error=MISTAKE, model="other")


def test_mistakes_from_before_the_server_told_of_today_count():
    guard = GuardState()
    fail(guard, 0, 15, error=MISTAKE)
    guard.told("m", 1, FAILURES_TODAY)
    fail(guard, 1, 35, error=MISTAKE)
    assert guard.wait("m", 1) == 30


def test_what_is_left_of_the_budget_bounds_what_is_in_flight():
    """Others use the same key: the server's number counts, however well our own requests go."""
    guard = GuardState()
    succeed(guard, 0, 30)
    guard.told("m", 0, 3, 20)
    for _ in range(3):
        assert guard.wait("m", 1) == 0
        guard.started("m")
    assert guard.wait("m", 1) is None
    guard.failed("m", 2, MISTAKE)
    guard.succeeded("m", 2)
    assert guard.wait("m", 2) == 0
    guard.started("m")
    assert guard.wait("m", 2) is None
    assert guard.wait("m", 20) == 0


def test_where_nothing_is_left_of_the_budget_all_wait_until_it_is_reset():
    guard = GuardState()
    guard.told("m", 0, 0, 12)
    assert guard.wait("m", 2) == 10
    assert guard.wait("other", 2) == 0
    assert guard.wait("m", 12) == 0


@pytest.mark.parametrize(("until", "seconds"), [(17.5, 7.5), (None, 31), (9.0, 31), (1e9, 31)])
def test_a_refusal_for_the_budget_waits_until_its_reset_or_thirty_seconds(until, seconds):
    guard = GuardState()
    guard.told("m", 0, FAILURES_TODAY)
    guard.started("m")
    guard.locked_out("m", 10, LOCKED_OUT, until)
    assert guard.wait("m", 10) == seconds
    assert guard.wait("other", 10) == 0
    ((what, at, model),) = map(attrs.astuple, guard.waits("m", 10))
    assert (what, at, model) == ("the error budget of the key", 10 + seconds, "m")


def test_the_sentence_of_a_refusal_goes_before_what_was_assumed():
    guard = GuardState()
    guard.allows(20)
    guard.told("m", 0, 7)
    assert not guard.is_by_model
    guard.allows(50)
    assert (guard.is_by_model, guard.most) == (True, 50)
