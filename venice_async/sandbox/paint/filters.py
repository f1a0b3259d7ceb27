"""Filters that several styles share. Costly ones run on a part of the width."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFilter

__all__ = ["as_rgb", "edges", "flat", "smaller", "smooth"]


def smaller(image: Image.Image, part: int) -> Image.Image:
    """Reduce the picture to a part of its width."""
    size = (max(1, image.width // part), max(1, image.height // part))
    return image.resize(size, Image.Resampling.BOX)


def flat(image: Image.Image, levels: int) -> Image.Image:
    """Round the brightness to a few levels, and the colours a little."""
    step = 255 / (levels - 1)
    bright = [round(round(value / step) * step) for value in range(256)]
    tint = [round(value / 12) * 12 for value in range(256)]
    return image.convert("YCbCr").point([*bright, *tint, *tint]).convert("RGB")


def smooth(image: Image.Image, size: int = 5) -> Image.Image:
    """Take the small detail out, and leave the edges."""
    soft = smaller(image, max(1, max(image.size) // 260)).filter(ImageFilter.MedianFilter(size))
    return soft.resize(image.size, Image.Resampling.BICUBIC)


def edges(image: Image.Image, gain: float) -> Image.Image:
    """Give the edges as dark on white."""
    grey = smaller(image, 2 if max(image.size) > 600 else 1).convert("L").filter(ImageFilter.SMOOTH)
    found = grey.filter(ImageFilter.FIND_EDGES).point(
        [255 - min(255, int(max(0, value - 9) * gain)) for value in range(256)]
    )
    ImageDraw.Draw(found).rectangle((0, 0, found.width - 1, found.height - 1), outline=255)
    return found.resize(image.size, Image.Resampling.BICUBIC)


def as_rgb(image: Image.Image) -> Image.Image:
    """Give a grey picture in colour."""
    return Image.merge("RGB", (image, image, image))
