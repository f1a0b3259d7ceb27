"""The images of an answer, on their way from a decoder to whoever takes them.

1. An image is announced before its bytes, once enough of it is known to tell its format.
2. An image of no known format, or without its end, is handed on all the same, and refused by `check`:
   what was paid for can then be kept.
3. The limits of an answer are counted here where they concern images.
"""

from __future__ import annotations

from attrs import frozen

from venice_async.errors import DecodeError
from venice_async.types.options import AnswerLimits
from venice_async.types.response import MAGIC_BYTES, TAIL_BYTES, ImageFormat, detect_format, is_cut_short

__all__ = ["Event", "ImageBegins", "Images"]


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

    __slots__ = ("_announced", "_fault", "_head", "_kind", "_limits", "_start", "_tail", "_total", "count")

    def __init__(self, limits: AnswerLimits) -> None:
        self.count = 0
        self._limits = limits
        self._total = 0  # bytes of all images
        self._fault: str | None = None
        # of the current image
        self._start = 0  # in the total
        self._kind: ImageFormat | None = None
        self._head = b""
        self._tail = b""
        self._announced = False

    def begin(self, offset: int) -> None:
        """Start the next image."""
        if self.count >= self._limits.images:
            text = f"the answer holds more than {self._limits.images} images (AnswerLimits.images)"
            raise DecodeError(text, offset=offset)
        self.count += 1
        self._start = self._total
        self._head = self._tail = b""
        self._announced = False

    def add(self, data: bytes, offset: int, events: list[Event]) -> None:
        """Hand on more of the current image."""
        self._total += len(data)
        if self._total > self._limits.image_bytes:
            size = f"{self._limits.image_bytes} bytes"
            raise DecodeError(f"the images are larger than {size} (AnswerLimits.image_bytes)", offset=offset)
        if not self._announced:
            self._head += data
            if len(self._head) < MAGIC_BYTES:
                return
            data = self._head
            self._announce(events)
        events.append(data)
        self._tail = (data if len(data) >= TAIL_BYTES else self._tail + data)[-TAIL_BYTES:]

    def end(self, offset: int) -> None:
        """End the current image."""
        size = self._total - self._start
        if not self._announced:
            what = f"only {size} bytes long" if size else "empty"
            raise DecodeError(f"images[{self.count - 1}] is {what}", offset=offset)
        if self._kind is not None and is_cut_short(self._kind, self._head, self._tail, size):
            self._refuse(f"is cut short, a {self._kind} image without its end")

    def refuse(self, fault: str) -> None:
        """Have `check` refuse the answer; the first fault is told."""
        self._fault = self._fault or fault

    def check(self) -> None:
        """Refuse the answer if one of its images is of no format of this API, or not whole."""
        if self._fault is not None:
            raise DecodeError(self._fault)

    def _announce(self, events: list[Event]) -> None:
        self._kind = detect_format(self._head)
        if self._kind is None:
            self._refuse("is no JPEG, PNG or WebP image")
        events.append(ImageBegins(self.count - 1, self._kind))
        self._head = self._head[:MAGIC_BYTES]
        self._announced = True

    def _refuse(self, fault: str) -> None:
        self.refuse(f"images[{self.count - 1}] {fault}")
