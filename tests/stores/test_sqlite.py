"""The store in an SQLite file: one step at a time, whoever takes it, and nothing for longer than it holds."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
import warnings
from contextlib import closing

import pytest

from venice_async import ImageRequest, RateLimit, RequestTimeoutError, VeniceSession
from venice_async.errors import ConfigurationError, StoreError
from venice_async.policy.guard import FAILURES, WINDOW, Caution
from venice_async.policy.pace import Pace
from venice_async.sandbox import Sandbox
from venice_async.stores import SqliteStore, open_store

HOUR = 3600.0
STRICT = Caution(FAILURES)
CARELESS = Caution()


def pace(limit, **numbers):
    """So many sends an hour, all of them at once if need be."""
    return Pace(**{"limit": limit, "span": HOUR, "interval": 0.0, "window": HOUR, **numbers})


def with_store(path, body):
    """Run `body(store)` with an open store."""

    async def main():
        store = SqliteStore(path)
        await store.open()
        try:
            return await body(store)
        finally:
            await store.close()

    return asyncio.run(main())


def take(path, *, limit=1000, caution=CARELESS, bucket="m"):
    """Ask once, by a store of its own."""
    return with_store(path, lambda store: store.take(bucket, pace(limit), caution))


def written(path, *statements):
    """Write into the file as another process would."""
    if not path.exists():
        with_store(path, lambda store: asyncio.sleep(0))
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement, *values in statements:
            connection.execute(statement, values)


def flights(path, number, *, pid, at):
    written(path, *[("INSERT INTO flights (at, pid) VALUES (?, ?)", at, pid)] * number)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "key.db"


@pytest.fixture
def dead():
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(30)
    return process.pid


# One step


def test_several_threads_take_each_permit_once(path):
    """Whatever number of stores ask at once, as many sends are allowed as the limit says."""

    async def main():
        stores = [SqliteStore(path) for _ in range(4)]
        for store in stores:
            await store.open()
        leaves = await asyncio.gather(
            *(store.take("m", pace(25), CARELESS) for _ in range(20) for store in stores)
        )
        for store in stores:
            await store.close()
        return leaves

    leaves = asyncio.run(main())
    assert sum(leave.seconds == 0 for leave in leaves) == 25
    assert all(leave.flight is None for leave in leaves if leave.seconds)


_TAKER = """
import asyncio, sys
from pathlib import Path
from venice_async.policy.guard import Caution
from venice_async.policy.pace import Pace
from venice_async.stores import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    print("ready", flush=True)
    sys.stdin.readline()
    pace = Pace(limit=25, span=3600.0, interval=0.0, window=3600.0)
    leaves = [await store.take("m", pace, Caution()) for _ in range(20)]
    print(sum(leave.seconds == 0 for leave in leaves), max(leave.processes for leave in leaves))
    await store.close()

