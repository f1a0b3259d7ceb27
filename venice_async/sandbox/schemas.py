"""The bodies that the image end points take: every field with its range.

1. Values only. What is narrower for one model stands in `rules.py`.
2. A profile takes one of the image schemas; the OpenAI shape is the same for all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen
from typing_extensions import override

from .catalogue import RESOLUTIONS, STYLES
from .validate import Check, Flag, ImageSchema, Issue, ListOf, Nullable, Number, Path, Refused, Schema, Text

__all__ = ["IMAGE_2025", "IMAGE_TODAY", "OPENAI", "REFERENCE"]

_REFERENCE_BYTES = 8 * 1024 * 1024
_LONGEST_PROMPT = 32_768

# How SVG begins: as a data URI, and "<svg" and "<?xml" in base64.
_SVG = ("data:image/svg", "PHN2Zy", "PD94bWwg")


@frozen
class _Reference(Text):
    """A picture as base64, data URI or URL, but no SVG, and under 8 MB."""

    @override
    def issues(self, value: Any, path: Path = ()) -> Iterator[Issue]:
        yield from super().issues(value, path)
        if not isinstance(value, str) or value.startswith(("http://", "https://")):
            return
        text = value.rpartition(",")[2]
        if value.startswith(_SVG) or text.startswith(_SVG):
            yield Issue("custom", "SVG is not supported", path)
        if len(text) * 3 // 4 - text[-2:].count("=") >= _REFERENCE_BYTES:
            yield Issue("custom", "The image must be less than 8MB", path)


REFERENCE = Schema({"image": _Reference(1), "strength": Number(0.1, 1, integer=False)}, required=("image",))

_MASK = Schema(
    {"image_prompt": Text(), "object_target": Text(), "inferred_object": Text()},
    required=("image_prompt", "object_target", "inferred_object"),
)

_INPAINT = Schema(
    {"strength": Number(0, 100), "source_image_base64": Text(), "mask": _MASK},
    required=("strength", "source_image_base64"),
)

_PIXELS = Number(0, 1280, above=True)
_QUALITY = Text(choices=("low", "medium", "high"))
_ANON_USER_ID = Text(
    0,
    128,
    pattern=r"(?!.*\|\|)[ -~]*",
    otherwise="anon_user_id must be printable ASCII, without ||",
)

_ALWAYS: Mapping[str, Check] = {
    "model": Text(),
    "style_preset": Text(choices=STYLES),
    "height": _PIXELS,
    "width": _PIXELS,
    "cfg_scale": Number(0, 20, integer=False, above=True),
    "seed": Number(-999_999_999, 999_999_999),
    "lora_strength": Number(0, 100),
    "safe_mode": Flag(),
    "return_binary": Flag(),
    "hide_watermark": Flag(),
    "format": Text(choices=("jpeg", "png", "webp")),
    "variants": Number(1, 4),
    "quality": _QUALITY,
    "embed_exif_metadata": Flag(),
    "enable_web_search": Flag(),
    "enhance_prompt": Flag(),
    "disable_prompt_optimization_thinking": Flag(),
    "style_references": ListOf(REFERENCE),
}

IMAGE_TODAY = ImageSchema(
    Schema(
        {
            **_ALWAYS,
            "prompt": Text(1, _LONGEST_PROMPT, pattern=r".*\S.*|", otherwise="The prompt must not be blank"),
            "negative_prompt": Text(0, _LONGEST_PROMPT),
            "steps": Number(-math.inf, math.inf),
            "aspect_ratio": Text(),
            "resolution": Text(),
            "inpaint": Refused('inpaint was removed in May 2025; a sandbox with profile="2025" takes it'),
            "transparent_background": Flag(),
            "anon_user_id": _ANON_USER_ID,
        },
        required=("model", "prompt"),
    )
)

IMAGE_2025 = ImageSchema(
    Schema(
        {
            **_ALWAYS,
            "prompt": Text(1, 1500),
            "negative_prompt": Text(0, 1500),
            "steps": Number(0, 50, above=True),
            "aspect_ratio": Text(pattern=r"[1-9]\d{0,2}:[1-9]\d{0,2}"),
            "resolution": Text(choices=tuple(RESOLUTIONS)),
            "inpaint": Nullable(_INPAINT),
        },
        required=("model", "prompt"),
    )
)

_OPENAI_SIZES = (
    *("auto", "256x256", "512x512", "1024x1024"),
    *("1536x1024", "1024x1536", "1792x1024", "1024x1792"),
)

OPENAI = Schema(
    {
        "prompt": Text(1, 1500),
        "model": Text(),
        "n": Nullable(Number(1, 1)),
        "size": Nullable(Text(choices=_OPENAI_SIZES)),
        "response_format": Nullable(Text(choices=("b64_json", "url"))),
        "output_format": Text(choices=("jpeg", "png", "webp")),
        "moderation": Nullable(Text(choices=("auto", "low"))),
        "background": Nullable(Text(choices=("auto", "opaque", "transparent"))),
        "output_compression": Nullable(Number(0, 100)),
        "quality": Nullable(Text(choices=("auto", "high", "medium", "low", "hd", "standard"))),
        "style": Nullable(Text(choices=("vivid", "natural"))),
        "user": Text(),
        "anon_user_id": _ANON_USER_ID,
    },
    required=("prompt",),
)
