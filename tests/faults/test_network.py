"""What a network can do wrong, and what comes of it: a row each."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import Mapping
from contextlib import asynccontextmanager, closing
from typing import Any

import attrs
import pytest
import trustme
from attrs import field, frozen

from venice_async import Inpaint, Timeouts
from venice_async.sandbox import Fault

from .places import ALL, Api, Place, Wire, head, json_body
from .row import Row, params

_FREE = {"received": 0, "billed": 0, "files": 0}
_GOOD = {"received": 3, "billed": 3, "files": 3}


# Never there


@frozen
class Nowhere:
    """No server at all: an address, and what is needed to have it."""

    url: str = ""

    @asynccontextmanager
    async def open(self, raw_server):
        """Take an address at which nobody listens."""
        with closing(socket.socket()) as taken:
            taken.bind(("127.0.0.1", 0))
            yield Place(self.url or f"http://127.0.0.1:{taken.getsockname()[1]}/api/v1")


@frozen
class BlackHole:
    """A server that accepts nothing more: its queue is full, and what knocks is not answered."""

    @asynccontextmanager
    async def open(self, raw_server):
        """Fill a queue."""
        with closing(socket.socket()) as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(0)
            address = listening.getsockname()
            waiting = [socket.socket() for _ in range(4)]
            for knocking in waiting:
                knocking.setblocking(False)
                knocking.connect_ex(address)
            try:
                yield Place(f"http://127.0.0.1:{address[1]}/api/v1")
            finally:
                for knocking in waiting:
                    knocking.close()


async def _hangs(connection, right):
    await connection.hang()


_AUTHORITY = trustme.CA()


def _certified(name):
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _AUTHORITY.issue_cert(name).configure_cert(theirs)
    return theirs


def _trusting():
    ours = ssl.create_default_context()
    _AUTHORITY.configure_trust(ours)
    return ours


@frozen
class Renamed:
    """A place under another address, such as https instead of http."""

    how: Any
    old: str
    new: str

    @asynccontextmanager
    async def open(self, raw_server):
        """Open the place."""
        async with self.how.open(raw_server) as place:
            place.url = place.url.replace(self.old, self.new)
            yield place


@frozen
class Mute:
    """A server that accepts, and says nothing, not even its part of a handshake."""

    @asynccontextmanager
    async def open(self, raw_server):
        """Accept."""

        async def handle(connection):
            await connection.hang()

        async with raw_server(handle) as server:
            yield Place(server.url.replace("http:", "https:"))


@frozen
class CutWhileSending:
    """Resets each connection in the middle of its request."""

    @asynccontextmanager
    async def open(self, raw_server):
        """Read a part of each request."""

        async def handle(connection):
            came = 0
            while came < 100_000:
                came += len(await connection.read_some())
            connection.reset()

        async with raw_server(handle, receive_buffer=65536) as server:
            yield Place(server.url)


_LARGE = {
    "model": "fluently-xl",
    "inpaint": Inpaint(strength=50, source_image_base64=base64.b64encode(bytes(6_000_000)).decode()),
}


_GOOD_API = Api(())
_TLS = {"ssl_context": _certified("127.0.0.1")}
_WRONG = {"ssl_context": _certified("example.com")}
_SHORT = {"timeouts": Timeouts(connect=0.1)}
_TWO = "unsent unsent"
_AWAY = {**_FREE, "max_wait": 0.1, "stops": "ConnectError"}

UNREACHED = [
    Row("connection refused", Nowhere(), _TWO, **_AWAY),
    Row("no such name", Nowhere("http://no-such-host.invalid/api/v1"), _TWO, **_AWAY),
    Row("a certificate of nobody", Api((), options=_TLS), _TWO, **_AWAY),
    Row("a certificate of another", Api((), options=_WRONG), _TWO, **_AWAY, options={"ssl": _trusting()}),
    Row("no TLS where it should be", Renamed(_GOOD_API, "http:", "https:"), _TWO, **_AWAY),
    Row("TLS where it should not be", Renamed(Api((), options=_TLS), "https:", "http:"), "unconfirmed",
        **_FREE),
    Row("a black hole", BlackHole(), "unsent", **_AWAY, options=_SHORT),
    Row("reset while the request is sent", CutWhileSending(), "ConnectError", **_FREE, fields=_LARGE),
    Row("a handshake without end", Mute(), "unsent", **_AWAY, options=_SHORT),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*UNREACHED))
def test_a_server_that_was_not_reached_costs_nothing(row, carry_out):
    carry_out(row)


REACHED = [
    Row("a certificate that is trusted", Api((), options=_TLS), "image image image", **_GOOD,
        options={"ssl": _trusting()}),
    Row("IPv4", Api(()), "image image image", **_GOOD),
    Row("IPv6", Api((), options={"host": "::1"}), "image image image", **_GOOD),
    Row("a name of both, IPv4 alone", Renamed(Api(()), "127.0.0.1", "localhost"),
        "image image image", **_GOOD),
    Row("a name of both, IPv6 alone", Renamed(Api((), options={"host": "::1"}), "[::1]", "localhost"),
        "image image image", **_GOOD),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*REACHED))
def test_a_server_is_reached_by_any_way_there_is(row, carry_out):
    carry_out(row)


# Broken off


def _broken(name, fault, *, billed=3):
    return Row(name, Api(fault), "image unconfirmed image", received=3, billed=billed, files=2)


BROKEN = [
    _broken("reset before the answer", Fault(reset="before")),
    _broken("reset before the answer, not billed", Fault(reset="before", billed=False), billed=2),
    _broken("reset behind the head", Fault(reset="headers")),
    _broken("reset in the body", Fault(reset="body")),
    _broken("reset in a chunked body", Fault(reset="body", chunked=True)),
    _broken("closed in the body", Fault(truncated=True)),
    _broken("closed in a chunked body", Fault(truncated=True, chunked=True)),
]


@pytest.mark.parametrize("row", **params(*BROKEN))
@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_what_was_sent_whole_and_broke_off_is_unconfirmed(row, binary, carry_out):
    carry_out(attrs.evolve(row, fields={**row.fields, "return_binary": binary}))


# Silence


async def _one_byte(connection, right):
    await connection.send(head(f"Content-Length: {len(json_body(right))}") + b"{")
    await connection.hang()


async def _half_a_head(connection, right):
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: appl")
    await connection.hang()


async def _drips(connection, right):
    await connection.send(head("Content-Length: 1000000"))
    while True:
        await connection.send(b" ")
        await asyncio.sleep(0.02)


def _silent(name, write, **timeouts):
    return Row(name, Wire(write, ALL), "unconfirmed", received=1, billed=1, files=0,
               options={"timeouts": Timeouts(**timeouts)})  # fmt: skip


SILENT = [
    _silent("silence instead of an answer", _hangs, first_byte=0.1),
    _silent("silence in the head", _half_a_head, first_byte=0.1),
    _silent("silence in the body", _one_byte, between_bytes=0.1),
    _silent("one byte now and then", _drips, total=2),
]


@pytest.mark.parametrize("row", **params(*SILENT))
def test_silence_leaves_the_purchase_open(row, carry_out):
    carry_out(row)


# Between the client and the server


@frozen
class Through:
    """A way to the sandbox that carries bytes as `carry` says, in each direction.

    Args:
        carry: Given the bytes that came, the number of the request in whose time they did, from 1, and the
            direction: yields what is passed on, or nothing.
        api: The sandbox.
        proxied: Whether the client knows it as its proxy.
    """

    carry: Any
    api: Api = _GOOD_API
    proxied: bool = False

    @asynccontextmanager
    async def open(self, raw_server):
        """Lead every connection to the sandbox."""
        async with self.api.open(raw_server) as place:
            port = int(place.url.split(":")[2].split("/")[0])
            requests = [0]

            async def handle(connection):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                back = asyncio.create_task(self._back(connection, reader, requests))
                try:
                    while True:
                        data = await connection.read_some()
                        requests[0] += data.count(b"POST ")
                        async for piece in self.carry(data, requests[0], True):
                            writer.write(piece)
                            await writer.drain()
                except BrokenError:
                    connection.reset()
                finally:
                    back.cancel()
                    writer.close()

            async with raw_server(handle) as server:
                if self.proxied:
                    place.options = {"proxy": server.url.removesuffix("/api/v1")}
                else:
                    place.url = server.url
                yield place

    async def _back(self, connection, reader, requests):
        try:
            while data := await reader.read(65536):
                async for piece in self.carry(data, requests[0], False):
                    await connection.send(piece)
        except BrokenError:
            connection.reset()


class BrokenError(Exception):
    """The way is broken off."""


async def _late(data, number, there):
    """Everything comes, in small pieces, each of them late."""
    for start in range(0, len(data), 100):
        await asyncio.sleep(0.002)
        yield data[start : start + 100]


async def _at_once(data, number, there):
    """Everything comes as it was sent."""
    yield data


async def _one_way(data, number, there):
    """What the server says is lost, without a word."""
    if there:
        yield data


async def _dies_with_the_answer(data, number, there):
    """The second request goes through, and then the way breaks off."""
    if not there and number == 2:
        raise BrokenError
    yield data


WAYS = [
    Row("a slow way", Through(_late), "image image image", **_GOOD),
    Row("a proxy", Through(_at_once, proxied=True), "image image image", **_GOOD),
    Row("a slow proxy", Through(_late, proxied=True), "image image image", **_GOOD),
    Row("a way that is open in one direction", Through(_one_way), "unconfirmed",
        received=1, billed=1, files=0, options={"timeouts": Timeouts(first_byte=1)}),
    Row("a way that dies with an answer", Through(_dies_with_the_answer), "image unconfirmed image",
        received=3, billed=3, files=2),
    Row("a proxy that dies with an answer", Through(_dies_with_the_answer, proxied=True),
        "image unconfirmed image", received=3, billed=3, files=2),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*WAYS))
def test_a_bad_way_loses_what_it_carried_and_nothing_else(row, carry_out):
    carry_out(row)


@frozen
class Proxy:
    """A proxy that does nothing but answer, or nothing at all."""

    answer: bytes
    target: str = "https://api.invalid/api/v1"
    options: Mapping[str, Any] = field(factory=dict)

    @asynccontextmanager
    async def open(self, raw_server):
        """Listen."""

        async def handle(connection):
            await connection.read_request()
            await connection.send(self.answer)

        async with raw_server(handle) as server:
            yield Place(self.target, {"proxy": server.url.removesuffix("/api/v1")})


def _answering(status):
    return Proxy(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


_BROKEN_OFF = "ConnectError ConnectError"

PROXIES = [
    Row("a proxy that refuses", _answering("403 No"), _TWO, **_AWAY),
    Row(
        "a proxy that wants a password",
        _answering("407 Who?"),
        _TWO,
        **_AWAY,
    ),
    Row("a proxy that fails", _answering("502 Oh"), _TWO, **_AWAY),
    Row("a proxy that dies in the handshake", Proxy(b""), _BROKEN_OFF, **_FREE),
    Row("a proxy that dies in its tunnel", Proxy(b"HTTP/1.1 200 OK\r\n\r\n"), _TWO, **_AWAY),
]


@pytest.mark.parametrize("row", **params(*PROXIES))
def test_a_proxy_that_leads_nowhere_costs_nothing(row, carry_out):
    carry_out(row)
