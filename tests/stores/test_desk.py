"""One process's dealings with the store: whatever is cancelled, nothing stays behind in it."""

from __future__ import annotations

import asyncio
import sqlite3
import warnings

import pytest

from venice_async import ImageRequest, RateLimit, RetryPolicy, VeniceSession
from venice_async.errors import RateLimitError, StoreError
from venice_async.policy.guard import Guard
from venice_async.pool import Pool
from venice_async.sandbox import Fault, Sandbox
from venice_async.stores import Leave, SqliteStore

FOX = ImageRequest("a fox", model="fluently-xl", width=64, height=64)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shared.db"


def flights(path):
    with sqlite3.connect(path) as connection:
        (number,) = connection.execute("SELECT count(*) FROM flights").fetchone()
    connection.close()
    return number


async def done():
    pass


async def pooled(path, body, **options):
    """Run `body(pool)` with a pool that shares its key; what it returns."""
    pool = Pool(
        4, rate_limit=RateLimit.per_minute(100_000), guard=Guard(), store=SqliteStore(path), **options
    )
    await pool.open()
    try:
        return await body(pool)
    finally:
        await pool.close()


@pytest.mark.parametrize("ticks", range(6))
def test_a_call_cancelled_at_any_moment_leaves_no_flight_and_stops_nobody(path, run, ticks):
    """However far it had come."""

    async def body(pool):
        for _ in range(30):
            tasks = [asyncio.create_task(pool.run(lambda _: done(), model="m")) for _ in range(3)]
            for _ in range(ticks):
                await asyncio.sleep(0)
            tasks[0].cancel()
            tasks[2].cancel()
            await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)
        assert (pool.in_flight, pool.waiting, pool.guard.in_flight) == (0, 0, 0)

    run(pooled(path, body))
    assert flights(path) == 0


def test_a_deadline_that_passes_while_the_store_is_asked_leaves_no_flight(path):
    """The step goes on in its thread, and is taken back."""

    async def body(pool):
        for _ in range(30):
            now = asyncio.get_running_loop().time()
            call = pool.run(lambda _: done(), model="m", deadline=now + 0.0005)
            await asyncio.gather(call, return_exceptions=True)
        await asyncio.wait_for(pool.run(lambda _: done(), model="m"), 20)

    asyncio.run(pooled(path, body))
    assert flights(path) == 0


class PassingOver(SqliteStore):
    """A store in which others take the permits one by one, until they are asked to pause."""

    def __init__(self, path):
        super().__init__(path)
        self.refused, self.paused = 0, []

    async def take(self, bucket, pace, caution, units=1):
        if units == 1 or self.paused:
            return await super().take(bucket, pace, caution, units)
        self.refused += 1
        return Leave(seconds=0.01)

    async def pause(self, bucket, until):
        self.paused.append(bucket)


def test_who_needs_four_permits_and_was_passed_over_three_times_has_the_others_wait(path):
    async def main():
        store = PassingOver(path)
        pool = Pool(4, rate_limit=RateLimit.per_minute(100_000), guard=Guard(), store=store)
        await pool.open()
        try:
            await pool.run(lambda _: done(), model="m")
            assert not store.paused
            await asyncio.wait_for(pool.run(lambda _: done(), model="m", units=4), 20)
        finally:
            await pool.close()
        return store.refused, store.paused

    assert asyncio.run(main()) == (3, ["m"])


def test_a_call_cancelled_right_after_a_refusal_leaves_no_flight(path):
    """The pause and the end of the flight are both told."""

    async def main():
        limit = RateLimit.per_minute(1000, shared=f"sqlite:///{path}")
        async with (
            Sandbox(latency=0, rpm=None) as sandbox,
            VeniceSession(
                "key", base_url=sandbox.url, rate_limit=limit, retry=RetryPolicy(attempts=1)
            ) as venice,
        ):
            sandbox.script(Fault(429))
            task = asyncio.create_task(venice.generate(FOX))
            with pytest.raises(RateLimitError):
                await task
            task.cancel()

    asyncio.run(main())
    assert flights(path) == 0


