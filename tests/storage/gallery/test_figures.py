"""How a job went, in figures."""

from hypothesis import given
from hypothesis import strategies as st

from venice_async.storage.gallery.figures import figures_of
from venice_async.storage.gallery.plots import histogram, over_time

NOTHING = {"images": 0, "spent_usd": None, "failures": ()}
values = st.lists(st.floats(0, 1e6), min_size=1, max_size=200)


def test_latency_and_rate_come_from_the_times_of_the_answers():
    figures = figures_of([(100.0, 101.0), (100.5, 103.5), (110.0, 130.0)], [], [], **NOTHING)
    assert (figures.latency.p50, figures.latency.most) == (3.0, 20.0)
    assert figures.per_minute == 60 * 3 / 30
    assert (figures.queue.count, figures.inference.count) == (0, 0)


def test_a_clock_that_was_set_back_makes_no_negative_time():
    figures = figures_of([(100.0, 90.0), (101.0, 102.0)], [], [], **NOTHING)
    assert figures.latency.p50 == 0.0


def test_without_answers_there_is_nothing_to_tell():
    figures = figures_of([], [], [], **NOTHING)
    assert (figures.answers, figures.latency.count, figures.per_minute) == (0, 0, None)


@given(values)
def test_every_value_is_in_one_bar(found):
    bars = histogram(found, "s")
    assert sum(bars.counts) == len(found)
    assert len(bars.counts) <= 33
    assert bars.last >= max(found) * 0.999
    assert bars.tallest == max(bars.counts)


@given(st.lists(st.floats(1.7e9, 1.8e9), max_size=100))
def test_events_are_counted_from_the_first_one_on(times):
    bars = over_time(times, "s")
    assert sum(bars.counts) == len(times)
    assert bars.first == 0
