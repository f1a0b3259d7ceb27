"""How to stay clear of the error budget: who fails too often within 30 s is refused until it is reset.

1. Pure: `now` is seconds on a monotonic clock and is passed in.
2. Every request that started ends in exactly one of succeeded, failed, locked out or abandoned.
3. At first the older rule is assumed: 20 failures of any kind, for the whole key. Once an answer tells of
   the rule of today, that one counts: 50 answers of 4xx but 429, for each model; all else is free.
4. Both are counted from the start, so that nothing is lost when the rule changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from typing import Any

import attrs
from attrs import define, field, frozen

from venice_async.errors import ConfigurationError, StatusError, VeniceError

from .pace import INSTANT, Pause, SendLog, Sends

__all__ = ["FAILURES", "FAILURES_TODAY", "WINDOW", "Caution", "Guard", "GuardState"]

FAILURES = 20
"""Failures that the server forgives within its 30 s, as long as it has not said otherwise."""

FAILURES_TODAY = 50
"""The same for each model, where only 4xx but 429 count."""

WINDOW = 31.0
"""Seconds for which a failure counts: the server's 30, and one for the spread of arrival."""

_TRUSTED_AFTER = 20  # successes in a row
_LONGEST = 3600.0  # seconds; a reset that is further away is garbage


