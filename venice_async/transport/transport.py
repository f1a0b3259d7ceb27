"""Sending requests through aiohttp.

1. Nothing waits in aiohttp's connector: the pool is the only queue.
2. The key is sent in a header of each request and held nowhere else that could show it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from ssl import SSLContext
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from venice_async._version import __version__
from venice_async.errors import (
    ConfigurationError,
    RequestTimeoutError,
    SessionStateError,
    TransportError,
    UnconfirmedError,
    VeniceError,
)
from venice_async.types.options import COMPRESSIONS, AnswerLimits, Compression, Timeouts
from venice_async.wire.secret import Secret

from . import sending
from .exchange import Exchange, Silence, Turns
from .sending import Body, translated

__all__ = ["Transport"]


class Transport:
    """Sends requests and hands back answers as they arrive.

    Args:
        api_key: Sent as a bearer token.
        base_url: With the version, such as `https://api.venice.ai/api/v1`.
        proxy: URL of an HTTP proxy, or None.
        ssl: TLS settings; True for the system's.
        session: A session of the caller's own, which stays the caller's to close; None for one of ours.
        compression: What JSON answers to a purchase are to be compressed with; None for nothing.
        limits: How much of an answer is taken.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str,
        proxy: str | None,
        ssl: SSLContext | bool,
        session: aiohttp.ClientSession | None,
        compression: Compression | None = None,
        limits: AnswerLimits = AnswerLimits(),
    ) -> None:
        if compression is not None and compression not in COMPRESSIONS:
            known = " or ".join(COMPRESSIONS)
            raise ConfigurationError(f"compression={compression!r}: expected {known}, or None")
        self._compression = compression
        self._base_url = _checked_url(base_url)
        if not isinstance(ssl, SSLContext | bool):
            raise ConfigurationError(f"ssl={ssl!r}: expected an SSLContext, True or False")
        if not isinstance(limits, AnswerLimits):
            raise ConfigurationError(f"answer_limits={limits!r}: expected an AnswerLimits")
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "User-Agent": f"venice_async/{__version__} aiohttp/{aiohttp.__version__}",
        }
        self._secret = Secret(api_key)
        self._limits = limits
        self._options: dict[str, Any] = {
            "proxy": proxy,
            "ssl": ssl,
            "allow_redirects": False,
            "raise_for_status": False,
            "auto_decompress": False,
            "max_field_size": limits.header_bytes,
            "max_line_size": limits.header_bytes,
        }
        self._session = session
        self._owned: aiohttp.ClientSession | None = None
        self._resolver: AbstractResolver
        self._turns: Turns
        self._closed = False
        self._idle_since: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def open(self, concurrency: int) -> None:
        """Make the session of our own, or check that the caller's can carry this many requests."""
        self._turns = Turns()
        # aiohttp stops reading at twice that. A single read brings up to 256 KiB; each stop costs two system
        # calls, but with many answers at once, what they hold together counts for more.
        self._options["read_bufsize"] = min(128, max(64, 2048 // concurrency)) * 1024
        if self._session is None:
            self._resolver = aiohttp.DefaultResolver()
            self._session = self._owned = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0, keepalive_timeout=sending.MAX_IDLE, resolver=self._resolver
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            return
        if self._session.closed:
            raise ConfigurationError("session= is closed already")
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
        self,
        path: str,
        body: bytes,
        *,
        timeouts: Timeouts,
        deadline: float | None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> AbstractAsyncContextManager[Exchange]:
        """Send a purchase; the block runs once the head of its answer is there.

        Args:
            path: Below the base URL.
            body: JSON.
            timeouts: For the parts of this exchange.
            deadline: For the whole of it, on the event loop's clock; None for none.
            headers: Further ones.

        Raises:
            ConnectError: Nothing was sent.
            RequestTimeoutError: Time ran out, and nothing was sent.
            UnconfirmedError: It was sent, and no whole answer came back; an `UnconfirmedTimeoutError` where
                that was for want of time.
        """
        headers = {
            **headers,
            "Accept": "application/json, image/*",
            "Accept-Encoding": self._compression or "identity",
            "Content-Type": "application/json",
        }
        payload = partial(Body, body, UnconfirmedError, self._idle_since, timeouts.connect, self._secret)
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
        payload = partial(Body, b"", TransportError, self._idle_since, timeouts.connect, self._secret)
        return self._exchange("GET", path, payload, headers, params, timeouts, deadline)

    @asynccontextmanager
    async def _exchange(
        self,
        method: str,
        path: str,
        make_body: Callable[[], Body],
        headers: Mapping[str, str],
        params: Mapping[str, str],
        timeouts: Timeouts,
        deadline: float | None,
    ) -> AsyncGenerator[Exchange, None]:
        response, body = await self._send(method, path, make_body, headers, params, timeouts, deadline)
        silence = Silence(response.content, timeouts.between_bytes)
        try:
            if body.connection is not None:
                response.content.on_eof(partial(self._note_idle, body.connection))
            _forget_first_byte(response)
            yield Exchange(response, body, self._secret, self._limits, silence, self._turns)
        finally:
            silence.end()
            response.close()  # of an answer that was read to its end, the connection lives on

    def _note_idle(self, connection: Any) -> None:
        self._idle_since[connection] = asyncio.get_running_loop().time()

    async def _send(
        self, method: str, path: str, make_body: Callable[[], Body], *rest: Any
    ) -> tuple[aiohttp.ClientResponse, Body]:
        while True:
            body = make_body()
            try:
                return await self._request(method, path, body, *rest), body
            except VeniceError:
                raise
            except sending.FOREIGN as exc:
                # aiohttp has closed a stale connection; each turn of this loop uses one up.
                if not body.stale:
                    raise translated(exc, body) from exc

    async def _request(
        self,
        method: str,
        path: str,
        body: Body,
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


def _forget_first_byte(response: aiohttp.ClientResponse) -> None:
    """From the head on, what is measured is the silence between pieces."""
    connection = response.connection
    if connection is not None and connection.protocol is not None:
        connection.protocol.read_timeout = None
        connection.protocol.start_timeout()
