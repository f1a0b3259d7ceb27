"""No thing at all: flowing bands, a mandala, or tiles."""

from __future__ import annotations

import math

from .canvas import fill, gradient, halo, polygon, ridge
from .dice import Dice
from .palette import Colour, hue, mix, scaled
from .sky import Ground, View

__all__ = ["pattern"]


def pattern(view: View) -> Ground:
    """No thing at all: flowing bands, a mandala, or tiles, in the colours of the sky."""
    dice, image = view.dice.child("pattern"), view.image
    palette = [*view.light.sky, view.light.sun, *(hue(colour, 0.45) for colour in view.light.sky[1:3])]
    palette = [*view.scene.tints, *palette]
    image.paste(gradient(image.size, palette[:4]))
    dice.choice((_waves, _mandala, _tiles))(view, dice.child("form"), palette)
    return Ground(y=0.8)


def _waves(view: View, dice: Dice, palette: list[Colour]) -> None:
    width, height, unit = view.image.width, view.image.height, view.unit
    for row in range(9):
        line = ridge(dice.child(row), width, height * (0.08 + 0.11 * row), unit * 0.12, 0.36)
        colour = palette[dice.count(0, len(palette) - 1)]
        fill(view.image, [(x, y - unit * 0.008) for x, y in line], mix(colour, (255, 255, 255), 0.5), colour)
        fill(view.image, line, colour, scaled(colour, 0.62))


def _mandala(view: View, dice: Dice, palette: list[Colour]) -> None:
    width, height, unit = view.image.width, view.image.height, view.unit
    at = (width * dice.between(0.4, 0.6), height * dice.between(0.4, 0.6))
    petals = dice.choice((6, 8, 10, 12))
    for ring in range(7, 0, -1):
        colour, radius = palette[(ring + dice.count(0, 1)) % len(palette)], unit * 0.1 * ring
        for petal in range(petals):
            angle = 2 * math.pi * (petal + ring / 2 % 1) / petals
            half = math.pi / petals * 1.1
            shape = [
                (
                    at[0] + radius * reach * math.cos(angle + half * turn),
                    at[1] + radius * reach * math.sin(angle + half * turn),
                )
                for reach, turn in ((0.2, 0), (0.7, -0.8), (1.0, -0.4), (1.16, 0), (1.0, 0.4), (0.7, 0.8))
            ]
            polygon(view.image, shape, mix(colour, (255, 255, 255), 0.12 * (petal % 2)), 0.86)
    halo(view.image, *at, unit * 0.3, view.light.sun, 0.7)


def _tiles(view: View, dice: Dice, palette: list[Colour]) -> None:
    width, height, unit = view.image.width, view.image.height, view.unit
    side = max(4.0, unit / dice.count(5, 8))
    for row in range(int(height / side) + 1):
        for column in range(int(width / side) + 1):
            if row * column > 900:
                return
            x, y = column * side, row * side
            one, other = palette[dice.count(0, len(palette) - 1)], palette[dice.count(0, len(palette) - 1)]
            polygon(view.image, [(x, y), (x + side, y), (x + side, y + side), (x, y + side)], one)
            corner = dice.choice(((0, 0), (1, 0), (1, 1), (0, 1)))
            arc = [
                (
                    x + side * abs(corner[0] - math.cos(a / 16 * math.pi)),
                    y + side * abs(corner[1] - math.sin(a / 16 * math.pi)),
                )
                for a in range(9)
            ]
            polygon(view.image, [(x + side * corner[0], y + side * corner[1]), *arc], other)
