"""Compressed bytes in, plain bytes out, in pieces of a bounded size.

1. However much a few bytes inflate to, no piece is larger than it was asked to be.
2. An inflater says when its stream has ended: a stream that stops before is a broken one.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, Protocol

import brotli  # type: ignore[import-untyped]  # Brotli has no type information

from venice_async.errors import DecodeError

__all__ = ["Inflater", "make_inflater"]

_ZLIB_STARTS = b"\x1f\x78"  # of gzip and of zlib; neither JSON nor an image begins so


class Inflater(Protocol):
    """Inflates one stream."""

    @property
    def ended(self) -> bool:
        """Whether the stream has come to its end."""
        ...

    def inflate(self, data: bytes, limit: int) -> bytes:
        """Take more of the stream, and return at most about `limit` bytes.

        A piece that is not empty may not be all: call again with `b""` until nothing comes.

        Raises:
            DecodeError: It is no such stream.
        """
        ...


def make_inflater(encoding: str) -> Inflater:
    """The inflater for a `Content-Encoding`.

    Raises:
        DecodeError: It is none that the API knows.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip" | "deflate":
            return _Zlib()
        case "br":
            return _Brotli()
        case other:
            raise DecodeError(f"the answer is encoded with {other!r}, which was not asked for")


class _Plain:
    ended = True  # the connection tells where it ends

    def inflate(self, data: bytes, limit: int) -> bytes:  # noqa: ARG002
        return data


class _Zlib:
    """gzip and zlib streams, told by their first bytes; what is neither is taken as it comes."""

    def __init__(self) -> None:
        self._stream = _decompressobj()(zlib.MAX_WBITS | 32)
        self._rest = b""
        self._plain: bool | None = None

    @property
    def ended(self) -> bool:
        return bool(self._plain or self._stream.eof)

    def inflate(self, data: bytes, limit: int) -> bytes:
        if self._plain is None and data:
            self._plain = data[0] not in _ZLIB_STARTS
        if self._plain:
            return data
        if self._stream.eof:
            return b""
        try:
            piece: bytes = self._stream.decompress(self._rest + data, limit)
        except Exception as exc:  # zlib's and isal's own
            raise DecodeError(f"the answer is no valid gzip stream: {exc}") from exc
        self._rest = self._stream.unconsumed_tail
        return piece


def _decompressobj() -> Callable[[int], Any]:
    """Isal's where it is installed: it is two to three times as fast."""
    try:
        from isal import isal_zlib  # noqa: PLC0415
    except ImportError:
        return zlib.decompressobj
    found: Callable[[int], Any] = isal_zlib.decompressobj
    return found


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self._rest = b""

    @property
    def ended(self) -> bool:
        return bool(self._stream.is_finished())

    def inflate(self, data: bytes, limit: int) -> bytes:
        if self.ended:
            return b""
        self._rest += data
        try:
            given = b""
            if self._stream.can_accept_more_data():
                given, self._rest = self._rest, b""
            piece: bytes = self._stream.process(given, output_buffer_limit=limit)
        except brotli.error as exc:
            raise DecodeError(f"the answer is no valid Brotli stream: {exc}") from exc
        return piece
