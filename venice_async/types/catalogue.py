"""What the API offers: image models with their prices and constraints, and what a key may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from attrs import field, frozen

from venice_async.errors import Fault, ValidationError

from .effects import generates, refuses_pixels, unused_by
from .frozen import FrozenDict, freeze
from .limits import Range, RequestLimits
from .request import ImageRequest

__all__ = ["ENHANCE_PROMPT_USD", "ImageModel", "KeyRateLimits", "ModelDeprecation", "Prices"]

ENHANCE_PROMPT_USD = 0.04
"""US dollars that `enhance_prompt` adds to a request, once for all its variants, if a rewrite came of it."""

_SURCHARGED = "krea-v2-"  # style references cost extra there, nobody says how much


@frozen(kw_only=True)
class Prices:
    """What one image of a model costs, in US dollars; a model may have both of the tables.

    Attributes:
        generation: One price for every image, or None.
        resolutions: By resolution (`1K`, `2K`, ...); empty where it does not matter.
        quality: By resolution and quality, and goes before `resolutions`; empty where it does not matter.
    """

    generation: float | None = None
    resolutions: Mapping[str, float] = field(factory=FrozenDict, converter=freeze)
    quality: Mapping[str, Mapping[str, float]] = field(factory=FrozenDict, converter=freeze)


@frozen(kw_only=True)
class ModelDeprecation:
    """The end of a model that is announced.

    Attributes:
        date: When the model goes, as the vendor writes it (ISO 8601), or None.
        starts_at: From when on answers warn of it, or None.
        removes_at: When the model leaves the catalogue, or None.
        replacement: The id of the model to use instead, or None.
        auto_remap: Whether the server may send requests to the replacement by itself.
    """

    date: str | None = None
    starts_at: str | None = None
    removes_at: str | None = None
    replacement: str | None = None
    auto_remap: bool = False

    @property
    def ends(self) -> str | None:
        """When the model goes, or None where nobody says."""
        return self.removes_at or self.date


def _ignored(model: ImageModel) -> tuple[str, ...]:
    """What a model ignores, by its id and by what it says of itself."""
    ignored = set(unused_by(model.id))
    if model.aspect_ratios and not refuses_pixels(model.id):
        ignored |= {"width", "height"}
    for name, missing in (
        ("aspect_ratio", not model.aspect_ratios),
        ("resolution", not model.resolutions),
        ("quality", not model.qualities),
        ("enable_web_search", model.supports_web_search is False),
        ("disable_prompt_optimization_thinking", model.supports_optimize_prompt_thinking is False),
    ):
        if missing:
            ignored.add(name)
    return tuple(field.name for field in attrs.fields(ImageRequest) if field.name in ignored)


@frozen(kw_only=True)
class ImageModel:
    """One image model.

    Attributes:
        id: What `ImageRequest.model` takes.
        name: What people call it, or None.
        offline: Whether it is out of service.
        privacy: `private` or `anonymized` as the vendor says, or None.
        uncensored: Whether the vendor filters as little as it ever does.
        traits: Such as `default` or `fastest`; `ImageRequest.model` takes them as well.
        region_restrictions: Codes of the countries in which it is blocked.
        deprecation: Its end, if that is announced, or None.
        prices: What an image costs.
        prompt_character_limit: Characters in a prompt, or None.
        steps_default: Inference steps when none are asked for, or None.
        steps_max: Inference steps at most, or None.
        width_height_divisor: Sides are multiples of this many pixels, or None.
        aspect_ratios: Empty for models that are sized in pixels.
        default_aspect_ratio: Or None.
        resolutions: Empty for models without tiers.
        default_resolution: Or None.
        qualities: Empty for models without them.
        default_quality: Or None.
        max_style_references: Pictures in `style_references`, or None.
        supports_style_reference_strength: Whether their `strength` has an effect.
        supports_style_references: Whether it takes `style_references`; None where the catalogue does not say.
        supports_web_search: The same of `enable_web_search`.
        supports_optimize_prompt_thinking: The same of `disable_prompt_optimization_thinking`.
        supports_transparent_background: The same of `transparent_background`.
        ignores: Fields of a request that have no effect: what is known of its id and what it says of itself,
            unless given.
        extra: Fields that the library does not know.
    """

    id: str
    name: str | None = None
    offline: bool = False
    privacy: str | None = None
    uncensored: bool = False
    traits: tuple[str, ...] = ()
    region_restrictions: tuple[str, ...] = ()
    deprecation: ModelDeprecation | None = None
    prices: Prices = Prices()
    prompt_character_limit: int | None = None
    steps_default: int | None = None
    steps_max: int | None = None
    width_height_divisor: int | None = None
    aspect_ratios: tuple[str, ...] = ()
    default_aspect_ratio: str | None = None
    resolutions: tuple[str, ...] = ()
    default_resolution: str | None = None
    qualities: tuple[str, ...] = ()
    default_quality: str | None = None
    max_style_references: int | None = None
    supports_style_reference_strength: bool = False
    supports_style_references: bool | None = None
    supports_web_search: bool | None = None
    supports_optimize_prompt_thinking: bool | None = None
    supports_transparent_background: bool | None = None
    ignores: tuple[str, ...] = field(default=attrs.Factory(_ignored, takes_self=True), converter=tuple)
    extra: Mapping[str, Any] = field(factory=FrozenDict, converter=freeze, repr=False)

    @property
    def generates(self) -> bool:
        """Whether it makes images from prompts; the catalogue also lists what removes backgrounds."""
        return generates(self.id)

    @property
    def limits(self) -> RequestLimits:
        """What the server takes today, narrowed to what this model says of itself.

        `inpaint` is left open: a model says nothing of it, and a server of 2025 takes it.
        """
        limits = RequestLimits.CURRENT
        changes: dict[str, Any] = {"name": f"limits of {self.id}", "inpaint": True}
        if (characters := self.prompt_character_limit) is not None:
            changes["prompt"] = attrs.evolve(limits.prompt, high=characters)
            changes["negative_prompt"] = attrs.evolve(limits.negative_prompt, high=characters)
        if self.steps_max is not None and "steps" not in self.ignores:
            changes["steps"] = Range(0, self.steps_max, low_open=True)
        if self.width_height_divisor and not self.aspect_ratios:
            changes["divisor"] = self.width_height_divisor
        if self.max_style_references is not None:
            changes["style_references"] = Range(1, self.max_style_references)
        return attrs.evolve(limits, **changes)

    def faults(self, request: ImageRequest) -> list[Fault]:
        """What is wrong with a request that goes to this model, by what it says of itself.

        What the model ignores is no fault: see `ignored`.
        """
        found = [Fault("model", self.id, "a model that is in service")] if self.offline else []
        if not self.generates:
            found.append(Fault("model", self.id, "a model that generates images"))
        try:
            attrs.evolve(request, limits=self.limits)
        except ValidationError as exc:  # a wider profile would not make the model take it
            found += [
                attrs.evolve(fault, hint="") if fault.hint.startswith("limits=") else fault
                for fault in exc.faults
            ]
        found += self._unlisted(request)
        found += self._unsupported(request)
        return found

    def _unlisted(self, request: ImageRequest) -> Iterator[Fault]:
        """Words that are not among those that the model lists."""
        for name, words in (
            ("aspect_ratio", self.aspect_ratios),
            ("resolution", self.resolutions),
            ("quality", self.qualities),
        ):
            value = getattr(request, name)
            if value is not None and words and value not in words:
                yield Fault(name, value, f"one of {', '.join(words)}")

    def _unsupported(self, request: ImageRequest) -> Iterator[Fault]:
        """Fields that the server refuses for this model."""
        nothing = f"nothing: {self.id} takes none"
        references = self.supports_style_references
        if references is None:
            references = self.max_style_references is not None
        if request.style_references and not references:
            yield Fault("style_references", len(request.style_references), nothing)
        transparent = request.transparent_background
        if transparent and self.supports_transparent_background is False:
            yield Fault("transparent_background", transparent, f"nothing: {self.id} has no transparency")
        if refuses_pixels(self.id):
            for name in ("width", "height"):
                if (pixels := getattr(request, name)) is not None:
                    yield Fault(name, pixels, nothing, "aspect_ratio sets its size")

    def ignored(self, request: ImageRequest) -> tuple[str, ...]:
        """The fields of a request that are set and have no effect with this model."""
        return tuple(name for name in self.ignores if getattr(request, name, None) is not None)

    def price_usd(self, request: ImageRequest) -> float | None:
        """What one image of this request costs, in US dollars, or None where that is not known.

        `enhance_prompt` adds `ENHANCE_PROMPT_USD` to the request; `enable_web_search` costs nothing.
        """
        if request.style_references and self.id.startswith(_SURCHARGED):
            return None
        if self.prices.generation is not None:
            return self.prices.generation
        resolution = request.resolution or self.default_resolution or ""
        by_quality = self.prices.quality.get(resolution, {})
        quality = request.quality or self.default_quality
        if by_quality and quality is not None:
            return by_quality.get(quality)
        return self.prices.resolutions.get(resolution)


@frozen(kw_only=True)
class KeyRateLimits:
    """What a key may use (`GET /api_keys/rate_limits`).

    Attributes:
        models: By model id, the amounts by type: `RPM` and `RPD` in requests, `TPM` in tokens.
        balance_usd: US dollars, or None.
        balance_diem: DIEM, or None.
    """

    models: Mapping[str, Mapping[str, float]] = field(factory=FrozenDict, converter=freeze)
    balance_usd: float | None = None
    balance_diem: float | None = None
