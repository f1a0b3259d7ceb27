"""How many requests a model may have, and when there may be more.

1. Pure: the caller passes the time in. Nothing here reads a clock, waits or knows HTTP.
2. Every key (a model) has a limit of its own.
3. Times are seconds on the caller's clock, whichever that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from attrs import define, field, frozen

from .arguments import is_number, is_whole

__all__ = ["ALGORITHMS", "FixedWindow", "Limiter", "Unlimited", "Verdict", "make_limiter"]

# What an unlimited server says that it allows; high enough that no client ever paces itself by it.
GENEROUS = 1_000_000


@frozen
class Verdict:
    """What the limiter says about one request.

    Attributes:
        allowed: Whether the request may pass.
        limit: Requests that one window holds.
        remaining: Requests that the window still holds after this one.
        reset_at: When the window is full again, in seconds on the caller's clock.
        enforced: False when there is no limit and the figures are only for show.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_at: float
    enforced: bool = True


class Limiter(Protocol):
    """What the server needs of an algorithm."""

    def take(self, key: str, now: float) -> Verdict:
        """Ask for one request at time `now`, and count it if it is allowed."""
        ...

    def peek(self, key: str, now: float) -> Verdict:
        """Say how things stand at time `now`, without counting anything."""
        ...


@define
class _Window:
    ends_at: float
    used: int = 0


@define
class FixedWindow:
    """At most `limit` requests in each window; a window opens with its first request.

    A refused request is not counted.

    Args:
        limit: Requests in a window, at least 1.
        window: Length of a window in seconds, above 0.
    """

    limit: int
    window: float
    _open: dict[str, _Window] = field(factory=dict, init=False)

    def take(self, key: str, now: float) -> Verdict:
        """Ask for one request at time `now`, and count it if it is allowed."""
        current = self._open.get(key)
        if current is None or now >= current.ends_at:
            current = self._open[key] = _Window(now + self.window)
        allowed = current.used < self.limit
        current.used += allowed
        return Verdict(allowed, self.limit, self.limit - current.used, current.ends_at)

    def peek(self, key: str, now: float) -> Verdict:
        """Say how things stand at time `now`, without counting anything."""
        current = self._open.get(key)
        if current is None or now >= current.ends_at:
            return Verdict(True, self.limit, self.limit, now + self.window)  # noqa: FBT003
        remaining = self.limit - current.used
        return Verdict(remaining > 0, self.limit, remaining, current.ends_at)


@frozen
class Unlimited:
    """No limit; the figures are generous and stay as they are.

    Args:
        window: Seconds from now to the reset that is told.
    """

    window: float

    def take(self, key: str, now: float) -> Verdict:  # noqa: ARG002
        """Allow the request."""
        return Verdict(
            allowed=True, limit=GENEROUS, remaining=GENEROUS, reset_at=now + self.window, enforced=False
        )

    def peek(self, key: str, now: float) -> Verdict:
        """Say the same as `take`: nothing is counted."""
        return self.take(key, now)


ALGORITHMS: Mapping[str, type[FixedWindow]] = {"fixed": FixedWindow}


def make_limiter(algorithm: str, rpm: int | None, window: float) -> Limiter:
    """Make the limiter that a name and two numbers describe.

    Args:
        algorithm: One of `ALGORITHMS`.
        rpm: Requests in a window, at least 1; None for no limit.
        window: Length of a window in seconds, above 0.

    Raises:
        ValueError: The name is unknown or a number is out of its range.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"algorithm={algorithm!r}: there is {', '.join(map(repr, ALGORITHMS))}")
    if not is_number(window) or window <= 0:
        raise ValueError(f"window={window!r}: seconds above 0 are needed")
    if rpm is None:
        return Unlimited(window)
    if not is_whole(rpm, 1):
        raise ValueError(f"rpm={rpm!r}: a whole number from 1, or None for no limit, is needed")
    return ALGORITHMS[algorithm](rpm, window)
