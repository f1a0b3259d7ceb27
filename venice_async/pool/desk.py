"""Where one process asks the others that share its key.

1. The pool decides by what it knows; the store, which knows all of them, agrees or does not. What it
   tells of the others is counted as our own, so the next decision is a better one.
2. One call of a bucket asks at a time.
3. Who needs several permits, and finds fewer again and again because others take one each, has the others
   wait until there would be enough.
4. A store that fails while it is used is done without: a cautious share of the limit, one warning.
5. It is asked again now and then. Once it is there, everything goes by it; the share stays a cautious one
   until the others, too, have had time to come back, and a window has passed.
"""

from __future__ import annotations

import asyncio
import math
import time
import warnings
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from venice_async.errors import StoreError
from venice_async.policy.guard import GuardState
from venice_async.policy.rate_limit import Permits
from venice_async.policy.retry import Refusal
from venice_async.stores import Store

from .admission import Admission

__all__ = ["Desk"]

T = TypeVar("T")

_LOOK_AGAIN = 0.2  # seconds, where only another process knows more
_PASSED_OVER = 3  # times in a row
_TRY_AGAIN = 15.0  # seconds from one try to the next to come back to a store that failed


class Desk:
    """One process's dealings with a store.

    Args:
        store: The store.
        permits: What this process knows of the rate limits.
        guard: What it knows of failures.
        look: Lets in whoever may go now.
    """

    def __init__(self, store: Store, permits: Permits, guard: GuardState, look: Callable[[], None]) -> None:
        self._store = store
        self._permits = permits
        self._guard = guard
        self._look = look
        self._asking: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._passed_over: Counter[str] = Counter()
        self._processes = 1
        self._down = False
        self._closed = False
        self._returning: asyncio.Task[None] | None = None
        self._steps: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Open the store.

        Raises:
            StoreError: It cannot be opened.
        """
        await self._store.open()

    async def close(self) -> None:
        """Tell the store what is still to be told, and close it."""
        self._closed = True
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.wait({self._returning})
        while self._steps:
            await asyncio.wait(self._steps)
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

    def leaves(self, admission: Admission) -> None:
        """A call that was let in has gone without asking."""
        self._asking.discard(self._permits.bucket_name(admission.permit.model))

    async def take(self, admission: Admission) -> bool:
        """Whether the store agrees; it has recorded the send then."""
        asked = self._step(self._take(admission))
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            # The step goes on in its thread; what it records is given back.
            self._step(self._give_back(asked, admission))
            raise

    def ended(self, admission: Admission) -> None:
        """Tell the others how an attempt ended; nobody waits for that."""
        if admission.flight is not None:
            self._step(self._tell(admission))

    def _step(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do something that no cancellation of a caller cuts off; closing waits for it."""
        task = asyncio.create_task(work, name="venice_async store")
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)
        return task

    async def _give_back(self, asked: asyncio.Task[bool], admission: Admission) -> None:
        if await asked:
            await self._tell(admission)

    async def _take(self, admission: Admission) -> bool:
        model, units = admission.permit.model, admission.permit.units
        bucket, name = self._permits.bucket(model), self._permits.bucket_name(model)
        if self._down:
            self.leaves(admission)
            self._store.missed_send(name, admission.permit.sent_at, units)
            return True
        try:
            pace = bucket.pace(time.monotonic(), even=admission.even)
            leave = await self._store.take(name, pace, self._guard.caution_of_all(model), units)
        except StoreError as exc:
            self._store.missed_send(name, admission.permit.sent_at, units)
            self._do_without(exc)
            return True
        finally:
            self._asking.discard(name)
            asyncio.get_running_loop().call_soon(self._look)
        bucket.heard(leave.sends)
        self._guard.heard(leave.failures)
        self._processes = max(self._processes, leave.processes)
        admission.flight = leave.flight
        if leave.seconds == 0:
            self._passed_over[name] = 0
            return True
        if units > 1 and leave.seconds is not None:
            await self._hold(name, time.monotonic() + leave.seconds)
        self._not_before[name] = time.monotonic() + (_LOOK_AGAIN if leave.seconds is None else leave.seconds)
        return False

    async def _hold(self, name: str, until: float) -> None:
        """Have the others wait until a time, where a request was passed over again and again."""
        self._passed_over[name] += 1
        if self._passed_over[name] >= _PASSED_OVER:
            try:
                await self._store.pause(name, until)
            except StoreError as exc:
                self._do_without(exc)

    async def _tell(self, admission: Admission) -> None:
        if admission.flight is None:
            return
        if self._down:
            self._store.missed_end(admission.flight)
            return
        model = admission.permit.model
        name = self._permits.bucket_name(model)
        try:
            if admission.refusal is Refusal.RATE:
                await self._store.pause(name, self._permits.bucket(model).paused_until)
            elif admission.refusal is Refusal.LOCK_OUT:
                by_model = self._guard.is_by_model
                await self._store.pause(name if by_model else None, self._guard.silent_until(model))
            await self._store.ended(admission.flight, failed=admission.failed)
        except StoreError as exc:
            self._store.missed_end(admission.flight)
            self._do_without(exc)

    def _do_without(self, error: StoreError) -> None:
        if self._down or self._closed:
            return
        self._down = True
        self._asking.clear()
        self._not_before.clear()
        share = max(2, self._processes)
        self._permits.divide(share)
        if self._returning is None:
            self._returning = asyncio.create_task(self._return(), name="venice_async return to the store")
        text = f"{error}; from now on this process uses 1/{share} of the rate limit and knows of no others"
        # By the loop: a warning that is raised as an error must not cost an image that was paid for.
        asyncio.get_running_loop().call_soon(warnings.warn, text, RuntimeWarning)

    async def _return(self) -> None:
        """Come back to the store once it can be used again, and to the whole limit after that."""
        while self._down:
            while self._down:
                await asyncio.sleep(_TRY_AGAIN)
                self._down = not await self._store.resume()
            self._look()
            # The others come back within as long, and what they sent meanwhile counts for a window.
            await asyncio.sleep(_TRY_AGAIN + self._permits.longest_window)
        self._permits.divide(1)
        self._returning = None
        self._look()
