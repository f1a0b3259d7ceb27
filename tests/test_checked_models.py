"""Requests that are held against the catalogue before anything is sent."""

import asyncio
from functools import partial

import pytest

from venice_async import ImageRequest, StyleReference, ValidationError, VeniceSession, gather_generate
from venice_async.errors import ServerError
from venice_async.sandbox import Sandbox
from venice_async.session import catalogue as module

checked = partial(VeniceSession, "key", rate_limit=None, guard=None, check_models=True)
FOX = ImageRequest("a fox", model="fluently-xl", width=64, height=64)


def asked(sandbox, *requests, **options):
    async def main():
        async with checked(base_url=sandbox.url, **options) as venice:
            return await asyncio.gather(*map(venice.generate, requests), return_exceptions=True)

    return asyncio.run(main())


@pytest.fixture
def sandbox():
    with Sandbox(latency=0, rpm=None) as running:
        yield running


def paths(sandbox):
    return [record.path.rpartition("/api/v1/")[2].partition("?")[0] for record in sandbox.requests]


def test_the_catalogue_is_asked_for_once_however_many_call(sandbox):
    found = asked(sandbox, *[FOX] * 5)
    assert not any(isinstance(one, Exception) for one in found)
    assert paths(sandbox).count("models") == 1


def test_an_unknown_model_is_told_with_the_nearest_names_and_nothing_is_sent(sandbox):
    (error,) = asked(sandbox, ImageRequest("a fox", model="fluently-x"))
    assert isinstance(error, ValidationError)
    assert "model = 'fluently-x': expected an image model of the API" in str(error)
    assert "fluently-xl" in error.faults[0].hint
    assert sandbox.account.received == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"width": 100, "height": 100}, "width"),
        ({"aspect_ratio": "16:9"}, "aspect_ratio"),
        ({"resolution": "4K"}, "resolution"),
        ({"quality": "high"}, "quality"),
        ({"style_references": [StyleReference(image="QUJD")]}, "style_references"),
    ],
)
def test_what_a_model_does_not_take_is_told_by_its_field_and_nothing_is_sent(sandbox, changes, field):
    (error,) = asked(sandbox, ImageRequest("a fox", model="fluently-xl", **changes))
    assert isinstance(error, ValidationError)
    assert field in {fault.field for fault in error.faults}
    assert sandbox.account.received == 0


def test_a_model_that_is_offline_is_told():
    with Sandbox(latency=0, rpm=None) as sandbox:
        offline = asyncio.run(offline_model(sandbox))
        (error,) = asked(sandbox, ImageRequest("a fox", model=offline))
        assert "a model that is in service" in str(error)


async def offline_model(sandbox):
    async with VeniceSession("key", base_url=sandbox.url) as venice:
        return next(model.id for model in await venice.models() if model.offline)


# For Pro users, blocked in the sandbox's region, and no generator at all.
NOT_FOR_THIS_KEY = {"imagineart-1.5-pro", "wan-2-7-pro-text-to-image", "bria-bg-remover"}


def test_every_model_takes_what_it_says_it_does(sandbox):
    """A plain request to each model in service passes, and is what the server takes as well."""

    async def main():
        async with checked(base_url=sandbox.url) as venice:
            for model in await venice.models():
                if not (model.offline or model.id in NOT_FOR_THIS_KEY):
                    assert model.faults(ImageRequest("a fox", model=model.id)) == []
                    await venice.generate(ImageRequest("a fox", model=model.id))

    asyncio.run(main())


class Unreachable:
    """Stands in for the question for models, and counts how often it was asked."""

    def __init__(self):
        self.asked = 0

    async def __call__(self, *_):
        self.asked += 1
        raise ServerError("500", status=500)


def test_a_catalogue_that_cannot_be_had_stops_nobody(sandbox, monkeypatch):
    """Nor is it asked for with every call."""
    question = Unreachable()
    monkeypatch.setattr(module.Catalogue, "models", question)
    found = asked(sandbox, FOX, FOX, FOX)
    assert all(one.image.data for one in found)
    assert question.asked == 1


def test_an_old_catalogue_is_asked_for_again_and_kept_if_it_cannot_be_had(sandbox, monkeypatch):
    monkeypatch.setattr(module, "_FRESH", 0.0)
    question = Unreachable()

    async def main():
        async with checked(base_url=sandbox.url) as venice:
            await venice.generate(FOX)
            monkeypatch.setattr(module.Catalogue, "models", question)
            await venice.generate(FOX)
            with pytest.raises(ValidationError):
                await venice.generate(ImageRequest("a fox", model="fluently-x"))

    asyncio.run(main())
    assert paths(sandbox).count("models") == 1
    assert question.asked == 1  # and once more after a minute


def test_an_item_of_a_batch_that_its_model_does_not_take_fails_alone(sandbox, tmp_path):
    requests = [FOX, ImageRequest("a fox", model="fluently-xl", quality="high")]

    async def main():
        async with checked(base_url=sandbox.url) as venice:
            return await gather_generate(venice, requests, into=tmp_path / "out")

    report = asyncio.run(main())
    assert (report.generated, report.failed, report.stopped) == (1, 1, None)
    assert sandbox.account.received == 1
