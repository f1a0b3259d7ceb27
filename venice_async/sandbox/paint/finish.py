"""What happens to a painted scene: the model's hand, guidance, steps, LoRA, references, blur, marks.

1. Each function takes a picture and gives a picture of the same size; what it adds follows from the
   request alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from attrs import frozen
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

from venice_async.sandbox.catalogue import MODELS

from .canvas import ROUND, noise
from .dice import Dice
from .palette import Colour, mix, scaled

__all__ = [
    "Grade",
    "blurred",
    "captioned",
    "developed",
    "enhanced",
    "graded",
    "grain_of",
    "grained",
    "guidance",
    "model_grade",
    "nudge",
    "overlaid",
    "surfaced",
    "tinted",
    "vignetted",
    "watermarked",
]

# What a model without constraints takes.
_USUAL_STEPS = 25
_USUAL_CFG = 7.0
# Below this no text can be read.
_SMALLEST_MARKED = 96


@frozen
class Grade:
    """A change of all colours: saturation and contrast (1 leaves them) and a light to see them in."""

    saturation: float = 1.0
    contrast: float = 1.0
    tone: tuple[float, float, float] = (1.0, 1.0, 1.0)
    lift: float = 0.0

    def __matmul__(self, other: Grade) -> Grade:
        """Make one change of two."""
        red, green, blue = (one * two for one, two in zip(self.tone, other.tone, strict=True))
        return Grade(
            self.saturation * other.saturation,
            self.contrast * other.contrast,
            (red, green, blue),
            self.lift + other.lift,
        )


# Each model's hand.
_MODELS: Mapping[str, Grade] = MappingProxyType(
    {
        "fluently-xl": Grade(1.06, 1.02, (1.02, 1.0, 0.98)),
        "venice-sd35": Grade(1.0, 1.0, (1.0, 1.0, 1.02)),
        "z-image-turbo": Grade(1.12, 1.06, (1.0, 1.01, 1.0)),
        "chroma": Grade(1.22, 1.04, (1.02, 0.99, 1.03)),
        "lustify-sdxl": Grade(1.04, 1.05, (1.05, 0.99, 0.96)),
        "wai-Illustrious": Grade(1.16, 0.96, (1.0, 0.99, 1.03), 6),
        "qwen-image": Grade(1.02, 1.03, (0.99, 1.01, 1.02)),
        "flux-2-pro": Grade(0.98, 1.07, (1.01, 1.0, 0.98)),
        "hunyuan-image-v3": Grade(1.08, 1.0, (1.02, 1.01, 0.97), 3),
        "nano-banana-pro": Grade(1.1, 1.02, (1.03, 1.02, 0.96)),
        "gpt-image-2": Grade(0.94, 0.99, (1.03, 1.0, 0.94), 4),
    }
)


def model_grade(model: str) -> Grade:
    """Give a model's hand; one that is not listed has a hand by its name."""
    if (grade := _MODELS.get(model)) is not None:
        return grade
    dice = Dice(b"model").child(model)
    return Grade(
        dice.between(0.9, 1.2),
        dice.between(0.96, 1.06),
        (dice.between(0.96, 1.04), 1.0, dice.between(0.95, 1.05)),
    )


def graded(image: Image.Image, grade: Grade) -> Image.Image:
    """Change all colours."""
    if grade == Grade():
        return image
    luma = (0.299, 0.587, 0.114)
    rest = 1 - grade.saturation
    matrix: list[float] = []
    for row in range(3):
        gain = grade.contrast * grade.tone[row]
        matrix += [
            gain * (luma[column] * rest + (grade.saturation if row == column else 0)) for column in range(3)
        ]
        matrix.append(128 * (1 - grade.contrast) + grade.lift)
    return image.convert("RGB", tuple(matrix))


def guidance(cfg_scale: float) -> Grade:
    """Give what a guidance scale does: the higher, the more colour and contrast."""
    above = cfg_scale - _USUAL_CFG
    return Grade(max(0.3, 1 + 0.055 * above), max(0.75, 1 + 0.02 * above))


