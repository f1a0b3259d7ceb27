"""A model may be left out, or named by a trait: which one a request goes to."""

import asyncio
from functools import partial

import pytest

from venice_async import ImageRequest, VeniceSession
from venice_async.errors import ServerError
from venice_async.sandbox import Sandbox
from venice_async.session import catalogue as module

session = partial(VeniceSession, "key", rate_limit=None, guard=None)
SMALL = {"width": 64, "height": 64}


@pytest.fixture
def sandbox():
    with Sandbox(latency=0, rpm=None) as running:
        yield running


def sent(sandbox):
    return [record.body["model"] for record in sandbox.requests if record.method == "POST"]


def asked_for(sandbox):
    return [record.path.rpartition("/api/v1/")[2] for record in sandbox.requests if record.method == "GET"]


def generate(sandbox, *requests, **options):
    async def main():
        async with session(base_url=sandbox.url, **options) as venice:
            for request in requests:
                await venice.generate(request)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("named", "model"),
    [
        ({}, "z-image-turbo"),
        ({"model": "default"}, "z-image-turbo"),
        ({"model": "fastest"}, "z-image-turbo"),
        ({"model": "eliza-default"}, "venice-sd35"),
        ({"model": "venice-sd35"}, "venice-sd35"),
    ],
)
def test_what_is_sent_is_the_id_that_a_trait_stands_for(sandbox, named, model):
    generate(sandbox, ImageRequest("a fox", **SMALL, **named))
    assert sent(sandbox) == [model]


def test_traits_are_asked_for_once_a_session_and_not_at_all_for_an_id(sandbox):
    generate(sandbox, *[ImageRequest("a fox", model="venice-sd35", **SMALL)] * 2)
    assert asked_for(sandbox) == []
    generate(sandbox, *[ImageRequest("a fox", **SMALL)] * 3)
    assert asked_for(sandbox) == ["models"]


@pytest.mark.parametrize(
    ("variable", "model"),
    [("venice-sd35", "venice-sd35"), ("eliza-default", "venice-sd35"), ("", "z-image-turbo")],
)
def test_venice_model_says_what_a_model_that_is_left_out_means(sandbox, monkeypatch, variable, model):
    monkeypatch.setenv("VENICE_MODEL", variable)
    generate(sandbox, ImageRequest("a fox", **SMALL), ImageRequest("a fox", model="chroma", **SMALL))
    assert sent(sandbox) == [model, "chroma"]


def test_a_session_of_its_own_goes_before_the_environment(sandbox, monkeypatch):
    monkeypatch.setenv("VENICE_MODEL", "venice-sd35")
    generate(sandbox, ImageRequest("a fox", **SMALL), default_model="chroma")
    assert sent(sandbox) == ["chroma"]


def test_save_and_stream_resolve_traits_as_well(sandbox, tmp_path):
    async def main():
        async with session(base_url=sandbox.url) as venice:
            saved = await venice.save(ImageRequest("a fox", **SMALL), tmp_path / "a.webp")
            async with venice.stream(ImageRequest("a fox", **SMALL)) as image:
                assert b"".join([chunk async for chunk in image]).startswith(b"RIFF")
            return saved.model

    assert asyncio.run(main()) == "z-image-turbo"
    assert sent(sandbox) == ["z-image-turbo"] * 2


def test_a_trait_of_several_models_is_sent_as_it_is(sandbox):
    generate(sandbox, ImageRequest("a fox", model="most_uncensored", **SMALL))
    assert sent(sandbox) == ["most_uncensored"]


class Unreachable:
    """Stands in for the question for models, and counts how often it was asked."""

    def __init__(self):
        self.asked = 0

    async def __call__(self, *_):
        self.asked += 1
        raise ServerError("500", status=500)


def test_a_trait_is_sent_as_it_is_where_the_catalogue_cannot_be_had(sandbox, monkeypatch):
    """Nor is the catalogue asked for with every call."""
    question = Unreachable()
    monkeypatch.setattr(module.Catalogue, "models", question)
    generate(sandbox, *[ImageRequest("a fox", **SMALL)] * 3)
    assert sent(sandbox) == ["default"] * 3
    assert question.asked == 1


def test_venice_model_counts_where_the_catalogue_cannot_be_had(sandbox, monkeypatch):
    monkeypatch.setattr(module.Catalogue, "models", Unreachable())
    generate(sandbox, ImageRequest("a fox", **SMALL), default_model="venice-sd35")
    assert sent(sandbox) == ["venice-sd35"]
