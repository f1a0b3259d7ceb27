"""How to stay clear of the lock-out: more than 20 failures within 30 s, and the key is shut out for 30 s.

1. Pure: `now` is seconds on a monotonic clock and is passed in.
2. Every request that started ends in exactly one of succeeded, failed, locked out or abandoned.
3. Everything but a 2xx is a failure: any other status, a time-out, a broken connection.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Any

import attrs
from attrs import define, field, frozen

from venice_async.errors import ConfigurationError

from .pace import INSTANT, SendLog, Sends

__all__ = ["FAILURES", "WINDOW", "Guard", "GuardState"]

FAILURES = 20
"""Failures that the server forgives within its 30 s."""

WINDOW = 31.0
"""Seconds for which a failure counts: the server's 30, and one for the spread of arrival."""

_TRUSTED_AFTER = 20  # successes in a row


def _flag(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{attribute.name}={value!r}: expected True or False")


@frozen(kw_only=True)
class Guard:
    """Whether a run of failures may ever reach the lock-out.

    Attributes:
        strict: True: failures of the last 31 s and requests in flight together are at most 20,
            always, so that not even if all of them failed would the key be locked out. False: the
            same until 20 successes in a row, and again from the first failure on; in between the
            concurrency alone bounds what is in flight.

    Raises:
        ConfigurationError: `strict` is no truth value.
    """

    strict: bool = field(default=False, validator=_flag)


@define
class GuardState:
    """The failures of one key.

    Args:
        guard: How careful to be; None to wait for nothing but a lock-out that has come.
        failures: When there were failures.
    """

    guard: Guard | None = Guard()
    failures: SendLog = field(factory=SendLog)
    in_flight: int = field(init=False, default=0)
    _in_a_row: int = field(init=False, default=0)
    _silent_until: float = field(init=False, default=-inf)
    _one_first: bool = field(init=False, default=False)

    @property
    def silent_until(self) -> float:
        """Nothing is sent before, because the key is locked out."""
        return self._silent_until

    @property
    def is_strict(self) -> bool:
        """Whether failures and requests in flight are bounded just now."""
        return self.guard is not None and (self.guard.strict or self._in_a_row < _TRUSTED_AFTER)

    def wait(self, now: float, failures: Sends | None = None, in_flight: int | None = None) -> float | None:
        """Seconds until a request may start: 0 for now; None: not before an answer has come.

        Args:
            now: Seconds.
            failures: Those of all processes that share the key; None for this one's.
            in_flight: Likewise.
        """
        failures = self.failures if failures is None else failures
        in_flight = self.in_flight if in_flight is None else in_flight
        if now < self._silent_until:
            return self._silent_until - now
        if self._one_first and in_flight:
            return None
        if not self.is_strict:
            return 0.0
        if in_flight >= FAILURES:
            return None
        seconds = failures.newest(FAILURES - in_flight) + WINDOW - now
        return seconds if seconds > INSTANT else 0.0

    def started(self) -> None:
        """A request goes out; `wait` has just returned 0."""
        self.in_flight += 1

    def succeeded(self, now: float) -> None:
        """A 2xx came."""
        self._ended(now)
        self._in_a_row += 1

    def failed(self, now: float) -> None:
        """Any other status came, or no whole answer did."""
        self._ended(now)
        self._in_a_row = 0
        self.failures.forget(now - WINDOW)
        self.failures.add(now)

    def locked_out(self, now: float) -> None:
        """The lock-out's own message came: silence, and then one request before all others."""
        self.failed(now)
        self._silent_until = now + WINDOW
        self._one_first = True

    def _ended(self, now: float) -> None:
        self.in_flight -= 1
        if now >= self._silent_until:
            self._one_first = False

    def heard(self, failures: Iterable[float]) -> None:
        """Count the failures of other processes that share the key as our own."""
        heard = tuple(failures)
        if heard:
            self._in_a_row = 0
            self.failures.insert(heard)

    def abandoned(self) -> None:
        """The request was not sent after all."""
        self.in_flight -= 1
