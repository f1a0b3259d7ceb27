"""Every combination of some values of some fields."""

import itertools
import tracemalloc

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.errors import ConfigurationError, ValidationError
from venice_async.sweep import sweep
from venice_async.types.limits import RequestLimits
from venice_async.types.request import ImageRequest

BASE = ImageRequest("a fox", model="m", steps=20, extra={"new": 1})


def test_the_last_field_varies_fastest():
    found = sweep(BASE, prompt=["a", "b"], seed=range(2), cfg_scale=[4, 7.5])
    assert [(made.prompt, made.seed, made.cfg_scale) for made in found] == list(
        itertools.product(["a", "b"], [0, 1], [4, 7.5])
    )


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["seed", "width", "height", "lora_strength"]),
        st.lists(st.integers(1, 99), min_size=1, max_size=4),
    )
)
def test_every_combination_comes_once_and_the_rest_is_the_base(axes):
    swept = sweep(BASE, **axes)
    expected = [
        attrs.evolve(BASE, **dict(zip(axes, values, strict=True)))
        for values in itertools.product(*axes.values())
    ]
    assert list(swept) == expected
    assert list(swept) == expected
    assert len(swept) == len(expected)


def test_a_sweep_over_nothing_is_the_base():
    assert list(sweep(BASE)) == [BASE]
    assert len(sweep(BASE)) == 1


def test_an_iterator_is_read_once_and_the_sweep_can_still_be_read_twice():
    swept = sweep(BASE, seed=iter([3, 4]))
    assert [made.seed for made in swept] == [made.seed for made in swept] == [3, 4]


def test_the_base_keeps_its_limits():
    wide = attrs.evolve(BASE, limits=RequestLimits.SCHEMA)
    assert [made.steps for made in sweep(wide, steps=[49, 50])] == [49, 50]


def test_none_and_extra_can_be_swept():
    (made,) = sweep(BASE, steps=[None], extra=[{"other": 2}])
    assert (made.steps, made.extra) == (None, {"other": 2})


@pytest.mark.parametrize("values", [[49, 50, 48], range(48, 51)])
def test_a_value_outside_its_range_is_refused_before_the_first_request(values):
    with pytest.raises(ValidationError, match="steps = 50"):
        sweep(BASE, steps=values)


def test_values_that_contradict_each_other_are_refused_before_the_first_request():
    with pytest.raises(ValidationError, match="return_binary"):
        sweep(BASE, seed=range(100), variants=[None, 2], return_binary=[None, True])
    assert len(list(sweep(BASE, variants=[None, 2], return_binary=[None, False]))) == 4


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"seeds": [1]}, "no field 'seeds'"),
        ({"limits": [RequestLimits.SCHEMA]}, "no field 'limits'"),
        ({"prompt": "a fox"}, "prompt='a fox' is one value; give a list of values"),
        ({"prompt": b"a fox"}, "is one value"),
        ({"seed": 7}, "seed=7 is one value"),
        ({"seed": None}, "seed=None is one value"),
        ({"seed": []}, "seed has no values"),
        ({"seed": range(0)}, "seed has no values"),
        ({"seed": iter(())}, "seed has no values"),
    ],
)
def test_an_axis_without_a_list_of_values_is_refused_at_once(axes, message):
    with pytest.raises(ConfigurationError, match=message):
        sweep(BASE, **axes)


def test_requests_are_made_when_they_are_asked_for():
    seeds = range(-500_000, 500_000)
    tracemalloc.start()
    try:
        swept = sweep(BASE, prompt=["a", "b"], seed=seeds)
        first = next(iter(swept))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (first.seed, len(swept)) == (-500_000, 2_000_000)
    assert peak < 1_000_000
