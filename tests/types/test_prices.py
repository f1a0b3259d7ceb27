"""What a request costs with each image model of the catalogue of August 2026, as figures."""

import json

import pytest

from venice_async import ImageRequest, StyleReference
from venice_async.policy.budget import cost_of
from venice_async.wire.codec import parse_models

# US dollars an image: one price, or by resolution, or by resolution beside by resolution and quality.
PRICES = {
    "bria-bg-remover": 0.03,
    "chroma": 0.01,
    "flux-2-max": 0.09,
    "flux-2-pro": 0.03,
    "gpt-image-1-5": 0.26,
    "gpt-image-2": (
        {"1K": 0.27, "2K": 0.51, "4K": 0.84},
        {
            "1K": {"high": 0.26, "low": 0.02, "medium": 0.07},
            "2K": {"high": 0.5, "low": 0.03, "medium": 0.13},
            "4K": {"high": 0.83, "low": 0.05, "medium": 0.21},
        },
    ),
    "grok-imagine-image": {"1K": 0.03, "2K": 0.04},
    "grok-imagine-image-2-0": (
        {"1K": 0.07, "2K": 0.1},
        {"1K": {"low": 0.05, "medium": 0.07}, "2K": {"low": 0.07, "medium": 0.1}},
    ),
    "grok-imagine-image-quality": {"1K": 0.06, "2K": 0.09},
    "hunyuan-image-v3": 0.09,
    "ideogram-v4": 0.06,
    "imagineart-1.5-pro": 0.06,
    "krea-2-turbo": {"1K": 0.04, "2K": 0.06},
    "krea-v2-large": 0.07,
    "krea-v2-medium": 0.04,
    "luma-uni-1": 0.05,
    "luma-uni-1-max": 0.12,
    "lustify-sdxl": 0.01,
    "lustify-v7": 0.01,
    "lustify-v8": 0.01,
    "nano-banana-2": {"1K": 0.1, "2K": 0.14, "4K": 0.19},
    "nano-banana-2-lite": 0.06,
    "nano-banana-pro": {"1K": 0.18, "2K": 0.23, "4K": 0.35},
    "qwen-image": 0.03,
    "qwen-image-2": 0.05,
    "qwen-image-2-pro": 0.1,
    "qwen-image-3": {"1K": 0.04, "2K": 0.04},
    "qwen-image-3-pro": {"1K": 0.05, "2K": 0.09},
    "recraft-v4": 0.05,
    "recraft-v4-pro": 0.29,
    "seedream-v4": 0.05,
    "seedream-v5-lite": 0.05,
    "seedream-v5-pro": {"1K": 0.06, "2K": 0.11},
    "venice-sd35": 0.01,
    "wai-Illustrious": 0.01,
    "wan-2-7-pro-text-to-image": 0.09375,
    "wan-2-7-text-to-image": 0.0375,
    "z-image-turbo": 0.01,
}


def listed(model_id, prices, **constraints):
    """The model as the API lists it."""
    if not isinstance(prices, dict | tuple):
        prices = {"generation": prices}
    elif isinstance(prices, dict):
        prices = {"resolutions": prices}
    else:
        prices = dict(zip(("resolutions", "quality"), prices, strict=True))
    spec = {"pricing": {**in_money(prices), "upscale": in_money({"2x": 0.02, "4x": 0.08})}}
    entry = {"id": model_id, "type": "image", "model_spec": {**spec, "constraints": constraints}}
    (model,) = parse_models(json.dumps({"data": [entry]}).encode())
    return model


def in_money(prices):
    if isinstance(prices, dict):
        return {name: in_money(part) for name, part in prices.items()}
    return {"usd": prices, "diem": prices}


def combinations():
    """Each model with each resolution and quality that it has a price for."""
    for model_id, prices in PRICES.items():
        if isinstance(prices, tuple):
            for resolution, by_quality in prices[1].items():
                for quality, usd in by_quality.items():
                    yield model_id, {"resolution": resolution, "quality": quality}, usd
        elif isinstance(prices, dict):
            for resolution, usd in prices.items():
                yield model_id, {"resolution": resolution}, usd
        else:
            yield model_id, {}, prices


@pytest.mark.parametrize(("model_id", "fields", "usd"), [*combinations()])
@pytest.mark.parametrize("variants", [None, 4])
@pytest.mark.parametrize("extra", [{}, {"enhance_prompt": True}, {"enable_web_search": True}], ids=str)
def test_a_request_costs_its_images_and_one_rewrite(model_id, fields, usd, variants, extra):
    model = listed(model_id, PRICES[model_id])
    request = ImageRequest("a fox", model=model_id, variants=variants, **fields, **extra)
    rewrite = 40_000 if "enhance_prompt" in extra else 0
    assert cost_of(request, {model_id: model}) == round(usd * 1_000_000) * (variants or 1) + rewrite


def test_all_38_of_them_have_a_price():
    assert len(PRICES) == 38
    assert {model_id for model_id, *_ in combinations()} == PRICES.keys()


@pytest.mark.parametrize(
    ("default", "asked", "usd"),
    [
        ("low", None, 0.02),
        ("high", None, 0.26),
        ("high", "medium", 0.07),
        (None, "low", 0.02),
        (None, None, 0.27),  # nobody knows the quality: what the resolution alone is listed at
        ("low", "low", 0.02),
    ],
)
def test_the_quality_decides_where_a_model_has_both_tables(default, asked, usd):
    constraints = {} if default is None else {"defaultQuality": default}
    model = listed("gpt-image-2", PRICES["gpt-image-2"], defaultResolution="1K", **constraints)
    assert model.price_usd(ImageRequest("a fox", model="gpt-image-2", quality=asked)) == usd


def test_a_quality_makes_no_difference_to_a_model_without_any():
    model = listed("nano-banana-pro", PRICES["nano-banana-pro"], defaultResolution="1K")
    assert model.price_usd(ImageRequest("a fox", model="nano-banana-pro", quality="high")) == 0.18


def test_a_surcharge_that_is_not_listed_leaves_the_price_unknown():
    """Krea V2 takes one for style references."""
    request = ImageRequest("a fox", model="m", style_references=[StyleReference(image="QUJD")])
    assert listed("krea-v2-large", 0.07).price_usd(request) is None
    assert listed("krea-2-turbo", 0.04).price_usd(request) == 0.04
