"""What is asked of the API: one image request and its parts.

1. Ranges are validators on the fields; a request that exists is one the profile allows.
2. None means "not set", and what was not set is not sent: the server refuses unknown keys and
   applies its own defaults to absent ones.
3. Field names are the wire's names. `extra`, `limits` and `metadata` are the three that are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypedDict

import attrs
import pybase64
from attrs import field, frozen
from typing_extensions import override

from venice_async.errors import Fault

from .checks import (
    Choice,
    Each,
    Extra,
    Flag,
    Identifier,
    Instance,
    Names,
    Number,
    Pixels,
    Prompt,
    Retired,
    Text,
    Transparency,
    Variants,
)
from .frozen import FrozenDict, freeze
from .limits import Range, RequestLimits

__all__ = [
    "DEFAULT_MODEL",
    "FORMATS",
    "NEVER_SENT",
    "ImageRequest",
    "Inpaint",
    "InpaintMask",
    "RequestFields",
    "StyleReference",
]

DEFAULT_MODEL = "default"
"""The trait that stands for a model where none is named."""
FORMATS = ("jpeg", "png", "webp")
QUALITIES = ("low", "medium", "high")
NEVER_SENT = frozenset({"limits", "metadata"})
"""Fields of a request that are the caller's own."""
_STYLE_IMAGE_BYTES = 8 * 1024 * 1024


@frozen(kw_only=True)
class InpaintMask:
    """Which part of the source picture is replaced, and by what; all three are required.

    Attributes:
        image_prompt: A description of the source picture.
        object_target: What in it is to be replaced.
        inferred_object: What takes its place.

    Raises:
        ValidationError: One of them is no string, or empty.
    """

    image_prompt: str = field(validator=Text(optional=False))
    object_target: str = field(validator=Text(optional=False))
    inferred_object: str = field(validator=Text(optional=False))


@frozen(kw_only=True)
class Inpaint:
    """Changes to a picture that exists (retired by the API in May 2025, kept as the page has it).

    Attributes:
        strength: How much is changed, 0 to 100 per cent.
        source_image_base64: The picture as base64 or as a data URI; `from_bytes` makes it.
        mask: What is changed; None for the whole picture.

    Raises:
        ValidationError: A field is missing, of the wrong type or outside its range.
    """

    strength: int = field(validator=Number(Range(0, 100), optional=False))
    source_image_base64: str = field(
        validator=Text(optional=False), repr=lambda text: f"<{len(text)} characters>"
    )
    mask: InpaintMask | None = field(default=None, validator=Instance(InpaintMask, "an InpaintMask"))

    @classmethod
    def from_bytes(cls, data: bytes, *, strength: int, mask: InpaintMask | None = None) -> Inpaint:
        """Encode a picture's bytes (PNG, JPEG or WebP) as the source."""
        return cls(strength=strength, source_image_base64=pybase64.b64encode(data).decode("ascii"), mask=mask)


@frozen
class _StyleImage(Text):
    """Text that, where it is base64, stands for less than 8 MB."""

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        yield from super().faults(instance, name, value)
        if isinstance(value, str) and not value.startswith(("http://", "https://")):
            text = value.rpartition(",")[2]
            size = len(text) * 3 // 4 - text[-2:].count("=")
            if size >= _STYLE_IMAGE_BYTES:
                yield Fault(name, value, f"a picture under 8 MB, not {size / 1024**2:.1f} MB")


@frozen(kw_only=True)
class StyleReference:
    """A picture whose style the image takes on (models with `supportsStyleReferences`).

    Attributes:
        image: Base64, a data URI or an http(s) URL; the picture is under 8 MB.
        strength: 0.1 to 1; the server takes 0.5 when absent.

    Raises:
        ValidationError: A field is of the wrong type or outside its range.
    """

    image: str = field(validator=_StyleImage(optional=False), repr=lambda text: f"<{len(text)} characters>")
    strength: float | None = field(default=None, validator=Number(Range(0.1, 1), real=True))

    @classmethod
    def from_bytes(cls, data: bytes, *, strength: float | None = None) -> StyleReference:
        """Encode a picture's bytes (PNG, JPEG or WebP, under 8 MB) as the reference."""
        return cls(image=pybase64.b64encode(data).decode("ascii"), strength=strength)


