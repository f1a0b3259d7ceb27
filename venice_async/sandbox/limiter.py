"""How many images a key may have, and when there may be more: four algorithms.

1. Pure: the caller passes the time in. Nothing here reads a clock, waits or knows HTTP.
2. Every bucket (a model, say) has a limit of its own. A request for several images gets all of them or
   none, and a refused one takes nothing.
3. Times are seconds on the caller's clock, whichever that is; it does not run backwards.
4. Whether a request is allowed, when the next one is and how many remain come from one expression, so
   that they agree to the last bit of a float: whoever waits until `retry_at` is let in.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from types import MappingProxyType

import attrs
from attrs import define, field, frozen
from typing_extensions import override

from .arguments import is_number, is_whole

__all__ = [
    "ALGORITHMS",
    "Bucket",
    "FixedWindow",
    "Gcra",
    "Limiter",
    "SlidingCounter",
    "SlidingLog",
    "Unlimited",
    "Verdict",
    "make_limiter",
]

Bucket = Hashable

# What an unlimited server says that it allows; high enough that no client ever paces itself by it.
GENEROUS = 1_000_000


@frozen
class Verdict:
    """What the limiter says about one request.

    Attributes:
        allowed: Whether the request may pass.
        limit: Images that one window holds.
        remaining: Images that would still be allowed at once after this one.
        reset_at: When the window resets, in seconds on the caller's clock; each algorithm says what
            that is.
        retry_at: From when on the next request for as many images is allowed, in the same seconds;
            not in the future while so many remain, and infinite where they never do.
        enforced: False when there is no limit and the figures are only for show.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_at: float
    retry_at: float
    enforced: bool = True


class Limiter(ABC):
    """What the server needs of an algorithm; an algorithm looks and counts."""

    def take(self, bucket: Bucket, now: float, images: int = 1) -> Verdict:
        """Ask for one request at time `now`, and count its images if it is allowed."""
        allowed = self.peek(bucket, now, images).allowed
        if allowed:
            self._count(bucket, now, images)
        return attrs.evolve(self.peek(bucket, now, images), allowed=allowed)

    @abstractmethod
    def peek(self, bucket: Bucket, now: float, images: int = 1) -> Verdict:
        """Say how things stand at time `now`, without counting anything."""

    @abstractmethod
    def _count(self, bucket: Bucket, now: float, images: int) -> None:
        """Count a request that is allowed at time `now`."""


@define
class _Window:
    ends_at: float
    used: int = 0


@define
class FixedWindow(Limiter):
    """At most `limit` images in each window; a window opens with its first request.

    The reset is the end of the window.

    Args:
        limit: Images in a window, at least 1.
        window: Length of a window in seconds, above 0.
    """

    limit: int
    window: float
    _open: dict[Bucket, _Window] = field(factory=dict, init=False, repr=False)

    @override
    def peek(self, bucket: Bucket, now: float, images: int = 1) -> Verdict:
        """Say how things stand at time `now`, without counting anything."""
        current = self._open.get(bucket)
        if current is None or now >= current.ends_at:
            current = _Window(now + self.window)
        remaining = self.limit - current.used
        retry_at = now if images <= remaining else current.ends_at if images <= self.limit else math.inf
        return Verdict(images <= remaining, self.limit, remaining, current.ends_at, retry_at)

    @override
    def _count(self, bucket: Bucket, now: float, images: int) -> None:
        current = self._open.get(bucket)
        if current is None or now >= current.ends_at:
            current = self._open[bucket] = _Window(now + self.window)
        current.used += images


