"""A picture from a scene: light, backdrop, subject, weather.

1. The same dice give the same picture; each part throws dice of its own.
2. What stands somewhere has a shadow, and what swims a reflection.
"""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from .canvas import Backdrop, Ground, glow
from .dice import Dice
from .figure import Figure, draw_figure
from .palette import Light, hexed, mix
from .scenery import paint_backdrop
from .words import Scene

__all__ = ["paint_scene"]

_ENCLOSED = frozenset({"space", "moon", "underwater", "pattern"})
_SMALLEST = 24  # pixels; below it there is nothing to be seen but colours


def paint_scene(scene: Scene, size: tuple[int, int], dice: Dice) -> Image.Image:
    """Paint a scene in the given size, in pixels."""
    light = _light_of(scene, dice)
    image = Image.new("RGB", size, light.horizon)
    colour = scene.tint or (scene.colour if scene.subject is None else None)
    backdrop = Backdrop(image, light, dice.child("backdrop"), scene.without, scene.weather, colour)
    if min(size) < _SMALLEST:
        image.paste(_plain(size, light, dice), (0, 0))
        return image
    ground = paint_backdrop(scene.setting, backdrop)
    if scene.subject is not None:
        for figure in _figures(scene, size, ground, dice.child("figure")):
            _stand(image, figure, ground, light)
    _weather(image, scene, light, dice.child("weather"))
    return image


def _plain(size: tuple[int, int], light: Light, dice: Dice) -> Image.Image:
    strip = Image.new("RGB", (2, 3))
    strip.putdata(
        [mix(colour, light.sun, dice.between(0, 0.5)) for colour in (*light.sky[1:], *light.sky[1:])]
    )
    return strip.resize(size, Image.Resampling.BILINEAR)


def _light_of(scene: Scene, dice: Dice) -> Light:
    light = Light.of("day" if scene.setting == "underwater" else scene.time, dice.child("light"))
    if "fog" in scene.weather:
        light = light.veiled(hexed("d5d8dc"), 0.55, 0.95)
    if "rain" in scene.weather:
        light = light.veiled(hexed("7f8a98"), 0.6, 0.8)
    if "clouds" in scene.weather:
        light = light.veiled(hexed("b5bcc6"), 0.3, 0.95)
    if "snowfall" in scene.weather:
        light = light.veiled(hexed("dfe6f0"), 0.3, 1.0)
    return light if scene.tint is None else light.tinted(scene.tint, 0.4)


def _figures(scene: Scene, size: tuple[int, int], ground: Ground, dice: Dice) -> list[Figure]:
    """The subjects with their places, the furthest first."""
    subject = scene.subject
    assert subject is not None  # noqa: S101
    width, height = size
    flipped = dice.chance(0.5)
    tall = subject.height * min(width, height) * dice.between(0.92, 1.18)
    tall = min(tall, 0.86 * width * 100 / subject.width, 0.8 * height)
    middle = dice.between(0.4, 0.6) if subject.width > 115 or tall > 0.5 * height else dice.between(0.3, 0.7)
    figures: list[Figure] = []
    for number in range(scene.several):
        part = 1 - 0.28 * number
        x = middle if number == 0 else middle + (0.3 * number) * (1 if middle < 0.5 else -1)
        bottom = ground.stand - 0.05 * number
        if subject.stands == "air":
            bottom = dice.between(0.56, 0.68) if scene.setting not in {"space", "underwater"} else 0.7
        elif subject.stands == "water" and ground.water:
            bottom = min(0.9, ground.horizon + dice.between(0.12, 0.2))
        elif ground.water:
            bottom = 0.95
        figures.append(
            Figure(subject, scene.colour, x * width, bottom * height, tall * part, flipped, 0.16 * number)
        )
    return figures[::-1]