asyncio.run(main())
"""


def started(script, *arguments):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_several_processes_take_each_permit_once(path):
    """Processes that ask at once get together what the limit says, and learn of each other."""
    takers = [started(_TAKER, path) for _ in range(3)]
    for taker in takers:
        assert taker.stdout.readline() == "ready\n"
    for taker in takers:
        taker.stdin.write("go\n")
        taker.stdin.flush()
    told = [taker.communicate(timeout=30)[0].split() for taker in takers]
    assert sum(int(taken) for taken, _ in told) == 25
    assert max(int(processes) for _, processes in told) >= 2


def test_who_opens_a_new_store_waits_for_another_who_does(path):
    """SQLite refuses at once, without waiting, while another process makes the file."""

    async def main(other):
        store = SqliteStore(path)
        async with asyncio.TaskGroup() as group:
            group.create_task(store.open())
            await asyncio.sleep(0.2)
            other.execute("COMMIT")
        leave = await store.take("m", pace(1), CARELESS)
        await store.close()
        return leave.seconds

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE someones (value)")
        assert asyncio.run(main(other)) == 0.0


def test_each_bucket_has_a_limit_of_its_own(path):
    """What was sent from one bucket takes nothing from another."""
    assert take(path, limit=1).seconds == 0
    assert take(path, limit=1).seconds > 0
    assert take(path, limit=1, bucket="other").seconds == 0


def test_what_others_did_is_told_once(path):
    """A process hears of the sends and failures of the others, each of them one time, and not of its own."""
    now = time.monotonic()
    other = os.getppid()

    async def body(store):
        await store.take("m", pace(9), CARELESS)
        written(
            path,
            ("INSERT INTO sends (bucket, at, pid) VALUES ('m', ?, ?)", now - 1, other),
            ("INSERT INTO failures (at, pid) VALUES (?, ?)", now - 2, other),
        )
        return [await store.take("m", pace(9), CARELESS) for _ in range(2)]

    first, second = with_store(path, body)
    assert (first.sends, first.failures, first.processes) == ((now - 1,), (now - 2,), 2)
    assert (second.sends, second.failures) == ((), ())


def test_flights_and_failures_of_all_count_for_the_guard(path):
    """A strict guard bounds what all processes have in flight and have failed, together."""

    async def body(store):
        leaves = [await store.take("m", pace(100), STRICT) for _ in range(FAILURES)]
        full = await store.take("m", pace(100), STRICT)
        await store.ended(leaves[0].flight, failed=True)
        failed = await store.take("m", pace(100), STRICT)
        await store.ended(leaves[1].flight, failed=False)
        return leaves, full, failed, await store.take("m", pace(100), STRICT)

    leaves, full, failed, again = with_store(path, body)
    assert {leave.seconds for leave in leaves} == {0.0}
    assert full.seconds is None
    assert failed.seconds == pytest.approx(WINDOW, abs=5)
    assert again.seconds == 0


def test_a_pause_holds_for_every_process_and_never_becomes_shorter(path):
    """Nobody sends from a paused bucket; a pause of all holds for each of them."""
    now = time.monotonic()

    async def body(store):
        await store.pause("m", now + 100)
        await store.pause("m", now + 50)
        one = await store.take("m", pace(9), CARELESS)
        other = await store.take("other", pace(9), CARELESS)
        await store.pause(None, now + 200)
        return one, other, await store.take("other", pace(9), CARELESS)

    paused, other, all_paused = with_store(path, body)
    assert 50 < paused.seconds <= 100
    assert other.seconds == 0
    assert 100 < all_paused.seconds <= 200


# What expires


def test_what_is_old_is_forgotten(path):
    """Sends go after two windows, failures after the guard's, and flights after the longest answer."""
    now = time.monotonic()
    flights(path, FAILURES, pid=os.getpid(), at=now - 601)
    written(
        path,
        ("INSERT INTO sends (bucket, at, pid) VALUES ('m', ?, 1)", now - 2 * HOUR - 1),
        ("INSERT INTO failures (at, pid) VALUES (?, 1)", now - WINDOW - 1),
        ("INSERT INTO pauses VALUES ('m', ?)", now - 1),
    )
    assert take(path, limit=1, caution=STRICT).seconds == 0
    with closing(sqlite3.connect(path)) as connection:
        rows = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("sends", "failures", "flights", "pauses")
        ]
    assert rows == [1, 0, 1, 0]


def test_flights_of_a_process_that_died_do_not_count(path, dead):
    """A process that is gone holds nobody up; one that lives does."""
    now = time.monotonic()
    flights(path, FAILURES, pid=dead, at=now)
    assert take(path, caution=STRICT).seconds == 0
    flights(path, FAILURES - 1, pid=os.getpid(), at=now)
    assert take(path, caution=STRICT).seconds is None


