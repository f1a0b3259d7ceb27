"""Models: their own limits, and their prices."""

import attrs
import pytest

from venice_async.errors import ValidationError
from venice_async.types.catalogue import ImageModel, KeyRateLimits, Prices
from venice_async.types.limits import RequestLimits
from venice_async.types.request import ImageRequest, Inpaint, StyleReference


def request(**fields) -> ImageRequest:
    return ImageRequest(**{"prompt": "a fox", "model": "m", **fields})


def test_a_model_that_says_nothing_takes_what_the_server_takes_today():
    limits = ImageModel(id="m").limits
    assert attrs.evolve(limits, inpaint=False) == RequestLimits.CURRENT
    assert limits.name == "limits of m"


def test_a_model_says_nothing_of_inpaint():
    inpaint = Inpaint(strength=5, source_image_base64="QUJD")
    assert ImageModel(id="m").faults(request(inpaint=inpaint)) == []


def test_a_model_narrows_the_limits():
    limits = ImageModel(
        id="venice-sd35",
        prompt_character_limit=10,
        steps_max=20,
        width_height_divisor=8,
        max_style_references=1,
    ).limits
    assert request(prompt="x" * 10, negative_prompt="x" * 10, steps=20, width=1280, limits=limits).steps == 20
    reference = StyleReference(image="QUJD")
    for fields in (
        {"prompt": "x" * 11},
        {"negative_prompt": "x" * 11},
        {"steps": 21},
        {"steps": 0},
        {"width": 1276},
        {"height": 4},
        {"style_references": [reference, reference]},
    ):
        with pytest.raises(ValidationError) as caught:
            request(**fields, limits=limits)
        assert [fault.field for fault in caught.value.faults] == list(fields)


def test_a_model_that_ignores_steps_takes_any_number_of_them():
    model = ImageModel(id="z-image-turbo", steps_max=8, width_height_divisor=8)
    assert model.faults(request(steps=49)) == []
    assert model.ignored(request(steps=49)) == ("steps",)


def test_a_model_that_is_sized_by_ratio_has_no_divisor():
    model = ImageModel(id="m", width_height_divisor=8, aspect_ratios=("1:1",))
    assert model.faults(request(width=510)) == []
    assert model.ignored(request(width=510)) == ("width",)


def test_a_model_widens_the_limits():
    limits = ImageModel(id="venice-sd35", prompt_character_limit=7500, steps_max=100).limits
    made = request(prompt="x" * 7500, negative_prompt="x" * 7500, steps=100, limits=limits)
    assert made.steps == 100
    with pytest.raises(ValidationError, match="1 to 7500 characters, not 7501"):
        request(prompt="x" * 7501, limits=limits)


def test_a_model_keeps_the_ranges_it_says_nothing_of():
    limits = ImageModel(id="m", steps_max=30).limits
    assert (limits.seed, limits.cfg_scale) == (RequestLimits.CURRENT.seed, RequestLimits.CURRENT.cfg_scale)


def test_no_wider_profile_is_named_where_the_model_is_what_refuses():
    model = ImageModel(id="venice-sd35", steps_max=20, prompt_character_limit=10, width_height_divisor=8)
    found = model.faults(request(prompt="x" * 11, steps=21, width=510))
    assert [(fault.field, fault.expected, fault.hint) for fault in found] == [
        ("prompt", "1 to 10 characters, not 11", ""),
        ("width", "a multiple of 8", "512 is the nearest"),
        ("steps", "0 < x <= 20", ""),
    ]


REFERENCE = StyleReference(image="QUJD")


@pytest.mark.parametrize(
    ("model", "fields", "found"),
    [
        ({"id": "m", "offline": True}, {}, ["model"]),
        ({"id": "bria-bg-remover"}, {}, ["model"]),
        ({"id": "m", "qualities": ("low",)}, {"quality": "high"}, ["quality"]),
        ({"id": "m", "resolutions": ("1K",)}, {"resolution": "2K"}, ["resolution"]),
        ({"id": "m", "aspect_ratios": ("1:1",)}, {"aspect_ratio": "9:1"}, ["aspect_ratio"]),
        ({"id": "m"}, {"quality": "high", "resolution": "2K", "aspect_ratio": "9:1"}, []),
        ({"id": "m"}, {"style_references": [REFERENCE]}, ["style_references"]),
        ({"id": "m", "max_style_references": 1}, {"style_references": [REFERENCE]}, []),
        ({"id": "m", "supports_style_references": True}, {"style_references": [REFERENCE]}, []),
        (
            {"id": "m", "supports_style_references": False, "max_style_references": 1},
            {"style_references": [REFERENCE]},
            ["style_references"],
        ),
        (
            {"id": "m", "supports_transparent_background": False},
            {"transparent_background": True},
            ["transparent_background"],
        ),
        ({"id": "m", "supports_transparent_background": False}, {"transparent_background": False}, []),
        ({"id": "m", "supports_transparent_background": True}, {"transparent_background": True}, []),
        ({"id": "m"}, {"transparent_background": True}, []),
        ({"id": "qwen-image", "aspect_ratios": ("1:1",)}, {"width": 512, "height": 512}, ["width", "height"]),
        ({"id": "qwen-image-3-pro"}, {"width": 512}, ["width"]),
        ({"id": "qwen-image-2", "aspect_ratios": ("1:1",)}, {"width": 512}, []),
        ({"id": "m", "supports_web_search": False}, {"enable_web_search": True}, []),
    ],
)
def test_a_model_refuses_what_the_server_would_refuse_of_it(model, fields, found):
    assert [fault.field for fault in ImageModel(**model).faults(request(**fields))] == found


