"""What a batch holds while it runs: memory, threads, files, connections, and the event loop's time."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc
from functools import partial

import psutil
import pytest
from blockbuster import blockbuster_ctx

from venice_async import ImageRequest, StyleReference, VeniceSession, gather_generate, stream_generate
from venice_async.policy.retry import RetryPolicy

# One attempt, at once: what waits and repeats is tested elsewhere.
plain = partial(VeniceSession, rate_limit=None, retry=RetryPolicy(attempts=1), guard=None)

MIB = 1024 * 1024
WITH_STYLES = "nano-banana-pro"
SMALL = {"model": "fluently-xl", "width": 64, "height": 64}


def connections_to(url):
    port = int(url.split(":")[2].split("/")[0])
    return [
        connection
        for connection in psutil.Process().net_connections("tcp4")
        if connection.raddr and connection.raddr.port == port and connection.status == "ESTABLISHED"
    ]


def writer_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("venice-async-")]


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_no_image_is_whole_in_memory_on_its_way_to_disk(sandbox_elsewhere, tmp_path, run, binary):
    """With 64 images of 4 MB in flight, what is allocated stays far below their 256 MB; one thread writes."""
    count, size = 64, 4 * MIB

    async def main(sandbox):
        threads = set()
        async with plain("key", base_url=sandbox.url, concurrency=count) as venice:
            stream = stream_generate(
                venice, "a fox", seeds=range(count), into=tmp_path, return_binary=binary, **SMALL
            )
            tracemalloc.start()
            try:
                async with stream as outcomes:
                    async for outcome in outcomes:
                        assert outcome.answer.sizes == (size,)
                        threads.update(writer_threads())
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert stream.report.generated == count
            assert len(asyncio.all_tasks()) == 1
            assert len(connections_to(sandbox.url)) <= count
            assert not [file.path for file in psutil.Process().open_files() if str(tmp_path) in file.path]
        assert len(threads) == 1
        assert writer_threads() == []
        assert connections_to(sandbox.url) == []
        return peak

    with sandbox_elsewhere(latency=1.0, image_size=size) as sandbox:
        peak = run(main(sandbox))
        received, in_flight = sandbox.counts()
    assert (received, in_flight) == (count, count)
    assert sum(path.stat().st_size for path in tmp_path.glob("*.png")) == count * size
    assert peak < 96 * MIB, f"{peak / MIB:.1f} MiB"


def test_an_images_size_does_not_change_what_it_takes_to_save_it(sandbox_elsewhere, tmp_path):
    """One of 40 MB needs no more memory on its way than one of 4."""

    async def main(sandbox, name):
        async with plain("key", base_url=sandbox.url) as venice:
            gc.collect()
            tracemalloc.start()
            try:
                report = await gather_generate(venice, "a fox", into=tmp_path / name, **SMALL)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            report.raise_for_failures()
        return peak

    peaks = []
    for size in (4, 40):
        with sandbox_elsewhere(image_size=size * MIB) as sandbox:
            peaks.append(asyncio.run(main(sandbox, str(size))))
    assert max(peaks) < 4 * MIB, peaks


def test_memory_does_not_grow_with_the_number_of_requests(sandbox_elsewhere, tmp_path):
    """Between the hundredth and the five hundredth of a batch, only its outcomes are added."""
    prompts = [f"a fox, number {number}" for number in range(100)]

    async def main(sandbox):
        sizes = {}
        async with plain("key", base_url=sandbox.url) as venice:
            stream = stream_generate(venice, prompts, seeds=range(5), into=tmp_path, **SMALL)
            tracemalloc.start()
            try:
                async with stream as outcomes:
                    read = 0
                    async for _ in outcomes:
                        read += 1
                        if read in {100, 500}:
                            gc.collect()
                            sizes[read] = tracemalloc.get_traced_memory()[0]
            finally:
                tracemalloc.stop()
            stream.report.raise_for_failures()
            assert stream.report.generated == 500
        return sizes

    with sandbox_elsewhere(image_size=2000) as sandbox:
        sizes = asyncio.run(main(sandbox))
    assert len(list(tmp_path.glob("*.png"))) == 500
    assert sizes[500] - sizes[100] < 4 * MIB, sizes


@pytest.mark.parametrize("drain_timeout", [60.0, 0.0], ids=["drained", "aborted"])
def test_leaving_early_frees_everything(sandbox_elsewhere, tmp_path, drain_timeout):
    """No task, no file, no thread and no part of a file."""

    async def main(sandbox):
        async with plain("key", base_url=sandbox.url, concurrency=32) as venice:
            stream = stream_generate(
                venice, "a fox", seeds=range(500), into=tmp_path, drain_timeout=drain_timeout, **SMALL
            )
            async with stream as outcomes:
                await anext(outcomes)
            assert len(asyncio.all_tasks()) == 1
            assert writer_threads() == []
            assert venice._pool.in_flight == 0
            assert not [file.path for file in psutil.Process().open_files() if str(tmp_path) in file.path]
            assert not list(tmp_path.rglob("*.part"))
            report = stream.report
            assert len(list(tmp_path.glob("*.png"))) >= report.generated
            assert report.generated + report.unconfirmed + report.pending == 500
        assert writer_threads() == []

    with sandbox_elsewhere(latency=0.05, image_size=MIB) as sandbox:
        asyncio.run(main(sandbox))


def test_nothing_blocks_the_event_loop(sandbox_elsewhere, tmp_path):
    """Neither a batch nor a single call, to disk or to memory, makes a blocking call in the loop's thread."""

    async def main(sandbox):
        with blockbuster_ctx("venice_async"):
            async with plain("key", base_url=sandbox.url) as venice:
                report = await gather_generate(
                    venice, "a fox", seeds=range(40), into=tmp_path / "out", **SMALL
                )
                report.raise_for_failures()
                request = (await anext(report.outcomes())).request
                await venice.generate(request)
                await venice.save(request, tmp_path / "a.png")
                async with venice.stream(request) as image:
                    async for _ in image:
                        pass
                await venice.models()
                stream = stream_generate(
                    venice, "a fox", seeds=range(40), into=tmp_path / "left", drain_timeout=0, **SMALL
                )
                async with stream as outcomes:
                    await anext(outcomes)

    with sandbox_elsewhere(image_size=MIB) as sandbox:
        asyncio.run(main(sandbox))
    assert len(list((tmp_path / "out").glob("*.png"))) == 40


