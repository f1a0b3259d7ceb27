"""One image model: what it is, what it costs, and how it is listed.

1. Values only. `catalogue.py` has the models, `rules.py` enforces what they say of themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import field, frozen

__all__ = ["Deprecation", "Model"]

_UPSCALE = {"2x": {"usd": 0.02, "diem": 0.02}, "4x": {"usd": 0.08, "diem": 0.08}}

_SUPPORTS = ("StyleReferences", "WebSearch", "OptimizePromptThinking", "TransparentBackground")


@frozen
class Deprecation:
    """The end of a model that still answers.

    Attributes:
        starts_at: From when on it warns, in ISO 8601.
        date: When it goes, in ISO 8601.
        replacement: The id of the model to use instead.
    """

    starts_at: str
    date: str
    replacement: str


@frozen(kw_only=True)
class Model:
    """One image model.

    Attributes:
        id: The name that requests use.
        name: The name for people.
        generation: US dollars an image, where nothing else decides; None where something does.
        resolutions: US dollars an image by resolution.
        quality: US dollars an image by resolution and quality. It decides where it is there.
        constraints: What the model can do; None for a model that does not say.
        traits: What the model is known for.
        private: Whether nothing that is asked of it is kept; otherwise it is asked without a name.
        uncensored: Whether it is listed as such.
        supports: Which of the options it takes that not all models take.
        uses: Which of `steps`, `negative_prompt` and `seed` it heeds.
        refuses: Fields that it answers with 400, though all others take or ignore them.
        pro: Whether it is for Pro users only, which no key of the sandbox is.
        blocked_in: Countries in which it is blocked, the sandbox's among them.
        generates: Whether it makes pictures from prompts.
        pace: How long a generation takes, as a multiple of the sandbox's latency.
        offline: Whether it is listed but answers nothing.
        deprecation: Its end; None for a model that stays.
        created: Unix time in seconds.
    """

    id: str
    name: str
    generation: Decimal | None = None
    resolutions: Mapping[str, Decimal] = field(factory=dict)
    quality: Mapping[str, Mapping[str, Decimal]] = field(factory=dict)
    constraints: Mapping[str, Any] | None = None
    traits: tuple[str, ...] = ()
    private: bool = False
    uncensored: bool = False
    supports: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset({"seed"})
    refuses: frozenset[str] = frozenset()
    pro: bool = False
    blocked_in: tuple[str, ...] = ()
    generates: bool = True
    pace: float = 1.0
    offline: bool = False
    deprecation: Deprecation | None = None
    created: int = 1_739_000_000

    def price(self, wish: Mapping[str, Any]) -> Decimal:
        """Give the price of one image in US dollars, with the model's own defaults for what is not asked."""
        if self.generation is not None:
            return self.generation
        constraints = self.constraints or {}
        resolution = wish.get("resolution") or constraints["defaultResolution"]
        if self.quality:
            return self.quality[resolution][wish.get("quality") or constraints["defaultQuality"]]
        return self.resolutions[resolution]

    def to_json(self) -> dict[str, Any]:
        """Write the model as GET /models lists it."""
        spec: dict[str, Any] = {
            "name": self.name,
            "privacy": "private" if self.private else "anonymized",
            "uncensored": self.uncensored,
            "offline": self.offline,
            "traits": list(self.traits),
            "pricing": self._pricing(),
            **{f"supports{option}": option in self.supports for option in _SUPPORTS},
        }
        if self.constraints is not None:
            spec["constraints"] = dict(self.constraints)
        if self.blocked_in:
            spec["regionRestrictions"] = list(self.blocked_in)
        if self.deprecation is not None:
            spec["deprecation"] = {
                "autoRemap": False,
                "date": self.deprecation.date,
                "removesAt": self.deprecation.date,
                "replacementModelId": self.deprecation.replacement,
                "startsAt": self.deprecation.starts_at,
            }
        return {
            "id": self.id,
            "type": "image",
            "object": "model",
            "created": self.created,
            "owned_by": "venice.ai",
            "model_spec": spec,
        }

    def _pricing(self) -> dict[str, Any]:
        listed = {"generation": self.generation, "resolutions": self.resolutions, "quality": self.quality}
        return {name: _listed(price) for name, price in listed.items() if price} | {"upscale": _UPSCALE}


def _listed(price: Any) -> dict[str, Any]:
    if isinstance(price, Decimal):
        return {"usd": float(price), "diem": float(price)}
    return {name: _listed(inner) for name, inner in price.items()}
