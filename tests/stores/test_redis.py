"""The store in a Redis server: no permit twice, whatever a clock shows and the server forgets."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
import time
import traceback

import pytest
from redis.asyncio import Redis

from venice_async import ImageRequest, RateLimit, VeniceSession
from venice_async.errors import ConfigurationError, MissingExtraError, StoreError
from venice_async.policy.address import veiled
from venice_async.policy.guard import FAILURES, WINDOW, Caution
from venice_async.policy.pace import Pace
from venice_async.sandbox import Sandbox
from venice_async.stores import open_store
from venice_async.stores.redis import RedisStore, scripts

from ..redis_server import RedisServer

HOUR = 3600.0
CARELESS = Caution()
SECRET = "s3cr3t-w0rd"


def strict():
    return Caution(FAILURES)


def pace(limit, span=HOUR, **numbers):
    """So many sends in a span, all of them at once if need be."""
    return Pace(**{"limit": limit, "span": span, "interval": 0.0, "window": span, **numbers})


def with_stores(body, *addresses, clocks=()):
    """Run `body(store, ...)` with a store open at each address."""

    async def main():
        stores = []
        try:
            for number, address in enumerate(addresses):
                clock = clocks[number] if clocks else time.monotonic
                stores.append(RedisStore(address, clock=clock))
                await stores[-1].open()
            return await body(*stores)
        finally:
            for store in stores:
                await store.close()

    return asyncio.run(main())


async def granted(store):
    """Ask until the store agrees; what it has told of the others' sends."""
    heard = []
    while True:
        leave = await store.take("m", pace(100), CARELESS)
        heard += leave.sends
        if leave.seconds == 0:
            return heard
        await asyncio.sleep(leave.seconds)


async def send_until(number, at, stores, limit, span):
    """Send from each store as often as it agrees, until so many sends were recorded in `at`."""

    async def send(store):
        while len(at) < number:
            leave = await store.take("m", pace(limit, span), CARELESS)
            if leave.seconds == 0:
                await store.ended(leave.flight, failed=False)
            else:
                await asyncio.sleep(min(leave.seconds, 0.1))

    await asyncio.gather(*(send(store) for store in stores))


def watch_sends(stores):
    """When each send was recorded from now on, on the server's clock, in whole microseconds."""
    at = []
    for store in stores:
        run = store._run

        async def watched(script, *arguments, run=run):
            values = await run(script, *arguments)
            if values and values[0] == b"taken":
                at.append(int(values[1]))
            return values

        store._run = watched
    return at


def most_within(times, span):
    """The largest number of times within any span."""
    times = sorted(times)
    first = most = 0
    for last, at in enumerate(times):
        while at - times[first] >= span * 1_000_000 - 2:  # microseconds, and what a float makes of them
            first += 1
        most = max(most, last - first + 1)
    return most


def shifted(seconds):
    return lambda: time.monotonic() + seconds


# One permit, one send


@pytest.mark.parametrize("number", [2, 8])
def test_stores_that_send_at_once_never_exceed_a_pace(redis_server, number):
    """In any span of the server's clock there are at most as many sends as the limit says."""

    async def body(*stores):
        at = watch_sends(stores)
        await send_until(90, at, stores, 20, 0.3)
        return at

    at = with_stores(body, *[redis_server.url] * number)
    assert most_within(at, 0.3) <= 20


def test_a_permit_is_never_given_twice(redis_server):
    """Of many who ask at once, as many may send as there are permits."""

    async def asked(store):
        while True:
            leave = await store.take("m", pace(25), CARELESS)
            if not 0 < leave.seconds < 1:
                return leave
            await asyncio.sleep(leave.seconds)

    async def body(*stores):
        return await asyncio.gather(*(asked(store) for _ in range(15) for store in stores))

    leaves = with_stores(body, *[redis_server.url] * 4)
    assert sum(leave.seconds == 0 for leave in leaves) == 25
    assert all(leave.flight is None for leave in leaves if leave.seconds)


