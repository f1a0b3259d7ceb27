"""A request's body on its way out, and what it means when something goes wrong.

1. Whether a request had left is known from its own body writer, never guessed from the exception:
   a request whose last byte was not handed over cannot have been carried out.
2. A POST never goes out on a connection that idled for long: the server may be closing it, and the
   request would be lost without anyone knowing whether it was carried out.
3. Foreign exceptions end here, translated in one place, `from` the original.
"""

from __future__ import annotations

import asyncio
import math
import re
from typing import Any, cast
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import LineTooLong
from multidict import CIMultiDict
from typing_extensions import override

from venice_async.errors import (
    ConfigurationError,
    ConnectError,
    ConnectTimeoutError,
    RequestTimeoutError,
    TransportError,
    UnconfirmedError,
    UnconfirmedTimeoutError,
    VeniceError,
)
from venice_async.wire.secret import Secret

__all__ = ["FOREIGN", "MAX_IDLE", "Body", "translated"]

MAX_IDLE = 2.0
"""Seconds a connection may have idled and still carry a POST."""

FOREIGN = (aiohttp.ClientError, OSError, ValueError)
"""What aiohttp and the system raise."""

_NOT_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError)
_WRITE_SIZE = 64 * 1024
_SHOWN = 300  # characters of a foreign message, which may quote whole answers
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")


class Body(aiohttp.payload.Payload):
    """A request's body, and the knowledge of whether all of it has left."""

    _value: bytes

    def __init__(
        self,
        data: bytes,
        lost: type[TransportError],
        idle_since: WeakKeyDictionary[Any, float],
        timeout: float | None,
        secret: Secret,
    ) -> None:
        super().__init__(data)
        self.secret = secret
        self.lost = lost  # what it means that no whole answer came back
        self.lost_in_time = UnconfirmedTimeoutError if lost is UnconfirmedError else lost
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


def translated(exc: aiohttp.ClientError | OSError | ValueError, body: Body) -> VeniceError:
    """What aiohttp or the system has raised, as an error of this library."""
    if isinstance(exc, aiohttp.ClientResponseError):
        _forget_headers(exc)
    _hide_key(exc, body.secret)
    what = _USER_INFO.sub("", str(exc)[:_SHOWN]) or type(exc).__name__
    if (line := _line_too_long(exc)) is not None:
        what = f"a line of its head is longer than {line.args[1]} bytes (AnswerLimits.header_bytes)"
    if isinstance(exc, aiohttp.InvalidURL):
        return ConfigurationError(f"{what} is no URL that can be asked")
    if isinstance(exc, _NOT_CONNECTED):
        return ConnectError(f"{what}; nothing was sent")
    if body.left:
        lost = body.lost_in_time if isinstance(exc, TimeoutError) else body.lost
        return lost(f"the request was sent, and no whole answer came back: {what}")
    if isinstance(exc, aiohttp.ConnectionTimeoutError):
        return ConnectTimeoutError(f"{what}; nothing was sent")
    if isinstance(exc, TimeoutError):
        return RequestTimeoutError(f"{what}; nothing was sent")
    if isinstance(exc, ValueError) and not isinstance(exc, aiohttp.ClientError | OSError):
        return ConfigurationError(f"the request cannot be made: {what}")
    return ConnectError(f"{what}; the request was not sent whole", connected=True)


def _line_too_long(exc: BaseException | None) -> LineTooLong | None:
    """What led to an exception, however far back, if that was a line of the head."""
    while exc is not None and not isinstance(exc, LineTooLong):
        exc = exc.__cause__
    return exc


def _forget_headers(exc: aiohttp.ClientResponseError) -> None:
    """Take the headers, and with them the key, out of an exception that may be shown or pickled."""
    nothing: Any = CIMultiDict()  # which can be pickled, unlike what is there
    exc.request_info, exc.headers = exc.request_info._replace(headers=nothing), None
    exc.args = (exc.request_info, exc.history)


def _hide_key(exc: BaseException | None, secret: Secret) -> None:
    """Take the key out of an exception, and out of what led to it, where a server has repeated it."""
    while exc is not None:
        exc.args = tuple(_hidden(part, secret) for part in exc.args)
        for name, value in list(vars(exc).items()):
            if isinstance(value, str | bytes):
                setattr(exc, name, _hidden(value, secret))
        exc = exc.__cause__ or exc.__context__


def _hidden(value: Any, secret: Secret) -> Any:
    if isinstance(value, bytes):
        return secret.hide_in_bytes(value)
    return secret.hide(value) if isinstance(value, str) else value
