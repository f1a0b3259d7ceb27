"""Staying clear of the lock-out, one decision at a time and over whole runs."""

import heapq
import random

import pytest

from venice_async.errors import ConfigurationError
from venice_async.policy.guard import Guard, GuardState


def fail(guard, now, times=1):
    for _ in range(times):
        assert guard.wait(now) == 0
        guard.started()
        guard.failed(now)


def succeed(guard, now, times=1):
    for _ in range(times):
        assert guard.wait(now) == 0
        guard.started()
        guard.succeeded(now)


@pytest.mark.parametrize("strict", [None, 1, "yes"])
def test_strict_is_a_truth_value(strict):
    with pytest.raises(ConfigurationError, match="expected True or False"):
        Guard(strict=strict)


@pytest.mark.parametrize("guard", [Guard(), Guard(strict=True)])
def test_twenty_may_be_in_flight_before_anything_is_known(guard):
    state = GuardState(guard)
    for _ in range(20):
        assert state.wait(0) == 0
        state.started()
    assert state.wait(0) is None
    state.abandoned()
    assert state.wait(0) == 0


def test_failures_and_requests_in_flight_are_twenty_together():
    guard = GuardState()
    fail(guard, 0, 15)
    for _ in range(5):
        guard.started()
    assert guard.wait(0) == 31
    assert guard.wait(31) == 0


def test_the_wait_is_for_as_many_failures_as_must_be_forgotten():
    guard = GuardState()
    for second in range(20):
        fail(guard, second)
    assert guard.wait(20) == 11
    guard.started()
    guard.started()
    assert guard.wait(20) == 13


def test_after_twenty_successes_in_a_row_only_the_concurrency_bounds():
    guard = GuardState()
    succeed(guard, 0, 19)
    fail(guard, 0)
    succeed(guard, 0, 20)
    for _ in range(500):
        assert guard.wait(0) == 0
        guard.started()
    guard.failed(0)
    assert guard.wait(0) is None


def test_a_strict_guard_stays_strict():
    guard = GuardState(Guard(strict=True))
    succeed(guard, 0, 500)
    for _ in range(20):
        guard.started()
    assert guard.wait(0) is None


def test_after_a_lock_out_all_are_silent_and_then_one_goes_first():
    guard = GuardState()
    succeed(guard, 0, 20)
    guard.started()
    guard.started()
    guard.locked_out(10)
    guard.succeeded(11)
    assert guard.wait(12) == 29
    assert guard.wait(41) == 0
    guard.started()
    assert guard.wait(41) is None
    guard.succeeded(45)
    assert guard.wait(45) == 0


def test_without_a_guard_only_a_lock_out_that_came_is_waited_for():
    guard = GuardState(None)
    fail(guard, 0, 100)
    guard.started()
    guard.locked_out(0)
    assert guard.wait(0) == 31


def worst_of_a_run(guard, rng):
    """The most failures within 30 s at a server where a drawn share fails, by its own clock."""
    state, share = GuardState(guard), rng.choice([1.0, rng.random()])
    concurrency, slow = rng.randint(1, 200), rng.choice([0.1, 1.0, 10.0, 40.0])
    now, events, order, failures = 0.0, [], 0, []
    while now < 200:
        while state.in_flight < concurrency and state.wait(now) == 0:
            state.started()
            seen = now + rng.uniform(0.03, 0.4) + rng.random() * slow
            failed, order = rng.random() < share, order + 1
            if failed:
                failures.append(seen)
            heapq.heappush(events, (seen + rng.uniform(0.03, 0.4), order, failed))
        wait = state.wait(now)
        wake = now + wait if wait and state.in_flight < concurrency else float("inf")
        if not events or wake < events[0][0]:
            now = wake
            continue
        now, _, failed = heapq.heappop(events)
        state.failed(now) if failed else state.succeeded(now)
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
    worst = [worst_of_a_run(Guard(strict=True), random.Random(seed)) for seed in range(3000 if long else 60)]
    assert max(worst) == 20


def test_a_guard_that_is_not_strict_keeps_an_outage_from_the_start_at_twenty():
    class Outage(random.Random):
        def choice(self, options):
            return options[0]

    assert worst_of_a_run(Guard(), Outage(1)) == 20
