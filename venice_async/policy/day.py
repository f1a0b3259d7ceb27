"""The limit of a day, beside that of the minute.

1. Any 24 hours hold no more than the limit, whether the server counts a calendar's day or the last one.
2. Sends are counted by the minute: a day of them is at most 1,440 numbers, and none leaves too early.
"""

from __future__ import annotations

from collections import deque
from math import inf

from attrs import define, field

__all__ = ["DAY", "Day"]

DAY = 86_400.0
"""Seconds."""

_MINUTE = 60.0


@define
class _Minute:
    began_at: float
    units: int


@define
class Day:
    """What one model may still be asked for today.

    Args:
        limit: Images within 24 hours, at least 1; None while it is not known.
    """

    limit: int | None = None
    _minutes: deque[_Minute] = field(init=False, factory=deque)
    _used: int = field(init=False, default=0)
    _closed_until: float = field(init=False, default=-inf)

    def wait(self, now: float, units: int = 1) -> float:
        """Seconds until a request for so many images is allowed: 0 for now."""
        return max(0.0, self.opens_at(now, units) - now)

    def opens_at(self, now: float, units: int = 1) -> float:
        """When a request for so many images is allowed, or a time that has passed."""
        self._forget(now)
        at = self._closed_until
        if self.limit is None or (surplus := self._used + min(units, self.limit) - self.limit) <= 0:
            return at
        for minute in self._minutes:
            at = max(at, minute.began_at + _MINUTE + DAY)
            surplus -= minute.units
            if surplus <= 0:
                break
        return at

    def sent(self, now: float, units: int) -> None:
        """Record a request."""
        self._forget(now)
        if not self._minutes or now >= self._minutes[-1].began_at + _MINUTE:
            self._minutes.append(_Minute(now, 0))
        self._minutes[-1].units += units
        self._used += units

    def withdrawn(self, sent_at: float, units: int) -> None:
        """A request was recorded, and not sent after all."""
        for minute in reversed(self._minutes):
            if minute.began_at <= sent_at:
                minute.units -= units
                self._used -= units
                return

    def told(self, limit: int | None, remaining: int | None, reset_at: float) -> None:
        """An answer told of the day; nothing is sent before its end where nothing remains."""
        self.limit = limit or self.limit
        if remaining == 0:
            self._closed_until = max(self._closed_until, reset_at)

    def _forget(self, now: float) -> None:
        minutes = self._minutes
        while minutes and minutes[0].began_at + _MINUTE + DAY <= now:
            self._used -= minutes.popleft().units
