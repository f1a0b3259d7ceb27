"""Waiting for the rate limit, one decision at a time."""

import math

import pytest

from venice_async.errors import ConfigurationError
from venice_async.policy.pace import SendLog
from venice_async.policy.rate_limit import Permits, RateLimit
from venice_async.types.catalogue import KeyRateLimits
from venice_async.types.response import RateLimitSnapshot

SERVER = 1_700_000_000.0  # the server's clock when ours shows 0


def told(remaining, reset_in, now, *, limit=20, scope="api_key", **more):
    """What an answer says that arrives at `now`."""
    return RateLimitSnapshot(
        limit=limit,
        remaining=remaining,
        reset_at=SERVER + now + reset_in,
        server_time=SERVER + now,
        scope=scope,
        **more,
    )


def burst(permits, now, model="m", at_most=1000):
    """Send as long as nothing has to wait; the permits."""
    taken = []
    while len(taken) < at_most and permits.wait(model, now) == 0:
        taken.append(permits.sent(model, now))
    return taken


def settled(*, limit=20, at=0.0):
    """Permits of a key whose first request has been answered at once."""
    permits = Permits()
    first = permits.sent("m", at)
    permits.answered(first, told(limit - 1, 60, at, limit=limit), at)
    return permits


@pytest.mark.parametrize("requests", [0, -1, 1.5, True, "60"])
def test_a_rate_is_a_whole_number_from_one(requests):
    with pytest.raises(ConfigurationError, match="expected a whole number, 1 to"):
        RateLimit.per_minute(requests)


@pytest.mark.parametrize("shared", ["", "file.db", 7])
def test_where_processes_meet_is_an_address(shared):
    with pytest.raises(ConfigurationError, match="expected an address"):
        RateLimit.auto(shared=shared)


def test_a_rate_limit_carries_where_processes_meet():
    assert RateLimit.auto(shared="sqlite:///x.db").shared == "sqlite:///x.db"
    assert RateLimit.per_minute(60).requests_per_minute == 60
    assert RateLimit.auto() == RateLimit()


def test_where_nothing_is_known_one_request_goes_and_the_rest_wait_for_its_answer():
    permits = Permits()
    (first,) = burst(permits, 0)
    assert permits.wait("m", 5) == 55
    permits.answered(first, told(19, 55, 5), 5)
    assert permits.wait("m", 5) == 0


def test_a_first_request_without_an_answer_lets_one_more_go():
    permits = Permits()
    for now in (0, 1, 2):
        (only,) = burst(permits, now)
        permits.unanswered(only)


def test_answers_without_headers_mean_twenty_a_minute():
    permits = Permits()
    (first,) = burst(permits, 0)
    permits.answered(first, RateLimitSnapshot(), 1)
    sent, now = 1, 1.0
    while now < 60:
        sent += len(burst(permits, now))
        now += max(permits.wait("m", now), 1e-3)
    assert sent == 20


def test_a_known_limit_starts_with_half_of_it_and_paces_the_rest():
    permits = Permits()
    permits.key_limits(KeyRateLimits(models={"m": {"RPM": 60.0}}))
    assert len(burst(permits, 0)) == 30
    assert permits.wait("m", 0) == pytest.approx(1, rel=0.01)
    assert len(burst(permits, 1.01)) == 1


def test_a_limit_that_comes_after_the_first_request_frees_the_rest():
    permits = Permits()
    assert len(burst(permits, 0)) == 1
    permits.key_limits(KeyRateLimits(models={"m": {"RPM": 20.0}, "other": {"RPM": 2.0}}))
    assert len(burst(permits, 0.5)) == 9
    assert len(burst(permits, 0.5, "other")) == 1


@pytest.mark.parametrize("amounts", [{}, {"RPD": 9.0}, {"RPM": 0.0}, {"RPM": -1.0}])
def test_a_limit_that_cannot_be_right_is_none(amounts):
    permits = Permits()
    permits.key_limits(KeyRateLimits(models={"m": amounts}))
    assert len(burst(permits, 0)) == 1


def test_headers_are_right_where_the_settings_say_otherwise():
    permits = settled(limit=5)
    permits.key_limits(KeyRateLimits(models={"m": {"RPM": 60.0}}))
    assert permits.bucket("m").limit == 5


def test_one_model_does_not_wait_for_another():
    permits = Permits()
    burst(permits, 0, "a")
    assert permits.wait("a", 0) > 0
    assert permits.wait("b", 0) == 0


def test_a_limit_of_the_user_is_one_bucket_for_all_models():
    permits = Permits()
    (first,) = burst(permits, 0, "a")
    burst(permits, 0, "b")
    permits.answered(first, told(18, 60, 0, scope="user"), 0)
    assert permits.bucket("a") is permits.bucket("b") is permits.bucket("c")
    assert permits.bucket("c").sends.count(-1) == 2


def test_what_others_used_is_charged_until_the_reset():
    permits = Permits()
    (first,) = burst(permits, 0)
    permits.answered(first, told(3, 40, 0), 0)
    sent, now = 0, 0.0
    while now < 39.9:
        sent += len(burst(permits, now))
        now += max(permits.wait("m", now), 1e-3)
    assert sent == 3
    assert len(burst(permits, 41)) >= 1


def test_what_others_use_later_is_seen():
    permits = settled()
    last = None
    now = 0.0
    while now < 30:
        for permit in burst(permits, now):
            last = permit
        now += max(permits.wait("m", now), 1e-3)
    permits.answered(last, told(0, 30, now), now)
    assert permits.wait("m", now) == pytest.approx(30, abs=1)


