"""Where one process asks the others that share its key.

1. The pool decides by what it knows; the store, which knows all of them, agrees or does not. What it
   tells of the others is counted as our own, so the next decision is a better one.
2. One call of a bucket asks at a time.
3. A store that fails while it is used is done without: a cautious share of the limit, one warning.
"""

from __future__ import annotations

import math
import time
import warnings
from typing import TYPE_CHECKING

import anyio

from venice_async.errors import StoreError
from venice_async.policy.guard import GuardState
from venice_async.policy.rate_limit import Permits
from venice_async.policy.retry import Refusal
from venice_async.stores import Store

if TYPE_CHECKING:
    from .pool import Admission

__all__ = ["Desk"]

_LOOK_AGAIN = 0.2  # seconds, where only another process knows more


class Desk:
    """One process's dealings with a store.

    Args:
        store: The store.
        permits: What this process knows of the rate limits.
        guard: What it knows of failures.
    """

    def __init__(self, store: Store, permits: Permits, guard: GuardState) -> None:
        self._store = store
        self._permits = permits
        self._guard = guard
        self._asking: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._processes = 1
        self._down = False

    async def open(self) -> None:
        """Open the store.

        Raises:
            StoreError: It cannot be opened.
        """
        await self._store.open()

    async def close(self) -> None:
        """Close the store."""
        await self._store.close()

    def wait(self, model: str, now: float) -> float:
        """Seconds until a call may ask; infinity while another one of its bucket does."""
        bucket = self._permits.bucket_name(model)
        if bucket in self._asking:
            return math.inf
        return max(0.0, self._not_before.get(bucket, now) - now)

    def comes(self, admission: Admission) -> None:
        """A call was let in, and is about to ask."""
        if not self._down:
            self._asking.add(self._permits.bucket_name(admission.permit.model))

    async def take(self, admission: Admission) -> bool:
        """Whether the store agrees; it has recorded the send then."""
        if self._down:
            return True
        model = admission.permit.model
        bucket, name = self._permits.bucket(model), self._permits.bucket_name(model)
        try:
            leave = await self._store.take(name, bucket.pace(time.monotonic()), self._guard)
        except StoreError as exc:
            self._do_without(exc)
            return True
        finally:
            self._asking.discard(name)
        bucket.heard(leave.sends)
        self._guard.heard(leave.failures)
        self._processes = max(self._processes, leave.processes)
        admission.flight = leave.flight
        if leave.seconds == 0:
            return True
        self._not_before[name] = time.monotonic() + (_LOOK_AGAIN if leave.seconds is None else leave.seconds)
        return False

    async def ended(self, admission: Admission) -> None:
        """Tell the others how an attempt ended."""
        if admission.flight is None or self._down:
            return
        model = admission.permit.model
        with anyio.CancelScope(shield=True):
            try:
                if admission.refusal is Refusal.RATE:
                    until = self._permits.bucket(model).paused_until
                    await self._store.pause(self._permits.bucket_name(model), until)
                elif admission.refusal is Refusal.LOCK_OUT:
                    await self._store.pause(None, self._guard.silent_until)
                await self._store.ended(admission.flight, failed=admission.failed)
            except StoreError as exc:
                self._do_without(exc)

    def _do_without(self, error: StoreError) -> None:
        if self._down:
            return
        self._down = True
        self._asking.clear()
        self._not_before.clear()
        share = max(2, self._processes)
        self._permits.divide(share)
        warnings.warn(
            f"{error}; from now on this process uses 1/{share} of the rate limit and knows of no others",
            RuntimeWarning,
            stacklevel=2,
        )
