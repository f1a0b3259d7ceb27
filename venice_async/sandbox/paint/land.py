"""Hills, mountains, forests and deserts: what lies further off is paler."""

from __future__ import annotations

from PIL import ImageDraw

from .canvas import Backdrop, Ground, area, at, glow, gradient, ridge
from .dice import Dice
from .palette import Colour, hexed, hue, mix, scaled
from .sky import paint_sky

__all__ = ["desert", "far_ridges", "field", "forest", "hills", "mountains", "pines", "snow"]


def far_ridges(backdrop: Backdrop, horizon: float, layers: int, rise: float, colour: Colour) -> None:
    """Mountains behind mountains, the further the paler."""
    for layer in range(layers):
        distance = 0.78 - 0.5 * layer / max(1, layers - 1)
        dice = backdrop.dice.child("ridge", layer)
        line = ridge(backdrop, horizon + 0.03 + 0.05 * layer, rise * (1 - 0.28 * layer), 0.52, dice)
        near = backdrop.light.on(colour, distance)
        foot = mix(near, backdrop.light.horizon, 0.45)
        area(backdrop, line, gradient((1, 64), (mix(near, backdrop.light.sun, 0.08), near, foot, foot)))


def hills(backdrop: Backdrop, green: str = "7fa24a", rise: float = 0.14, *, trees: bool = True) -> Ground:
    """Rolling hills before mountains; greener or barer as told."""
    horizon = backdrop.dice.child("horizon").between(0.5, 0.6)
    paint_sky(backdrop, horizon + 0.1)
    far_ridges(backdrop, horizon, 2, 0.16, hexed("6f7f95"))
    base = hexed("c98a3a") if "autumn" in backdrop.weather else hexed(green)
    for layer in range(4):
        dice = backdrop.dice.child("hill", layer)
        tone = hue(scaled(base, 0.98 - 0.1 * layer), dice.between(-0.03, 0.03))
        near = backdrop.light.on(tone, 0.42 - 0.13 * layer)
        top = mix(near, backdrop.light.sun, 0.22)
        line = ridge(backdrop, horizon + 0.07 + 0.1 * layer, rise * (1 - 0.18 * layer), 0.3, dice)
        area(backdrop, line, gradient((1, 64), (top, near, scaled(near, 0.86), scaled(near, 0.7))))
        if trees and layer in {1, 2} and "trees" not in backdrop.without:
            _trees_along(backdrop, line, 0.05 + 0.02 * layer, 0.42 - 0.13 * layer, dice, count=5 - layer)
    return Ground(horizon, 0.9)


def field(backdrop: Backdrop) -> Ground:
    """A meadow with grass and flowers in front."""
    ground = hills(backdrop, "8fae4c", 0.07)
    _tufts(backdrop, 0.8)
    return ground


def snow(backdrop: Backdrop) -> Ground:
    """White hills with snowy pines."""
    ground = hills(backdrop, "eef2f7", 0.1, trees=False)
    if "trees" not in backdrop.without:
        dice = backdrop.dice.child("pines")
        for row in range(2):
            line = [(x * backdrop.width, (0.66 + 0.07 * row) * backdrop.height) for x in (0, 0.5, 1)]
            pines(backdrop, line, 0.11 + 0.06 * row, 0.45 - 0.2 * row, dice.child(row), snowy=True)
    return ground


def mountains(backdrop: Backdrop) -> Ground:
    """Ridges behind ridges."""
    horizon = backdrop.dice.child("horizon").between(0.52, 0.6)
    paint_sky(backdrop, horizon + 0.12)
    far_ridges(backdrop, horizon + 0.04, 4, 0.42, hexed("56627a"))
    dice = backdrop.dice.child("near")
    near = backdrop.light.on(hexed("5d7048"), 0.08)
    line = ridge(backdrop, 0.84, 0.1, 0.32, dice)
    if "trees" not in backdrop.without:
        pines(backdrop, line, 0.1, 0.3, dice, snowy=False)
    area(backdrop, line, gradient((1, 64), (mix(near, backdrop.light.sun, 0.15), near, scaled(near, 0.75))))
    return Ground(horizon, 0.93)


def forest(backdrop: Backdrop) -> Ground:
    """Rows of trees, the nearest dark."""
    paint_sky(backdrop, 0.75)
    light = backdrop.light
    autumn = "autumn" in backdrop.weather
    for layer in range(4):
        dice = backdrop.dice.child("trees", layer)
        base = 0.64 + 0.07 * layer
        line = [
            (x * backdrop.width, (base + dice.between(-0.01, 0.01)) * backdrop.height)
            for x in (0, 0.3, 0.7, 1)
        ]
        pines(backdrop, line, 0.3 + 0.1 * layer, 0.72 - 0.2 * layer, dice, snowy=False, autumn=autumn)
        earth = light.on(hexed("8a6a3f" if autumn else "6b7d45"), 0.5 - 0.15 * layer)
        area(backdrop, line, gradient((1, 64), (mix(earth, light.sun, 0.2), earth, scaled(earth, 0.7))))
    glow(
        backdrop.image,
        (light.at[0] * backdrop.width, 0.4 * backdrop.height),
        0.5 * backdrop.height,
        light.sun,
        0.35,
    )
    _tufts(backdrop, 0.88)
    return Ground(0.62, 0.92)