def test_an_answer_to_an_earlier_request_does_not_raise_what_remains():
    permits = Permits()
    permits.key_limits(KeyRateLimits(models={"m": {"RPM": 20.0}}))
    early = permits.sent("m", 0)
    late = permits.sent("m", 5)
    permits.answered(late, told(0, 55, 6), 6)
    waits = permits.wait("m", 6)
    permits.answered(early, told(19, 53, 7), 7)
    assert permits.wait("m", 7) == pytest.approx(waits - 1)
    assert waits == pytest.approx(55, abs=1.5)


def test_a_lower_limit_holds_from_the_answer_on():
    permits = settled(limit=60)
    sends = burst(permits, 0, at_most=25)
    permits.answered(sends[-1], told(0, 50, 1, limit=20), 1)
    assert permits.wait("m", 1) > 40


def test_a_refusal_pauses_the_bucket_until_the_reset():
    permits = settled()
    (permit,) = burst(permits, 10, at_most=1)
    permits.refused(permit, None, told(0, 25, 10.2), 10.2)
    assert permits.wait("m", 10.2) == pytest.approx(25, abs=0.5)
    assert permits.wait("other", 10.2) == 0
    assert len(burst(permits, 36)) == 1


@pytest.mark.parametrize(("asked", "seconds"), [(7.0, 7.0), (0.0, 1.0), (200.0, 60.0)])
def test_a_refusal_that_says_how_long_is_obeyed_and_asked_again_after_a_window(asked, seconds):
    permits = settled()
    (permit,) = burst(permits, 10, at_most=1)
    permits.refused(permit, asked, told(0, 25, 10), 10)
    # The reset may be further away than what was asked for, where others have used the rest.
    assert permits.bucket("m").pace(10).paused_until == pytest.approx(10 + max(asked, 1))
    assert permits.wait("m", 10) >= seconds


def test_a_refusal_without_any_header_pauses_for_a_window():
    permits = settled()
    (permit,) = burst(permits, 10, at_most=1)
    permits.refused(permit, None, None, 11)
    assert permits.wait("m", 11) == 60


def test_a_refusal_that_the_log_does_not_explain_slows_the_pace_for_an_hour():
    permits = settled()
    (permit,) = burst(permits, 10, at_most=1)
    permits.refused(permit, 1.0, RateLimitSnapshot(limit=20, remaining=None), 10)
    assert permits.bucket("m").pace(20).interval == pytest.approx(3.0125 * 1.05)
    assert permits.bucket("m").pace(20 + 3600).interval == pytest.approx(3.0125)


def test_an_overloaded_model_backs_off_alone_and_longer_each_time():
    permits = Permits(None)
    now, seen = 100.0, []
    for _ in range(7):
        permit = permits.sent("m", now)
        permits.overloaded(permit, None, None, now, random=1.0)
        seconds = permits.wait("m", now)
        seen.append(seconds)
        now += seconds
    assert seen == [1, 2, 4, 8, 16, 30, 30]
    assert permits.wait("other", now) == 0


def test_overloads_of_requests_that_went_together_count_once():
    permits = settled()
    taken = burst(permits, 100, at_most=5)
    for permit in taken:
        permits.overloaded(permit, None, None, 101, random=0.0)
    assert permits._loads["m"].until == 101.5


def test_a_success_ends_the_back_off():
    permits = Permits(None)
    permits.overloaded(permits.sent("m", 0), None, None, 0, random=1.0)
    assert permits.wait("m", 0) == 1
    permits.answered(permits.sent("m", 1), None, 2)
    permits.overloaded(permits.sent("m", 2), 20.0, None, 2, random=1.0)
    assert permits.wait("m", 2) == 20


def test_without_a_rate_limit_nothing_waits():
    permits = Permits(None)
    assert len(burst(permits, 0, at_most=500)) == 500


def test_a_clock_that_is_off_or_set_changes_nothing():
    permits = settled()
    for ahead in (-3600, 3600, -1e9):
        (permit,) = burst(permits, 100, at_most=1)
        snapshot = RateLimitSnapshot(
            limit=20, remaining=18, reset_at=SERVER + 160 + ahead, server_time=SERVER + 100 + ahead
        )
        permits.answered(permit, snapshot, 100)
        assert permits.wait("m", 100) <= 3.1
        assert permits.bucket("m").window == 60


def test_a_window_longer_than_a_minute_is_believed_the_second_time():
    permits = Permits()
    (first,) = burst(permits, 0)
    permits.answered(first, told(19, 600, 0), 0)
    assert permits.bucket("m").window == 60
    second = permits.sent("m", 10)
    permits.answered(second, told(18, 590, 10), 10)
    assert permits.bucket("m").window == pytest.approx(590)


def test_a_log_knows_its_newest_and_counts_and_forgets():
    log = SendLog()
    assert log.newest(1) == -math.inf
    for second in range(2000):
        log.add(float(second))
        log.forget(second - 9.5)
    assert [log.newest(nth) for nth in (1, 10, 11)] == [1999, 1990, -math.inf]
    assert log.count(1994.5) == 5
    assert log.count(0) == 10
    assert len(log._times) < 1200
    log.add(5.0)
    assert log.newest(1) == 1999


def test_what_others_sent_is_put_among_the_newest_without_a_look_at_all_the_others():
    class Counted(float):
        looks = 0

        def __lt__(self, other):
            Counted.looks += 1
            return float(self) < other

    log = SendLog()
    for second in range(10_000):
        log.add(float(second))
    log.insert([Counted(9_998.5), Counted(3.5), Counted(10_000)])
    assert [log.newest(nth) for nth in (1, 2, 3)] == [10_000, 9_999, 9_998.5]
    assert log.count(3.2) == 9_996 + 3
    assert Counted.looks < 50
