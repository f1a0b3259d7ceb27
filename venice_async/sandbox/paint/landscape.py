"""Places under the sky: sea, lake, mountains, forest, field, hills, desert, snow and the sky itself.

1. Each paints from the horizon forwards, the distance in the sky's colours, and says where figures
   may stand (`Ground`).
2. What is near is dark and clear, what is far is pale: one air lies over everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from PIL import Image, ImageDraw

from .canvas import Points, fill, gradient, overlay, polygon, ridge
from .dice import Dice
from .growth import green, meadow, trees
from .palette import Colour, hexed, hue, mix, scaled
from .peaks import mist, mountains
from .sky import Glow, Ground, View, sky
from .water import foam, mirror, water

__all__ = ["LANDSCAPES"]


def birds(view: View, dice: Dice, horizon: float) -> None:
    if not view.shows("birds") or view.unit < 48 or not dice.chance(0.55):
        return
    unit, width, height = view.unit, view.image.width, view.image.height
    draw = ImageDraw.Draw(view.image)
    x, y = dice.between(0.2, 0.8) * width, dice.between(0.25, 0.6) * height * horizon
    colour = mix(view.light.sky[0], (30, 28, 40), 0.6)
    for _ in range(dice.count(3, 6)):
        span = unit * dice.between(0.008, 0.018)
        at = (x + unit * dice.between(-0.14, 0.14), y + unit * dice.between(-0.06, 0.06))
        wing = [(at[0] - span, at[1] - span * 0.5), (at[0] - span * 0.4, at[1] - span * 0.55), at]
        wing += [(at[0] + span * 0.4, at[1] - span * 0.55), (at[0] + span, at[1] - span * 0.5)]
        draw.line(wing, fill=colour, width=max(1, unit // 300), joint="curve")


def _sea(view: View) -> Ground:
    dice, light, image = view.dice.child("sea"), view.light, view.image
    horizon = dice.between(0.54, 0.66)
    sky(view, horizon)
    width, height, unit = image.width, image.height, view.unit
    if dice.chance(0.7):
        for depth in (0.75, 0.6):
            line = ridge(dice.child("isle", depth), width, height * (horizon + 0.01), unit * 0.05, 0.5)
            shifted = [(x, max(y, 0.0)) for x, y in line]
            far = light.on((70, 92, 120), depth)
            fill(image, shifted, far, far, int(height * horizon) + 1)
    birds(view, dice.child("birds"), horizon)
    water(view, horizon, hexed(dice.choice(("1f5f86", "1f6f80", "2a5a8f"))))
    ashore = any(one.subject.stands == "ground" for one in view.scene.subjects)
    if not ashore:
        return Ground(y=min(0.9, horizon + 0.16), water=horizon + 0.15)
    left = dice.chance(0.5)
    if any(
        one.subject.name in {"lighthouse", "castle", "tower", "house", "windmill"}
        for one in view.scene.subjects
    ):
        return _headland(view, dice.child("headland"), horizon, left=left)
    sand = light.on(hexed("dfc595"))
    shore = ridge(dice.child("shore"), width, height * 0.8, unit * 0.025, 0.35)
    foam = [(x, y - unit * 0.012) for x, y in shore]
    fill(image, foam, mix(sand, (255, 255, 255), 0.6), sand)
    fill(image, shore, sand, scaled(sand, 0.75))
    return Ground(y=0.9, water=horizon + 0.12)


def _headland(view: View, dice: Dice, horizon: float, *, left: bool) -> Ground:
    """Raise a rock from one side out of the sea, with grass on top, to build on."""
    image, light = view.image, view.light
    width, height, unit = image.width, image.height, view.unit
    top = horizon + dice.between(0.08, 0.13)
    reach = dice.between(0.56, 0.7)
    stand = reach - dice.between(0.26, 0.33)
    line: Points = [
        (-4, height * (top + 0.02)),
        (width * reach * 0.4, height * top),
        (width * (reach - 0.16), height * (top + 0.004)),
    ]
    for step in range(9):
        along = step / 8
        x = width * (reach - 0.16 + 0.3 * along**0.8)
        line.append(
            (
                x + dice.between(-0.012, 0.012) * width,
                height * (top + 0.02 + (1.05 - top) * along**1.5) + unit * dice.between(-0.012, 0.012),
            )
        )
    if not left:
        line = [(width - x, y) for x, y in line]
    corner = 0 if left else width
    rock = [*line, (corner - 4 if left else corner + 4, height + 4)]
    stone, grass = light.on((128, 112, 106)), light.on(green(view, dice))
    overlay(
        image, rock, lambda size: gradient(size, (mix(stone, light.sun, 0.16), stone, scaled(stone, 0.5)))
    )
    for layer in range(5):
        low = [
            (
                x - (0.05 + 0.07 * layer) * width * (1 if left else -1),
                y + unit * (0.05 + 0.06 * layer) + unit * dice.between(-0.02, 0.02),
            )
            for x, y in line[2:]
        ]
        foot = [*low, (corner, height + 4)]
        polygon(image, foot, scaled(stone, 0.82 - 0.1 * layer), 0.55)
    turf = [*line[:4], *[(x, y + unit * dice.between(0.015, 0.05)) for x, y in reversed(line[:4])]]
    polygon(image, turf, grass)
    foam(view, dice, line)
    return Ground(
        y=top + 0.012, water=horizon + 0.14, x=stand if left else 1 - stand, scale=0.92 if top < 0.72 else 1.0
    )


def _mountains(view: View) -> Ground:
    dice, image = view.dice.child("mountains"), view.image
    if dice.chance(0.4):
        return _lake(view)
    base = dice.between(0.68, 0.76)
    sky(view, base - 0.04)
    birds(view, dice.child("birds"), base)
    mountains(view, dice, base)
    width, height, unit = image.width, image.height, view.unit
    colour = view.light.on(green(view, dice), 0.12)
    white = view.scene.season == "winter" or "snow" in view.scene.weather
    wood = mix(view.light.on((44, 82, 78)), view.light.sky[0], 0.2)
    line = ridge(dice.child("hill"), width, height * (base + 0.02), unit * 0.045, 0.4)
    fill(image, line, mix(colour, view.light.horizon, 0.2), colour)
    trees(view, dice.child("firs"), line, unit * 0.1, mix(wood, view.light.horizon, 0.25), snow=white)
    front = ridge(dice.child("front"), width, height * 0.86, unit * 0.05, 0.36)
    ground = mix(scaled(colour, 0.7), (238, 243, 249), 0.8) if white else scaled(colour, 0.72)
    fill(image, front, ground, scaled(ground, 0.6))
    trees(view, dice.child("near"), front, unit * 0.2, scaled(wood, 0.72), density=0.4, snow=white)
    return Ground(
        y=0.92,
        scale=0.9,
        front=lambda view: meadow(view, dice.child("grass"), 0.9, scaled(ground, 0.8), flowers=not white),
    )


def _lake(view: View) -> Ground:
    dice, image, light = view.dice.child("lake"), view.image, view.light
    shore = dice.between(0.6, 0.68)
    sky(view, shore - 0.02)
    birds(view, dice.child("birds"), shore)
    mountains(view, dice, shore)
    width, height, unit = image.width, image.height, view.unit
    wood = mix(light.on((44, 82, 78)), light.sky[0], 0.2)
    line = ridge(dice.child("bank"), width, height * (shore - 0.012), unit * 0.02, 0.4)
    white = view.scene.season == "winter" or "snow" in view.scene.weather
    fill(image, line, mix(wood, light.horizon, 0.3), wood, int(height * shore) + 1)
    trees(view, dice.child("firs"), line, unit * 0.1, mix(wood, light.horizon, 0.16), snow=white)
    mirror(view, shore)
    ashore = any(one.subject.stands == "ground" for one in view.scene.subjects)
    colour = light.on(green(view, dice))
    bank = ridge(dice.child("front"), width, height * (0.84 if ashore else 0.95), unit * 0.03, 0.36)
    ground = scaled(colour, 0.62)
    fill(image, bank, ground, scaled(ground, 0.6))
    return Ground(
        *(0.92, shore + 0.17, 0.9),
        front=lambda view: meadow(view, dice.child("grass"), 0.89, scaled(ground, 0.85)),
    )


def _forest(view: View) -> Ground:
    dice, image, light = view.dice.child("forest"), view.image, view.light
    sky(view, 0.72, Glow((light.at[0], 0.45), 0.95, light.sun, 0.35))
    width, height, unit = image.width, image.height, view.unit
    wood = {"autumn": (150, 88, 40), "winter": (86, 104, 118)}.get(view.scene.season, (44, 88, 66))
    white = view.scene.season == "winter" or "snow" in view.scene.weather
    for row, depth in enumerate((0.72, 0.52, 0.32, 0.14)):
        colour = light.on(hue(wood, dice.between(-0.03, 0.03)), depth)
        line = ridge(dice.child("row", row), width, height * (0.66 + 0.05 * row), unit * 0.02, 0.4)
        floor = mix(colour, (240, 244, 248), 0.5) if white else colour
        fill(image, line, floor, floor)
        trees(
            view,
            dice.child("trees", row),
            line,
            unit * (0.34 + 0.09 * row),
            colour,
            density=(1.4, 1.1, 0.8, 0.5)[row],
            snow=white,
        )
        mist(view, 0.42 + 0.05 * row, 0.68 + 0.05 * row, 0.42 - 0.07 * row)
    if light.dark < 0.6 and not view.scene.weather & {"rain", "storm"}:
        _shafts(view, dice.child("shafts"))
    ground = light.on(
        {"autumn": (150, 96, 48), "winter": (214, 224, 234)}.get(
            "winter" if white else view.scene.season, (74, 96, 58)
        ),
        0.05,
    )
    path = ridge(dice.child("floor"), width, height * 0.84, unit * 0.025, 0.4)
    fill(image, path, mix(ground, light.sun, 0.2), scaled(ground, 0.55))
    return Ground(
        y=0.92,
        front=lambda view: meadow(view, dice.child("grass"), 0.89, scaled(ground, 0.75), flowers=not white),
    )


def _shafts(view: View, dice: Dice) -> None:
    """Let beams of light fall aslant through the trees."""
    image, light = view.image, view.light
    size = (max(2, image.width // 4), max(2, image.height // 4))
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    for _ in range(6):
        x, wide = dice.between(-0.1, 1.1) * size[0], dice.between(0.03, 0.08) * size[0]
        lean = -light.side * size[0] * dice.between(0.25, 0.45)
        draw.polygon(
            [(x, 0), (x + wide, 0), (x + lean + 2.4 * wide, size[1] * 0.86), (x + lean, size[1] * 0.86)],
            fill=dice.count(26, 58),
        )
    soft = mask.resize((max(2, size[0] // 4), max(2, size[1] // 4)), Image.Resampling.BOX).resize(
        image.size, Image.Resampling.BICUBIC
    )
    image.paste(Image.new("RGB", image.size, mix(light.sun, (255, 255, 255), 0.2)), (0, 0), soft)


def _field(view: View) -> Ground:
    return _rolling(view, view.dice.child("field"), horizon=(0.56, 0.66), swell=0.035)


def _hills(view: View) -> Ground:
    return _rolling(view, view.dice.child("hills"), horizon=(0.54, 0.62), swell=0.07)


def _snow(view: View) -> Ground:
    return _rolling(view, view.dice.child("snow"), horizon=(0.56, 0.66), swell=0.05, snow=True)


def _rolling(
    view: View, dice: Dice, *, horizon: tuple[float, float], swell: float, snow: bool = False
) -> Ground:
    """Hills behind hills, with trees on the far ones and grass on the near ones."""
    image, light = view.image, view.light
    width, height, unit = image.width, image.height, view.unit
    snow = snow or "snow" in view.scene.weather or view.scene.season == "winter"
    start = dice.between(*horizon)
    sky(view, start + 0.02)
    birds(view, dice.child("birds"), start)
    cover = (228, 236, 245) if snow else green(view, dice)
    if view.shows("mountains"):
        far = ridge(dice.child("far"), width, height * (start - 0.02), unit * 0.07, 0.5)
        fill(image, far, light.on((92, 106, 140), 0.62), light.on((92, 106, 140), 0.85))
        mist(view, start - 0.08, start + 0.06, 0.45)
    wood = (58, 84, 86) if snow else (150, 92, 44) if view.scene.season == "autumn" else (54, 92, 58)
    rows = 4
    near = light.on(cover)
    for row in range(rows):
        depth = 0.5 * (1 - row / (rows - 1)) ** 1.2
        base = start + (0.9 - start) * (row / rows) ** 1.15 + 0.03
        line = ridge(dice.child("row", row), width, height * base, unit * swell * (0.6 + 0.25 * row), 0.34)
        near = light.on(hue(cover, dice.between(-0.015, 0.02)), depth)
        if snow:
            near = mix(near, scaled((232, 240, 252), 1 - 0.42 * light.dark), 0.6)
        upper, lower = (
            mix(near, light.sun, 0.2 if snow else 0.16),
            scaled(mix(near, light.sky[0], 0.22 if snow else 0.0), 0.86),
        )
        fill(image, line, upper, lower)
        if row < 3:
            trees(
                view,
                dice.child("trees", row),
                line,
                unit * (0.05 + 0.045 * row),
                light.on(wood, depth * 0.8),
                density=(0.7, 0.4, 0.16)[row],
                snow=snow,
            )
        elif dice.chance(0.6) and len(view.scene.subjects) < 2:
            trees(view, dice.child("tall"), line, unit * 0.3, light.on(wood, 0.1), density=0.16, snow=snow)
    return Ground(
        y=0.92,
        front=lambda view: meadow(
            view, dice.child("grass"), 0.9, scaled(near, 0.86 if snow else 0.72), flowers=not snow
        ),
    )


def _desert(view: View) -> Ground:
    dice, image, light = view.dice.child("desert"), view.image, view.light
    start = dice.between(0.54, 0.64)
    sky(view, start + 0.02)
    width, height, unit = image.width, image.height, view.unit
    sand = hue(hexed(dice.choice(("e0a75e", "d9945a", "e6bd7c"))), dice.between(-0.015, 0.015))
    if dice.chance(0.5) and view.shows("mountains"):
        _mesas(view, dice.child("mesas"), start)
    for row in range(4):
        depth = 0.45 * (1 - row / 3)
        base = start + 0.02 + (0.9 - start) * (row / 4) ** 1.1
        line = ridge(dice.child("dune", row), width, height * base, unit * (0.03 + 0.022 * row), 0.3)
        near = light.on(sand, depth)
        fill(image, line, mix(near, light.sun, 0.3), scaled(near, 0.86))
        top = min(range(len(line)), key=lambda index: line[index][1])
        x, y = line[top]
        _lee(view, line, (x, y), mix(scaled(near, 0.62), light.sky[0], 0.2))
    return Ground(y=0.9)


def _lee(view: View, line: Points, crest: tuple[float, float], shade: Colour) -> None:
    """Darken a dune's face that the light does not reach: from the crest away, wider and wider."""
    (x, y), side = crest, view.light.side
    away = sorted((point for point in line if (point[0] - x) * side < 0), key=lambda point: -point[0] * side)
    if not away:
        return
    edge = away[-1][0]
    foot: Points = []
    for step in range(1, 13):
        part = step / 12
        swing = 0.26 * math.sin(part * math.pi / 2) + 0.02 * math.sin(part * 9)
        foot.append((x + (edge - x) * part**1.3, y + view.unit * swing))
    polygon(view.image, [crest, *away, *reversed(foot)], shade, 0.55)


