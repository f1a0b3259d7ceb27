"""Traits and models: which model a request goes to, and whether the API has what it asks for."""

import attrs
import pytest

from venice_async.types.catalogue import ImageModel
from venice_async.types.offer import Offer, traits_of
from venice_async.types.request import ImageRequest


def request(**fields) -> ImageRequest:
    return ImageRequest(**{"prompt": "a fox", "model": "a", **fields})


MODELS = (
    ImageModel(id="a", traits=("default", "fastest")),
    ImageModel(id="b", traits=("highest_quality", "shared")),
    ImageModel(id="c", traits=("shared",)),
)
TRAITS = {"default": "a", "fastest": "a", "highest_quality": "b"}


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        (None, TRAITS),
        ("default", TRAITS),
        ("b", {**TRAITS, "default": "b"}),
        ("highest_quality", {**TRAITS, "default": "b"}),
        ("unheard-of", {**TRAITS, "default": "unheard-of"}),
    ],
)
def test_a_trait_stands_for_the_one_model_that_has_it(default, expected):
    assert traits_of(MODELS, default) == expected


OFFER = Offer(models={model.id: model for model in MODELS}, traits=TRAITS, styles=("3D Model", "Analog Film"))


def test_a_request_for_a_trait_becomes_one_for_its_model_and_stays_the_same_otherwise():
    given = request(model="fastest", seed=7, metadata={"row": 1})
    assert OFFER.resolve(given) == attrs.evolve(given, model="a")
    assert OFFER.resolve(given).metadata == {"row": 1}
    for name in ("a", "shared"):
        named = request(model=name)
        assert OFFER.resolve(named) is named


def test_a_request_is_held_against_the_model_that_its_trait_stands_for():
    offer = attrs.evolve(OFFER, models={"a": ImageModel(id="a", offline=True)})
    assert [fault.field for fault in offer.faults(request(model="default"))] == ["model"]
    assert OFFER.ignored(request(model="default", steps=5)) == ("steps",)


def test_a_trait_of_several_models_is_left_to_the_server():
    assert OFFER.faults(request(model="shared", quality="low")) == []


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"model": "defualt"}, [("model", "an image model of the API", "did you mean 'default'?")]),
        ({"model": "quite another"}, [("model", "an image model of the API", "")]),
        (
            {"style_preset": "3d model"},
            [("style_preset", "a style of the API", "did you mean '3D Model'?")],
        ),
        ({"style_preset": "3D Model"}, []),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest_that_is(fields, found):
    faults = OFFER.faults(request(**fields))
    assert [(fault.field, fault.expected, fault.hint) for fault in faults] == found


def test_what_is_not_known_refuses_nothing():
    asked = request(model="unheard-of", style_preset="3d model", steps=5)
    assert Offer().faults(asked) == []
    assert Offer().ignored(asked) == ()
    assert Offer().resolve(asked) is asked
