"""A store in a Redis server, for processes on any number of machines.

1. What may be sent is decided here, by what this process knows; the server records it only if nothing
   new has come to pass, and tells the news otherwise: compare and set, on the server's clock.
2. A server that lost its memory is told what is known here before anything is sent again.
3. A process that stays silent for 30 s counts as gone, and so do its flights.
"""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from venice_async.errors import StoreError
from venice_async.policy.guard import Caution
from venice_async.policy.pace import Pace
from venice_async.stores.store import Leave

from . import scripts
from .clock import ServerTime
from .known import Known, Log, OurClock, microseconds
from .link import Link

__all__ = ["RedisStore"]

_MICRO = 1_000_000
_BEAT = 1.0  # seconds from one sign of life to the next
_GRACE = 2.5  # seconds for which nobody sends after the server lost its memory: all processes tell theirs
_PATIENCE = 10.0  # seconds for which one that was there before is waited for
_ROUNDS = 8  # questions for one permit, before others have their turn
_CROWDED = 0.02  # seconds, where every round brought news
_ANY = 2**31  # flights


class RedisStore:
    """A store in a Redis server.

    Args:
        address: `redis://`, `rediss://` or `unix://`, as `redis.asyncio.from_url` takes it; a fragment
            names the space of the keys, which is `default` without one.
        clock: Seconds on this process's clock, on which all times are that go in and come out.

    Raises:
        ConfigurationError: It is no such address.
        MissingExtraError: redis is not installed.
    """

    def __init__(self, address: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._link = Link(address, clock)
        self._clock = clock
        self._name = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._time = ServerTime()
        self._known = Known()
        self._epoch = ""
        self._peers: set[str] = set()
        self._told_at = 0.0
        self._number = 0
        self._meeting = asyncio.Lock()
        self._beating: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def open(self) -> None:
        """Connect.

        Raises:
            StoreError: The server cannot be reached, or refuses.
        """
        try:
            self._link.open()
            await self._meet()
        except BaseException:
            await self._link.close()
            raise
        self._beating = asyncio.create_task(self._beat(), name="venice_async store's sign of life")

    async def close(self) -> None:
        """Let go; what this process has recorded stays until it expires."""
        self._closing.set()
        self._link.give_up()
        if self._beating is not None:
            await asyncio.wait({self._beating})
            with suppress(StoreError):
                await self._run(scripts.LEAVE, self._name)
        await self._link.close()

    async def take(self, bucket: str, pace: Pace, caution: Caution, units: int = 1) -> Leave:
        """Ask to send from a bucket, and record the sends if they may go: all of them, or none.

        Args:
            bucket: A model's id, or what stands for the whole key.
            pace: What this process knows of the bucket.
            caution: How careful this process is.
            units: Images that the request asks for: each is a send.

        Raises:
            StoreError: The store cannot be used.
        """
        log = self._known.bucket(bucket, pace.span)
        flight = self._next(units)
        seconds: float | None = _CROWDED
        for _ in range(_ROUNDS):
            try:
                values = await self._ask(bucket, log, pace, caution, units, flight)
            except BaseException:
                self.missed_end(flight)  # it may have been recorded
                raise
            if values[0] == b"taken":
                return self._leave(log, 0.0, flight)
            seconds = self._seconds(log, pace, caution, units, *values[1:3])
            if seconds != 0:
                break
        return self._leave(log, _CROWDED if seconds == 0 else seconds)

    async def ended(self, flight: int, *, failed: bool) -> None:
        """A send is over.

        Raises:
            StoreError: The store cannot be used.
        """
        self.missed_end(flight)  # until it is told
        log, failure, now = self._known.failures, "", self._now()
        if failed:
            log.forget(now)
            log.add(f"{self._name}:{flight}", now)
            failure = f"{microseconds(now)}:{self._name}:{flight}"
        await self._run(scripts.ENDED, *self._self(), flight, failure, microseconds(log.keep))
        self._known.over.discard(flight)

    async def pause(self, bucket: str | None, until: float) -> None:
        """Let nobody send from a bucket (None: from any) before a time.

        Raises:
            StoreError: The store cannot be used.
        """
        key = "pause" if bucket is None else f"pause:{bucket}"
        at = until + self._time.ahead
        self._known.pause(key, at, self._now())
        await self._run(scripts.PAUSE, key, microseconds(at))

    async def lease(self, name: str, seconds: float) -> int | None:
        """Take a lease that nobody holds.

        Args:
            name: The lease's.
            seconds: For how long.

        Returns:
            Its token, larger than every earlier one of the name; None while somebody holds it.

        Raises:
            StoreError: The store cannot be used.
        """
        who = f"{self._name}:{self._next()}"
        (token,) = await self._run(scripts.LEASE, name, who, microseconds(seconds))
        return int(token) if token else None

    async def renew(self, name: str, token: int, seconds: float) -> bool:
        """Hold a lease for so long from now, also one that ran out or was forgotten.

        Returns:
            False where somebody else has taken it since.

        Raises:
            StoreError: The store cannot be used.
        """
        (held,) = await self._run(scripts.RENEW, name, token, microseconds(seconds))
        return bool(held)

    async def release(self, name: str, token: int) -> None:
        """Give a lease back; a token that somebody else's has followed has no effect.

        Raises:
            StoreError: The store cannot be used.
        """
        await self._run(scripts.RELEASE, name, token)

    async def claim(self, job: str, part: str, amount: int, limit: int) -> bool:
        """Let a part of a job hold an amount in all, in millionths of a US dollar.

        Args:
            job: The job's name.
            part: The part's.
            amount: What it has spent and set aside, instead of what it held.
            limit: What all parts may hold together.

        Returns:
            False where that would be more than the limit, and more than the part held: nothing changed.

        Raises:
            StoreError: The store cannot be used.
        """
        while True:
            _, (status, *values) = await self._as_known(scripts.CLAIM, lambda: (job, part, amount, limit))
            if status != b"later":
                break
            await asyncio.sleep(max(0.0, int(values[0]) / _MICRO - self._now()))
        if status == b"held":
            self._known.claims[job, part] = amount
        return bool(status == b"held")

    def missed_send(self, bucket: str, at: float, units: int = 1) -> None:
        """Note sends of one request that was made while the store could not be asked."""
        log = self._known.bucket(bucket, 0.0)
        log.forget(self._now())
        log.add_all(self._name, self._next(units), units, at + self._time.ahead)

    def missed_end(self, flight: int) -> None:
        """Note the end of a send that the store could not be told."""
        self._known.flights.pop(flight, None)
        self._known.over.add(flight)

    async def resume(self) -> bool:
        """Whether a store that failed can be used again; it has recorded then what it missed."""
        try:
            await self._meet()
        except StoreError:
            return False
        return True

    # What is decided here

    async def _ask(
        self, bucket: str, log: Log, pace: Pace, caution: Caution, units: int, flight: int
    ) -> list[Any]:
        """Ask for a permit by what is known; the answer's status and news are taken in."""
        log.forget(self._now())
        epoch, values = await self._as_known(
            scripts.TAKE, lambda: self._question(bucket, log, pace, caution, units, flight)
        )
        # What is told of an epoch that is over says nothing of the ids of this one.
        same = epoch == self._epoch
        if values[0] == b"taken":
            log.add_all(self._name, flight, units, int(values[1]) / _MICRO)
            log.seen = max(log.seen, int(values[2]) if same else 0)
            self._known.flights[flight] = int(values[1]) / _MICRO
            if not same:
                await self._meet()
        else:
            log.hear(_events(values[3], seen=same), self._now(), f"{self._name}:")
            self._known.failures.hear(_events(values[4], seen=same), self._now(), f"{self._name}:")
        return values

    def _question(
        self, bucket: str, log: Log, pace: Pace, caution: Caution, units: int, flight: int
    ) -> tuple[str | int, ...]:
        """What is asked for a permit: what is known, and what is decided by that."""
        now, ahead = self._clock(), self._time.ahead
        failures = OurClock(self._known.failures.log, ahead)
        allowed = pace.wait(OurClock(log.log, ahead), now, units) == 0
        return (
            bucket,
            log.seen,
            self._known.failures.seen,
            _flights_at_most(caution, now, failures) if allowed else -1,
            microseconds(now + ahead),
            flight,
            microseconds(log.keep),
            units,
        )

    def _seconds(
        self, log: Log, pace: Pace, caution: Caution, units: int, flights: int, paused: bytes
    ) -> float | None:
        """Seconds until this process may ask again, by what it knows now; 0: at once."""
        now, ahead = self._clock(), self._time.ahead
        leave = caution.wait(now, OurClock(self._known.failures.log, ahead), flights)
        if leave is None:
            return None
        until = int(paused) / _MICRO - ahead
        return max(leave, pace.wait(OurClock(log.log, ahead), now, units), until - now, 0.0)

    def _leave(self, log: Log, seconds: float | None, flight: int | None = None) -> Leave:
        ahead, latest = self._time.ahead, log.processes(self._now())
        living = {name for name, at in latest.items() if name in self._peers or at > self._told_at}
        return Leave(
            seconds=seconds,
            flight=flight,
            sends=tuple(sorted(at - ahead for at in log.untold())),
            failures=tuple(sorted(at - ahead for at in self._known.failures.untold())),
            processes=len(living | {self._name}),
        )

    # How the server is asked

    def _next(self, units: int = 1) -> int:
        """The first of so many new numbers."""
        self._number += units
        return self._number - units + 1

    def _now(self) -> float:
        """The server's time, or a little before."""
        return self._clock() + self._time.ahead

    def _self(self) -> tuple[str, str, int]:
        return self._name, self._epoch, self._known.seen

    async def _run(self, script: str, *arguments: str | int) -> list[Any]:
        """Run a script; what it returns, after the server's time."""
        reply = await self._link.run(script, *arguments)
        time_of_server, *values = reply.values
        step = self._time.saw(int(time_of_server) / _MICRO, reply.asked, reply.answered)
        if step:
            self._known.shift(step)
            await self._meet(stepped=True)
        return values

    async def _as_known(
        self, script: str, arguments: Callable[[], tuple[str | int, ...]] = tuple
    ) -> tuple[str, list[Any]]:
        """Run a script that needs the server to know this process, and to remember what it has seen.

        Args:
            script: The script.
            arguments: Gives what it takes; asked anew when there was more to know.

        Returns:
            The epoch that it ran in, and what it returned.
        """
        for _ in range(_ROUNDS):
            epoch = self._epoch
            values = await self._run(script, *self._self(), *arguments())
            if values[0] != b"unknown":
                return epoch, values
            await self._meet(unless=epoch)
        raise StoreError(f"{self._link.name}: the shared store forgets at once what it is told")

    async def _meet(self, *, stepped: bool = False, unless: str | None = None) -> None:
        """Come (back) to the server, and tell it all that is known.

        Args:
            stepped: Whether the server's clock was set.
            unless: The epoch that another call may have left in the meantime: then there is nothing to do.
        """
        async with self._meeting:
            if unless is not None and unless != self._epoch:
                return
            step = await self._tell(stepped=stepped)
            if step:  # what was told was told on another clock
                self._known.shift(step)
                await self._tell(stepped=True)

    async def _tell(self, *, stepped: bool) -> float:
        """Tell all that is known; by how much the server's clock was set forward meanwhile."""
        over, peers = set(self._known.over), self._peers - {self._name}
        told: list[str | int] = []
        for item in self._known.told(self._name, self._now()):
            told += item
        reply = await self._link.run(
            scripts.MEET,
            *self._self(),
            secrets.token_hex(8),
            int(stepped),
            microseconds(_GRACE),
            microseconds(_PATIENCE),
            len(peers),
            *peers,
            *told,
        )
        time_of_server, epoch, names = reply.values
        if epoch.decode() != self._epoch:
            self._epoch = epoch.decode()
            self._known.unsee()
        self._known.over -= over
        self._see(names)
        return self._time.saw(int(time_of_server) / _MICRO, reply.asked, reply.answered)

    def _see(self, names: list[bytes]) -> None:
        """Take in which processes there are."""
        self._peers, self._told_at = {name.decode() for name in names}, self._now()

    async def _beat(self) -> None:
        """Give signs of life until the store is closed."""
        while not self._closing.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_BEAT):
                    await self._closing.wait()
                return
            with suppress(StoreError):  # who asks for a permit is told
                _, (_, names) = await self._as_known(scripts.BEAT)
                self._see(names)


def _flights_at_most(caution: Caution, now: float, failures: OurClock) -> int:
    """With how many flights a request may still go; -1 where with none."""
    most = _ANY if caution.most == math.inf else int(caution.most)
    if caution.wait(now, failures, most) == 0:
        return most
    bounds = range(0 if caution.alone else most - 1, -1, -1)
    return next((flights for flights in bounds if caution.wait(now, failures, flights) == 0), -1)


def _events(flat: list[bytes], *, seen: bool) -> Iterator[tuple[str, float, int]]:
    """What a sorted set returned: each event with its time and, if it counts as seen, its running id."""
    for member, identifier in zip(flat[::2], flat[1::2], strict=True):
        at, _, event = member.decode().partition(":")
        yield event, int(at) / _MICRO, int(float(identifier)) if seen else 0