def pines(
    backdrop: Backdrop,
    line: list[tuple[float, float]],
    height: float,
    distance: float,
    dice: Dice,
    *,
    snowy: bool,
    autumn: bool = False,
) -> None:
    """A row of trees whose feet stand on a line; its height in parts of the picture's."""
    x = -0.03 * backdrop.width
    step = height * backdrop.height * 0.32
    while x < backdrop.width * 1.03:
        foot = at(line, x) + dice.between(0, 0.02) * backdrop.height
        tall = height * backdrop.height * dice.between(0.6, 1.1)
        tone = hexed(dice.choice(("b5602a", "c98a30", "9c4a2a", "7d7a3a")) if autumn else "35573f")
        colour = backdrop.light.on(hue(tone, dice.between(-0.02, 0.02)), distance)
        _pine(backdrop, (x, foot), tall, colour, snowy=snowy)
        x += step * dice.between(0.45, 1.8)


def _pine(backdrop: Backdrop, foot: tuple[float, float], tall: float, colour: Colour, *, snowy: bool) -> None:
    draw, (x, y) = ImageDraw.Draw(backdrop.image), foot
    draw.rectangle((x - tall * 0.02, y - tall * 0.12, x + tall * 0.02, y), fill=scaled(colour, 0.6))
    lighter = mix(colour, backdrop.light.sun, 0.16)
    for tier in range(4):
        low, high = y - tall * (0.08 + 0.21 * tier), y - tall * (0.42 + 0.195 * tier)
        half = tall * (0.22 - 0.045 * tier)
        draw.polygon([(x - half, low), (x, high), (x + half, low)], fill=colour)
        side = half * backdrop.light.side
        draw.polygon([(x, high), (x + side, low), (x + side * 0.25, low)], fill=lighter)
        if snowy:
            cap = backdrop.light.on((244, 247, 252), 0.1)
            draw.polygon(
                [(x, high), (x - half * 0.5, (low + high) / 2), (x + half * 0.2, (2 * low + 3 * high) / 5)],
                fill=cap,
            )


def _trees_along(
    backdrop: Backdrop,
    line: list[tuple[float, float]],
    height: float,
    distance: float,
    dice: Dice,
    *,
    count: int,
) -> None:
    """Round trees here and there on a line."""
    draw = ImageDraw.Draw(backdrop.image)
    autumn = "autumn" in backdrop.weather
    for _ in range(count * 2):
        x = dice.part() * backdrop.width
        foot = at(line, x) + 0.01 * backdrop.height
        tall = height * backdrop.height * dice.between(0.6, 1.2)
        tone = hexed(
            dice.choice(("c0662c", "d09a35", "a8502a"))
            if autumn
            else dice.choice(("4f7040", "5f8045", "456a4a"))
        )
        colour = backdrop.light.on(tone, distance)
        draw.line([(x, foot), (x, foot - tall * 0.5)], scaled(colour, 0.6), max(1, int(tall * 0.08)))
        for _ in range(4):
            dx, dy, r = (
                dice.between(-0.2, 0.2) * tall,
                dice.between(0.45, 0.85) * tall,
                tall * dice.between(0.2, 0.3),
            )
            draw.ellipse((x + dx - r, foot - dy - r, x + dx + r, foot - dy + r), fill=colour)
        r = tall * 0.16
        cx, cy = x + r * backdrop.light.side, foot - tall * 0.8
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=mix(colour, backdrop.light.sun, 0.25))


def _tufts(backdrop: Backdrop, top: float) -> None:
    """Grass and small flowers in the foreground."""
    dice, draw = backdrop.dice.child("tufts"), ImageDraw.Draw(backdrop.image)
    side = min(backdrop.width, backdrop.height)
    green = backdrop.light.on(hexed("a8813a" if "autumn" in backdrop.weather else "6f9440"))
    for _ in range(90):
        x, y = dice.part() * backdrop.width, dice.between(top, 1.02) * backdrop.height
        tall = side * dice.between(0.015, 0.05)
        lean = dice.between(-0.4, 0.4) * tall
        shade = mix(green, backdrop.light.sun, dice.between(0, 0.35))
        draw.line(
            [(x, y), (x + lean * 0.3, y - tall * 0.6), (x + lean, y - tall)], shade, max(1, int(side / 400))
        )
        if dice.chance(0.18) and "flowers" not in backdrop.without:
            petal = backdrop.light.on(hexed(dice.choice(("f2e9d8", "f0c440", "e0708f", "c9a0dc"))))
            r = side * 0.005
            draw.ellipse((x + lean - r, y - tall - r, x + lean + r, y - tall + r), fill=petal)


def desert(backdrop: Backdrop) -> Ground:
    """Dunes."""
    horizon = backdrop.dice.child("horizon").between(0.5, 0.58)
    paint_sky(backdrop, horizon + 0.1)
    far_ridges(backdrop, horizon, 1, 0.12, hexed("a8705a"))
    for layer in range(4):
        dice = backdrop.dice.child("dune", layer)
        sand = backdrop.light.on(hue(hexed("dfa55f"), dice.between(-0.015, 0.01)), 0.4 - 0.12 * layer)
        line = ridge(backdrop, horizon + 0.07 + 0.1 * layer, 0.12, 0.25, dice)
        area(
            backdrop, line, gradient((1, 64), (mix(sand, backdrop.light.sun, 0.45), sand, scaled(sand, 0.8)))
        )
    return Ground(horizon, 0.9)
