"""How values are spread."""

from hypothesis import given
from hypothesis import strategies as st

from venice_async.types.statistics import Spread, spread_of


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300))
def test_a_percentile_is_a_value_that_occurred_and_that_share_is_no_larger(values):
    found = spread_of(values)
    assert found.count == len(values)
    for share, value in ((0.5, found.p50), (0.9, found.p90), (0.99, found.p99), (1, found.most)):
        assert value in values
        assert sum(one <= value for one in values) >= share * len(values)
        assert sum(one < value for one in values) < share * len(values)


def test_of_no_values_there_is_no_percentile():
    assert spread_of([]) == Spread()
