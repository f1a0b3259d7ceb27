"""Sky, stars, the sun or the moon, clouds, and birds."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFilter

from .canvas import Backdrop, disc, glow, gradient
from .palette import mix

__all__ = ["paint_sky", "stars"]


def paint_sky(backdrop: Backdrop, horizon: float) -> None:
    """Sky, stars, the sun or the moon, and clouds, down to the horizon."""
    light, image, dice = backdrop.light, backdrop.image, backdrop.dice.child("sky")
    depth = max(1, int(backdrop.height * horizon) + 2)
    image.paste(gradient((backdrop.width, depth), light.sky), (0, 0))
    side = min(backdrop.width, backdrop.height)
    if light.dark > 0.5 and "stars" not in backdrop.without:
        stars(backdrop, horizon * (0.55 + 0.45 * light.dark), int(60 + 130 * light.dark))
    moon = light.dark > 0.6
    if ("moon" if moon else "sun") not in backdrop.without:
        at = light.at[0] * backdrop.width, (1 - light.at[1]) * depth
        radius = side * dice.between(0.035, 0.06) * (1.25 if light.time in {"sunset", "dawn"} else 1)
        glow(image, at, radius * 9, light.sun, 0.4 if moon else 0.62)
        glow(image, at, radius * 3, light.sun, 0.55)
        disc(image, at, radius, mix(light.sun, (255, 255, 255), 0.35))
        if moon:
            shade = mix(light.sun, light.sky[1], 0.25)
            for _ in range(4):
                x, y = dice.between(-0.5, 0.5), dice.between(-0.5, 0.5)
                disc(image, (at[0] + x * radius, at[1] + y * radius), radius * dice.between(0.1, 0.22), shade)
    if "clouds" not in backdrop.without:
        _clouds(backdrop, horizon, 3 + dice.count(0, 3) + 5 * ("clouds" in backdrop.weather))
    if dice.chance(0.35) and light.dark < 0.7 and "birds" not in backdrop.without:
        _birds(backdrop, horizon)


def stars(backdrop: Backdrop, down_to: float, count: int) -> None:
    """Stars down to a part of the height."""
    dice, draw = backdrop.dice.child("stars"), ImageDraw.Draw(backdrop.image)
    unit = max(1.0, min(backdrop.width, backdrop.height) / 520)
    for _ in range(count):
        x, y = dice.part() * backdrop.width, dice.part() ** 1.4 * down_to * backdrop.height
        size = unit * dice.choice((0.4, 0.5, 0.7, 1.0))
        shade = mix(backdrop.light.sky[0], (255, 250, 235), dice.between(0.45, 0.95))
        draw.ellipse((x - size, y - size, x + size, y + size), fill=shade)


def _clouds(backdrop: Backdrop, horizon: float, count: int) -> None:
    """Flat banks of blurred ovals, brighter towards the sun."""
    dice, light = backdrop.dice.child("clouds"), backdrop.light
    small = max(1, backdrop.width // 4), max(1, int(backdrop.height * horizon) // 4)
    mask = Image.new("L", small)
    draw = ImageDraw.Draw(mask)
    for _ in range(count):
        x, y = dice.part() * small[0], dice.between(0.12, 0.92) ** 0.9 * small[1]
        long = small[0] * dice.between(0.08, 0.2)
        for _ in range(9):
            dx, dy = dice.between(-1, 1) * long, -abs(dice.between(-1, 1)) * long * 0.16
            across = long * dice.between(0.2, 0.45)
            down = across * dice.between(0.16, 0.34)
            box = (x + dx - across, y + dy - down, x + dx + across, y + dy + down)
            draw.ellipse(box, fill=dice.count(90, 190))
    soft = mask.filter(ImageFilter.GaussianBlur(max(0.5, small[0] / 110)))
    size = small[0] * 4, small[1] * 4
    bright = mix(mix(light.sky[3], (255, 255, 255), 0.45 * (1 - light.dark)), light.sun, 0.3)
    shade = mix(light.sky[2], light.sky[1], 0.35)
    fill = gradient(size, (bright, bright, mix(bright, shade, 0.5), shade))
    backdrop.image.paste(fill, (0, 0), soft.resize(size, Image.Resampling.BILINEAR))


def _birds(backdrop: Backdrop, horizon: float) -> None:
    dice, draw = backdrop.dice.child("birds"), ImageDraw.Draw(backdrop.image)
    colour = mix(backdrop.light.sky[0], (30, 30, 45), 0.6)
    x, y = dice.between(0.15, 0.75) * backdrop.width, dice.between(0.15, 0.5) * horizon * backdrop.height
    for _ in range(dice.count(3, 7)):
        size = min(backdrop.width, backdrop.height) * dice.between(0.008, 0.018)
        bx, by = x + dice.between(-6, 6) * size * 2, y + dice.between(-3, 3) * size * 1.5
        wing = [(bx - size, by - size * 0.5), (bx - size * 0.4, by - size * 0.55), (bx, by)]
        draw.line(
            [*wing, (bx + size * 0.4, by - size * 0.55), (bx + size, by - size * 0.5)],
            colour,
            max(1, int(size / 5)),
        )
