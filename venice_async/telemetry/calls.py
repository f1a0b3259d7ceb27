"""Each call and each of its attempts, as they are told to those who watch.

1. Nobody who watches can make a call fail: a warning that is turned into an error is raised by the loop.
2. A key is never told, and a prompt only at the level DEBUG.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from venice_async.errors import ContentBlockedError, UnconfirmedError, VeniceError
from venice_async.types.request import ImageRequest
from venice_async.types.response import RateLimitSnapshot

from .meter import Meter
from .tracing import Span, Tracing, find_tracing

__all__ = ["Attempt", "Call", "Telemetry"]

_log = logging.getLogger("venice_async")
_log.addHandler(logging.NullHandler())  # without it, Python prints warnings where nobody has set logging up
_SHOWN = 200


class Telemetry:
    """What one session tells.

    Args:
        base_url: Where the API is.

    Attributes:
        meter: Its counts.
        tracing: Where spans and metrics go; None where OpenTelemetry is not installed.
    """

    def __init__(self, base_url: str) -> None:
        self.meter = Meter()
        self.tracing: Tracing | None = find_tracing(base_url)
        self.in_flight = self.calls = 0
        self._told: set[str] = set()

    def call(self, request: ImageRequest) -> Call:
        """A call begins."""
        return Call(self, request)

    def deprecated(self, model: str, answer: Mapping[str, Any]) -> None:
        """Warn once of a model, or of a version of the API, that goes away."""
        found = answer["deprecation"]
        if found is None or model in self._told:
            return
        self._told.add(model)
        text = found.model_warning or f"the model {model!r} is deprecated"
        text += f" (from {found.model_date})" if found.model_date else ""
        text += f"; use {found.replacement!r} instead" if found.replacement else ""
        asyncio.get_running_loop().call_soon(warnings.warn, text, DeprecationWarning)


class Call:
    """One call, from its beginning to its end; a context manager.

    Attributes:
        headers: What the request is sent with, so that the server's spans belong to this one's.
    """

    def __init__(self, telemetry: Telemetry, request: ImageRequest) -> None:
        self.telemetry = telemetry
        self.request = request
        self.attempts = 0
        self.free_since = asyncio.get_running_loop().time()
        tracing = telemetry.tracing
        self.span: Span | None = None if tracing is None else tracing.begin(request)
        self.headers: Mapping[str, str] = {} if self.span is None else self.span.headers

    def __enter__(self) -> Self:
        self.telemetry.calls += 1
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        self.telemetry.calls -= 1
        if self.span is not None:
            self.span.end(error)

    def attempt(self) -> Attempt:
        """An attempt is about to be sent."""
        self.attempts += 1
        return Attempt(self, self.attempts)


class Attempt:
    """One attempt, from its sending to its end; a context manager."""

    def __init__(self, call: Call, number: int) -> None:
        self._call = call
        self._meter = call.telemetry.meter
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._number = number
        self._status: int | None = None
        self._answer: Mapping[str, Any] | None = None
        self._seconds = 0.0
        self._bytes = 0

    def __enter__(self) -> Self:
        self._meter.sent += 1
        self._meter.retries += self._number > 1
        self._call.telemetry.in_flight += 1
        if self._call.span is not None:
            self._call.span.attempt(self._number)
        if _log.isEnabledFor(logging.DEBUG):
            prompt = self._call.request.prompt[:_SHOWN]
            _log.debug("sending %s: prompt=%r", self._words(), prompt, extra=self._fields())
        return self

    def answered(self, status: int, snapshot: RateLimitSnapshot) -> None:
        """The head of the answer came."""
        self._status = status
        self._meter.answered(status, snapshot)

    def received(self, size: int, answer: Mapping[str, Any] | None) -> None:
        """So many bytes of the answer came; with what it says besides its images, if it is whole."""
        self._meter.bytes_received += size
        self._bytes = size
        if answer is not None:
            self._answer = answer
            self._seconds = self._loop.time() - self._began
            self._meter.received(self._seconds, answer)
            self._call.telemetry.deprecated(self._call.request.model, answer)

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        call = self._call
        call.telemetry.in_flight -= 1
        if isinstance(error, UnconfirmedError):
            self._meter.unconfirmed += 1
        blocked = isinstance(error, ContentBlockedError)
        self._meter.blocked += blocked
        if call.span is not None:
            call.span.attempt_ended(self._number, self._status, self._bytes, self._answer, error)
        if error is None:
            if _log.isEnabledFor(logging.INFO):
                _log.info("generated %s", self._words(), extra=self._fields())
        elif isinstance(error, VeniceError):
            what = "blocked" if blocked else "failed"
            name = type(error).__name__
            _log.warning("%s %s: %s", what, self._words(error), name, extra=self._fields(error))
        call.free_since = self._loop.time()

    def _fields(self, error: BaseException | None = None) -> dict[str, Any]:
        answer = self._answer or {}
        return {
            "model": self._call.request.model,
            "attempt": self._number,
            "status": self._status,
            "request_id": getattr(error, "request_id", None) or answer.get("request_id"),
            "wait": self._began - self._call.free_since,
            "seconds": self._loop.time() - self._began,
            "bytes": self._bytes,
        }

    def _words(self, error: BaseException | None = None) -> str:
        fields = self._fields(error).items()
        return " ".join(
            f"{name}={value:.3f}" if isinstance(value, float) else f"{name}={value}"
            for name, value in fields
            if value is not None
        )
