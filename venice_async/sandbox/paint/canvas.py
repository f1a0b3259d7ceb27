"""What a backdrop is painted with, and a few ways of filling it.

1. What is smooth is painted small and enlarged; edges are drawn twice as large and reduced.
2. Places are in pixels, proportions in parts of the width and the height.
"""

from __future__ import annotations

import math
from itertools import pairwise

from attrs import frozen
from PIL import Image, ImageDraw, ImageOps

from .dice import Dice
from .palette import Colour, Light

__all__ = ["Backdrop", "Ground", "area", "at", "disc", "glow", "gradient", "ridge"]

_SMOOTH = Image.Resampling.BICUBIC
_FALLOFF = [255 * (value / 255) ** 2.2 for value in range(256)]


@frozen
class Ground:
    """Where something can be put.

    Attributes:
        horizon: Where the distance ends, in parts of the height.
        stand: Where a subject stands, likewise.
        water: Whether it stands in water, which reflects.
    """

    horizon: float
    stand: float
    water: bool = False


@frozen
class Backdrop:
    """What a backdrop is painted with.

    Attributes:
        image: The picture.
        light: Its light.
        dice: What decides what the words leave open.
        without: Words that are not to be seen.
        weather: What hangs in the sky.
        colour: A colour for what has no natural one, or None.
    """

    image: Image.Image
    light: Light
    dice: Dice
    without: frozenset[str]
    weather: frozenset[str]
    colour: Colour | None

    @property
    def width(self) -> int:
        """In pixels."""
        return self.image.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self.image.height


def gradient(size: tuple[int, int], colours: tuple[Colour, ...]) -> Image.Image:
    """Colours from the top to the bottom."""
    strip = Image.new("RGB", (1, len(colours)))
    strip.putdata(colours)
    return _stretched(strip, size)


def _stretched(strip: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A column of colours in the given size."""
    return strip.resize((1, max(1, size[1])), _SMOOTH).resize(size, Image.Resampling.NEAREST)


def glow(image: Image.Image, at: tuple[float, float], radius: float, colour: Colour, strength: float) -> None:
    """Lay a soft light over a place."""
    size = max(2, int(2 * radius))
    disc = ImageOps.invert(Image.radial_gradient("L")).resize((size, size), Image.Resampling.BILINEAR)
    mask = disc.point([min(255, int(strength * part)) for part in _FALLOFF])
    image.paste(colour, (int(at[0] - radius), int(at[1] - radius)), mask)


def disc(image: Image.Image, at: tuple[float, float], radius: float, colour: Colour) -> None:
    """Paint a round spot with a smooth edge."""
    size = max(2, int(2 * radius) + 1)
    mask = Image.new("L", (2 * size, 2 * size))
    ImageDraw.Draw(mask).ellipse((1, 1, 2 * size - 2, 2 * size - 2), fill=255)
    image.paste(colour, (int(at[0] - radius), int(at[1] - radius)), mask.reduce(2))


def area(backdrop: Backdrop, points: list[tuple[float, float]], fill: Image.Image | Colour) -> None:
    """Fill what lies below a line, whose points are in pixels."""
    top = max(0, int(min(y for _, y in points)))
    depth = backdrop.height - top
    if depth <= 0:
        return
    mask = Image.new("L", (2 * backdrop.width, 2 * depth))
    line = [(2 * x, 2 * (y - top)) for x, y in points]
    corners = [(2 * backdrop.width, 2 * depth), (0, 2 * depth)]
    ImageDraw.Draw(mask).polygon([*line, *corners], fill=255)
    if isinstance(fill, Image.Image):
        fill = _stretched(fill, (backdrop.width, depth))
    backdrop.image.paste(fill, (0, top, *((backdrop.width, backdrop.height))), mask.reduce(2))


def ridge(
    backdrop: Backdrop, base: float, rise: float, roughness: float, dice: Dice
) -> list[tuple[float, float]]:
    """A line from left to right: waves upon waves, in pixels; base and rise in parts of the height."""
    waves = [
        (2.0**octave * dice.between(0.7, 1.3), dice.between(0, math.tau), roughness**octave)
        for octave in range(7 if roughness > 0.4 else 3)
    ]
    total = sum(height for _, _, height in waves)
    points: list[tuple[float, float]] = []
    steps = max(12, min(120, backdrop.width // 4))
    for step in range(steps + 1):
        x = step / steps
        swing = sum(height * math.sin(math.tau * often * x * 0.8 + phase) for often, phase, height in waves)
        sharp = abs(swing) if roughness > 0.4 else (swing + total) / 2
        points.append((x * backdrop.width, (base - rise * sharp / total) * backdrop.height))
    return points


def at(line: list[tuple[float, float]], x: float) -> float:
    """The height of a line at a place."""
    for (ax, ay), (bx, by) in pairwise(line):
        if x <= bx and bx > ax:
            return ay + (by - ay) * max(0.0, (x - ax) / (bx - ax))
    return line[-1][1]
