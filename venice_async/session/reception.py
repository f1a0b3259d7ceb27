"""An answer coming in: from an exchange through the decoder to whoever takes the images.

1. A reception belongs to one attempt; a new attempt gets a new one, and a new sink.
2. Nothing is trusted before `finish` has returned.
3. A blocked answer is blocked whatever else it holds: what comes is taken in only to be kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from venice_async.errors import (
    ContentBlockedError,
    DecodeError,
    SessionStateError,
    StorageError,
    TransportError,
    VeniceError,
)
from venice_async.transport import Exchange
from venice_async.types.request import ImageRequest
from venice_async.types.response import Answer, ImageData, ImageFormat, ImageResponse, Moderation
from venice_async.wire.codec import parse_answer
from venice_async.wire.headers import answer_fields, is_from_api
from venice_async.wire.images import Event, ImageBegins
from venice_async.wire.sniff import SniffingDecoder
from venice_async.wire.status import error_from

__all__ = ["ImageStream", "MemorySink", "Reception", "Sink", "keep", "raise_for_status"]

_ERROR_BYTES = 64 * 1024
_ERROR_SECONDS = 5.0

R_co = TypeVar("R_co", covariant=True)


class Sink(Protocol[R_co]):
    """Takes the images of one answer; a new attempt gets a new one."""

    def announce(self, head: Mapping[str, Any]) -> None:
        """What the headers of the answer say comes before its images."""

    async def begin(self, image: ImageBegins) -> None:
        """Start the next image."""

    async def write(self, data: bytes) -> None:
        """Add to the current image."""

    async def commit(self, answer: Mapping[str, Any]) -> R_co:
        """The answer is whole and checked: make the result of it."""
        ...

    async def reject(self) -> tuple[Path, ...]:
        """The answer is not what it should be: keep what came, and say where."""
        ...

    async def discard(self) -> None:
        """Forget what came."""


class ImageStream:
    """The bytes of one image, as they arrive.

    Attributes:
        format: What the image's magic bytes say it is.
    """

    format: ImageFormat

    def __init__(self, reception: Reception, on_end: Callable[[Mapping[str, Any]], None]) -> None:
        self._reception = reception
        self._on_end = on_end
        self._ready: deque[Event] = deque()
        self._answer: Answer | None = None

    @property
    def answer(self) -> Answer:
        """What came besides the image.

        Raises:
            SessionStateError: The image has not been read to its end.
        """
        if self._answer is None:
            raise SessionStateError("the answer is known once the image has been read to its end")
        return self._answer

    async def begin(self) -> None:
        """Wait for the image's first bytes."""
        self._reception.check_blocked()
        await self._receive()
        image = self._ready.popleft()
        assert isinstance(image, ImageBegins)  # noqa: S101 - the decoder announces each image
        if image.format is None:
            raise DecodeError("the answer's image is no JPEG, PNG or WebP image")
        self.format = image.format

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._ready and self._answer is None:
            await self._receive()
        if not self._ready:
            raise StopAsyncIteration
        chunk = self._ready.popleft()
        if isinstance(chunk, ImageBegins):
            raise DecodeError("the answer holds more images than were asked for")
        return chunk

    async def _receive(self) -> None:
        self._ready.extend(await self._reception.next())
        if not self._ready:
            fields = self._reception.finish()
            self._answer = Answer(**fields)
            self._on_end(fields)


class MemorySink:
    """Takes the images of one answer into memory."""

    def __init__(self) -> None:
        self._images: list[tuple[ImageFormat | None, list[bytes]]] = []

    def announce(self, head: Mapping[str, Any]) -> None:
        """It comes again with the images."""

    async def begin(self, image: ImageBegins) -> None:
        """Start the next image."""
        self._images.append((image.format, []))

    async def write(self, data: bytes) -> None:
        """Add to the current image."""
        self._images[-1][1].append(data)

    async def commit(self, answer: Mapping[str, Any]) -> ImageResponse:
        """Make the response."""
        images = [ImageData(b"".join(pieces), kind) for kind, pieces in self._images if kind]
        return ImageResponse(images=tuple(images), **answer)

    async def reject(self) -> tuple[Path, ...]:
        """Nothing of it stays."""
        return ()

    async def discard(self) -> None:
        """Nothing of it stays."""


