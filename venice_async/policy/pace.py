"""When the next send may go, given the sends that went before.

1. `Sends` is what is known of earlier sends; `Pace` is what is allowed; neither learns anything.
2. A pace is plain numbers, so that a store which several processes share can check and record in
   one step. All times are seconds on one monotonic clock.
3. What is counted are images: a request for several has so many sends at one time, all or none of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from heapq import merge
from math import inf
from typing import Protocol

from attrs import define, field, frozen

__all__ = ["INSTANT", "SPREAD", "Pace", "Pause", "SendLog", "Sends"]

SPREAD = 0.5
"""Seconds by which two requests may be further apart, or closer, on arrival than when they were sent."""

_SPENT = 512
"""Forgotten entries at the front of a log before they are cut off."""

INSTANT = 1e-6
"""Seconds that are not worth a wait."""


@frozen
class Pause:
    """What keeps requests waiting beyond the ordinary pace.

    Attributes:
        what: For a person.
        until: Seconds.
        model: The only model that waits; None where all do.
    """

    what: str
    until: float
    model: str | None


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

    def add(self, now: float, units: int = 1) -> None:
        """Record sends of one time; one from before the newest counts as its equal."""
        at = max(now, self.newest(1))
        for _ in range(units):
            self._times.append(at)

    def insert(self, times: Iterable[float]) -> None:
        """Record sends of any time, in any order; cheap where they are among the newest."""
        for at in times:
            insort(self._times, at, self._first)

    def remove(self, at: float, units: int = 1) -> None:
        """Take back sends of one time that were recorded and not made."""
        end = bisect_right(self._times, at, self._first)
        begin = max(bisect_left(self._times, at, self._first, end), end - units)
        del self._times[begin:end]

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
        limit: Sends within `span`, at least 1; a request for more goes alone.
        span: The window and its margin, in seconds.
        interval: Seconds from one send to the next.
        window: The longest wait there is, in seconds.
        others: Sends of others to count as our own.
        others_until: When these are forgotten.
        paused_until: Nothing is sent before.
        held_until: Nothing is sent before, if anything was sent: an answer comes first.
        remaining: What the server had left at `since`, or infinity where it has not said.
        since: When the request was sent that brought `remaining`.
        seen: How many sends that request was.
        full: What the server has left after a window without sends.
        even: Whether sends keep their distance even when they are late.
        lumpy: Whether there are requests for several images: what their gaps cost is caught up with,
            whatever remains.
        eager: Whether what remains is spent at once, to find out how long the window is.
        trial_at: When one request may go, if none went after `trial_after`, whatever the window is taken for.
        trial_after: See there.
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
    seen: int = 1
    full: float = inf
    even: bool = False
    lumpy: bool = False
    eager: bool = False
    trial_at: float = inf
    trial_after: float = -inf

    def wait(self, sends: Sends, now: float, units: int = 1) -> float:
        """Seconds until a request for so many images is allowed: 0 for now, never more than a window."""
        units = min(units, self.limit)
        at = self._due(sends, now, units)
        if self.eager and self._left(sends, now) > units:
            at = self.held_until if sends.newest(1) > -inf else now
        if at > self.trial_at and sends.count(self.trial_after) == 0:
            at = self.trial_at
        at = max(at, self.paused_until)
        return 0.0 if at <= now + INSTANT else min(at - now, self.window)

    def soonest(self, sends: Sends, nth: int, now: float, units: int = 1) -> float:
        """Seconds before which the `nth` image from now cannot be asked for, whatever else comes.

        A lower bound, for the last of so many images that one request asks for.
        """
        windows, rest = divmod(nth - 1, self.limit)
        room = sends.newest(self.limit - rest) + self.span
        return max(self.wait(sends, now, units), room - now) + windows * self.span

    def _due(self, sends: Sends, now: float, units: int) -> float:
        """When the next request is due, or a time that has passed."""
        at = self._room_at(sends, now, units)
        newest = sends.newest(1)
        if newest == -inf:
            return at
        at = max(at, self.held_until)
        paced = newest + units * self.interval
        return (
            at if at >= paced or now >= paced else max(at, min(paced, self._catch_up_at(sends, now, units)))
        )

    def _room_at(self, sends: Sends, now: float, units: int) -> float:
        """When the log has room: at most `limit` sends within `span`."""
        at = sends.newest(self.limit - units + 1) + self.span
        if self.others and now < self.others_until:
            own = self.limit - self.others - units + 1
            with_others = sends.newest(own) + self.span if own > 0 else inf
            at = max(at, min(self.others_until, with_others))
        return at

    def _catch_up_at(self, sends: Sends, now: float, units: int) -> float:
        """When a request need not keep its distance from the last.

        At most half the limit goes at once, and only where even sending would have been further on.
        """
        half = max(1, self.limit // 2)
        if self.even or units > half or not (self.lumpy or self._left(sends, now) > units):
            return inf
        return sends.newest(half - units + 1) + half * self.interval

    def _left(self, sends: Sends, now: float) -> float:
        """What the server has left at least, with all that is under way.

        Of which one is kept for requests that arrive closer to each other than they left.
        """
        if self.remaining == inf:
            return inf
        left = self.full if now >= self.since + self.span else self.remaining
        return left - sends.count(self.since - SPREAD) + self.seen
