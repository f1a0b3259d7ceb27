"""How a request is carried out, as values."""

import attrs
import pytest

from venice_async.errors import ConfigurationError
from venice_async.types.options import AnswerLimits, Timeouts


@pytest.mark.parametrize("name", [each.name for each in attrs.fields(AnswerLimits)])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, None, "1"])
def test_a_limit_of_an_answer_is_a_whole_number_of_at_least_1(name, value):
    with pytest.raises(ConfigurationError, match=rf"^{name}={value!r}: expected an integer of at least 1$"):
        AnswerLimits(**{name: value})
    assert getattr(AnswerLimits(**{name: 1}), name) == 1


@pytest.mark.parametrize("name", [each.name for each in attrs.fields(Timeouts)])
@pytest.mark.parametrize("value", [0, -1, True, float("inf"), float("nan"), "1"])
def test_a_time_out_is_some_seconds(name, value):
    with pytest.raises(ConfigurationError, match=rf"^{name}={value!r}: expected seconds above 0, or None$"):
        Timeouts(**{name: value})
