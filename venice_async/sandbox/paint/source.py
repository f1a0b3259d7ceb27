"""Pictures that come with a request: the source of an inpainting, and references for the style.

1. What cannot be read as a picture counts as absent. Nothing is ever fetched.
2. Pixels outside the region that is repainted are the source's own.
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Callable, Mapping
from typing import Any, cast

import pybase64
from PIL import Image, ImageDraw

from .dice import Dice
from .palette import Colour

__all__ = ["decoded", "inpainted", "mean_colour"]

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
# A picture of more than this is not unpacked.
_MOST_PIXELS = 4096 * 4096

# What Pillow's readers raise on bytes that are no picture, or a broken one.
_UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    OverflowError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def decoded(text: str) -> Image.Image | None:
    """Read a picture from base64 or a data URI; None if it is none."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        with Image.open(io.BytesIO(pybase64.b64decode(text, validate=True)), formats=_FORMATS) as image:
            if image.width * image.height > _MOST_PIXELS:
                return None
            return image.convert("RGB")
    except _UNREADABLE:
        return None


def mean_colour(reference: str) -> Colour:
    """Give the mean colour of a reference; for a URL, and for no picture, one that follows from its text."""
    image = None if reference.startswith(("http://", "https://")) else decoded(reference)
    if image is None:
        red, green, blue = hashlib.blake2b(reference.encode("utf-8", "replace"), digest_size=3).digest()
        return red, green, blue
    return cast("Colour", image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)))


def inpainted(
    source: Image.Image,
    mask: Mapping[str, Any] | None,
    strength: float,
    paint: Callable[[tuple[int, int]], Image.Image],
) -> Image.Image:
    """Repaint a part of the source, or with no mask all of it.

    Args:
        source: The picture that there is.
        mask: The words for what is to be replaced; they decide where it is looked for.
        strength: 0 leaves the source, 100 leaves nothing of it.
        paint: Paints at a size.
    """
    if strength <= 0:
        return source
    box = (0, 0, source.width, source.height) if mask is None else _region(mask, source.size)
    old = source.crop(box)
    new = Image.blend(old, paint(old.size), min(1.0, strength / 100))
    if mask is None:
        return new
    region = Image.new("1", old.size)
    ImageDraw.Draw(region).ellipse((0, 0, old.width - 1, old.height - 1), fill=1)
    source.paste(new, box[:2], region)
    return source


def _region(mask: Mapping[str, Any], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Place an ellipse by the words for what is to be replaced."""
    dice = Dice(b"mask").child(mask["object_target"], mask["inferred_object"])
    width, height = (max(1, int(side * dice.between(0.35, 0.6))) for side in size)
    left, top = (
        int((size[0] - width) * dice.between(0.2, 0.8)),
        int((size[1] - height) * dice.between(0.2, 0.8)),
    )
    return left, top, left + width, top + height
