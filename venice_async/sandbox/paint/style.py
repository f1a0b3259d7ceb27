"""How a picture looks, whatever it shows: style presets, the model's hand, detail, strength of colour.

1. A treatment takes a picture and gives another of the same size.
2. Every preset has a treatment, made of a few that are named after what they do; none is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from .dice import Dice
from .palette import Colour, hexed

__all__ = ["in_style"]

Treatment = Callable[[Image.Image], Image.Image]

_FEW_STEPS = 20
_USUAL_CFG = 7.5


def in_style(image: Image.Image, body: Mapping[str, Any]) -> Image.Image:
    """Give the picture the look that the fields of a body ask for."""
    image = _by_model(image, str(body.get("model", "")))
    image = _by_cfg(image, float(body.get("cfg_scale", _USUAL_CFG)))
    if preset := body.get("style_preset"):
        image = _preset(image, str(preset))
    if strength := body.get("lora_strength"):
        image = Image.blend(image, _brushed(image), min(1.0, int(strength) / 100))
    if body.get("enhance_prompt"):
        image = _glowing(image, 0.35)
    return _by_steps(image, int(body.get("steps", 25)))


def _by_model(image: Image.Image, model: str) -> Image.Image:
    """Each model has a hand of its own: a little warmer or colder, softer or harder."""
    dice = Dice(b"model").child(model)
    colour, contrast, warmth = dice.between(0.85, 1.2), dice.between(0.94, 1.1), dice.between(-0.05, 0.05)
    lift = 128 * (1 - contrast)
    rows: list[float] = []
    for channel, tint in enumerate((1 + warmth, 1.0, 1 - warmth)):
        row = [part * (1 - colour) for part in (0.299, 0.587, 0.114)]
        row[channel] += colour
        rows += [*(part * contrast * tint for part in row), lift]
    return image.convert("RGB", tuple(rows))


def _by_cfg(image: Image.Image, scale: float) -> Image.Image:
    """The closer to the prompt, the stronger the colours."""
    part = (scale - _USUAL_CFG) / 12.5
    if not part:
        return image
    image = ImageEnhance.Color(image).enhance(max(0.25, 1 + 0.7 * part))
    return ImageEnhance.Contrast(image).enhance(max(0.6, 1 + 0.35 * part))


def _by_steps(image: Image.Image, steps: int) -> Image.Image:
    """Few steps leave a picture coarse; many sharpen it."""
    if steps < _FEW_STEPS:
        grain = 1 + (_FEW_STEPS - steps) / 5 * min(image.size) / 400
        small = max(1, int(image.width / grain)), max(1, int(image.height / grain))
        return image.resize(small, Image.Resampling.BOX).resize(image.size, Image.Resampling.BILINEAR)
    return image if steps <= 25 else ImageEnhance.Sharpness(image).enhance(1 + (steps - 25) / 40)


def _grey(image: Image.Image, contrast: float = 1.2) -> Image.Image:
    return ImageEnhance.Contrast(ImageOps.grayscale(image)).enhance(contrast).convert("RGB")


def _toned(image: Image.Image, dark: Colour, middle: Colour, bright: Colour) -> Image.Image:
    return ImageOps.colorize(ImageOps.grayscale(image), dark, bright, middle)


def _coarse(image: Image.Image, across: int) -> Image.Image:
    """Squares, so many on the shorter side."""
    part = across / min(image.size)
    if part >= 1:
        return ImageOps.posterize(image, 3)
    small = image.resize(
        (max(1, int(image.width * part)), max(1, int(image.height * part))), Image.Resampling.BOX
    )
    flat = small.quantize(24, dither=Image.Dither.NONE).convert("RGB")
    return flat.resize(image.size, Image.Resampling.NEAREST)


def _edges(image: Image.Image, strength: float = 3.0) -> Image.Image:
    """White, with dark lines where colours meet."""
    grey = ImageOps.grayscale(image).filter(ImageFilter.GaussianBlur(max(0.6, min(image.size) / 700)))
    lines = grey.filter(ImageFilter.FIND_EDGES).point(
        [min(255, int(value * strength)) for value in range(256)]
    )
    return ImageOps.invert(lines).convert("RGB")


def _comic(image: Image.Image) -> Image.Image:
    flat = ImageOps.posterize(ImageEnhance.Color(image).enhance(1.5), 3)
    return ImageChops.multiply(flat, _edges(image, 4))


def _facets(image: Image.Image) -> Image.Image:
    """A few flat areas."""
    side = max(3, min(image.size) // 60 | 1)
    small = image.resize((max(1, image.width // 4), max(1, image.height // 4)), Image.Resampling.BOX)
    flat = small.filter(ImageFilter.ModeFilter(min(side, 9))).resize(image.size, Image.Resampling.NEAREST)
    return ImageOps.posterize(flat, 4)


def _brushed(image: Image.Image) -> Image.Image:
    """Dabs of paint."""
    half = image.resize((max(1, image.width // 3), max(1, image.height // 3)), Image.Resampling.BOX)
    dabs = half.filter(ImageFilter.ModeFilter(5)).resize(image.size, Image.Resampling.BICUBIC)
    return ImageEnhance.Sharpness(ImageEnhance.Color(dabs).enhance(1.25)).enhance(2.2)


def _washed(image: Image.Image) -> Image.Image:
    """Thin paint on paper."""
    soft = image.filter(ImageFilter.GaussianBlur(max(0.8, min(image.size) / 220)))
    pale = Image.blend(soft, Image.new("RGB", image.size, (250, 246, 238)), 0.34)
    return ImageChops.multiply(
        pale, ImageChops.lighter(_edges(image, 1.6), Image.new("RGB", image.size, (205, 205, 205)))
    )


def _glowing(image: Image.Image, strength: float) -> Image.Image:
    small = image.resize((max(1, image.width // 4), max(1, image.height // 4)), Image.Resampling.BOX)
    soft = small.filter(ImageFilter.GaussianBlur(max(1, min(small.size) / 30))).resize(image.size)
    return Image.blend(image, ImageChops.screen(image, soft), strength)


def _neon(image: Image.Image) -> Image.Image:
    dark = _toned(image, hexed("0a0420"), hexed("5a1f8f"), hexed("ff5fb0"))
    lines = ImageOps.invert(_edges(image, 3.5))
    light = ImageChops.multiply(lines, Image.new("RGB", image.size, (60, 240, 255)))
    return _glowing(ImageChops.screen(dark, light), 0.4)


def _dots(image: Image.Image) -> Image.Image:
    """Points of colour on paper."""
    cell = max(3, min(image.size) // 90)
    flat = image.resize((max(1, image.width // cell), max(1, image.height // cell)), Image.Resampling.BOX)
    flat = ImageEnhance.Color(flat).enhance(1.4).resize(image.size, Image.Resampling.NEAREST)
    tile = (
        Image.radial_gradient("L")
        .resize((cell, cell))
        .point([255 if value < 150 else 0 for value in range(256)])
    )
    mask = Image.new("L", image.size)
    mask.paste(tile, (0, 0))
    # Each doubling fills twice as much with the tile.
    across = cell
    while across < image.width:
        mask.paste(mask.crop((0, 0, across, cell)), (across, 0))
        across *= 2
    down = cell
    while down < image.height:
        mask.paste(mask.crop((0, 0, image.width, down)), (0, down))
        down *= 2
    paper = Image.new("RGB", image.size, (246, 238, 222))
    paper.paste(flat, (0, 0), mask)
    return paper


def _leaded(image: Image.Image) -> Image.Image:
    """Bright panes between dark bars."""
    panes = _coarse(ImageEnhance.Color(image).enhance(1.9), 22)
    return ImageChops.multiply(panes, _edges(panes, 6).filter(ImageFilter.MinFilter(3)))


def _paper(image: Image.Image) -> Image.Image:
    """Layers of cut paper, each with a shadow."""
    flat = ImageOps.posterize(image.filter(ImageFilter.MedianFilter(5)), 3)
    grey = ImageOps.grayscale(flat)
    shift = max(1, min(image.size) // 140)
    shadow = ImageChops.subtract(ImageChops.offset(grey, shift, shift), grey)
    return ImageChops.subtract(flat, Image.merge("RGB", [shadow] * 3))


def _relief(image: Image.Image) -> Image.Image:
    """Light and shade as on something shaped."""
    relief = ImageOps.grayscale(image).filter(ImageFilter.EMBOSS)
    return ImageChops.overlay(image, relief.convert("RGB"))


def _film(image: Image.Image) -> Image.Image:
    warm = Image.blend(image, _toned(image, hexed("1f1a2b"), hexed("a8805f"), hexed("fff0d5")), 0.35)
    return ImageEnhance.Contrast(warm).enhance(0.92)


def _vivid(image: Image.Image) -> Image.Image:
    return ImageEnhance.Contrast(ImageEnhance.Color(image).enhance(1.6)).enhance(1.18)


def _own(name: str) -> Treatment:
    """A hue and a contrast that belong to this name alone."""
    dice = Dice(b"style").child(name)
    turn, colour, contrast = dice.count(14, 242), dice.between(0.8, 1.5), dice.between(0.88, 1.25)

    def treat(image: Image.Image) -> Image.Image:
        hue, saturation, value = image.convert("HSV").split()
        turned = hue.point([(step + turn) % 256 for step in range(256)])
        other = Image.merge("HSV", (turned, saturation, value)).convert("RGB")
        mixed = ImageEnhance.Color(Image.blend(image, other, 0.45)).enhance(colour)
        return ImageEnhance.Contrast(mixed).enhance(contrast)

    return treat


_TREATMENTS: tuple[tuple[str, Treatment], ...] = (
    ("Monochrome", lambda image: _grey(image, 1.1)),
    ("Film Noir", lambda image: _grey(image, 1.8)),
    ("Silhouette", lambda image: ImageEnhance.Contrast(image).enhance(2.6)),
    ("Pixel", lambda image: _coarse(image, 64)),
    ("Minecraft", lambda image: _coarse(image, 36)),
    ("Retro", lambda image: _coarse(image, 88)),
    ("Super Mario", lambda image: _coarse(_vivid(image), 72)),
    ("Zelda", lambda image: _coarse(_vivid(image), 100)),
    ("Line Art", lambda image: _edges(image, 3)),
    ("Zentangle", lambda image: _edges(_coarse(image, 120), 5)),
    ("Typography", lambda image: _edges(image, 5)),
    ("Comic", _comic),
    ("Anime", lambda image: _glowing(_comic(image), 0.25)),
    ("Pop Art", lambda image: ImageOps.posterize(_own("pop")(_vivid(image)), 2)),
    ("Graffiti", lambda image: _comic(_vivid(image))),
    ("GTA", lambda image: _comic(_film(image))),
    ("Street Fighter", lambda image: _comic(_vivid(image))),
    ("Pokemon", lambda image: ImageOps.posterize(_vivid(image), 4)),
    ("Watercolor", _washed),
    ("Impressionist", _brushed),
    ("Renaissance", lambda image: _film(_brushed(image))),
    ("Craft Clay", lambda image: _relief(_brushed(image))),
    ("Fantasy", lambda image: _glowing(_vivid(image), 0.5)),
    ("Dreamscape", lambda image: _glowing(image, 0.85)),
    ("Fairy Tale", lambda image: _glowing(_washed(image), 0.4)),
    ("Long Exposure", lambda image: image.filter(ImageFilter.BoxBlur(max(1, min(image.size) // 90)))),
    ("Tilt-Shift", lambda image: _tilted(_vivid(image))),
    ("Neon", _neon),
    ("Disco", lambda image: _glowing(_neon(image), 0.5)),
    ("Psychedelic", lambda image: ImageOps.solarize(_vivid(image), 150)),
    ("Pointillism", _dots),
    ("Stained Glass", _leaded),
    ("Cubist", lambda image: _leaded(_facets(image))),
    ("Lowpoly", _facets),
    ("Origami", lambda image: _relief(_facets(image))),
    ("Isometric", lambda image: _relief(ImageOps.posterize(image, 4))),
    ("apercut", _paper),
    ("Kirigami", _paper),
    ("Collage", lambda image: _paper(_vivid(image))),
    ("Paper", lambda image: _relief(_paper(image))),
    ("Texture", lambda image: _relief(_grey(image))),
    ("3D Model", _relief),
    ("Analog", _film),
    ("Cinematic", lambda image: ImageEnhance.Contrast(_film(image)).enhance(1.35)),
    ("Photographic", lambda image: ImageEnhance.Sharpness(_film(image)).enhance(2)),
    ("Steampunk", lambda image: _toned(image, hexed("1c120c"), hexed("8a5a2f"), hexed("f2d9a8"))),
    ("Gothic", lambda image: _toned(image, hexed("050508"), hexed("3f3550"), hexed("c9c2d6"))),
    ("Horror", lambda image: _toned(image, hexed("020403"), hexed("2f3f33"), hexed("b5c4a5"))),
    ("Dystopian", lambda image: _toned(image, hexed("0c0e10"), hexed("6f5f4a"), hexed("d9c7a5"))),
    ("Grunge", lambda image: _relief(_toned(image, hexed("1a1814"), hexed("77705f"), hexed("d5cfbd")))),
    ("Space", lambda image: _toned(image, hexed("060418"), hexed("4a3a9c"), hexed("e5d5ff"))),
    ("Alien", lambda image: _toned(image, hexed("04100a"), hexed("2f9c6a"), hexed("d5ffe0"))),
    ("Nautical", lambda image: _toned(image, hexed("07182f"), hexed("3f7fa0"), hexed("f0f4ee"))),
    ("Minimalist", lambda image: ImageOps.posterize(_washed(image), 2)),
    ("HDR", lambda image: ImageOps.autocontrast(_vivid(image), cutoff=4)),
    ("Enhance", lambda image: ImageEnhance.Sharpness(_vivid(image)).enhance(2.5)),
    ("Hyperrealism", lambda image: ImageEnhance.Sharpness(ImageOps.autocontrast(image, cutoff=2)).enhance(3)),
    ("Abstract", lambda image: _own("abstract")(_facets(_vivid(image)))),
    ("Surrealist", lambda image: ImageChops.blend(image, ImageOps.mirror(image), 0.4)),
)


def _tilted(image: Image.Image) -> Image.Image:
    """Sharp in the middle only."""
    soft = image.filter(ImageFilter.BoxBlur(max(1, min(image.size) // 60)))
    mask = Image.linear_gradient("L").resize(image.size)
    away = mask.point([min(255, int(abs(value - 128) * 2.6)) for value in range(256)])
    return Image.composite(soft, image, away)


def _preset(image: Image.Image, preset: str) -> Image.Image:
    treat = next((treatment for word, treatment in _TREATMENTS if word in preset), None)
    # What several presets share is told apart by a hue of each one's own.
    treated = image if treat is None else treat(image)
    return Image.blend(treated, _own(preset)(treated), 0.12 if treat is not None else 1.0)
