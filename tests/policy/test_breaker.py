"""When a batch goes on in vain."""

import errno

import pytest

from venice_async.errors import DecodeError, StatusError, StorageError, UnconfirmedError
from venice_async.policy.breaker import Breaker, normalised


def decode(number: int, what: str = "images[0]: invalid base64") -> DecodeError:
    return DecodeError(what, offset=number)


def refused(number: int, status: int = 400) -> StatusError:
    return StatusError(f"width {number} of 'prompt {number}' is not allowed", status=status)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the limit is 1500", "the limit is 7680"),
        ("request 8f1a-FRA failed", "request 9c2b-AMS failed"),
        ("no style 'Oil', see the list", "no style 'Ink paint', see the list"),
        ('no style "Oil"', 'no style "Ink"'),
        ("no model `a`", "no model `b`"),
        ("images[0] is cut short", "images[2] is cut short"),
        ("two  words", "two words"),
    ],
)
def test_what_differs_between_two_faults_of_one_kind_is_left_out(one, other):
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("the width is wrong", "the height is wrong"), ("it can't be, don't ask", "it can't do, don't ask")],
)
def test_what_tells_two_kinds_apart_stays(one, other):
    assert normalised(one) != normalised(other)


def test_five_unusable_answers_alike_in_a_row_stop_the_batch_and_say_what_came():
    breaker = Breaker()
    assert [breaker.unusable(decode(number)) for number in range(4)] == [None] * 4
    stopped = breaker.unusable(decode(4))
    assert "5 answers in a row were paid for and unusable" in str(stopped)
    assert "invalid base64" in str(stopped)
    assert "max_unusable=5" in str(stopped)


def test_a_page_that_was_not_paid_for_is_not_called_so():
    breaker = Breaker(max_unusable=1)
    assert "paid" not in str(breaker.unusable(DecodeError("a page of HTML: 'Sign in'", billed=False)))


def test_a_success_or_a_fault_of_another_kind_begins_a_new_row():
    breaker = Breaker(max_unusable=2)
    assert breaker.unusable(decode(1)) is None
    breaker.succeeded("a")
    assert breaker.unusable(decode(1)) is None
    assert breaker.unusable(decode(1, "images[0] is empty")) is None
    assert breaker.unusable(decode(1)) is None
    assert breaker.unusable(decode(2)) is not None


def test_what_was_not_answered_leaves_the_row_of_answers_alone():
    breaker = Breaker(max_unusable=2)
    assert breaker.unusable(decode(1)) is None
    assert breaker.unusable(UnconfirmedError("lost")) is None
    assert breaker.unusable(refused(1)) is None
    assert breaker.unusable(decode(2)) is not None


def test_names_that_the_disk_refuses_are_alike_whatever_they_are():
    breaker = Breaker(max_unusable=2)
    assert breaker.unusable(StorageError(errno.ENAMETOOLONG, "too long", "a.png")) is None
    assert breaker.unusable(StorageError(errno.ENAMETOOLONG, "too long", "b.png")) is not None


def test_ten_refusals_alike_in_a_row_stop_a_model_and_say_what_came():
    breaker = Breaker()
    assert [breaker.ended_otherwise("a", refused(number)) for number in range(9)] == [None] * 9
    stopped = breaker.ended_otherwise("a", refused(9))
    assert "10 requests for a in a row were refused" in str(stopped)
    assert "400: width 9 of 'prompt 9' is not allowed" in str(stopped)


def test_refusals_are_counted_for_each_model():
    breaker = Breaker(max_refusals=2)
    assert breaker.ended_otherwise("a", refused(1)) is None
    assert breaker.ended_otherwise("b", refused(1)) is None
    assert breaker.ended_otherwise("a", refused(2)) is not None


@pytest.mark.parametrize("other", [refused(1, 422), StatusError("no", status=400), UnconfirmedError("lost")])
def test_anything_else_of_the_model_begins_its_row_anew(other):
    breaker = Breaker(max_refusals=2)
    assert breaker.ended_otherwise("a", refused(1)) is None
    assert breaker.ended_otherwise("a", other) is None
    assert breaker.ended_otherwise("a", refused(2)) is None
    assert breaker.ended_otherwise("a", refused(3)) is not None


def test_after_a_first_success_refusals_stop_nothing():
    breaker = Breaker(max_refusals=2)
    breaker.succeeded("a")
    assert [breaker.ended_otherwise("a", refused(number)) for number in range(20)] == [None] * 20


def test_zero_is_no_limit():
    breaker = Breaker(max_unusable=0, max_refusals=0)
    for number in range(100):
        assert breaker.unusable(decode(number)) is None
        assert breaker.ended_otherwise("a", refused(number)) is None
