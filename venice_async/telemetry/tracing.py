"""Spans and metrics through OpenTelemetry's API, where it is installed; nothing where it is not.

1. A call is one client span with the semantic conventions' attributes for generative AI; its attempts are
   events of it.
2. Whether anything becomes of them is for the program that configures OpenTelemetry's SDK.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from venice_async._version import __version__
from venice_async.types.request import ImageRequest

if TYPE_CHECKING:
    from opentelemetry import trace

__all__ = ["Span", "Tracing", "find_tracing"]

_NAME = "venice_async"
_OPERATION = "generate_content"
_PORTS = {"http": 80, "https": 443}


def find_tracing(base_url: str) -> Tracing | None:
    """Where spans and metrics go; None where OpenTelemetry is not installed."""
    try:
        return Tracing(base_url)
    except ImportError:
        return None


class Tracing:
    """A tracer and instruments.

    Attributes:
        inject: Writes headers; what it needs is read from files before there is a call.

    Raises:
        ImportError: OpenTelemetry's API is not installed.
    """

    def __init__(self, base_url: str) -> None:
        from opentelemetry import metrics, propagate, trace  # noqa: PLC0415 - an extra

        self.inject = propagate.inject
        self._tracer = trace.get_tracer(_NAME, __version__)
        meter = metrics.get_meter(_NAME, __version__)
        self.duration = meter.create_histogram(
            "gen_ai.client.operation.duration", "s", "Duration of a call, its waiting and retries included"
        )
        self.attempts = meter.create_counter(f"{_NAME}.attempts", "{attempt}", "Requests that were sent")
        self.bytes = meter.create_counter(f"{_NAME}.received", "By", "Bytes of answers")
        self.in_flight = meter.create_up_down_counter(
            f"{_NAME}.in_flight", "{request}", "Requests that are sent and not yet answered"
        )
        where = urlsplit(base_url)
        self._attributes = {
            "gen_ai.operation.name": _OPERATION,
            "gen_ai.provider.name": "venice",
            "gen_ai.output.type": "image",
            "server.address": where.hostname or "",
            "server.port": where.port or _PORTS.get(where.scheme, 0),
        }

    def begin(self, request: ImageRequest) -> Span:
        """The span of a call, a child of the one that is current."""
        from opentelemetry import trace  # noqa: PLC0415

        attributes: dict[str, Any] = {**self._attributes, "gen_ai.request.model": request.model}
        if request.seed is not None:
            attributes["gen_ai.request.seed"] = request.seed
        if request.variants is not None:
            attributes["gen_ai.request.choice.count"] = request.variants
        name = f"{_OPERATION} {request.model}"
        span = self._tracer.start_span(name, kind=trace.SpanKind.CLIENT, attributes=attributes)
        measured = {key: value for key, value in attributes.items() if key in _MEASURED}
        return Span(self, span, measured)


_MEASURED = {
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "server.address",
    "server.port",
}


class Span:
    """The span of one call.

    Attributes:
        headers: What tells the server whose child its own span is.
    """

    def __init__(self, tracing: Tracing, span: trace.Span, measured: Mapping[str, Any]) -> None:
        from opentelemetry import trace  # noqa: PLC0415

        self.headers: dict[str, str] = {}
        if span.get_span_context().is_valid:
            tracing.inject(self.headers, trace.set_span_in_context(span))
        self._tracing = tracing
        self._span = span
        self._recording = span.is_recording()  # without an SDK, and where sampling leaves it out, it is not
        self._measured = dict(measured)
        self._began = time.monotonic()

    def attempt(self, number: int) -> None:
        """An attempt is sent."""
        if self._recording:
            self._span.add_event("attempt", {"attempt": number})
        self._tracing.in_flight.add(1, self._measured)

    def attempt_ended(
        self,
        number: int,
        status: int | None,
        size: int,
        answer: Mapping[str, Any] | None,
        error: BaseException | None,
    ) -> None:
        """An attempt is over."""
        self._tracing.in_flight.add(-1, self._measured)
        ending: dict[str, Any] = {} if status is None else {"http.response.status_code": status}
        if error is not None:
            ending["error.type"] = type(error).__name__
        self._tracing.attempts.add(1, {**self._measured, **ending})
        self._tracing.bytes.add(size, self._measured)
        if not self._recording:
            return
        self._span.add_event("attempt ended", {"attempt": number, **ending})
        if answer is not None:
            known = {
                "gen_ai.response.id": answer.get("id"),
                "gen_ai.response.model": answer.get("model"),
                "venice.request_id": answer.get("request_id"),
            }
            self._span.set_attributes({name: value for name, value in known.items() if value is not None})

    def end(self, error: BaseException | None) -> None:
        """The call is over."""
        from opentelemetry import trace  # noqa: PLC0415

        measured = self._measured
        if error is not None:
            kind = type(error).__name__
            measured = {**measured, "error.type": kind}
            self._span.set_attribute("error.type", kind)
            self._span.set_status(trace.StatusCode.ERROR, kind)
        self._tracing.duration.record(time.monotonic() - self._began, measured)
        self._span.end()