_TAKER = """
import asyncio, sys
from venice_async.policy.guard import Caution
from venice_async.policy.pace import Pace
from venice_async.stores.redis import RedisStore

async def main():
    store = RedisStore(sys.argv[1])
    await store.open()
    print("ready", flush=True)
    sys.stdin.readline()
    pace, taken, processes = Pace(limit=25, span=3600.0, interval=0.0, window=3600.0), 0, 0
    while (leave := await store.take("m", pace, Caution())).seconds < 1:
        taken += leave.seconds == 0
        await asyncio.sleep(leave.seconds or 0.002)
    print(taken, leave.processes)
    await store.close()

asyncio.run(main())
"""


def test_several_processes_take_each_permit_once(redis_server):
    """Processes that ask at once get together what the limit says, and learn of each other."""
    command = [sys.executable, "-c", _TAKER, redis_server.url]
    takers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for taker in takers:
        assert taker.stdout.readline() == "ready\n"
    for taker in takers:
        taker.stdin.write("go\n")
        taker.stdin.flush()
    told = [taker.communicate(timeout=30)[0].split() for taker in takers]
    assert sum(int(taken) for taken, _ in told) == 25
    assert max(int(processes) for _, processes in told) >= 2


def test_clocks_of_processes_may_differ_by_hours(redis_server):
    """The server's clock alone counts, and what a process hears is told on its own clock."""
    clocks = [shifted(-5 * HOUR), shifted(0), shifted(7 * HOUR)]

    async def body(*stores):
        at = watch_sends(stores)
        for store in stores:
            assert (await store.take("k", pace(9), CARELESS)).seconds == 0
        heard = [(await store.take("k", pace(9), CARELESS)).sends for store in stores]
        for sends, clock in zip(heard, clocks, strict=True):
            assert all(abs(clock() - at) < 20 for at in sends)
        assert [len(sends) for sends in heard] == [2, 2, 2]
        at.clear()
        await send_until(70, at, stores, 20, 0.3)
        return at

    at = with_stores(body, *[redis_server.url] * 3, clocks=clocks)
    assert most_within(at, 0.3) <= 20


def test_spaces_and_buckets_have_limits_of_their_own(redis_server):
    """A fragment of the address names what belongs together."""

    async def body(one, same, other):
        assert (await one.take("m", pace(1), CARELESS)).seconds == 0
        assert (await same.take("m", pace(1), CARELESS)).seconds > 0
        assert (await same.take("n", pace(1), CARELESS)).seconds == 0
        assert (await other.take("m", pace(1), CARELESS)).seconds == 0

    with_stores(body, redis_server.url, redis_server.url + "#default", redis_server.url + "#team")
    assert "venice_async:team:sends:m" in redis_server.command("KEYS", "venice_async:team:*")


def test_a_request_for_several_images_is_recorded_whole_or_not_at_all(redis_server):
    async def body(one, other):
        leaves = [await one.take("m", pace(9), CARELESS, 4) for _ in range(3)]
        assert [leave.seconds > 0 for leave in leaves] == [False, False, True]
        heard = await other.take("m", pace(9), CARELESS)
        assert (len(heard.sends), heard.seconds) == (8, 0)
        assert (await other.take("m", pace(9), CARELESS)).seconds > 0
        assert redis_server.command("ZCARD", "venice_async:default:sends:m").strip() == ":9"
        assert redis_server.command("ZCARD", "venice_async:default:flights").strip() == ":3"

    with_stores(body, *[redis_server.url] * 2)


def test_a_request_for_several_images_that_was_missed_is_recorded_whole(redis_server):
    async def body(one, other):
        one.missed_send("m", time.monotonic(), 4)
        assert await one.resume()
        assert (await other.take("m", pace(6), CARELESS, 3)).seconds > 0
        assert (await other.take("m", pace(6), CARELESS, 2)).seconds == 0

    with_stores(body, *[redis_server.url] * 2)