def developed(image: Image.Image, steps: float | None, model: str, dice: Dice) -> Image.Image:
    """Leave the picture as unfinished as few steps leave it: soft, and full of the noise it began as.

    How many are enough is the model's own; at that the picture is as good as clean.
    """
    rough = _roughness(steps, model)
    width, height = image.size
    if rough > 0.03:
        part = 1 + 9 * rough
        small = image.resize((max(1, int(width / part)), max(1, int(height / part))), Image.Resampling.BOX)
        image = Image.blend(image, small.resize(image.size, Image.Resampling.BICUBIC), min(1.0, 2.5 * rough))
        across = 10
        cells = (across, max(2, across * height // max(1, width)))
        coarse = (max(2, width // 3), max(2, height // 3))
        channels = [
            noise(dice.child("step", name), coarse, (min(cells[0], 40), min(cells[1], 40)), 3)
            for name in "rgb"
        ]
        blotches = Image.merge("RGB", channels).point(
            [max(0, min(255, int(128 + (value - 128) * 3))) for value in range(256)] * 3
        )
        image = Image.blend(
            image, blotches.resize(image.size, Image.Resampling.BILINEAR), min(0.85, 1.25 * rough)
        )
    return image


def grain_of(steps: float | None, model: str) -> float:
    """Give the grain that so many steps leave, for `surfaced`."""
    return max(2.0, min(40.0, 160 * _roughness(steps, model)))


def _roughness(steps: float | None, model: str) -> float:
    """Give how unfinished a picture is: near 1 at one step, next to 0 at the model's own default."""
    known = MODELS.get(model)
    constraints = (known.constraints if known is not None else None) or {}
    enough = constraints.get("steps", {}).get("default", _USUAL_STEPS)
    return float(2.0 ** (-6.0 * (enough if steps is None else steps) / enough))


def grained(image: Image.Image, dice: Dice, strength: float) -> Image.Image:
    """Lay a grain over the picture, up to `strength` of 255 to either side."""
    reach = max(1, round(strength))
    sheet = _grain(image.size, dice, reach)
    return ImageChops.add(image, Image.merge("RGB", (sheet, sheet, sheet)), 1, -reach)


def surfaced(image: Image.Image, dice: Dice, grain: float) -> Image.Image:
    """Give the picture its surface: corners a little darker, and a grain of up to `grain` of 255."""
    corners = ROUND.point([int(80 * max(0.0, value / 255 - 0.42) ** 1.6) for value in range(256)])
    dark = corners.resize(image.size, Image.Resampling.BILINEAR)
    dark = ImageChops.add(dark, _grain(image.size, dice, grain))
    image.paste(Image.new("RGB", image.size), (0, 0), dark)
    return image


def _grain(size: tuple[int, int], dice: Dice, strength: float) -> Image.Image:
    """Give noise from 0 to twice the strength."""
    side = 128
    raw = dice.child("grain").raw(side * side)
    tile = Image.frombytes("L", (side, side), raw).point(
        [int(value * 2 * strength / 255) for value in range(256)]
    )
    sheet = Image.new("L", size)
    for x in range(0, size[0], side):
        sheet.paste(tile, (x, 0))
    strip = sheet.crop((0, 0, size[0], min(side, size[1])))
    for y in range(side, size[1], side):
        sheet.paste(strip, (0, y))
    return sheet


def vignetted(image: Image.Image, strength: float) -> Image.Image:
    """Darken the corners."""
    table = [255 - int(255 * strength * max(0.0, value / 255 - 0.42) ** 1.6 * 2) for value in range(256)]
    corners = ROUND.point(table).resize(image.size, Image.Resampling.BILINEAR)
    return ImageChops.multiply(image, Image.merge("RGB", (corners, corners, corners)))


def enhanced(image: Image.Image) -> Image.Image:
    """Let the bright parts bloom, as a prompt enhanced by "highly detailed, soft light" does."""
    small = image.resize((max(1, image.width // 8), max(1, image.height // 8)), Image.Resampling.BOX)
    bright = small.point([max(0, int((value - 96) * 0.62)) for value in range(256)] * 3)
    glow = bright.filter(ImageFilter.GaussianBlur(max(small.size) / 28)).resize(
        image.size, Image.Resampling.BICUBIC
    )
    return graded(ImageChops.screen(image, glow), Grade(1.08, 1.06))


def nudge(negative: str) -> Grade:
    """Give the little shift of colours that any negative prompt makes that is not empty."""
    if not negative.strip():
        return Grade()
    dice = Dice(b"negative").child(negative)
    tone = (dice.between(0.975, 1.025), dice.between(0.985, 1.015), dice.between(0.975, 1.025))
    return Grade(1.04, 1.03, tone)


def overlaid(image: Image.Image, strength: float, dice: Dice) -> Image.Image:
    """Lay a LoRA's style over the picture: broad flat strokes and two colours; strength 0 to 100."""
    if strength <= 0:
        return image
    part = 3 if max(image.size) > 300 else 2
    small = image.resize((max(1, image.width // part), max(1, image.height // part)), Image.Resampling.BOX)
    flat = ImageOps.posterize(small.filter(ImageFilter.MedianFilter(5)), 4)
    grey = flat.convert("L")
    warm, cool = dice.choice(
        (((255, 214, 150), (46, 30, 84)), ((190, 240, 226), (60, 26, 60)), ((255, 190, 190), (20, 44, 84)))
    )
    toned = Image.blend(flat, ImageOps.colorize(grey, cool, warm, (150, 110, 120)), 0.45)
    return Image.blend(image, toned.resize(image.size, Image.Resampling.BILINEAR), 0.85 * strength / 100)


def tinted(image: Image.Image, colour: Colour, strength: float) -> Image.Image:
    """Draw the picture's colours towards a colour; strength 0 to 1."""
    toned = ImageOps.colorize(
        image.convert("L"), scaled(colour, 0.3), mix(colour, (255, 255, 255), 0.6), colour
    )
    return Image.blend(image, toned, 0.75 * strength)


def blurred(image: Image.Image) -> Image.Image:
    """Blur the picture beyond recognition."""
    small = image.resize((max(1, image.width // 24), max(1, image.height // 24)), Image.Resampling.BOX)
    return small.filter(ImageFilter.GaussianBlur(1)).resize(image.size, Image.Resampling.BICUBIC)


def captioned(image: Image.Image, prompt: str, seed: Any, variant: int) -> None:
    """Write the prompt, the seed and the variant small along the lower edge, where there is room."""
    width, height = image.size
    if min(width, height) < _SMALLEST_MARKED:
        return
    pixels = max(10, min(width, height) // 46)
    font = _font(pixels)
    tail = f"  seed {seed}" + (f" / {variant + 1}" if variant else "")
    room = width - 3.6 * pixels - font.getlength(tail)
    text = _cut(_written(prompt), font, room) + tail
    strip = Image.linear_gradient("L").resize((width, int(2.6 * pixels))).point(lambda value: value * 0.5)
    image.paste(Image.new("RGB", strip.size, (10, 10, 18)), (0, height - strip.height), strip)
    draw = ImageDraw.Draw(image)
    draw.text((0.7 * pixels, height - 1.5 * pixels), text.strip(), fill=(244, 240, 232), font=font)


def _written(prompt: str) -> str:
    """Give the prompt's letters that the font has; what it has not becomes a full stop in the middle."""
    shown = "".join(letter if letter.isprintable() and ord(letter) < 0x180 else "\u00b7" for letter in prompt)
    return " ".join(shown.split())


def _cut(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float) -> str:
    text = text[:300]
    if font.getlength(text) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle] + "...") <= room else (low, middle - 1)
    return text[:low].rstrip() + "..."


def watermarked(image: Image.Image) -> None:
    """Put the small mark, a V in a ring, into the lower right corner, where there is room."""
    side = max(9, min(image.size) // 30)
    if min(image.size) < _SMALLEST_MARKED:
        return
    mark = Image.new("L", (4 * side, 4 * side))
    draw = ImageDraw.Draw(mark)
    draw.ellipse((2, 2, 4 * side - 3, 4 * side - 3), outline=220, width=max(2, side // 3))
    draw.line(
        [(1.2 * side, 1.2 * side), (2 * side, 2.8 * side), (2.8 * side, 1.2 * side)],
        fill=235,
        width=max(2, side // 2),
        joint="curve",
    )
    mark = mark.reduce(4).resize((side, side))
    white = Image.new("RGB", mark.size, (255, 252, 244))
    image.paste(white, (image.width - side - side // 2, image.height - side - side // 3), mark)


@cache
def _font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(pixels)
