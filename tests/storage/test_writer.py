"""The writer thread: order, few wake-ups, and nothing lost on the way back."""

import asyncio
import threading

import pytest

from venice_async.storage.writer import WriterThread

NAME = "venice-async-writer"
PATIENCE = 10  # seconds until a test that hangs is called one that hangs


def writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == NAME]


def run(body, loop_factory=None):
    """Run a test's coroutine with a writer, which is closed and gone when it returns."""

    async def whole():
        writer = WriterThread()
        try:
            return await asyncio.wait_for(body(writer), PATIENCE)
        finally:
            await asyncio.wait_for(writer.close(), PATIENCE)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        found = runner.run(whole())
    assert writers() == []
    return found


def test_jobs_run_in_their_order_on_one_thread_off_the_loop():
    ran = []

    async def body(writer):
        futures = [writer.submit(lambda n=n: ran.append((n, threading.get_ident()))) for n in range(500)]
        await asyncio.gather(*futures)

    run(body)
    assert [number for number, _ in ran] == list(range(500))
    assert len({thread for _, thread in ran} | {threading.get_ident()}) == 2


def test_each_future_brings_its_own_result():
    async def body(writer):
        return await asyncio.gather(*(writer.submit(lambda n=n: n * n) for n in range(100)))

    assert run(body) == [n * n for n in range(100)]


def test_results_become_known_in_the_order_of_the_jobs():
    known = []

    async def body(writer):
        futures = [writer.submit(int) for _ in range(50)]
        for number, future in enumerate(futures):
            future.add_done_callback(lambda _, number=number: known.append(number))
        await asyncio.gather(*futures)
        await asyncio.sleep(0)

    run(body)
    assert known == list(range(50))


class CountingLoop(asyncio.SelectorEventLoop):
    """A loop that counts how often another thread wakes it."""

    wakes = 0

    def call_soon_threadsafe(self, *args, **kwargs):
        self.wakes += 1
        return super().call_soon_threadsafe(*args, **kwargs)


def test_many_results_travel_back_in_one_wake_up():
    """While the loop is busy, a hundred results need one wake-up, and one more for a late one."""

    async def body(writer):
        last = threading.Event()
        futures = [writer.submit(int) for _ in range(100)]
        futures.append(writer.submit(last.set))
        assert last.wait(PATIENCE)
        await asyncio.gather(*futures)
        return asyncio.get_running_loop().wakes

    assert 1 <= run(body, CountingLoop) <= 2


@pytest.mark.parametrize("kind", [ValueError, OSError, asyncio.CancelledError, StopIteration])
def test_an_exception_travels_to_who_waits_and_the_next_job_runs(kind):
    def fail():
        raise kind("disk")

    async def body(writer):
        first, second, third = writer.submit(int), writer.submit(fail), writer.submit(lambda: "next")
        assert await first == 0
        done, _ = await asyncio.wait([second], timeout=PATIENCE / 4)
        assert done, "the exception never arrived"
        with pytest.raises((kind, RuntimeError)):
            second.result()
        assert await third == "next"

    run(body)


def test_the_same_exception_object_arrives():
    error = OSError(28, "full")

    def fail():
        raise error

    async def body(writer):
        with pytest.raises(OSError, match="full") as caught:
            await writer.submit(fail)
        assert caught.value is error

    run(body)


def test_a_cancelled_future_takes_nothing_from_the_others():
    ran = []

    async def body(writer):
        started, go = threading.Event(), threading.Event()

        def block():
            started.set()
            assert go.wait(PATIENCE)
            return "late"

        blocked = writer.submit(block)
        futures = [writer.submit(lambda n=n: ran.append(n) or n) for n in range(10)]
        assert started.wait(PATIENCE)
        for future in (blocked, *futures[::2]):
            future.cancel()
        go.set()
        return await asyncio.gather(*futures, return_exceptions=True)

    found = run(body)
    assert found[1::2] == [1, 3, 5, 7, 9]
    assert all(isinstance(one, asyncio.CancelledError) for one in found[::2])
    assert ran == list(range(10))


def test_a_cancelled_task_leaves_the_writer_working():
    async def body(writer):
        go = threading.Event()

        async def wait():
            return await writer.submit(lambda: go.wait(PATIENCE))

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()
        return await writer.submit(lambda: "works")

    assert run(body) == "works"


def test_the_thread_starts_with_the_first_job_and_is_one_thread():
    async def body(writer):
        assert writers() == []
        for _ in range(3):
            await writer.submit(int)
            assert len(writers()) == 1

    run(body)


def test_closing_runs_what_was_submitted_and_ends_the_thread():
    async def whole():
        writer, ran = WriterThread(), []
        for number in range(100):
            writer.submit(lambda number=number: ran.append(number))
        await writer.close()
        return ran, writers()

    assert asyncio.run(whole()) == (list(range(100)), [])


def test_closing_without_a_job_or_a_second_time_does_nothing():
    async def whole():
        writer = WriterThread()
        await writer.close()
        await writer.submit(int)
        await writer.close()
        await writer.close()
        return writers()

    assert asyncio.run(whole()) == []


def test_a_closing_that_is_cancelled_ends_the_thread_all_the_same():
    async def whole():
        writer, go = WriterThread(), threading.Event()
        writer.submit(lambda: go.wait(PATIENCE))
        closing = asyncio.create_task(writer.close())
        await asyncio.sleep(0)
        (thread,) = writers()
        closing.cancel()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await closing
        return thread

    thread = asyncio.run(whole())
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_loop_that_is_gone_does_not_break_the_thread():
    go, ran = threading.Event(), threading.Event()
    writer = WriterThread()

    async def leave():
        writer.submit(lambda: go.wait(PATIENCE))
        writer.submit(ran.set)

    asyncio.run(leave())
    (thread,) = writers()
    go.set()
    assert ran.wait(PATIENCE)
    writer._jobs.put(None)
    thread.join(PATIENCE)
    assert not thread.is_alive()