def _freeze_names(value: Any) -> Any:
    """The mapping as it cannot change; a TypeError of it, or of the first name and value that do not fit."""
    if not isinstance(value, Mapping):
        return TypeError(value)
    try:
        return freeze(value)
    except TypeError:
        return TypeError(*next(pair for pair in value.items() if not _fits(*pair)))


def _fits(name: Any, value: Any) -> bool:
    try:
        freeze({name: value})
    except TypeError:
        return False
    return True


def _model_or_default(value: str | None) -> str:
    return DEFAULT_MODEL if value is None else value


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@frozen(repr=False)
class ImageRequest:
    """One request for `POST /image/generate`.

    Ranges are those of the reference page unless `limits` says otherwise; a model's own are in
    `ImageModel.limits`. Fields left at None are not sent.

    Attributes:
        prompt: What to draw, 1 to 1500 characters.
        model: The model's id, for example `z-image-turbo`, or a trait: `default`, `fastest` or
            `highest_quality`. A session sends `default` to the environment's `VENICE_MODEL` if that is set.
        negative_prompt: What not to draw, at most 1500 characters.
        style_preset: One of `VeniceSession.styles()`.
        width: Pixels, 0 < x < 1280; each model has a divisor.
        height: Pixels, 0 < x < 1280; each model has a divisor.
        steps: Inference steps, 0 < x < 50; each model has a maximum.
        cfg_scale: Adherence to the prompt, 0 < x < 20.
        seed: -999999999 < x < 999999999; the server draws one when absent.
        lora_strength: Per cent, 0 < x < 100; only for models with additional LoRAs.
        safe_mode: Whether adult content is blurred.
        return_binary: Whether the answer is the image itself instead of base64 in JSON.
        hide_watermark: Whether to leave Venice's watermark out; the server may ignore it.
        inpaint: Changes to a picture that exists.
        format: `jpeg`, `png` or `webp`; the server takes `webp` when absent.
        variants: Images in one answer, 1 to 4; not with `return_binary`.
        aspect_ratio: Such as `16:9`, for models that list `aspectRatios`.
        resolution: Such as `2K`, for models that list `resolutions`.
        quality: `low`, `medium` or `high`, for models that list `qualities`.
        embed_exif_metadata: Whether the image's EXIF holds what made it.
        enable_web_search: Whether the model may search the web, for models with `supportsWebSearch`.
        enhance_prompt: Whether the server rewrites the prompt; costs extra, takes up to about 30 s.
        disable_prompt_optimization_thinking: Whether the rewriting goes without thinking.
        style_references: Pictures whose style the image takes on.
        transparent_background: Whether there is nothing behind what is drawn, for models with
            `supportsTransparentBackground`; not as JPEG.
        anon_user_id: Who of your users asks, 1 to 128 printable ASCII characters without `||`; it is
            passed on to the model's provider.
        extra: Fields newer than the library, sent as they are.
        metadata: What the caller keeps beside the request, such as a row's other columns; it is found
            again with the images. Never sent; takes no part in equality.
        limits: The profile that the ranges come from. Never sent; takes no part in equality.

    Raises:
        ValidationError: Something is outside its range; the error lists every fault.
    """

    prompt: str = field(validator=Prompt("prompt", optional=False))
    model: str = field(
        default=DEFAULT_MODEL,
        kw_only=True,
        converter=_model_or_default,
        validator=Text(optional=False),
    )
    negative_prompt: str | None = field(default=None, kw_only=True, validator=Text("negative_prompt"))
    style_preset: str | None = field(default=None, kw_only=True, validator=Text())
    width: int | None = field(default=None, kw_only=True, validator=Pixels("width"))
    height: int | None = field(default=None, kw_only=True, validator=Pixels("height"))
    steps: int | None = field(default=None, kw_only=True, validator=Number("steps"))
    cfg_scale: float | None = field(default=None, kw_only=True, validator=Number("cfg_scale", real=True))
    seed: int | None = field(default=None, kw_only=True, validator=Number("seed"))
    lora_strength: int | None = field(default=None, kw_only=True, validator=Number("lora_strength"))
    safe_mode: bool | None = field(default=None, kw_only=True, validator=Flag())
    return_binary: bool | None = field(default=None, kw_only=True, validator=Flag())
    hide_watermark: bool | None = field(default=None, kw_only=True, validator=Flag())
    inpaint: Inpaint | None = field(default=None, kw_only=True, validator=Retired(Inpaint, "an Inpaint"))
    format: Literal["jpeg", "png", "webp"] | None = field(
        default=None, kw_only=True, validator=Choice(FORMATS)
    )
    variants: int | None = field(default=None, kw_only=True, validator=Variants("variants"))
    aspect_ratio: str | None = field(default=None, kw_only=True, validator=Text())
    resolution: str | None = field(default=None, kw_only=True, validator=Text())
    quality: Literal["low", "medium", "high"] | None = field(
        default=None, kw_only=True, validator=Choice(QUALITIES)
    )
    embed_exif_metadata: bool | None = field(default=None, kw_only=True, validator=Flag())
    enable_web_search: bool | None = field(default=None, kw_only=True, validator=Flag())
    enhance_prompt: bool | None = field(default=None, kw_only=True, validator=Flag())
    disable_prompt_optimization_thinking: bool | None = field(default=None, kw_only=True, validator=Flag())
    style_references: Sequence[StyleReference] | None = field(
        default=None,
        kw_only=True,
        converter=_as_tuple,
        validator=Each(StyleReference, "a sequence of StyleReference", "style_references"),
    )
    transparent_background: bool | None = field(default=None, kw_only=True, validator=Transparency())
    anon_user_id: str | None = field(default=None, kw_only=True, validator=Identifier("anon_user_id"))
    extra: Mapping[str, Any] = field(
        factory=FrozenDict, kw_only=True, converter=_freeze_names, validator=Extra(optional=False)
    )
    metadata: Mapping[str, Any] = field(
        factory=FrozenDict,
        kw_only=True,
        eq=False,
        converter=_freeze_names,
        validator=Names(optional=False),
    )
    limits: RequestLimits = field(
        default=RequestLimits.DOCUMENTED,
        kw_only=True,
        eq=False,
        repr=False,
        validator=Instance(RequestLimits, "a RequestLimits", optional=False),
    )

    @property
    def units(self) -> int:
        """Images that it asks for: what the rate limit counts, and what is billed."""
        return self.variants or 1

    @override
    def __repr__(self) -> str:
        """Show what was set, and nothing else."""
        shown = [repr(self.prompt)]
        for attribute in attrs.fields(ImageRequest)[1:]:
            value = getattr(self, attribute.name)
            if attribute.repr and value is not None and value != {}:
                shown.append(f"{attribute.name}={value!r}")
        return f"ImageRequest({', '.join(shown)})"


class RequestFields(TypedDict, total=False):
    """The fields of `ImageRequest` but its prompt, as keyword arguments for bare prompts."""

    model: str | None
    negative_prompt: str | None
    style_preset: str | None
    width: int | None
    height: int | None
    steps: int | None
    cfg_scale: float | None
    seed: int | None
    lora_strength: int | None
    safe_mode: bool | None
    return_binary: bool | None
    hide_watermark: bool | None
    inpaint: Inpaint | None
    format: Literal["jpeg", "png", "webp"] | None
    variants: int | None
    aspect_ratio: str | None
    resolution: str | None
    quality: Literal["low", "medium", "high"] | None
    embed_exif_metadata: bool | None
    enable_web_search: bool | None
    enhance_prompt: bool | None
    disable_prompt_optimization_thinking: bool | None
    style_references: Sequence[StyleReference] | None
    transparent_background: bool | None
    anon_user_id: str | None
    extra: Mapping[str, Any]
    metadata: Mapping[str, Any]
    limits: RequestLimits
