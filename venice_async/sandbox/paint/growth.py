"""What grows on the ground: firs along a line, grass with flowers in it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from PIL import Image, ImageChops, ImageDraw

from .canvas import Points, gradient
from .dice import Dice
from .palette import Colour, hexed, hue, mix, scaled
from .sky import View

__all__ = ["green", "meadow", "trees"]

_GREENS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "": ("5f9a4a", "6fa653", "4f8f5a", "83a84c"),
        "spring": ("7cba58", "8fc46a"),
        "summer": ("5f9a4a", "7fa544"),
        "autumn": ("c98a3a", "b5702f", "bf9a45"),
        "winter": ("dfe7ef", "e9eef4"),
    }
)


def green(view: View, dice: Dice) -> Colour:
    """Pick the green of the season, which may be white or gold."""
    return hue(hexed(dice.choice(_GREENS[view.scene.season])), dice.between(-0.02, 0.02))


def trees(
    view: View,
    dice: Dice,
    line: Points,
    height: float,
    colour: Colour,
    *,
    density: float = 1.0,
    snow: bool = False,
) -> None:
    """Plant firs along a line, small and great, some in groups; the light falls on one half of each."""
    image, unit = view.image, view.unit
    if not view.shows("trees") or unit < 24 or height < 2:
        return
    count = min(90, int(image.width / max(2.0, height * 0.26) * density))
    top = max(0, int(min(y for _, y in line) - 1.2 * height))
    bottom = min(image.height, int(max(y for _, y in line) + 0.1 * height) + 2)
    if bottom <= top:
        return
    size = (image.width, bottom - top)
    wood, sunny = Image.new("L", (2 * size[0], 2 * size[1])), Image.new("L", size)
    on_wood, on_sunny = ImageDraw.Draw(wood), ImageDraw.Draw(sunny)
    for _ in range(count):
        x = dice.part() * image.width
        index = min(len(line) - 2, int(x / image.width * (len(line) - 1)))
        foot = line[index][1] + height * 0.06
        left, right = _fir(2 * x, 2 * (foot - top), 2 * height * dice.between(0.55, 1.15))
        tree = [*right, *reversed(left)]
        on_wood.polygon(tree, fill=255)
        # A tree covers the light on those behind it.
        on_sunny.polygon([(px / 2, py / 2) for px, py in tree], fill=0)
        half = left if view.light.side < 0 else right
        on_sunny.polygon([(px / 2, py / 2) for px, py in half], fill=200 if snow else 178)
    wood = wood.reduce(2)
    image.paste(Image.new("RGB", size, colour), (0, top), wood)
    side = mix(colour, (236, 242, 248), 0.75) if snow else mix(colour, view.light.sun, 0.16)
    image.paste(Image.new("RGB", size, side), (0, top), ImageChops.multiply(sunny, wood))


def _fir(x: float, foot: float, tall: float) -> tuple[Points, Points]:
    """Give a fir's left and right half, each from the top to the trunk's foot."""
    left: Points = [(x, foot - tall)]
    right: Points = [(x, foot - tall)]
    for tier in range(5):
        y = foot - tall * (1 - (tier + 1) / 5.6)
        wide = tall * (0.055 + 0.042 * (tier + 1))
        left += [(x - wide, y), (x - wide * 0.5, y - tall * 0.02)]
        right += [(x + wide, y), (x + wide * 0.5, y - tall * 0.02)]
    trunk = tall * 0.025
    for half, side in ((left, -trunk), (right, trunk)):
        half[-1:] = [(x + side, foot - tall * 0.1), (x + side, foot), (x, foot)]
    return left, right


def meadow(view: View, dice: Dice, top: float, colour: Colour, *, flowers: bool = True) -> None:
    """Grow grass along the lower edge, with a few flowers in it."""
    image, unit = view.image, view.unit
    if not view.shows("grass") or unit < 80:
        return
    first = int(image.height * top)
    size = (image.width, image.height - first)
    mask = Image.new("L", (2 * size[0], 2 * size[1]))
    draw = ImageDraw.Draw(mask)
    for _ in range(min(420, int(170 * image.width / unit))):
        x, y = dice.part() * 2 * size[0], (0.35 + 0.75 * dice.part()) * 2 * size[1]
        tall, lean, wide = unit * dice.between(0.04, 0.12), unit * dice.between(-0.03, 0.03), unit * 0.004
        draw.polygon([(x - wide, y), (x + lean, y - tall), (x + wide, y)], fill=int(dice.between(120, 255)))
    image.paste(gradient(size, (scaled(colour, 1.12), scaled(colour, 0.6))), (0, first), mask.reduce(2))
    if not flowers or view.scene.season in {"winter", "autumn"}:
        return
    petals = ImageDraw.Draw(image)
    tone = view.light.on(hexed(dice.choice(("f6e27a", "f2f0ea", "e86a7a", "b48ae0", "f09a4a"))))
    for _ in range(dice.count(14, 40)):
        x, y = dice.part() * image.width, first + (0.2 + 0.75 * dice.part()) * size[1]
        radius = unit * dice.between(0.002, 0.0055)
        petals.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tone)
