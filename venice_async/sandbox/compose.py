"""The body of a good answer, and a good answer's body gone bad.

1. Blocking code, for worker threads only: painting, base64 and JSON of many megabytes.
2. What was asked for stands in an `Order`; both image end points make one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pybase64
from attrs import frozen

from .fault import Fault
from .paint import CONTENT_TYPES, paint, size_of
from .placeholder import AVIF, black

__all__ = ["Order", "Painter", "compose", "random_seed"]

Painter = bytes | Callable[[dict[str, Any]], bytes]

_MAGIC_BYTES = 16

_LINKS = [{"url": "https://example.invalid/picture.webp"}]


@frozen
class Order:
    """One generation that is to be answered.

    Attributes:
        received: The body as it was sent.
        echo: What the answer tells of it.
        wish: The same in the words of /image/generate: complete with a seed, and without what the model
            ignores.
        shape: How the answer is written: "native", "binary", or OpenAI's "b64_json" or "url".
        blocked: Whether the pictures are black, and in raw bytes a PNG.
        painter: What replaces the server's own pictures; None for those.
        began: When the generation began, in seconds of `time.monotonic`.
        preprocessing: Seconds that went before it.
        inference: Seconds that it has taken so far.
    """

    received: dict[str, Any]
    echo: Mapping[str, Any]
    wish: dict[str, Any]
    shape: str
    blocked: bool
    painter: Painter | None
    began: float
    preprocessing: float
    inference: float

    @property
    def count(self) -> int:
        """How many pictures there are to be."""
        return int(self.wish.get("variants", 1))

    @property
    def picture_type(self) -> str:
        """The pictures' content type."""
        return CONTENT_TYPES[self.picture_format]

    @property
    def picture_format(self) -> str:
        """The pictures' format, one of the API's three."""
        return "png" if self.blocked and self.shape == "binary" else str(self.wish.get("format", "webp"))


def compose(order: Order, fault: Fault | None) -> bytes:
    """Paint the pictures and write the answer's body, with the damage that the fault prescribes."""
    begun = time.monotonic()
    damage = None if fault is None else fault.damage
    pictures = [AVIF] * order.count if damage == "avif" else _pictures(order)
    if damage == "magic":
        pictures = [bytes(min(_MAGIC_BYTES, len(data))) + data[_MAGIC_BYTES:] for data in pictures]
    if order.shape == "binary":
        return pictures[0]
    texts = [pybase64.b64encode(data) for data in pictures]
    if damage == "base64":
        texts = [text[: len(text) // 2] + b"!" + text[len(text) // 2 + 1 :] for text in texts]
    if damage == "empty":
        texts = []
    fields = _native(order, texts, begun) if order.shape == "native" else _openai(order, texts)
    if damage == "url":
        fields["images" if order.shape == "native" else "data"] = [orjson.dumps(_LINKS * order.count)]
    for name in fault.drop if fault is not None else ():
        fields.pop(name, None)
    return _joined(fields)


def _pictures(order: Order) -> list[bytes]:
    if order.blocked:
        return [black(size_of(order.wish), order.picture_format)] * order.count
    if order.painter is None:
        others = [paint({**order.wish, "seed": random_seed()}, number) for number in range(1, order.count)]
        return [paint(order.wish), *others]
    if isinstance(order.painter, bytes):
        return [order.painter] * order.count
    pictures = [order.painter(dict(order.received)) for _ in range(order.count)]
    for data in pictures:
        if not isinstance(data, bytes):
            raise TypeError(f"images= returned {type(data).__name__}, not bytes")
    return pictures


# A JSON object, written but for its joints: each field's value in pieces. Base64 needs no escaping, and
# each further look at megabytes of it, or copy, would hold the interpreter for milliseconds.
Fields = dict[str, list[bytes]]


def _joined(fields: Fields) -> bytes:
    pieces: list[bytes] = []
    for name, value in fields.items():
        pieces += [b'%b"%b":' % (b"," if pieces else b"{", name.encode()), *value]
    return b"".join((*pieces, b"}" if pieces else b"{}"))


def _array(texts: list[bytes], opening: bytes, closing: bytes) -> list[bytes]:
    pieces: list[bytes] = []
    for text in texts:
        pieces += [(b"," if pieces else b"[") + opening, text, closing]
    return [*pieces, b"]" if pieces else b"[]"]


def _native(order: Order, texts: list[bytes], begun: float) -> Fields:
    done = time.monotonic()
    timing = {
        "inferenceDuration": _milliseconds(order.inference + done - begun),
        "inferencePreprocessingTime": _milliseconds(order.preprocessing),
        "inferenceQueueTime": _milliseconds(begun - order.began - order.inference),
    }
    return {
        "id": [b'"generate-image-%010d"' % secrets.randbelow(10**10)],
        "request": [orjson.dumps(order.echo)],
        "images": _array(texts, b'"', b'"'),
        "timing": [orjson.dumps({**timing, "total": sum(timing.values())})],
    }


def _openai(order: Order, texts: list[bytes]) -> Fields:
    prefix = f"data:{order.picture_type};base64," if order.shape == "url" else ""
    opening = f'{{"{order.shape}":"{prefix}'.encode()
    return {"created": [b"%d" % time.time()], "data": _array(texts, opening, b'"}')}


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def random_seed() -> int:
    """Draw the seed that a request without one gets, and each variant but the first."""
    return secrets.randbelow(1_999_999_999) - 999_999_999
