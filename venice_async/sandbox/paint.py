"""Pictures: plain, real, quick, and the same for the same request on every run.

1. Blocking code, for worker threads only.
2. Nothing random: every colour and shape follows from the wish itself, by a hash that does not
   change between processes.
3. This is the only module that knows Pillow.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import orjson
from attrs import frozen

from .catalogue import RESOLUTIONS

try:
    from PIL import Image, ImageDraw, ImageFont
except ImportError:
    raise ImportError('the sandbox needs Pillow: pip install "venice-async[sandbox]"') from None

__all__ = ["CONTENT_TYPES", "paint", "size_of"]

CONTENT_TYPES: Mapping[str, str] = MappingProxyType(
    {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
)

# Each encoder at its fastest that still looks decent.
_ENCODERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"jpeg": {"quality": 80}, "png": {"compress_level": 1}, "webp": {"quality": 70, "method": 0}}
)

# They say how a picture is delivered, not what is on it.
_NOT_ON_THE_PICTURE = frozenset({"format", "return_binary", "variants"})

_SKETCH = 8


@frozen
class _Dice:
    """Numbers out of a digest: the same digest gives the same numbers."""

    digest: bytes

    def colour(self, index: int) -> tuple[int, int, int]:
        red, green, blue = self.digest[3 * index : 3 * index + 3]
        return red, green, blue

    def part(self, index: int) -> float:
        return self.digest[index] / 255


def size_of(body: Mapping[str, Any]) -> tuple[int, int]:
    """Give the width and height in pixels that a valid body asks for.

    `width` and `height` come first; else the long side is the resolution's (1024 without one)
    and the other follows from the aspect ratio.
    """
    side = RESOLUTIONS[body.get("resolution", "1K")]
    across, down = (int(part) for part in body.get("aspect_ratio", "1:1").split(":"))
    longest = max(across, down)
    width = body.get("width", max(1, side * across // longest))
    height = body.get("height", max(1, side * down // longest))
    return int(width), int(height)


def paint(body: Mapping[str, Any], variant: int = 0) -> bytes:
    """Paint the picture that a valid body with a seed asks for; each variant is another picture."""
    image_format = body.get("format", "webp")
    image = _picture(body, variant)
    encoded = io.BytesIO()
    image.save(encoded, image_format.upper(), **_ENCODERS[image_format])
    return encoded.getvalue()


def _picture(body: Mapping[str, Any], variant: int) -> Image.Image:
    size = size_of(body)
    dice = _Dice(_digest(body, variant))
    image = _background(dice).resize(size, Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    _shapes(draw, size, dice)
    _caption(draw, size, f"seed {body['seed']} | {variant + 1} | {body['prompt'][:80]}")
    return image


def _digest(body: Mapping[str, Any], variant: int) -> bytes:
    shown = {name: value for name, value in body.items() if name not in _NOT_ON_THE_PICTURE}
    text = orjson.dumps([shown, variant], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=64).digest()


def _background(dice: _Dice) -> Image.Image:
    """A few pixels of soft bands; enlarging them makes the gradients."""
    top, bottom = dice.colour(0), dice.colour(1)
    pixels = bytearray()
    for y in range(_SKETCH):
        for x in range(_SKETCH):
            part = min(1.0, y / _SKETCH + dice.part(16 + x) / 4)
            pixels += bytes(int(a + (b - a) * part) for a, b in zip(top, bottom, strict=True))
    return Image.frombytes("RGB", (_SKETCH, _SKETCH), bytes(pixels))


def _shapes(draw: ImageDraw.ImageDraw, size: tuple[int, int], dice: _Dice) -> None:
    """Three discs, each with a colour, a place and a size of its own."""
    width, height = size
    for index in range(3):
        radius = (0.08 + 0.17 * dice.part(32 + index)) * min(size)
        x, y = dice.part(40 + index) * width, dice.part(48 + index) * height
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=dice.colour(2 + index))


def _caption(draw: ImageDraw.ImageDraw, size: tuple[int, int], text: str) -> None:
    width, height = size
    strip = max(12, height // 40)
    if height < 2 * strip:
        return
    draw.rectangle((0, height - 2 * strip, width, height), fill=(0, 0, 0))
    fitting = text[: 2 * width // strip]
    printable = "".join(character if character.isprintable() else " " for character in fitting)
    draw.text(
        (strip // 2, height - 2 * strip + strip // 3), printable, fill=(255, 255, 255), font=_font(strip)
    )


@cache
def _font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(pixels)
