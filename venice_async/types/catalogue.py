"""What the API offers: image models with their prices and constraints, and what a key may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from attrs import field, frozen

from venice_async.errors import Fault, ValidationError

from .frozen import FrozenDict, freeze
from .limits import Range, RequestLimits
from .request import ImageRequest

__all__ = ["ENHANCE_PROMPT_USD", "ImageModel", "KeyRateLimits", "Prices"]

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
class ImageModel:
    """One image model.

    Attributes:
        id: What `ImageRequest.model` takes.
        name: What people call it, or None.
        offline: Whether it is out of service.
        privacy: `private` or `anonymized` as the vendor says, or None.
        traits: Such as `default` or `fastest`.
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
        max_style_references: Pictures in `style_references`; None where the model takes none.
        supports_style_reference_strength: Whether their `strength` has an effect.
        extra: Fields that the library does not know.
    """

    id: str
    name: str | None = None
    offline: bool = False
    privacy: str | None = None
    traits: tuple[str, ...] = ()
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
    extra: Mapping[str, Any] = field(factory=FrozenDict, converter=freeze, repr=False)

    @property
    def limits(self) -> RequestLimits:
        """The schema's ranges, narrowed or widened to what this model says of itself."""
        limits = RequestLimits.SCHEMA
        changes: dict[str, Any] = {"name": f"limits of {self.id}"}
        if (characters := self.prompt_character_limit) is not None:
            changes["prompt"] = attrs.evolve(limits.prompt, high=characters)
            changes["negative_prompt"] = attrs.evolve(limits.negative_prompt, high=characters)
        if self.steps_max is not None:
            changes["steps"] = Range(0, self.steps_max, low_open=True)
        if self.width_height_divisor:
            changes["divisor"] = self.width_height_divisor
        if self.max_style_references is not None:
            changes["style_references"] = Range(1, self.max_style_references)
        return attrs.evolve(limits, **changes)

    def faults(self, request: ImageRequest) -> list[Fault]:
        """What is wrong with a request that goes to this model, by what it says of itself."""
        found = [Fault("model", self.id, "a model that is in service")] if self.offline else []
        try:
            attrs.evolve(request, limits=self.limits)
        except ValidationError as exc:
            found += exc.faults
        for name, words in (
            ("aspect_ratio", self.aspect_ratios),
            ("resolution", self.resolutions),
            ("quality", self.qualities),
        ):
            value = getattr(request, name)
            if value is not None and value not in words:
                expected = f"one of {', '.join(words)}" if words else f"nothing: {self.id} takes none"
                found.append(Fault(name, value, expected))
        if request.style_references and self.max_style_references is None:
            expected = f"nothing: {self.id} takes none"
            found.append(Fault("style_references", len(request.style_references), expected))
        return found

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