def test_nothing_of_what_takes_long_blocks_the_event_loop(sandbox_elsewhere, tmp_path, png_of):
    """Neither answers inflated and decoded as a check, nor pictures that are sent along, nor catalogues."""
    style = StyleReference.from_bytes(png_of(5 * MIB))
    request = ImageRequest("a fox", style_references=[style], model=WITH_STYLES)

    async def main(sandbox):
        with blockbuster_ctx("venice_async"):
            session = plain("key", base_url=sandbox.url, check_models=True, compression="gzip")
            async with session as venice:
                report = await gather_generate(
                    venice, request, seeds=range(4), into=tmp_path / "out", verify="decode"
                )
                report.raise_for_failures()
                async for _ in report.paths():
                    pass
                await venice.drain(1)
                assert venice.statistics().sent == 4

    with sandbox_elsewhere() as sandbox:
        asyncio.run(main(sandbox))
    assert len(list((tmp_path / "out").glob("*.webp"))) == 4


def test_the_guard_against_blocking_calls_sees_one():
    """The test above would notice: a blocking call under a frame of the library is caught."""
    from blockbuster import BlockingError

    from venice_async.storage.inputs import read_bytes

    async def main():
        with blockbuster_ctx("venice_async"):
            read_bytes(__file__)

    with pytest.raises(BlockingError):
        asyncio.run(main())


def test_other_tasks_get_their_turn_while_large_answers_come_in(sandbox_elsewhere, tmp_path):
    """The loop is not held by an answer whose bytes are all there already: turns are counted, not timed."""

    async def main(sandbox):
        turns = 0

        async def count():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with plain("key", base_url=sandbox.url) as venice:
            counting = asyncio.create_task(count())
            report = await gather_generate(venice, "a fox", into=tmp_path, **SMALL)
            counting.cancel()
            report.raise_for_failures()
        return turns

    with sandbox_elsewhere(image_size=40 * MIB) as sandbox:
        assert asyncio.run(main(sandbox)) > 40


@pytest.mark.parametrize(("again", "commits"), [(False, 2), (True, 3)], ids=["new", "extended"])
def test_a_purchase_takes_few_commits(sandbox_elsewhere, tmp_path, again, commits):
    """One to take it up and send it, one for its images; where it may be known, one to look it up first."""
    count = 10

    async def main(sandbox):
        async with plain("key", base_url=sandbox.url, concurrency=1) as venice:
            if again:
                await gather_generate(venice, ["a hare"], into=tmp_path, **SMALL)
            prompts = [f"a fox, number {number}" for number in range(count)]
            stream = stream_generate(venice, prompts, into=tmp_path, **SMALL)
            async with stream as outcomes:
                async for _ in outcomes:
                    pass
            stream.report.raise_for_failures()
        return stream._journal.commits

    with sandbox_elsewhere(image_size=2000) as sandbox:
        found = asyncio.run(main(sandbox))
    assert commits * count <= found <= commits * count + 2
