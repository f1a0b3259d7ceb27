"""One attempt at a request: sent with a place and a permit in hand, its answer taken in by whoever wants it.

1. An attempt ends with everything that it opened; what a failed one has brought is kept or discarded.
2. The head of an answer is told to the pool and to the telemetry before anything of it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, TypeVar

from attrs import frozen

from venice_async.errors import ContentBlockedError, DecodeError, StorageError
from venice_async.pool import Admission, confirmed
from venice_async.telemetry import Attempt, Call
from venice_async.transport import Exchange, Transport
from venice_async.types.options import Timeouts
from venice_async.types.request import ImageRequest
from venice_async.wire.headers import rate_limit_of

from .reception import ImageStream, Reception, Sink, keep

__all__ = ["Attempts"]

_GENERATE = "image/generate"

R = TypeVar("R")


@frozen
class Attempts:
    """The attempts at one request.

    Attributes:
        transport: Sends them.
        request: What is asked for.
        body: The same as it is sent.
        timeouts: How long each part may take.
        deadline: For all of them together, on the event loop's clock; None for none.
    """

    transport: Transport
    request: ImageRequest
    body: bytes
    timeouts: Timeouts
    deadline: float | None

    async def into(self, open_sink: Callable[[], Sink[R]], call: Call, admission: Admission) -> R:
        """Make one whose images go into a sink of its own."""
        sink = open_sink()
        with call.attempt() as told:
            try:
                async with self._post(call) as exchange:
                    _tell_head(exchange, told, admission)
                    reception = await Reception.open(exchange, self.request)
                    answer = await reception.pour_into(sink)
                    told.received(exchange.received, answer)
                return await sink.commit(answer)
            except (ContentBlockedError, DecodeError, StorageError) as exc:
                await keep(sink, exc)
                raise
            except BaseException:
                await sink.discard()
                raise

    async def begun(self, stack: AsyncExitStack, call: Call, admission: Admission) -> ImageStream:
        """Make one whose image is handed on, and wait for its first bytes; the stack ends it."""
        told = stack.enter_context(call.attempt())
        with confirmed():
            exchange = await stack.enter_async_context(self._post(call))
            _tell_head(exchange, told, admission)

            def ended(answer: Mapping[str, Any]) -> None:
                told.received(exchange.received, answer)
                admission.end()

            image = ImageStream(await Reception.open(exchange, self.request), ended)
            await image.begin()
        return image

    def _post(self, call: Call) -> AbstractAsyncContextManager[Exchange]:
        return self.transport.post(
            _GENERATE, self.body, timeouts=self.timeouts, deadline=self.deadline, headers=call.headers
        )


def _tell_head(exchange: Exchange, told: Attempt, admission: Admission) -> None:
    snapshot = rate_limit_of(exchange.headers)
    told.answered(exchange.status, snapshot)
    admission.answered(exchange.status, snapshot)
