"""Values of `--set`."""

import pytest

from venice_async.cli.axes import parse_axes
from venice_async.errors import ConfigurationError


@pytest.mark.parametrize(
    ("texts", "axes"),
    [
        (None, {}),
        (["cfg_scale=4,7.5"], {"cfg_scale": [4.0, 7.5]}),
        (["steps=20..30:5", "safe_mode=true, no"], {"steps": [20, 25, 30], "safe_mode": [True, False]}),
        (["steps=20..29:5"], {"steps": [20, 25]}),
        (["cfg_scale=1..2:0.25"], {"cfg_scale": [1.0, 1.25, 1.5, 1.75, 2.0]}),
        (["cfg_scale=0.1..0.3:0.1"], {"cfg_scale": [0.1, 0.2, 0.3]}),
        (["seed=-2..1,7"], {"seed": [-2, -1, 0, 1, 7]}),
        (['style_preset="Film, old", Anime'], {"style_preset": ["Film, old", "Anime"]}),
        (["prompt=a=b"], {"prompt": ["a=b"]}),
        (["steps=x"], {"steps": ["x"]}),  # the field's own check names its range
    ],
)
def test_lists_and_ranges(texts, axes):
    assert parse_axes(texts) == axes


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["steps"], "write NAME=VALUES"),
        (["steps="], "write NAME=VALUES"),
        (["stepps=1"], "no field 'stepps'; did you mean steps?"),
        (["limits=1"], "no field 'limits'"),
        (["steps=1", "steps=2"], "--set steps is given twice"),
        (["steps=5..1"], "5..1 runs backwards, stands still or is endless"),
        (["steps=1..5:0"], "1..5:0 runs backwards, stands still or is endless"),
        (["seed=0..999999999"], "runs backwards, stands still or is endless"),
    ],
)
def test_what_is_no_list_is_refused(texts, message):
    with pytest.raises(ConfigurationError) as caught:
        parse_axes(texts)
    assert message in str(caught.value)
