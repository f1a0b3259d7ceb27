"""Answers on the wire: compression, heads, and every way in which sending can go wrong.

1. An `Answer` is decided elsewhere; here it is only sent.
2. A request's record learns from here what was sent of its answer.
3. A client that has left is no error.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
import zlib
from collections.abc import Hashable, Mapping

import brotli  # type: ignore[import-untyped]  # Brotli 1.1 has no type information
from aiohttp import HttpVersion11, web
from attrs import define, field, frozen

from .account import RequestRecord
from .fault import Fault
from .headers import FromNow, Headers
from .state import State

__all__ = ["Answer", "Delivery", "choose_encoding", "compress", "override_headers"]

_PIECE = 256 * 1024
_DRIPS_PER_SECOND = 20
# Below this, compressing costs less than handing it to a thread.
_SMALL = 8 * 1024
_WITHOUT_BODY = frozenset({204, 304})


@frozen
class Answer:
    """A status, a body, and the header fields that go with them.

    Only a `compressible` one is compressed for a client that accepts it.
    """

    status: int
    body: bytes = field(repr=False)
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(factory=dict)
    compressible: bool = field(default=True, kw_only=True)


class _Response(web.StreamResponse):
    """An answer that knows which of its header fields the fault decides."""

    overrides: Headers = ()


@define
class Delivery:
    """One answer on its way to the client, as far as its fault lets it come.

    Args:
        state: What the sandbox's handlers share.
        request: What is answered.
        record: Where what was sent is noted.
        failing: Whose failure it is if the answer is one; None if that is held against nobody.
        fault: What goes wrong; None for nothing.
    """

    state: State
    request: web.Request
    record: RequestRecord
    failing: Hashable | None = field(default=None, repr=False)
    fault: Fault | None = None

    async def send(self, answer: Answer) -> web.StreamResponse:
        """Send the answer; a client that has left makes no difference."""
        response = _Response(status=answer.status)
        response.overrides = () if self.fault is None else self.fault.headers
        try:
            await self._send(response, answer)
        except ConnectionError:
            # The record says that the answer is not complete; nobody is there to be told more.
            return response
        return response

    async def _send(self, response: _Response, answer: Answer) -> None:
        fault = self.fault
        if fault is not None:
            await asyncio.sleep(fault.delay)
        if fault is not None and fault.reset == "before":
            return self._reset()
        body = await self._fill_head(response, answer)
        cut = fault is not None and (fault.truncated or fault.reset is not None)
        sent = self._part_to_send(answer.status, body)
        self._check_client()
        self._note_head(answer.status)
        if not sent:
            self._settle(complete=not cut)
        await response.prepare(self.request)
        await self._write(response, sent, complete=not cut)
        if fault is not None and fault.reset is not None:
            return self._reset()
        if cut or (sent and _says_another_length(response, len(body))):
            return self._close()
        return await response.write_eof()

    def _part_to_send(self, status: int, body: bytes) -> memoryview:
        """Give what the client gets to see of the body."""
        fault, whole = self.fault, memoryview(body)
        if self.request.method == "HEAD" or status in _WITHOUT_BODY:
            return whole[:0]
        if fault is not None and fault.reset == "headers":
            return whole[:0]
        if fault is not None and (fault.truncated or fault.reset == "body"):
            return whole[: len(whole) // 2]
        return whole

    def _check_client(self) -> None:
        """Raise what a write would raise, before anything is noted down that would then be wrong."""
        transport = self.request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has left")

    def _note_head(self, status: int) -> None:
        self.record.status = status
        if not self.record.locked_out:
            self.state.note_answer(self.failing, status)

    def _settle(self, *, complete: bool) -> None:
        """Note the outcome just before the client can see it: who has the answer can read the account."""
        self.record.complete = complete
        self.state.books.settle(self.record)

    async def _fill_head(self, response: _Response, answer: Answer) -> bytes:
        """Fill in the head, and return the body as it is to be sent."""
        fault, headers, body = self.fault, response.headers, answer.body
        headers.update(answer.headers)
        headers["Server"] = "venice-sandbox"
        headers["Content-Type"] = (fault and fault.content_type) or answer.content_type
        if fault is not None and fault.content_encoding:
            headers["Content-Encoding"] = fault.content_encoding
        elif answer.compressible:
            headers["Vary"] = "Accept-Encoding"
            if encoding := choose_encoding(self.request.headers.get("Accept-Encoding", "")):
                headers["Content-Encoding"] = encoding
                body = await self._compress(body, encoding)
        if fault is not None and fault.chunked and self.request.version >= HttpVersion11:
            response.enable_chunked_encoding()
        else:
            response.content_length = len(body)
        return body

    async def _compress(self, body: bytes, encoding: str) -> bytes:
        if len(body) <= _SMALL:
            return compress(body, encoding)
        return await self.state.workers.run(compress, body, encoding)

    async def _write(self, response: _Response, body: memoryview, *, complete: bool) -> None:
        rate = None if self.fault is None else self.fault.drip
        size = _PIECE if rate is None else max(1, int(rate / _DRIPS_PER_SECOND))
        for start in range(0, len(body), size):
            piece = body[start : start + size]
            self._check_client()
            if start + size >= len(body):
                self._settle(complete=complete)
            await response.write(piece)
            if rate is not None:
                await asyncio.sleep(len(piece) / rate)

    def _close(self) -> None:
        if self.request.transport is not None:
            self.request.transport.close()

    def _reset(self) -> None:
        """Break the connection with a TCP RST: a socket that does not linger sends one when it is closed."""
        self._settle(complete=False)
        transport = self.request.transport
        if transport is None:
            return
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


async def override_headers(request: web.Request, response: web.StreamResponse) -> None:  # noqa: ARG001
    """Apply a fault's own header fields, as the last thing before the head is sent."""
    for name, value in response.overrides if isinstance(response, _Response) else ():
        if value is None:
            response.headers.popall(name, None)
        else:
            response.headers[name] = value.at(time.time()) if isinstance(value, FromNow) else value


def choose_encoding(accepted: str) -> str:
    """Choose "br", "gzip" or "" (none) by an Accept-Encoding header.

    The highest q wins, br before gzip; none wins if it is preferred, or if nothing else is accepted.
    """
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, parameters = part.partition(";")
        weights[name.strip()] = _weight(parameters)

    def weight(name: str) -> float:
        return weights.get(name, weights.get("*", 0.0))

    best = max(("br", "gzip"), key=weight)
    return best if weight(best) > 0 and weight(best) >= weights.get("identity", 0.0) else ""


def _weight(parameters: str) -> float:
    name, _, value = parameters.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def compress(body: bytes, encoding: str) -> bytes:
    """Compress a body quickly, with "br" or "gzip"."""
    if encoding == "br":
        compressed: bytes = brotli.compress(body, quality=1)
        return compressed
    packer = zlib.compressobj(level=1, wbits=zlib.MAX_WBITS | 16)
    return packer.compress(body) + packer.flush()


def _says_another_length(response: web.StreamResponse, length: int) -> bool:
    """Whether the client cannot know by the head where the body ends."""
    if response.chunked:
        return "Transfer-Encoding" not in response.headers
    return response.headers.get("Content-Length", "") != str(length)
