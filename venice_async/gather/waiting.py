"""What a batch waits for: known, announced, and given up where it takes too long.

1. What the pool waits for is asked of the session; what an item's next attempt waits for, and a server that
   cannot be reached, are known here.
2. A wait is announced once, with its end; it is on the disk for whoever reads the job's status meanwhile.
3. How long is too long is not decided here: `policy` is asked.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from attrs import define, field

from venice_async.errors import (
    ConnectError,
    LongWaitError,
    RateLimitError,
    RequestTimeoutError,
    StatusError,
    VeniceError,
)
from venice_async.policy.outage import Outage, asks_too_long, unreached
from venice_async.policy.scope import passes
from venice_async.pool import Halt
from venice_async.types.statistics import Wait

__all__ = ["Waiting", "Waits", "local_time"]

_log = logging.getLogger("venice_async")
_WORTH_SAYING = 2.0  # seconds


class Waits(Protocol):
    """Who knows what the pool waits for; a session."""

    base_url: str

    def waits(self) -> tuple[Wait, ...]:
        """What keeps requests from being sent just now."""
        ...


def local_time(until: float) -> str:
    """A Unix time as a clock on the wall shows it, with the date where that is not today's."""
    moment = dt.datetime.fromtimestamp(until).astimezone()
    today = moment.date() == dt.datetime.now().astimezone().date()
    return moment.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S")


def _unix(until: float) -> float:
    """A moment on the event loop's clock as Unix seconds."""
    return time.time() + until - asyncio.get_running_loop().time()


@define
class Waiting:
    """What a batch waits for.

    Args:
        session: Knows what the pool waits for.
        max_wait: Seconds that are waited for at most; None for any time.

    Attributes:
        announced: The waits that were announced and are not over.
    """

    session: Waits
    max_wait: float | None
    announced: tuple[Wait, ...] = field(init=False, default=())
    _outage: Outage = field(init=False)
    _connection: Wait | None = field(init=False, default=None)
    _retries: dict[str, Wait] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self._outage = Outage(self.max_wait)

    def current(self) -> tuple[Wait, ...]:
        """What keeps requests from being sent just now."""
        now = time.time()
        found = [*([] if self._connection is None else [self._connection]), *self.session.waits()]
        told = {wait.model for wait in found}
        own = (wait for wait in self._retries.values() if not told & {wait.model, None})
        return tuple(wait for wait in (*found, *own) if wait.until > now)

    def too_long(self, waits: Iterable[Wait]) -> tuple[str | None, LongWaitError] | None:
        """The model of the first wait that takes too long, and what it is stopped with; None for no such."""
        if self.max_wait is None:
            return None
        latest = time.time() + self.max_wait
        for wait in waits:
            # How long a server may be out of reach is the outage's own business.
            if wait.until > latest and wait is not self._connection:
                return wait.model, self._given_up(wait.what, wait.until)
        return None

    def retries(self, model: str, error: VeniceError, seconds: float) -> None:
        """An item's next attempt comes after so many seconds."""
        until, before = time.time() + seconds, self._retries.get(model)
        if before is None or before.until < until:
            self._retries[model] = Wait(what=_worded(model, error), until=until, model=model)

    def asked_too_long(self, model: str, error: VeniceError) -> LongWaitError | None:
        """What a model is stopped with whose server asks for more than is waited for; else None."""
        if not passes(error) or not asks_too_long(error, self.max_wait):
            return None
        until = time.time() + (getattr(error, "retry_after", None) or 0.0)
        return self._given_up(_worded(model, error), until)

    def _given_up(self, what: str, until: float) -> LongWaitError:
        return LongWaitError(f"{what}, until {local_time(until)} (max_wait={self.max_wait:g})", until=until)

    def failed(self, error: VeniceError) -> None:
        """An attempt has failed."""
        if not isinstance(error, RequestTimeoutError) and not unreached(error):
            self.reached()

    def reached(self) -> None:
        """An answer came."""
        self._outage.reached()
        self._connection = None

    async def for_connection(self, error: ConnectError, halt: Halt) -> VeniceError | None:
        """Wait before the next attempt after one that could not connect.

        Returns:
            What the batch is to stop with, if that has gone on for too long.

        Raises:
            NotSentError: The halt came.
        """
        loop = asyncio.get_running_loop()
        self._outage.failed(loop.time())
        if self._outage.is_over(loop.time()):
            seconds = self._outage.lasted(loop.time())
            given_up = ConnectError(f"{self.session.base_url} was out of reach for {seconds:.0f} s: {error}")
            given_up.__cause__ = error
            return given_up
        if self._connection is None:
            at_most = self._outage.gives_up_at
            until = _unix(at_most if at_most < math.inf else self._outage.until)
            self._connection = Wait(what=f"{self.session.base_url} is out of reach: {error}", until=until)
        with halt.ending():
            await asyncio.sleep(self._outage.until - loop.time())
        return None

    def announce(self, waits: tuple[Wait, ...], tell: Callable[[tuple[Wait, ...]], None]) -> None:
        """Say what is waited for, once for each end; tell if what was announced has changed.

        Args:
            waits: What `current` has returned.
            tell: Called with all that is announced and not over.
        """
        now = time.time()
        known = {wait.what: wait for wait in self.announced}
        standing = []
        for wait in waits:
            before = known.get(wait.what)
            if before is None and wait.until < now + _WORTH_SAYING and wait is not self._connection:
                continue
            if before is None or wait.until > before.until + _WORTH_SAYING:
                _log.warning("waiting until %s: %s", local_time(wait.until), wait.what)
                before = wait
            standing.append(before)
        if tuple(standing) != self.announced:
            self.announced = tuple(standing)
            tell(self.announced)


def _worded(model: str, error: VeniceError) -> str:
    """What a model's items wait for, in the same words for each of them: no request's id is in it."""
    reason = getattr(error, "reason", None)
    if reason == "error_budget":
        return f"the error budget of {model} is used up"
    if isinstance(error, RateLimitError) and reason != "overloaded":
        return f"the rate limit of {model} is used up"
    status = f" {error.status}" if isinstance(error, StatusError) else ""
    return f"{model} answers{status}: {error.args[0]}"