def test_a_time_in_the_future_is_forgotten(path):
    """What was recorded before the machine was started anew binds nobody."""
    ahead = time.monotonic() + 1e6
    flights(path, FAILURES, pid=os.getpid(), at=ahead)
    written(
        path,
        ("INSERT INTO sends (bucket, at, pid) VALUES ('m', ?, 1)", ahead),
        ("INSERT INTO pauses VALUES ('m', ?)", ahead),
        *[("INSERT INTO failures (at, pid) VALUES (?, 1)", ahead)] * FAILURES,
    )
    leave = take(path, limit=1, caution=STRICT)
    assert (leave.seconds, leave.sends, leave.failures) == (0, (), ())


# What cannot be used


@pytest.mark.parametrize("address", ["sqlite:///", "http://there", "file:///key.db", "redis:there"])
def test_an_address_of_no_store_is_refused(address):
    """Only what names a store is one."""
    with pytest.raises(ConfigurationError, match="expected sqlite:///path"):
        open_store(address)


def test_a_file_that_is_no_store_is_an_error_at_the_start(path):
    """A session does not open with a store that it cannot use, and says which."""
    path.write_bytes(b"no database at all " * 100)

    async def main(shared):
        async with VeniceSession("key", base_url="http://127.0.0.1:9", rate_limit=RateLimit.auto(shared)):
            pytest.fail("it opened")

    for shared in (path, path.parent / "no-such" / "key.db"):
        with pytest.raises(StoreError, match=shared.name):
            asyncio.run(main(f"sqlite:///{shared}"))


def test_a_store_that_is_not_open_is_an_error(path):
    """Nothing is taken from a store that was never opened, and closing it is nothing."""

    async def main():
        store = SqliteStore(path)
        with pytest.raises(StoreError, match="closed"):
            await store.take("m", pace(1), CARELESS)
        await store.close()

    asyncio.run(main())


def test_a_store_that_breaks_later_gives_one_warning_and_a_cautious_share(path):
    """The session goes on with half the limit, as if there were one other process, and says so once."""
    fox = ImageRequest("a red fox", model="venice-sd35", width=64, height=64)

    async def main():
        async with (
            Sandbox(rpm=20, latency=0) as sandbox,
            VeniceSession(
                "key", base_url=sandbox.url, rate_limit=RateLimit.auto(f"sqlite:///{path}")
            ) as venice,
        ):
            await venice.generate(fox)
            written(path, ("DROP TABLE sends",))
            results = await asyncio.gather(
                *(venice.generate(fox, timeout=2.0) for _ in range(20)), return_exceptions=True
            )
            return results, sandbox.account

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results, account = asyncio.run(main())
    assert [(entry.category, "1/2 of the rate limit" in str(entry.message)) for entry in caught] == [
        (RuntimeWarning, True)
    ]
    late = [result for result in results if isinstance(result, RequestTimeoutError)]
    assert 2 <= account.received <= 10
    assert account.refused == 0
    assert len(late) == 21 - account.received


def test_a_request_for_several_images_is_recorded_whole_or_not_at_all(path):
    async def body(store):
        leaves = [await store.take("m", pace(9), CARELESS, 4) for _ in range(3)]
        return leaves, await store.take("m", pace(9), CARELESS), await store.take("m", pace(9), CARELESS)

    (first, second, third), one, more = with_store(path, body)
    assert (first.seconds, second.seconds, one.seconds) == (0, 0, 0)
    assert third.seconds > 0
    assert more.seconds > 0
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sends").fetchone() == (9,)
        assert connection.execute("SELECT count(*) FROM flights").fetchone() == (3,)


def test_a_request_for_several_images_that_was_missed_is_recorded_whole(path):
    async def body(store):
        store.missed_send("m", time.monotonic(), 4)
        assert await store.resume()
        return await store.take("m", pace(6), CARELESS, 3), await store.take("m", pace(6), CARELESS, 2)

    three, two = with_store(path, body)
    assert three.seconds > 0
    assert two.seconds == 0