@define
class SlidingLog(Limiter):
    """At most `limit` images in any stretch of time as long as the window.

    The reset is when the oldest request that counts leaves the window.

    Args:
        limit: Images in a window, at least 1.
        window: Length of the window in seconds, above 0.
    """

    limit: int
    window: float
    # When each image that counts leaves, the oldest first.
    _leaving: dict[Bucket, deque[float]] = field(factory=dict, init=False, repr=False)

    @override
    def peek(self, bucket: Bucket, now: float, images: int = 1) -> Verdict:
        """Say how things stand at time `now`, without counting anything."""
        leaving = self._leaving.get(bucket, deque())
        while leaving and now >= leaving[0]:
            leaving.popleft()
        reset_at = leaving[0] if leaving else now + self.window
        remaining = self.limit - len(leaving)
        short = images - remaining
        retry_at = now if short <= 0 else math.inf if images > self.limit else leaving[short - 1]
        return Verdict(short <= 0, self.limit, remaining, reset_at, retry_at)

    @override
    def _count(self, bucket: Bucket, now: float, images: int) -> None:
        self._leaving.setdefault(bucket, deque()).extend([now + self.window] * images)


@define
class _Counts:
    begins_at: float
    previous: int = 0
    current: int = 0


@define
class SlidingCounter(Limiter):
    """The images of this window, and the share of the last one's that a window's length still covers.

    A request for one is allowed if `previous * (1 - passed / window) + current + 1 <= limit`, where `passed`
    is the time since this window began. The first window begins with the first request, each other
    one where the last one ends. The reset is the end of this window. Where there is no room at once
    even then, because this window is full and the next one has yet to forget it, `retry_at` is later.

    Args:
        limit: Images in a window, at least 1.
        window: Length of a window in seconds, above 0.
    """

    limit: int
    window: float
    _counts: dict[Bucket, _Counts] = field(factory=dict, init=False, repr=False)

    @override
    def peek(self, bucket: Bucket, now: float, images: int = 1) -> Verdict:
        """Say how things stand at time `now`, without counting anything."""
        counts = self._at(bucket, now)
        fading = 1 - (now - counts.begins_at) / self.window
        room = self.limit - counts.previous * fading - counts.current
        remaining = _most(room, lambda more: now >= self._room_at(counts, more))
        ends_at = counts.begins_at + self.window
        retry_at = max(now, self._room_at(counts, images))
        return Verdict(images <= remaining, self.limit, remaining, ends_at, retry_at)

    @override
    def _count(self, bucket: Bucket, now: float, images: int) -> None:
        self._counts[bucket] = counts = self._at(bucket, now)
        counts.current += images

    def _at(self, bucket: Bucket, now: float) -> _Counts:
        """Give the counts of the window that is open at time `now`."""
        counts = self._counts.get(bucket)
        if counts is None:
            return _Counts(now)
        ends_at = counts.begins_at + self.window
        if now >= ends_at:
            counts.begins_at, counts.previous, counts.current = ends_at, counts.current, 0
        if now >= counts.begins_at + self.window:
            counts.begins_at += (now - counts.begins_at) // self.window * self.window
            counts.previous = 0
        return counts

    def _room_at(self, counts: _Counts, more: int) -> float:
        """When there is room for so many more: in this window, or as the next one forgets this one."""
        if counts.current + more <= self.limit:
            return self._faded_at(counts.begins_at, counts.previous, counts.current + more)
        return self._faded_at(counts.begins_at + self.window, counts.current, more)

    def _faded_at(self, begins_at: float, previous: int, current: int) -> float:
        spare = self.limit - current
        if previous <= spare:
            return -math.inf
        if spare < 0:
            return math.inf
        return begins_at + self.window * (1 - spare / previous)


@define
class _Cells:
    begins_at: float
    used: int = 0


