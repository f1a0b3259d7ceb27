"""How far an error reaches: the table, row by row."""

import errno

import pytest

from venice_async import errors
from venice_async.errors import (
    BudgetExceededError,
    ConfigurationError,
    ConnectError,
    ConnectTimeoutError,
    ContentBlockedError,
    DecodeError,
    DirectoryLockedError,
    JournalError,
    LeaseLostError,
    LongWaitError,
    OutputExistsError,
    Reason,
    RequestTimeoutError,
    SessionStateError,
    StatusError,
    StorageError,
    StoreError,
    TooManyFailuresError,
    UnconfirmedError,
    ValidationError,
)
from venice_async.policy.scope import Scope, passes, scope_of
from venice_async.types.response import Moderation

ITEM, MODEL, JOB = Scope.ITEM, Scope.MODEL, Scope.JOB


def answered(status: int, reason: Reason | None = None) -> StatusError:
    return StatusError("no", status=status, reason=reason)


ANSWERS = [
    # status, reason, scope, passes by itself
    (301, None, JOB, False),
    (400, None, ITEM, False),
    (401, None, JOB, False),
    (401, "pro_only", MODEL, False),
    (401, "firewall", ITEM, False),
    (402, None, JOB, False),
    (403, None, MODEL, False),
    (403, "api_disabled", JOB, False),
    (403, "firewall", ITEM, False),
    (403, "privacy", MODEL, False),
    (403, "region", MODEL, False),
    (404, None, MODEL, False),
    (404, "deprecated", MODEL, False),
    (404, "not_the_api", JOB, False),
    (405, None, JOB, False),
    (405, "not_the_api", JOB, False),
    (406, "firewall", ITEM, False),
    (407, None, JOB, False),
    (410, None, JOB, False),
    (410, "not_the_api", JOB, False),
    (413, None, ITEM, False),
    (415, None, ITEM, False),
    (418, None, ITEM, False),
    (422, None, ITEM, False),
    (429, None, MODEL, True),
    (429, "error_budget", MODEL, True),
    (429, "overloaded", MODEL, True),
    (429, "rate_limit", MODEL, True),
    (500, None, MODEL, True),
    (503, None, MODEL, True),
    (503, "overloaded", MODEL, True),
    (521, None, MODEL, True),
    (522, None, MODEL, True),
    (523, None, MODEL, True),
    (525, None, MODEL, True),
    (526, None, MODEL, True),
]


@pytest.mark.parametrize(("status", "reason", "scope", "by_itself"), ANSWERS)
def test_an_answers_scope(status, reason, scope, by_itself):
    assert scope_of(answered(status, reason)) is scope
    assert passes(answered(status, reason)) is by_itself


def test_every_reason_has_a_row():
    assert {reason for _, reason, *_ in ANSWERS} - {None} == set(Reason.__args__)


OTHERS = [
    (ValidationError([errors.Fault("steps", 50, "0 < x < 50")]), ITEM, False),
    (DecodeError("no images"), ITEM, False),
    (ContentBlockedError("blocked", moderation=Moderation()), ITEM, False),
    (UnconfirmedError("lost"), ITEM, False),
    (RequestTimeoutError("late"), ITEM, True),
    (ConnectError("broke in the middle", connected=True), ITEM, True),
    (ConnectError("refused"), JOB, True),
    (ConnectTimeoutError("no connection"), JOB, True),
    (LongWaitError("the rate limit", until=1e9), MODEL, True),
    (OutputExistsError(errno.EEXIST, "taken", "a.png"), ITEM, False),
    (StorageError(errno.ENOSPC, "full", "a.png"), JOB, False),
    (StorageError(errno.EACCES, "denied", "a.png"), JOB, False),
    (StorageError("no number"), JOB, False),
    (StorageError(errno.ENAMETOOLONG, "too long", "a.png"), ITEM, False),
    (StorageError(errno.EINVAL, "no path can hold this"), ITEM, False),
    (StorageError(errno.ENOTDIR, "a file is in the way", "a/b.png"), ITEM, False),
    (JournalError(errno.ENAMETOOLONG, "too long", "journal"), JOB, False),
    (DirectoryLockedError(errno.EAGAIN, "at work"), JOB, False),
    (ConfigurationError("no key"), JOB, False),
    (SessionStateError("closed"), JOB, False),
    (StoreError("locked"), JOB, False),
    (LeaseLostError("taken over"), JOB, False),
    (BudgetExceededError("no more"), JOB, False),
    (TooManyFailuresError("6 of 40"), JOB, False),
]


@pytest.mark.parametrize(("error", "scope", "by_itself"), OTHERS, ids=lambda value: type(value).__name__)
def test_any_other_errors_scope(error, scope, by_itself):
    assert scope_of(error) is scope
    assert passes(error) is by_itself


def test_before_anything_was_sent_the_disk_was_only_asked_for_what_all_items_share():
    assert scope_of(StorageError(errno.ENAMETOOLONG, "too long", "parts/1"), sent=False) is JOB