def test_a_unix_socket_is_an_address_too(redis_server):
    async def body(store, other):
        assert (await store.take("m", pace(1), CARELESS)).seconds == 0
        assert (await other.take("m", pace(1), CARELESS)).seconds > 0

    with_stores(body, redis_server.unix_url, redis_server.url)


# What one does, the others hear


def test_what_others_did_is_told_once(redis_server):
    """A process hears of the sends and failures of the others, each of them one time, and not of its own."""

    async def body(one, other):
        before = time.monotonic()
        leave = await other.take("m", pace(9), CARELESS)
        await other.ended(leave.flight, failed=True)
        first, second = [await one.take("m", pace(9), CARELESS) for _ in range(2)]
        assert (len(first.sends), len(first.failures), first.processes) == (1, 1, 2)
        assert before - 0.01 <= first.sends[0] <= first.failures[0] + 0.01 <= time.monotonic() + 0.02
        assert (second.sends, second.failures) == ((), ())

    with_stores(body, *[redis_server.url] * 2)


def test_flights_and_failures_of_all_count_for_the_guard(redis_server):
    """A strict guard bounds what all processes have in flight and have failed, together."""

    async def body(one, other):
        leaves = [await one.take("m", pace(100), strict()) for _ in range(FAILURES)]
        assert {leave.seconds for leave in leaves} == {0.0}
        assert (await other.take("m", pace(100), strict())).seconds is None
        await one.ended(leaves[0].flight, failed=True)
        failed = await other.take("m", pace(100), strict())
        assert failed.seconds == pytest.approx(WINDOW, abs=5)
        await one.ended(leaves[1].flight, failed=False)
        assert (await other.take("m", pace(100), strict())).seconds == 0

    with_stores(body, *[redis_server.url] * 2)


def test_a_pause_holds_for_every_process_and_never_becomes_shorter(redis_server):
    """Nobody sends from a paused bucket; a pause of all holds for each of them."""

    async def body(one, other):
        now = time.monotonic()
        await one.pause("m", now + 100)
        await one.pause("m", now + 50)
        paused = await other.take("m", pace(9), CARELESS)
        assert 50 < paused.seconds <= 101
        assert (await other.take("n", pace(9), CARELESS)).seconds == 0
        await one.pause(None, now + 200)
        assert 100 < (await other.take("n", pace(9), CARELESS)).seconds <= 201

    with_stores(body, *[redis_server.url] * 2)


# What expires


def test_nothing_stays_for_ever(redis_server):
    """Every key has a time to live."""

    async def body(store):
        leave = await store.take("m", pace(9), CARELESS)
        await store.ended(leave.flight, failed=True)
        await store.take("m", pace(9), CARELESS)
        await store.pause("m", time.monotonic() + 5)
        await store.pause(None, time.monotonic() + 5)
        await store.lease("shard", 5)
        await store.claim("job", "part", 1, 2)
        names = [line for line in redis_server.command("KEYS", "*").split("\r\n") if "venice" in line]
        assert len(names) >= 9
        assert all(name.startswith("venice_async:default:") for name in names)
        lives = [int(redis_server.command("PTTL", name).strip(": \r\n")) for name in names]
        assert min(lives) > 0

    with_stores(body, redis_server.url)