@define
class Gcra(Limiter):
    """One image every `window / limit` seconds, and up to `burst` at once after a pause.

    The generic cell rate algorithm: in any stretch of time at most `burst` images and one for each
    interval that it lasts. The reset is when a whole burst would be allowed again.

    Args:
        limit: Images in a window, at least 1.
        window: Length of a window in seconds, above 0.
        burst: Images that are allowed at once, at least 1.
    """

    limit: int
    window: float
    burst: int
    # Since the last time at which none was early: each request after it is due an interval later.
    _cells: dict[Bucket, _Cells] = field(factory=dict, init=False, repr=False)

    @override
    def peek(self, bucket: Bucket, now: float, images: int = 1) -> Verdict:
        """Say how things stand at time `now`, without counting anything."""
        cells = self._at(bucket, now)
        due = self._due_at(cells, 0)
        room = self.burst - (due - now) / self._interval
        remaining = _most(room, lambda more: now >= self._due_at(cells, more - self.burst))
        retry_at = math.inf if images > self.burst else max(now, self._due_at(cells, images - self.burst))
        return Verdict(images <= remaining, self.limit, remaining, due, retry_at)

    @override
    def _count(self, bucket: Bucket, now: float, images: int) -> None:
        self._cells[bucket] = cells = self._at(bucket, now)
        cells.used += images

    def _at(self, bucket: Bucket, now: float) -> _Cells:
        cells = self._cells.get(bucket)
        return _Cells(now) if cells is None or now >= self._due_at(cells, 0) else cells

    def _due_at(self, cells: _Cells, more: int) -> float:
        """When the last one is due, were there so many more."""
        return cells.begins_at + (cells.used + more) * self._interval

    @property
    def _interval(self) -> float:
        return self.window / self.limit


def _most(about: float, fits: Callable[[int], bool]) -> int:
    """Find the most that fit, starting from what rounding may have put beside it."""
    most = max(0, math.floor(about))
    while fits(most + 1):
        most += 1
    while most and not fits(most):
        most -= 1
    return most


@frozen
class Unlimited(Limiter):
    """No limit; the figures are generous and stay as they are.

    Args:
        window: Seconds from now to the reset that is told.
    """

    window: float

    @override
    def peek(self, bucket: Bucket, now: float, images: int = 1) -> Verdict:
        """Allow any request, whatever it asks for."""
        return Verdict(
            allowed=True,
            limit=GENEROUS,
            remaining=GENEROUS,
            reset_at=now + self.window,
            retry_at=now,
            enforced=False,
        )

    @override
    def _count(self, bucket: Bucket, now: float, images: int) -> None:
        pass


_WITHOUT_BURST: Mapping[str, type[FixedWindow | SlidingLog | SlidingCounter]] = MappingProxyType(
    {"fixed": FixedWindow, "sliding-log": SlidingLog, "sliding-counter": SlidingCounter}
)

ALGORITHMS = (*_WITHOUT_BURST, "gcra")


def make_limiter(algorithm: str, rpm: int | None, window: float, burst: int | None = None) -> Limiter:
    """Make the limiter that a name and some numbers describe.

    Args:
        algorithm: One of `ALGORITHMS`.
        rpm: Images in a window, at least 1; None for no limit.
        window: Length of a window in seconds, above 0.
        burst: Images that "gcra" allows at once, 1 to `rpm`; None for a quarter of `rpm`, at least
            2 unless `rpm` is 1. The other algorithms take none.

    Raises:
        ValueError: The name is unknown or a number is out of its range.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"algorithm={algorithm!r}: there is {', '.join(map(repr, ALGORITHMS))}")
    if not is_number(window) or window <= 0:
        raise ValueError(f"window={window!r}: seconds above 0 are needed")
    if rpm is not None and not is_whole(rpm, 1):
        raise ValueError(f"rpm={rpm!r}: a whole number from 1, or None for no limit, is needed")
    if burst is not None and algorithm != "gcra":
        raise ValueError(f"burst={burst!r}: algorithm={algorithm!r} has none, only 'gcra' has")
    if burst is not None and not (is_whole(burst, 1) and (rpm is None or burst <= rpm)):
        most = "" if rpm is None else f" to rpm={rpm}"
        raise ValueError(f"burst={burst!r}: a whole number from 1{most} is needed")
    if rpm is None:
        return Unlimited(window)
    if algorithm == "gcra":
        return Gcra(rpm, window, burst or min(rpm, max(2, rpm // 4)))
    return _WITHOUT_BURST[algorithm](rpm, window)
