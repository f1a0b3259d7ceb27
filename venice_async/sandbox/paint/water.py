"""Water: what it mirrors, how it ripples, where it breaks."""

from __future__ import annotations

from PIL import Image, ImageDraw

from .canvas import Points, gradient, ramp
from .dice import Dice
from .palette import Colour, mix, scaled
from .sky import View

__all__ = ["foam", "mirror", "water"]


def water(view: View, top: float, deep: Colour, bottom: float = 1.0) -> None:
    """Lay water from one part of the height to another: it mirrors what is above, and glitters."""
    image, light, dice = view.image, view.light, view.dice.child("water")
    width, first, last = image.width, int(image.height * top), int(image.height * bottom)
    height = last - first
    if height < 1 or first < 1:
        return
    mirrored = image.crop((0, max(0, first - height), width, first)).transpose(
        Image.Transpose.FLIP_TOP_BOTTOM
    )
    surface = mirrored.resize((max(1, width // 3), max(1, height // 6)), Image.Resampling.BOX, reducing_gap=2)
    surface = surface.resize((width, height), Image.Resampling.BILINEAR)
    depth = gradient(
        (width, height),
        (mix(light.horizon, light.on(deep), 0.35), light.on(deep), scaled(light.on(deep), 0.72)),
    )
    veil = ramp((width, height), lambda down: 0.35 + 0.5 * down)
    surface.paste(depth, (0, 0), veil)
    image.paste(surface, (0, first))
    ripples(image, view, dice, first, last)


def mirror(view: View, top: float) -> None:
    """Lay still water: what is above stands in it upside down, a little darker and rippled."""
    image, light, dice = view.image, view.light, view.dice.child("mirror")
    width, first = image.width, int(image.height * top)
    height = image.height - first
    if first < 1 or height < 1:
        return
    surface = image.crop((0, max(0, first - height), width, first)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    if surface.size != (width, height):
        surface = surface.resize((width, height), Image.Resampling.BILINEAR)
    slices = max(2, min(60, height // 4))
    mesh = []
    for index in range(slices):
        y0, y1 = height * index // slices, height * (index + 1) // slices
        shift = dice.between(-1, 1) * view.unit * 0.012 * (0.25 + index / slices)
        mesh.append(((0, y0, width, y1), (shift, y0, shift, y1, width + shift, y1, width + shift, y0)))
    rippled = surface.transform((width, height), Image.Transform.MESH, mesh, Image.Resampling.NEAREST)
    surface.paste(rippled.crop((width // 50, 0, width - width // 50, height)), (width // 50, 0))
    tint = light.on((44, 88, 118))
    veil = ramp((width, height), lambda down: 0.16 + 0.42 * down)
    surface.paste(Image.new("RGB", (width, height), tint), (0, 0), veil)
    image.paste(surface, (0, first))
    glow = mix(light.horizon, (255, 255, 255), 0.2)
    ImageDraw.Draw(image).line((0, first, width, first), fill=glow, width=max(1, view.unit // 400))
    ripples(image, view, dice, first, image.height)


def ripples(image: Image.Image, view: View, dice: Dice, first: int, last: int) -> None:
    light, unit, width = view.light, view.unit, image.width
    height = last - first
    if unit < 32:
        return
    marks = Image.new("L", (2 * width, 2 * height))
    draw = ImageDraw.Draw(marks)
    sun = light.at[0] * width
    path = view.shows("sun") and not view.scene.weather & {"storm", "rain", "fog"}
    for index in range(150):
        near = dice.part() ** 1.5
        y = near * height
        spread = unit * (0.03 + 0.2 * near)
        on_path = path and index % 5 < 3
        x = sun + (dice.part() + dice.part() - 1) * spread if on_path else dice.part() * width
        half = unit * (0.006 + 0.05 * near) * dice.between(0.4, 1.2)
        thick = max(1.0, unit * (0.001 + 0.0045 * near)) * (1.0 if on_path else 0.7)
        bright = int((210 if on_path else 70) * dice.between(0.5, 1.0))
        draw.ellipse((2 * (x - half), 2 * y - thick, 2 * (x + half), 2 * y + thick), fill=bright)
    image.paste(
        Image.new("RGB", (width, height), mix(light.sun, (255, 255, 255), 0.2)), (0, first), marks.reduce(2)
    )


def foam(view: View, dice: Dice, line: Points) -> None:
    """Let the sea break where the rock ends."""
    draw, unit = ImageDraw.Draw(view.image), view.unit
    white = view.light.on((240, 246, 248))
    for x, y in line[6:]:
        for _ in range(5):
            half, at = (
                unit * dice.between(0.008, 0.03),
                (x + unit * dice.between(-0.02, 0.03), y + unit * dice.between(-0.01, 0.02)),
            )
            draw.ellipse(
                (at[0] - half, at[1] - half / 5, at[0] + half, at[1] + half / 5),
                fill=mix(white, view.light.horizon, dice.between(0.1, 0.6)),
            )
