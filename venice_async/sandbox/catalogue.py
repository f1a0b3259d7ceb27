"""What the server has on offer: models, their prices, foreign names for them, and styles.

1. Values only, in the shape in which the API serves them; `rules.py` enforces the constraints.
2. Ids, names, prices, privacy and traits are the API's of August 2026, and so is what each model ignores.
   Limits of characters, ratios and steps, how quick a model is, and which one is for Pro users, blocked
   in a region, on its way out or offline, are the sandbox's own choice.
3. `fluently-xl` is the reference page's model. The API has retired it; the sandbox serves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from .model import Deprecation, Model

__all__ = ["COMPATIBILITY", "DEFAULT_MODEL", "MODELS", "RESOLUTIONS", "RETIRED", "STYLES", "TRAITS"]

# The long side of a picture, in pixels, that each word for a resolution stands for.
RESOLUTIONS: Mapping[str, int] = MappingProxyType({"1K": 1024, "1.5K": 1536, "2K": 2048, "4K": 4096})

_ASPECT_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")


def _in_pixels(
    model_id: str,
    name: str,
    price: str,
    created: int,
    *,
    steps: tuple[int, int] = (25, 50),
    divisor: int = 8,
    characters: int = 1_500,
    **more: Any,
) -> Model:
    """Describe a model that is sized in pixels."""
    constraints = {
        "promptCharacterLimit": characters,
        "steps": {"default": steps[0], "max": steps[1]},
        "widthHeightDivisor": divisor,
    }
    return Model(id=model_id, name=name, created=created, constraints=constraints, **_prices(price), **more)


def _by_ratio(
    model_id: str,
    name: str,
    price: str,
    created: int,
    *,
    characters: int = 7_500,
    quality: str = "",
    references: int = 0,
    **more: Any,
) -> Model:
    """Describe a model that is sized by a ratio and, where the price depends on it, a resolution."""
    prices = _prices(price)
    constraints: dict[str, Any] = {
        "promptCharacterLimit": characters,
        "steps": {"default": 20, "max": 50},
        "widthHeightDivisor": 1,
        "aspectRatios": list(_ASPECT_RATIOS),
        "defaultAspectRatio": "1:1",
    }
    if "resolutions" in prices:
        constraints |= {"resolutions": list(prices["resolutions"]), "defaultResolution": "1K"}
    if quality:
        constraints |= {"qualities": list(prices["quality"]["1K"]), "defaultQuality": quality}
    if references:
        constraints |= {"maxStyleReferences": references, "supportsStyleReferenceStrength": True}
    return Model(id=model_id, name=name, created=created, constraints=constraints, **prices, **more)


def _prices(text: str) -> dict[str, Any]:
    """Read prices: "0.01", "1K 0.03, 2K 0.04", or with qualities "1K 0.07 low 0.05 medium 0.07, ..."."""
    if " " not in text:
        return {"generation": Decimal(text)}
    resolutions: dict[str, Decimal] = {}
    quality: dict[str, dict[str, Decimal]] = {}
    for tier in text.split(", "):
        resolution, price, *rest = tier.split()
        resolutions[resolution] = Decimal(price)
        if rest:
            quality[resolution] = dict(zip(rest[::2], map(Decimal, rest[1::2]), strict=True))
    return {"resolutions": resolutions, "quality": quality}


_ALL_THREE = frozenset({"seed", "steps", "negative_prompt"})
_NO_STEPS = frozenset({"seed", "negative_prompt"})
_NONE: frozenset[str] = frozenset()
_UNCENSORED: Mapping[str, Any] = {"private": True, "uncensored": True, "uses": _ALL_THREE}
_NO_PIXELS = frozenset({"width", "height"})

_FROM_PIXELS = (
    _in_pixels("fluently-xl", "Fluently XL", "0.01", 1_707_000_000, private=True, uses=_ALL_THREE),
    _in_pixels(
        "z-image-turbo",
        "Z-Image Turbo",
        "0.01",
        1_764_758_779,
        steps=(8, 8),
        characters=7_500,
        traits=("default", "fastest"),
        private=True,
        pace=0.3,
    ),
    _in_pixels(
        "venice-sd35",
        "Venice SD35",
        "0.01",
        1_743_099_022,
        steps=(25, 30),
        divisor=16,
        traits=("eliza-default",),
        private=True,
        uses=_ALL_THREE,
    ),
    _in_pixels(
        "chroma", "Chroma", "0.01", 1_769_731_200, steps=(10, 10), private=True, uncensored=True, pace=0.6
    ),
    _in_pixels(
        "lustify-sdxl",
        "Lustify SDXL",
        "0.01",
        1_738_704_152,
        deprecation=Deprecation("2026-10-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z", "lustify-v8"),
        **_UNCENSORED,
    ),
    _in_pixels("lustify-v7", "Lustify v7", "0.01", 1_736_635_129, traits=("most_uncensored",), **_UNCENSORED),
    _in_pixels("lustify-v8", "Lustify v8", "0.01", 1_774_828_800, traits=("most_uncensored",), **_UNCENSORED),
    _in_pixels("wai-Illustrious", "Anime (WAI)", "0.01", 1_736_635_129, steps=(25, 30), **_UNCENSORED),
    _in_pixels("flux-2-pro", "Flux 2 Pro", "0.03", 1_764_086_377, characters=7_500, pace=1.5),
    _in_pixels("flux-2-max", "Flux 2 Max", "0.09", 1_764_086_377, characters=7_500, pace=2.0),
    Model(
        id="hunyuan-image-v3",
        name="Hunyuan Image 3.0",
        created=1_772_323_200,
        generation=Decimal("0.09"),
        private=True,
        pace=2.0,
    ),
    Model(
        id="bria-bg-remover",
        name="Background Remover",
        created=1_772_064_000,
        generation=Decimal("0.03"),
        generates=False,
    ),
)

_GPT_2 = (
    "1K 0.27 low 0.02 medium 0.07 high 0.26, 2K 0.51 low 0.03 medium 0.13 high 0.5,"
    " 4K 0.84 low 0.05 medium 0.21 high 0.83"
)
_GROK_2 = "1K 0.07 low 0.05 medium 0.07, 2K 0.1 low 0.07 medium 0.1"
_REFERENCES = frozenset({"StyleReferences"})
_TRANSPARENCY = frozenset({"TransparentBackground"})
_THINKING = frozenset({"OptimizePromptThinking"})
_SEARCH = frozenset({"WebSearch"})

_FROM_RATIOS = (
    _by_ratio(
        "gpt-image-2",
        "GPT Image 2",
        _GPT_2,
        1_776_729_600,
        characters=32_768,
        quality="high",
        supports=_TRANSPARENCY,
        uses=_NONE,
        pace=4.0,
    ),
    _by_ratio(
        "gpt-image-1-5",
        "GPT Image 1.5",
        "0.26",
        1_765_986_864,
        characters=32_768,
        supports=_TRANSPARENCY,
        uses=_NONE,
        pace=3.0,
    ),
    _by_ratio(
        "nano-banana-pro",
        "Nano Banana Pro",
        "1K 0.18, 2K 0.23, 4K 0.35",
        1_763_653_951,
        characters=32_768,
        references=4,
        supports=_SEARCH | _REFERENCES,
        uses=_NONE,
        pace=2.5,
    ),
    _by_ratio(
        "nano-banana-2",
        "Nano Banana 2",
        "1K 0.1, 2K 0.14, 4K 0.19",
        1_772_064_000,
        characters=32_768,
        supports=_SEARCH,
        pace=2.0,
    ),
    _by_ratio("nano-banana-2-lite", "Nano Banana 2 Lite", "0.06", 1_782_777_600, characters=32_768),
    _by_ratio(
        "grok-imagine-image", "Grok Imagine", "1K 0.03, 2K 0.04", 1_775_692_800, private=True, uses=_NONE
    ),
    _by_ratio(
        "grok-imagine-image-2-0",
        "Grok Imagine 2.0",
        _GROK_2,
        1_786_406_400,
        quality="medium",
        private=True,
        uses=_NONE,
    ),
    _by_ratio(
        "grok-imagine-image-quality",
        "Grok Imagine High Quality (SOTA)",
        "1K 0.06, 2K 0.09",
        1_778_112_000,
        private=True,
        uses=_NONE,
    ),
    _by_ratio("ideogram-v4", "Ideogram V4", "0.06", 1_780_444_800, offline=True),
    _by_ratio("imagineart-1.5-pro", "ImagineArt 1.5 Pro", "0.06", 1_769_437_800, uses=_NONE, pro=True),
    _by_ratio(
        "krea-2-turbo",
        "Krea 2 Turbo",
        "1K 0.04, 2K 0.06",
        1_782_777_600,
        private=True,
        uncensored=True,
        pace=0.5,
    ),
    _by_ratio("krea-v2-large", "Krea v2 Large", "0.07", 1_779_408_000, references=3, supports=_REFERENCES),
    _by_ratio("krea-v2-medium", "Krea v2 Medium", "0.04", 1_779_408_000, references=3, supports=_REFERENCES),
    _by_ratio("luma-uni-1", "Luma Uni-1", "0.05", 1_781_654_400, uses=_NONE),
    _by_ratio("luma-uni-1-max", "Luma Uni-1 Max", "0.12", 1_781_654_400, uses=_NONE),
    _by_ratio(
        "qwen-image",
        "Qwen Image",
        "0.03",
        1_736_635_129,
        traits=("highest_quality",),
        refuses=_NO_PIXELS,
        pace=1.5,
    ),
    _by_ratio("qwen-image-2", "Qwen Image 2", "0.05", 1_772_582_400, uses=_NO_STEPS),
    _by_ratio("qwen-image-2-pro", "Qwen Image 2 Pro", "0.1", 1_772_582_400, uses=_NO_STEPS),
    _by_ratio(
        "qwen-image-3",
        "Qwen Image 3",
        "1K 0.04, 2K 0.04",
        1_785_888_000,
        uncensored=True,
        supports=_THINKING,
        uses=_NO_STEPS,
        refuses=_NO_PIXELS,
    ),
    _by_ratio(
        "qwen-image-3-pro",
        "Qwen Image 3 Pro",
        "1K 0.05, 2K 0.09",
        1_784_160_000,
        uncensored=True,
        supports=_THINKING,
        uses=_NO_STEPS,
        refuses=_NO_PIXELS,
    ),
    _by_ratio("recraft-v4", "Recraft V4", "0.05", 1_770_854_400, uses=_NONE),
    _by_ratio("recraft-v4-pro", "Recraft V4 Pro", "0.29", 1_770_854_400, uses=_NONE),
    _by_ratio("seedream-v4", "Seedream V4.5", "0.05", 1_762_383_600, uncensored=True),
    _by_ratio("seedream-v5-lite", "Seedream V5 Lite", "0.05", 1_771_804_800, uncensored=True),
    _by_ratio(
        "seedream-v5-pro", "Seedream V5 Pro", "1K 0.06, 2K 0.11", 1_783_468_800, uncensored=True, uses=_NONE
    ),
    _by_ratio("wan-2-7-text-to-image", "Wan 2.7", "0.0375", 1_775_001_600, uses=_NO_STEPS),
    _by_ratio(
        "wan-2-7-pro-text-to-image",
        "Wan 2.7 Pro",
        "0.09375",
        1_775_001_600,
        uses=_NO_STEPS,
        blocked_in=("US",),
    ),
)

MODELS: Mapping[str, Model] = MappingProxyType({model.id: model for model in (*_FROM_PIXELS, *_FROM_RATIOS)})

# Models that are gone, and what each is replaced by.
RETIRED: Mapping[str, str] = MappingProxyType(
    {"flux-dev": "flux-2-pro", "hidream": "z-image-turbo", "stable-diffusion-3.5": "venice-sd35"}
)

TRAITS: Mapping[str, str] = MappingProxyType(
    {trait: model.id for model in MODELS.values() for trait in model.traits}
)

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
