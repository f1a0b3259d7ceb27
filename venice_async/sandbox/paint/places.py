"""Places that are made, or far away: cities, rooms, space, the ground of the sea, patterns."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw, ImageFilter

from .canvas import Backdrop, Ground, area, disc, glow, gradient, ridge
from .dice import Dice
from .palette import COLOURS, hexed, hue, mix, scaled
from .sky import paint_sky, stars

__all__ = ["city", "moon", "open_sky", "pattern", "room", "space", "table", "underwater"]


def city(backdrop: Backdrop) -> Ground:
    """A skyline of three rows, and a street."""
    horizon = backdrop.dice.child("horizon").between(0.72, 0.78)
    paint_sky(backdrop, horizon)
    for layer in range(3):
        _blocks(
            backdrop,
            horizon + 0.02 * layer,
            0.5 - 0.12 * layer,
            0.7 - 0.3 * layer,
            backdrop.dice.child("row", layer),
        )
    top = int(backdrop.height * (horizon + 0.04))
    street = backdrop.light.on(hexed("4f5563"))
    size = backdrop.width, max(1, backdrop.height - top)
    shine = mix(street, backdrop.light.sky[3], 0.35)
    backdrop.image.paste(gradient(size, (shine, street, scaled(street, 0.7))), (0, top))
    return Ground(horizon, 0.95)


def _blocks(backdrop: Backdrop, foot: float, tallest: float, distance: float, dice: Dice) -> None:
    """A row of buildings, with lights in their windows when it is dark."""
    draw, light = ImageDraw.Draw(backdrop.image), backdrop.light
    x, unit = -0.02 * backdrop.width, min(backdrop.width, backdrop.height)
    bottom = (foot + 0.04) * backdrop.height
    lamp = mix(light.on(hexed("9fb4c4"), distance * 0.6), hexed("ffd383"), min(1.0, light.dark * 1.3))
    while x < backdrop.width:
        wide = unit * dice.between(0.05, 0.12)
        top = bottom - tallest * backdrop.height * dice.between(0.3, 1) ** 1.3
        wall = light.on(
            hue(hexed(dice.choice(("5a6478", "6d6a78", "4d5a70", "7a6a6a"))), dice.between(-0.02, 0.02)),
            distance,
        )
        draw.rectangle((x, top, x + wide, bottom), fill=wall)
        edge = x + wide if light.side > 0 else x
        draw.rectangle(
            (
                min(edge, edge - light.side * wide * 0.16),
                top,
                max(edge, edge - light.side * wide * 0.16),
                bottom,
            ),
            fill=mix(wall, light.sun, 0.2),
        )
        if dice.chance(0.3):
            draw.line([(x + wide / 2, top), (x + wide / 2, top - unit * 0.05)], wall, max(1, int(unit / 300)))
        size = unit * 0.008
        y = top + 2 * size
        while y < bottom - size:
            column = x + size * 1.5
            while column < x + wide - size * 1.5:
                if dice.chance(0.3 + 0.25 * light.dark):
                    draw.rectangle(
                        (column, y, column + size, y + size * 1.3),
                        fill=mix(wall, lamp, dice.between(0.35, 1) * (1 - distance * 0.5)),
                    )
                column += size * 2.1
            y += size * 2.8
        x += wide * dice.between(0.85, 1.15)


def space(backdrop: Backdrop) -> Ground:
    """Stars, coloured clouds and a planet."""
    dice, image = backdrop.dice.child("space"), backdrop.image
    image.paste(gradient(image.size, (hexed("0a0a20"), hexed("141233"), hexed("1d1640"))), (0, 0))
    side = min(image.size)
    tints = [
        hue(hexed("6a4fc0"), dice.between(-0.2, 0.2)),
        hue(hexed("c0508f"), dice.between(-0.2, 0.2)),
        hexed("3f8fc0"),
    ]
    for _ in range(9):
        at = dice.part() * image.width, dice.part() * image.height
        glow(image, at, side * dice.between(0.2, 0.5), dice.choice(tints), dice.between(0.12, 0.35))
    stars(backdrop, 1.0, 260)
    at = dice.between(0.15, 0.85) * image.width, dice.between(0.12, 0.4) * image.height
    radius = side * dice.between(0.07, 0.16)
    colour = hue(hexed("d08a5a"), dice.part())
    glow(image, at, radius * 2, colour, 0.4)
    disc(image, at, radius, scaled(colour, 0.55))
    disc(image, (at[0] - radius * 0.12, at[1] - radius * 0.12), radius * 0.86, colour)
    return Ground(1.0, 0.82)


def moon(backdrop: Backdrop) -> Ground:
    """A grey ground with craters under the stars."""
    space(backdrop)
    dice = backdrop.dice.child("moon")
    grey = hexed("a9a7a3")
    line = ridge(backdrop, 0.74, 0.06, 0.3, dice)
    area(backdrop, line, gradient((1, 64), (mix(grey, (255, 255, 255), 0.4), grey, scaled(grey, 0.6))))
    draw = ImageDraw.Draw(backdrop.image)
    for _ in range(14):
        x, y = dice.part() * backdrop.width, dice.between(0.78, 1) * backdrop.height
        r = min(backdrop.image.size) * dice.between(0.01, 0.05)
        draw.ellipse((x - r, y - r * 0.35, x + r, y + r * 0.35), fill=scaled(grey, 0.62))
        draw.ellipse((x - r * 0.9, y - r * 0.2, x + r * 0.9, y + r * 0.38), fill=scaled(grey, 0.8))
    return Ground(0.74, 0.92)


def underwater(backdrop: Backdrop) -> Ground:
    """Rays from above, weed and bubbles."""
    dice, image = backdrop.dice.child("water"), backdrop.image
    turn = dice.between(-0.04, 0.04)
    colours = [hue(hexed(text), turn) for text in ("a8e6e0", "3fa9bf", "1f6f97", "123f66", "0b2745")]
    image.paste(gradient(image.size, tuple(colours)), (0, 0))
    rays = Image.new("L", (max(1, image.width // 4), max(1, image.height // 4)))
    draw = ImageDraw.Draw(rays)
    for _ in range(7):
        x = dice.part() * rays.width
        lean, wide = dice.between(-0.3, 0.3) * rays.width, dice.between(0.01, 0.05) * rays.width
        draw.polygon(
            [(x, 0), (x + wide, 0), (x + wide * 3 + lean, rays.height * 0.8), (x + lean, rays.height * 0.8)],
            fill=60,
        )
    image.paste(
        (220, 250, 245),
        (0, 0),
        rays.filter(ImageFilter.GaussianBlur(max(1, rays.width / 60))).resize(
            image.size, Image.Resampling.BILINEAR
        ),
    )
    sand = hexed("3f6f7a")
    line = ridge(backdrop, 0.96, 0.07, 0.3, dice)
    area(backdrop, line, gradient((1, 32), (mix(sand, (220, 230, 200), 0.3), sand, scaled(sand, 0.6))))
    draw = ImageDraw.Draw(image)
    unit = min(image.size)
    for _ in range(12):
        x, tall = dice.part() * image.width, unit * dice.between(0.08, 0.24)
        shade = hue(hexed("2f7f5f"), dice.between(-0.06, 0.06))
        weed = [
            (x + math.sin(step / 2 + x) * unit * 0.012, image.height - tall * step / 9) for step in range(10)
        ]
        draw.line(weed, shade, max(2, int(unit * 0.011)), joint="curve")
    for _ in range(22):
        x, y, r = dice.part() * image.width, dice.part() * image.height, unit * dice.between(0.003, 0.011)
        draw.ellipse((x - r, y - r, x + r, y + r), outline=(205, 240, 240), width=max(1, int(r / 4)))
    return Ground(1.0, 0.72)


def table(backdrop: Backdrop) -> Ground:
    """A wall, and a table before it."""
    dice, image, light = backdrop.dice.child("table"), backdrop.image, backdrop.light
    edge = dice.between(0.62, 0.7)
    wall = light.on(
        backdrop.colour or hue(hexed(dice.choice(("8fa39a", "b09a86", "6f8291", "a8887f", "7d8a6f"))), 0)
    )
    image.paste(gradient(image.size, (scaled(wall, 0.72), wall, mix(wall, (255, 240, 215), 0.25))), (0, 0))
    at = light.at[0] * image.width, 0.28 * image.height
    glow(image, at, 0.75 * max(image.size), mix(light.sun, (255, 244, 220), 0.5), 0.55)
    top = int(edge * image.height)
    wood = light.on(hexed(dice.choice(("9a6a42", "7d5436", "b5895c", "5f4a3f"))))
    size = image.width, max(1, image.height - top)
    image.paste(gradient(size, (mix(wood, light.sun, 0.3), wood, scaled(wood, 0.62))), (0, top))
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        y = top + dice.part() * size[1]
        x = dice.between(-0.2, 0.8) * image.width
        draw.line(
            [(x, y), (x + image.width * dice.between(0.15, 0.6), y + dice.between(-2, 2))],
            scaled(wood, dice.between(0.8, 1.12)),
            max(1, size[1] // 160),
        )
    return Ground(edge, edge + dice.between(0.12, 0.17))


def room(backdrop: Backdrop) -> Ground:
    """A wall with a window, and a floor."""
    dice, image, light = backdrop.dice.child("room"), backdrop.image, backdrop.light
    wall = light.on(backdrop.colour or hexed(dice.choice(("c9b79c", "9fb0a8", "b59a94", "8f9db3"))))
    image.paste(gradient(image.size, (scaled(wall, 0.85), wall, mix(wall, (255, 244, 224), 0.2))), (0, 0))
    left = (0.1 if light.side < 0 else 0.58) * image.width
    box = tuple(
        int(value) for value in (left, 0.12 * image.height, left + 0.32 * image.width, 0.52 * image.height)
    )
    if box[2] - box[0] > 4 and box[3] - box[1] > 4:
        image.paste(gradient((box[2] - box[0], box[3] - box[1]), light.sky), (box[0], box[1]))
        draw = ImageDraw.Draw(image)
        frame, wide = mix(wall, (255, 250, 240), 0.7), max(1, image.width // 90)
        draw.rectangle(box, outline=frame, width=wide)
        draw.line([((box[0] + box[2]) / 2, box[1]), ((box[0] + box[2]) / 2, box[3])], frame, wide)
        draw.line([(box[0], (box[1] + box[3]) / 2), (box[2], (box[1] + box[3]) / 2)], frame, wide)
    top = int(0.76 * image.height)
    floor = light.on(hexed(dice.choice(("8a6242", "a37c55", "6f5a4a"))))
    image.paste(
        gradient(
            (image.width, max(1, image.height - top)),
            (mix(floor, light.sun, 0.25), floor, scaled(floor, 0.65)),
        ),
        (0, top),
    )
    glow(image, (left + 0.16 * image.width, 0.85 * image.height), 0.4 * image.width, light.sun, 0.3)
    return Ground(0.76, 0.9)


def open_sky(backdrop: Backdrop) -> Ground:
    """Nothing but sky, and a strip of land far below."""
    paint_sky(backdrop, 1.0)
    line = ridge(backdrop, 0.98, 0.1, 0.35, backdrop.dice.child("below"))
    area(backdrop, line, backdrop.light.on(hexed("6f8560"), 0.45))
    return Ground(0.9, 0.7)


def pattern(backdrop: Backdrop) -> Ground:
    """Tiles of rings and leaves, in a few colours that go together."""
    dice, image = backdrop.dice.child("pattern"), backdrop.image
    base = backdrop.colour or dice.choice(list(COLOURS.values()))
    colours = [hue(base, turn, 0.85) for turn in (0, 0.08, 0.45, 0.52)]
    paper = mix(base, (250, 244, 232), 0.82)
    across = dice.count(4, 7)
    unit = max(2, math.ceil(image.width / across))
    tile = Image.new("RGB", (4 * unit, 4 * unit), paper)
    draw, big = ImageDraw.Draw(tile), 4 * unit
    petals, turn = dice.choice((6, 8, 10, 12)), dice.part()
    for ring, size in enumerate((0.48, 0.36, 0.24)):
        for petal in range(petals):
            angle = math.tau * (petal + turn + ring / 2) / petals
            x, y = (
                big / 2 + math.cos(angle) * big * size * 0.62,
                big / 2 + math.sin(angle) * big * size * 0.62,
            )
            r = big * size * 1.5 / petals
            draw.ellipse((x - r, y - r, x + r, y + r), fill=colours[(ring + petal % 2) % 4])
    for ring, size in enumerate((0.12, 0.08, 0.04)):
        r = big * size
        draw.ellipse((big / 2 - r, big / 2 - r, big / 2 + r, big / 2 + r), fill=colours[ring])
    for corner in ((0, 0), (big, 0), (0, big), (big, big)):
        for size, colour in ((0.2, colours[3]), (0.12, paper), (0.07, colours[1])):
            r = big * size
            draw.ellipse((corner[0] - r, corner[1] - r, corner[0] + r, corner[1] + r), fill=colour)
    small = tile.reduce(4)
    for x in range(0, image.width, unit):
        for y in range(0, image.height, unit):
            image.paste(small, (x, y))
    return Ground(0.6, 0.88)
