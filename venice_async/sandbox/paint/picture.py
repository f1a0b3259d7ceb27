"""From a body to a picture's bytes: every field that changes a picture has its turn here.

1. Blocking code, for worker threads only. No state: several threads paint at once.
2. Nothing random: every pixel follows from the request itself, by hashes that do not change between
   processes.
3. `enable_web_search` and `disable_prompt_optimization_thinking` change nothing that can be seen;
   `format`, `return_binary` and `variants` say how pictures are delivered, not what is on them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from PIL import Image

from venice_async.sandbox.catalogue import RESOLUTIONS

from .dice import Dice
from .finish import (
    blurred,
    captioned,
    developed,
    enhanced,
    graded,
    grain_of,
    guidance,
    model_grade,
    nudge,
    overlaid,
    surfaced,
    tinted,
    watermarked,
)
from .scenery import paint_scene
from .source import decoded, inpainted, mean_colour
from .style import styled
from .words import is_blurred, read

__all__ = ["CONTENT_TYPES", "paint", "size_of"]

CONTENT_TYPES: Mapping[str, str] = MappingProxyType(
    {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
)

# Each encoder at its fastest that still looks decent; what `quality` changes.
_ENCODERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"jpeg": {}, "png": {"compress_level": 1}, "webp": {"method": 0}}
)
_QUALITIES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {"low": {"jpeg": 55, "webp": 45}, "medium": {"jpeg": 82, "webp": 74}, "high": {"jpeg": 92, "webp": 90}}
)

# The longest side that is painted in full; a greater picture is enlarged from it.
_LONGEST = {"low": 512, "medium": 768, "high": 2048}

_IMAGE_DESCRIPTION, _SOFTWARE, _EXIF_PART, _USER_COMMENT = 0x010E, 0x0131, 0x8769, 0x9286
_RECORDED = ("model", "prompt", "negative_prompt", "seed", "steps", "cfg_scale", "style_preset")


def size_of(body: Mapping[str, Any]) -> tuple[int, int]:
    """Give the width and height in pixels that a valid body asks for.

    `width` and `height` come first; else the long side is the resolution's (1024 without one)
    and the other follows from the aspect ratio.
    """
    side = RESOLUTIONS[body.get("resolution", "1K")]
    across, down = (int(part) for part in body.get("aspect_ratio", "1:1").split(":"))
    longest = max(across, down)
    width = body.get("width", max(1, side * across // longest))
    height = body.get("height", max(1, side * down // longest))
    return int(width), int(height)


def paint(body: Mapping[str, Any], variant: int = 0) -> bytes:
    """Paint the picture that a valid body with a seed asks for; each variant is another picture."""
    image_format = body.get("format", "webp")
    options = dict(_ENCODERS[image_format])
    if image_format != "png":
        options["quality"] = _QUALITIES[body.get("quality", "medium")][image_format]
    if body.get("embed_exif_metadata"):
        options["exif"] = _exif(body, variant)
    encoded = io.BytesIO()
    _picture(body, variant).save(encoded, image_format.upper(), **options)
    return encoded.getvalue()


def _picture(body: Mapping[str, Any], variant: int) -> Image.Image:
    inpaint = body.get("inpaint") or {}
    source = decoded(inpaint.get("source_image_base64", ""))
    if source is not None:
        mask = inpaint.get("mask")
        told = body["prompt"] if mask is None else " ".join((mask["inferred_object"], mask["image_prompt"]))
        image = inpainted(source, mask, inpaint["strength"], lambda size: _work(body, variant, told, size))
        return blurred(image) if is_blurred(body) else image
    image = _work(body, variant, body["prompt"], size_of(body))
    if is_blurred(body):
        image = blurred(image)
    captioned(image, body["prompt"], body["seed"], variant)
    if not body.get("hide_watermark"):
        watermarked(image)
    return image


def _work(body: Mapping[str, Any], variant: int, prompt: str, size: tuple[int, int]) -> Image.Image:
    """Paint a prompt at a size, with all that the body says about how."""
    model, negative = body["model"], body.get("negative_prompt", "")
    dice = Dice(b"picture").child(model, prompt, int(body["seed"]), variant)
    cfg_scale = float(body.get("cfg_scale", 7.0))
    shrunk = max(1.0, max(size) / _LONGEST[body.get("quality", "medium")])
    inner = (max(1, round(size[0] / shrunk)), max(1, round(size[1] / shrunk)))
    image = paint_scene(read(prompt, negative), inner, dice, faith=cfg_scale / 7.0)
    if body.get("enhance_prompt"):
        image = enhanced(image)
    image = developed(image, body.get("steps"), model, dice.child("steps"))
    image = graded(image, model_grade(model) @ guidance(cfg_scale) @ nudge(negative))
    image = overlaid(image, body.get("lora_strength", 0), Dice(b"lora").child(model))
    if (style := body.get("style_preset")) is not None:
        image = styled(image, style, dice.child("style"))
    for reference in body.get("style_references", ()):
        image = tinted(image, mean_colour(reference["image"]), reference.get("strength", 0.5))
    if inner != size:
        image = image.resize(size, Image.Resampling.BILINEAR)
    return surfaced(image, dice, grain_of(body.get("steps"), model))


def _exif(body: Mapping[str, Any], variant: int) -> Image.Exif:
    exif = Image.Exif()
    exif[_IMAGE_DESCRIPTION] = body["prompt"].encode("ascii", "replace").decode()
    exif[_SOFTWARE] = f"Venice sandbox, {body['model']}"
    told = {name: body[name] for name in _RECORDED if name in body} | {"variant": variant}
    exif.get_ifd(_EXIF_PART)[_USER_COMMENT] = b"ASCII\0\0\0" + json.dumps(told).encode()
    return exif
