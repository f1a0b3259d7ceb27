"""What a session tells of itself: numbers and log records, over real sockets."""

import asyncio
import logging
import warnings
from functools import partial

import attrs
import pytest

from venice_async import ImageRequest, RateLimitError, VeniceSession, gather_generate
from venice_async.errors import ServerError
from venice_async.policy.retry import RetryPolicy
from venice_async.sandbox import Fault, Sandbox

KEY = "sk-canary-1234567890"
SECRET = "a lighthouse that nobody may read of " * 3
plain = partial(VeniceSession, KEY, rate_limit=None, guard=None)


def fox(**changes):
    return ImageRequest(SECRET, model="fluently-xl", width=64, height=64, **changes)


async def asked(*requests, faults=(), concurrency=16, attempts=3, **options):
    """Ask for each; the statistics afterwards, and the sandbox."""
    async with Sandbox(latency=0, rpm=None, faults=faults, **options) as sandbox:
        retry = RetryPolicy(attempts=attempts)
        async with plain(base_url=sandbox.url, retry=retry, concurrency=concurrency) as venice:
            calls = [venice.generate(request) for request in requests]
            found = await asyncio.gather(*calls, return_exceptions=True)
            return found, venice.statistics(), sandbox


def test_statistics_are_those_of_the_servers_account():
    _, told, sandbox = asyncio.run(asked(*[fox(seed=n) for n in range(8)], concurrency=3))
    assert (told.calls, told.in_flight, told.waiting) == (0, 0, {})
    assert told.sent == sandbox.account.received == 8
    assert told.by_status == {200: 8}
    assert (told.retries, told.refused, told.unconfirmed) == (0, 0, 0)
    assert told.bytes_received > 8 * 100
    assert told.latency.count == 8
    assert 0 < told.latency.p50 <= told.latency.p99 <= told.latency.most
    assert told.balance_usd is not None


def test_a_snapshot_is_frozen():
    _, told, _ = asyncio.run(asked(fox()))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        told.sent = 0


def test_what_runs_and_what_waits_is_told_while_it_does():
    async def main():
        async with (
            Sandbox(latency=0.3, rpm=None) as sandbox,
            plain(base_url=sandbox.url, concurrency=2) as venice,
        ):
            calls = [asyncio.create_task(venice.generate(fox(), priority=n // 3)) for n in range(5)]
            for _ in range(10):
                await asyncio.sleep(0)
            told = venice.statistics()
            await asyncio.gather(*calls)
        return told

    told = asyncio.run(main())
    assert (told.calls, told.in_flight, sum(told.waiting.values())) == (5, 2, 3)
    assert told.waiting == {0: 1, 1: 2}


def test_retries_refusals_and_what_is_unconfirmed_are_counted():
    faults = [Fault(status=503), Fault(status=500), Fault(reset="body")]
    found, told, sandbox = asyncio.run(asked(fox(), faults=faults))
    assert isinstance(found[0], Exception)
    assert (told.sent, told.retries) == (3, 2)
    assert told.sent == sandbox.account.received
    assert told.by_status[503] == told.by_status[500] == 1
    assert (told.refused, told.unconfirmed) == (1, 1)
    assert told.latency.count == 0


def test_a_stream_counts_as_any_other_call():
    async def main():
        async with Sandbox(latency=0, rpm=None) as sandbox, plain(base_url=sandbox.url) as venice:
            async with venice.stream(fox()) as image:
                assert venice.statistics().in_flight == 1
                async for _ in image:
                    pass
            return venice.statistics()

    told = asyncio.run(main())
    assert (told.sent, told.in_flight, told.calls, told.latency.count) == (1, 0, 0, 1)
    assert told.bytes_received > 100


def test_a_batch_counts_with_the_session_that_it_runs_in(tmp_path):
    async def main():
        async with Sandbox(latency=0, rpm=None) as sandbox, plain(base_url=sandbox.url) as venice:
            await gather_generate(venice, [fox(seed=n) for n in range(5)], into=tmp_path / "out")
            return venice.statistics()

    assert asyncio.run(main()).by_status == {200: 5}


# The log


def logged(caplog, level, *requests, **options):
    caplog.set_level(level, "venice_async")
    found, _, _ = asyncio.run(asked(*requests, **options))
    records = [record for record in caplog.records if record.name == "venice_async"]
    return found, records


def test_an_image_is_a_record_with_what_support_needs(caplog):
    (answer,), (record,) = logged(caplog, logging.INFO, fox())
    assert record.levelno == logging.INFO
    assert record.getMessage().startswith("generated model=fluently-xl attempt=1 status=200 request_id=")
    assert (record.model, record.status, record.attempt) == ("fluently-xl", 200, 1)
    assert record.request_id == answer.request_id
    assert record.bytes > 100
    assert record.seconds > 0 <= record.wait


def test_each_failed_attempt_is_a_warning(caplog):
    _, records = logged(caplog, logging.WARNING, fox(), faults=[Fault(status=500), Fault(status=503)])
    assert [(record.levelno, record.attempt, record.status) for record in records] == [
        (logging.WARNING, 1, 500),
        (logging.WARNING, 2, 503),
    ]
    assert all(record.request_id in record.getMessage() for record in records)
    assert records[0].getMessage().endswith(": ServerError")
    assert records[1].wait >= 0


@pytest.mark.parametrize(
    "faults", [[], [Fault(status=400)], [Fault(status=500)] * 3, [Fault(truncated=True)]]
)
def test_a_key_is_never_told_and_a_prompt_only_when_debugging(caplog, faults):
    _, records = logged(caplog, logging.DEBUG, fox(), faults=faults)
    above = [record for record in records if record.levelno > logging.DEBUG]
    assert above
    assert len(records) > len(above)
    for record in records:
        assert KEY not in repr(vars(record)) + record.getMessage()
    for record in above:
        assert SECRET[:20] not in repr(vars(record)) + record.getMessage()


def test_where_nobody_has_set_logging_up_nothing_is_printed(capfd):
    found, _, _ = asyncio.run(asked(fox(), faults=[Fault(status=500)] * 3))
    assert isinstance(found[0], ServerError | RateLimitError)
    assert capfd.readouterr() == ("", "")


# What goes away


def test_a_deprecated_model_is_one_warning_that_names_its_replacement():
    headers = {
        "x-venice-model-deprecation-warning": "fluently-xl is going away",
        "x-venice-model-deprecation-date": "2027-01-01",
        "x-venice-deprecated-replacement": "venice-sd35",
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found, _, _ = asyncio.run(
            asked(*[fox(seed=n) for n in range(3)], faults=[Fault(headers=headers)] * 3)
        )
    assert not any(isinstance(one, Exception) for one in found)
    (warning,) = [one for one in caught if one.category is DeprecationWarning]
    assert str(warning.message) == "fluently-xl is going away (from 2027-01-01); use 'venice-sd35' instead"


def test_a_warning_that_is_an_error_costs_no_image():
    async def main():
        told = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        found, _, _ = await asked(fox(), faults=[Fault(headers={"x-venice-deprecated": "true"})])
        return found, told

    (found,), told = asyncio.run(main())
    assert found.image.data
    assert [type(error) for error in told] == [DeprecationWarning]
