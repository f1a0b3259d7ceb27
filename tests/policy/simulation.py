"""A server and a client on one hand-moved clock: events in a heap, no sleeping.

The four algorithms are written from their definitions; a request for several images is admitted whole or
not at all. A server's clock is `offset` seconds ahead
of the client's; what it says of times goes through whole-second headers, as over HTTP.
"""

import heapq
import itertools
import math
from collections import deque
from functools import partial

from venice_async.errors import RateLimitError
from venice_async.policy.guard import Guard, GuardState
from venice_async.policy.rate_limit import Permits
from venice_async.types.response import RateLimitSnapshot

ROUNDINGS = {"up": math.ceil, "down": math.floor, "not": lambda seconds: seconds}


class FixedWindow:
    """`limit` requests in each window of a calendar (`phase`), or of one that opens with a request (None)."""

    def __init__(self, limit, window, phase=None):
        self.limit, self.window, self.phase = limit, window, phase
        self.ends_at, self.used = -math.inf, 0

    def take(self, now, units=1):
        if now >= self.ends_at:
            self.used = 0
            if self.phase is None:
                self.ends_at = now + self.window
            else:
                passed = math.floor((now - self.phase) / self.window)
                self.ends_at = self.phase + (passed + 1) * self.window
        allowed = self.used + units <= self.limit
        self.used += units * allowed
        return allowed, max(0, self.limit - self.used), self.ends_at


class SlidingLog:
    """`limit` requests in any window; the reset is when the oldest is forgotten, or the newest."""

    def __init__(self, limit, window, told="oldest"):
        self.limit, self.window, self.told = limit, window, told
        self.log = deque()

    def take(self, now, units=1):
        while self.log and self.log[0] <= now - self.window:
            self.log.popleft()
        allowed = len(self.log) + units <= self.limit
        if allowed:
            self.log.extend([now] * units)
        told = self.log[0 if self.told == "oldest" else -1]
        return allowed, max(0, self.limit - len(self.log)), told + self.window


class WeightedCounter:
    """The last calendar window's count fades as this one's grows; a request must fit in whole, or in part."""

    def __init__(self, limit, window, phase=0.0, whole=True):
        self.limit, self.window, self.phase, self.whole = limit, window, phase, whole
        self.index, self.last, self.this = None, 0, 0

    def take(self, now, units=1):
        place = (now - self.phase) / self.window
        index = math.floor(place)
        if index != self.index:
            self.last = self.this if self.index == index - 1 else 0
            self.index, self.this = index, 0
        estimate = self.last * (1 - (place - index)) + self.this
        allowed = estimate + units <= self.limit if self.whole else estimate + units - 1 < self.limit
        self.this += units * allowed
        remaining = max(0, math.floor(self.limit - estimate - units * allowed))
        return allowed, remaining, self.phase + (index + 1) * self.window


class Gcra:
    """One request every window / limit, up to `burst` of them early; the reset is when none is early."""

    def __init__(self, limit, window, burst):
        self.limit, self.window, self.burst = limit, window, burst
        self.due = -math.inf

    def take(self, now, units=1):
        every = self.window / self.limit
        due = max(self.due, now)
        allowed = due - now <= (self.burst - units) * every
        if allowed:
            self.due = due = due + units * every
        return allowed, max(0, math.floor(self.burst - (due - now) / every)), due


class Run:
    """A client that always has something to send, and what became of it.

    Attributes:
        arrivals: When each image was admitted.
        refusals: When each request was refused.
        sends: When each request was sent.
        asked: How often `wait` was asked.
    """

    def __init__(
        self,
        server,
        rng,
        *,
        rate_limit=None,
        concurrency=40,
        latency=(4.0, 20.0),
        jitter=(0.03, 0.4),
        offset=0.0,
        rounding="up",
        key_limits=None,
        prompts=math.inf,
        guard=None,
        model="m",
        scope="api_key",
        units=(1,),
    ):
        self.server, self.rng = server, rng
        self.permits = Permits() if rate_limit is None else Permits(rate_limit)
        self.guard = GuardState(guard or Guard())
        self.concurrency, self.latency, self.jitter = concurrency, latency, jitter
        self.offset, self.round = offset, ROUNDINGS[rounding]
        self.model, self.scope = model, scope
        self.units = itertools.chain.from_iterable(rng.choices(units) for _ in itertools.count())
        self.next_units, self.again = next(self.units), []
        self.left = prompts
        self.arrivals, self.refusals, self.sends, self.answers = [], [], [], []
        self.in_flight = self.asked = 0
        self.now = 0.0
        self._events, self._order, self._wake = [], itertools.count(), None
        if key_limits is not None:
            self.at(0.0, lambda: self.permits.key_limits(key_limits))

    def at(self, when, action):
        heapq.heappush(self._events, (when, next(self._order), action))

    def run(self, until):
        self.at(self.now, self._fill)
        while self._events and self._events[0][0] <= until:
            self.now, _, action = heapq.heappop(self._events)
            action()
        self.now = until
        return self

    def _woken(self, when):
        if self._wake == when:
            self._wake = None
            self._fill()

    def _fill(self):
        while self.left > 0 and self.in_flight < self.concurrency:
            self.asked += 1
            guarded = self.guard.wait(self.model, self.now)
            if guarded is None:
                return
            units = self.again[0] if self.again else self.next_units
            seconds = max(guarded, self.permits.wait(self.model, self.now, units=units))
            assert 0 <= seconds <= 61
            if seconds:
                when = self.now + seconds
                if self._wake is None or self._wake > when:
                    self._wake = when
                    self.at(when, partial(self._woken, when))
                return
            if self.again:
                self.again.pop(0)
            else:
                self.next_units = next(self.units)
            self._send(units)

    def _send(self, units):
        permit = self.permits.sent(self.model, self.now, units)
        self.guard.started(self.model)
        self.sends.append(self.now)
        self.in_flight += 1
        self.left -= 1
        self.at(self.now + self.rng.uniform(*self.jitter), lambda: self._arrive(permit))

    def _arrive(self, permit):
        allowed, remaining, reset_at = self.server.take(self.now + self.offset, permit.units)
        limit = self.server.limit
        if allowed:
            self.arrivals.extend([self.now] * permit.units)
        else:
            self.refusals.append(self.now)
        down = self.rng.uniform(*self.jitter)
        took = self.rng.uniform(*self.latency) if allowed else 0.0
        snapshot = RateLimitSnapshot(
            limit=limit,
            remaining=remaining,
            reset_at=self.round(reset_at),
            scope=self.scope,
            server_time=math.floor(self.now + took + self.offset),
        )
        self.at(self.now + took + down, lambda: self._answer(permit, snapshot, allowed))

    def _answer(self, permit, snapshot, allowed):
        self.in_flight -= 1
        if allowed:
            self.guard.succeeded(self.model, self.now)
            self.permits.answered(permit, snapshot, self.now)
            self.answers.append(self.now)
        else:
            self.left += 1
            self.again.append(permit.units)
            self.guard.failed(self.model, self.now, RateLimitError("", status=429))
            self.permits.refused(permit, None, snapshot, self.now)
        self._fill()


def utilisation(run, begin, end):
    """Images admitted between two times, over what the limit admits in as long a time."""
    admitted = sum(begin <= at < end for at in run.arrivals)
    return admitted / ((end - begin) * run.server.limit / run.server.window)
