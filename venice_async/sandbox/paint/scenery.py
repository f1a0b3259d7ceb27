"""A whole scene: the light is chosen, the place painted, the figures put into it, the weather last."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve
from PIL import Image, ImageChops, ImageDraw

from .canvas import ROUND, fading, halo, noise, ramp, threshold
from .dice import Dice
from .figure import Figure, draw_figure
from .landscape import LANDSCAPES
from .palette import Colour, Light, hexed, hue, mix
from .places import PLACES
from .sky import Ground, View
from .words import Scene, Wanted

__all__ = ["paint_scene"]

_VEILS = {
    "storm": ((84, 90, 108), 0.7, 0.72),
    "rain": ((138, 148, 164), 0.6, 0.85),
    "snow": ((206, 214, 226), 0.5, 0.97),
    "fog": ((214, 216, 218), 0.6, 0.98),
    "clouds": ((170, 178, 190), 0.3, 0.95),
}
_INDOORS = frozenset({"table", "room", "space", "moon", "underwater", "pattern"})


def paint_scene(scene: Scene, size: tuple[int, int], dice: Dice, faith: float = 1.0) -> Image.Image:
    """Paint a scene.

    Args:
        scene: What is to be seen.
        size: Width and height in pixels.
        dice: Decides what the scene leaves open.
        faith: How much the colours of the prompt count: 1 as usual, 0 not at all.
    """
    choice = dice.child("choice")
    place = choice.choice((scene.settings[0], *scene.settings))
    light = _light(scene, choice.choice(scene.times), dice.child("light"), faith)
    view = View(Image.new("RGB", size, light.horizon), scene, light, dice)
    ground = (LANDSCAPES.get(place) or PLACES[place])(view)
    for figure in _arranged(view, ground, dice.child("figures"), faith):
        _stand(view, figure, place)
    if ground.front is not None:
        ground.front(view)
    if place not in _INDOORS:
        _weather(view, dice.child("weather"))
    return view.image


def _light(scene: Scene, time: str, dice: Dice, faith: float) -> Light:
    light = Light.of(time, dice)
    for name, (veil, part, dim) in _VEILS.items():
        if name in scene.weather:
            light = light.veiled(veil, part, dim)
    for colour in scene.tints:
        light = light.tinted(colour, min(0.6, 0.4 * faith))
    named = next((one.colour for one in scene.subjects if one.colour is not None), None)
    if named is not None:
        light = light.tinted(named, min(0.3, 0.16 * faith))
    return light


def _arranged(view: View, ground: Ground, dice: Dice, faith: float) -> Iterator[Figure]:
    """Yield the figures, the far ones first; the chief one is the greatest."""
    placed: list[Figure] = []
    for order, wanted in enumerate(view.scene.subjects):
        throws = dice.child("figure", order)
        placed += [
            _placed(view, ground, wanted, throws.child(copy), faith, order, copy)
            for copy in range(wanted.count)
        ]
    yield from sorted(placed, key=lambda figure: figure.ground)


def _placed(
    view: View, ground: Ground, wanted: Wanted, dice: Dice, faith: float, order: int, copy: int
) -> Figure:
    subject, image = wanted.subject, view.image
    natural = hue(hexed(dice.choice(subject.colours)), dice.between(-0.015, 0.015))
    colour = natural if wanted.colour is None else mix(natural, wanted.colour, min(1.0, 0.25 + 0.5 * faith))
    companions = len(view.scene.subjects) + wanted.count - 1
    share = 1.0 if companions == 1 else 0.8 if order == copy == 0 else 0.52
    tall = view.unit * subject.height * dice.between(0.92, 1.16) * share * ground.scale * wanted.scale
    tall = min(tall, image.width * 0.84 / subject.width * 100, image.height * 0.8)
    if companions == 1:
        across = dice.between(0.38, 0.62) if ground.x is None else ground.x
    else:
        across = ((0.36, 0.7, 0.18) if dice.child("side").chance(0.5) else (0.62, 0.28, 0.84))[
            (order + copy) % 3
        ]
        across += dice.between(-0.05, 0.05)
    foot = ground.y - (0.03 if order or copy else 0.0) * (ground.x is None) + dice.between(-0.012, 0.012)
    if subject.stands == "water" and ground.water is not None:
        foot = ground.water + dice.between(-0.02, 0.05) + (0.0 if order or copy else 0.05)
        across = (
            across if ground.x is None or abs(across - ground.x) > 0.1 else (0.8 if ground.x < 0.5 else 0.2)
        )
    elif subject.stands == "air":
        foot = (
            dice.between(0.48, 0.66) + tall / image.height * 0.3
            if tall < 0.42 * image.height
            else ground.y - 0.06
        )
    flipped = dice.chance(0.5)
    return Figure(subject, colour, across * image.width, foot * image.height, tall, flipped)


def _stand(view: View, figure: Figure, place: str) -> None:
    """Paint a figure with its shadow on the ground, or its reflection in the water."""
    image, light, stands = view.image, view.light, figure.subject.stands
    if stands == "water":
        _reflect(view, figure)
        return
    if stands != "air" and place not in {"space", "underwater", "sea"} and figure.subject.name != "portrait":
        _shadow(view, figure)
    if place in {"space", "moon"}:
        light = evolve(light, tone=(236, 236, 248), dark=0.6, sun=(255, 246, 232))
    elif place == "underwater":
        light = evolve(
            light,
            tone=(214, 232, 244),
            dark=0.1,
            sun=(230, 250, 250),
            sky=((20, 60, 110), (40, 110, 150), (90, 170, 190), (150, 210, 214)),
        )
    draw_figure(image, figure, light)
    if figure.subject.name == "lighthouse" and light.dark > 0.3:
        _beam(view, figure)


def _shadow(view: View, figure: Figure) -> None:
    """Darken the ground under the figure, away from the light."""
    image, half = view.image, figure.subject.width / 200 * figure.height
    shift = -view.light.side * half * 0.3
    box = [
        int(figure.x + shift - half * 1.15),
        int(figure.ground - half * 0.16),
        int(figure.x + shift + half * 1.15),
        int(figure.ground + half * 0.16),
    ]
    size = (max(1, box[2] - box[0]), max(1, box[3] - box[1]))
    mask = ROUND.point(fading(0.75, 1.0)).resize(size, Image.Resampling.BILINEAR)
    image.paste(Image.new("RGB", size, mix(view.light.sky[0], (16, 14, 24), 0.65)), (box[0], box[1]), mask)


def _reflect(view: View, figure: Figure) -> None:
    """Paint what swims, and under its waterline the same upside down, broken by ripples."""
    image, light = view.image, view.light
    before = image.copy()
    draw_figure(image, figure, light)
    left, _, right, _ = figure.box
    line = int(figure.ground - 0.04 * figure.height)
    depth = min(int(figure.height * 0.62), image.height - line)
    left, right = max(0, left), min(image.width, right)
    if depth < 2 or right - left < 2 or line <= depth:
        return
    above = (left, line - depth, right, line)
    flip = Image.Transpose.FLIP_TOP_BOTTOM
    mirrored, was = image.crop(above).transpose(flip), before.crop(above).transpose(flip)
    figure_mask = threshold(ImageChops.difference(mirrored, was).convert("L"), 3, 20, 150)
    figure_mask = ImageChops.multiply(figure_mask, ramp(figure_mask.size, lambda down: 1 - down))
    below = (left, line, right, line + depth)
    water = before.crop(below)
    water.paste(mirrored, (0, 0), figure_mask)
    image.paste(water, (left, line))
    draw, dice, white = (
        ImageDraw.Draw(image),
        view.dice.child("wake"),
        mix(light.horizon, (255, 255, 255), 0.35),
    )
    half = figure.subject.width / 200 * figure.height
    for _ in range(14):
        x, y = figure.x + dice.between(-1.1, 1.1) * half, line + dice.between(-0.004, 0.06) * view.unit
        long = half * dice.between(0.06, 0.26)
        draw.line((x - long, y, x + long, y), fill=white, width=max(1, view.unit // 420))


def _beam(view: View, figure: Figure) -> None:
    """Let the lighthouse throw its light over the sea."""
    image, unit = view.image, view.unit
    lamp = (figure.x, figure.ground - figure.height * 0.86)
    side = 1 if figure.x < image.width / 2 else -1
    reach = int(0.24 * unit)
    top, bottom = max(0, int(lamp[1]) - reach), min(image.height, int(lamp[1]) + reach)
    size = (image.width, bottom - top)
    if size[1] < 8:
        return
    small = Image.new("L", (max(2, size[0] // 2), max(2, size[1] // 2)))
    draw = ImageDraw.Draw(small)
    far, base = lamp[0] + side * image.width * 1.1, lamp[1] - top
    for spread, bright in ((0.16, 40), (0.1, 46), (0.05, 60)):
        cone = [(lamp[0], base), (far, base - unit * (spread + 0.06)), (far, base + unit * (spread - 0.06))]
        draw.polygon([(x / 2, y / 2) for x, y in cone], fill=int(bright * (0.6 + view.light.dark)))
    beam = small.reduce(4).resize(size, Image.Resampling.BICUBIC)
    image.paste(Image.new("RGB", size, (255, 236, 184)), (0, top), beam)
    halo(image, *lamp, unit * 0.22, (255, 226, 150), 0.9, 2.6)


def _weather(view: View, dice: Dice) -> None:
    weather, image, light, unit = view.scene.weather, view.image, view.light, view.unit
    if "fog" in weather:
        size = (max(2, image.width // 8), max(2, image.height // 8))
        cloud = threshold(noise(dice.child("fog"), size, (2, 5), 3), 20, 220, 210).resize(
            image.size, Image.Resampling.BICUBIC
        )
        image.paste(Image.new("RGB", image.size, mix(light.horizon, (255, 255, 255), 0.2)), (0, 0), cloud)
    if unit < 32:
        return
    if weather & {"rain", "storm"}:
        _rain(view, dice.child("rain"))
    if "storm" in weather and dice.chance(0.7):
        _lightning(view, dice.child("lightning"))
    if "snow" in weather:
        _flakes(view, dice.child("flakes"))
    elif view.scene.season in {"autumn", "spring"}:
        leaves = ("d9822f", "c8552a", "e3b23f") if view.scene.season == "autumn" else ("f6c6d4", "fbe3ea")
        _leaves(view, dice.child("leaves"), leaves)


def _rain(view: View, dice: Dice) -> None:
    image, unit = view.image, view.unit
    draw, lean = ImageDraw.Draw(image, "RGBA"), dice.between(-0.35, 0.35)
    colour = mix(view.light.horizon, (236, 244, 255), 0.6)
    for _ in range(240):
        x, y, long = dice.part() * image.width, dice.part() * image.height, unit * dice.between(0.03, 0.09)
        draw.line(
            (x, y, x + lean * long, y + long), fill=(*colour, dice.count(40, 130)), width=max(1, unit // 500)
        )


def _lightning(view: View, dice: Dice) -> None:
    image, unit = view.image, view.unit
    x, y = dice.between(0.2, 0.8) * image.width, 0.0
    path = [(x, y)]
    while y < image.height * 0.52:
        x, y = x + unit * dice.between(-0.05, 0.05), y + unit * dice.between(0.03, 0.06)
        path.append((x, y))
    middle_x, middle_y = path[len(path) // 2]
    halo(image, middle_x, middle_y, unit * 0.6, (196, 206, 255), 0.6, 1.8)
    draw = ImageDraw.Draw(image)
    for width, colour in ((unit // 70, (190, 200, 255)), (unit // 190, (255, 255, 255))):
        draw.line(path, fill=colour, width=max(1, width), joint="curve")


def _flakes(view: View, dice: Dice) -> None:
    image, unit = view.image, view.unit
    draw = ImageDraw.Draw(image, "RGBA")
    for _ in range(210):
        near = dice.part() ** 4
        radius = unit * (0.0018 + 0.008 * near)
        x, y = dice.part() * image.width, dice.part() * image.height
        draw.ellipse(
            (x - radius, y - radius, x + radius, y + radius), fill=(250, 252, 255, int(220 - 110 * near))
        )


def _leaves(view: View, dice: Dice, colours: tuple[str, ...]) -> None:
    draw, unit = ImageDraw.Draw(view.image), view.unit
    for _ in range(34):
        x, y, size = (
            dice.part() * view.image.width,
            dice.part() * view.image.height,
            unit * dice.between(0.004, 0.012),
        )
        dx, dy = dice.between(-1, 1) * size, dice.between(-1, 1) * size
        colour: Colour = view.light.on(hexed(dice.choice(colours)))
        draw.polygon(
            [(x - dx, y - dy), (x + dy * 0.5, y - dx * 0.5), (x + dx, y + dy), (x - dy * 0.5, y + dx * 0.5)],
            fill=colour,
        )
