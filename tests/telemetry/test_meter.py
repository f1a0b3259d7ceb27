"""The counts of a session."""

from venice_async.telemetry.meter import Meter
from venice_async.types.response import RateLimitSnapshot

NOTHING = {"balance_usd": None, "balance_diem": None}


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
