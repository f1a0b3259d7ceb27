"""Water: it shows what is above it, and the path of the light."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageOps

from .canvas import Backdrop, Ground, area, gradient, ridge
from .land import far_ridges, pines
from .palette import Colour, hexed, mix, scaled
from .sky import paint_sky

__all__ = ["lake", "sea"]

_SMOOTH = Image.Resampling.BICUBIC


def sea(backdrop: Backdrop) -> Ground:
    """The open sea, perhaps with islands and a shore."""
    horizon = backdrop.dice.child("horizon").between(0.52, 0.62)
    paint_sky(backdrop, horizon)
    dice = backdrop.dice.child("islands")
    if dice.chance(0.6):
        far = backdrop.light.on(hexed("64708a"), 0.7)
        line = ridge(backdrop, horizon + 0.004, 0.07, 0.45, dice)
        area(backdrop, line, far)
    _water(backdrop, horizon, hexed("2f6f92"))
    if backdrop.dice.child("rocks").chance(0.7):
        rock = backdrop.light.on(hexed("5a5450"), 0.05)
        line = ridge(backdrop, 0.97, 0.09, 0.5, backdrop.dice.child("shore"))
        area(
            backdrop, line, gradient((1, 64), (mix(rock, backdrop.light.sun, 0.25), rock, scaled(rock, 0.6)))
        )
    return Ground(horizon, 0.9, water=True)


def lake(backdrop: Backdrop) -> Ground:
    """A lake before mountains, which it mirrors."""
    horizon = backdrop.dice.child("horizon").between(0.5, 0.58)
    paint_sky(backdrop, horizon)
    far_ridges(backdrop, horizon - 0.03, 2, 0.26, hexed("5f6d80"))
    line = ridge(backdrop, horizon, 0.02, 0.3, backdrop.dice.child("bank"))
    if "trees" not in backdrop.without:
        pines(backdrop, line, 0.09, 0.3, backdrop.dice.child("trees"), snowy=False)
    _mirror(backdrop, horizon)
    return Ground(horizon, 0.86, water=True)


def _mirror(backdrop: Backdrop, horizon: float) -> None:
    """Let still water show what is above it."""
    top = int(backdrop.height * horizon)
    depth = backdrop.height - top
    if top < 2 or depth < 2:
        return
    above = backdrop.image.crop((0, max(0, top - depth), backdrop.width, top))
    small = above.resize((max(1, backdrop.width // 3), max(1, depth // 6)), Image.Resampling.BOX)
    mirrored = ImageOps.flip(small).resize((backdrop.width, depth), _SMOOTH)
    deep = gradient(
        (backdrop.width, depth), (backdrop.light.sky[2], mix(backdrop.light.sky[1], hexed("274a5e"), 0.6))
    )
    backdrop.image.paste(Image.blend(mirrored, deep, 0.38), (0, top))
    _waves(backdrop, horizon, 26, 0.3)


def _water(backdrop: Backdrop, horizon: float, colour: Colour) -> None:
    """Open water with the path of the sun or the moon on it."""
    light, top = backdrop.light, int(backdrop.height * horizon)
    near = light.on(colour)
    far = mix(light.sky[3], light.on(colour, 0.3), 0.5)
    size = backdrop.width, max(1, backdrop.height - top)
    backdrop.image.paste(gradient(size, (far, mix(far, near, 0.6), near, scaled(near, 0.72))), (0, top))
    dice, draw = backdrop.dice.child("path"), ImageDraw.Draw(backdrop.image)
    if not backdrop.without & {"sun", "moon"}:
        for row in range(46):
            part = (row / 45) ** 1.5
            y = top + part * size[1]
            wide = backdrop.width * (0.012 + 0.1 * part) * dice.between(0.3, 1.3)
            x = light.at[0] * backdrop.width + dice.between(-0.5, 0.5) * wide
            shade = mix(far if part < 0.3 else near, light.sun, 0.85 - 0.5 * part)
            draw.line([(x - wide, y), (x + wide, y)], shade, max(1, int(size[1] * (0.002 + 0.008 * part))))
    _waves(backdrop, horizon, 70, 0.5)


def _waves(backdrop: Backdrop, horizon: float, count: int, strength: float) -> None:
    dice, draw = backdrop.dice.child("waves"), ImageDraw.Draw(backdrop.image)
    top, depth = horizon * backdrop.height, (1 - horizon) * backdrop.height
    bright = mix(backdrop.light.sky[3], (255, 255, 255), 0.2)
    under = backdrop.light.on(hexed("2f6f92"))
    for _ in range(count):
        part = dice.part() ** 1.3
        x, y = dice.part() * backdrop.width, top + depth * (0.02 + 0.98 * part)
        wide = backdrop.width * (0.012 + 0.07 * part) * dice.between(0.4, 1)
        shade = mix(under, bright, strength * dice.between(0.3, 1) * (1 - 0.5 * part))
        bend = depth * 0.006 * part
        draw.line(
            [(x - wide, y), (x, y - bend), (x + wide, y)], shade, max(1, int(depth * (0.002 + 0.005 * part)))
        )
