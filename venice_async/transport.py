"""HTTP through aiohttp: the only client module that imports it.

1. Foreign exceptions end here, translated in one place, `from` the original.
2. Whether a request had left is known from its own body writer, never guessed from the exception:
   a request whose last byte was not handed over cannot have been carried out.
3. A POST never goes out on a connection that idled for long: the server may be closing it, and the
   request would be lost without anyone knowing whether it was carried out.
4. Nothing waits in aiohttp's connector: the pool is the only queue.
5. The key is sent in a header of each request and held nowhere else that could show it.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from ssl import SSLContext
from typing import Any, cast
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.abc import AbstractResolver, AbstractStreamWriter
from multidict import CIMultiDict, CIMultiDictProxy
from typing_extensions import override
from yarl import URL

from ._version import __version__
from .errors import (
    ConfigurationError,
    ConnectError,
    RequestTimeoutError,
    SessionStateError,
    TransportError,
    UnconfirmedError,
    VeniceError,
)
from .types.options import Timeouts

__all__ = ["Exchange", "Transport"]

MAX_IDLE = 2.0
"""Seconds a connection may have idled and still carry a POST."""

_WRITE_SIZE = 64 * 1024
_READ_SIZE = 64 * 1024
_CHUNKS_A_TURN = 8
_SECRET_LENGTH = 16
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")


class _Body(aiohttp.payload.Payload):
    """A request's body, and the knowledge of whether all of it has left."""

    _value: bytes

    def __init__(
        self,
        data: bytes,
        lost: type[TransportError],
        idle_since: WeakKeyDictionary[Any, float],
        timeout: float | None,
    ) -> None:
        super().__init__(data)
        self.lost = lost  # what it means that no whole answer came back
        self._size = len(data)
        self._last = max(0, (len(data) - 1) // _WRITE_SIZE * _WRITE_SIZE)
        self._idle_since = idle_since
        self._timeout = timeout
        self.connection: Any = None
        self.stale = False
        self.left = False

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._value.decode(encoding, errors)

    @override
    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    @override
    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        stream = cast("aiohttp.http.StreamWriter", writer)
        self.connection = stream.protocol
        idle_since = self._idle_since.get(self.connection, math.inf)
        if asyncio.get_running_loop().time() - idle_since > MAX_IDLE:
            self.stale = True
            raise ConnectionError("the connection had idled for too long")
        view = memoryview(self._value)
        for start in range(0, self._last, _WRITE_SIZE):
            async with asyncio.timeout(self._timeout):
                await stream.write(view[start : start + _WRITE_SIZE])
        await stream.write(view[self._last :], drain=False)
        self.left = True


class Exchange:
    """An answer whose head has arrived and whose body is being read.

    Attributes:
        status: The HTTP status.
        headers: The head's headers, in a mapping that ignores case.
        content_type: Such as `application/json`, without parameters.
    """

    def __init__(self, response: aiohttp.ClientResponse, body: _Body, secret: bytes) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.content_type = response.content_type
        self._content = response.content
        self._translated = _Translated(body)
        self._secret = secret
        self._turn = 0

    async def read(self) -> bytes:
        """The next piece of the body, as it came; empty at its end.

        Raises:
            UnconfirmedError: The body broke off.
        """
        self._turn += 1
        if self._turn >= _CHUNKS_A_TURN:
            # Buffered data is returned without a pause; other tasks of the loop need their turn.
            self._turn = 0
            await asyncio.sleep(0)
        with self._translated:
            return await self._content.readany()

    async def read_all(self, limit: int, seconds: float | None = None) -> bytes:
        """The body: its first `limit` bytes, or what came of it in this many seconds; without the key."""
        body = bytearray()
        bound = asyncio.timeout(seconds)
        try:
            async with bound:
                while len(body) < limit and (chunk := await self.read()):
                    body += chunk
        except TimeoutError:
            if not bound.expired():
                raise
        text = bytes(body[:limit])
        return text.replace(self._secret, b"***") if self._secret else text


class Transport:
    """Sends requests and hands back answers as they arrive.

    Args:
        api_key: Sent as a bearer token.
        base_url: With the version, such as `https://api.venice.ai/api/v1`.
        proxy: URL of an HTTP proxy, or None.
        ssl: TLS settings; True for the system's.
        session: A session of the caller's own, which stays the caller's to close; None for one of ours.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str,
        proxy: str | None,
        ssl: SSLContext | bool,
        session: aiohttp.ClientSession | None,
    ) -> None:
        self._base_url = _checked_url(base_url)
        if not isinstance(ssl, SSLContext | bool):
            raise ConfigurationError(f"ssl={ssl!r}: expected an SSLContext, True or False")
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "User-Agent": f"venice_async/{__version__} aiohttp/{aiohttp.__version__}",
        }
        # A short one is no secret, and may be a word of a message.
        self._secret = api_key.encode() if len(api_key) >= _SECRET_LENGTH else b""
        self._options: dict[str, Any] = {
            "proxy": proxy,
            "ssl": ssl,
            "allow_redirects": False,
            "raise_for_status": False,
            "read_bufsize": _READ_SIZE,
        }
        self._session = session
        self._owned: aiohttp.ClientSession | None = None
        self._resolver: AbstractResolver
        self._closed = False
        self._idle_since: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def open(self, concurrency: int) -> None:
        """Make the session of our own, or check that the caller's can carry this many requests."""
        if self._session is None:
            self._resolver = aiohttp.DefaultResolver()
            self._session = self._owned = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=MAX_IDLE, resolver=self._resolver),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            return
        if self._session.closed:
            raise ConfigurationError("session= is closed already")
        if not self._session.auto_decompress:
            raise ConfigurationError("session= needs auto_decompress=True")
        connector = self._session.connector
        for name in ("limit", "limit_per_host"):
            allowed = getattr(connector, name, 0)
            if 0 < allowed < concurrency:
                raise ConfigurationError(
                    f"session= has a connector with {name}={allowed}, fewer than concurrency={concurrency}:"
                    f" requests would wait there unseen; use TCPConnector({name}=0)"
                )

    async def close(self) -> None:
        """Close the session, if it is ours."""
        self._closed = True
        if self._owned is not None:
            try:
                await self._owned.close()
            finally:
                # aiohttp's connector closes its own resolver last, and never if it is cancelled before:
                # with aiodns installed that would leave a thread and its descriptors.
                await self._resolver.close()

    def post(
        self, path: str, body: bytes, *, timeouts: Timeouts, deadline: float | None
    ) -> AbstractAsyncContextManager[Exchange]:
        """Send a purchase; the block runs once the head of its answer is there.

        Args:
            path: Below the base URL.
            body: JSON.
            timeouts: For the parts of this exchange.
            deadline: For the whole of it, on the event loop's clock; None for none.

        Raises:
            ConnectError: Nothing was sent.
            RequestTimeoutError: Time ran out, and nothing was sent.
            UnconfirmedError: It was sent, and no whole answer came back.
        """
        headers = {
            "Accept": "application/json, image/*",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
        }
        payload = partial(_Body, body, UnconfirmedError, self._idle_since, timeouts.connect)
        return self._exchange("POST", path, payload, headers, {}, timeouts, deadline)

    def get(
        self, path: str, params: Mapping[str, str], *, timeouts: Timeouts, deadline: float | None
    ) -> AbstractAsyncContextManager[Exchange]:
        """Ask for something that costs nothing; the block runs once the head of the answer is there.

        Raises:
            ConnectError: The server was not reached.
            RequestTimeoutError: Time ran out before it was.
            TransportError: No whole answer came back.
        """
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        # The empty body tells which connection was used: it must not be found too old by a POST.
        payload = partial(_Body, b"", TransportError, self._idle_since, timeouts.connect)
        return self._exchange("GET", path, payload, headers, params, timeouts, deadline)

    @asynccontextmanager
    async def _exchange(
        self,
        method: str,
        path: str,
        make_body: Callable[[], _Body],
        headers: Mapping[str, str],
        params: Mapping[str, str],
        timeouts: Timeouts,
        deadline: float | None,
    ) -> AsyncGenerator[Exchange, None]:
        response, body = await self._send(method, path, make_body, headers, params, timeouts, deadline)
        try:
            if body.connection is not None:
                response.content.on_eof(partial(self._note_idle, body.connection))
            _watch_body(response, timeouts.between_bytes)
            yield Exchange(response, body, self._secret)
        finally:
            response.close()  # of an answer that was read to its end, the connection lives on

    def _note_idle(self, connection: Any) -> None:
        self._idle_since[connection] = asyncio.get_running_loop().time()

    async def _send(
        self, method: str, path: str, make_body: Callable[[], _Body], *rest: Any
    ) -> tuple[aiohttp.ClientResponse, _Body]:
        while True:
            body = make_body()
            try:
                with _Translated(body):
                    response = await self._request(method, path, body, *rest)
            except ConnectError:
                # aiohttp has closed the stale connection; each turn of this loop uses one up.
                if not body.stale:
                    raise
            else:
                return response, body

    async def _request(
        self,
        method: str,
        path: str,
        body: _Body,
        headers: Mapping[str, str],
        params: Mapping[str, str],
        timeouts: Timeouts,
        deadline: float | None,
    ) -> aiohttp.ClientResponse:
        if self._closed or self._session is None or self._session.closed:
            raise SessionStateError("the HTTP session is closed")
        left = None if deadline is None else deadline - asyncio.get_running_loop().time()
        if left is not None and left <= 0:
            raise RequestTimeoutError("the time for this call is up; nothing was sent")
        return await self._session.request(
            method,
            self._base_url / path,
            params=params,
            data=body,
            headers={**self._headers, **headers},
            skip_auto_headers=("Content-Type",),
            timeout=aiohttp.ClientTimeout(
                total=left, connect=timeouts.connect, sock_read=timeouts.first_byte
            ),
            **self._options,
        )