_DYING = """
import asyncio, sys
from venice_async.policy.guard import FAILURES, Caution
from venice_async.policy.pace import Pace
from venice_async.stores.redis import RedisStore, scripts

async def main():
    store = RedisStore(sys.argv[1])
    await store.open()
    for _ in range(FAILURES):
        await store.take("m", Pace(limit=100, span=0.1, interval=0.0, window=0.1), Caution())
    print(store._name, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_flights_of_a_process_that_died_count_until_it_is_missed(redis_server):
    """It is missed 30 s after its last sign of life; here its sign is made that old."""
    process = subprocess.Popen(
        [sys.executable, "-c", _DYING, redis_server.url], stdout=subprocess.PIPE, text=True
    )
    try:
        name = process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate(timeout=20)

    async def body(store):
        assert (await store.take("m", pace(100), strict())).seconds is None
        redis_server.command("ZADD", "venice_async:default:processes", "1", name)
        assert (await store.take("m", pace(100), strict())).seconds == 0

    with_stores(body, redis_server.url)


def test_a_process_that_was_missed_comes_back_with_its_flights(redis_server):
    """One that was stopped for a while is not taken for dead for good."""

    async def body(one, other):
        leaves = [await one.take("m", pace(100), strict()) for _ in range(FAILURES)]
        redis_server.command("ZADD", "venice_async:default:processes", "1", one._name)
        assert (await other.take("m", pace(100), strict())).seconds == 0
        assert (await one.take("m", pace(100), strict())).seconds is None
        await one.ended(leaves[0].flight, failed=False)
        assert (await one.take("m", pace(100), strict())).seconds is None

    with_stores(body, *[redis_server.url] * 2)


def test_a_store_that_is_closed_takes_its_flights_with_it(redis_server):
    """What it has sent stays."""

    async def body(store):
        for _ in range(FAILURES):
            await store.take("m", pace(FAILURES), strict())

    with_stores(body, redis_server.url)

    async def later(store):
        assert (await store.take("m", pace(FAILURES + 1), strict())).seconds == 0
        assert (await store.take("m", pace(FAILURES + 1), strict())).seconds > 1000

    with_stores(later, redis_server.url)


# What the server forgets


@pytest.fixture
def soon(monkeypatch):
    """A short wait for what others know, after the server was emptied."""
    monkeypatch.setattr("venice_async.stores.redis.store._BEAT", 0.05)
    monkeypatch.setattr("venice_async.stores.redis.store._GRACE", 0.4)


def test_a_restart_with_nothing_left_lets_no_more_through(redis_server, soon):
    """The limit holds for the sends from before and after it together, and then they go on."""
    span = 1.5

    async def body(*stores):
        await asyncio.sleep(0.2)
        at = watch_sends(stores)
        for store in stores:
            for _ in range(5):
                assert (await store.take("m", pace(20, span), CARELESS)).seconds == 0
        assert len(at) == 20
        await asyncio.to_thread(redis_server.restart)
        await send_until(30, at, stores, 20, span)
        return at

    at = with_stores(body, *[redis_server.url] * 4)
    assert most_within(at, span) <= 20


def test_an_emptied_server_is_told_what_each_process_knows(redis_server, soon):
    """Pauses, failures, flights and claims, too; one that comes anew hears of them all."""

    async def body(one, other):
        leaves = [await one.take("m", pace(100), CARELESS) for _ in range(3)]
        await one.ended(leaves[0].flight, failed=True)
        await one.pause("paused", time.monotonic() + 100)
        assert await one.claim("job", "a", 90, 100)
        redis_server.command("FLUSHALL")
        assert not await other.claim("job", "b", 20, 100)
        new = RedisStore(redis_server.url)
        await new.open()
        try:
            leave = await new.take("m", pace(100), CARELESS)
            assert (len(leave.sends), len(leave.failures), leave.processes) == (3, 1, 2)
            assert (await new.take("paused", pace(100), CARELESS)).seconds > 50
            flights = redis_server.command("ZCARD", "venice_async:default:flights")
            assert int(flights.strip(": \r\n")) == 2 + 1
        finally:
            await new.close()

    with_stores(body, *[redis_server.url] * 2)


def test_a_process_that_was_there_is_waited_for_after_the_server_was_emptied(redis_server, soon):
    """For as long as a short outage may last: it may know of sends that nobody else does."""

    async def body(one, other):
        await asyncio.sleep(0.2)  # one hears that there is another
        other._closing.set()  # and that one falls silent
        await asyncio.wait({other._beating})
        for _ in range(3):
            await other.take("m", pace(4), CARELESS)
        redis_server.command("FLUSHALL")
        assert (await one.take("m", pace(4), CARELESS)).seconds > 0
        await asyncio.sleep(0.6)
        assert (await one.take("m", pace(4), CARELESS)).seconds > 0
        assert (await other.take("m", pace(1), CARELESS)).seconds > 0
        leave = await one.take("m", pace(4), CARELESS)
        assert (leave.seconds, len(leave.sends)) == (0, 3)
        assert (await one.take("m", pace(4), CARELESS)).seconds > 1000

    with_stores(body, *[redis_server.url] * 2)


def test_a_process_nobody_knew_has_time_to_tell_what_it_sent(redis_server, monkeypatch):
    """After the server was emptied, nobody sends for long enough to hear everybody's sign of life."""
    monkeypatch.setattr("venice_async.stores.redis.store._GRACE", 0.5)

    async def body(one, other):
        for _ in range(3):
            await other.take("m", pace(4), CARELESS)
        redis_server.command("FLUSHALL")
        leave = await one.take("m", pace(4), CARELESS)
        assert leave.seconds > 0
        assert (await other.take("m", pace(4), CARELESS)).seconds > 0
        while leave.seconds:
            await asyncio.sleep(leave.seconds)
            leave = await one.take("m", pace(4), CARELESS)
        assert (await one.take("m", pace(4), CARELESS)).seconds > 1000

    with_stores(body, *[redis_server.url] * 2)