def _flag(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{attribute.name}={value!r}: expected True or False")


@frozen(kw_only=True)
class Guard:
    """Whether a run of failures may ever use up the server's error budget.

    Attributes:
        strict: True: failures of the last 31 s and requests in flight together are at most as many as the
            server forgives (20 in all, or 50 of a model once it has said so), always, so that not even if
            all of them failed would the key be refused. False: the same until 20 successes in a row, and
            again from the first failure on; in between the concurrency alone bounds what is in flight.

    Raises:
        ConfigurationError: `strict` is no truth value.
    """

    strict: bool = field(default=False, validator=_flag)


@frozen
class Caution:
    """What the guard asks for just now, in plain numbers.

    Attributes:
        most: Failures of the last 31 s and requests in flight, together; infinity for any number.
        alone: Whether a request goes only where no other is in flight.
    """

    most: float = inf
    alone: bool = False

    def wait(self, now: float, failures: Sends, in_flight: int) -> float | None:
        """Seconds until a request may start: 0 for now; None: not before an answer has come."""
        if (self.alone and in_flight) or in_flight >= self.most:
            return None
        if self.most == inf:
            return 0.0
        seconds = failures.newest(int(self.most) - in_flight) + WINDOW - now
        return seconds if seconds > INSTANT else 0.0


@define
class _Record:
    """What is known of the whole key, or of one model.

    Attributes:
        failures: When there were failures that count.
        in_flight: Requests.
        in_a_row: Successes since the last failure.
        silent_until: Nothing is sent before: the budget is used up.
        one_first: Whether the next request goes alone.
        remaining: Failures that the server still forgave when it last said; infinity where it has not.
        told_at: When that answer came.
        told_until: When that holds no longer.
    """

    failures: SendLog = field(factory=SendLog)
    in_flight: int = 0
    in_a_row: int = 0
    silent_until: float = -inf
    one_first: bool = False
    remaining: float = inf
    told_at: float = -inf
    told_until: float = -inf

    def end(self, now: float) -> None:
        """A request is over, however."""
        self.in_flight -= 1
        if self.one_first and now >= self.silent_until:
            self.one_first = False

    def succeed(self, now: float) -> None:
        """A request is over, and well."""
        self.in_a_row += 1
        self.end(now)

    def fail(self, now: float) -> None:
        """A failure counts."""
        self.in_a_row = 0
        self.failures.forget(now - WINDOW)
        self.failures.add(now)

    def spent(self, until: float) -> None:
        """The budget is used up: silence until it is reset, and then one request before all others."""
        self.silent_until, self.one_first, self.told_until = until, True, -inf


@define
class GuardState:
    """The failures of one key.

    Args:
        guard: How careful to be; None to wait for nothing but a refusal that has come.
    """

    guard: Guard | None = Guard()
    most: int = field(init=False, default=FAILURES)
    _by_model: bool = field(init=False, default=False)
    _is_told: bool = field(init=False, default=False)
    _key: _Record = field(init=False, factory=_Record)
    _models: dict[str, _Record] = field(init=False, factory=dict)

    @property
    def is_by_model(self) -> bool:
        """Whether each model has a budget of its own, as today; else the whole key has one."""
        return self._by_model

    @property
    def in_flight(self) -> int:
        """Requests of all models."""
        return self._key.in_flight

    def silent_until(self, model: str) -> float:
        """Nothing is sent for a model before, because the budget is used up."""
        return max(self._key.silent_until, self._model(model).silent_until)

    def caution(self, model: str) -> Caution:
        """What the guard asks of the requests for a model just now."""
        record = self._record(model)
        return Caution(self.most if self._is_bounded(record) else inf, record.one_first)

    def caution_of_all(self, model: str) -> Caution:
        """The same for all processes that share the key: they count the requests of all models together."""
        caution = self.caution(model)
        return attrs.evolve(caution, alone=False) if self._by_model else caution

    def waits(self, model: str, now: float) -> Iterator[Pause]:
        """What the requests for a model wait for."""
        if seconds := self.wait(model, now):
            yield Pause("the error budget of the key", now + seconds, model if self._by_model else None)

    def wait(self, model: str, now: float) -> float | None:
        """Seconds until a request for a model may start: 0 for now; None: not before an answer has come."""
        record = self._record(model)
        if now < record.silent_until or now < self._key.silent_until:
            return self.silent_until(model) - now
        seconds: float | None = 0.0
        if record.one_first or self._is_bounded(record):
            seconds = self.caution(model).wait(now, record.failures, record.in_flight)
        if now < record.told_until and not seconds and self.guard is not None:
            left = record.remaining - record.failures.count(record.told_at)
            if record.in_flight >= left:
                seconds = None if record.in_flight else record.told_until - now
        return seconds

    def started(self, model: str) -> None:
        """A request goes out; `wait` has just returned 0."""
        self._key.in_flight += 1
        self._model(model).in_flight += 1

    def abandoned(self, model: str) -> None:
        """The request was not sent after all."""
        self._key.in_flight -= 1
        self._model(model).in_flight -= 1

    def succeeded(self, model: str, now: float) -> None:
        """A 2xx came."""
        self._key.succeed(now)
        self._model(model).succeed(now)

    def failed(self, model: str, now: float, error: VeniceError) -> bool:
        """Any other status came, or no whole answer did; whether that counts as a failure."""
        for record in (self._key, self._model(model)):
            record.end(now)
        counts_today = isinstance(error, StatusError) and 400 <= error.status < 500 and error.status != 429
        self._key.fail(now)
        if counts_today:
            self._model(model).fail(now)
        return counts_today or not self._by_model

    def locked_out(self, model: str, now: float, error: VeniceError, until: float | None = None) -> bool:
        """The budget is used up; whether that counts as a failure.

        Args:
            model: Whose request was refused.
            now: When the answer came.
            error: The refusal.
            until: When the server takes requests again, as it said; None where it did not.
        """
        counts = self.failed(model, now, error)
        if until is None or not now < until <= now + _LONGEST:
            until = now + WINDOW
        self._record(model).spent(until)
        return counts

    def allows(self, failures: int) -> None:
        """The server has said how many failures it forgives: more than 20 is the rule of today."""
        self._is_told = True
        self.most, self._by_model = max(1, failures), failures > FAILURES

    def told(self, model: str, now: float, remaining: int, until: float | None = None) -> None:
        """An answer told what is left of the budget: today's rule holds, unless a sentence said otherwise.

        Args:
            model: Whose request was answered.
            now: When the answer came.
            remaining: Failures that the server still forgives.
            until: When it forgets those that were, if it said.
        """
        if not self._is_told:
            self.allows(FAILURES_TODAY)
        record = self._model(model)
        record.remaining = remaining if remaining < self.most else inf
        record.told_at = now
        record.told_until = now + WINDOW if until is None else min(until, now + WINDOW)

    def heard(self, failures: Iterable[float]) -> None:
        """Count the failures of other processes that share the key as our own."""
        heard = tuple(failures)
        if heard:
            self._key.failures.insert(heard)
            for record in (self._key, *self._models.values()):
                record.in_a_row = 0

    def _is_bounded(self, record: _Record) -> bool:
        return self.guard is not None and (record.in_a_row < _TRUSTED_AFTER or self.guard.strict)

    def _record(self, model: str) -> _Record:
        return self._model(model) if self._by_model else self._key

    def _model(self, model: str) -> _Record:
        record = self._models.get(model)
        if record is None:
            record = self._models[model] = _Record()
        return record
