"""Colours, and the light that falls on them.

1. Pure arithmetic: nothing here knows what is painted, or with what.
2. A `Light` is chosen once a picture; everything in the picture is seen in it.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from types import MappingProxyType

from attrs import evolve, frozen

from .dice import Dice

__all__ = ["COLOURS", "TIMES", "Colour", "Light", "hexed", "hue", "lit", "mix", "scaled"]

Colour = tuple[int, int, int]


def hexed(text: str) -> Colour:
    """Read a colour such as "f2a27f"."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mix(one: Colour, other: Colour, part: float) -> Colour:
    """Give a colour between two: `part` 0 is the one, 1 the other."""
    rest = 1 - part
    return (
        int(one[0] * rest + other[0] * part),
        int(one[1] * rest + other[1] * part),
        int(one[2] * rest + other[2] * part),
    )


def scaled(colour: Colour, factor: float) -> Colour:
    """Give the colour darker (below 1) or brighter."""
    red, green, blue = colour
    return min(255, int(red * factor)), min(255, int(green * factor)), min(255, int(blue * factor))


def lit(colour: Colour, light: Colour) -> Colour:
    """Give the colour as it looks in a light."""
    return colour[0] * light[0] // 255, colour[1] * light[1] // 255, colour[2] * light[2] // 255


def hue(colour: Colour, turn: float, saturation: float = 1.0) -> Colour:
    """Turn the colour's hue by a part of the circle and scale its saturation."""
    h, s, v = colorsys.rgb_to_hsv(*(part / 255 for part in colour))
    red, green, blue = colorsys.hsv_to_rgb((h + turn) % 1, min(1.0, s * saturation), v)
    return int(red * 255), int(green * 255), int(blue * 255)


def _colours(text: str) -> Mapping[str, Colour]:
    pairs = (pair.split("=") for pair in text.split())
    return MappingProxyType({name: hexed(value) for name, value in pairs})


COLOURS = _colours(
    "red=cf2a27 crimson=b5152e scarlet=dc2a1c ruby=b0123f maroon=7c1d2b orange=ee7f1d amber=f0a020 "
    "gold=e3ae2e golden=e8b33c yellow=f2cb2e lemon=f5dd4b green=3f9142 emerald=1f9d68 lime=93c83d "
    "olive=7b8236 mint=9fdcbf teal=1b8a8f turquoise=30b7b4 cyan=2fc3dd azure=3d8fe0 blue=2763c9 "
    "navy=1c2f6b indigo=45389c violet=7a45bd purple=7d3aa6 lavender=ad9bdc lilac=b99ad8 magenta=cb2f8f "
    "pink=ee86ae rose=dd6c86 coral=f2775d peach=f7b08e brown=80502f copper=b56a3a bronze=a4743a "
    "beige=d9c6a0 cream=f3e8cd ivory=f4efdd white=f3f2ee silver=b9c1c9 grey=8a9097 gray=8a9097 "
    "charcoal=3c4147 black=24262b ebony=27221f rusty=a8502a ginger=d4762c snowy=f3f5f7 "
    "rainbow=d84f9a pale=e2dccf"
)

# For each time of the day: skies from the zenith to the horizon, and the sun's or the moon's colour.
_SKIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "dawn": (
            "4a5f97 a58db0 f0b6a0 ffe0b8 fff0d0",
            "5b7aa8 a9b3cf f3c6bd fde6cc fff6e4",
            "3f6079 86a5ab e5c9a6 fbe7c4 fff4d8",
        ),
        "day": (
            "2b6cb8 5fa5da a9d7ec e3f2ee fff6d8",
            "2f83b4 74bdd3 bfe3de f3efd9 fff3cf",
            "4377bd 86b1e0 c5dcf0 fbeedd fffbe8",
        ),
        "sunset": (
            "2c2f66 87407f e5665d ffc06c fff0b0",
            "3c2b5c a24870 ee7d57 ffd68a fff2c0",
            "274471 7b5e8d eb8f6d ffd092 fff0c8",
        ),
        "dusk": (
            "171f49 41407f 9c5f93 f0a683 ffe2c0",
            "14304d 34587d 8d86a6 e8b596 ffe9cc",
            "1f2144 4d3a72 b15f85 f5aa7e ffdcb4",
        ),
        "night": (
            "060c22 0f2045 23406f 46688f f3f1df",
            "08131f 12303f 235560 52858a eef5ea",
            "0c0a26 1d174b 3d3070 6f5796 f6ecf5",
        ),
    }
)