def test_what_is_left_of_another_epoch_is_heard_of_before_what_comes(redis_server, soon):
    """Also where the server has lost but a part of what it knew."""

    async def body(one, other):
        for _ in range(5):
            await one.take("m", pace(100), CARELESS)
        heard = await granted(other)
        redis_server.command("DEL", "venice_async:default:meta")
        for _ in range(3):
            await granted(one)
        heard += await granted(other)
        assert len(heard) == 5 + 3

    with_stores(body, *[redis_server.url] * 2)


def test_a_server_that_lost_its_last_steps_is_told_them(redis_server, soon):
    """As one that has taken over from another, or reads an old file: its running id is behind."""

    async def body(one, other):
        for _ in range(3):
            assert (await one.take("m", pace(4), CARELESS)).seconds == 0
        redis_server.command("HSET", "venice_async:default:meta", "ids", "1")
        redis_server.command("DEL", "venice_async:default:sends:m")
        await granted(one)
        assert (await other.take("m", pace(4), CARELESS)).seconds > 1000

    with_stores(body, *[redis_server.url] * 2)


def test_much_is_told_in_a_moment(redis_server, soon):
    """Ten thousand sends are no burden to a server that was emptied."""

    async def body(store):
        now = time.monotonic()
        for number in range(10_000):
            store.missed_send("m", now - number / 1000)
        redis_server.command("FLUSHALL")
        leave = await store.take("m", pace(10_000), CARELESS)
        while leave.seconds < 1:
            await asyncio.sleep(leave.seconds)
            leave = await store.take("m", pace(10_000), CARELESS)
        sends = redis_server.command("ZCARD", "venice_async:default:sends:m")
        assert int(sends.strip(": \r\n")) == 10_000

    with_stores(body, redis_server.url)


@pytest.mark.parametrize("step", [-3600, 3600])
def test_a_server_whose_clock_is_set_lets_no_more_through(redis_server, soon, monkeypatch, step):
    """What was sent before counts for as long after it, by everybody's own clock."""
    span = 1.2
    for name in scripts.__all__:
        told = "local clock = redis.call('TIME')"
        set_by = "clock[1] = clock[1] + (redis.call('GET', 'set by') or 0)"
        script = getattr(scripts, name)
        assert told in script
        monkeypatch.setattr(scripts, name, script.replace(told, f"{told} {set_by}"))

    async def body(one, other):
        at, began = watch_sends([one, other]), time.monotonic()
        for store in (one, other):
            for _ in range(10):
                assert (await store.take("m", pace(20, span), CARELESS)).seconds == 0
        redis_server.command("SET", "set by", str(step))
        await send_until(21, at, [one, other], 20, span)
        assert time.monotonic() > began + span - 0.01

    with_stores(body, *[redis_server.url] * 2)


