"""When the next send may go, given the sends that went before.

1. `Sends` is what is known of earlier sends; `Pace` is what is allowed; neither learns anything.
2. A pace is plain numbers, so that a store which several processes share can check and record in
   one step. All times are seconds on one monotonic clock.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from heapq import merge
from math import inf
from typing import Protocol

from attrs import define, field, frozen

__all__ = ["INSTANT", "SPREAD", "Pace", "SendLog", "Sends"]

SPREAD = 0.5
"""Seconds by which two requests may be further apart, or closer, on arrival than when they were sent."""

_SPENT = 512
"""Forgotten entries at the front of a log before they are cut off."""

INSTANT = 1e-6
"""Seconds that are not worth a wait."""


class Sends(Protocol):
    """Earlier sends, in the order of time."""

    def newest(self, nth: int) -> float:
        """When the `nth` newest send was, from 1; minus infinity where there are not that many."""
        ...

    def count(self, after: float) -> int:
        """How many sends there were later than `after`."""
        ...


@define
class SendLog:
    """Sends in memory; asking costs the logarithm of their number at most."""

    _times: list[float] = field(factory=list)
    _first: int = field(default=0, init=False)

    @classmethod
    def merged(cls, logs: Iterable[SendLog]) -> SendLog:
        """One log of what was sent in any of several."""
        return cls(list(merge(*(log.times() for log in logs))))

    def times(self) -> list[float]:
        """When each of the sends was."""
        return self._times[self._first :]

    def add(self, now: float) -> None:
        """Record a send; one from before the newest counts as its equal."""
        self._times.append(max(now, self.newest(1)))

    def insert(self, times: Iterable[float]) -> None:
        """Record sends of any time, in any order; cheap where they are among the newest."""
        for at in times:
            insort(self._times, at, self._first)

    def remove(self, at: float) -> None:
        """Take back a send that was recorded and not made."""
        place = bisect_right(self._times, at, self._first) - 1
        if place >= self._first and self._times[place] == at:
            del self._times[place]

    def newest(self, nth: int) -> float:
        """When the `nth` newest send was, from 1; minus infinity where there are not that many."""
        times = self._times
        return times[-nth] if nth <= len(times) - self._first else -inf

    def count(self, after: float) -> int:
        """How many sends there were later than `after`."""
        return len(self._times) - bisect_right(self._times, after, self._first)

    def forget(self, before: float) -> None:
        """Let go of what was sent before a time."""
        times = self._times
        while self._first < len(times) and times[self._first] < before:
            self._first += 1
        if self._first > _SPENT and 2 * self._first > len(times):
            del times[: self._first]
            self._first = 0


@frozen(kw_only=True)
class Pace:
    """What a bucket allows, until it learns more.

    Attributes:
        limit: Sends within `span`, at least 1.
        span: The window and its margin, in seconds.
        interval: Seconds from one send to the next.
        window: The longest wait there is, in seconds.
        others: Sends of others to count as our own.
        others_until: When these are forgotten.
        paused_until: Nothing is sent before.
        held_until: Nothing is sent before, if anything was sent: an answer comes first.
        remaining: What the server had left at `since`, or infinity where it has not said.
        since: When the request was sent that brought `remaining`.
        full: What the server has left after a window without sends.
        even: Whether sends keep their distance even when they are late.
        eager: Whether what remains is spent at once, to find out how long the window is.
        trial_at: When one send may go, if none went after `since`, whatever the window is taken for.
    """

    limit: int
    span: float
    interval: float
    window: float
    others: int = 0
    others_until: float = -inf
    paused_until: float = -inf
    held_until: float = -inf
    remaining: float = inf
    since: float = -inf
    full: float = inf
    even: bool = False
    eager: bool = False
    trial_at: float = inf

    def wait(self, sends: Sends, now: float) -> float:
        """Seconds until a send is allowed: 0 for now, never more than a window."""
        at = self._due(sends, now)
        if self.eager and self._left(sends, now) >= 2:
            at = self.held_until if sends.newest(1) > -inf else now
        if at > self.trial_at and sends.count(self.since) == 0:
            at = self.trial_at
        at = max(at, self.paused_until)
        return 0.0 if at <= now + INSTANT else min(at - now, self.window)

    def soonest(self, sends: Sends, nth: int, now: float) -> float:
        """Seconds before which the `nth` send from now cannot be, whatever else comes: a lower bound."""
        windows, rest = divmod(nth - 1, self.limit)
        room = sends.newest(self.limit - rest) + self.span
        return max(self.wait(sends, now), room - now) + windows * self.span

    def _due(self, sends: Sends, now: float) -> float:
        """When the next send is due, or a time that has passed."""
        at = self._room_at(sends, now)
        newest = sends.newest(1)
        if newest == -inf:
            return at
        at = max(at, self.held_until)
        paced = newest + self.interval
        return at if at >= paced or now >= paced else max(at, min(paced, self._catch_up_at(sends, now)))

    def _room_at(self, sends: Sends, now: float) -> float:
        """When the log has room: fewer than `limit` sends within `span`."""
        at = sends.newest(self.limit) + self.span
        if self.others and now < self.others_until:
            own = self.limit - self.others
            with_others = sends.newest(own) + self.span if own > 0 else inf
            at = max(at, min(self.others_until, with_others))
        return at

    def _catch_up_at(self, sends: Sends, now: float) -> float:
        """When a send need not keep its distance from the last.

        At most half the limit goes at once, and only where even sending would have been further on.
        """
        if self.even or self._left(sends, now) < 2:
            return inf
        half = max(1, self.limit // 2)
        return sends.newest(half) + half * self.interval

    def _left(self, sends: Sends, now: float) -> float:
        """What the server has left at least, with all that is under way.

        Of which one is kept for requests that arrive closer to each other than they left.
        """
        if self.remaining == inf:
            return inf
        left = self.full if now >= self.since + self.span else self.remaining
        return left - sends.count(self.since - SPREAD) + 1
