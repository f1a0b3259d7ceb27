"""Styles of cameras, screens and print: each takes a picture, a strength from 0 to 1 and dice."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from .canvas import threshold
from .dice import Dice
from .filters import as_rgb, edges, flat, smaller, smooth
from .finish import Grade, graded, grained, vignetted
from .palette import hexed

__all__ = [
    "blocks",
    "comic",
    "dream",
    "film",
    "grey",
    "hdr",
    "neon",
    "photo",
    "pixels",
    "popped",
    "scanned",
    "silhouette",
    "solar",
    "swept",
    "tilted",
]


def photo(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """Dark corners and a grain."""
    return grained(vignetted(image, 0.5 * strength), dice, 6 * strength)


def film(image: Image.Image, strength: float, _dice: Dice) -> Image.Image:
    """Bars above and below, teal in the shadows."""
    toned = ImageChops.screen(image, Image.new("RGB", image.size, (0, 10, 18)))
    bar = int(image.height * 0.11 * strength)
    draw = ImageDraw.Draw(toned)
    draw.rectangle((0, 0, image.width, bar), fill=0)
    draw.rectangle((0, image.height - bar, image.width, image.height), fill=0)
    return vignetted(toned, 0.4)


def hdr(image: Image.Image, strength: float, _dice: Dice) -> Image.Image:
    """Much contrast in the small, little in the large."""
    soft = smaller(image, 8).filter(ImageFilter.GaussianBlur(4)).resize(image.size, Image.Resampling.BICUBIC)
    detail = ImageChops.subtract(image, soft, 1, 128)
    return ImageChops.add(
        image, detail.point([int(128 + (value - 128) * 1.4 * strength) for value in range(256)] * 3), 1, -128
    )


def swept(image: Image.Image, strength: float, _dice: Dice) -> Image.Image:
    """Everything that moved, moved sideways."""
    thin = image.resize((max(1, image.width // 24), image.height), Image.Resampling.BOX)
    return Image.blend(image, thin.resize(image.size, Image.Resampling.BICUBIC), 0.7 * strength)


def tilted(image: Image.Image, _strength: float, _dice: Dice) -> Image.Image:
    """Sharp in a band across the middle only."""
    soft = smaller(image, 8).resize(image.size, Image.Resampling.BICUBIC)
    ramp = Image.linear_gradient("L").point([min(255, int(abs(value - 148) * 3.2)) for value in range(256)])
    return Image.composite(soft, image, ramp.resize(image.size))


def grey(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """No colours, much contrast, dark corners and a grain."""
    curve = [max(0, min(255, int(128 + (value - 128) * (1 + 0.9 * strength)))) for value in range(256)]
    return grained(vignetted(as_rgb(image.convert("L").point(curve)), 0.6 * strength), dice, 8 * strength)


def silhouette(image: Image.Image, _strength: float, _dice: Dice) -> Image.Image:
    """What is darker than the sky is black."""
    grey = smooth(image).convert("L")
    mean = grey.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    mask = threshold(grey, float(mean) - 14, float(mean) + 10)  # type: ignore[arg-type]
    return Image.composite(image, Image.new("RGB", image.size, (14, 12, 22)), mask)


def pixels(image: Image.Image, strength: float, _dice: Dice) -> Image.Image:
    """Few, great pixels in few colours."""
    across = int(136 - 110 * strength)
    part = max(1.0, max(image.size) / across)
    small = image.resize(
        (max(1, round(image.width / part)), max(1, round(image.height / part))), Image.Resampling.BOX
    )
    return flat(small, 7).resize(image.size, Image.Resampling.NEAREST)


def blocks(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """Cubes: great pixels, each with a bright and a dark edge."""
    result = pixels(image, strength, dice)
    side = max(2.0, max(image.size) / int(136 - 110 * strength))
    shade = Image.new("L", image.size, 128)
    draw = ImageDraw.Draw(shade)
    for column in range(int(image.width / side) + 2):
        draw.line((column * side, 0, column * side, image.height), fill=100)
    for row in range(int(image.height / side) + 2):
        draw.line((0, row * side, image.width, row * side), fill=160)
    return ImageChops.add(result, as_rgb(shade), 1, -128)


def scanned(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """Pixels on a screen that shows its lines."""
    result = pixels(image, strength, dice)
    lines = Image.new("L", (1, max(1, image.height)), 255)
    for row in range(0, image.height, max(2, image.height // 120)):
        lines.putpixel((0, row), 130)
    return ImageChops.multiply(result, as_rgb(lines.resize(image.size, Image.Resampling.NEAREST)))


def dream(image: Image.Image, strength: float, _dice: Dice) -> Image.Image:
    """A soft glow over everything."""
    soft = smaller(image, 8).filter(ImageFilter.GaussianBlur(2)).resize(image.size, Image.Resampling.BICUBIC)
    return Image.blend(image, ImageChops.screen(image, soft.point(lambda value: value * 0.6)), strength)


def neon(image: Image.Image, strength: float, _dice: Dice) -> Image.Image:
    """Night, with every edge alight."""
    dark = graded(image, Grade(1.5, 1.1)).point(
        [int(value * (0.62 - 0.2 * strength)) for value in range(256)] * 3
    )
    shade = ImageOps.colorize(image.convert("L"), (8, 4, 30), (64, 220, 255), (190, 20, 150))
    dark = Image.blend(dark, shade, 0.5 * strength)
    outline = ImageChops.invert(edges(image, 4))
    small = (
        smaller(outline, 4).filter(ImageFilter.GaussianBlur(2)).resize(image.size, Image.Resampling.BICUBIC)
    )
    glow = ImageChops.multiply(
        as_rgb(small.point([min(255, value * 3) for value in range(256)])), graded(image, Grade(3.0, 1.2))
    )
    return ImageChops.screen(ImageChops.screen(dark, glow), ImageChops.multiply(as_rgb(outline), shade))


def solar(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """Colours that run round in circles."""
    turns = [dice.child(name).part() for name in "rgb"]
    table = [
        int(255 * abs(((value / 255 * (1.2 + strength) + turn) % 1) * 2 - 1))
        for turn in turns
        for value in range(256)
    ]
    return Image.blend(image, smooth(image).point(table), 0.4 + 0.45 * strength)


def comic(image: Image.Image, strength: float, _dice: Dice) -> Image.Image:
    """Flat colours, dark lines, dots in the shade."""
    plain = flat(graded(smooth(image), Grade(1.35 + 0.4 * strength, 1.2)), 5)
    inked = ImageChops.multiply(plain, as_rgb(edges(image, 8)))
    if strength < 0.5:
        return inked
    unit = max(4, min(image.size) // 70)
    tile = Image.new("L", (4 * unit, 4 * unit), 255)
    ImageDraw.Draw(tile).ellipse((unit, unit, 3 * unit, 3 * unit), fill=120)
    tile = tile.reduce(4)
    dots = Image.new("L", image.size, 255)
    for x in range(0, image.width, tile.width):
        for y in range(0, image.height, tile.height):
            dots.paste(tile, (x, y))
    bright = image.convert("L").point([255 if value > 118 else 0 for value in range(256)])
    return ImageChops.multiply(inked, as_rgb(Image.composite(Image.new("L", image.size, 255), dots, bright)))


def popped(image: Image.Image, _strength: float, dice: Dice) -> Image.Image:
    """Four loud colours and dots."""
    loud = dice.choice(
        ("241a4a e8308a f6c928 fdf3d8", "1a2a5a f0503a 3fc1c9 fff0c0", "3a1050 2f7fe0 f58a2a fff6a8")
    )
    tones = [hexed(text) for text in loud.split()]
    grey = ImageOps.autocontrast(smooth(image).convert("L"))
    table = [tones[min(3, value // 64)][channel] for channel in range(3) for value in range(256)]
    return ImageChops.multiply(as_rgb(grey).point(table), as_rgb(edges(image, 7)))
