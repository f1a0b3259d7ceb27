"""A graceful stop: no new calls, and the running ones end."""

import asyncio
from functools import partial

import pytest

from venice_async import (
    ImageRequest,
    PoolFullError,
    Priority,
    VeniceSession,
    gather_generate,
    stream_generate,
)
from venice_async.errors import SessionStateError
from venice_async.policy.retry import RetryPolicy
from venice_async.sandbox import Sandbox

plain = partial(VeniceSession, "key", rate_limit=None, retry=RetryPolicy(attempts=1), guard=None)


def fox(number=0):
    return ImageRequest(f"fox {number}", model="fluently-xl", width=64, height=64)


async def until(condition):
    while not condition():  # noqa: ASYNC110 - what it is about happens in a server's thread
        await asyncio.sleep(0.005)


def test_running_and_waiting_calls_end_and_new_ones_are_refused(tmp_path):
    async def main():
        async with (
            Sandbox(latency=0.2, rpm=None) as sandbox,
            plain(base_url=sandbox.url, concurrency=1) as venice,
        ):
            calls = [asyncio.create_task(venice.generate(fox(number))) for number in range(3)]
            await until(lambda: sandbox.account.received)
            draining = asyncio.create_task(venice.drain())
            await asyncio.sleep(0)
            for refused in (
                venice.generate(fox()),
                venice.save(fox(), tmp_path / "fox"),
                venice.stream(fox()).__aenter__(),
            ):
                with pytest.raises(SessionStateError, match="draining: it takes no new calls"):
                    await refused
            assert await venice.models()  # what a health check asks costs nothing
            assert not draining.done()
            answers = await asyncio.gather(*calls)
            return await draining, len(answers), sandbox.account.billed

    assert asyncio.run(main()) == (True, 3, 3)


def test_a_stream_is_waited_for_to_its_end():
    async def main():
        async with Sandbox(latency=0, rpm=None) as sandbox, plain(base_url=sandbox.url) as venice:
            async with venice.stream(fox()) as image:
                assert not await venice.drain(timeout=0.05)
                data = b"".join([chunk async for chunk in image])
            return await venice.drain(), bool(data)

    assert asyncio.run(main()) == (True, True)


def test_waiting_for_what_does_not_end_has_a_limit():
    async def main():
        async with Sandbox(latency=30, rpm=None) as sandbox, plain(base_url=sandbox.url) as venice:
            call = asyncio.create_task(venice.generate(fox()))
            await until(lambda: sandbox.account.received)
            ended = await venice.drain(timeout=0.05)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            return ended, await venice.drain(timeout=5)

    assert asyncio.run(main()) == (False, True)


def test_an_idle_session_is_drained_at_once_and_a_new_one_cannot_be():
    async def main():
        venice = plain(base_url="http://127.0.0.1:9/api/v1")
        with pytest.raises(SessionStateError, match="not open yet"):
            await venice.drain()
        async with venice:
            assert await venice.drain()
            assert await venice.drain(timeout=0)
        with pytest.raises(SessionStateError, match="closed"):
            await venice.drain()

    asyncio.run(main())


def test_a_batch_stops_with_what_it_has_in_flight_and_is_gone_on_with_later(tmp_path):
    async def main(sandbox):
        async with plain(base_url=sandbox.url, concurrency=2) as venice:
            stream = stream_generate(venice, [fox(n) for n in range(20)], into=tmp_path / "out")
            async with stream as outcomes:
                await anext(outcomes)
                await venice.drain()
                async for _ in outcomes:
                    pass
            report = stream.report
        async with plain(base_url=sandbox.url) as venice:
            again = await gather_generate(venice, [fox(n) for n in range(20)], into=tmp_path / "out")
        return report, again

    with Sandbox(latency=0.05, rpm=None) as sandbox:
        report, again = asyncio.run(main(sandbox))
        assert isinstance(report.stopped, SessionStateError)
        assert (report.failed, report.unconfirmed) == (0, 0)
        assert report.generated + report.pending == 20
        assert (again.skipped, again.generated) == (report.generated, report.pending)
        assert sandbox.account.billed == 20


def test_a_session_refuses_calls_beyond_those_that_may_wait_but_no_item_of_a_batch(tmp_path):
    async def main():
        async with Sandbox(latency=0.1, rpm=None) as sandbox:
            async with plain(base_url=sandbox.url, concurrency=1, max_waiting=2) as venice:
                calls = [asyncio.create_task(venice.generate(fox(n))) for n in range(6)]
                found = await asyncio.gather(*calls, return_exceptions=True)
                report = await gather_generate(
                    venice, [fox(n) for n in range(6)], into=tmp_path / "out", concurrency=6
                )
                urgent = await venice.generate(fox(9), priority=Priority.INTERACTIVE)
            return found, report, urgent, sandbox.account.billed

    found, report, urgent, billed = asyncio.run(main())
    assert sum(isinstance(one, PoolFullError) for one in found) == 3
    assert (report.generated, bool(urgent.image.data), billed) == (6, True, 10)
