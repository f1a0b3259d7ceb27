"""What an error of one attempt means: for the item, for the money and for the batch.

1. A purchase whose outcome is unknown is never taken for a failure: it is unconfirmed.
2. What was never processed by the origin was not billed, and neither was a plain 4xx or 500.
"""

from __future__ import annotations

from venice_async.errors import (
    AuthenticationError,
    DecodeError,
    OutputExistsError,
    PaymentRequiredError,
    PermissionDeniedError,
    StatusError,
    StorageError,
    UnconfirmedError,
    VeniceError,
)

__all__ = ["confirm", "stops_batch", "was_billed"]

_NOT_PROCESSED = frozenset({500, 503, 521, 522, 523, 525, 526})
"""5xx of the API itself for work it did not do, and a proxy's for an origin it never reached."""


def confirm(error: VeniceError) -> VeniceError:
    """The error as a caller sees it: one that leaves the purchase open becomes an `UnconfirmedError`.

    A 502, a 504 and other 5xx come from a proxy that lost the origin's answer: the origin may have
    done the work and billed it.
    """
    if isinstance(error, StatusError) and error.status >= 500 and error.status not in _NOT_PROCESSED:
        return UnconfirmedError(
            f"{error}; the request may have been carried out and billed",
            status=error.status,
            request_id=error.request_id,
        )
    return error


def was_billed(error: VeniceError) -> bool:
    """Whether the image was most likely paid for: a complete answer came, and could not be used."""
    if isinstance(error, OutputExistsError):  # found out before anything is sent
        return False
    return isinstance(error, DecodeError | StorageError)


def stops_batch(error: VeniceError) -> bool:
    """Whether every further request would meet the same: key, money, permission or disk."""
    return isinstance(
        error, AuthenticationError | PaymentRequiredError | PermissionDeniedError | StorageError
    )