def _checked_url(text: str) -> URL:
    try:
        url = URL(text.rstrip("/"))
        (url.raw_host or "").encode("idna")
    except ValueError as exc:
        raise ConfigurationError(f"base_url={text!r} is no URL: {exc}") from exc
    if url.user or url.password or url.query_string or url.fragment:
        raise ConfigurationError("base_url= takes no user, password, query or fragment")
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigurationError(f"base_url={text!r}: expected http(s)://host[:port]/path")
    return url


def _watch_body(response: aiohttp.ClientResponse, seconds: float | None) -> None:
    """From the head on, silence is measured between pieces and no longer to the first byte."""
    connection = response.connection
    if connection is None or connection.protocol is None or connection.transport is None:
        return  # the whole body is here already
    connection.protocol.read_timeout = seconds
    # A paused socket waits for the reader, not for the server; resuming it starts the clock.
    if cast("asyncio.ReadTransport", connection.transport).is_reading():
        connection.protocol.start_timeout()


class _Translated:
    """Turns what aiohttp and the system raise into the library's errors."""

    __slots__ = ("_body",)

    def __init__(self, body: _Body) -> None:
        self._body = body

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, exc: BaseException | None, __: object) -> None:
        if isinstance(exc, aiohttp.ClientError | OSError | ValueError) and not isinstance(exc, VeniceError):
            if isinstance(exc, aiohttp.ClientResponseError):
                _forget_headers(exc)
            raise self._translate(exc) from exc

    def _translate(self, exc: aiohttp.ClientError | OSError | ValueError) -> VeniceError:
        what = _USER_INFO.sub("", str(exc)) or type(exc).__name__
        if isinstance(exc, aiohttp.InvalidURL):
            return ConfigurationError(f"{what} is no URL that can be asked")
        if isinstance(exc, aiohttp.ClientConnectorError):
            return ConnectError(f"{what}; nothing was sent")
        if self._body.left:
            return self._body.lost(f"the request was sent, and no whole answer came back: {what}")
        if isinstance(exc, TimeoutError):
            return RequestTimeoutError(f"{what}; nothing was sent")
        if isinstance(exc, ValueError) and not isinstance(exc, aiohttp.ClientError | OSError):
            return ConfigurationError(f"the request cannot be made: {what}")
        return ConnectError(f"{what}; the request was not sent whole")


def _forget_headers(exc: aiohttp.ClientResponseError) -> None:
    """Take the request's headers, and with them the key, out of an exception that may be shown."""
    exc.request_info = exc.request_info._replace(headers=CIMultiDictProxy(CIMultiDict()))
    exc.args = (exc.request_info, exc.history)
