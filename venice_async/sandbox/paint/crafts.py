"""Styles of the hand: paint, ink, glass, paper and clay; each takes a picture, a strength and dice."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from .canvas import noise, threshold
from .dice import Dice
from .filters import as_rgb, edges, flat, smaller, smooth
from .finish import Grade, graded, grained, vignetted
from .palette import Colour, hexed, mix, scaled

__all__ = [
    "dots",
    "facets",
    "glass",
    "hatched",
    "lines",
    "minimal",
    "moulded",
    "paper",
    "pieces",
    "strokes",
    "wash",
    "worn",
]


def wash(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """Watercolour: soft fields with darker rims, pigment that gathers, white paper around."""
    soft = Image.blend(image, smooth(image, 5), 0.7)
    size = (max(2, image.width // 4), max(2, image.height // 4))
    pools = noise(dice.child("pools"), size, (6, 6), 3).resize(image.size, Image.Resampling.BICUBIC)
    paper = Image.new("RGB", image.size, (252, 249, 241))
    pale = Image.composite(
        paper,
        soft,
        pools.point([min(255, int(30 + max(0, value - 96) * 1.1 * strength)) for value in range(256)]),
    )
    rims = edges(soft, 6).point([min(255, int(150 + value * 0.42)) for value in range(256)])
    pale = ImageChops.multiply(pale, as_rgb(rims))
    border = noise(dice.child("border"), size, (9, 9), 3)
    frame = Image.radial_gradient("L").resize(size, Image.Resampling.BILINEAR)
    edge = ImageChops.add(frame, border, 1, -128)
    return Image.composite(
        paper, pale, threshold(edge, 184, 226).resize(image.size, Image.Resampling.BICUBIC)
    )


def strokes(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """Short strokes of the brush, one colour each."""
    return _dabbed(image, dice, count=int(3600 * strength), long=3.2)


def dots(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """Dots side by side on a pale ground."""
    return _dabbed(image, dice, count=int(5200 * strength), long=1.0)


def _dabbed(image: Image.Image, dice: Dice, count: int, long: float) -> Image.Image:
    small = smaller(image, max(1, max(image.size) // 128))
    pixels = small.tobytes()
    unit = max(2.0, min(image.size) / (110 if long == 1.0 else 120))
    result = Image.blend(
        smooth(image), Image.new("RGB", image.size, (240, 232, 214)), 0.42 if long == 1.0 else 0.0
    )
    draw = ImageDraw.Draw(result)
    for _ in range(count):
        x, y, throw = dice.part(), dice.part(), dice.part()
        at = 3 * (int(y * small.height) * small.width + int(x * small.width))
        colour = scaled((pixels[at], pixels[at + 1], pixels[at + 2]), 0.86 + 0.3 * throw)
        left, top, lean = x * image.width, y * image.height, (throw - 0.5) * unit
        if long == 1.0:
            draw.ellipse((left - unit / 2, top - unit / 2, left + unit / 2, top + unit / 2), fill=colour)
        else:
            draw.line(
                (left - unit * long / 2, top - lean, left + unit * long / 2, top + lean),
                fill=colour,
                width=max(1, int(unit)),
            )
    return result


def _cells(
    image: Image.Image, dice: Dice, across: int, *, triangles: bool, lead: Colour | None
) -> Image.Image:
    side = max(image.size) / across
    columns, rows = int(image.width / side) + 2, int(image.height / side) + 2
    sample = image.resize((2 * columns, 2 * rows), Image.Resampling.BOX, box=None)
    colours = sample.tobytes()
    shift = [
        [(dice.between(-0.34, 0.34), dice.between(-0.34, 0.34)) for _ in range(columns + 1)]
        for _ in range(rows + 1)
    ]
    scale_x, scale_y = image.width / columns, image.height / rows

    def corner(column: int, row: int) -> tuple[float, float]:
        dx, dy = shift[row][column]
        inside_x, inside_y = 0 < column < columns, 0 < row < rows
        return (column + dx * inside_x) * scale_x, (row + dy * inside_y) * scale_y

    result = image.copy()
    draw = ImageDraw.Draw(result)
    for row in range(rows):
        for column in range(columns):
            a, b = corner(column, row), corner(column + 1, row)
            c, d = corner(column + 1, row + 1), corner(column, row + 1)
            halves = ((a, b, c), (a, c, d)) if (row + column) % 2 else ((a, b, d), (b, c, d))
            for index, half in enumerate(halves if triangles else ((a, b, c, d),)):
                at = 3 * ((2 * row + index) * 2 * columns + 2 * column + (index + row) % 2)
                colour = scaled((colours[at], colours[at + 1], colours[at + 2]), dice.between(0.86, 1.14))
                draw.polygon(half, fill=colour)
                if lead is not None:
                    draw.line((*half, half[0]), fill=lead, width=max(1, int(side / 9)))
    return result


def facets(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """Triangles, each of one colour."""
    across = int(34 - 20 * strength)
    return _cells(image, dice, across, triangles=True, lead=None)


def glass(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """Panes of bright glass between bars of lead."""
    return _cells(
        graded(image, Grade(1.7, 1.2, lift=10)),
        dice,
        int(24 - 10 * strength),
        triangles=False,
        lead=(20, 18, 26),
    )


def paper(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """Sheets of coloured paper, the bright ones below, each with a shadow."""
    soft = smooth(image, 7)
    grey = ImageOps.autocontrast(soft.convert("L"))
    coloured = graded(flat(soft, 6), Grade(1.35, 1.05, lift=8))
    result = coloured.copy()
    levels = 4 + int(4 * strength)
    reach = max(1, int(min(image.size) * 0.014 * (0.4 + strength)))
    for level in range(levels, 0, -1):
        bound = 255 * level // (levels + 1)
        sheet = grey.point([255 if value < bound else 0 for value in range(256)])
        shadow = smaller(ImageChops.offset(sheet, reach, reach), 4).filter(ImageFilter.GaussianBlur(1.2))
        dim = shadow.resize(image.size, Image.Resampling.BICUBIC).point([value // 2 for value in range(256)])
        result.paste(Image.new("RGB", image.size, (36, 26, 46)), (0, 0), dim)
        result.paste(coloured, (0, 0), sheet)
    return grained(result, dice, 5)


def worn(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """An old surface: stains, scratches, dark corners."""
    size = (max(2, image.width // 2), max(2, image.height // 2))
    stains = noise(dice.child("stains"), size, (7, 7), 4).resize(image.size, Image.Resampling.BICUBIC)
    surface = stains.point(
        [max(0, min(255, int(255 - abs(value - 128) * 2.2 * strength))) for value in range(256)]
    )
    worn = ImageChops.multiply(image, as_rgb(surface))
    draw = ImageDraw.Draw(worn)
    for _ in range(int(26 * strength)):
        x, y = dice.part() * image.width, dice.part() * image.height
        long, lean = dice.between(0.02, 0.14) * image.height, dice.between(-0.2, 0.2)
        draw.line((x, y, x + lean * long, y + long), fill=(226, 214, 190), width=1)
    return vignetted(worn, 0.7 * strength)


def moulded(image: Image.Image, strength: float, _dice: Dice) -> Image.Image:
    """Something solid, lit from above on the left."""
    soft = smooth(image, 7)
    relief = (
        smaller(soft, 2).convert("L").filter(ImageFilter.EMBOSS).resize(image.size, Image.Resampling.BICUBIC)
    )
    raised = ImageChops.overlay(
        soft,
        as_rgb(relief.point([max(0, min(255, int(128 + (value - 128) * 2.4))) for value in range(256)])),
    )
    return Image.blend(soft, raised, strength)


def pieces(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """The picture cut up and put together again askew."""
    result = image.copy()
    for _ in range(int(14 * strength) + 5):
        wide, high = int(image.width * dice.between(0.16, 0.4)), int(image.height * dice.between(0.16, 0.4))
        x, y = int(dice.part() * (image.width - wide)), int(dice.part() * (image.height - high))
        piece = image.crop((x, y, x + max(1, wide), y + max(1, high)))
        toned = ImageOps.expand(
            Image.blend(
                piece,
                Image.new("RGB", piece.size, mix(hexed(dice.choice(_SCRAPS)), (255, 255, 255), 0.2)),
                0.3,
            ),
            max(1, min(image.size) // 150),
            (248, 244, 234),
        )
        angle = dice.between(-14, 14)
        mask = Image.new("L", toned.size, 255).rotate(angle, Image.Resampling.BICUBIC, expand=True)
        turned = toned.rotate(angle, Image.Resampling.BICUBIC, expand=True)
        result.paste(
            turned,
            (
                x + int(dice.between(-0.05, 0.05) * image.width),
                y + int(dice.between(-0.05, 0.05) * image.height),
            ),
            mask,
        )
    return result


_SCRAPS = ("c9503c", "3f6f8f", "e3b25a", "6f8a5a", "8a5a7a")


def lines(image: Image.Image, strength: float, _dice: Dice) -> Image.Image:
    """Ink on paper; what is left of the colours is `1 - strength`."""
    paper = Image.new("RGB", image.size, (250, 247, 240))
    wash = Image.blend(flat(smooth(image), 5), paper, 0.25 + 0.75 * strength)
    return ImageChops.multiply(wash, as_rgb(edges(image, 9)))


def hatched(image: Image.Image, strength: float, _dice: Dice) -> Image.Image:
    """Ink in bands: each brightness has lines of its own direction."""
    grey = smooth(image).convert("L")
    unit = max(4, min(image.size) // 56)
    page = Image.new("L", image.size, 248)
    for level, (dx, dy) in enumerate(((1, 1), (1, -1), (1, 0), (0, 1))):
        pattern = Image.new("L", image.size, 255)
        draw = ImageDraw.Draw(pattern)
        reach = image.width + image.height
        for offset in range(-reach, reach, unit):
            start = (offset, 0) if dy else (0, offset)
            end = (offset + dx * reach, abs(dy) * reach) if dx else (offset, reach)
            if dy < 0:
                start, end = (offset, image.height), (offset + reach, image.height - reach)
            draw.line((*start, *end), fill=20, width=max(1, unit // 6))
        page = Image.composite(
            page,
            ImageChops.multiply(page, pattern),
            grey.point([255 if value > 196 - 46 * level else 0 for value in range(256)]),
        )
    inked = ImageChops.multiply(page, edges(image, 9))
    return Image.blend(ImageOps.colorize(inked, (24, 20, 34), (252, 246, 234)), image, 1 - strength)


def minimal(image: Image.Image, strength: float, _dice: Dice) -> Image.Image:
    """Few, pale, flat fields."""
    return Image.blend(
        flat(smooth(image, 7), 4), Image.new("RGB", image.size, (246, 242, 234)), 0.2 + 0.3 * strength
    )
