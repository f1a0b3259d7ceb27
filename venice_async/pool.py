"""The request pool: places, attempts, and all the waiting there is.

1. A place is held from just before a request is sent until its answer has been taken in whole.
2. Waiting calls are admitted in the order in which they came.
3. What an error means is not decided here: the pool asks `policy`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import TypeVar

from .errors import RequestTimeoutError, StatusError
from .policy.retry import confirm

__all__ = ["BeforeSend", "Pool", "confirmed"]

T = TypeVar("T")

BeforeSend = Callable[[int], Awaitable[None]]
"""Awaited with the number of the attempt (from 1) once it may be sent; raising prevents the sending."""


class Pool:
    """A bounded number of places for requests in flight.

    Args:
        concurrency: Places; requests in flight at once.
    """

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self._free = concurrency
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def in_flight(self) -> int:
        """Places that are taken."""
        return self.concurrency - self._free

    @property
    def waiting(self) -> int:
        """Calls that wait for a place."""
        return len(self._waiting)

    async def run(
        self,
        attempt: Callable[[], Awaitable[T]],
        *,
        before_send: BeforeSend | None = None,
        deadline: float | None = None,
    ) -> T:
        """Make an attempt once there is a place for it.

        Args:
            attempt: Sends the request and takes its answer in whole.
            before_send: Awaited with the place in hand, just before the attempt.
            deadline: For the wait, on the event loop's clock; None for none.

        Raises:
            RequestTimeoutError: No place came free in time; nothing was sent.
            VeniceError: What the attempt raised, as `policy.retry.confirm` sees it.
        """
        async with self.place(deadline):
            if before_send is not None:
                await before_send(1)
            with confirmed():
                return await attempt()

    @asynccontextmanager
    async def place(self, deadline: float | None = None) -> AsyncGenerator[Callable[[], None], None]:
        """Hold a place for the length of the block, or until the function that it yields is called.

        Raises:
            RequestTimeoutError: No place came free by the deadline; nothing was sent.
        """
        try:
            async with asyncio.timeout_at(deadline):
                await self._acquire()
        except TimeoutError as exc:
            raise RequestTimeoutError("no place in the pool came free in time; nothing was sent") from exc
        with ExitStack() as held:
            held.callback(self._release)
            yield held.close

    async def _acquire(self) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()  # the place was handed over in the same moment
            else:
                with suppress(ValueError):  # a release may have passed over it already
                    self._waiting.remove(turn)
            raise

    def _release(self) -> None:
        """Hand the place to the next in line, or keep it free."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


@contextmanager
def confirmed() -> Generator[None, None, None]:
    """Turn a status that leaves the purchase open into an `UnconfirmedError`."""
    try:
        yield
    except StatusError as exc:
        if (error := confirm(exc)) is exc:
            raise
        raise error from exc
