"""From a body to a picture's bytes: every field that changes a picture has its turn here.

1. Blocking code, for worker threads only. No state: several threads paint at once.
2. What is about delivery, thinking and searching changes no pixel.
"""

import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pybase64
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from venice_async.sandbox.catalogue import MODELS, RESOLUTIONS

from .brush import WHITE, Colour, dice, fading, lit, mix
from .places import Painting
from .words import is_blurred, read

__all__ = ["CONTENT_TYPES", "paint", "size_of"]

Box = tuple[int, int, int, int]

CONTENT_TYPES: Mapping[str, str] = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
# The longest side of a canvas (at most twice the picture, which is made of it), and the encoders' quality.
_QUALITIES = {"low": (512, 50), "medium": (720, 76), "high": (2048, 90)}


def size_of(body: Mapping[str, Any]) -> tuple[int, int]:
    """Give the width and height in pixels: as asked for, else by resolution (1K) and aspect ratio (1:1)."""
    side, ratio = RESOLUTIONS[body.get("resolution", "1K")], body.get("aspect_ratio", "1:1")
    parts = [int(part) for part in ratio.split(":")] if re.fullmatch(r"[1-9]\d*:[1-9]\d*", ratio) else [1, 1]
    width, height = (max(1, side * part // max(parts)) for part in parts)
    return int(body.get("width", width)), int(body.get("height", height))


def paint(body: Mapping[str, Any], variant: int = 0) -> bytes:
    """Paint the picture that a valid body with a seed asks for; each variant is another picture."""
    inpaint, prompt, encoded = body.get("inpaint") or {}, body["prompt"], io.BytesIO()
    source, mask = _decoded(inpaint.get("source_image_base64", "")), inpaint.get("mask")
    if source is None:
        image = _work(body, variant, prompt, size_of(body))
        if not body.get("hide_watermark"):
            _mark(image)
    else:
        box, region = _region(source.size, mask)
        prompt, image = f"{mask['inferred_object']} {mask['image_prompt']}" if mask else prompt, source
        new = _work(body, variant, prompt, region.size).convert("RGB")
        image.paste(Image.blend(image.crop(box), new, inpaint["strength"] / 100), box, region)
    if is_blurred(body):
        small = _smaller(image, 24).filter(ImageFilter.GaussianBlur(2))
        image = small.resize(image.size, Image.Resampling.BICUBIC)
    options: dict[str, Any] = {"quality": _QUALITIES[body.get("quality", "medium")][1]}
    if body.get("embed_exif_metadata"):
        recorded = ("model", "prompt", "negative_prompt", "seed", "steps", "cfg_scale", "style_preset")
        told = {name: body[name] for name in recorded if name in body} | {"variant": variant}
        options["exif"] = exif = Image.Exif()
        exif[0x010E], exif[0x0131] = body["prompt"].encode("ascii", "replace").decode(), "Venice sandbox"
        exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + json.dumps(told).encode()
    # Each encoder at its fastest.
    image.save(encoded, body.get("format", "webp").upper(), compress_level=1, method=0, **options)
    return encoded.getvalue()


def _work(body: Mapping[str, Any], variant: int, prompt: str, size: tuple[int, int]) -> Image.Image:
    """Paint a prompt at a size, with all that the body says about how."""
    model, negative, cfg = body["model"], body.get("negative_prompt", ""), float(body.get("cfg_scale", 7.0))
    seed, part = int(body["seed"]), min(2.0, _QUALITIES[body.get("quality", "medium")][0] / max(size))
    key, inner = (model, prompt, seed, variant), (round(size[0] * part) or 1, round(size[1] * part) or 1)
    painting = Painting(read(prompt, negative), inner, key, seed + variant, cfg / 7)
    image = _FILTERS["glow"](painting.image) if body.get("enhance_prompt") else painting.image
    known = MODELS.get(model)
    enough = ((known and known.constraints) or {}).get("steps", {}).get("default", 25)
    rough = 2.0 ** (-6.0 * body.get("steps", enough) / enough)
    if rough > 0.03:
        soft = _smaller(image, round(1 + 9 * rough)).resize(inner, Image.Resampling.BICUBIC)
        blotches = Image.frombytes("RGB", (24, 24), dice(key, "steps").randbytes(3 * 24 * 24)).resize(inner)
        image = Image.blend(image, soft, min(1.0, 2.5 * rough))
        image = Image.blend(image, blotches, min(0.85, 1.25 * rough))
    hand = [dice("hand", model, negative.split(), band).uniform(0.96, 1.04) for band in range(3)]
    image = _graded(image, max(0.3, 0.64 + 0.055 * cfg), max(0.75, 0.86 + 0.02 * cfg), hand)
    tints = [(_mean(one["image"]), one.get("strength", 0.5)) for one in body.get("style_references", ())]
    for colour, strength in ((_mean(model), body.get("lora_strength", 0) / 100), *tints):
        if strength:
            toned = ImageOps.colorize(image.convert("L"), lit(colour, 0.3), mix(colour, WHITE, 0.6), colour)
            image = Image.blend(image, toned, 0.75 * strength)
    image = _styled(image, body["style_preset"]) if "style_preset" in body else image
    # Corners a little darker, and a grain.
    grain = Image.frombytes("L", inner, dice(key).randbytes(inner[0] * inner[1]))
    dark = Image.radial_gradient("L").point(fading(105, 330, 70)).resize(inner, Image.Resampling.BILINEAR)
    dark = ImageChops.add(dark, grain.point(fading(0, 255, 5 + 80 * rough)))
    image.paste((0, 0, 0), (0, 0, *inner), dark)
    image = image.resize(size, Image.Resampling.BILINEAR)
    if body.get("transparent_background") and body.get("format") != "jpeg" and painting.cut.getbbox():
        image.putalpha(painting.cut.resize(size, Image.Resampling.BILINEAR))
    return image


def _graded(image: Image.Image, saturation: float, contrast: float, tone: Sequence[float]) -> Image.Image:
    """Change all colours; 1 leaves them."""
    matrix: list[float] = []
    for row, gain in enumerate(tone):
        parts = [luma * (1 - saturation) for luma in (0.299, 0.587, 0.114)]
        parts[row] += saturation
        matrix += [*(contrast * gain * part for part in parts), 128 * (1 - contrast)]
    return image.convert("RGB", tuple(matrix))


def _smaller(image: Image.Image, part: int) -> Image.Image:
    return image.resize((image.width // part + 1, image.height // part + 1), Image.Resampling.BOX)


_FILTERS: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "comic": lambda image: ImageChops.multiply(ImageOps.posterize(image, 3), _FILTERS["lines"](image)),
    "edges": lambda image: image.filter(ImageFilter.FIND_EDGES),
    "flat": lambda image: ImageOps.posterize(image, 2).resize((48, 48)).resize(image.size),
    "glow": lambda image: ImageChops.add(image, image.filter(ImageFilter.BoxBlur(image.width // 50)), 1.4),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "lines": lambda image: _FILTERS["edges"](image.convert("L")).point(fading(60, 6)).convert("RGB"),
    "neon": lambda image: ImageChops.add(_graded(image, 2, 1, (1, 1, 1)), _FILTERS["edges"](image)),
    "noir": lambda image: ImageOps.autocontrast(image.convert("L"), 8).convert("RGB"),
    "pixels": lambda image: ImageOps.posterize(image.reduce(16), 4).resize(image.size, resample=0),
    "sharp": lambda image: image.filter(ImageFilter.UnsharpMask(3, 140, 2)),
    "smooth": lambda image: _smaller(image, 3).filter(ImageFilter.ModeFilter(7)).resize(image.size),
    "wash": lambda image: ImageChops.add(_FILTERS["smooth"](image), Image.new("RGB", image.size, "#333")),
}
# The presets of each filter; any other is "sharp".
_STYLES = """
comic: Comic Book, GTA, Graffiti, Fighting Game, Street Fighter, Anime, Pop Art / flat: Minimalist, Kirigami,
Flat Papercut, Papercut Collage, Stacked Papercut / glow: Dreamscape, Fantasy Art, Long Exposure, Tilt-Shift /
grey: Monochrome, Horror, Gothic / lines: Line Art, Architectural, Typography, Zentangle / noir: Film Noir /
neon: Neon Punk, Neon Noir, Disco, Psychedelic / pixels: Pixel Art, Super Mario, Minecraft, Retro Game /
wash: Watercolor, Fairy Tale, Impressionist, Pointillism
"""


def _styled(image: Image.Image, style: str) -> Image.Image:
    """Change the picture by a preset's filter, and by a tone of its own."""
    lists, throw = " ".join(_STYLES.split()).split(" / "), dice("style", style)
    parts = {name: styles.split(", ") for name, styles in (part.split(": ") for part in lists)}
    name = next((name for name, styles in parts.items() if style in styles), "sharp")
    tone, more = [throw.uniform(0.86, 1.12) for _ in range(3)], throw.uniform(0.9, 1.3)
    return _graded(_FILTERS[name](image), more, 1.05, tone[:1] * 3 if name in {"grey", "noir"} else tone)


def _decoded(text: str) -> Image.Image | None:
    """Read a picture from base64 or a data URI; None if it is none."""
    try:
        data = io.BytesIO(pybase64.b64decode(text.rpartition(",")[2], validate=True))
        with Image.open(data, formats=("PNG", "JPEG", "WEBP", "GIF")) as image:
            return image.convert("RGB") if image.width * image.height <= 4096 * 4096 else None
    except Exception:  # noqa: BLE001 - on bytes that are no picture, Pillow's readers raise anything
        return None


def _mean(reference: str) -> Colour:
    """Give the mean colour of a reference; of what is not a picture, such as a URL, one of its own."""
    pixel = (image := _decoded(reference)) and image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    return pixel if isinstance(pixel, tuple) else tuple(dice(reference).choices(range(256), k=3))


def _region(size: tuple[int, int], mask: Mapping[str, str] | None) -> tuple[Box, Image.Image]:
    """Place an ellipse by the words for what is to be replaced; without any, it is the whole."""
    if not mask:
        return (0, 0, *size), Image.new("1", size, 1)
    throw = dice("mask", mask["object_target"], mask["inferred_object"])
    width, height = (max(1, int(side * throw.uniform(0.35, 0.6))) for side in size)
    left, top = int((size[0] - width) * throw.random()), int((size[1] - height) * throw.random())
    region = Image.new("1", (width, height))
    ImageDraw.Draw(region).ellipse((0, 0, width - 1, height - 1), fill=1)
    return (left, top, left + width, top + height), region


def _mark(image: Image.Image) -> None:
    """Put the small mark, a V in a ring, into the lower right corner, where there is room."""
    side, mark = min(image.size) // 30, Image.new("L", (120, 120))
    if side > 2:
        ImageDraw.Draw(mark).ellipse((2, 2, 117, 117), outline=220, width=10)
        ImageDraw.Draw(mark).line([(36, 36), (60, 84), (84, 36)], 235, 15, joint="curve")
        left, top = image.width - side - side // 2, image.height - side - side // 3
        image.paste((255, 252, 244), (left, top, left + side, top + side), mark.resize((side, side)))