# What cannot be reached


def test_a_short_outage_is_ridden_out(redis_server, soon):
    """A call that comes while the server is away waits for it."""

    async def body(store):
        await store.take("m", pace(9), CARELESS)
        await asyncio.to_thread(redis_server.stop)
        asked = asyncio.create_task(store.take("m", pace(9), CARELESS))
        ended = asyncio.create_task(store.ended(1, failed=True))
        await asyncio.sleep(0.3)
        await asyncio.to_thread(redis_server.start)
        leave = await asked
        await ended
        while leave.seconds:
            await asyncio.sleep(leave.seconds)
            leave = await store.take("m", pace(9), CARELESS)

    with_stores(body, redis_server.url)


def test_an_answer_that_is_lost_changes_nothing(redis_server, monkeypatch):
    """Every script runs once more then, as if it had not run before."""
    register, lost = Redis.register_script, set()

    def lossy(self, text):
        async def run(keys, arguments):
            values = await register(self, text)(keys, arguments)
            if text not in lost:
                lost.add(text)
                raise ConnectionError("the answer is lost")
            return values

        return run

    monkeypatch.setattr(Redis, "register_script", lossy)

    async def body(store):
        leave = await store.take("m", pace(2), CARELESS)
        assert leave.seconds == 0
        await store.ended(leave.flight, failed=True)
        await store.pause("n", time.monotonic() + 5)
        token = await store.lease("shard", 60)
        assert token is not None
        assert await store.renew("shard", token, 60)
        await store.release("shard", token)
        assert await store.claim("job", "part", 60, 100)
        assert await store.claim("job", "other", 40, 100)
        counts = [
            redis_server.command("ZCARD", f"venice_async:default:{key}").strip()
            for key in ("sends:m", "flights", "failures", "processes")
        ]
        assert [count.rpartition(":")[2] for count in counts] == ["1", "0", "1", "1"]
        assert (await store.take("m", pace(2), CARELESS)).seconds == 0
        assert (await store.take("m", pace(2), CARELESS)).seconds > 0

    with_stores(body, redis_server.url)
    assert len(lost) >= 9


def test_a_longer_outage_is_an_error_for_all_who_wait_and_is_over_when_it_is_over(
    redis_server, soon, monkeypatch
):
    """Nobody waits longer for being behind somebody else."""
    monkeypatch.setattr("venice_async.stores.redis.link.OUTAGE", 0.4)
    monkeypatch.setattr("venice_async.stores.redis.link._AFTER_ALL", 0.2)

    async def body(store):
        await asyncio.to_thread(redis_server.stop)
        asked = [store.take(f"m{number}", pace(9), CARELESS) for number in range(40)]
        found = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 5)
        assert {type(error) for error in found} == {StoreError}
        assert not await store.resume()
        store.missed_send("m", time.monotonic())
        await asyncio.to_thread(redis_server.start)
        await asyncio.sleep(0.2)
        assert await store.resume()
        leave = await store.take("m", pace(1), CARELESS)
        assert leave.seconds > 0

    with_stores(body, redis_server.url)


def test_a_cancellation_ends_a_call_wherever_it_is(redis_server):
    """One that was lost would leave a task behind that nobody can end."""

    async def body(store):
        token = await store.lease("shard", 60)
        for turns in range(30):

            async def renew_for_ever():
                while True:
                    await store.renew("shard", token, 60)

            renewing = asyncio.create_task(renew_for_ever())
            for _ in range(turns):
                await asyncio.sleep(0)
            renewing.cancel()
            await asyncio.wait({renewing}, timeout=10)
            assert renewing.cancelled(), f"in turn {turns}"

    with_stores(body, redis_server.url)