EVERYTHING = {
    "seed": 7,
    "steps": 20,
    "negative_prompt": "fog",
    "width": 512,
    "height": 512,
    "quality": "low",
    "resolution": "1K",
    "aspect_ratio": "1:1",
}
BY_RATIO = {"aspect_ratios": ("1:1",), "resolutions": ("1K",), "qualities": ("low",)}
TIERS = {"aspect_ratio", "resolution", "quality"}


@pytest.mark.parametrize(
    ("model", "ignored"),
    [
        *(
            (name, {"seed", "steps", "negative_prompt"})
            for name in ("gpt-image-2", "gpt-image-1-5", "luma-uni-1")
        ),
        *((name, {"seed", "steps", "negative_prompt"}) for name in ("recraft-v4-pro", "imagineart-1.5-pro")),
        *((name, {"seed", "steps", "negative_prompt"}) for name in ("seedream-v5-pro", "nano-banana-pro")),
        *((name, {"seed", "steps", "negative_prompt"}) for name in ("grok-imagine-image-2-0", "muse-1")),
        *(
            (name, {"steps", "negative_prompt"})
            for name in ("nano-banana-2", "seedream-v5-lite", "seedream-v4")
        ),
        *((name, {"steps", "negative_prompt"}) for name in ("z-image-turbo", "flux-2-pro", "qwen-image")),
        *((name, {"steps"}) for name in ("qwen-image-2", "qwen-image-2-pro", "qwen-image-3-pro")),
        *((name, {"steps"}) for name in ("wan-2-7-text-to-image", "wan-2-7-pro-text-to-image")),
        *((name, set()) for name in ("venice-sd35", "lustify-v8", "wai-Illustrious", "fluently-xl")),
    ],
)
def test_what_a_model_ignores_is_known_of_its_id_and_of_its_sizes(model, ignored):
    in_pixels = ImageModel(id=model).ignored(request(**EVERYTHING))
    assert set(in_pixels) == ignored | TIERS
    pixels = set() if model in {"qwen-image", "qwen-image-3-pro"} else {"width", "height"}
    by_ratio = ImageModel(id=model, **BY_RATIO).ignored(request(**EVERYTHING))
    assert set(by_ratio) == ignored | pixels


def test_what_is_not_set_is_not_ignored():
    assert ImageModel(id="gpt-image-2").ignored(request()) == ()


def test_what_a_model_ignores_can_be_said_otherwise():
    model = attrs.evolve(ImageModel(id="gpt-image-2"), ignores=["width"])
    assert model.ignored(request(**EVERYTHING)) == ("width",)


def test_options_that_a_model_does_not_support_are_ignored_and_those_of_which_it_says_nothing_are_not():
    asked = request(enable_web_search=True, disable_prompt_optimization_thinking=True)
    silent = ImageModel(id="m")
    without = ImageModel(id="m", supports_web_search=False, supports_optimize_prompt_thinking=False)
    assert silent.ignored(asked) == ()
    assert without.ignored(asked) == ("enable_web_search", "disable_prompt_optimization_thinking")


def test_one_price_for_every_image():
    model = ImageModel(id="m", prices=Prices(generation=0.01))
    assert model.price_usd(request()) == 0.01
    assert model.price_usd(request(resolution="4K", quality="high")) == 0.01


def test_an_image_that_costs_nothing_costs_nothing():
    assert ImageModel(id="m", prices=Prices(generation=0.0)).price_usd(request()) == 0.0


def test_a_price_by_resolution():
    model = ImageModel(id="m", prices=Prices(resolutions={"1K": 0.18, "2K": 0.23}), default_resolution="1K")
    assert model.price_usd(request()) == 0.18
    assert model.price_usd(request(resolution="2K")) == 0.23
    assert model.price_usd(request(resolution="8K")) is None


def test_a_price_by_resolution_and_quality():
    quality = {"1K": {"low": 0.1, "high": 0.27}, "2K": {"high": 0.51}}
    model = ImageModel(id="m", prices=Prices(quality=quality), default_resolution="1K", default_quality="low")
    assert model.price_usd(request()) == 0.1
    assert model.price_usd(request(quality="high")) == 0.27
    assert model.price_usd(request(resolution="2K", quality="high")) == 0.51
    assert model.price_usd(request(resolution="2K")) is None


@pytest.mark.parametrize(
    "prices", [Prices(), Prices(resolutions={"1K": 0.18}), Prices(quality={"1K": {"low": 0.1}})]
)
def test_a_price_that_is_not_known_is_none(prices):
    assert ImageModel(id="m", prices=prices).price_usd(request()) is None


def test_models_and_key_limits_can_be_hashed():
    model = ImageModel(id="m", prices=Prices(resolutions={"1K": 0.1}), extra={"new": [1]})
    key = KeyRateLimits(models={"m": {"RPM": 20}}, balance_usd=1.5)
    assert len({model, ImageModel(id="m"), key, KeyRateLimits()}) == 4
