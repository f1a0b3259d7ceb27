"""Space, and the surface of a moon: clouds of light, stars, planets."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

from .canvas import ROUND, Points, fill, gradient, halo, noise, polygon, ridge, threshold
from .dice import Dice
from .palette import Colour, hexed, hue, mix, scaled
from .sky import Ground, View

__all__ = ["moon", "space"]


def space(view: View) -> Ground:
    """Planets before clouds of light."""
    dice, image = view.dice.child("space"), view.image
    _nebula(view, dice)
    side = dice.choice((0.22, 0.78))
    at = (image.width * (side + dice.between(-0.08, 0.08)), image.height * dice.between(0.2, 0.42))
    if not view.scene.subjects:
        at = (image.width * dice.between(0.36, 0.64), image.height * dice.between(0.4, 0.56))
    big = 0.14 if view.scene.subjects else 0.24
    _planet(view, dice.child("planet"), at, view.unit * dice.between(big, big * 1.4), ring=dice.chance(0.6))
    moon = (image.width * (1 - side), image.height * dice.between(0.12, 0.3))
    _planet(view, dice.child("moon"), moon, view.unit * dice.between(0.03, 0.06), ring=False)
    return Ground(y=0.84)


def moon(view: View) -> Ground:
    """A dusty ground with craters, a planet over it."""
    dice, image = view.dice.child("lunar"), view.image
    _nebula(view, dice)
    width, height, unit = image.width, image.height, view.unit
    x = width * dice.choice((dice.between(0.18, 0.32), dice.between(0.68, 0.82)))
    _planet(
        view,
        dice.child("planet"),
        (x, height * dice.between(0.22, 0.34)),
        unit * dice.between(0.12, 0.19),
        ring=dice.chance(0.4),
    )
    dust = hexed(dice.choice(("b9b4ae", "c78a66", "a8a9b8")))
    for row in range(3):
        line = ridge(dice.child("row", row), width, height * (0.68 + 0.08 * row), unit * 0.03, 0.46)
        near = scaled(dust, 0.5 + 0.2 * row)
        fill(image, line, mix(near, (255, 250, 240), 0.14), scaled(near, 0.72))
    for _ in range(9):
        x, y = dice.part() * width, height * dice.between(0.86, 0.99)
        half = unit * dice.between(0.02, 0.07)
        for grow, tone in ((1.0, 0.62), (0.86, 0.78)):
            ring = [
                (
                    x + half * grow * math.cos(a / 12 * math.pi),
                    y + half * 0.26 * grow * math.sin(a / 12 * math.pi) + (1 - grow) * half,
                )
                for a in range(24)
            ]
            polygon(image, ring, scaled(dust, tone), 0.8)
    return Ground(y=0.9)


def _nebula(view: View, dice: Dice) -> None:
    """Fill the picture with the dark, coloured clouds and stars."""
    image, unit = view.image, view.unit
    size = (max(2, image.width // 6), max(2, image.height // 6))
    deep = hue((10, 11, 30), dice.between(-0.08, 0.08))
    soft = gradient(size, (deep, scaled(deep, 1.9), scaled(deep, 0.7)))
    tints = dice.choice(
        (("b8408a", "3f6fd8"), ("e0704a", "6a3fb0"), ("2fa89a", "4a4fd0"), ("d8a24a", "a03f78"))
    )
    for index, tint in enumerate(tints):
        cloud = threshold(_swirled(dice.child("cloud", index), size), 108, 206, 205)
        soft.paste(Image.new("RGB", size, hexed(tint)), (0, 0), cloud)
    bright = threshold(_swirled(dice.child("heart"), size), 150, 216, 150)
    soft.paste(Image.new("RGB", size, (255, 226, 206)), (0, 0), bright)
    image.paste(soft.resize(image.size, Image.Resampling.BICUBIC))
    if unit < 24 or not view.shows("stars"):
        return
    draw, stars = ImageDraw.Draw(image), dice.child("stars")
    for _ in range(230):
        x, y, size_of_it = stars.part() * image.width, stars.part() * image.height, stars.part() ** 5
        radius = unit * (0.0008 + 0.0032 * size_of_it)
        glow = mix(hexed(tints[0]), (255, 252, 244), stars.between(0.5, 1.0))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=glow)
        if size_of_it > 0.86:
            halo(image, x, y, radius * 9, glow, 0.6, 3)


def _swirled(dice: Dice, size: tuple[int, int]) -> Image.Image:
    """Make clouds in which no rows and columns show: noise, turned."""
    side = int(1.5 * max(size)) + 2
    turned = noise(dice, (side, side), (3, 3), 5).rotate(dice.between(20, 70), Image.Resampling.BILINEAR)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return turned.crop((left, top, left + size[0], top + size[1]))


def _planet(view: View, dice: Dice, at: tuple[float, float], radius: float, *, ring: bool) -> None:
    """Hang up a striped planet, lit from the light's side."""
    image = view.image
    side = max(4, int(2 * radius))
    colour = hexed(dice.choice(("d8905a", "5f8fd0", "c86a8a", "7fb0a0", "b08ad0", "d9b26a")))
    stripes = noise(dice, (side, side), (1, 7), 3)
    tones = [
        mix(scaled(colour, 0.55), mix(colour, (255, 244, 224), 0.5), value / 255) for value in range(256)
    ]
    table = [tone[channel] for channel in range(3) for tone in tones]
    ball = threshold(stripes, 60, 200).convert("RGB").point(table)
    shade = ROUND.resize((2 * side, 2 * side), Image.Resampling.BILINEAR)
    offset = int(side * (0.3 if view.light.side < 0 else 0.7))
    shade = shade.crop((side - offset, int(side * 0.66), 2 * side - offset, int(side * 1.66)))
    night = Image.new("RGB", (side, side), scaled(mix(colour, (10, 10, 34), 0.86), 0.6))
    ball.paste(night, (0, 0), threshold(shade, 38, 122))
    mask = Image.new("L", (2 * side, 2 * side))
    ImageDraw.Draw(mask).ellipse((0, 0, 2 * side - 1, 2 * side - 1), fill=255)
    halo(image, at[0], at[1], radius * 1.5, colour, 0.5, 1.5)
    if ring:
        _ring(image, at, radius, colour, behind=True)
    image.paste(ball, (int(at[0] - radius), int(at[1] - radius)), mask.reduce(2))
    if ring:
        _ring(image, at, radius, colour, behind=False)


def _ring(
    image: Image.Image, at: tuple[float, float], radius: float, colour: Colour, *, behind: bool
) -> None:
    for scale, opacity in ((1.5, 0.75), (1.68, 0.45), (1.84, 0.65)):
        points: Points = []
        for size in (scale, scale + 0.12):
            arc = [math.pi * (index / 24 + (1 if behind else 0)) for index in range(25)]
            turned = [
                (
                    at[0] + radius * size * (math.cos(a) * 0.97) - radius * size * math.sin(a) * 0.06,
                    at[1] + radius * size * math.sin(a) * 0.27 + radius * size * math.cos(a) * -0.24,
                )
                for a in arc
            ]
            points = [*points, *(reversed(turned) if points else turned)]
        polygon(image, points, mix(colour, (255, 240, 220), 0.45), opacity)
