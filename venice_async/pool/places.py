"""Who may send, and when.

1. A place is held from just before a request is sent until its answer has been taken in whole. With
   the place come the permits of the rate limit, one for each image that is asked for, all or none, and the
   guard's leave: a call waits for all of them at once.
2. Who waits is admitted in the order that `lines` tells. One whose model has no permit left is passed
   over by those of other models.
3. How long to wait for a permit is not decided here: `policy` is asked.
4. Beside calls of others, and for a window after the last of them, bulk work never catches up at once: they
   would wait until its burst has left the rate limit's window.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from itertools import count

import attrs

from venice_async.errors import (
    ConfigurationError,
    PoolFullError,
    RequestTimeoutError,
    SessionStateError,
    VeniceError,
)
from venice_async.policy.guard import Guard, GuardState
from venice_async.policy.rate_limit import Permits, RateLimit
from venice_async.stores import Store
from venice_async.types.options import Priority

from .admission import Admission
from .desk import Desk
from .halt import Halt
from .lines import Lines, Waiting

__all__ = ["Places", "ended_by"]

_SHARE = 0.1  # of the newest in an average


class Places:
    """A bounded number of places for requests in flight, and the permits of a key.

    Args:
        concurrency: Places; requests in flight at once.
        max_waiting: Calls that may wait at once, besides retries and calls that can be halted; None for
            any number.
        rate_limit: How fast to send; None for a server without limits.
        guard: How to stay clear of the lock-out; None to ignore it.
        ask: Asks the server for the key's limits, once, before the first request; None not to ask.
        store: Where the processes meet that share the key; None for this one alone.
        random: Gives numbers in [0, 1), for the jitter.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        max_waiting: int | None = None,
        rate_limit: RateLimit | None = None,
        guard: Guard | None = None,
        ask: Callable[[Permits], Awaitable[None]] | None = None,
        store: Store | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        self.concurrency = concurrency
        self.permits = Permits(rate_limit)
        self.guard = GuardState(guard)
        self.random = random
        self._ask = ask
        self._desk = None if store is None else Desk(store, self.permits, self.guard, self.look)
        self._learning: asyncio.Task[None] | None = None
        self._closed = False
        self._max_waiting = max_waiting
        self._free = concurrency
        self._lines = Lines()
        self._held = 0.0  # seconds that a place was held lately, on average
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def in_flight(self) -> int:
        """Places that are taken."""
        return self.concurrency - self._free

    @property
    def waiting(self) -> int:
        """Calls that wait for a place or a permit."""
        return self._lines.number

    @property
    def waiting_by_priority(self) -> dict[int, int]:
        """The same for each priority that waits."""
        return dict(Counter(call.priority for call in self._lines))

    async def open(self) -> None:
        """Open the store, if there is one.

        Raises:
            StoreError: It cannot be opened.
        """
        if self._desk is not None:
            await self._desk.open()

    async def close(self) -> None:
        """End all waiting, and close the store, if there is one."""
        self._closed = True
        for call in list(self._lines):
            self._refuse(call, SessionStateError("this session is closed"))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.wait({self._learning})
        if self._desk is not None:
            await self._desk.close()

    def now(self) -> float:
        """Seconds on the clock that the permits and the guard go by."""
        return asyncio.get_running_loop().time()

    @asynccontextmanager
    async def place(
        self,
        model: str,
        *,
        units: int = 1,
        priority: int = 0,
        deadline: float | None = None,
        again: bool = False,
        halt: Halt | None = None,
    ) -> AsyncGenerator[Admission, None]:
        """Hold a place and permits for the length of the block, or until the admission is ended.

        Args:
            model: Whose permits it takes.
            units: How many: one for each image that is asked for.
            priority: The larger one goes first.
            deadline: For the wait, on the event loop's clock; None for none.
            again: Whether this is a retry, which goes before new work of its priority.
            halt: What may end the wait; None for nothing.

        Raises:
            ConfigurationError: The rate limit never holds so many images; nothing was sent.
            NotSentError: The halt came first.
            PoolFullError: As many calls wait as may; nothing was sent.
            RequestTimeoutError: There was no leave to send by the deadline, or there cannot be; nothing was
                sent.
        """
        if halt is not None:
            halt.check()
        admission = self._at_once(model, units, priority)
        if admission is None:
            if priority > Priority.BULK:
                self.permits.called_at = self.now()
            call = Waiting(
                model=model,
                units=units,
                priority=priority,
                again=again,
                arrival=next(self._order),
                deadline=deadline,
                refusable=halt is None and not again,
            )
            admission = await self._in_time(call, halt)
        try:
            yield admission
        except BaseException as exc:
            admission.end(exc)
            raise
        else:
            admission.end()
        finally:
            if self._desk is not None:
                self._desk.ended(admission)

    def _at_once(self, model: str, units: int, priority: int) -> Admission | None:
        """Let a call in that has nobody and nothing to wait for."""
        learning = self._ask is not None or not (self._learning is None or self._learning.done())
        if self._closed or learning or self._desk is not None or not self._free or model in self._lines:
            return None
        now = self.now()
        if units > 1 and self._too_large(model, units):
            return None
        if self._leave(model, now) or self._wait(model, now, units, priority):
            return None
        return self._admit(model, now, units, priority)

    async def _in_time(self, call: Waiting, halt: Halt | None) -> Admission:
        try:
            async with asyncio.timeout_at(call.deadline):
                with ended_by(halt):
                    await self._learn()
                    admission = await self._admitted(call)
                    while not await self._agreed(admission):
                        admission = await self._admitted(call)
                return admission
        except TimeoutError as exc:
            if isinstance(exc, RequestTimeoutError):
                raise
            raise RequestTimeoutError("no place and permit came free in time; nothing was sent") from exc

    def release(self, held: float | None = None) -> None:
        """Take a place back that was held for so many seconds; for the admission that holds it."""
        if held is not None:
            self._held += (held - self._held) * (_SHARE if self._held else 1.0)
        self._free += 1
        self.look()

    async def _learn(self) -> None:
        """Ask for the key's limits before the first request of all; no cancellation cuts that off."""
        if self._ask is not None:
            ask, self._ask = self._ask(self.permits), None
            self._learning = asyncio.create_task(_tolerant(ask), name="venice_async key limits")
        if self._learning is not None and not self._learning.done():
            await asyncio.shield(self._learning)

    async def _agreed(self, admission: Admission) -> bool:
        """Whether the processes that share the key agree; the admission is taken back if they do not."""
        if self._desk is None:
            return True
        agreed = False
        try:
            agreed = await self._desk.take(admission)
        finally:
            if not agreed:
                admission.abandon()
            self.look()
        return agreed

    async def _admitted(self, call: Waiting) -> Admission:
        if self._closed:
            raise SessionStateError("this session is closed")
        if error := self._too_large(call.model, call.units):
            raise error
        call = attrs.evolve(call)
        turn = call.turn
        self._lines.join(call)
        self._let_in(call.model)
        if not turn.done():
            self._check(call)
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.done() or turn.cancelled():
                turn.cancel()
                self._lines.leave(call)
                self.look()
            elif turn.exception() is None:  # it was let in in the same moment
                if self._desk is not None:
                    self._desk.leaves(turn.result())
                turn.result().abandon()
            raise

    def _check(self, call: Waiting) -> None:
        """Refuse a call that need not wait: too many do, or its turn cannot come in time."""
        now = self.now()
        if call.refusable and self._max_waiting is not None and self._lines.refusable > self._max_waiting:
            wait = self._estimate(call, now)
            text = f"{self._max_waiting} calls wait already (max_waiting); nothing was sent"
            about = "" if wait is None else f". This one would have waited for about {wait:.0f} s"
            self._refuse(call, PoolFullError(text + about, wait=wait))
        elif call.deadline is not None:
            soonest = self.permits.soonest(call.model, self._lines.ahead(call), now, units=call.units)
            if now + soonest >= call.deadline:
                self._refuse(call, _too_late(soonest, call.deadline - now))

    def _refuse(self, call: Waiting, error: VeniceError) -> None:
        self._lines.leave(call)
        call.turn.set_exception(error)

    def _estimate(self, call: Waiting, now: float) -> float | None:
        """Seconds that a call would wait, about; None where nothing tells."""
        permit = self.permits.even(call.model, self._lines.ahead(call), now)
        if not self._free and not self._held:
            return permit or None
        return max(permit, self._lines.number * self._held / self.concurrency)

    def _let_in(self, model: str) -> None:
        """Let in who waits for a model: after an arrival nothing has changed for the others."""
        now, seconds = self.now(), 0.0
        while self._free and not seconds and model in self._lines:
            call, seconds = self._candidate(model, now)
            if call is not None:
                self._go_on([call], now)
        if self._free and model in self._lines:
            self._come_back(now + seconds)

    def look(self) -> None:
        """Let in whoever may go now, and come back when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now, seconds = self.now(), 0.0
        while self._free and self._lines.number:
            ready, seconds = self._ready(now)
            if not ready:
                break
            self._go_on(ready, now)
        if self._free and self._lines.number:
            self._come_back(now + seconds)

    def _leave(self, model: str, now: float) -> float:
        """Seconds until the guard lets anyone of a model go; infinity: not before an answer has come."""
        seconds = self.guard.wait(model, now)
        return math.inf if seconds is None else seconds

    def _go_on(self, ready: list[Waiting], now: float) -> None:
        """Let the call go whose turn it is; it keeps its turn where it needs more permits than there are."""
        call = self._lines.next(ready)
        if call.units > 1 and call not in ready and self._wait(call.model, now, call.units, call.priority):
            self._lines.keep_turn(call)
        else:
            self._go(call, now)

    def _go(self, call: Waiting, now: float) -> None:
        """Let a call go."""
        self._lines.go(call)
        admission = self._admit(call.model, now, call.units, call.priority)
        if self._desk is not None:
            self._desk.comes(admission)
        call.turn.set_result(admission)

    def _admit(self, model: str, now: float, units: int, priority: int) -> Admission:
        self._free -= 1
        self.guard.started(model)
        even = self._keeps_distance(model, now, priority)
        if priority > Priority.BULK:
            self.permits.called_at = now
        return Admission(self, self.permits.sent(model, now, units), even=even)

    def _come_back(self, when: float) -> None:
        """Look again at a time, or earlier."""
        if when < math.inf and (self._timer is None or when < self._timer.when()):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_at(when, self.look)

    def _ready(self, now: float) -> tuple[list[Waiting], float]:
        """The calls that may go now, one of each model; where there is none, the seconds until one may."""
        ready: list[Waiting] = []
        soonest = math.inf
        for model in self._lines.models:
            call, seconds = self._candidate(model, now)
            if call is not None:
                ready.append(call)
            else:
                soonest = min(soonest, seconds)
                self._refuse_late(model, now)
        return ready, soonest

    def _candidate(self, model: str, now: float) -> tuple[Waiting | None, float]:
        """The call for a model that may go now; else the seconds until one may."""
        if seconds := self._leave(model, now):
            return None, seconds
        while (first := self._lines.first(model)) and (error := self._too_large(model, first.units)):
            self._refuse(first, error)
        if first is None:
            return None, math.inf
        if not (seconds := self._wait(model, now, first.units, first.priority)):
            return first, 0.0
        if first.units > 1:
            for call in self._lines.smaller(model):
                if not (sooner := self._wait(model, now, call.units, call.priority)):
                    return call, 0.0
                seconds = min(seconds, sooner)
        return None, seconds

    def _refuse_late(self, model: str, now: float) -> None:
        """Who would be next, and cannot be so in time, gives up at once."""
        while (call := self._lines.first(model)) is not None and call.deadline is not None:
            seconds = self._wait(model, now, call.units, call.priority)
            if seconds == math.inf or now + seconds < call.deadline:
                return
            self._refuse(call, _too_late(seconds, call.deadline - now))

    def _too_large(self, model: str, units: int) -> ConfigurationError | None:
        """The error of a request for more images than its rate limit ever holds."""
        most = self.permits.most(model) if units > 1 else None
        if most is None or units <= most:
            return None
        return ConfigurationError(
            f"variants={units}: each is an image, and the rate limit of {model} never holds more than {most};"
            " nothing was sent"
        )

    def _keeps_distance(self, model: str, now: float, priority: int) -> bool:
        return priority <= Priority.BULK and self.permits.has_callers(model, now)

    def _wait(self, model: str, now: float, units: int, priority: int) -> float:
        """Seconds until a request for a model may be sent; infinity while another one is asking."""
        even = self._keeps_distance(model, now, priority)
        seconds = self.permits.wait(model, now, units=units, even=even)
        return seconds if self._desk is None else max(seconds, self._desk.wait(model, now))


def _too_late(soonest: float, left: float) -> RequestTimeoutError:
    return RequestTimeoutError(
        f"the rate limit lets it go in {soonest:.1f} s at the soonest, and its time is over in {left:.1f} s;"
        " nothing was sent"
    )


async def _tolerant(ask: Awaitable[None]) -> None:
    with suppress(VeniceError):  # the answers themselves will tell
        await ask


def ended_by(halt: Halt | None) -> AbstractContextManager[None]:
    """End the block when the halt is called, if there is one."""
    return nullcontext() if halt is None else halt.ending()
