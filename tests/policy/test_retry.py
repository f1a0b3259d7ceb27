"""What an error of one attempt means."""

import pytest

from venice_async.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConnectError,
    DecodeError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    StorageError,
    UnconfirmedError,
    UnprocessableEntityError,
)
from venice_async.policy.retry import Refusal, confirm, refusal_of, stops_batch, was_billed
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
    # error, was billed, stops the batch
    (DecodeError("x"), True, False),
    (StorageError(28, "full"), True, True),
    (AuthenticationError("x", status=401), False, True),
    (PaymentRequiredError("x", status=402), False, True),
    (PermissionDeniedError("x", status=403), False, True),
    (BadRequestError("x", status=400), False, False),
    (NotFoundError("x", status=404), False, False),
    (UnprocessableEntityError("x", status=422), False, False),
    (RateLimitError("x", status=429), False, False),
    (ServerError("x", status=500), False, False),
    (ConnectError("x"), False, False),
    (RequestTimeoutError("x"), False, False),
    (UnconfirmedError("x"), False, False),
]


@pytest.mark.parametrize(("error", "billed", "stops"), MEANING, ids=lambda value: type(value).__name__)
def test_what_an_error_means_for_the_money_and_for_the_batch(error, billed, stops):
    assert was_billed(error) is billed
    assert stops_batch(error) is stops


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
