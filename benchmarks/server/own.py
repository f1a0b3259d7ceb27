"""A small server of our own, for machines without nginx.

It knows just enough HTTP for the clients here: requests with a Content-Length, one after the other on a
connection that stays open.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .process import Addresses, Certificate, await_port, free_ports, running

__all__ = ["Answering", "run_own", "serve_files"]

_PIECE = 256 * 1024  # bytes handed to the socket at once
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def _answer(files: Path, path: str) -> bytes:
    """A whole answer, head and body."""
    file = files / path.strip("/")
    if ".." in path or not file.is_file():
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    body = file.read_bytes()
    image = file.name == "generate"
    binary, packed = path.startswith("/binary/") and image, path.startswith("/gzip/") and image
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: {'image/png' if binary else 'application/json'}\r\n"
        f"{'Content-Encoding: gzip' if packed else 'X-Plain: 1'}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Answering(asyncio.Protocol):
    """One connection.

    Args:
        files: What is served.
        known: Answers made before, by their path; shared by all connections.
    """

    def __init__(self, files: Path, known: dict[str, bytes]) -> None:
        self._files = files
        self._known = known
        self._received = b""
        self._left = memoryview(b"")
        self._paused = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._send()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._send()

    def _send(self) -> None:
        while not self._paused:
            if not self._left:
                path = self._next_path()
                if path is None:
                    return
                self._left = memoryview(self._find(path))
            piece, self._left = self._left[:_PIECE], self._left[_PIECE:]
            self._transport.write(piece)

    def _next_path(self) -> str | None:
        """The path of the next request that is here as a whole."""
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return None
        length = _LENGTH.search(head)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return None
        self._received = rest[size:]
        return head.split(b" ", 2)[1].partition(b"?")[0].decode()

    def _find(self, path: str) -> bytes:
        if path not in self._known:
            self._known[path] = _answer(self._files, path)
        return self._known[path]


async def serve_files(files: Path, certificate: Certificate, plain: int, tls: int) -> None:
    """Serve these files on two ports, without an end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    loop = asyncio.get_running_loop()
    known: dict[str, bytes] = {}
    for port, security in ((tls, context), (plain, None)):
        await loop.create_server(lambda: Answering(files, known), "127.0.0.1", port, ssl=security)
    await asyncio.Event().wait()


@contextmanager
def run_own(folder: Path, files: Path, certificate: Certificate) -> Iterator[Addresses]:
    """Serve these files until the block ends."""
    del folder
    plain, tls = free_ports(2)
    names = [str(files), str(certificate.chain), str(certificate.key), str(plain), str(tls)]
    with running([sys.executable, "-m", __package__ or "", *names]) as process:
        await_port(plain, process)
        yield Addresses(plain=f"http://127.0.0.1:{plain}", tls=f"https://127.0.0.1:{tls}")
