"""Spans and metrics, as OpenTelemetry's own exporters in memory see them."""

import asyncio
import subprocess
import sys
from functools import partial

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from venice_async import ImageRequest, VeniceSession
from venice_async.policy.retry import RetryPolicy
from venice_async.sandbox import Fault, Sandbox

plain = partial(VeniceSession, "key", rate_limit=None, guard=None)


@pytest.fixture
def seen(monkeypatch):
    """An exporter and a reader, behind providers of this test alone."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider(metric_readers=[reader])
    monkeypatch.setattr(trace, "get_tracer", tracers.get_tracer)
    monkeypatch.setattr(metrics, "get_meter", meters.get_meter)

    def points(name):
        found = reader.get_metrics_data()
        return [
            point
            for resource in found.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    yield exporter.get_finished_spans, points, tracers.get_tracer("test")
    tracers.shutdown()
    meters.shutdown()


async def asked(request, faults=(), attempts=3):
    async with Sandbox(latency=0, rpm=None, faults=faults) as sandbox:
        async with plain(base_url=sandbox.url, retry=RetryPolicy(attempts=attempts)) as venice:
            (found,) = await asyncio.gather(venice.generate(request), return_exceptions=True)
        return found, sandbox


def fox(**changes):
    return ImageRequest("a fox", model="fluently-xl", width=64, height=64, **changes)


def test_a_call_is_one_client_span_with_the_conventions_attributes(seen):
    spans, _, _ = seen
    answer, _ = asyncio.run(asked(fox(seed=7, variants=2)))
    (span,) = spans()
    assert (span.name, span.kind) == ("generate_content fluently-xl", trace.SpanKind.CLIENT)
    told = dict(span.attributes)
    assert told == {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "venice",
        "gen_ai.output.type": "image",
        "gen_ai.request.model": "fluently-xl",
        "gen_ai.request.seed": 7,
        "gen_ai.request.choice.count": 2,
        "gen_ai.response.id": answer.id,
        "gen_ai.response.model": answer.model,
        "venice.request_id": answer.request_id,
        "server.address": "127.0.0.1",
        "server.port": told["server.port"],
    }
    assert span.status.status_code is trace.StatusCode.UNSET


def test_each_attempt_is_an_event_with_its_ending(seen):
    spans, _, _ = seen
    asyncio.run(asked(fox(), faults=[Fault(status=500)]))
    (span,) = spans()
    assert [(event.name, dict(event.attributes)) for event in span.events] == [
        ("attempt", {"attempt": 1}),
        ("attempt ended", {"attempt": 1, "http.response.status_code": 500, "error.type": "ServerError"}),
        ("attempt", {"attempt": 2}),
        ("attempt ended", {"attempt": 2, "http.response.status_code": 200}),
    ]


def test_a_call_that_fails_is_a_span_that_failed(seen):
    spans, _, _ = seen
    asyncio.run(asked(fox(), faults=[Fault(status=400)]))
    (span,) = spans()
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes["error.type"] == "BadRequestError"


def test_the_span_is_a_child_of_the_callers_and_the_servers_parent(seen):
    spans, _, tracer = seen

    async def main():
        with tracer.start_as_current_span("the caller's"):
            return await asked(fox())

    _, sandbox = asyncio.run(main())
    mine, callers = sorted(spans(), key=lambda span: span.name)
    assert mine.parent.span_id == callers.context.span_id
    (sent,) = [record for record in sandbox.requests if record.method == "POST"]
    trace_id, span_id = f"{mine.context.trace_id:032x}", f"{mine.context.span_id:016x}"
    assert sent.headers["traceparent"].startswith(f"00-{trace_id}-{span_id}-")


def test_the_metrics_count_calls_attempts_and_bytes(seen):
    _, points, _ = seen
    asyncio.run(asked(fox(), faults=[Fault(status=500)]))
    attempts = {
        point.attributes["http.response.status_code"]: point.value
        for point in points("venice_async.attempts")
    }
    assert attempts == {500: 1, 200: 1}
    (duration,) = points("gen_ai.client.operation.duration")
    assert (duration.count, duration.attributes["gen_ai.request.model"]) == (1, "fluently-xl")
    assert points("venice_async.received")[0].value > 100
    assert [point.value for point in points("venice_async.in_flight")] == [0]


def test_without_opentelemetry_there_is_nothing_and_nothing_is_imported():
    program = """
import sys
sys.modules["opentelemetry"] = None  # as if it were not installed
from venice_async.telemetry import Telemetry
assert Telemetry("http://127.0.0.1/api/v1").tracing is None
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
    program = "import sys, venice_async; sys.exit('opentelemetry' in sys.modules)"
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
