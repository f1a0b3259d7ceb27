"""A request's body to the bytes of a picture.

1. Blocking code, for worker threads only; nothing is shared between two pictures.
2. Nothing random: everything follows from the body, by hashes that do not change between processes.
3. The scene follows from model, prompt, seed and variant; every other field treats it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from PIL import Image

from venice_async.sandbox.catalogue import RESOLUTIONS

from .dice import Dice
from .finish import blurred, captioned, inpainted, marked, tinted, vignetted
from .picture import paint_scene
from .style import in_style
from .words import is_adult, scene_of

__all__ = ["CONTENT_TYPES", "is_blurred", "paint", "size_of"]

CONTENT_TYPES: Mapping[str, str] = MappingProxyType(
    {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
)

# Each encoder at its fastest that still looks decent.
_ENCODERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"jpeg": {"quality": 84}, "png": {"compress_level": 1}, "webp": {"quality": 78, "method": 0}}
)
_SKETCH = 560  # pixels of the longer side
_QUALITY: Mapping[str, int] = MappingProxyType({"low": 40, "medium": 70, "high": 92})
_DESCRIPTION, _USER_COMMENT = 0x010E, 0x9286


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


def is_blurred(body: Mapping[str, Any]) -> bool:
    """Whether safe mode, which is on unless it is switched off, blurs the picture of a body."""
    return body.get("safe_mode") is not False and is_adult(body["prompt"])


def paint(body: Mapping[str, Any], variant: int = 0) -> bytes:
    """Paint the picture that a valid body with a seed asks for; each variant is another picture."""
    image = _picture(body, variant)
    image_format = body.get("format", "webp")
    options = dict(_ENCODERS[image_format])
    if body.get("quality") in _QUALITY and "quality" in options:
        options["quality"] = _QUALITY[body["quality"]]
    if body.get("embed_exif_metadata"):
        options["exif"] = _exif(body)
    encoded = io.BytesIO()
    image.save(encoded, image_format.upper(), **options)
    return encoded.getvalue()


def _picture(body: Mapping[str, Any], variant: int) -> Image.Image:
    dice = Dice(b"picture").child(body.get("model"), body["prompt"], int(body["seed"]), variant)
    scene = scene_of(body["prompt"], body.get("negative_prompt") or "", dice.child("words"))
    image = vignetted(in_style(paint_scene(scene, _sketch_size(size_of(body)), dice), body))
    if references := body.get("style_references"):
        image = tinted(image, references)
    if is_blurred(body):
        image = blurred(image)
    if image.size != size_of(body):
        image = image.resize(size_of(body), Image.Resampling.BICUBIC)
    captioned(image, body["prompt"], f"seed {int(body['seed'])}" + (f" · {variant + 1}" if variant else ""))
    if not body.get("hide_watermark"):
        marked(image)
    return inpainted(image, body["inpaint"]) if body.get("inpaint") else image


def _sketch_size(size: tuple[int, int]) -> tuple[int, int]:
    """Large pictures are painted smaller and enlarged: what is smooth does not show it, and time counts."""
    part = min(1.0, _SKETCH / max(size))
    return max(1, round(size[0] * part)), max(1, round(size[1] * part))


def _exif(body: Mapping[str, Any]) -> Image.Exif:
    exif = Image.Exif()
    # EXIF's own text is ASCII; what is beyond it is written in escapes.
    exif[_DESCRIPTION] = body["prompt"].encode("ascii", "backslashreplace").decode()
    settings = {
        name: body[name] for name in ("model", "seed", "steps", "cfg_scale", "style_preset") if name in body
    }
    text = ", ".join(f"{name}={value}" for name, value in settings.items())
    exif.get_ifd(0x8769)[_USER_COMMENT] = b"ASCII\0\0\0" + text.encode("ascii", "backslashreplace")
    return exif
