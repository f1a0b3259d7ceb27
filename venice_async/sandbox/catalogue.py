"""What the server has on offer: models, their prices, foreign names for them, and styles.

1. Values only, in the shape in which the API serves them; `rules.py` enforces the constraints.
2. The names, most prices and the shapes are the API's. How quick a model is, which one is deprecated
   and which one offline, and the prices below the highest quality, are the sandbox's own choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from attrs import field, frozen

__all__ = [
    "COMPATIBILITY",
    "DEFAULT_MODEL",
    "MODELS",
    "RESOLUTIONS",
    "STYLES",
    "TRAITS",
    "Deprecation",
    "Model",
]

# The long side of a picture, in pixels, that each word for a resolution stands for.
RESOLUTIONS: Mapping[str, int] = MappingProxyType({"1K": 1024, "2K": 2048, "4K": 4096})

_ASPECT_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")

_UPSCALE = {"2x": {"usd": 0.02, "diem": 0.02}, "4x": {"usd": 0.08, "diem": 0.08}}


@frozen
class Deprecation:
    """The end of a model that still answers.

    Attributes:
        date: When it goes, in ISO 8601.
        replacement: The id of the model to use instead.
    """

    date: str
    replacement: str


@frozen
class Model:
    """One image model.

    Attributes:
        id: The name that requests use.
        name: The name for people.
        usd: US dollars an image, by resolution and quality, each "" where it does not matter.
        constraints: What the model can do; None for a model that does not say.
        traits: What the model is known for.
        pace: How long a generation takes, as a multiple of the sandbox's latency.
        offline: Whether it is listed but answers nothing.
        deprecation: Its end; None for a model that stays.
        created: Unix time in seconds.
    """

    id: str
    name: str
    usd: Mapping[tuple[str, str], Decimal]
    constraints: Mapping[str, Any] | None
    traits: tuple[str, ...] = ()
    pace: float = field(default=1.0, kw_only=True)
    offline: bool = field(default=False, kw_only=True)
    deprecation: Deprecation | None = field(default=None, kw_only=True)
    created: int = field(default=1_739_000_000, kw_only=True)

    def price(self, wish: Mapping[str, Any]) -> Decimal:
        """Give the price of one image in US dollars, with the model's own defaults for what is not asked."""
        resolution = self._tier(wish.get("resolution"), "resolutions", "defaultResolution")
        return self.usd[resolution, self._tier(wish.get("quality"), "qualities", "defaultQuality")]

    def _tier(self, asked: str | None, listed: str, default: str) -> str:
        constraints = self.constraints or {}
        return (asked or str(constraints[default])) if listed in constraints else ""

    def to_json(self) -> dict[str, Any]:
        """Write the model as GET /models lists it."""
        spec: dict[str, Any] = {
            "name": self.name,
            "privacy": "private",
            "offline": self.offline,
            "traits": list(self.traits),
            "pricing": self._pricing(),
        }
        if self.constraints is not None:
            spec["constraints"] = dict(self.constraints)
        if self.deprecation is not None:
            spec["deprecation"] = {
                "autoRemap": False,
                "date": self.deprecation.date,
                "removesAt": self.deprecation.date,
                "replacementModelId": self.deprecation.replacement,
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
        tiers: dict[str, dict[str, Any]] = {}
        for (resolution, quality), usd in self.usd.items():
            tiers.setdefault(resolution, {})[quality] = {"usd": float(usd), "diem": float(usd)}
        if "" in tiers:
            return {"generation": tiers[""][""], "upscale": _UPSCALE}
        if all("" in qualities for qualities in tiers.values()):
            by_resolution = {resolution: qualities[""] for resolution, qualities in tiers.items()}
            return {"resolutions": by_resolution, "upscale": _UPSCALE}
        return {"quality": tiers, "upscale": _UPSCALE}


def _sized_in_pixels(
    model_id: str,
    name: str,
    usd: str,
    *traits: str,
    steps: tuple[int, int] = (25, 50),
    divisor: int = 8,
    characters: int = 1500,
    **more: Any,
) -> Model:
    constraints = {
        "promptCharacterLimit": characters,
        "steps": {"default": steps[0], "max": steps[1]},
        "widthHeightDivisor": divisor,
    }
    return Model(model_id, name, {("", ""): Decimal(usd)}, constraints, traits, **more)


def _sized_by_ratio(
    model_id: str, name: str, usd: Mapping[tuple[str, str], str], *, pace: float, **more: Any
) -> Model:
    constraints = {
        "promptCharacterLimit": 1500,
        "steps": {"default": 20, "max": 50},
        "widthHeightDivisor": 1,
        "aspectRatios": list(_ASPECT_RATIOS),
        "defaultAspectRatio": "1:1",
        **more,
    }
    return Model(
        model_id, name, {tier: Decimal(price) for tier, price in usd.items()}, constraints, pace=pace
    )


_ALL = (
    _sized_in_pixels("fluently-xl", "Fluently XL", "0.01"),
    _sized_in_pixels(
        "venice-sd35", "Venice SD35", "0.01", "default", "eliza-default", steps=(25, 30), divisor=16
    ),
    _sized_in_pixels("z-image-turbo", "Z-Image Turbo", "0.01", "fastest", steps=(8, 8), pace=0.3),
    _sized_in_pixels("chroma", "Chroma", "0.01", steps=(10, 10), characters=1000, pace=0.6),
    _sized_in_pixels("lustify-sdxl", "Lustify SDXL", "0.01", "most_uncensored"),
    _sized_in_pixels("wai-Illustrious", "Anime (WAI)", "0.01", steps=(25, 30)),
    _sized_in_pixels("qwen-image", "Qwen Image", "0.03", "highest_quality", steps=(8, 8), pace=1.5),
    _sized_in_pixels("flux-2-pro", "Flux 2 Pro", "0.03", pace=1.5),
    _sized_in_pixels(
        "flux-dev",
        "Flux Dev",
        "0.01",
        steps=(25, 30),
        deprecation=Deprecation("2030-01-01T00:00:00.000Z", "flux-2-pro"),
    ),
    _sized_in_pixels("hidream", "HiDream", "0.01", offline=True),
    Model("hunyuan-image-v3", "Hunyuan Image V3", {("", ""): Decimal("0.09")}, constraints=None, pace=2.0),
    _sized_by_ratio(
        "nano-banana-pro",
        "Nano Banana Pro",
        {("1K", ""): "0.18", ("2K", ""): "0.23", ("4K", ""): "0.35"},
        pace=2.5,
        resolutions=["1K", "2K", "4K"],
        defaultResolution="1K",
        maxStyleReferences=4,
        supportsStyleReferences=True,
        supportsStyleReferenceStrength=True,
    ),
    _sized_by_ratio(
        "gpt-image-2",
        "GPT Image 2",
        {
            ("1K", "low"): "0.02",
            ("1K", "medium"): "0.07",
            ("1K", "high"): "0.27",
            ("2K", "low"): "0.03",
            ("2K", "medium"): "0.13",
            ("2K", "high"): "0.51",
            ("4K", "low"): "0.05",
            ("4K", "medium"): "0.21",
            ("4K", "high"): "0.84",
        },
        pace=4.0,
        resolutions=["1K", "2K", "4K"],
        defaultResolution="1K",
        qualities=["low", "medium", "high"],
        defaultQuality="high",
    ),
)

MODELS: Mapping[str, Model] = MappingProxyType({model.id: model for model in _ALL})

TRAITS: Mapping[str, str] = MappingProxyType({trait: model.id for model in _ALL for trait in model.traits})

DEFAULT_MODEL = TRAITS["default"]

COMPATIBILITY: Mapping[str, str] = MappingProxyType(
    {"dall-e-2": DEFAULT_MODEL, "dall-e-3": DEFAULT_MODEL, "gpt-image-1": DEFAULT_MODEL}
)

STYLES: tuple[str, ...] = (
    *("3D Model", "Analog Film", "Anime", "Cinematic", "Comic Book", "Craft Clay", "Digital Art", "Enhance"),
    *("Fantasy Art", "Isometric Style", "Line Art", "Lowpoly", "Neon Punk", "Origami", "Photographic"),
    *("Pixel Art", "Texture", "Advertising", "Food Photography", "Real Estate", "Abstract", "Cubist"),
    *("Graffiti", "Hyperrealism", "Impressionist", "Pointillism", "Pop Art", "Psychedelic", "Renaissance"),
    *("Steampunk", "Surrealist", "Typography", "Watercolor", "Fighting Game", "GTA", "Super Mario"),
    *("Minecraft", "Pokemon", "Retro Arcade", "Retro Game", "RPG Fantasy Game", "Strategy Game"),
    *("Street Fighter", "Legend of Zelda", "Architectural", "Disco", "Dreamscape", "Dystopian"),
    *("Fairy Tale", "Gothic", "Grunge", "Horror", "Minimalist", "Monochrome", "Nautical", "Space"),
    *("Stained Glass", "Techwear Fashion", "Tribal", "Zentangle", "Collage", "Flat Papercut", "Kirigami"),
    *("Paper Mache", "Paper Quilling", "Papercut Collage", "Papercut Shadow Box", "Stacked Papercut"),
    *("Thick Layered Papercut", "Alien", "Film Noir", "HDR", "Long Exposure", "Neon Noir", "Silhouette"),
    "Tilt-Shift",
)
