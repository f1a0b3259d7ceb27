"""The counts of a session."""

from hypothesis import given
from hypothesis import strategies as st

from venice_async.telemetry.meter import Meter, latency_of
from venice_async.types.response import RateLimitSnapshot
from venice_async.types.statistics import Latency

seconds = st.lists(st.floats(0, 1e4), min_size=1, max_size=300)
NOTHING = {"balance_usd": None, "balance_diem": None}


@given(seconds)
def test_a_percentile_is_a_value_that_occurred_and_that_share_took_no_longer(values):
    found = latency_of(values)
    assert found.count == len(values)
    for share, value in ((0.5, found.p50), (0.9, found.p90), (0.99, found.p99), (1, found.most)):
        assert value in values
        assert sum(one <= value for one in values) >= share * len(values)
        assert sum(one < value for one in values) < share * len(values)


def test_without_attempts_there_is_no_latency():
    assert latency_of([]) == Latency()


def test_only_the_newest_attempts_count_for_the_latency():
    meter = Meter()
    for number in range(5000):
        meter.received(float(number), NOTHING)
    assert (meter.latency.count, meter.latency.most) == (1000, 4999.0)
    assert meter.latency.p50 == 4499.0


def test_what_an_answer_does_not_tell_leaves_what_was_last_told():
    meter = Meter()
    told = RateLimitSnapshot(limit=20, remaining=7)
    meter.answered(200, told)
    meter.received(1.0, {"balance_usd": 9.5, "balance_diem": 0.0})
    meter.answered(500, RateLimitSnapshot())
    meter.received(1.0, NOTHING)
    assert meter.rate_limit == told
    assert (meter.balance_usd, meter.balance_diem) == (9.5, 0.0)
    assert meter.by_status == {200: 1, 500: 1}
