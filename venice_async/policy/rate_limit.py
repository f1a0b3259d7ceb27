"""How long to wait so that a key's rate limit is used up and never exceeded.

1. Pure: `now` is seconds on a monotonic clock, randomness a number in [0, 1); both are passed in.
2. A model has a bucket of its own until the server says that the limit is the user's, and a day of its own.
3. A permit is taken before every request, for as many images as it asks for, and told what became of it
   exactly once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import attrs
from attrs import define, field, frozen

from venice_async.errors import ConfigurationError
from venice_async.types.catalogue import KeyRateLimits
from venice_async.types.response import RateLimitSnapshot

from .address import veiled
from .bucket import LONGEST, MINUTE, Bucket, Permit, ServerClock
from .day import DAY, Day
from .pace import Pause, SendLog

__all__ = ["Permit", "Permits", "RateLimit"]

_MOST = 1_000_000_000  # images a minute
_BACK_OFF = 1.0  # seconds, doubled with every overload in a row
_BACK_OFF_AT_MOST = 30.0  # seconds
_ASKED_AT_MOST = 3600.0  # seconds of a Retry-After that are believed


def _requests(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST
    ):
        raise ConfigurationError(f"{attribute.name}={value!r:.60}: expected a whole number, 1 to {_MOST}")


def _address(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and (not isinstance(value, str) or "://" not in value):
        raise ConfigurationError(
            f"{attribute.name}={veiled(value)!r}: expected an address such as sqlite:///path or"
            " redis://host:port/number, or None"
        )


def _shown(address: str | None) -> str:
    return repr(address if address is None else veiled(address))


@frozen(kw_only=True)
class RateLimit:
    """How fast a session may send; make one with `RateLimit.auto` or `RateLimit.per_minute`.

    Attributes:
        requests_per_minute: Images a minute and model at most; None for what the server allows. A request
            for several `variants` counts as so many.
        shared: Where the processes that use one key meet, as an address; None for this one alone.
        share: Of so many equal parts of each limit, one is used.

    Raises:
        ConfigurationError: A value is none that can be meant.
    """

    requests_per_minute: int | None = field(default=None, validator=_requests)
    shared: str | None = field(default=None, validator=_address, repr=_shown)
    share: int = field(default=1, validator=_requests)

    @classmethod
    def auto(cls, shared: str | None = None) -> RateLimit:
        """What the server allows, learned from the key's settings and from the answers.

        Args:
            shared: Where the processes that use one key meet: `sqlite:///path` for those of one machine,
                `redis://host:port/number` for those of many; a fragment (`#team`) names a key of several.
        """
        return cls(shared=shared)

    @classmethod
    def per_minute(cls, requests: int, *, shared: str | None = None) -> RateLimit:
        """At most so many images a minute and model; fewer where the server allows fewer.

        Args:
            requests: Images, from 1; a request for several `variants` counts as so many.
            shared: As for `auto`.
        """
        return cls(requests_per_minute=requests, shared=shared)


@define
class _Load:
    """How often in a row a model was overloaded, and until when it is left alone."""

    times: int = 0
    began_at: float = -math.inf
    until: float = -math.inf


@define
class Permits:
    """The rate limits of one key.

    Args:
        rate_limit: How fast to send; None for a server without limits, where only a model that is
            overloaded makes anybody wait.

    Attributes:
        called_at: When the last call came that is not bulk work.
    """

    rate_limit: RateLimit | None = RateLimit()
    called_at: float = field(init=False, default=-math.inf)
    _buckets: dict[str, Bucket] = field(init=False, factory=dict)
    _days: dict[str, Day] = field(init=False, factory=dict)
    _of_the_key: Bucket | None = field(init=False, default=None)
    _expected: dict[str, int] = field(init=False, factory=dict)
    _loads: dict[str, _Load] = field(init=False, factory=dict)
    _clock: ServerClock = field(init=False, factory=ServerClock)
    _share: int = field(init=False, default=1)

    def __attrs_post_init__(self) -> None:
        if self.rate_limit is not None:
            self._share = self.rate_limit.share

    def bucket(self, model: str) -> Bucket:
        """The bucket that a model's requests come from."""
        if self._of_the_key is not None:
            return self._of_the_key
        bucket = self._buckets.get(model)
        if bucket is None:
            ceiling = None if self.rate_limit is None else self.rate_limit.requests_per_minute
            bucket = self._buckets[model] = Bucket(ceiling)
            bucket.divide(self._share)
            if model in self._expected:
                bucket.expect(self._expected[model])
        return bucket

    def wait(self, model: str, now: float, *, units: int = 1, even: bool = False) -> float:
        """Seconds until a request may be sent: 0 for now.

        It may be less than there is to wait; ask again then, and after every answer.

        Args:
            model: Whose permit it takes.
            now: Seconds.
            units: Images that it asks for.
            even: Whether it keeps its distance from the last one even where sends are late: what catches
                up at once is followed by a pause, for everybody.
        """
        load = self._loads.get(model)
        seconds = 0.0 if load is None else max(0.0, load.until - now)
        if self.rate_limit is None:
            return seconds
        if (day := self._days.get(model)) is not None:
            seconds = max(seconds, day.wait(now, units))
        return max(seconds, self.bucket(model).wait(now, units=units, even=even))

    def soonest(self, model: str, nth: int, now: float, *, units: int = 1) -> float:
        """Seconds before which the `nth` image from now cannot be asked for, whatever else comes.

        Args:
            model: Whose permits it takes.
            nth: Of the images from now, from 1: the last one of a request.
            now: Seconds.
            units: Images that this request asks for.
        """
        seconds = self.wait(model, now, units=units)
        if self.rate_limit is None:
            return seconds
        day = self._days.get(model)
        of_the_day = 0.0 if day is None else day.wait(now, nth)
        return max(seconds, of_the_day, self.bucket(model).soonest(nth, now, units))

    def even(self, model: str, nth: int, now: float) -> float:
        """Seconds until the `nth` image from now is asked for, about."""
        seconds = self.wait(model, now)
        return seconds if self.rate_limit is None else max(seconds, self.bucket(model).even(nth, now))

    def most(self, model: str) -> int | None:
        """Images that one request for a model may ask for, at most; None where no limit is known."""
        if self.rate_limit is None:
            return None
        known = [self.bucket(model).known_limit]
        if (day := self._days.get(model)) is not None:
            known.append(day.limit)
        return min((limit for limit in known if limit is not None), default=None)

    def sent(self, model: str, now: float, units: int = 1) -> Permit:
        """Take permits for one request; `wait` has just returned 0."""
        permit = Permit(model, now, units)
        if self.rate_limit is not None:
            self.bucket(model).sent(permit)
            if (day := self._days.get(model)) is not None:
                day.sent(now, units)
        return permit

    def has_callers(self, model: str, now: float) -> bool:
        """Whether calls other than bulk work came within the last window."""
        return self.rate_limit is not None and now < self.called_at + self.bucket(model).window

    def withdrawn(self, permit: Permit) -> None:
        """The permit was taken, and not used after all."""
        if self.rate_limit is not None:
            self.bucket(permit.model).withdrawn(permit)
            if (day := self._days.get(permit.model)) is not None:
                day.withdrawn(permit.sent_at, permit.units)

    def bucket_name(self, model: str) -> str:
        """What the processes that share the key call a model's bucket: the model's id, or `*`."""
        return model if self._of_the_key is None else "*"

    def divide(self, share: int) -> None:
        """Use one of so many parts of each limit from now on, and never more than the settings allow."""
        self._share = share if self.rate_limit is None else max(share, self.rate_limit.share)
        for bucket in (*self._buckets.values(), *filter(None, [self._of_the_key])):
            bucket.divide(self._share)

    @property
    def longest_window(self) -> float:
        """Seconds of the longest window among the limits that are known."""
        buckets = (*self._buckets.values(), *filter(None, [self._of_the_key]))
        return max((bucket.window for bucket in buckets), default=0.0)

    def answered(self, permit: Permit, snapshot: RateLimitSnapshot | None, now: float) -> None:
        """An answer came, of any status but 429 and 503."""
        load = self._loads.get(permit.model)
        if load is not None and permit.sent_at >= load.began_at:
            del self._loads[permit.model]
        self._answered(permit, snapshot, now)

    def refused(
        self,
        permit: Permit,
        retry_after: float | None,
        snapshot: RateLimitSnapshot | None,
        now: float,
    ) -> None:
        """A 429 about the rate: the bucket pauses until `Retry-After`, else until the reset; or the day does.

        Args:
            permit: The request's.
            retry_after: Seconds the server asks to wait, or None.
            snapshot: What the answer's headers said, or None.
            now: When the answer came.
        """
        bucket = self._look(permit, snapshot, now)
        if self._is_of_the_day(permit, snapshot):
            self._answered(permit, snapshot, now, remaining=0)
        else:
            bucket.refused(permit, retry_after, snapshot, self._clock, now)

    def overloaded(
        self,
        permit: Permit,
        retry_after: float | None,
        snapshot: RateLimitSnapshot | None,
        now: float,
        *,
        random: float,
    ) -> None:
        """A 429 or 503 about load: this model alone is left alone for a while.

        For min(30, 2 ** n) * (1 + random) / 2 seconds after n overloads in a row before this one, or
        for `Retry-After` if that is longer. Answers to what was sent before the last one do not
        count again.

        Args:
            permit: The request's.
            retry_after: Seconds the server asks to wait, or None.
            snapshot: What the answer's headers said, or None.
            now: When the answer came.
            random: In [0, 1).
        """
        self._answered(permit, snapshot, now)
        load = self._loads.setdefault(permit.model, _Load())
        seconds = min(retry_after or 0.0, _ASKED_AT_MOST)
        if permit.sent_at >= load.began_at:
            longest = min(_BACK_OFF_AT_MOST, _BACK_OFF * 2.0 ** min(load.times, 10))
            seconds = max(seconds, longest * (1 + random) / 2)
            load.times += 1
            load.began_at = now
        load.until = max(load.until, now + seconds)

    def unanswered(self, permit: Permit) -> None:
        """The connection broke or the time ran out: the server may have counted the request."""
        self.bucket(permit.model).unanswered(permit)

    def key_limits(self, limits: KeyRateLimits) -> None:
        """Take in what the key's settings say; where answers say otherwise, they are right."""
        for model, amounts in limits.models.items():
            if (amount := amounts.get("RPD", 0.0)) >= 1:
                self._day(model).limit = int(amount)
            if (amount := amounts.get("RPM", 0.0)) >= 1:
                self._expected[model] = int(amount)
                if model in self._buckets:
                    self._buckets[model].expect(int(amount))

    def waits(self, model: str, now: float, units: int = 1) -> Iterator[Pause]:
        """What a request for so many images of a model waits for beyond the ordinary pace."""
        if (load := self._loads.get(model)) is not None and load.until > now:
            yield Pause(f"{model} is overloaded", load.until, model)
        if self.rate_limit is None:
            return
        if (until := self.bucket(model).paused_until) > now:
            of_the_key = self._of_the_key is not None
            whose, only = ("the key", None) if of_the_key else (model, model)
            yield Pause(f"the rate limit of {whose}", until, only)
        if (day := self._days.get(model)) is not None and (until := day.opens_at(now, units)) > now:
            yield Pause(f"the daily limit of {model}", until, model)

    def here(self, server_time: float | None) -> float | None:
        """A time of the server's on our clock; None while no answer had a `Date`."""
        return self._clock.here(server_time)

    def _day(self, model: str) -> Day:
        if (day := self._days.get(model)) is None:
            day = self._days[model] = Day()
        return day

    def _is_of_the_day(self, permit: Permit, snapshot: RateLimitSnapshot | None) -> bool:
        """Whether an answer tells of the day's limit: its reset is hours away."""
        reset_at = None if snapshot is None else self._clock.here(snapshot.reset_at)
        return reset_at is not None and LONGEST < reset_at - permit.sent_at <= DAY + MINUTE

    def _answered(
        self, permit: Permit, snapshot: RateLimitSnapshot | None, now: float, *, remaining: int | None = None
    ) -> None:
        """Teach the bucket, or the day, what an answer told; `remaining` goes before the answer's."""
        bucket = self._look(permit, snapshot, now)
        if snapshot is not None and self._is_of_the_day(permit, snapshot):
            remaining = snapshot.remaining if remaining is None else remaining
            reset_at = self._clock.here(snapshot.reset_at)
            self._day(permit.model).told(snapshot.limit, remaining, now if reset_at is None else reset_at)
            snapshot = None
        bucket.answered(permit, snapshot, self._clock)

    def _look(self, permit: Permit, snapshot: RateLimitSnapshot | None, now: float) -> Bucket:
        """The bucket that an answer is about, once its `Date` and its scope are taken in."""
        bucket = self.bucket(permit.model)
        if snapshot is None:
            return bucket
        if snapshot.server_time is not None:
            self._clock.saw(snapshot.server_time, now)
        if snapshot.scope == "user" and self._of_the_key is None:
            bucket.sends = SendLog.merged(each.sends for each in self._buckets.values())
            self._of_the_key = bucket
        return bucket
