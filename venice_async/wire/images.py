"""The images of an answer, on their way from a decoder to whoever takes them.

1. An image is announced before its bytes, once enough of it is known to tell its format.
2. The bounds on an answer are values, and counted here where they concern images.
"""

from __future__ import annotations

from attrs import frozen

from venice_async.errors import DecodeError
from venice_async.types.response import MAGIC_BYTES, ImageFormat, detect_format

__all__ = ["DecodeLimits", "Event", "ImageBegins", "Images"]

_ANNOUNCED = b"\0announced"


@frozen(kw_only=True)
class DecodeLimits:
    """Bounds on an answer; beyond one of them it is a `DecodeError`.

    Attributes:
        image_bytes: All images of one answer together, decoded, in bytes.
        images: Images in one answer.
        field_bytes: Everything that is not an image, in bytes of JSON.
        string_bytes: One string that is not an image; a longer one is left out, not refused.
        depth: Nesting of arrays and objects.
    """

    image_bytes: int = 256 * 1024 * 1024
    images: int = 64
    field_bytes: int = 1024 * 1024
    string_bytes: int = 64 * 1024
    depth: int = 64


@frozen
class ImageBegins:
    """The bytes that follow belong to the next image.

    Attributes:
        index: The image's place in the answer, from 0.
        format: What its magic bytes say it is; None for no format of this API, which `close` refuses.
    """

    index: int
    format: ImageFormat | None


Event = ImageBegins | bytes


class Images:
    """Hands the images on, each announced once enough of it is known to tell its format."""

    __slots__ = ("_head", "_limits", "_size", "_unknown", "count")

    def __init__(self, limits: DecodeLimits) -> None:
        self.count = 0
        self._limits = limits
        self._size = 0
        self._head = b""
        self._unknown: list[int] = []

    def begin(self, offset: int) -> None:
        """Start the next image."""
        if self.count >= self._limits.images:
            raise DecodeError(f"the answer holds more than {self._limits.images} images", offset=offset)
        self.count += 1
        self._head = b""

    def add(self, data: bytes, offset: int, events: list[Event]) -> None:
        """Hand on more of the current image."""
        self._size += len(data)
        if self._size > self._limits.image_bytes:
            raise DecodeError(f"the images are larger than {self._limits.image_bytes} bytes", offset=offset)
        if self._head is _ANNOUNCED:
            events.append(data)
            return
        self._head += data
        if len(self._head) >= MAGIC_BYTES:
            self._announce(events)

    def end(self, offset: int) -> None:
        """End the current image."""
        if self._head is not _ANNOUNCED:
            what = f"only {size} bytes long" if (size := len(self._head)) else "empty"
            raise DecodeError(f"images[{self.count - 1}] is {what}", offset=offset)

    def check(self) -> None:
        """Refuse the answer if one of its images is of no format of this API."""
        if self._unknown:
            raise DecodeError(f"images[{self._unknown[0]}] is no JPEG, PNG or WebP image")

    def _announce(self, events: list[Event]) -> None:
        index, kind = self.count - 1, detect_format(self._head)
        if kind is None:
            self._unknown.append(index)
        events += (ImageBegins(index, kind), self._head)
        self._head = _ANNOUNCED
