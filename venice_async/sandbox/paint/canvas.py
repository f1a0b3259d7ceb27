"""Brushes: gradients, noise, ridges, glows and smooth edges on Pillow images.

1. Soft things are made small and enlarged; hard edges are drawn twice as large and reduced, and only
   where they are. Pillow does the work, without the interpreter's lock.
2. A place is in pixels; what is passed a `Dice` throws only that one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw

from .dice import Dice
from .palette import Colour, mix

__all__ = [
    "ROUND",
    "ROUND_EDGE",
    "Points",
    "Stencil",
    "fill",
    "gradient",
    "halo",
    "noise",
    "overlay",
    "polygon",
    "ramp",
    "ridge",
    "threshold",
]

Points = list[tuple[float, float]]
Size = tuple[int, int]

_COLUMN = 64

# Grows from 0 in the middle to `ROUND_EDGE` at the middle of each side; only ever read.
ROUND = Image.radial_gradient("L")
ROUND_EDGE = 180


def gradient(size: Size, colours: Sequence[Colour]) -> Image.Image:
    """Paint colours from the top to the bottom, evenly spread."""
    last = len(colours) - 1
    rows = bytearray()
    for row in range(_COLUMN):
        at = row / (_COLUMN - 1) * last
        index = min(int(at), last - 1)
        # Eased, so that no band shows where one colour hands over to the next.
        part = at - index
        rows += bytes(
            mix(colours[index], colours[index + 1], part * part * (3 - 2 * part) * 0.5 + part * 0.5)
        )
    column = Image.frombytes("RGB", (1, _COLUMN), bytes(rows)).resize((1, size[1]), Image.Resampling.BILINEAR)
    return column.resize(size, Image.Resampling.NEAREST)


def ramp(size: Size, value: Callable[[float], float]) -> Image.Image:
    """Make a mask whose rows follow from how far down they are, from 0 to 1; `value` gives 0 to 1."""
    rows = bytes(max(0, min(255, int(255 * value(row / (_COLUMN - 1))))) for row in range(_COLUMN))
    column = Image.frombytes("L", (1, _COLUMN), rows).resize((1, size[1]), Image.Resampling.BILINEAR)
    return column.resize(size, Image.Resampling.NEAREST)


def noise(dice: Dice, size: Size, cells: Size, octaves: int = 3) -> Image.Image:
    """Make soft grey clouds: `cells` is how many waves there are across and down."""
    across, down = cells
    result = _waves(dice.child("noise", 0), size, cells)
    for octave in range(1, octaves):
        finer = _waves(dice.child("noise", octave), size, (across << octave, down << octave))
        result = Image.blend(result, finer, 0.62 / (octave + 1))
    return result


def _waves(dice: Dice, size: Size, cells: Size) -> Image.Image:
    grid = (max(2, cells[0]), max(2, cells[1]))
    return Image.frombytes("L", grid, dice.raw(grid[0] * grid[1])).resize(size, Image.Resampling.BICUBIC)


def threshold(image: Image.Image, low: float, high: float, top: int = 255) -> Image.Image:
    """Spread the values from `low` to `high` over 0 to `top`."""
    span = max(1.0, high - low)
    return image.point([max(0, min(top, int((value - low) / span * top))) for value in range(256)])


def ridge(dice: Dice, width: int, base: float, amplitude: float, roughness: float = 0.5) -> Points:
    """Make a line from the left to the right edge, by displaced middles.

    Args:
        dice: Decides.
        width: The picture's width in pixels.
        base: The line's middle, in pixels from the top.
        amplitude: How far it goes up and down, in pixels.
        roughness: 0.3 rolling hills, 0.6 rock.
    """
    heights = [dice.between(-1, 1) for _ in range(3)]
    swing = 0.8
    while len(heights) < (70 if roughness > 0.45 else 18):
        finer = [heights[0]]
        for one, other in pairwise(heights):
            finer += [(one + other) / 2 + dice.between(-swing, swing), other]
        heights, swing = finer, swing * roughness
    step = width / (len(heights) - 1)
    return [(index * step, base + height * amplitude) for index, height in enumerate(heights)]


class Stencil:
    """Many polygons of one colour over a band of the picture, laid on at once.

    Args:
        width: The picture's width in pixels.
        top: Where the band begins, in pixels from the top; it ends at `bottom`.
        bottom: See `top`.
    """

    def __init__(self, width: int, top: float, bottom: float) -> None:
        self._top = int(top) - 1
        self._size = (width, max(1, int(bottom) + 1 - self._top))
        self._mask = Image.new("L", (2 * self._size[0], 2 * self._size[1]))
        self._draw = ImageDraw.Draw(self._mask)

    def add(self, points: Points, opacity: float = 1.0) -> None:
        """Cut a polygon out of the stencil."""
        corners = [(2 * x, 2 * (y - self._top)) for x, y in points]
        self._draw.polygon(corners, fill=int(255 * opacity))

    def lay(self, image: Image.Image, colour: Colour) -> None:
        """Paint the picture through it."""
        image.paste(Image.new("RGB", self._size, colour), (0, self._top), self._mask.reduce(2))


def polygon(image: Image.Image, points: Points, colour: Colour, opacity: float = 1.0) -> None:
    """Fill a polygon with smooth edges."""
    overlay(image, points, lambda size: Image.new("RGB", size, colour), opacity)


def overlay(
    image: Image.Image, points: Points, paint: Callable[[Size], Image.Image], opacity: float = 1.0
) -> None:
    """Fill a polygon with smooth edges with what is painted for the size of its box."""
    left = max(0, int(min(x for x, _ in points)) - 1)
    top = max(0, int(min(y for _, y in points)) - 1)
    right = min(image.width, int(max(x for x, _ in points)) + 2)
    bottom = min(image.height, int(max(y for _, y in points)) + 2)
    if right <= left or bottom <= top:
        return
    mask = Image.new("L", (2 * (right - left), 2 * (bottom - top)))
    ImageDraw.Draw(mask).polygon(
        [(2 * (x - left), 2 * (y - top)) for x, y in points], fill=int(255 * opacity)
    )
    image.paste(paint((right - left, bottom - top)), (left, top), mask.reduce(2))


def fill(image: Image.Image, line: Points, upper: Colour, lower: Colour, bottom: int | None = None) -> None:
    """Fill everything below a line from edge to edge, from one colour to another."""
    bottom = image.height if bottom is None else bottom
    top = max(0, int(min(y for _, y in line)) - 1)
    lowest = min(bottom, int(max(y for _, y in line)) + 2)
    if lowest <= top:
        return
    ground = gradient((image.width, max(1, bottom - top)), (upper, lower))
    mask = Image.new("L", (2 * image.width, 2 * (lowest - top)))
    edge = [(2 * x, 2 * (y - top)) for x, y in line]
    floor = 2 * (lowest - top) + 4
    ImageDraw.Draw(mask).polygon([*edge, (2 * image.width + 4, floor), (-4, floor)], fill=255)
    band = (0, 0, image.width, lowest - top)
    image.paste(ground.crop(band), (0, top), mask.reduce(2))
    if lowest < bottom:
        image.paste(ground.crop((0, lowest - top, image.width, bottom - top)), (0, lowest))


@lru_cache(512)
def fading(strength: float, falloff: float) -> list[int]:
    return [int(255 * strength * max(0.0, 1 - value / ROUND_EDGE) ** falloff) for value in range(256)]


def halo(
    image: Image.Image,
    x: float,
    y: float,
    radius: float,
    colour: Colour,
    strength: float = 1.0,
    falloff: float = 2.0,
) -> None:
    """Let a round glow of that colour lie over the picture, strongest in its middle."""
    radius = max(1.0, radius)
    left, top = int(x - radius), int(y - radius)
    side = max(1, int(2 * radius))
    glow = ROUND.point(fading(round(strength, 2), falloff))
    box = (max(0, left), max(0, top), min(image.width, left + side), min(image.height, top + side))
    if box[2] <= box[0] or box[3] <= box[1]:
        return
    size = (box[2] - box[0], box[3] - box[1])
    part = 256 / side
    source = (
        max(0.0, (box[0] - left) * part),
        max(0.0, (box[1] - top) * part),
        min(256.0, (box[2] - left) * part),
        min(256.0, (box[3] - top) * part),
    )
    mask = glow.resize(size, Image.Resampling.BILINEAR, box=source)
    image.paste(ImageChops.screen(image.crop(box), Image.new("RGB", size, colour)), box, mask)
