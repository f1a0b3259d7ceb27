"""Places of another kind: under water, at a table, in a room, and all that are not landscapes by name.

1. As in a landscape, each paints from the back to the front and says where figures stand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .canvas import Points, fill, gradient, halo, noise, overlay, polygon, ramp, ridge
from .city import city
from .cosmos import moon, space
from .dice import Dice
from .palette import Colour, Light, hexed, hue, lit, mix, scaled
from .pattern import pattern
from .sky import Ground, View

__all__ = ["PLACES"]


def _underwater(view: View) -> Ground:
    dice, image = view.dice.child("deep"), view.image
    width, height, unit = image.width, image.height, view.unit
    tops = {"day": "7fd8dc 2f9cc0 15608f 0b3560", "night": "2a5a8f 163f70 0c2850 061838"}
    stops = tops.get(view.light.time, "8fd0c8 3a8fb0 1d5a88 0e3258").split()
    turn = dice.between(-0.05, 0.04)
    colours = [hue(hexed(stop), turn) for stop in stops]
    image.paste(gradient(image.size, colours))
    size = (max(2, width // 8), max(2, height // 8))
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    source = dice.between(0.2, 0.8) * size[0]
    for _ in range(9):
        foot, wide = source + dice.between(-0.9, 0.9) * size[0], size[0] * dice.between(0.04, 0.12)
        draw.polygon(
            [
                (source + (foot - source) * 0.3, -2),
                (source + (foot - source) * 0.3 + wide * 0.5, -2),
                (foot + wide, size[1]),
                (foot - wide, size[1]),
            ],
            fill=dice.count(14, 40),
        )
    rays = ImageChops.multiply(mask, ramp(size, lambda down: 1 - down)).resize(
        image.size, Image.Resampling.BILINEAR
    )
    image.paste(Image.new("RGB", image.size, mix(colours[0], (255, 255, 255), 0.5)), (0, 0), rays)
    for row in range(3):
        depth = 0.7 - 0.3 * row
        line = ridge(
            dice.child("floor", row), width, height * (0.8 + 0.06 * row), unit * (0.035 + 0.015 * row), 0.45
        )
        near = mix((150, 150, 120) if row == 2 else (34, 84, 110), colours[2], depth)
        fill(image, line, near, scaled(near, 0.6))
        _weeds(
            view,
            dice.child("weeds", row),
            line,
            mix(hexed(dice.choice(("3f9a6a", "c8566a", "d98a4a", "7a5ab0"))), colours[2], depth),
            0.09 + 0.07 * row,
        )
    _bubbles(view, dice.child("bubbles"))
    return Ground(y=0.8)


def _weeds(view: View, dice: Dice, line: Points, colour: Colour, tall: float) -> None:
    image, unit = view.image, view.unit
    if unit < 32:
        return
    for _ in range(10):
        x = dice.choice((dice.between(0, 0.32), dice.between(0.68, 1))) * image.width
        foot = line[min(len(line) - 1, int(x / image.width * (len(line) - 1)))][1] + unit * 0.02
        high, sway, wide = (
            unit * tall * dice.between(0.5, 1.5),
            unit * dice.between(0.006, 0.02),
            unit * dice.between(0.006, 0.014),
        )
        left: Points = []
        right: Points = []
        for step in range(9):
            along = step / 8
            bend = math.sin(along * 7 + x) * sway * (0.3 + along)
            thick = wide * (1 - along) ** 0.7
            left.append((x + bend - thick, foot - high * along))
            right.append((x + bend + thick, foot - high * along))
        polygon(image, [*left, *reversed(right)], scaled(colour, dice.between(0.75, 1.15)))


def _bubbles(view: View, dice: Dice) -> None:
    draw, unit = ImageDraw.Draw(view.image), view.unit
    if unit < 48:
        return
    for _ in range(26):
        x, y, radius = (
            dice.part() * view.image.width,
            dice.part() * view.image.height * 0.85,
            unit * (0.002 + 0.01 * dice.part() ** 3),
        )
        draw.ellipse(
            (x - radius, y - radius, x + radius, y + radius),
            outline=(190, 232, 240),
            width=max(1, unit // 500),
        )
        draw.ellipse(
            (x - radius * 0.5, y - radius * 0.6, x - radius * 0.1, y - radius * 0.2), fill=(240, 252, 255)
        )


_WALLS = (
    "5f7a78 8fa8a0",
    "7a5f58 c09a80",
    "4a5a78 8a9ab8",
    "6a6a50 b0aa80",
    "5a4a5f a890a8",
    "b08a68 e6cfae",
    "88a0ac cfdcdc",
)


_WOODS = ("8a5a3a", "a9754a", "6b4632", "c49a6c", "5a4438", "e0d4c0")


def _table(view: View) -> Ground:
    """A still life's place: a wall in a window's light, a table with a cloth or without."""
    dice, image, light = view.dice.child("table"), view.image, view.light
    width, height, unit = image.width, image.height, view.unit
    _wall(view, dice)
    edge = dice.between(0.6, 0.7)
    wood = light.on(hexed(dice.choice(_WOODS)))
    first = int(height * edge)
    board = gradient((width, max(1, height - first)), (mix(wood, light.sun, 0.25), wood, scaled(wood, 0.62)))
    grain = noise(
        dice.child("grain"), (max(2, width // 2), max(2, (height - first) // 2)), (3, 24), 2
    ).resize(board.size)
    board = Image.blend(board, Image.merge("RGB", (grain, grain, grain)), 0.07)
    halo(board, width * (0.5 + 0.3 * light.side), 0, unit * 0.6, light.sun, 0.3, 1.6)
    image.paste(board, (0, first))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, first, width, first + max(0, int(unit * 0.004))), fill=mix(wood, (255, 246, 226), 0.5))
    if dice.chance(0.5):
        _cloth(view, dice.child("cloth"), edge)
    return Ground(y=edge + dice.between(0.15, 0.2))


def _wall(view: View, dice: Dice) -> None:
    """Paint a wall, with the light of a window on it."""
    image, light = view.image, view.light
    width, height = image.width, image.height
    low, high = dice.choice(_WALLS).split()
    tone = mix(light.tone, (255, 236, 214), 0.45)
    colours = [hue(hexed(text), dice.between(-0.03, 0.03)) for text in (high, low)]
    top, bottom = (mix(colour, lit(colour, tone), 0.9) for colour in colours)
    size = (max(2, width // 4), max(2, height // 4))
    soft = gradient(size, (scaled(bottom, 0.8), mix(top, bottom, 0.4), top))
    glare = mix(light.sun, top, 0.4)
    halo(soft, size[0] * (0.5 + 0.34 * light.side), size[1] * 0.2, min(size) * 1.1, glare, 0.5, 1.5)
    if dice.chance(0.7):
        _window_light(soft, light, dice)
    image.paste(soft.resize(image.size, Image.Resampling.BICUBIC))


def _window_light(soft: Image.Image, light: Light, dice: Dice) -> None:
    """Let the light of a window with four panes fall on a wall, aslant."""
    unit = min(soft.size)
    lean, side = -light.side * unit * 0.08, unit * dice.between(0.14, 0.19)
    x, y = soft.width * (0.5 - dice.between(0.1, 0.24) * light.side), soft.height * dice.between(0.06, 0.14)
    mask = Image.new("L", (2 * soft.width, 2 * soft.height))
    draw = ImageDraw.Draw(mask)
    for across in range(2):
        for down in range(2):
            left, upper = x + across * side * 1.16 - side + lean * 1.24 * down, y + down * side * 1.24
            pane = [(left, upper), (left + side, upper), (left + side + lean, upper + side * 1.1)]
            pane.append((left + lean, upper + side * 1.1))
            draw.polygon([(2 * px, 2 * py) for px, py in pane], fill=92)
    glass = Image.new("RGB", soft.size, mix(light.sun, (255, 255, 255), 0.3))
    soft.paste(glass, (0, 0), mask.reduce(2).filter(ImageFilter.BoxBlur(max(0.0, unit / 200))))


def _cloth(view: View, dice: Dice, edge: float) -> None:
    image, light, unit = view.image, view.light, view.unit
    width, height = image.width, image.height
    colour = light.on(hexed(dice.choice(("e8e0d0", "b5574a", "4f6f8f", "d8b66a", "6f8f7a"))))
    left, right = width * dice.between(0.1, 0.26), width * dice.between(0.74, 0.9)
    top = height * (edge + 0.06)
    body = [(left, top), (right, top), (right + unit * 0.1, height + 2), (left - unit * 0.1, height + 2)]
    overlay(
        image,
        body,
        lambda size: gradient(size, (mix(colour, (255, 255, 255), 0.18), colour, scaled(colour, 0.7))),
    )
    for _ in range(5):
        x = dice.between(left, right)
        lean = (x - (left + right) / 2) * 0.25
        fold = [
            (x, top + unit * 0.02),
            (x + unit * 0.012, top + unit * 0.02),
            (x + lean + unit * 0.05, height + 2),
            (x + lean, height + 2),
        ]
        polygon(image, fold, scaled(colour, 0.78), 0.35)


def _room(view: View) -> Ground:
    """A wall and a floor, or for a portrait a soft ground with blurred lights."""
    dice, image, light = view.dice.child("room"), view.image, view.light
    width, height, unit = image.width, image.height, view.unit
    _wall(view, dice)
    if any(one.subject.name == "portrait" for one in view.scene.subjects):
        for _ in range(16):
            halo(
                image,
                dice.part() * width,
                dice.part() * height,
                unit * dice.between(0.04, 0.13),
                light.sun,
                dice.between(0.08, 0.26),
                0.45,
            )
        return Ground(y=1.0)
    edge = int(height * 0.76)
    wood = light.on(hexed(dice.choice(_WOODS)))
    floor = gradient((width, max(1, height - edge)), (mix(wood, light.sun, 0.15), scaled(wood, 0.7)))
    image.paste(floor, (0, edge))
    draw = ImageDraw.Draw(image)
    for index in range(-6, 7):
        x = width / 2 + index * unit * 0.16
        draw.line(
            (x, edge, width / 2 + (x - width / 2) * 2.2, height),
            fill=scaled(wood, 0.72),
            width=max(1, unit // 300),
        )
    draw.rectangle((0, edge - int(unit * 0.03), width, edge), fill=light.on((226, 218, 204)))
    rug = [
        (
            width / 2 + unit * 0.42 * math.cos(a / 18 * math.pi),
            height * 0.9 + unit * 0.07 * math.sin(a / 18 * math.pi),
        )
        for a in range(36)
    ]
    carpet = light.on(hexed(dice.choice(("9c4a44", "44607f", "6f7f56", "c89a4f"))))
    polygon(image, rug, carpet)
    polygon(
        image,
        [(width / 2 + (x - width / 2) * 0.9, height * 0.9 + (y - height * 0.9) * 0.84) for x, y in rug],
        mix(carpet, (255, 240, 220), 0.22),
    )
    return Ground(y=0.91)


PLACES: Mapping[str, Callable[[View], Ground]] = MappingProxyType(
    {
        "city": city,
        "space": space,
        "moon": moon,
        "underwater": _underwater,
        "table": _table,
        "room": _room,
        "pattern": pattern,
    }
)
