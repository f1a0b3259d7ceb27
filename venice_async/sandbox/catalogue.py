"""What the server has on offer: models, their prices, foreign names for them, and styles.

1. Values only, in the shape in which the API serves them.
2. A model's constraints are served, not enforced.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from attrs import field, frozen

__all__ = ["COMPATIBILITY", "DEFAULT_MODEL", "MODELS", "RESOLUTIONS", "STYLES", "TRAITS", "Model"]

# The long side of a picture, in pixels, that each word for a resolution stands for.
RESOLUTIONS: Mapping[str, int] = MappingProxyType({"1K": 1024, "2K": 2048, "4K": 4096})

_ASPECT_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")


@frozen
class Model:
    """One image model.

    Attributes:
        id: The name that requests use.
        name: The name for people.
        usd: US dollars an image, by resolution; the one entry "" where resolution does not matter.
        constraints: What the model can do; None for a model that does not say.
        traits: What the model is known for.
        created: Unix time in seconds.
    """

    id: str
    name: str
    usd: Mapping[str, Decimal]
    constraints: Mapping[str, Any] | None
    traits: tuple[str, ...] = ()
    created: int = field(default=1_739_000_000, kw_only=True)

    def price(self, resolution: str | None) -> Decimal:
        """Give the price of one image in US dollars, at a resolution or at the model's default one."""
        first = next(iter(self.usd.values()))
        return self.usd.get(resolution or "", first)

    def to_json(self) -> dict[str, Any]:
        """Write the model as GET /models lists it."""
        spec: dict[str, Any] = {
            "name": self.name,
            "privacy": "private",
            "offline": False,
            "traits": list(self.traits),
            "pricing": self._pricing(),
        }
        if self.constraints is not None:
            spec["constraints"] = dict(self.constraints)
        return {
            "id": self.id,
            "type": "image",
            "object": "model",
            "created": self.created,
            "owned_by": "venice.ai",
            "model_spec": spec,
        }

    def _pricing(self) -> dict[str, Any]:
        amounts = {word: {"usd": float(usd), "diem": float(usd)} for word, usd in self.usd.items()}
        return {"generation": amounts[""]} if "" in amounts else {"resolutions": amounts}


def _plain(
    model_id: str, name: str, usd: str, *traits: str, steps: tuple[int, int] = (25, 50), divisor: int = 8
) -> Model:
    constraints = {
        "promptCharacterLimit": 1500,
        "steps": {"default": steps[0], "max": steps[1]},
        "widthHeightDivisor": divisor,
    }
    return Model(model_id, name, {"": Decimal(usd)}, constraints, traits)


def _by_resolution(model_id: str, name: str, usd: tuple[str, str, str], **more: Any) -> Model:
    constraints = {
        "promptCharacterLimit": 1500,
        "aspectRatios": list(_ASPECT_RATIOS),
        "defaultAspectRatio": "1:1",
        "resolutions": list(RESOLUTIONS),
        "defaultResolution": "1K",
        **more,
    }
    return Model(model_id, name, dict(zip(RESOLUTIONS, map(Decimal, usd), strict=True)), constraints)


_ALL = (
    _plain("fluently-xl", "Fluently XL", "0.01"),
    _plain("venice-sd35", "Venice SD35", "0.01", "default", "eliza-default", steps=(25, 30), divisor=16),
    _plain("z-image-turbo", "Z-Image Turbo", "0.01", "fastest", steps=(8, 8)),
    _plain("chroma", "Chroma", "0.01", steps=(10, 10)),
    _plain("lustify-sdxl", "Lustify SDXL", "0.01", "most_uncensored"),
    _plain("wai-Illustrious", "Anime (WAI)", "0.01", steps=(25, 30)),
    _plain("qwen-image", "Qwen Image", "0.03", "highest_quality", steps=(8, 8)),
    _plain("flux-2-pro", "Flux 2 Pro", "0.03"),
    Model("hunyuan-image-v3", "Hunyuan Image V3", {"": Decimal("0.09")}, constraints=None),
    _by_resolution(
        "nano-banana-pro",
        "Nano Banana Pro",
        ("0.18", "0.23", "0.35"),
        maxStyleReferences=4,
        supportsStyleReferences=True,
        supportsStyleReferenceStrength=True,
    ),
    _by_resolution(
        "gpt-image-2",
        "GPT Image 2",
        ("0.27", "0.51", "0.84"),
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
