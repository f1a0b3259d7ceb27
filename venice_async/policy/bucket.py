"""What the answers teach about one rate limit: its size, its window, and what others use of it.

1. Only differences of times count: a reset is placed on our clock by the answers' own `Date`.
2. Answers come late and out of order; what is told of an earlier send never raises what remains.
3. A window is a minute until the answers prove it shorter, or twice in a row tell of a longer one.
4. What cannot be right (a reset in the past, or beyond an hour) teaches nothing.
5. Images are counted: a request for several is as many sends, and its permit says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import pairwise
from math import inf

import attrs
from attrs import define, field, frozen

from venice_async.types.response import RateLimitSnapshot

from .pace import SPREAD, Pace, SendLog

__all__ = ["LONGEST", "MINUTE", "Bucket", "Permit", "ServerClock"]

MINUTE = 60.0
"""Seconds."""

_ASSUMED = 20  # images a minute, where neither the key's limits nor an answer says more
LONGEST = 3600.0
"""Seconds; a reset that is further away is not that of a window."""

_SAME = 2.0  # seconds within which two resets are one, told in whole seconds
_MISPLACED = 3.0  # seconds by which whole-second headers and the way there may misplace a reset
_WHOLE_WINDOWS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)
_LONG = 0.8  # of a minute: a reset so far ahead leaves no doubt that the window is a minute
_STRETCH = 0.05  # of the window, for every refusal that the log does not explain
_CAREFUL_FOR = 60  # windows after a refusal
_DATES = 16  # answers


@frozen
class Permit:
    """Leave to send one request.

    Attributes:
        model: The model it is for.
        sent_at: When it was taken, in seconds on our clock.
        units: Images that the request asks for.
    """

    model: str
    sent_at: float
    units: int = 1


@define
class ServerClock:
    """How far the server's clock is ahead of ours, in seconds.

    A `Date` is cut to whole seconds and has travelled, so each one shows too little: the greatest of
    the last few is the nearest. Being the last few, they also follow a clock that is set.
    """

    _ahead: deque[float] = field(factory=lambda: deque(maxlen=_DATES))

    def saw(self, server_time: float, now: float) -> None:
        """Take in an answer's `Date`."""
        self._ahead.append(server_time - now)

    def here(self, server_time: float | None) -> float | None:
        """A time of the server's on our clock; None while no answer had a `Date`."""
        if server_time is None or not self._ahead:
            return None
        return server_time - max(self._ahead)


@frozen
class _Sight:
    """What one answer said of its window.

    Attributes:
        reset_at: When it ends, on the server's clock.
        length: Seconds from the sending of the request to that end.
        used: Images that the window held.
        units: Those of the request itself.
    """

    reset_at: float
    length: float
    used: int
    units: int

    @property
    def opened_it(self) -> bool:
        """Whether the request was the window's first."""
        return self.used == self.units