def _stand(image: Image.Image, figure: Figure, ground: Ground, light: Light) -> None:
    subject = figure.subject
    swims = subject.stands == "water" and ground.water
    if subject.stands in {"ground", "table"} or (subject.stands == "water" and not ground.water):
        _shadow(image, figure, light)
    draw_figure(image, figure, light)
    if swims:
        _reflect(image, figure, light)


def _shadow(image: Image.Image, figure: Figure, light: Light) -> None:
    """A soft dark oval, away from the light."""
    half = figure.subject.width / 100 * figure.height * 0.44
    depth = half * 0.16
    margin = depth
    size = int(2 * (half + margin)) + 2, int(2 * (depth + margin)) + 2
    small = Image.new("L", (max(2, size[0] // 4), max(2, size[1] // 4)))
    inner = margin / 4
    ImageDraw.Draw(small).ellipse((inner, inner, small.width - inner, small.height - inner), fill=125)
    mask = small.filter(ImageFilter.GaussianBlur(max(0.5, depth / 9))).resize(size, Image.Resampling.BILINEAR)
    place = int(figure.x - light.side * half * 0.22 - size[0] / 2), int(figure.ground - size[1] / 2)
    image.paste(mix((18, 16, 32), light.sky[0], 0.25), place, mask)


def _reflect(image: Image.Image, figure: Figure, light: Light) -> None:
    """Turn what stands above the water line over, paler and broken by ripples."""
    left, top, right, _ = figure.box
    line = int(figure.ground)
    left, right, top = max(0, left), min(image.width, right), max(0, top)
    depth = min(image.height - line, int((line - top) * 0.7))
    if right - left < 2 or depth < 2:
        return
    above = image.crop((left, top, right, line))
    turned = ImageOps.flip(above).resize((right - left, depth), Image.Resampling.BILINEAR)
    mask = Image.new("L", (1, 8))
    mask.putdata([130, 110, 90, 70, 50, 32, 16, 0])
    fade = mask.resize((right - left, depth), Image.Resampling.BILINEAR)
    sides = Image.linear_gradient("L").rotate(90, expand=True).resize((right - left, depth))
    edge = sides.point([min(255, 6 * min(value, 255 - value)) for value in range(256)])
    draw = ImageDraw.Draw(fade)
    for row in range(3, depth, max(3, depth // 14)):
        draw.line([(0, row), (right - left, row)], fill=20, width=max(1, depth // 60))
    faint = Image.new("L", fade.size)
    faint.paste(fade, (0, 0), edge)
    image.paste(turned, (left, line), faint)
    bright = mix(light.sky[3], (255, 255, 255), 0.3)
    half = figure.subject.width / 200 * figure.height * 0.7
    ImageDraw.Draw(image).line(
        [(figure.x - half, line), (figure.x + half, line)], bright, max(1, image.height // 350)
    )


def _weather(image: Image.Image, scene: Scene, light: Light, dice: Dice) -> None:
    if scene.setting in _ENCLOSED:
        return
    draw, unit = ImageDraw.Draw(image), min(image.size)
    if "fog" in scene.weather:
        for _ in range(5):
            at = dice.part() * image.width, dice.between(0.5, 0.9) * image.height
            glow(image, at, unit * dice.between(0.3, 0.6), mix(light.horizon, (255, 255, 255), 0.3), 0.5)
    if scene.setting in {"table", "room"}:
        return
    if "rain" in scene.weather:
        shade = mix(light.sky[3], (235, 240, 248), 0.5)
        for _ in range(170):
            x, y = dice.between(-0.1, 1.1) * image.width, dice.part() * image.height
            long = unit * dice.between(0.02, 0.05)
            draw.line([(x, y), (x - long * 0.25, y + long)], shade, max(1, unit // 500))
    if "snowfall" in scene.weather:
        for _ in range(150):
            x, y = dice.part() * image.width, dice.part() * image.height
            r = unit * dice.choice((0.0018, 0.0026, 0.0034, 0.0056))
            draw.ellipse((x - r, y - r, x + r, y + r), fill=mix(light.sky[2], (255, 255, 255), 0.85))
