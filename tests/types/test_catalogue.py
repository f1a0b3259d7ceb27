"""Models: their own limits, and their prices."""

import pytest

from venice_async.errors import ValidationError
from venice_async.types.catalogue import ImageModel, KeyRateLimits, Prices
from venice_async.types.limits import RequestLimits
from venice_async.types.request import ImageRequest, StyleReference


def request(**fields) -> ImageRequest:
    return ImageRequest(**{"prompt": "a fox", "model": "m", **fields})


def test_a_model_that_says_nothing_has_the_limits_of_the_schema():
    limits = ImageModel(id="m").limits
    assert limits == RequestLimits.SCHEMA
    assert limits.name == "limits of m"


def test_a_model_narrows_the_limits():
    limits = ImageModel(
        id="m", prompt_character_limit=10, steps_max=20, width_height_divisor=8, max_style_references=1
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


def test_a_model_widens_the_limits():
    limits = ImageModel(id="m", prompt_character_limit=7500, steps_max=100).limits
    made = request(prompt="x" * 7500, negative_prompt="x" * 7500, steps=100, limits=limits)
    assert made.steps == 100
    with pytest.raises(ValidationError, match="1 to 7500 characters, not 7501"):
        request(prompt="x" * 7501, limits=limits)


def test_a_model_keeps_the_ranges_it_says_nothing_of():
    limits = ImageModel(id="m", steps_max=30).limits
    assert (limits.seed, limits.cfg_scale) == (RequestLimits.SCHEMA.seed, RequestLimits.SCHEMA.cfg_scale)


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
