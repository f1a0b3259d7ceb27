"""What one process knows of all that share its key, in seconds on the server's clock.

1. Pure: nothing here asks anybody, or looks at a clock.
2. What was heard twice counts once: an event is known by its process and number.
3. It outlives the server's memory: a server that lost everything is told it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import define, field, frozen

from venice_async.policy.guard import WINDOW
from venice_async.policy.pace import SendLog, Sends

__all__ = ["Known", "Log", "OurClock", "microseconds"]

_MICRO = 1_000_000
_SOON = 1.0  # seconds of a time in the future that are no sign of another clock
_SEVERAL = 2  # spans for which a send is remembered, as by every store
_AT_LEAST = 122.0  # seconds for which a send is remembered, whatever one process takes the window for
_SPENT = 512  # forgotten events in a log before they are cut off


def microseconds(seconds: float) -> int:
    """A time as the server's scripts take it."""
    return round(seconds * _MICRO)


@frozen
class OurClock:
    """A log on the server's clock, asked on ours.

    Attributes:
        log: The log.
        ahead: Seconds by which the server's clock is ahead.
    """

    log: Sends
    ahead: float

    def newest(self, nth: int) -> float:
        """When the `nth` newest was, from 1; minus infinity where there are not that many."""
        return self.log.newest(nth) - self.ahead

    def count(self, after: float) -> int:
        """How many there were later than `after`."""
        return self.log.count(after + self.ahead)


@define
class Log:
    """Sends of a bucket, or failures.

    Attributes:
        seen: The largest running id that was heard of.
        keep: Seconds for which an event matters.
        log: When the events were.
    """

    keep: float
    seen: int = 0
    log: SendLog = field(factory=SendLog)
    _at: dict[str, float] = field(factory=dict)
    _latest: dict[str, float] = field(factory=dict)
    _untold: list[float] = field(factory=list)

    def add(self, event: str, at: float) -> None:
        """An event of our own."""
        self._put(event, at)
        self.log.add(at)

    def add_all(self, process: str, number: int, units: int, at: float) -> None:
        """The sends of one request of our own, numbered from its number on."""
        for each in range(number, number + units):
            self.add(f"{process}:{each}", at)

    def hear(self, news: Iterable[tuple[str, float, int]], now: float, own: str) -> None:
        """What the store tells: events, their times and their running ids; ours begin with `own`."""
        fresh = []
        for event, at, identifier in news:
            self.seen = max(self.seen, identifier)
            if event in self._at or not now - self.keep <= at <= now + _SOON:
                continue
            self._put(event, at)
            fresh.append(at)
            if not event.startswith(own):
                self._untold.append(at)
        self.log.insert(fresh)

    def untold(self) -> list[float]:
        """When others' events were that were not asked for yet."""
        untold, self._untold = self._untold, []
        return untold

    def forget(self, now: float) -> None:
        """Let go of what does not matter any more."""
        before = now - self.keep
        self.log.forget(before)
        if len(self._at) > 2 * self.log.count(before) + _SPENT:
            self._at = {event: at for event, at in self._at.items() if at >= before}

    def shift(self, seconds: float) -> None:
        """The server's clock was set forward by so much."""
        self._at = {event: at + seconds for event, at in self._at.items()}
        self._latest = {process: at + seconds for process, at in self._latest.items()}
        self._untold = [at + seconds for at in self._untold]
        self.log = SendLog(sorted(self._at.values()))

    def events(self, now: float) -> Iterator[str]:
        """What matters still, as the server writes it down."""
        for event, at in self._at.items():
            if at >= now - self.keep:
                yield f"{microseconds(at)}:{event}"

    def processes(self, now: float) -> dict[str, float]:
        """Whose events matter still, and when each had its latest."""
        self._latest = {process: at for process, at in self._latest.items() if at >= now - self.keep}
        return self._latest

    def _put(self, event: str, at: float) -> None:
        process = event.rpartition(":")[0]
        self._at[event] = at
        self._latest[process] = max(at, self._latest.get(process, at))


@define
class Known:
    """All that one process knows.

    Attributes:
        sends: By bucket.
        failures: Of all processes.
        flights: Our own, by their number: when they began.
        over: Our own flights whose end the server may not know.
        pauses: Until when nobody sends, by the pause's key.
        claims: What parts of jobs hold as far as we claimed it, by job and part.
    """

    sends: dict[str, Log] = field(factory=dict)
    failures: Log = field(factory=lambda: Log(WINDOW))
    flights: dict[int, float] = field(factory=dict)
    over: set[int] = field(factory=set)
    pauses: dict[str, float] = field(factory=dict)
    claims: dict[tuple[str, str], int] = field(factory=dict)

    def bucket(self, name: str, span: float) -> Log:
        """A bucket's sends, to be remembered for a pace's span."""
        keep = max(_SEVERAL * span, _AT_LEAST)
        log = self.sends.get(name)
        if log is None:
            log = self.sends[name] = Log(keep)
        log.keep = max(log.keep, keep)
        return log

    @property
    def seen(self) -> int:
        """The largest running id that was heard of."""
        return max(self.failures.seen, *(log.seen for log in self.sends.values()), 0)

    def pause(self, key: str, until: float, now: float) -> None:
        """Nobody sends before a time."""
        self.pauses = {name: at for name, at in self.pauses.items() if at > now}
        self.pauses[key] = max(until, self.pauses.get(key, until))

    def unsee(self) -> None:
        """The running ids begin anew."""
        for log in (self.failures, *self.sends.values()):
            log.seen = 0

    def shift(self, seconds: float) -> None:
        """The server's clock was set forward by so much."""
        for log in (self.failures, *self.sends.values()):
            log.shift(seconds)
        self.flights = {number: at + seconds for number, at in self.flights.items()}
        self.pauses = {key: until + seconds for key, until in self.pauses.items()}

    def told(self, process: str, now: float) -> Iterator[tuple[str, str, str, int, int]]:
        """All of it as the server takes it: kind, where, what, number, how long it is kept."""
        for bucket, log in self.sends.items():
            kept = microseconds(log.keep)
            yield from (("send", bucket, event, 0, kept) for event in log.events(now))
        kept = microseconds(self.failures.keep)
        yield from (("failure", "", event, 0, kept) for event in self.failures.events(now))
        yield from (("over", "", f"{process}:{number}", 0, 0) for number in self.over)
        for number, at in self.flights.items():
            yield "flight", "", f"{process}:{number}", microseconds(at), 0
        for key, until in self.pauses.items():
            yield "pause", key, "", microseconds(until), 0
        for (job, part), amount in self.claims.items():
            yield "claim", job, part, amount, 0
