"""The server's time, told from questions and answers: never later than it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venice_async.stores.redis.clock import ServerTime

AHEAD = 1_000_000.0


def told(time, asked, there, back, *, ahead=AHEAD):
    """Ask at a time of ours; the question and the answer take so long. By how much the clock was set."""
    return time.saw(asked + there + ahead, asked, asked + there + back)


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3)), min_size=1, max_size=30))
def test_what_is_taken_for_the_servers_time_is_never_later_than_it_is(ways):
    """However long a question or an answer takes, and no such wait is taken for a clock that was set."""
    time, now = ServerTime(), 50.0
    for there, back in ways:
        assert told(time, now, there, back) == 0
        now += there + back
        assert time.ahead <= AHEAD + 1e-6
    assert time.ahead >= AHEAD - min(back for _, back in ways[-8:]) - 1e-6


@pytest.mark.parametrize("step", [-3600.0, -0.7, 0.7, 3600.0])
def test_a_clock_that_was_set_is_noticed_at_the_next_answer(step):
    time = ServerTime()
    for now in range(5):
        assert told(time, now, 0.01, 0.01) == 0
    assert told(time, 6, 0.01, 0.01, ahead=AHEAD + step) == pytest.approx(step, abs=0.02)
    assert told(time, 7, 0.01, 0.01, ahead=AHEAD + step) == 0
    assert time.ahead == pytest.approx(AHEAD + step, abs=0.02)


@pytest.mark.parametrize("step", [-0.2, 0.2])
def test_a_clock_that_drifts_is_followed_and_moves_nothing(step):
    time = ServerTime()
    assert told(time, 1, 0.01, 0.01) == 0
    assert told(time, 2, 0.01, 0.01, ahead=AHEAD + step) == 0
    assert time.ahead == pytest.approx(AHEAD + step, abs=0.02)
