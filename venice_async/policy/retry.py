"""What an error of one attempt means: for the money, and for the next attempt.

1. A purchase whose outcome is unknown is never taken for a failure: it is unconfirmed.
2. What was never processed by the origin was not billed, and neither was a plain 4xx or 500.
3. Only what was not billed is tried again, unless the caller says otherwise in so many words.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs
from attrs import field, frozen

from venice_async.errors import (
    ConfigurationError,
    ConnectError,
    DecodeError,
    OutputExistsError,
    RateLimitError,
    RequestTimeoutError,
    StatusError,
    StorageError,
    UnconfirmedError,
    VeniceError,
)
from venice_async.types.response import RateLimitSnapshot

__all__ = [
    "Refusal",
    "RetryPolicy",
    "confirm",
    "refusal_of",
    "too_many_failures",
    "was_billed",
]

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
    return error.billed if isinstance(error, DecodeError) else isinstance(error, StorageError)


def too_many_failures(lost: int, tried: int, allowed: float | None) -> bool:
    """Whether a batch has gone wrong: see `max_failures` of `gather_generate`.

    Args:
        lost: Items that were tried and are no images.
        tried: Items that were tried.
        allowed: So many, or that share, or None.
    """
    if allowed is None:
        return False
    if 0 < allowed < 1:
        return tried >= _SHARE_OF and lost > allowed * tried
    return lost > allowed


class Refusal(Enum):
    """Why the server refused for now."""

    RATE = "the rate limit is used up"
    LOAD = "the model is overloaded or out of service"
    LOCK_OUT = "the error budget is used up: too many failures"


_REFUSALS: dict[str | None, Refusal] = {
    "rate_limit": Refusal.RATE,
    "overloaded": Refusal.LOAD,
    "error_budget": Refusal.LOCK_OUT,
}


def refusal_of(error: VeniceError, snapshot: RateLimitSnapshot | None = None) -> Refusal | None:
    """Why the server refused for now; None for any other error.

    A 429 whose sentence nobody knows is told by its headers: the limit that has nothing left, else a load
    that asks to wait, else the rate.

    Args:
        error: What the request ended with.
        snapshot: What the answer's headers said of the limits, or None.
    """
    if isinstance(error, StatusError) and error.status == 503:
        return Refusal.LOAD
    if not isinstance(error, RateLimitError):
        return None
    if error.reason in _REFUSALS:
        return _REFUSALS[error.reason]
    told = snapshot or RateLimitSnapshot()
    if told.remaining == 0:
        return Refusal.RATE
    if told.error_budget_remaining == 0:
        return Refusal.LOCK_OUT
    return Refusal.RATE if error.retry_after is None else Refusal.LOAD


_SHARE_OF = 20  # items; the share of fewer says little


def _attempts(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{attribute.name}={value!r}: expected a whole number from 1")


def _seconds(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST:
        raise ConfigurationError(f"{attribute.name}={value!r}: expected seconds from 0 to {_LONGEST:g}")


_LONGEST = 3600.0


@frozen(kw_only=True)
class RetryPolicy:
    """Whether and when a request is tried again.

    After n attempts the wait is random(0, 1) * min(wait_max, wait_initial * 2 ** (n - 1)) seconds (full
    jitter), or what the server asks for in `Retry-After` where that is longer. A retry takes a
    permit of the rate limit like any request, and goes before new work.

    Tried again is what was not billed: a connection that could not be made, 429, 500, 503, and a
    proxy's 521, 522, 523, 525 and 526 for an origin that was never reached.

    Attributes:
        attempts: Attempts in all, from 1 (no retries).
        wait_initial: Seconds, from 0 to 3600.
        wait_max: Seconds, from 0 to 3600.
        resend_unconfirmed: Whether a request that may have been carried out and billed is sent again,
            at the risk of paying twice.

    Raises:
        ConfigurationError: A value is outside its range.
    """

    attempts: int = field(default=4, validator=_attempts)
    wait_initial: float = field(default=1.0, validator=_seconds)
    wait_max: float = field(default=30.0, validator=_seconds)
    resend_unconfirmed: bool = False

    def wait(self, error: VeniceError, attempts: int, /, *, random: float) -> float | None:
        """Seconds until the next attempt; None for no more.

        Args:
            error: What the last attempt ended with, as `confirm` sees it.
            attempts: How many were made so far, at least 1.
            random: In [0, 1).
        """
        if attempts >= self.attempts or not self._may_repeat(error):
            return None
        asked = error.retry_after if isinstance(error, StatusError) else None
        jittered = random * min(self.wait_max, self.wait_initial * 2.0 ** min(attempts - 1, 60))
        return max(jittered, min(asked or 0.0, _LONGEST))

    def _may_repeat(self, error: VeniceError) -> bool:
        if isinstance(error, UnconfirmedError):
            return self.resend_unconfirmed
        if isinstance(error, StatusError):
            return isinstance(error, RateLimitError) or error.status in _NOT_PROCESSED
        return isinstance(error, ConnectError | RequestTimeoutError)
