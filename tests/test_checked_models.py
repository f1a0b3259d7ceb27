"""Requests that are held against the catalogue before anything is sent."""

import asyncio
from functools import partial

import pytest

from venice_async import (
    ImageRequest,
    RequestLimits,
    RequestTimeoutError,
    StyleReference,
    ValidationError,
    VeniceSession,
    gather_generate,
)
from venice_async.errors import AuthenticationError, PermissionDeniedError, ServerError
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
        ({"steps": 51, "limits": RequestLimits.CURRENT}, "steps"),
        ({"model": "nano-banana-pro", "aspect_ratio": "99:1"}, "aspect_ratio"),
        ({"model": "nano-banana-pro", "resolution": "8K"}, "resolution"),
        ({"model": "grok-imagine-image-2-0", "quality": "high"}, "quality"),
        ({"model": "qwen-image", "width": 512}, "width"),
        ({"transparent_background": True}, "transparent_background"),
        ({"style_references": [StyleReference(image="QUJD")]}, "style_references"),
        ({"style_preset": "3d model"}, "style_preset"),
        ({"model": "bria-bg-remover"}, "model"),
    ],
)
def test_what_a_model_does_not_take_is_told_by_its_field_and_nothing_is_sent(sandbox, changes, field):
    (error,) = asked(sandbox, ImageRequest("a fox", **{"model": "fluently-xl", **changes}))
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


def test_every_model_takes_what_it_says_it_does(sandbox):
    """A plain request to each model in service passes, and is what the server takes as well.

    That a model is for Pro users, or blocked where the key is used, stands in no catalogue.
    """

    async def main():
        async with checked(base_url=sandbox.url) as venice:
            for model in await venice.models():
                if model.offline or not model.generates or model.deprecation:
                    continue
                assert model.faults(ImageRequest("a fox", model=model.id)) == []
                try:
                    await venice.generate(ImageRequest("a fox", model=model.id))
                except (AuthenticationError, PermissionDeniedError) as error:
                    refused.add(error.reason)

    refused = set()
    asyncio.run(main())
    assert refused <= {"pro_only", "region"}
    assert sandbox.account.billed > 20


def test_a_style_that_is_not_there_is_told_with_the_nearest_name(sandbox):
    (error,) = asked(sandbox, ImageRequest("a fox", model="fluently-xl", style_preset="3d model"))
    expected = "style_preset = '3d model': expected a style of the API (did you mean '3D Model'?)"
    assert str(error) == expected
    assert sandbox.account.received == 0


def test_styles_are_asked_for_once_and_only_where_a_request_has_one(sandbox):
    styled = ImageRequest("a fox", model="fluently-xl", style_preset="3D Model", width=64, height=64)
    assert not any(isinstance(one, Exception) for one in asked(sandbox, FOX))
    assert paths(sandbox).count("image/styles") == 0
    assert not any(isinstance(one, Exception) for one in asked(sandbox, *[styled] * 5))
    assert paths(sandbox).count("image/styles") == 1


async def never(connection):
    await connection.read_request()
    await asyncio.Event().wait()


def test_a_call_waits_for_the_catalogue_no_longer_than_its_deadline(raw_server):
    """And whoever has more time still asks for it."""

    async def main():
        async with raw_server(never) as server, checked(base_url=server.url) as venice:
            long = asyncio.create_task(venice.generate(FOX))
            await asyncio.sleep(0)
            with pytest.raises(RequestTimeoutError, match="nothing was sent"):
                await venice.generate(FOX, timeout=0.1)
            assert not long.done()
            long.cancel()
            await asyncio.gather(long, return_exceptions=True)
            with pytest.raises(RequestTimeoutError, match="while the catalogue was asked for"):
                await venice.generate(FOX, timeout=0.1)
            return [bytes(sent).split(b" ")[1] for sent in server.received]

    # How much of the second question is sent before its time is up is the machine's business.
    first, *rest = asyncio.run(main())
    assert first == b"/api/v1/models?type=image"
    assert rest in ([], [first])


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
    requests = [FOX, ImageRequest("a fox", model="fluently-xl", width=100)]

    async def main():
        async with checked(base_url=sandbox.url) as venice:
            return await gather_generate(venice, requests, into=tmp_path / "out")

    report = asyncio.run(main())
    assert (report.generated, report.failed, report.stopped) == (1, 1, None)
    assert sandbox.account.received == 1
