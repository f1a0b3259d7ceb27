"""A city: rows of houses with windows that are lit in the dark, on water or on a street."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

from .canvas import gradient
from .dice import Dice
from .palette import Colour, hexed, mix, scaled
from .sky import Glow, Ground, View, sky
from .water import water

__all__ = ["city"]


def city(view: View) -> Ground:
    """Rows of houses before the sky, and water or a street before them."""
    dice, light = view.dice.child("city"), view.light
    standing = bool(view.scene.subjects)
    base = dice.between(0.7, 0.78)
    glow = (
        Glow((dice.between(0.3, 0.7), base - 0.06), 0.8, (255, 150, 90), 0.34) if light.dark > 0.5 else None
    )
    sky(view, base, glow)
    tone = hexed(dice.choice(("5a6480", "665a7a", "4f6a7c")))
    if view.shows("buildings"):
        for row, depth in enumerate((0.66, 0.42, 0.14)):
            tall = (0.34, 0.44, 0.38)[row] * dice.between(0.85, 1.15)
            _blocks(view, dice.child("row", row), base, tall, light.on(tone, depth), depth)
    if standing and dice.chance(0.7):
        return _street(view, base)
    water(view, base, hexed("24405f"))
    return Ground(y=0.93, water=base + 0.14, scale=0.85, front=None)


def _blocks(view: View, dice: Dice, base: float, tall: float, colour: Colour, depth: float) -> None:
    """Build a row of houses as high as a part of the height, with windows that are lit in the dark."""
    image, light, unit = view.image, view.light, view.unit
    foot, x = int(image.height * base), -unit * dice.between(0.0, 0.06)
    draw = ImageDraw.Draw(image)
    rise = dice.between(0.25, 0.75) * image.width
    while x < image.width:
        wide = unit * dice.between(0.05, 0.12) * (1.25 - depth)
        bump = math.exp(-(((x - rise) / (0.33 * image.width)) ** 2))
        top = foot - image.height * tall * (0.3 + 0.55 * bump + 0.35 * dice.part())
        shade = mix(colour, light.sky[0], dice.between(0.0, 0.22))
        left, right = int(x), int(x + wide)
        draw.rectangle((left, int(top), right, foot), fill=shade)
        lit_edge = mix(shade, light.sun, 0.3 * (1 - depth))
        edge = max(1, int(wide * 0.14))
        draw.rectangle(
            (left, int(top), left + edge, foot) if light.side < 0 else (right - edge, int(top), right, foot),
            fill=lit_edge,
        )
        kind = dice.part()
        if kind < 0.16:
            draw.polygon([(left, top), ((left + right) / 2, top - wide * 0.8), (right, top)], fill=shade)
        elif kind < 0.3:
            middle = (left + right) // 2
            draw.rectangle(
                (middle - max(1, unit // 500), int(top - unit * 0.07), middle, int(top)), fill=shade
            )
        elif kind < 0.48:
            inset = int(wide * 0.22)
            draw.rectangle((left + inset, int(top - unit * 0.025), right - inset, int(top)), fill=shade)
        _windows(view, dice, (left, int(top), right, foot), depth, shade)
        x += wide * dice.between(0.92, 1.12)


def _windows(view: View, dice: Dice, box: tuple[int, int, int, int], depth: float, shade: Colour) -> None:
    """Fill a house's front with rows of windows; in the dark a part of them is lit."""
    unit, dark = view.unit, view.light.dark
    left, top, right, foot = box
    step = max(3, round(unit * 0.0155 * (1.3 - depth)))
    gap = max(1, round(step * 0.5))
    columns, rows = (right - left - gap) // step, (foot - top - gap) // step
    if columns < 1 or rows < 1:
        return
    glass = mix(shade, view.light.sky[2], 0.4) if dark < 0.4 else scaled(shade, 0.8)
    warm = mix((255, 214, 132), view.light.horizon, depth * 0.55)
    cool = mix((190, 222, 240), view.light.horizon, depth * 0.5)
    share = 20 if dark < 0.3 else 76 if dark < 0.6 else dice.count(60, 140)
    thrown = Image.frombytes("L", (columns, rows), dice.child(left).raw(columns * rows))
    panes = Image.merge(
        "RGB",
        [
            thrown.point(
                [warm[band]] * (share * 4 // 5)
                + [cool[band]] * (share - share * 4 // 5)
                + [glass[band]] * (256 - share)
            )
            for band in range(3)
        ],
    )
    front = panes.resize((columns * step, rows * step), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(front)
    for column in range(columns):
        draw.rectangle((column * step + step - gap, 0, column * step + step - 1, front.height), fill=shade)
    for row in range(rows):
        draw.rectangle((0, row * step + step - gap, front.width, row * step + step - 1), fill=shade)
    view.image.paste(front, (left + (right - left - front.width + gap) // 2, top + gap))


def _street(view: View, base: float) -> Ground:
    """Lay a road before the houses, wet enough to shine."""
    image, light = view.image, view.light
    width, height, unit = image.width, image.height, view.unit
    water(view, base, (70, 74, 88))
    first = int(height * base)
    ground = gradient(
        (width, height - first),
        (light.on((120, 118, 126), 0.3), light.on((84, 82, 92)), scaled(light.on((70, 68, 80)), 0.8)),
    )
    image.paste(Image.blend(image.crop((0, first, width, height)), ground, 0.72), (0, first))
    kerb = light.on((170, 164, 158), 0.15)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, first, width, first + max(1, int(unit * 0.012))), fill=kerb)
    dash, y = unit * 0.09, int(height * (base + (1 - base) * 0.55))
    for index in range(int(width / dash) + 1):
        draw.rectangle(
            (index * 2 * dash, y, index * 2 * dash + dash, y + max(1, unit // 160)),
            fill=mix(kerb, light.sun, 0.3),
        )
    return Ground(y=min(0.95, base + 0.19))
