"""Brushes and light: dice, colours, gradients, noise, glows.

1. Soft things are painted small and enlarged, hard edges are cut twice as large and reduced.
2. One canvas is painted on, whatever the picture's size is: see `finish`.
3. Nothing is random: dice for the same words fall the same way in every process.
"""

from collections.abc import Sequence
from random import Random
from typing import Self

from attrs import frozen
from PIL import Image

__all__ = ["WHITE", "Colour", "Light", "dice", "fading", "glow", "gradient", "hexed", "lit", "mix"]

Colour = tuple[int, ...]
Size = tuple[int, int]
WHITE = (255, 255, 255)


def dice(*words: object) -> Random:
    """Make dice whose throws follow from the words alone."""
    return Random(repr(words))  # noqa: S311


def hexed(text: str) -> Colour:
    """Read a colour such as "f2a27f"."""
    return tuple(bytes.fromhex(text))


def mix(one: Colour, other: Colour, part: float) -> Colour:
    """Give a colour between two: `part` 0 is the one, 1 the other."""
    return tuple(round(a + (b - a) * part) for a, b in zip(one, other, strict=True))


def lit(colour: Colour, light: Colour | float) -> Colour:
    """Give the colour as it looks in a light, or so many times as bright."""
    parts = light if isinstance(light, tuple) else (255 * light,) * 3
    return tuple(min(255, round(a * b / 255)) for a, b in zip(colour, parts, strict=True))


def gradient(size: Size, stops: Sequence[Colour] | Sequence[int]) -> Image.Image:
    """Paint colours, or the greys of a mask, from the top to the bottom."""
    column = Image.new("L" if isinstance(stops[0], int) else "RGB", (1, len(stops)))
    column.putdata(stops)
    return column.resize((1, size[1]), Image.Resampling.BICUBIC).resize(size, Image.Resampling.NEAREST)


def noise(throw: Random, size: Size, cells: Size, octaves: int = 3) -> Image.Image:
    """Make soft grey clouds: `cells` is how many there are across and down at first."""
    result = Image.new("L", size, 128)
    for octave in range(octaves):
        grid = (max(2, cells[0] << octave), max(2, cells[1] << octave))
        waves = Image.frombytes("L", grid, throw.randbytes(grid[0] * grid[1]))
        result = Image.blend(result, waves.resize(size, Image.Resampling.BICUBIC), 0.75 / (octave + 1))
    return result


def fading(low: float, high: float, top: float = 255) -> list[int]:
    """Make a table for `point`: from 0 at `low` to `top` at `high`, which may be the smaller one."""
    return [round(max(0.0, min(1.0, (value - low) / (high - low))) * top) for value in range(256)]


def glow(image: Image.Image, x: float, y: float, r: float, tone: Colour, top: float, flat: float = 1) -> None:
    """Let a light, or a shadow, lie over the picture; top is how strong it is in its middle, 0 to 1."""
    table = [round(255 * top * max(0.0, 1 - value / 180) ** 2) for value in range(256)]
    box = (round(x - r), round(y - r * flat), round(x + r) + 1, round(y + r * flat) + 1)
    size = (box[2] - box[0], box[3] - box[1])
    image.paste(tone, box, Image.radial_gradient("L").point(table).resize(size, Image.Resampling.BILINEAR))


# Time, the light on things, how dark it is: skies from the zenith to the horizon, and the sun or the moon.
_SKIES = """
dawn f6e0d4 0.25: 4a5f97 a58db0 f0b6a0 ffe0b8 fff0d0, 5b7aa8 a9b3cf f3c6bd fde6cc fff6e4
day ffffff 0.0: 2b6cb8 5fa5da a9d7ec e3f2ee fff6d8, 2f83b4 74bdd3 bfe3de f3efd9 fff3cf
sunset f4c6aa 0.4: 2c2f66 87407f e5665d ffc06c fff0b0, 274471 7b5e8d eb8f6d ffd092 fff0c8
dusk c6b4cc 0.65: 171f49 41407f 9c5f93 f0a683 ffe2c0, 14304d 34587d 8d86a6 e8b596 ffe9cc
night 5a6ea2 1.0: 060c22 0f2045 23406f 46688f f3f1df, 0c0a26 1d174b 3d3070 6f5796 f6ecf5
"""
_TIMES = {line.split()[0]: line.split(": ") for line in _SKIES.strip().splitlines()}
# The veil that a weather hangs before the sky.
_VEILS = {"storm": "545a6c", "rain": "8a94a4", "clouds": "aab2be", "fog": "d6d8da"}


@frozen
class Light:
    """The light of one picture: the sky from the zenith down, the sun (or the moon) and where it is."""

    sky: tuple[Colour, ...]
    sun: Colour
    tone: Colour  # of the light on things
    dark: float  # 0 a bright day, 1 night
    x: float  # in parts of the width
    y: float  # in parts of the sky's height, from the top
    side: int  # -1 the left, 1 the right

    @classmethod
    def of(cls, time: str, weather: frozenset[str], tint: Colour, throw: Random) -> Self:
        """Choose one of the time's lights, under a weather, through a colour."""
        head, skies = _TIMES[time]
        tone, dark, side = hexed(head.split()[1]), float(head.split()[2]), throw.choice((-1, 1))
        *sky, sun = (hexed(text) for text in throw.choice(skies.split(", ")).split())
        for veil in (lit(hexed(_VEILS[name]), tone) for name in sorted(weather & _VEILS.keys())):
            sky, tone = [mix(colour, veil, 0.6) for colour in sky], mix(tone, veil, 0.3)
        tint = lit(tint, tuple(throw.choices(range(215, 256), k=3)))
        y = throw.uniform(0.14, 0.4) if time in {"day", "night"} else throw.uniform(0.68, 0.95)
        x = 0.5 + side * throw.uniform(0.14, 0.36)
        return cls(tuple(lit(colour, tint) for colour in sky), sun, lit(tone, tint), dark, x, y, side)

    def on(self, colour: Colour, distance: float = 0.0) -> Colour:
        """Give a colour as it looks in this light, from near (0) to the horizon (1)."""
        return mix(lit(colour, self.tone), mix(self.sky[3], self.sky[2], 0.35), distance)