class Reception:
    """The answer to one request, coming in."""

    def __init__(self, exchange: Exchange, request: ImageRequest) -> None:
        self._exchange = exchange
        self._decoder = SniffingDecoder(
            exchange.content_type,
            exchange.limits,
            exchange.secret,
            from_api=is_from_api(exchange.headers),
        )
        self._head = answer_fields(exchange.headers, exchange.secret)
        self._expected = request.units
        self._poured = False

    @classmethod
    async def open(cls, exchange: Exchange, request: ImageRequest) -> Reception:
        """Start on an answer of status 200; any other status is raised."""
        await raise_for_status(exchange)
        return cls(exchange, request)

    async def next(self) -> list[Event]:
        """What arrived next; empty at the end."""
        while chunk := await self._exchange.read():
            if events := self._decoder.feed(chunk):
                return events
        return []

    async def pour_into(self, sink: Sink[Any]) -> dict[str, Any]:
        """Give every image to a sink; what `finish` returns.

        Of a JSON answer that brings none, the sink gets what it says instead, to be kept.

        Raises:
            ContentBlockedError: The content policy blocked the answer; the sink has what came of it.
        """
        sink.announce(self._head)
        if self._is_blocked:
            with suppress(VeniceError):  # however it ends: it is no picture, and was not billed
                await self._pour(sink)
        self.check_blocked()
        try:
            await self._pour(sink)
            return self.finish()
        except DecodeError:
            if not self._poured and (text := self._decoder.text):
                await sink.begin(ImageBegins(0, None))
                await sink.write(text)
            raise

    async def _pour(self, sink: Sink[Any]) -> None:
        while chunk := await self._exchange.read():
            for event in self._decoder.feed(chunk):
                self._poured = True
                if isinstance(event, ImageBegins):
                    await sink.begin(event)
                else:
                    await sink.write(event)

    @property
    def _is_blocked(self) -> bool:
        moderation: Moderation = self._head["moderation"]
        return bool(moderation.is_content_violation)

    def check_blocked(self) -> None:
        """Raise a `ContentBlockedError` if the content policy blocked the answer, as its headers say."""
        if self._is_blocked:
            raise ContentBlockedError(
                "the content policy blocked the image; it was not billed",
                moderation=self._head["moderation"],
                request_id=self._head["request_id"],
            )

    def finish(self) -> dict[str, Any]:
        """Check the whole; what came besides the images, as keyword arguments of `Answer`."""
        fields = self._decoder.close()
        if (images := self._decoder.images) < self._expected:
            raise DecodeError(f"{self._expected} images were asked for, and {images} came")
        known = {} if fields is None else parse_answer(fields)
        return {**self._head, **known}


async def raise_for_status(exchange: Exchange) -> None:
    """Raise the `StatusError` that an answer stands for, if it stands for one."""
    if 200 <= exchange.status < 300:
        return
    body = b""
    with suppress(TransportError, DecodeError):  # the status alone says what became of the request
        body = await exchange.read_all(_ERROR_BYTES, _ERROR_SECONDS)
    raise error_from(exchange.status, exchange.headers, body, exchange.secret)


async def keep(sink: Sink[Any], error: VeniceError) -> None:
    """Keep what an answer brought that could not be used, for a person to look at."""
    try:
        kept = await sink.reject()
    except StorageError as exc:
        error.add_note(f"what came could not be kept: {exc}")
        await sink.discard()
        return
    if kept:
        error.add_note("what came is kept in " + ", ".join(map(str, kept)))
