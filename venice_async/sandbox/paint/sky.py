"""The sky: its gradient, the sun or the moon, clouds, stars and the northern lights.

1. All that is soft is painted on a quarter of the width and enlarged once.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, frozen
from PIL import Image, ImageChops, ImageDraw

from .canvas import gradient, halo, noise, ramp, threshold
from .dice import Dice
from .palette import Colour, Light, lit, mix
from .words import Scene

__all__ = ["Glow", "Ground", "View", "sky"]

_SOFT = 4


@define
class View:
    """A picture in the making.

    Attributes:
        image: What is painted so far.
        scene: What is to be seen.
        light: The light that it is seen in.
        dice: Of this picture; each part takes a child.
    """

    image: Image.Image
    scene: Scene
    light: Light
    dice: Dice

    @property
    def unit(self) -> int:
        """The shorter side in pixels: what sizes are measured by."""
        return min(self.image.size)

    def shows(self, part: str) -> bool:
        """Tell whether a part of landscapes may be seen."""
        return part not in self.scene.without


@frozen
class Ground:
    """Where figures stand in a place: parts of the picture's height.

    Attributes:
        y: Where their feet are.
        water: Where water begins, for what swims; None without water.
        scale: How much smaller than usual they are.
        x: Where the chief one is, as a part of the width; None for anywhere.
        front: Paints what lies before the figures.
    """

    y: float = 0.88
    water: float | None = None
    scale: float = 1.0
    x: float | None = None
    front: Callable[[View], None] | None = None


@frozen
class Glow:
    """A light of its own in the sky: where, in parts of the width and the height, how great, how strong."""

    at: tuple[float, float]
    radius: float
    colour: Colour
    strength: float


def sky(view: View, horizon: float, glow: Glow | None = None) -> None:
    """Paint the sky down to the horizon, a part of the height, and some way below."""
    image, light, dice = view.image, view.light, view.dice.child("sky")
    size = (max(2, image.width // _SOFT), max(2, image.height // _SOFT))
    edge = max(1, int(size[1] * horizon))
    soft = Image.new("RGB", size, light.horizon)
    soft.paste(gradient((size[0], edge), light.sky))
    x, y = light.at[0] * size[0], edge * (1 - light.at[1])
    unit = min(size)
    disc = view.shows("sun") and not _overcast(view)
    night = light.dark > 0.9
    halo(soft, x, y, unit * (0.7 if night else 1.3), mix(light.sun, light.sky[2], 0.45), 0.55, 2.2)
    if disc:
        halo(soft, x, y, unit * 0.36, light.sun, 0.75, 2.4)
    if glow is not None:
        place = (glow.at[0] * size[0], glow.at[1] * size[1])
        halo(soft, *place, glow.radius * unit, glow.colour, glow.strength, 1.5)
    if night and not _overcast(view):
        _milky_way(soft, dice.child("milky way"), edge, light)
    if "aurora" in view.scene.weather:
        _aurora(soft, dice.child("aurora"), edge)
    if view.shows("clouds"):
        _clouds(soft, view, dice.child("clouds"), edge)
    # Below the horizon there will be land; as much as its hollows may show is painted.
    rows = min(size[1], int(size[1] * (horizon + 0.2)) + 1)
    upper = soft.crop((0, 0, size[0], rows))
    image.paste(upper.resize((image.width, rows * image.height // size[1]), Image.Resampling.BILINEAR))
    if light.dark > 0.6 and view.shows("stars"):
        _stars(image, dice.child("stars"), int(image.height * horizon), light.dark)
    if disc:
        _disc(image, view, (light.at[0] * image.width, image.height * horizon * (1 - light.at[1])))


def _overcast(view: View) -> bool:
    """Tell whether the weather hides the sun and the moon."""
    return bool(view.scene.weather & {"storm", "rain", "fog", "snow"})


def _milky_way(soft: Image.Image, dice: Dice, edge: int, light: Light) -> None:
    """Lay a pale band of far stars aslant over the sky."""
    if not dice.chance(0.7):
        return
    size = (soft.width, max(2, edge))
    start, end = dice.between(-0.1, 0.5) * size[0], dice.between(0.5, 1.1) * size[0]
    if dice.chance(0.5):
        start, end = end, start
    band, wide = Image.new("L", size), size[0] * dice.between(0.05, 0.1)
    draw = ImageDraw.Draw(band)
    for spread, bright in ((2.2, 70), (1.2, 140), (0.5, 210)):
        reach = wide * spread
        draw.polygon(
            [(start - reach, 0), (start + reach, 0), (end + reach, size[1]), (end - reach, size[1])],
            fill=bright,
        )
    small = (max(2, size[0] // 6), max(2, size[1] // 6))
    band = band.resize(small, Image.Resampling.BOX).resize(size, Image.Resampling.BICUBIC)
    dust = threshold(noise(dice, size, (5, 5), 4), 84, 196, 190)
    colour = mix(mix(light.sky[3], (255, 240, 250), 0.6), light.sky[2], 0.2)
    soft.paste(Image.new("RGB", size, colour), (0, 0), ImageChops.multiply(band, dust))


def _disc(image: Image.Image, view: View, at: tuple[float, float]) -> None:
    light, night = view.light, view.light.dark > 0.9
    radius = view.unit * (0.05 if night else 0.045 if light.dark == 0 else 0.065)
    if radius < 0.6:
        return
    left, top, side = int(at[0] - radius) - 1, int(at[1] - radius) - 1, int(2 * radius) + 3
    mask = Image.new("L", (2 * side, 2 * side))
    draw = ImageDraw.Draw(mask)
    x, y = 2 * (at[0] - left), 2 * (at[1] - top)
    draw.ellipse((x - 2 * radius, y - 2 * radius, x + 2 * radius, y + 2 * radius), fill=255)
    disc = Image.new("RGB", (2 * side, 2 * side), mix(light.sun, (255, 255, 255), 0.45))
    if night:
        shade, spots = mix(mix(light.sun, (255, 255, 255), 0.3), light.sky[2], 0.22), ImageDraw.Draw(disc)
        for dx, dy, size in (
            (-0.5, -0.7, 0.62),
            (0.35, 0.1, 0.78),
            (-0.75, 0.55, 0.3),
            (0.9, -0.8, 0.26),
            (0.1, 1.1, 0.34),
            (-1.2, -0.1, 0.24),
        ):
            middle, extent = (x + dx * radius, y + dy * radius), size * radius
            spots.ellipse(
                (middle[0] - extent, middle[1] - extent, middle[0] + extent, middle[1] + extent), fill=shade
            )
    image.paste(disc.reduce(2), (left, top), mask.reduce(2))


def _clouds(soft: Image.Image, view: View, dice: Dice, edge: int) -> None:
    """Lay clouds over the sky: shaded below, bright where the light falls on them."""
    weather, light = view.scene.weather, view.light
    heavy = bool(weather & {"storm", "rain", "clouds", "snow"})
    cover = dice.between(96, 116) if heavy else dice.between(128, 152)
    cells = (dice.count(2, 3), dice.count(5, 8)) if not heavy else (2, 4)
    size = (soft.width, max(2, int(edge * 1.02)))
    field = noise(dice, size, cells, 4)
    body = threshold(field, cover, cover + 44, 235 if heavy else 205)
    fade = ramp(size, lambda down: 0.24 + 1.1 * down)
    white = lit((255, 250, 244), mix(light.tone, light.sky[3], 0.5))
    shade = mix(light.sky[1], light.sky[2], 0.55)
    if "storm" in weather:
        white, shade = mix(white, (70, 76, 92), 0.65), mix(shade, (38, 42, 56), 0.7)
    step = max(1, size[1] // 26)
    moved = ImageChops.offset(threshold(field, cover + 10, cover + 62, 225), int(step * light.side), -step)
    under = ImageChops.multiply(body, fade)
    soft.paste(Image.new("RGB", size, shade), (0, 0), under.point(lambda value: value * 0.75))
    soft.paste(Image.new("RGB", size, white), (0, 0), ImageChops.multiply(moved, under))


def _aurora(soft: Image.Image, dice: Dice, edge: int) -> None:
    size = (soft.width, max(2, edge))
    curtain = noise(dice, size, (9, 1), 3)
    bands = noise(dice.child("bands"), size, (2, 3), 2)
    mask = threshold(Image.blend(curtain, bands, 0.5), 112, 190, 190)
    mask = ImageChops.multiply(mask, ramp(size, lambda down: 2 - 2 * down))
    colours = ((70, 60, 170), (50, 190, 160), (110, 240, 160))
    soft.paste(gradient(size, colours), (0, 0), mask)


def _stars(image: Image.Image, dice: Dice, bottom: int, dark: float) -> None:
    """Scatter stars, more and brighter the darker and the higher."""
    unit = min(image.size)
    count = int((40 + 150 * (dark - 0.6)) * min(4.0, max(image.size) / max(1, unit)))
    if unit < 24:
        return
    draw = ImageDraw.Draw(image, "RGBA")
    for _ in range(count):
        x, y, size, bright = dice.part(), dice.part() ** 1.6, dice.part() ** 4, dice.part()
        radius = unit * (0.0007 + 0.0022 * size)
        at = (x * image.width, y * bottom * 0.9)
        colour = (255, 250, 238, int(255 * (0.35 + 0.65 * bright) * min(1.0, dark)))
        draw.ellipse((at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius), fill=colour)