def _mesas(view: View, dice: Dice, start: float) -> None:
    image, light = view.image, view.light
    for index in range(dice.count(2, 3)):
        x, wide, tall = (
            dice.part() * image.width,
            view.unit * dice.between(0.1, 0.24),
            view.unit * dice.between(0.1, 0.24),
        )
        foot = image.height * (start + 0.06)
        near = light.on((176, 92, 66), 0.5 - 0.08 * index)
        body = [
            (x - wide * 0.62, foot),
            (x - wide * 0.46, foot - tall * 0.5),
            (x - wide * 0.4, foot - tall),
            (x + wide * 0.38, foot - tall * 0.98),
            (x + wide * 0.44, foot - tall * 0.5),
            (x + wide * 0.64, foot),
        ]
        polygon(image, body, near)
        shade = [
            (x - 0.1 * wide * light.side, foot - tall),
            (x - wide * 0.4 * light.side, foot - tall),
            (x - wide * 0.62 * light.side, foot),
            (x, foot),
        ]
        polygon(image, shade, scaled(near, 0.8), 0.8)


def _sky(view: View) -> Ground:
    dice, image, light = view.dice.child("high"), view.image, view.light
    sky(view, 0.95)
    width, height, unit = image.width, image.height, view.unit
    for row, depth in enumerate((0.7, 0.5, 0.3)):
        line = ridge(dice.child("row", row), width, height * (0.86 + 0.05 * row), unit * 0.035, 0.42)
        near = light.on(green(view, dice.child(row)), depth)
        fill(image, line, near, mix(near, light.horizon, 0.4))
    birds(view, dice.child("birds"), 0.8)
    return Ground(y=0.86)


LANDSCAPES: Mapping[str, Callable[[View], Ground]] = MappingProxyType(
    {
        "sea": _sea,
        "lake": _lake,
        "mountains": _mountains,
        "forest": _forest,
        "field": _field,
        "hills": _hills,
        "desert": _desert,
        "snow": _snow,
        "sky": _sky,
    }
)
