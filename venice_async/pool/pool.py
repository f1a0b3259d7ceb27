"""Attempts at a request: each with a place and a permit, and further ones as the retry policy says.

1. An attempt is made with both in hand, and a retry waits for them anew.
2. What an error means is not decided here: `policy` is asked.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from itertools import count
from typing import Any, Protocol, TypeVar

from venice_async.errors import StatusError, UnconfirmedError, VeniceError
from venice_async.policy.retry import RetryPolicy, confirm
from venice_async.types.statistics import Wait

from .admission import Admission
from .halt import Halt, NotSentError
from .places import Places, ended_by

__all__ = ["AfterFailure", "BeforeSend", "Pool", "Retries", "confirmed"]

T = TypeVar("T")

BeforeSend = Callable[[], Awaitable[None]]
"""Awaited once an attempt may be sent; raising prevents the sending."""

AfterFailure = Callable[[VeniceError], Awaitable[None]]
"""Awaited once an attempt that was to be sent has failed, before anybody waits for the next one."""


class Retries(Protocol):
    """Decides whether and when there is another attempt; `RetryPolicy`, or what stands in for it."""

    def wait(self, error: VeniceError, attempts: int, /, *, random: float) -> float | None:
        """Seconds until the next attempt after so many; None for no more."""
        ...


class Pool(Places):
    """Places for requests in flight, and what is tried again in them.

    Args:
        concurrency: Places; requests in flight at once.
        retry: Whether and when to try again.
        **options: Those of `Places`.
    """

    def __init__(
        self, concurrency: int, *, retry: RetryPolicy = RetryPolicy(attempts=1), **options: Any
    ) -> None:
        super().__init__(concurrency, **options)
        self._retry = retry
        self._resting: Counter[str] = Counter()  # calls that wait before their next attempt, by model

    def waits(self) -> tuple[Wait, ...]:
        """What calls wait for now beyond the ordinary pace; nothing while nobody waits."""
        now, unix = self.now(), time.time()
        units = dict.fromkeys(+self._resting, 1) | {call.model: call.units for call in self._lines.firsts()}
        pauses = {
            (pause.what, pause.model): pause
            for model in units
            for pause in (*self.permits.waits(model, now, units[model]), *self.guard.waits(model, now))
        }
        return tuple(
            Wait(what=pause.what, until=unix + pause.until - now, model=pause.model)
            for pause in sorted(pauses.values(), key=lambda pause: pause.until)
        )

    async def run(
        self,
        attempt: Callable[[Admission], Awaitable[T]],
        *,
        model: str,
        units: int = 1,
        priority: int = 0,
        before_send: BeforeSend | None = None,
        after_failure: AfterFailure | None = None,
        deadline: float | None = None,
        halt: Halt | None = None,
        retry: Retries | None = None,
    ) -> T:
        """Make an attempt once it may be made, and further ones as the retry policy says.

        Args:
            attempt: Sends the request and takes its answer in whole; tells the admission of its head.
            model: Whose permits it takes.
            units: How many: one for each image that is asked for.
            priority: The larger one goes first.
            before_send: Awaited with place and permit in hand, just before each attempt.
            after_failure: Awaited after each attempt that has failed.
            deadline: For all the waiting, on the event loop's clock; None for none.
            halt: What may end the waiting; None for nothing.
            retry: Decides in the pool's own policy's stead; None for that.

        Raises:
            ConfigurationError: The rate limit never holds so many images; nothing was sent.
            NotSentError: The halt came while no attempt was in flight.
            PoolFullError: As many calls wait as may; nothing was sent.
            RequestTimeoutError: There was no leave to send in time, or there cannot be; nothing was sent.
            VeniceError: What the last attempt raised, as `policy.retry.confirm` sees it.
        """

        async def admitted(number: int) -> T:
            place = self.place(
                model, units=units, priority=priority, deadline=deadline, again=number > 1, halt=halt
            )
            async with place as admission:
                try:
                    if before_send is not None:
                        await before_send()
                except BaseException:
                    admission.abandon()
                    raise
                try:
                    with confirmed():
                        return await attempt(admission)
                except VeniceError as exc:
                    if after_failure is not None:
                        await after_failure(exc)
                    raise

        return await self.retrying(admitted, model=model, deadline=deadline, halt=halt, retry=retry)

    async def retrying(
        self,
        attempt: Callable[[int], Awaitable[T]],
        *,
        model: str,
        deadline: float | None = None,
        halt: Halt | None = None,
        retry: Retries | None = None,
    ) -> T:
        """Make an attempt, with its number from 1, until the retry policy is content.

        Args and errors are those of `run`.
        """
        seconds = 0.0
        lost: UnconfirmedError | None = None  # what may have been billed is never told as not sent
        for number in count(1):
            try:
                if number > 1:
                    with ended_by(halt), self._rests(model):
                        await asyncio.sleep(seconds)
                return await attempt(number)
            except NotSentError:
                if lost is None:
                    raise
                raise lost from None
            except VeniceError as exc:
                wait = (retry or self._retry).wait(exc, number, random=self.random())
                lost = exc if isinstance(exc, UnconfirmedError) else lost
                if wait is None or (deadline is not None and self.now() + wait >= deadline):
                    error = lost or exc
                    if number > 1:
                        error.add_note(f"after {number} attempts")
                    if error is exc:
                        raise
                    raise error from exc
                seconds = wait
        raise AssertionError  # the policy counts the attempts

    @contextmanager
    def _rests(self, model: str) -> Generator[None, None, None]:
        """Count a call that waits before its next attempt."""
        self._resting[model] += 1
        try:
            yield
        finally:
            self._resting[model] -= 1


@contextmanager
def confirmed() -> Generator[None, None, None]:
    """Turn a status that leaves the purchase open into an `UnconfirmedError`."""
    try:
        yield
    except StatusError as exc:
        if (error := confirm(exc)) is exc:
            raise
        raise error from exc