def test_a_server_that_says_nothing_is_an_error(redis_server, monkeypatch):
    """As one that is stopped, or behind a wall: it is not waited for longer than the address says."""
    monkeypatch.setattr("venice_async.stores.redis.link.OUTAGE", 0.0)

    async def body(store):
        redis_server.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(StoreError, match=r"no answer for 0\.4 s"):
                await store.lease("shard", 60)
        finally:
            redis_server.process.send_signal(signal.SIGCONT)

    with_stores(body, f"{redis_server.url}?socket_timeout=0.2&socket_connect_timeout=0.2")


def test_a_store_that_is_not_open_is_an_error(redis_server):
    """Nothing is taken from a store that was never opened, and closing it is nothing."""

    async def main():
        store = RedisStore(redis_server.url)
        with pytest.raises(StoreError, match="closed"):
            await store.take("m", pace(1), CARELESS)
        await store.close()

    asyncio.run(main())


@pytest.mark.parametrize("settings", ["port=x", "socket_timeout=x", "no_such_setting=1"])
def test_settings_that_are_none_are_an_error(redis_server, settings):
    async def main():
        store = RedisStore(f"{redis_server.url}?{settings}&password={SECRET}")
        try:
            await store.open()
        finally:
            await store.close()

    with pytest.raises((ConfigurationError, StoreError)) as caught:
        asyncio.run(main())
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_settings_of_the_address_change_nothing_that_matters_here(redis_server):
    """Neither the protocol's version nor how answers are read."""

    async def body(store):
        assert (await store.take("m", pace(1), CARELESS)).seconds == 0
        assert (await store.take("m", pace(1), CARELESS)).seconds > 0

    settings = "decode_responses=True&protocol=3&max_connections=2&retry_on_timeout=True"
    with_stores(body, f"{redis_server.url}?{settings}#team")


def test_without_redis_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(MissingExtraError, match=r'pip install "venice-async\[redis\]"'):
        open_store(f"redis://:{SECRET}@there:1")


# The password


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("redis://host:6379/0#team", "redis://host:6379/0#team"),
        (f"redis://me:{SECRET}@host:6379/0", "redis://***@host:6379/0"),
        (f"rediss://:{SECRET}@h@host", "rediss://***@host"),
        (f"redis://:{SECRET}?@host", "redis://***"),
        (f"redis://:{SECRET}#/@host", "redis://***@host"),
        (f"unix:///run/redis.sock?password={SECRET}&db=1", "unix:///run/redis.sock?***"),
        (f"unix:///run/redis.sock?password=a@{SECRET}", "unix://***"),
        (f"redis:me:{SECRET}@host", "***@host"),
        ("sqlite:///a@b?c.db", "sqlite:///a@b?c.db"),
        (7, "7"),
    ],
)
def test_an_address_is_shown_without_what_is_secret(address, shown):
    assert veiled(address) == shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    "address",
    [
        f"redis://me:{SECRET}@host:port/0",
        f"redis://:{SECRET}@host:1/0?db=x",
        f"redis://:/{SECRET}@host:1/0",
        f"redis://[{SECRET}@host:1/0",
        f"http://me:{SECRET}@host",
        f"redis:/me:{SECRET}@host",
        f"unix:///run/redis.sock?db=x&password={SECRET}",
    ],
)
def test_a_wrong_address_is_an_error_that_shows_no_password(address, monkeypatch):
    monkeypatch.setattr("venice_async.stores.redis.link.OUTAGE", 0.0)

    async def main():
        limit = RateLimit.auto(shared=address)
        assert SECRET not in repr(limit)
        store = open_store(limit.shared)
        try:
            await store.open()
        finally:
            await store.close()

    with pytest.raises((ConfigurationError, StoreError)) as caught:
        asyncio.run(main())
    error = caught.value
    while error is not None:
        assert SECRET not in f"{error!r} {error}"
        error = error.__cause__ or error.__context__


