"""Ranges and profiles as values."""

import math

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.types.limits import Range, RequestLimits


@pytest.mark.parametrize(
    ("field", "documented", "schema", "current"),
    [
        ("prompt", "1 <= x <= 1500", "1 <= x <= 1500", "1 <= x <= 32768"),
        ("negative_prompt", "0 <= x <= 1500", "0 <= x <= 1500", "0 <= x <= 32768"),
        ("width", "0 < x < 1280", "0 < x <= 1280", "0 < x <= 1280"),
        ("height", "0 < x < 1280", "0 < x <= 1280", "0 < x <= 1280"),
        ("steps", "0 < x < 50", "0 < x <= 50", "any x"),
        ("cfg_scale", "0 < x < 20", "0 < x <= 20", "0 < x <= 20"),
        (
            "seed",
            "-999999999 < x < 999999999",
            "-999999999 <= x <= 999999999",
            "-999999999 <= x <= 999999999",
        ),
        ("lora_strength", "0 < x < 100", "0 <= x <= 100", "0 <= x <= 100"),
        ("variants", "1 <= x <= 4", "1 <= x <= 4", "1 <= x <= 4"),
    ],
)
def test_a_profile_prints_its_ranges_as_the_reference_page_does(field, documented, schema, current):
    assert str(getattr(RequestLimits.DOCUMENTED, field)) == documented
    assert str(getattr(RequestLimits.SCHEMA, field)) == schema
    assert str(getattr(RequestLimits.CURRENT, field)) == current


@pytest.mark.parametrize(
    ("range_", "inside", "outside"),
    [
        (Range(1, 4), [1, 2.5, 4], [0, 4.5, math.nextafter(4, 5), math.nextafter(1, 0)]),
        (Range.open(0, 20), [math.nextafter(0, 1), 19, math.nextafter(20, 0)], [0, -0.0, 20, 21]),
        (Range(0, 50, low_open=True), [1, 50], [0, 51]),
        (Range(0, 50, high_open=True), [0, 49], [-1, 50]),
        (Range(1, math.inf), [1, 10**400, math.inf], [0]),
    ],
)
def test_an_end_point_is_inside_exactly_where_it_is_not_open(range_, inside, outside):
    assert [value for value in inside if value not in range_] == []
    assert [value for value in outside if value in range_] == []


@settings(deadline=None)
@given(st.integers(), st.integers(), st.booleans(), st.booleans())
def test_nan_is_in_no_range(low, high, low_open, high_open):
    range_ = Range(low, high, low_open, high_open)
    assert not range_.__contains__(float("nan"))


def test_the_documented_profile_is_the_default_one():
    assert RequestLimits() == RequestLimits.DOCUMENTED
    assert RequestLimits.DOCUMENTED != RequestLimits.SCHEMA


@pytest.mark.parametrize("name", ["DOCUMENTED", "SCHEMA", "CURRENT"])
def test_a_profile_is_called_by_its_name_and_is_frozen(name):
    limits = getattr(RequestLimits, name)
    assert limits.name == f"RequestLimits.{name}"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        limits.steps = Range(0, 1)


@pytest.mark.parametrize("divisor", [0, -8])
def test_a_divisor_below_one_is_refused(divisor):
    with pytest.raises(ValueError, match="divisor"):
        RequestLimits(divisor=divisor)
