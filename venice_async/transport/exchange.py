"""An answer that is coming in.

1. It is taken in bit by bit, so that the loop's other tasks have their turn.
2. What was asked for compressed is inflated off the loop.
3. A server that has fallen silent is told from a reader that does something else.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from heapq import heappop, heappush
from itertools import count

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy

from venice_async.errors import DecodeError
from venice_async.types.options import AnswerLimits
from venice_async.wire.inflate import Inflater, make_inflater
from venice_async.wire.secret import Secret, SecretFilter

from .sending import FOREIGN, Body, translated

__all__ = ["Exchange", "Silence", "Turns"]

_TURN = 0.002  # seconds
_WOKEN_AT_ONCE = 2
_INFLATED_AT_ONCE = 256 * 1024


class Turns:
    """Shares an event loop with its other tasks: answers that are here already are taken in bit by bit.

    What is buffered is handed out without a pause, and with many answers at once one iteration of the
    loop could last for long. After a few milliseconds, the others wait for the next ones, a few in each;
    while they do, their buffers are full, and no more is read from their sockets. The answer that began
    first comes first: those that are nearly whole get whole, rather than all at once and late.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._iteration_began: float | None = None
        self._answers = count()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def begin(self) -> int:
        """The number of an answer that begins."""
        return next(self._answers)

    def are_free(self) -> bool:
        """Whether there is time left in this iteration, and nobody who waits for it; if so, it is used."""
        if self._waiting:
            return False
        if self._iteration_began is None:
            self._begin_iteration()
            return True
        return self._loop.time() - self._iteration_began <= _TURN

    async def wait(self, answer: int) -> None:
        """Wait for an iteration with time left, behind the answers that began earlier."""
        turn: asyncio.Future[None] = self._loop.create_future()
        heappush(self._waiting, (answer, turn))
        await turn

    def _begin_iteration(self) -> None:
        self._iteration_began = self._loop.time()
        self._loop.call_soon(self._end_iteration)

    def _end_iteration(self) -> None:
        self._iteration_began = None
        if self._waiting:
            self._begin_iteration()
        for _ in range(min(_WOKEN_AT_ONCE, len(self._waiting))):
            _, turn = heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)


class Silence:
    """Breaks an answer off once its server has said nothing for too long while we waited for it.

    There is one timer an answer, not one a piece. While the reader does something else, the socket may
    be paused, and the silence is ours.
    """

    def __init__(self, content: aiohttp.StreamReader, seconds: float | None) -> None:
        self.since: float | None = None
        self._content = content
        self._loop = asyncio.get_running_loop()
        self._seconds = math.inf if seconds is None else seconds
        self._timer = None if seconds is None else self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        until = (now if self.since is None else self.since) + self._seconds
        if until > now:
            self._timer = self._loop.call_at(until, self._look)
        else:
            text = f"nothing came for {self._seconds:g} s"
            self._content.set_exception(aiohttp.SocketTimeoutError(text))

    def end(self) -> None:
        """The answer is over."""
        if self._timer is not None:
            self._timer.cancel()


class Exchange:
    """An answer whose head has arrived and whose body is being read.

    Attributes:
        status: The HTTP status.
        headers: The head's headers, in a mapping that ignores case; without the key.
        content_type: Such as `application/json`, without parameters.
        received: Bytes of the body that came over the wire so far.
        secret: The key.
        limits: How much of it is taken.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        body: Body,
        secret: Secret,
        limits: AnswerLimits,
        silence: Silence,
        turns: Turns,
    ) -> None:
        self.status = response.status
        self.secret = secret
        self.limits = limits
        self.headers = _without(secret, response.headers)
        self.content_type = secret.hide(response.content_type)
        self.received = 0
        self._content = response.content
        self._encoding = self.headers.get("Content-Encoding", "")
        self._inflater: Inflater | None = None
        self._left = limits.body_bytes
        self._more = False
        self._body = body
        self._loop = asyncio.get_running_loop()
        self._silence = silence
        self._turns = turns
        self._number = turns.begin()

    async def read(self) -> bytes:
        """The next piece of the body; empty at its end.

        Raises:
            UnconfirmedError: The body broke off.
            DecodeError: It is not compressed as it says, or longer than is taken.
        """
        if self._left < 0:
            raise self._too_long()
        if not self._encoding:
            return self._counted(await self._receive())
        if self._inflater is None:
            self._inflater = make_inflater(self._encoding)
        while True:
            data = b"" if self._more else await self._receive()
            if not data and not self._more:
                if not self._inflater.ended:
                    raise self._body.lost("the request was sent, and the compressed answer ends early")
                return b""
            if piece := await self._inflate(self._inflater, data):
                return self._counted(piece)

    def _counted(self, piece: bytes) -> bytes:
        """What is taken of a piece: images may end in it; that there was more is told by the next read."""
        taken = piece[: self._left]
        self._left -= len(piece)
        if piece and not taken:
            raise self._too_long()
        return taken

    def _too_long(self) -> DecodeError:
        size = f"{self.limits.body_bytes} bytes"
        return DecodeError(f"the answer is longer than {size} (AnswerLimits.body_bytes)")

    async def _inflate(self, inflater: Inflater, data: bytes) -> bytes:
        piece = await self._loop.run_in_executor(None, inflater.inflate, data, _INFLATED_AT_ONCE)
        self._more = len(piece) >= _INFLATED_AT_ONCE and not inflater.ended
        return piece

    async def _receive(self) -> bytes:
        """The next piece as it came over the wire."""
        if not self._turns.are_free():
            await self._turns.wait(self._number)
        self._silence.since = self._loop.time()
        try:
            data = await self._content.readany()
        except FOREIGN as exc:
            raise translated(exc, self._body) from exc
        finally:
            self._silence.since = None
        self.received += len(data)
        return data

    async def read_all(self, limit: int, seconds: float | None = None) -> bytes:
        """The body: its first `limit` bytes, or what came of it in this many seconds; without the key."""
        body, secrets = bytearray(), SecretFilter(self.secret)
        bound = asyncio.timeout(seconds)
        try:
            async with bound:
                while len(body) < limit:
                    chunk = await self.read()
                    body += secrets.feed(chunk) if chunk else secrets.rest()
                    if not chunk:
                        break
        except TimeoutError:
            if not bound.expired():
                raise
        return self.secret.hide_in_json(bytes(body[:limit]))


def _without(secret: Secret, headers: CIMultiDictProxy[str]) -> Mapping[str, str]:
    """The headers of an answer, without the key."""
    return CIMultiDict((name, secret.hide(value)) for name, value in headers.items())
