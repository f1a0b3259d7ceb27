"""The limit: an asyncio protocol made for these answers, which decodes and writes as they arrive.

No error is handled and nothing is checked but the length of the answer; no client that does its duty can be
quicker by much. All connections share one receive buffer, because what arrives is consumed at once.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pybase64

from .job import Job, Run

__all__ = ["limit"]

_BUFFER = 256 * 1024
_MARK = b'"images":["'
_LENGTH = b"\r\ncontent-length:"


class _File:
    """An image on its way to its name."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._part = f"{self._path}.part"
        self._descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self.carry = b""

    def write(self, data: bytes | memoryview) -> None:
        os.write(self._descriptor, data)

    def write_base64(self, text: memoryview) -> None:
        """Decode what is whole of the text, and keep the rest for the next piece."""
        if self.carry:
            missing = 4 - len(self.carry)
            head = self.carry + bytes(text[:missing])
            if len(head) < 4:
                self.carry = head
                return
            self.write(pybase64.b64decode(head, validate=True))
            text, self.carry = text[missing:], b""
        whole = len(text) & ~3
        self.carry = bytes(text[whole:])
        if whole:
            self.write(pybase64.b64decode(text[:whole], validate=True))

    def close(self) -> None:
        os.close(self._descriptor)
        os.rename(self._part, self._path)  # noqa: PTH104 - a Path for each file is a cost


class _Connection(asyncio.BufferedProtocol):
    """One connection, one request at a time."""

    def __init__(self, buffer: memoryview, *, binary: bool) -> None:
        self._buffer = buffer
        self._binary = binary
        self._transport: asyncio.Transport
        self._done: asyncio.Future[None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, request: bytes, path: Path) -> asyncio.Future[None]:
        """Send a request; the future ends when its image has its name."""
        self._done = asyncio.get_running_loop().create_future()
        self._path = path
        self._head = b""
        self._left = -1  # bytes of the body that are to come; below 0 while the head is read
        self._file: _File | None = None
        self._inside = True  # the image has not ended
        self._transport.write(request)
        return self._done

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        piece = self._buffer[:count]
        if self._file is None:
            begun = self._begin(bytes(piece))
            if begun is None:
                return
            piece = memoryview(begun)
        else:
            self._left -= count
        self._pour(piece, self._file)
        if self._left == 0 and self._file is not None:
            self._file.close()
            self._done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        done = getattr(self, "_done", None)
        if done is not None and not done.done():
            done.set_exception(exc or ConnectionError("the server has closed the connection"))

    def _begin(self, data: bytes) -> bytes | None:
        """What is there of the image, once its beginning is."""
        self._head += data
        head, found, body = self._head.partition(b"\r\n\r\n")
        start = 0 if self._binary else body.find(_MARK)
        if not found or start < 0:
            return None
        if not head.startswith(b"HTTP/1.1 200"):
            self._transport.abort()
            return None
        length = head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0]
        self._left = int(length) - len(body)
        self._file = _File(self._path)
        return body if self._binary else body[start + len(_MARK) :]

    def _pour(self, piece: memoryview, file: _File | None) -> None:
        file = file or self._file
        if file is None or not self._inside:
            return
        if self._binary:
            file.write(piece)
            return
        # The end of an image can only be in the last piece or two: what follows it is short.
        end = bytes(piece).find(b'"') if self._left < 1024 else -1
        self._inside = end < 0
        file.write_base64(piece if end < 0 else piece[:end])


@asynccontextmanager
async def limit(job: Job) -> AsyncIterator[Run]:
    """So many connections, each with one request after the other."""
    where = urlsplit(job.url)
    headers = "".join(f"{name}: {value}\r\n" for name, value in job.headers().items())
    start = (
        f"POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\n{headers}Content-Type: application/json\r\n"
    )
    indices = iter(range(job.requests))
    buffer = memoryview(bytearray(_BUFFER))
    loop = asyncio.get_running_loop()

    async def work() -> None:
        transport, connection = await loop.create_connection(
            lambda: _Connection(buffer, binary=job.binary), where.hostname, where.port, ssl=job.tls()
        )
        try:
            for index in indices:
                body = json.dumps(job.body(index)).encode()
                request = f"{start}Content-Length: {len(body)}\r\n\r\n".encode() + body
                await connection.ask(request, job.path(index))
        finally:
            transport.close()

    async def run() -> None:
        await asyncio.gather(*(work() for _ in range(job.concurrency)))

    yield run
