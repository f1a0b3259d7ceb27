"""What is laid over a finished picture: caption, mark, blur, another's tint, an inpainted region.

1. What is too small to be read is left out.
2. Inpainting changes its region and no pixel else.
"""

from __future__ import annotations

import binascii
import io
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pybase64
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from .dice import Dice
from .palette import Colour, hexed, hue

__all__ = ["blurred", "captioned", "inpainted", "marked", "tinted", "vignetted"]

_DATA_URI = re.compile(r"data:[^,]*,", re.IGNORECASE)
_LARGEST = 4096 * 4096  # pixels of a source that is decoded
_SMALLEST = 96  # pixels of a side, for words


def vignetted(image: Image.Image) -> Image.Image:
    """Darken the corners a little."""
    mask = Image.radial_gradient("L").point([max(0, int((value - 150) * 0.55)) for value in range(256)])
    shade = Image.new("RGB", image.size, (12, 10, 24))
    return Image.composite(shade, image, mask.resize(image.size, Image.Resampling.BILINEAR))


def captioned(image: Image.Image, text: str, note: str) -> None:
    """Write a prompt small at the lower edge, and a note beside it."""
    width, height = image.size
    if min(width, height) < _SMALLEST:
        return
    size = max(9, min(width, height) // 52)
    strip = int(size * 1.9)
    font = _font(size)
    top = height - strip
    band = image.crop((0, top, width, height))
    image.paste(Image.blend(band, Image.new("RGB", band.size, (14, 13, 22)), 0.55), (0, top))
    draw = ImageDraw.Draw(image)
    right = draw.textlength(note, font)
    line = _fitting(draw, _printable(text), font, width - right - 3 * size)
    y = top + (strip - size) / 2 - size * 0.12
    draw.text((size * 0.8, y), line, fill=(238, 234, 226), font=font)
    draw.text((width - right - size * 0.8, y), note, fill=(188, 184, 178), font=font)


def _printable(text: str) -> str:
    return " ".join(
        "".join(character if character.isprintable() else " " for character in text[:400]).split()
    )


def _fitting(draw: ImageDraw.ImageDraw, text: str, font: Any, width: float) -> str:
    if draw.textlength(text, font) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if draw.textlength(text[:middle] + "…", font) <= width else (low, middle - 1)
        )
    return text[:low].rstrip() + "…" if low else ""


@cache
def _font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(pixels)


def marked(image: Image.Image) -> None:
    """Set a small mark into the upper right corner."""
    if min(image.size) < _SMALLEST:
        return
    size = min(image.size) // 22
    left, top = image.width - int(size * 1.6), int(size * 0.6)
    badge = Image.new("L", (4 * size, 4 * size))
    draw = ImageDraw.Draw(badge)
    draw.ellipse((2, 2, 4 * size - 3, 4 * size - 3), outline=210, width=max(2, size // 4))
    draw.line(
        [(1.1 * size, 1.2 * size), (2 * size, 3 * size), (2.9 * size, 1.2 * size)], 230, max(2, size // 3)
    )
    image.paste((252, 250, 244), (left, top), badge.reduce(4))


def blurred(image: Image.Image) -> Image.Image:
    """Make it impossible to tell what is shown."""
    part = 24 / min(image.size)
    if part >= 1:
        return image.filter(ImageFilter.BoxBlur(2))
    small = image.resize(
        (max(1, int(image.width * part)), max(1, int(image.height * part))), Image.Resampling.BOX
    )
    return small.resize(image.size, Image.Resampling.BICUBIC)


def tinted(image: Image.Image, references: Iterable[Mapping[str, Any]]) -> Image.Image:
    """Draw the picture's colours towards those of the style references."""
    for reference in references:
        strength = float(reference.get("strength") or 0.5)
        colour = _colour_of(str(reference["image"]))
        tone = ImageOps.colorize(ImageOps.grayscale(image), (10, 8, 20), (255, 250, 242), colour)
        image = Image.blend(image, tone, 0.75 * strength)
    return image


def _colour_of(text: str) -> Colour:
    """A reference's mean colour; one that lies elsewhere is not fetched, its address stands for it."""
    picture = None if text.startswith(("http://", "https://")) else _decoded(text)
    if picture is None:
        return hue(hexed("c0643f"), Dice(b"reference").child(text[:200]).part())
    red, green, blue = picture.convert("RGB").resize((1, 1), Image.Resampling.BOX).tobytes()
    return red, green, blue


def inpainted(image: Image.Image, inpaint: Mapping[str, Any]) -> Image.Image:
    """Lay the picture over the source's masked region; the picture itself where there is no such source."""
    source = _decoded(str(inpaint.get("source_image_base64", "")))
    if source is None:
        return image
    source = source.convert("RGB")
    part = max(0, min(100, int(inpaint.get("strength", 100)))) / 100
    painted = Image.blend(source, image.resize(source.size, Image.Resampling.BICUBIC), part)
    mask = _region(source.size, inpaint.get("mask"))
    source.paste(painted, (0, 0), mask)
    return source


def _region(size: tuple[int, int], mask: Mapping[str, Any] | None) -> Image.Image:
    """An oval whose place follows from the mask's words; all of the picture without a mask."""
    if not mask:
        return Image.new("L", size, 255)
    dice = Dice(b"mask").child(str(mask.get("object_target")))
    x, y = dice.between(0.35, 0.65) * size[0], dice.between(0.35, 0.65) * size[1]
    across, down = dice.between(0.18, 0.3) * size[0], dice.between(0.18, 0.3) * size[1]
    region = Image.new("L", size)
    ImageDraw.Draw(region).ellipse((x - across, y - down, x + across, y + down), fill=255)
    return region


def _decoded(text: str) -> Image.Image | None:
    """A picture in base64, with or without a data URI's head; None for anything else."""
    try:
        data = pybase64.b64decode(_DATA_URI.sub("", text, count=1), validate=True)
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > _LARGEST:
                return None
            picture.load()
            return picture.copy()
    except (binascii.Error, ValueError, OSError, Image.DecompressionBombError, SyntaxError):
        return None
