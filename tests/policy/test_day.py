"""The limit of a day, on a clock that is moved by hand."""

from hypothesis import given
from hypothesis import strategies as st

from venice_async.policy.day import DAY, Day


def test_nothing_waits_while_the_limit_is_not_known_and_what_was_sent_counts_once_it_is():
    day = Day()
    for second in range(100):
        assert day.wait(second) == 0
        day.sent(second, 1)
    day.limit = 100
    assert day.wait(100) == DAY + 60 - 100


def test_a_request_for_several_images_goes_whole_or_waits():
    day = Day(10)
    day.sent(0, 4)
    day.sent(1000, 4)
    assert day.wait(2000, 2) == 0
    assert day.wait(2000, 4) == DAY + 60 - 2000
    assert day.wait(DAY + 60, 4) == 0


def test_what_was_not_sent_after_all_is_given_back():
    day = Day(2)
    day.sent(0, 1)
    day.sent(200, 1)
    assert day.wait(300) > 0
    day.withdrawn(200, 1)
    assert day.wait(300) == 0


def test_where_the_server_has_nothing_left_all_wait_for_its_reset():
    day = Day(1000)
    day.told(1000, 5, 9000.0)
    assert day.wait(0) == 0
    day.told(800, 0, 9000.0)
    assert day.limit == 800
    assert day.wait(1000) == 8000


@given(
    st.integers(4, 30),
    st.lists(st.tuples(st.floats(0, 20_000), st.integers(1, 4)), max_size=80),
)
def test_any_day_holds_no_more_than_the_limit(limit, requests):
    day, now, sent = Day(limit), 0.0, []
    for later, units in requests:
        now += later
        now += day.wait(now, units)
        assert day.wait(now, units) == 0
        day.sent(now, units)
        sent.append((now, units))
    for begin, _ in sent:
        assert sum(units for at, units in sent if begin <= at < begin + DAY) <= limit
