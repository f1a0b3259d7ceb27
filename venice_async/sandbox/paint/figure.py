"""Putting a subject into a picture: its colours, the light on its body, its shadow and its reflection.

1. The silhouette is drawn twice as large and reduced; what is shaded is blurred small. Nothing here
   costs more than the figure's own box.
2. A figure takes the picture's light: the side towards it is lighter and has a bright rim, what
   shines by itself shines the more the darker it is.
"""

from __future__ import annotations

from attrs import frozen
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .palette import Colour, Light, mix, scaled
from .subject import Shape, Subject

__all__ = ["Figure", "draw_figure"]

_SHADING = 56


@frozen
class Figure:
    """A subject with a place in the picture.

    Attributes:
        subject: What it is.
        colour: Its base colour.
        x: Its middle, in pixels.
        ground: Where it stands, in pixels from the top.
        height: How high it is, in pixels.
        flipped: Whether it looks the other way.
        distance: From 0 (near) to 1 (the horizon): how much of the air lies before it.
    """

    subject: Subject
    colour: Colour
    x: float
    ground: float
    height: float
    flipped: bool = False
    distance: float = 0.0

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Where its drawing lies."""
        unit = self.height / 100
        left, top, right, bottom = self.subject.extent
        middle = self.subject.width / 2
        if self.flipped:
            left, right = self.subject.width - right, self.subject.width - left
        return (
            int(self.x + (left - middle) * unit) - 2,
            int(self.ground + (top - 100) * unit) - 2,
            int(self.x + (right - middle) * unit) + 3,
            int(self.ground + (bottom - 100) * unit) + 3,
        )


def draw_figure(image: Image.Image, figure: Figure, light: Light) -> None:
    """Paint the figure over what is there."""
    left, top, right, bottom = figure.box
    if right - left < 2 or bottom - top < 2:
        return
    body, mask, lamps = _silhouette(figure)
    body = _lit(body, mask, light, figure.distance)
    if lamps is not None:
        body.paste(_lamp_colour(light), (0, 0), lamps)
    image.paste(body, (left, top), mask)
    if lamps is not None and light.dark > 0.3:
        _shine(image, lamps, (left, top), light.dark)


def _lamp_colour(light: Light) -> Colour:
    return mix((88, 116, 138), (255, 218, 140), min(1.0, 0.25 + 1.2 * light.dark))


def _silhouette(figure: Figure) -> tuple[Image.Image, Image.Image, Image.Image | None]:
    """Draw the flat colours, the whole outline, and what of it shines."""
    left, top, right, bottom = figure.box
    subject, size = figure.subject, (2 * (right - left), 2 * (bottom - top))
    scale = 2 * figure.height / 100
    # A flipped figure is drawn unflipped in the mirrored box.
    middle = 2 * (right - figure.x if figure.flipped else figure.x - left)
    pen = _Pen(scale, middle - subject.width / 2 * scale, 2 * (figure.ground - top) - 100 * scale)
    shapes = subject.shapes
    body = Image.new("RGB", size, figure.colour)
    mask = Image.new("L", size)
    shining = any(shape.tone == "lamp" for shape in shapes)
    lamps = Image.new("L", size) if shining else None
    on_body, on_mask = ImageDraw.Draw(body), ImageDraw.Draw(mask)
    on_lamps = ImageDraw.Draw(lamps) if lamps is not None else None
    for shape in shapes:
        pen.draw(on_body, shape, subject.tone(shape.tone, figure.colour))
        pen.draw(on_mask, shape, 255)
        if on_lamps is not None:
            pen.draw(on_lamps, shape, 255 if shape.tone == "lamp" else 0)
    body, mask = body.reduce(2), mask.reduce(2)
    lamps = lamps.reduce(2) if lamps is not None else None
    if figure.flipped:
        flip = Image.Transpose.FLIP_LEFT_RIGHT
        body, mask = body.transpose(flip), mask.transpose(flip)
        lamps = lamps.transpose(flip) if lamps is not None else None
    return body, mask, lamps


@frozen
class _Pen:
    """Draws shapes of a drawing's box on pixels."""

    scale: float
    left: float
    top: float

    def draw(self, draw: ImageDraw.ImageDraw, shape: Shape, fill: Colour | int) -> None:
        scale, left, top = self.scale, self.left, self.top
        points = [(left + x * scale, top + y * scale) for x, y in shape.outline]
        if shape.oval:
            draw.ellipse((*points[0], *points[1]), fill=fill)
        elif shape.width:
            width = max(1, round(shape.width * scale))
            draw.line(points, fill=fill, width=width, joint="curve" if width > 3 else None)
            if width > 4:
                for x, y in (points[0], points[-1]):
                    draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=fill)
        else:
            draw.polygon(points, fill=fill)


def _lit(body: Image.Image, mask: Image.Image, light: Light, distance: float) -> Image.Image:
    """Shade the body as something round that the light falls on from its side."""
    width, height = body.size
    part = min(1.0, _SHADING / max(width, height))
    small = mask.resize((max(2, int(width * part)), max(2, int(height * part))), Image.Resampling.BOX)
    soft = small.filter(ImageFilter.GaussianBlur(max(small.size) / 14))
    step = max(1, max(small.size) // 12)
    across = step if light.side < 0 else -step
    # Where the blurred outline, pushed away from the light, leaves the outline bare, light falls.
    towards = ImageChops.subtract(small, ImageChops.offset(soft, across, step))
    away = ImageChops.subtract(small, ImageChops.offset(soft, -across, -step))
    tone = mix(light.tone, (255, 255, 255), 0.22)
    dim = scaled(mix(light.tone, light.sky[1], 0.25), 0.5)
    fall = Image.new("RGB", small.size, tone)
    fall.paste(dim, (0, 0), away.point(_scale(0.8)))
    fall.paste(mix(light.tone, light.sun, 0.75), (0, 0), towards)
    gleam = Image.new("RGB", small.size)
    gleam.paste(scaled(mix(light.tone, light.sun, 0.75), 0.15), (0, 0), towards)
    day = ImageChops.multiply(body, _enlarged(fall, body.size))
    day = ImageChops.screen(day, _enlarged(gleam, body.size))
    if distance:
        day = Image.blend(day, Image.new("RGB", body.size, light.horizon), distance)
    rim = ImageChops.subtract(
        mask,
        ImageChops.offset(mask, max(1, height // 170) * (1 if light.side < 0 else -1), max(1, height // 240)),
    )
    day.paste(mix(light.sun, light.horizon, 0.25), (0, 0), rim.point(_scale(0.3 + 0.4 * light.dark)))
    return day


def _enlarged(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    return mask.resize(size, Image.Resampling.BILINEAR)


def _scale(factor: float) -> list[int]:
    return [min(255, int(value * factor)) for value in range(256)]


def _shine(image: Image.Image, lamps: Image.Image, place: tuple[int, int], dark: float) -> None:
    """Let what shines throw a glow on what is around it."""
    width, height = lamps.size
    part = min(1.0, 64 / max(width, height))
    small = lamps.resize((max(1, int(width * part)), max(1, int(height * part))), Image.Resampling.BOX)
    glow = _enlarged(small.filter(ImageFilter.GaussianBlur(3)), lamps.size)
    image.paste(
        (255, 206, 120), place, glow.point([min(200, int(value * 1.6 * dark)) for value in range(256)])
    )
