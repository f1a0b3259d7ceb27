"""How long to wait so that a key's rate limit is used up and never exceeded.

1. Pure: `now` is seconds on a monotonic clock, randomness a number in [0, 1); both are passed in.
2. A model has a bucket of its own until the server says that the limit is the user's.
3. A permit is taken before every request, and told what became of it exactly once.
"""

from __future__ import annotations

import math
from typing import Any

import attrs
from attrs import define, field, frozen

from venice_async.errors import ConfigurationError
from venice_async.types.catalogue import KeyRateLimits
from venice_async.types.response import RateLimitSnapshot

from .address import veiled
from .bucket import Bucket, Permit, ServerClock
from .pace import SendLog

__all__ = ["Permit", "Permits", "RateLimit"]

_MOST = 1_000_000_000  # requests a minute
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
        requests_per_minute: Requests a minute and model at most; None for what the server allows.
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
        """At most so many requests a minute and model; fewer where the server allows fewer.

        Args:
            requests: From 1.
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
    """

    rate_limit: RateLimit | None = RateLimit()
    _buckets: dict[str, Bucket] = field(init=False, factory=dict)
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

    def wait(self, model: str, now: float, *, even: bool = False) -> float:
        """Seconds until a request may be sent: 0 for now.

        Never more than a window, or than the 30 s of an overload; ask again then, and after every
        answer.

        Args:
            model: Whose permit it takes.
            now: Seconds.
            even: Whether it keeps its distance from the last one even where sends are late: what catches
                up at once is followed by a pause, for everybody.
        """
        seconds = self.load(model, now)
        if self.rate_limit is None:
            return seconds
        return max(seconds, self.bucket(model).wait(now, even=even))

    def load(self, model: str, now: float) -> float:
        """Seconds for which an overloaded model is left alone."""
        load = self._loads.get(model)
        return 0.0 if load is None else max(0.0, load.until - now)

    def soonest(self, model: str, nth: int, now: float) -> float:
        """Seconds before which the `nth` request from now cannot be sent, whatever else comes."""
        seconds = self.wait(model, now)
        return seconds if self.rate_limit is None else max(seconds, self.bucket(model).soonest(nth, now))

    def even(self, model: str, nth: int, now: float) -> float:
        """Seconds until the `nth` request from now is sent, about."""
        seconds = self.wait(model, now)
        return seconds if self.rate_limit is None else max(seconds, self.bucket(model).even(nth, now))

    def sent(self, model: str, now: float) -> Permit:
        """Take a permit; `wait` has just returned 0."""
        permit = Permit(model, now)
        if self.rate_limit is not None:
            self.bucket(model).sent(permit)
        return permit

    def withdrawn(self, permit: Permit) -> None:
        """The permit was taken, and not used after all."""
        if self.rate_limit is not None:
            self.bucket(permit.model).withdrawn(permit)

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
        self._look(permit, snapshot, now).answered(permit, snapshot, self._clock)

    def refused(
        self,
        permit: Permit,
        retry_after: float | None,
        snapshot: RateLimitSnapshot | None,
        now: float,
    ) -> None:
        """A 429 about the rate: the bucket pauses until `Retry-After`, else until the reset.

        Args:
            permit: The request's.
            retry_after: Seconds the server asks to wait, or None.
            snapshot: What the answer's headers said, or None.
            now: When the answer came.
        """
        self._look(permit, snapshot, now).refused(permit, retry_after, snapshot, self._clock, now)

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
        self._look(permit, snapshot, now).answered(permit, snapshot, self._clock)
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
            amount = amounts.get("RPM", 0.0)
            if amount >= 1:
                self._expected[model] = int(amount)
                if model in self._buckets:
                    self._buckets[model].expect(int(amount))

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