# What the light does to a colour, and how dark it is (0 bright day, 1 night).
_LIGHTS: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "dawn": ("f2dcd4", 0.25),
        "day": ("ffffff", 0.0),
        "sunset": ("f0bfa4", 0.4),
        "dusk": ("a295c4", 0.65),
        "night": ("546a9c", 1.0),
    }
)

TIMES = tuple(_SKIES)


@frozen
class Light:
    """The light of one picture.

    Attributes:
        time: One of `TIMES`.
        sky: Four colours from the zenith to the horizon.
        sun: The sun's colour, or the moon's.
        tone: The light that falls on things.
        dark: How dark it is: 0 a bright day, 1 night.
        at: The place of the sun or the moon, in parts of the width and of the height above the horizon.
    """

    time: str
    sky: tuple[Colour, Colour, Colour, Colour]
    sun: Colour
    tone: Colour
    dark: float
    at: tuple[float, float]

    @classmethod
    def of(cls, time: str, dice: Dice) -> Light:
        """Choose one of the time's lights."""
        *sky, sun = (hexed(text) for text in dice.choice(_SKIES[time]).split())
        turn = dice.between(-0.025, 0.025)
        tone, dark = _LIGHTS[time]
        heights = {"day": (0.5, 0.85), "night": (0.5, 0.85), "sunset": (0.05, 0.3)}
        at = dice.choice((dice.between(0.12, 0.4), dice.between(0.6, 0.88)))
        return cls(
            time,
            (hue(sky[0], turn), hue(sky[1], turn), hue(sky[2], turn), hue(sky[3], turn)),
            sun,
            hexed(tone),
            dark,
            (at, dice.between(*heights.get(time, (0.1, 0.4)))),
        )

    @property
    def horizon(self) -> Colour:
        """The sky's colour where it meets the land: that of the distance."""
        return self.sky[3]

    @property
    def side(self) -> float:
        """Where the light comes from: -1 the left, 1 the right."""
        return -1.0 if self.at[0] < 0.5 else 1.0

    def on(self, colour: Colour, distance: float = 0.0) -> Colour:
        """Give a colour as it looks in this light, at a distance from 0 (near) to 1 (the horizon)."""
        return mix(lit(colour, self.tone), mix(self.horizon, self.sky[2], 0.35), distance)

    def veiled(self, veil: Colour, part: float, dim: float) -> Light:
        """Give the light under a sky that is covered by a veil of that colour."""
        veil = lit(veil, mix(self.tone, (255, 255, 255), 0.3))
        zenith, high, low, horizon = (scaled(mix(colour, veil, part), dim) for colour in self.sky)
        tone = scaled(mix(self.tone, lit(veil, self.tone), part / 2), dim)
        return evolve(self, sky=(zenith, high, low, horizon), tone=tone, sun=mix(self.sun, veil, part / 2))

    def tinted(self, colour: Colour, part: float) -> Light:
        """Give the light with something of that colour in it."""
        white = (255, 255, 255)
        zenith, high, low, horizon = (
            mix(one, lit(mix(colour, white, 0.25), mix(one, white, 0.4)), part) for one in self.sky
        )
        tone = mix(self.tone, lit(self.tone, mix(colour, white, 0.5)), part)
        return evolve(self, sky=(zenith, high, low, horizon), tone=tone)
