"""Leases and claims, as every store gives them."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from venice_async.stores import open_store


class Meeting:
    """A place where stores meet.

    Attributes:
        address: Its address.
        forget: Empties it.
    """

    def __init__(self, address, forget):
        self.address = address
        self.forget = forget

    def run(self, body, number=2):
        """Run `body(store, ...)` with so many open stores; what it returns."""

        async def main():
            stores = [open_store(self.address) for _ in range(number)]
            for store in stores:
                await store.open()
            try:
                return await body(*stores)
            finally:
                for store in stores:
                    await store.close()

        return asyncio.run(main())


@pytest.fixture(params=["sqlite", "redis"])
def meeting(request, tmp_path):
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        return Meeting(server.url, lambda: server.command("FLUSHALL"))
    path = tmp_path / "key.db"

    def forget():
        with closing(sqlite3.connect(path)) as connection, connection:
            for table in ("leases", "claims"):
                connection.execute(f"DELETE FROM {table}")

    return Meeting(f"sqlite:///{path}", forget)


# Leases


def test_a_lease_is_held_by_one_until_it_is_given_back(meeting):
    async def body(one, other):
        token = await one.lease("shard 1", 60)
        assert token is not None
        assert await other.lease("shard 1", 60) is None
        assert await one.lease("shard 1", 60) is None
        assert await other.lease("shard 2", 60) is not None
        await one.release("shard 1", token)
        assert await other.lease("shard 1", 60) > token

    meeting.run(body)


def test_a_lease_that_ran_out_is_anyones_and_its_holder_is_told(meeting):
    """Whoever was too slow finds out at the next renewal, and cannot give the other's lease back."""

    async def body(one, other):
        token = await one.lease("shard", 0.05)
        await asyncio.sleep(0.1)
        later = await other.lease("shard", 60)
        assert later > token
        assert not await one.renew("shard", token, 60)
        await one.release("shard", token)
        assert await one.lease("shard", 60) is None
        assert await other.renew("shard", later, 60)

    meeting.run(body)


def test_a_lease_that_ran_out_is_renewed_while_nobody_has_taken_it(meeting):
    async def body(one, other):
        token = await one.lease("shard", 0.05)
        await asyncio.sleep(0.1)
        assert await one.renew("shard", token, 60)
        assert await other.lease("shard", 60) is None

    meeting.run(body)


def test_renewing_makes_a_lease_last(meeting):
    async def body(one, other):
        token = await one.lease("shard", 0.2)
        assert await one.renew("shard", token, 60)
        await asyncio.sleep(0.25)
        assert await other.lease("shard", 60) is None

    meeting.run(body)


def test_a_store_that_was_emptied_gives_larger_tokens_and_renews_what_nobody_took(meeting):
    """Whoever writes with an old token is still told apart from whoever came later."""

    async def body(one, other):
        tokens = [await one.lease(name, 60) for name in ("kept", "lost")]
        meeting.forget()
        assert await one.renew("kept", tokens[0], 60)
        assert await other.lease("kept", 60) is None
        later = await other.lease("lost", 60)
        assert later > tokens[1]
        assert not await one.renew("lost", tokens[1], 60)

    meeting.run(body)


def test_of_many_who_ask_at_once_one_gets_the_lease(meeting):
    async def body(*stores):
        for turn in range(5):
            tokens = await asyncio.gather(*(store.lease(f"shard {turn}", 60) for store in stores * 4))
            assert sum(token is not None for token in tokens) == 1

    meeting.run(body, number=4)


def test_tokens_grow_however_fast_a_lease_goes_from_hand_to_hand(meeting):
    async def body(one, other):
        tokens = []
        for store in [one, other] * 20:
            tokens.append(await store.lease("shard", 60))
            await store.release("shard", tokens[-1])
        assert tokens == sorted(set(tokens))
        assert tokens[0] > time.time_ns() // 1000 - 3_600_000_000

    meeting.run(body)


def test_a_lease_from_before_the_machine_was_started_anew_has_run_out(tmp_path):
    """Its holder is gone, and the machine's clock has begun anew."""
    path = tmp_path / "key.db"

    async def body(one, other):
        token = await one.lease("shard", 60)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE leases SET at = at + 1e6, until = until + 1e6")
        assert await other.lease("shard", 60) > token

    Meeting(f"sqlite:///{path}", None).run(body)


# Claims


def test_the_parts_of_a_job_never_hold_more_than_its_limit(meeting):
    async def body(one, other):
        assert await one.claim("job", "a", 60, 100)
        assert not await other.claim("job", "b", 41, 100)
        assert await other.claim("job", "b", 40, 100)
        assert await other.claim("job", "b", 40, 100)
        assert await other.claim("another job", "b", 100, 100)
        assert await one.claim("job", "a", 10, 100)
        assert await other.claim("job", "b", 90, 100)

    meeting.run(body)


def test_a_part_may_always_hold_less_than_before(meeting):
    """Also where the limit was lowered below what is held."""

    async def body(one, other):
        assert await one.claim("job", "a", 60, 100)
        assert await other.claim("job", "b", 40, 100)
        assert await one.claim("job", "a", 60, 10)
        assert await one.claim("job", "a", 50, 10)
        assert not await one.claim("job", "a", 51, 10)

    meeting.run(body)


def test_of_many_claims_at_once_as_many_are_held_as_fit(meeting):
    async def body(*stores):
        held = await asyncio.gather(
            *(
                store.claim("job", f"{number} {turn}", 3, 100)
                for turn in range(20)
                for number, store in enumerate(stores)
            )
        )
        assert sum(held) == 33

    meeting.run(body, number=4)


_CLAIMS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 120), st.integers(0, 200)),
    max_size=20,
)


def test_claims_are_those_of_a_simple_model(meeting):
    async def body(one, other):
        jobs = iter(range(10**6))

        async def check(claims):
            run, held = next(jobs), {}
            for number, (job, part, amount, limit) in enumerate(claims):
                others = sum(value for (of, name), value in held.items() if of == job and name != part)
                expected = amount <= held.get((job, part), 0) or others + amount <= limit
                if expected:
                    held[job, part] = amount
                store = (one, other)[number % 2]
                assert await store.claim(f"{run} {job}", part, amount, limit) is expected

        loop = asyncio.get_running_loop()

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        @given(_CLAIMS)
        def every(claims):
            asyncio.run_coroutine_threadsafe(check(claims), loop).result(20)

        await asyncio.to_thread(every)

    meeting.run(body)
