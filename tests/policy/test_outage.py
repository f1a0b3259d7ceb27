"""What a batch makes of a server that cannot be reached, on a clock that is moved by hand."""

import math

import pytest

from venice_async.errors import ConnectError, RequestTimeoutError, StatusError
from venice_async.policy.outage import ItemRetries, Outage, unreached
from venice_async.policy.retry import RetryPolicy


def pauses(outage, seconds):
    """How long each pause is while every attempt fails at once, until it is over or so much time has gone."""
    now, found = 0.0, []
    outage.failed(now)
    while not outage.is_over(now) and now < seconds:
        found.append(outage.until - now)
        now = outage.until
        outage.failed(now)
    return found, now


def test_the_pauses_grow_and_what_was_never_reached_is_given_up_after_two_minutes():
    found, now = pauses(Outage(max_wait=None), math.inf)
    assert found == [1, 2, 4, 8, 16, 30, 30, 29]
    assert now == 120


def test_what_was_reached_is_waited_for_as_long_as_the_caller_says():
    outage = Outage(max_wait=600)
    outage.reached()
    assert pauses(outage, math.inf)[1] == 600


def test_what_was_reached_may_be_waited_for_without_end():
    outage = Outage(max_wait=None)
    outage.reached()
    found, _ = pauses(outage, 1e5)
    assert len(found) > 1000
    assert outage.gives_up_at == math.inf


def test_less_patience_than_two_minutes_is_kept():
    assert pauses(Outage(max_wait=10), math.inf) == ([1, 2, 4, 3], 10)


def test_attempts_that_were_under_way_when_a_pause_began_make_it_no_longer():
    outage = Outage(max_wait=None)
    outage.failed(0)
    for tenth in range(1, 10):
        outage.failed(tenth / 10)
    assert outage.until == 1


def test_an_answer_ends_it_and_the_next_one_begins_anew():
    outage = Outage(max_wait=600)
    outage.failed(0)
    outage.failed(1)
    outage.reached()
    assert outage.gives_up_at == math.inf
    outage.failed(500)
    assert outage.until == 501
    assert outage.gives_up_at == 1100


def test_what_could_not_connect_costs_an_item_no_attempt():
    retries = ItemRetries(RetryPolicy(attempts=2, wait_initial=1))
    for _ in range(9):
        assert retries.wait(ConnectError("refused"), 1, random=0.5) is None
    assert retries.wait(StatusError("busy", status=503), 1, random=0.5) == 0.5
    assert retries.wait(StatusError("busy", status=503), 1, random=0.5) is None


def test_what_broke_on_the_way_is_an_attempt():
    assert not unreached(ConnectError("broke", connected=True))
    assert not unreached(RequestTimeoutError("late"))


@pytest.mark.parametrize(("max_wait", "wait"), [(None, 120.0), (120.0, 120.0), (119.0, None)])
def test_a_server_that_asks_for_more_than_is_waited_for_is_not_waited_for(max_wait, wait):
    retries = ItemRetries(RetryPolicy(), max_wait)
    error = StatusError("busy", status=503, retry_after=120.0)
    assert retries.wait(error, 1, random=0.5) == wait
