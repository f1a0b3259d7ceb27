"""Leave to make one attempt, and what is told of its end.

1. An admission ends once, whatever ends it: its place, its permit and the guard's count go with it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import define

from venice_async.errors import (
    ContentBlockedError,
    DecodeError,
    RequestTimeoutError,
    StatusError,
    StorageError,
    VeniceError,
)
from venice_async.policy.rate_limit import Permit
from venice_async.policy.retry import Refusal, refusal_of
from venice_async.types.response import RateLimitSnapshot
from venice_async.wire.sentences import failures_in

if TYPE_CHECKING:
    from .places import Places

__all__ = ["Admission"]

_TOLD_BY_THE_ERROR = (429, 503)
_ANSWERED_WELL = (ContentBlockedError, DecodeError, StorageError)  # with a 200


@define(eq=False)
class Admission:
    """Leave to make one attempt: a place, a permit and the guard's leave.

    Attributes:
        permit: The permit.
        even: Whether it keeps its distance from the last one in any case.
        flight: What the store that processes share calls the attempt; None where there is none.
        failed: Whether it ended as a failure that counts.
        refusal: Why the server refused it for now, or None.
    """

    _pool: Places
    permit: Permit
    even: bool = False
    flight: int | None = None
    failed: bool = False
    refusal: Refusal | None = None
    _snapshot: RateLimitSnapshot | None = None
    _answered: bool = False
    _ended: bool = False

    def answered(self, status: int, snapshot: RateLimitSnapshot) -> None:
        """The head of an answer came; what it says of the rate limit counts from now on."""
        self._snapshot = snapshot
        now = self._pool.now()
        if status not in _TOLD_BY_THE_ERROR:
            self._answered = True
            self._pool.permits.answered(self.permit, snapshot, now)
        if (left := snapshot.error_budget_remaining) is not None:
            resets_at = self._pool.permits.here(snapshot.error_budget_resets_at)
            self._pool.guard.told(self.permit.model, now, left, resets_at)
        if self._answered:
            self._pool.look()

    def abandon(self) -> None:
        """Nothing was sent after all."""
        if not self._ended:
            self._ended = True
            self._pool.guard.abandoned(self.permit.model)
            self._pool.permits.withdrawn(self.permit)
            self._pool.release()

    def end(self, error: BaseException | None = None) -> None:
        """The attempt is over, with this error or well; a second end is none."""
        if not self._ended:
            self._ended = True
            self.refusal = refusal_of(error, self._snapshot) if isinstance(error, VeniceError) else None
            self._tell_permits(error)
            self._tell_guard(error)
            self._pool.release(self._pool.now() - self.permit.sent_at)

    def _tell_permits(self, error: BaseException | None) -> None:
        permits, now = self._pool.permits, self._pool.now()
        if self._answered:
            return
        asked = error.retry_after if isinstance(error, StatusError) else None
        if self.refusal is Refusal.RATE:
            permits.refused(self.permit, asked, self._snapshot, now)
        elif self.refusal is Refusal.LOAD:
            permits.overloaded(self.permit, asked, self._snapshot, now, random=self._pool.random())
        elif self._snapshot is not None:
            permits.answered(self.permit, self._snapshot, now)
        else:
            permits.unanswered(self.permit)

    def _tell_guard(self, error: BaseException | None) -> None:
        guard, model, now = self._pool.guard, self.permit.model, self._pool.now()
        if isinstance(error, asyncio.CancelledError | RequestTimeoutError):
            guard.abandoned(model)  # the server has refused nothing
        elif not isinstance(error, VeniceError) or isinstance(error, _ANSWERED_WELL):
            guard.succeeded(model, now)
        elif self.refusal is Refusal.LOCK_OUT:
            if (forgiven := failures_in(str(error))) is not None:
                guard.allows(forgiven)
            resets_at = None if self._snapshot is None else self._snapshot.error_budget_resets_at
            self.failed = guard.locked_out(model, now, error, self._pool.permits.here(resets_at))
        else:
            self.failed = guard.failed(model, now, error)
