"""How far an error reaches: one item, all items of a model, or the whole job.

1. Only what every further request would meet as well is the job's.
2. What the reason says goes before what the status says, and both are one table.
3. What passes by itself is told from what somebody has to mend.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from enum import Enum

from venice_async.errors import (
    BudgetExceededError,
    ConfigurationError,
    ConnectError,
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
    VeniceError,
)

__all__ = ["Scope", "passes", "scope_of"]


class Scope(Enum):
    """Whom an error concerns."""

    ITEM = "the item"
    MODEL = "every item of the model"
    JOB = "every item of the job"


_BY_REASON: Mapping[Reason, Scope] = {
    "rate_limit": Scope.MODEL,
    "overloaded": Scope.MODEL,
    "error_budget": Scope.MODEL,
    "pro_only": Scope.MODEL,
    "region": Scope.MODEL,
    "privacy": Scope.MODEL,
    "deprecated": Scope.MODEL,
    "firewall": Scope.ITEM,
    "api_disabled": Scope.JOB,
    "not_the_api": Scope.JOB,
}
_BY_STATUS: Mapping[int, Scope] = {
    401: Scope.JOB,
    402: Scope.JOB,
    # A sentence that nobody knows: it forbids this, and perhaps nothing else.
    403: Scope.MODEL,
    404: Scope.MODEL,
    405: Scope.JOB,
    407: Scope.JOB,
    410: Scope.JOB,
    429: Scope.MODEL,
    # Of the 5xx only these are known not to have been carried out; their attempts are used up.
    **dict.fromkeys((500, 503, 521, 522, 523, 525, 526), Scope.MODEL),
}
_REDIRECTS = range(300, 400)  # the key stays with its host, so each request would end there
_OF_THE_JOB = (
    BudgetExceededError,
    ConfigurationError,
    LeaseLostError,
    SessionStateError,
    StoreError,
    TooManyFailuresError,
)
_REFUSED_NAMES = frozenset(
    {errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
)
"""What the operating system says of a name, and not of a disk."""


def scope_of(error: VeniceError, *, sent: bool = True) -> Scope:
    """Whom an error concerns, once its attempts are used up.

    Args:
        error: As `confirm` sees it.
        sent: Whether the request had been sent: before that, the disk has only been asked for what all items
            share, such as the journal.
    """
    match error:
        case StatusError(reason=reason) if reason is not None:
            return _BY_REASON[reason]
        case StatusError(status=status):
            return Scope.JOB if status in _REDIRECTS else _BY_STATUS.get(status, Scope.ITEM)
        case OutputExistsError():
            return Scope.ITEM
        case JournalError() | DirectoryLockedError():
            return Scope.JOB
        case StorageError(errno=number):
            return Scope.ITEM if sent and number in _REFUSED_NAMES else Scope.JOB
        case LongWaitError():
            return Scope.MODEL
        case ConnectError(connected=False):
            return Scope.JOB
        case _:
            return Scope.JOB if isinstance(error, _OF_THE_JOB) else Scope.ITEM


def passes(error: VeniceError) -> bool:
    """Whether the same call may succeed later with nothing changed: what stopped it passes by itself."""
    if isinstance(error, StatusError):
        return error.status >= 429 and scope_of(error) is Scope.MODEL
    return isinstance(error, ConnectError | LongWaitError | RequestTimeoutError)
