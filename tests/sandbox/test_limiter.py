"""The limiter, by values and a clock that is moved by hand."""

from __future__ import annotations

import pytest

from venice_async.sandbox.limiter import FixedWindow, Unlimited, make_limiter


def test_window_allows_its_number_and_no_more():
    """The request after the last one of the window is refused, and told when the window ends."""
    limiter = FixedWindow(3, 60.0)
    verdicts = [limiter.take("m", 100.0 + second) for second in range(4)]
    assert [v.allowed for v in verdicts] == [True, True, True, False]
    assert [v.remaining for v in verdicts] == [2, 1, 0, 0]
    assert {v.reset_at for v in verdicts} == {160.0}
    assert all(v.limit == 3 and v.enforced for v in verdicts)


def test_window_opens_with_its_first_request_and_ends_sharp():
    """A moment before its end the window still refuses; at its end a new one opens, from then on."""
    limiter = FixedWindow(1, 60.0)
    assert limiter.take("m", 100.0).allowed
    assert not limiter.take("m", 159.999).allowed
    again = limiter.take("m", 160.0)
    assert again.allowed
    assert again.reset_at == 220.0
    late = limiter.take("m", 500.0)
    assert late.allowed
    assert late.reset_at == 560.0


def test_every_model_has_a_window_of_its_own():
    """What one model used up is there for another."""
    limiter = FixedWindow(1, 60.0)
    assert limiter.take("a", 0.0).allowed
    assert limiter.take("b", 30.0).reset_at == 90.0
    assert not limiter.take("a", 30.0).allowed


def test_peek_counts_nothing():
    """Looking at the limit leaves it as it is, before, within and after a window."""
    limiter = FixedWindow(2, 10.0)
    assert limiter.peek("m", 0.0).remaining == 2
    limiter.take("m", 5.0)
    assert [limiter.peek("m", 6.0).remaining for _ in range(3)] == [1, 1, 1]
    assert limiter.peek("m", 6.0).reset_at == 15.0
    limiter.take("m", 6.0)
    assert not limiter.peek("m", 7.0).allowed
    assert limiter.peek("m", 15.0).remaining == 2


def test_no_limit_never_refuses():
    """Without a limit the figures are generous and stay as they are."""
    limiter = make_limiter("fixed", None, 60.0)
    verdicts = {limiter.take("m", 5.0) for _ in range(1000)}
    assert verdicts == {limiter.peek("m", 5.0)}
    verdict = verdicts.pop()
    assert verdict.allowed
    assert not verdict.enforced
    assert verdict.remaining >= 100_000
    assert isinstance(limiter, Unlimited)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sliding", 5, 60.0), "there is 'fixed'"),
        (("sliding", None, 60.0), "there is 'fixed'"),
        (("fixed", 0, 60.0), "rpm=0"),
        (("fixed", True, 60.0), "rpm=True"),
        (("fixed", 1.5, 60.0), "rpm=1.5"),
        (("fixed", 5, 0), "window=0"),
        (("fixed", 5, float("nan")), "window=nan"),
        (("fixed", 5, float("inf")), "window=inf"),
    ],
)
def test_bad_arguments_are_named(arguments, said):
    """A limiter that cannot be made says which argument is wrong."""
    with pytest.raises(ValueError, match=said):
        make_limiter(*arguments)
