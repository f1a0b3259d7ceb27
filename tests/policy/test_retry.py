"""What an error of one attempt means."""

import pytest

from venice_async.errors import (
    BadRequestError,
    ConfigurationError,
    ConnectError,
    DecodeError,
    OutputExistsError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    StorageError,
    UnconfirmedError,
)
from venice_async.policy.retry import Refusal, confirm, refusal_of, was_billed
from venice_async.types.response import RateLimitSnapshot


@pytest.mark.parametrize("status", [501, 502, 504, 505, 507, 520, 524, 527, 529, 530, 599])
def test_a_5xx_that_leaves_the_purchase_open_is_unconfirmed(status):
    error = ServerError("bad gateway", status=status, request_id="8f1-FRA")
    found = confirm(error)
    assert type(found) is UnconfirmedError
    assert (found.status, found.request_id) == (status, "8f1-FRA")
    assert str(error) in str(found)
    assert "billed" in str(found)


@pytest.mark.parametrize("status", [500, 503, 521, 522, 523, 525, 526])
def test_a_5xx_of_work_that_was_not_done_stays_what_it_is(status):
    error = ServerError("no", status=status)
    assert confirm(error) is error


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 413, 415, 422, 429, 499])
def test_a_status_below_500_stays_what_it_is(status):
    error = StatusError("no", status=status)
    assert confirm(error) is error


@pytest.mark.parametrize(
    "error",
    [
        ConnectError("x"),
        RequestTimeoutError("x"),
        UnconfirmedError("x", status=502),
        DecodeError("x"),
        StorageError(28, "full"),
        ConfigurationError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_without_a_status_of_its_own_stays_what_it_is(error):
    assert confirm(error) is error


MEANING = [
    # error, was billed
    (DecodeError("x"), True),
    (DecodeError("x", billed=False), False),
    (StorageError(28, "full"), True),
    (OutputExistsError(17, "taken"), False),
    (BadRequestError("x", status=400), False),
    (RateLimitError("x", status=429), False),
    (ServerError("x", status=500), False),
    (ConnectError("x"), False),
    (RequestTimeoutError("x"), False),
]


@pytest.mark.parametrize(("error", "billed"), MEANING, ids=lambda value: type(value).__name__)
def test_what_an_error_means_for_the_money(error, billed):
    assert was_billed(error) is billed


NOTHING = RateLimitSnapshot()
SPENT = RateLimitSnapshot(remaining=0, reset_at=1.0)
LEFT = RateLimitSnapshot(remaining=7)
BUDGET = RateLimitSnapshot(error_budget_remaining=0)


@pytest.mark.parametrize(
    ("reason", "asked", "snapshot", "refusal"),
    [
        # What the server says goes before its headers.
        *[("rate_limit", 30.0, told, Refusal.RATE) for told in (NOTHING, SPENT, LEFT, BUDGET, None)],
        *[("overloaded", None, told, Refusal.LOAD) for told in (NOTHING, SPENT, LEFT, BUDGET, None)],
        *[("error_budget", 30.0, told, Refusal.LOCK_OUT) for told in (NOTHING, SPENT, LEFT, BUDGET, None)],
        # Of an unknown sentence: the limit that has nothing left, a load that asks to wait, the rate.
        *[(None, asked, SPENT, Refusal.RATE) for asked in (None, 30.0)],
        *[(None, asked, BUDGET, Refusal.LOCK_OUT) for asked in (None, 30.0)],
        *[(None, 30.0, told, Refusal.LOAD) for told in (NOTHING, LEFT, None)],
        *[(None, None, told, Refusal.RATE) for told in (NOTHING, LEFT, None)],
    ],
)
def test_a_429_is_one_of_three(reason, asked, snapshot, refusal):
    error = RateLimitError("no", status=429, reason=reason, retry_after=asked)
    assert refusal_of(error, snapshot) is refusal


@pytest.mark.parametrize("snapshot", [None, SPENT, BUDGET])
def test_a_503_is_a_models_load_and_no_other_error_is_a_refusal(snapshot):
    assert refusal_of(ServerError("no", status=503), snapshot) is Refusal.LOAD
    for error in (ServerError("no", status=500), BadRequestError("no", status=400), UnconfirmedError("no")):
        assert refusal_of(error, snapshot) is None