def test_a_store_that_breaks_while_an_image_comes_costs_no_image(path, until):
    """Even where warnings are errors: the image is handed over, and the warning is the loop's to tell."""
    told = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        limit = RateLimit.auto(shared=f"sqlite:///{path}")
        async with (
            Sandbox(latency=0.2, rpm=None) as sandbox,
            VeniceSession("key", base_url=sandbox.url, rate_limit=limit) as venice,
        ):
            task = asyncio.create_task(venice.generate(FOX))
            await until(lambda: sandbox.account.in_flight)
            with sqlite3.connect(path) as connection:
                connection.execute("DROP TABLE flights")
            connection.close()
            answer = await task
            assert answer.image.format == "webp"
            assert (await venice.generate(FOX)).image.format == "webp"

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main())
    assert [type(warning) for warning in told] == [RuntimeWarning]


def test_a_store_that_is_there_again_is_come_back_to(path, until, monkeypatch):
    """It hears of what was sent without it; the whole limit is used again when a window has passed."""
    monkeypatch.setattr("venice_async.pool.desk._TRY_AGAIN", 0.05)

    async def body(pool):
        async def held(_):
            await hold.wait()

        hold = asyncio.Event()
        flight = asyncio.create_task(pool.run(held, model="m"))
        await until(lambda: flights(path) == 1)
        with sqlite3.connect(path) as connection:
            connection.execute("ALTER TABLE flights RENAME TO gone")
        connection.close()
        for _ in range(3):
            await pool.run(lambda _: done(), model="m")
        assert pool.permits.bucket("m").pace(0.0).limit == 50_000
        hold.set()
        await flight
        pool.permits.bucket("m").window, began = 0.3, asyncio.get_running_loop().time()
        with sqlite3.connect(path) as connection:
            connection.execute("ALTER TABLE gone RENAME TO flights")
        connection.close()
        await until(lambda: flights(path) == 0)
        with sqlite3.connect(path) as connection:
            (sends,) = connection.execute("SELECT count(*) FROM sends").fetchone()
        connection.close()
        assert sends == 4
        await until(lambda: pool.permits.bucket("m").pace(0.0).limit == 100_000)
        assert asyncio.get_running_loop().time() > began + 0.3

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(pooled(path, body))
    assert [warning.category for warning in caught] == [RuntimeWarning]


def test_a_store_that_stays_away_is_let_go_of_at_the_end(path, monkeypatch):
    """Nobody waits for it to come back."""

    async def body(pool):
        with sqlite3.connect(path) as connection:
            connection.execute("DROP TABLE flights")
        connection.close()
        await pool.run(lambda _: done(), model="m")

    with pytest.warns(RuntimeWarning, match="knows of no others"):
        asyncio.run(asyncio.wait_for(pooled(path, body), 10))


def test_what_is_queued_behind_a_step_that_failed_fails_at_once(path, monkeypatch):
    """A locked file is waited for once, not once for each call."""
    monkeypatch.setattr("venice_async.stores.sqlite._BUSY", 0.3)

    async def main():
        store = SqliteStore(path)
        await store.open()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            steps = [store.pause("m", 0.0) for _ in range(100)]
            found = await asyncio.wait_for(asyncio.gather(*steps, return_exceptions=True), 10)
        finally:
            other.close()
            await store.close()
        assert all(isinstance(error, StoreError) for error in found)

    asyncio.run(main())


@pytest.mark.parametrize("address", ["a\0b", "a\ud800b"])
def test_a_path_that_is_none_is_a_store_error(tmp_path, address):
    """Before anything is sent."""

    async def main():
        limit = RateLimit.auto(shared=f"sqlite:///{tmp_path}/{address}")
        with pytest.raises(StoreError):
            async with VeniceSession("key", base_url="http://127.0.0.1:9", rate_limit=limit):
                pass

    asyncio.run(main())