@define
class Bucket:
    """One rate limit: its sends, and what was learned about it.

    Args:
        ceiling: Images a minute at most, whatever the server allows; None for what it allows.
        sends: What was sent so far.
    """

    ceiling: int | None = None
    sends: SendLog = field(factory=SendLog)
    limit: int = field(init=False, default=_ASSUMED)
    window: float = field(init=False, default=MINUTE)
    _known: bool = field(init=False, default=False)
    _told: bool = field(init=False, default=False)
    _expected: bool = field(init=False, default=False)
    _first: Permit | None = field(init=False, default=None)
    _since: float = field(init=False, default=-inf)
    _seen: int = field(init=False, default=1)
    _remaining: float = field(init=False, default=inf)
    _reset_at: float = field(init=False, default=-inf)
    _first_reset_at: float | None = field(init=False, default=None)
    _full: int | None = field(init=False, default=None)
    _others: int = field(init=False, default=0)
    _others_until: float = field(init=False, default=-inf)
    _paused_until: float = field(init=False, default=-inf)
    _refused_at: float = field(init=False, default=-inf)
    _trial_at: float = field(init=False, default=inf)
    _stretch: float = field(init=False, default=0.0)
    _careful_until: float = field(init=False, default=inf)
    _sights: deque[_Sight] = field(init=False, factory=lambda: deque(maxlen=16))
    _settled: bool = field(init=False, default=False)
    _longer: float | None = field(init=False, default=None)
    _lumpy: bool = field(init=False, default=False)
    _pace: Pace | None = field(init=False, default=None)
    _share: int = field(init=False, default=1)

    def __attrs_post_init__(self) -> None:
        if self.ceiling is not None:
            self.limit, self._known, self._settled = self.ceiling, True, True

    def wait(self, now: float, *, units: int = 1, even: bool = False) -> float:
        """Seconds until a request for so many images is allowed: 0 for now, never more than a window."""
        return self.pace(now, even=even).wait(self.sends, now, units)

    def soonest(self, nth: int, now: float, units: int = 1) -> float:
        """Seconds before which the `nth` image from now cannot be asked for; see `Pace.soonest`."""
        return self.pace(now).soonest(self.sends, nth, now, units)

    def even(self, nth: int, now: float) -> float:
        """Seconds until the `nth` image from now is asked for, if all keep their distance."""
        pace = self.pace(now)
        return pace.wait(self.sends, now) + (nth - 1) * pace.interval

    def sent(self, permit: Permit) -> None:
        """Record a send."""
        self.sends.forget(permit.sent_at - 2 * self.window)
        self.sends.add(permit.sent_at, permit.units)
        if permit.units > 1 and not self._lumpy:
            self._lumpy, self._pace = True, None
        if not self._known and self._first is None:
            self._first = permit
            self._pace = None

    def withdrawn(self, permit: Permit) -> None:
        """The permit was taken, and not used after all."""
        self.sends.remove(permit.sent_at, permit.units)
        if self._first is permit:
            self._first = self._pace = None

    def heard(self, sends: Iterable[float]) -> None:
        """Count what other processes that share the bucket have sent as our own."""
        self.sends.insert(sends)

    def divide(self, share: int) -> None:
        """Use no more than one of so many parts of the limit from now on."""
        self._share, self._pace = share, None

    @property
    def paused_until(self) -> float:
        """Nothing is sent before, because the server refused."""
        return self._paused_until

    @property
    def known_limit(self) -> int | None:
        """Images a window, where the settings, the key's limits or an answer say; else None."""
        return self.limit if self._told or self._expected or self.ceiling is not None else None

    def pace(self, now: float, *, even: bool = False) -> Pace:
        """What is allowed, in plain numbers; where `even`, to who keeps their distance in any case."""
        if now >= self._careful_until:
            self._stretch, self._careful_until, self._pace = 0.0, inf, None
        if self._pace is None:
            self._pace = self._make_pace()
        return attrs.evolve(self._pace, even=True) if even else self._pace

    def _make_pace(self) -> Pace:
        margin = max(0.008 * self.window, min(0.5, 0.025 * self.window))
        longer = 1 + self._stretch
        doubtful = self._doubtful()
        limit = max(1, self.limit // self._share)
        trial_at, trial_after = self._trial(doubtful=doubtful)
        return Pace(
            limit=limit,
            span=(self.window + margin) * longer,
            interval=(self.window + margin / 2) * longer / limit,
            window=self.window,
            others=self._others,
            others_until=self._others_until,
            paused_until=self._paused_until,
            held_until=-inf if self._first is None else self._first.sent_at + self.window,
            remaining=self._remaining,
            since=self._since,
            seen=self._seen,
            full=self._remaining + self._seen if self._full is None else self._full,
            even=self._careful_until < inf,
            lumpy=self._lumpy,
            eager=doubtful,
            trial_at=trial_at,
            trial_after=trial_after,
        )

    def _trial(self, *, doubtful: bool) -> tuple[float, float]:
        """When one request may go whatever the window is taken for, if none went after the second time."""
        if doubtful:
            return self._reset_at + (0.1 if self._remaining else 1.1), self._since
        if self._settled or self.window != MINUTE:
            return inf, -inf
        return self._trial_at, self._refused_at

    def expect(self, limit: int) -> None:
        """Take the limit that the key's settings tell, unless an answer has told it already."""
        if not self._told and self.ceiling is None and limit >= 1:
            self.limit, self._known, self._expected = limit, True, True
            self._first = self._pace = None

    def unanswered(self, permit: Permit) -> None:
        """No answer came: the server may have counted the request, so it stays counted."""
        if self._first == permit:
            self._first = self._pace = None

    def answered(self, permit: Permit, snapshot: RateLimitSnapshot | None, clock: ServerClock) -> None:
        """Learn from an answer, whatever its status."""
        self._first = self._pace = None
        self._known = True
        if snapshot is None:
            return
        newest = permit.sent_at >= self._since
        if newest and snapshot.limit:
            self._set_limit(snapshot.limit)
        remaining = snapshot.remaining
        reset_at = self._plausible(clock.here(snapshot.reset_at), permit)
        if newest and remaining is not None:
            tied = self._remaining if permit.sent_at == self._since else inf
            self._since, self._seen, self._remaining = permit.sent_at, permit.units, min(remaining, tied)
            self._reset_at = -inf if reset_at is None else reset_at
        if reset_at is None or snapshot.reset_at is None:
            return
        if remaining is not None:
            self._see_others(permit, remaining, reset_at, newest=newest)
            if not self._settled and snapshot.limit == self.limit:
                length = reset_at - permit.sent_at
                self._sights.append(_Sight(snapshot.reset_at, length, self.limit - remaining, permit.units))
        self._measure(reset_at - permit.sent_at)

    def refused(
        self,
        permit: Permit,
        retry_after: float | None,
        snapshot: RateLimitSnapshot | None,
        clock: ServerClock,
        now: float,
    ) -> None:
        """A 429 about the rate: nobody sends before the reset, or before what the server asks for."""
        limit = self.limit
        self.answered(permit, snapshot, clock)
        reset_at = self._plausible(clock.here(snapshot.reset_at), permit) if snapshot else None
        if retry_after is not None:
            until = now + min(retry_after, LONGEST)
        elif reset_at is not None and reset_at > now:
            until = reset_at + SPREAD / 5
        else:
            until = now + self.window
        self._paused_until = max(self._paused_until, until, now + 1)
        if snapshot is not None and reset_at is not None:
            whole = snapshot.reset_at == int(snapshot.reset_at or 0)
            self._refused_at, self._trial_at = now, reset_at + (1.1 if whole else 0.1)
        if limit == self.limit and 10 * self._others <= limit and self._own(permit) <= limit:
            self._stretch = min(0.3, self._stretch + _STRETCH)
        self._careful_until = now + _CAREFUL_FOR * self.window

    def _set_limit(self, limit: int) -> None:
        self._told = True
        if self.ceiling is not None:
            limit = min(limit, self.ceiling)
        if limit != self.limit:
            self.limit, self._full, self._first_reset_at = limit, None, None
            self._others = 0
            self._sights.clear()

    def _plausible(self, reset_at: float | None, permit: Permit) -> float | None:
        """A reset on our clock, if it can be the end of a window that the request was in."""
        return reset_at if reset_at is not None and 0 < reset_at - permit.sent_at <= LONGEST else None

    def _own(self, permit: Permit) -> int:
        """Own sends that may have been in the server's window when the request of a permit arrived."""
        begin, end = permit.sent_at - self.window - SPREAD, permit.sent_at + SPREAD
        return self.sends.count(begin) - self.sends.count(end)

    def _see_others(self, permit: Permit, remaining: int, reset_at: float, *, newest: bool) -> None:
        """Charge what is missing and was not sent by us, until the reset.

        What is missing is counted from the limit first, and from the second window on from the most
        that ever remained: a server that forgives only short bursts never shows its whole limit.
        """
        if self._first_reset_at is None:
            self._first_reset_at = reset_at
        if permit.sent_at > self._first_reset_at or self._full is not None:
            self._full = max(self._full or 0, remaining + permit.units)
        others = max(0, (self._full or self.limit) - remaining - self._own(permit))
        same = abs(reset_at - self._others_until) < _SAME
        if same:
            self._others = max(self._others, others)
        elif newest:
            self._others, self._others_until = others, reset_at

    def _doubtful(self) -> bool:
        """Whether the window may be shorter than it is taken for."""
        return not self._settled and self.window == MINUTE and any(sight.opened_it for sight in self._sights)

    def _measure(self, ahead: float) -> None:
        """Learn the window's length from a reset that was so many seconds ahead of its request."""
        if ahead > max(self.window, MINUTE) + _MISPLACED:
            if self._longer is not None:
                self.window, self._settled = min(ahead, self._longer), True
            self._longer = ahead
            return
        self._longer = None
        if self._settled:
            return
        if ahead > _LONG * MINUTE:
            self.window, self._settled = MINUTE, True
        elif (proven := self._proven()) is not None:
            self.window = proven
        elif ahead > self.window + _MISPLACED:
            self.window = MINUTE

    def _proven(self) -> float | None:
        """The length of a window shorter than a minute, or None.

        It is no shorter than the furthest reset, and no longer than from one reset to the next; while
        these two differ, the longer is safe. That a reset stays where it is as requests come tells a
        window from a bucket that refills bit by bit (GCRA), whose resets say nothing of the kind.
        """
        resets = sorted(sight.reset_at for sight in self._sights)
        gaps = [later - one for one, later in pairwise(resets) if later - one > 1]
        stays = any(
            abs(sight.reset_at - one.reset_at) < 0.5
            and (sight.used - one.used) * one.length > 1.5 * one.units
            for one in self._sights
            if one.opened_it and one.length > 1
            for sight in self._sights
        )
        if not gaps or not stays:
            return None
        furthest, gap = max(sight.length for sight in self._sights), min(gaps)
        length = _whole(furthest, max(furthest + 1, gap)) if furthest > _LONG * gap else gap
        return length if length < _LONG * MINUTE else None


def _whole(length: float, longest: float) -> float:
    """The window that a measured length stands for: headers in whole seconds misplace it by one."""
    candidate = max(whole for whole in _WHOLE_WINDOWS if whole <= longest)
    return float(candidate) if candidate > length - _SAME else longest