def test_a_password_is_nowhere(caplog, monkeypatch):
    """Neither in an error nor in a repr nor in a record, whether it is right, wrong or not asked for."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("venice_async.stores.redis.link.OUTAGE", 0.2)
    shown = []
    server = RedisServer(password=SECRET)

    async def use(store):
        await store.take("m", pace(1), CARELESS)
        shown.append(repr(store))
        await asyncio.to_thread(server.stop)
        with pytest.raises(StoreError) as caught:
            await store.take("m", pace(1), CARELESS)
        shown.extend(traceback.format_exception(caught.value))

    try:
        server.start()
        for wrong in (f"{SECRET}-not", SECRET.upper()):
            with pytest.raises(StoreError) as caught:
                with_stores(use, server.url.replace(SECRET, wrong))
            shown.extend(traceback.format_exception(caught.value))
        with_stores(use, server.url)
    finally:
        server.close()
    limit = RateLimit.auto(shared=server.url)
    text = " ".join([*shown, repr(limit), str(limit), caplog.text]).lower()
    assert SECRET not in text
    assert "redis://***@127.0.0.1" in text


# One key, several sessions


def test_sessions_that_share_a_key_never_exceed_its_limit(redis_server):
    """Together they use it up, and the server refuses nothing."""
    fox = ImageRequest("a red fox", model="venice-sd35", width=64, height=64)

    async def main():
        limit = RateLimit.auto(shared=redis_server.url)
        with Sandbox(rpm=1200, window=60, latency=0.02, algorithm="gcra", burst=40) as sandbox:
            async with (
                VeniceSession("key", base_url=sandbox.url, rate_limit=limit) as one,
                VeniceSession("key", base_url=sandbox.url, rate_limit=limit) as other,
            ):
                await asyncio.gather(*(venice.generate(fox) for venice in [one, other] * 20))
            return sandbox.account

    account = asyncio.run(main())
    assert (account.received, account.refused, account.by_status.get(429, 0)) == (40, 0, 0)


def test_a_restart_in_the_middle_costs_sessions_nothing(redis_server, soon, until):
    """All images come, and the API refuses nothing."""
    fox = ImageRequest("a red fox", model="venice-sd35", width=64, height=64)

    async def main():
        limit = RateLimit.auto(shared=redis_server.url)
        with Sandbox(rpm=1200, window=60, latency=0.02, algorithm="gcra", burst=40) as sandbox:
            async with (
                VeniceSession("key", base_url=sandbox.url, rate_limit=limit) as one,
                VeniceSession("key", base_url=sandbox.url, rate_limit=limit) as other,
            ):
                images = [asyncio.create_task(venice.generate(fox)) for venice in [one, other] * 20]
                await until(lambda: sandbox.account.received >= 10)
                await asyncio.to_thread(redis_server.restart)
                assert len(await asyncio.gather(*images)) == 40
            return sandbox.account

    account = asyncio.run(main())
    assert (account.received, account.refused, account.by_status.get(429, 0)) == (40, 0, 0)


def test_sessions_come_back_after_a_longer_outage(redis_server, soon, until, monkeypatch):
    """One goes on with a share, and tells what it sent meanwhile once the server is there again."""
    monkeypatch.setattr("venice_async.stores.redis.link.OUTAGE", 0.1)
    monkeypatch.setattr("venice_async.stores.redis.link._AFTER_ALL", 0.05)
    monkeypatch.setattr("venice_async.pool.desk._TRY_AGAIN", 0.1)
    fox = ImageRequest("a red fox", model="venice-sd35", width=64, height=64)

    async def main():
        limit = RateLimit.auto(shared=redis_server.url)
        with Sandbox(rpm=None, latency=0) as sandbox:
            async with VeniceSession("key", base_url=sandbox.url, rate_limit=limit) as venice:
                await venice.generate(fox)
                await asyncio.to_thread(redis_server.stop)
                await venice.generate(fox)
                await venice.generate(fox)
                await asyncio.to_thread(redis_server.start)
                await until(lambda: sends() == 3)

    def sends():
        told = redis_server.command("ZCARD", "venice_async:default:sends:venice-sd35")
        return int(told.strip(": \r\n"))

    with pytest.warns(RuntimeWarning, match="1/2 of the rate limit"):
        asyncio.run(main())
