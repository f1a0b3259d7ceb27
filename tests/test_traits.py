"""A model may be left out, or named by a trait: which one a request goes to."""

import asyncio
import json
import logging
from functools import partial

import attrs
import pytest

from venice_async import ImageRequest, VeniceSession, gather_generate, sweep
from venice_async.errors import ServerError
from venice_async.gather import plan_generate, stream_retry
from venice_async.sandbox import Fault, Sandbox
from venice_async.session import catalogue as module
from venice_async.storage.journal import JournalReader

session = partial(VeniceSession, "key", rate_limit=None, guard=None)
SMALL = {"width": 64, "height": 64}
NO_SEED = "the same seed does not make the same image again"


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


# Jobs


def gathered(sandbox, into, what, options=None, **fields):
    async def main():
        async with session(base_url=sandbox.url, **options or {}) as venice:
            return await gather_generate(venice, what, into=into, **{**SMALL, **fields})

    return asyncio.run(main())


def outcomes_of(report):
    async def main():
        return [outcome async for outcome in report.outcomes()]

    return asyncio.run(main())


@pytest.fixture
def moved(monkeypatch):
    """Have the catalogue say from now on that `default` and `fastest` are another model."""
    ask = module.Catalogue.models

    async def models(self, *arguments):
        return tuple(
            attrs.evolve(
                model,
                traits=("default", "fastest")
                if model.id == "chroma"
                else set(model.traits) - {"default", "fastest"},
            )
            for model in await ask(self, *arguments)
        )

    return lambda: monkeypatch.setattr(module.Catalogue, "models", models)


@pytest.mark.parametrize("fields", [{}, {"model": None}, {"model": "fastest"}])
def test_a_job_knows_its_models_by_their_ids(sandbox, tmp_path, fields):
    """In what is sent, in file names, in the journal, in metadata, and in its cost."""
    report = gathered(sandbox, tmp_path, ["a fox", "a hen"], name="{model}/{index}", seed=7, **fields)
    assert (report.generated, report.spent_usd) == (2, 0.02)
    assert sent(sandbox) == ["z-image-turbo"] * 2
    assert {outcome.request.model for outcome in outcomes_of(report)} == {"z-image-turbo"}
    assert sorted(path.name for path in (tmp_path / "z-image-turbo").iterdir()) == ["0.webp", "1.webp"]
    rows = [json.loads(line) for line in (tmp_path / "metadata.jsonl").read_text().splitlines()]
    assert [row["model"] for row in rows] == ["z-image-turbo"] * 2


def test_a_resumed_job_uses_the_model_that_it_began_with(sandbox, tmp_path, moved):
    sandbox.script(Fault(400), when=lambda body: body["prompt"] == "a hen")
    gathered(sandbox, tmp_path, ["a fox", "a hen"])
    moved()
    report = gathered(sandbox, tmp_path, ["a fox", "a hen", "a cow"])
    assert (report.generated, report.skipped) == (2, 1)
    assert sent(sandbox) == ["z-image-turbo"] * 4
    assert report.notes == ("default stays z-image-turbo, as when the job began; it is chroma now",)
    assert sent_by(sandbox, tmp_path / "new") == ["chroma"]


def sent_by(sandbox, into):
    before = len(sent(sandbox))
    gathered(sandbox, into, "a fox")
    return sent(sandbox)[before:]


def test_nor_does_venice_model_move_a_job_that_has_begun(sandbox, tmp_path):
    gathered(sandbox, tmp_path, ["a fox"], {"default_model": "chroma"})
    report = gathered(sandbox, tmp_path, ["a fox", "a hen"], {"default_model": "venice-sd35"})
    assert (report.generated, report.skipped) == (1, 1)
    assert sent(sandbox) == ["chroma"] * 2


def test_a_plan_counts_by_the_models_that_the_job_began_with(sandbox, tmp_path, moved):
    gathered(sandbox, tmp_path, ["a fox"])
    moved()

    async def main():
        async with session(base_url=sandbox.url) as venice:
            begun = await plan_generate(venice, ["a fox", "a hen"], into=tmp_path, **SMALL)
            new = await plan_generate(venice, ["a fox", "a hen"], into=tmp_path / "new", **SMALL)
            return begun, new

    begun, new = asyncio.run(main())
    assert (begun.new, begun.skipped, begun.cost_usd) == (1, 1, 0.01)
    assert (new.new, new.skipped, new.cost_usd) == (2, 0, 0.02)


def test_a_retry_sends_what_the_job_has_recorded(sandbox, tmp_path, moved):
    sandbox.script(Fault(400))
    gathered(sandbox, tmp_path, ["a fox"])
    moved()

    async def main():
        async with session(base_url=sandbox.url) as venice:
            async with await stream_retry(venice, tmp_path) as outcomes:
                return [outcome async for outcome in outcomes]

    assert [outcome.request.model for outcome in asyncio.run(main())] == ["z-image-turbo"]
    assert sent(sandbox) == ["z-image-turbo"] * 2


def test_a_job_that_began_without_the_catalogue_goes_on_with_the_traits_name(sandbox, tmp_path, monkeypatch):
    """So that nothing is bought a second time under another name."""
    with monkeypatch.context() as patched:
        patched.setattr(module.Catalogue, "models", Unreachable())
        gathered(sandbox, tmp_path, ["a fox"])
    report = gathered(sandbox, tmp_path, ["a fox", "a hen"])
    assert (report.generated, report.skipped) == (1, 1)


def test_what_traits_stand_for_is_no_part_of_what_a_job_is(sandbox, tmp_path):
    gathered(sandbox, tmp_path, ["a fox"], model="fastest")
    assert JournalReader(tmp_path).job() == {
        "model": "fastest",
        "width": "64",
        "height": "64",
        "name": "{index:05d}_{seed}_{prompt}",
        "duplicates": "keep",
    }


# What has no effect


def test_what_a_model_ignores_is_in_the_report_and_in_one_line_of_the_log(sandbox, tmp_path, caplog):
    base = ImageRequest("a fox", model="z-image-turbo", negative_prompt="fog", **SMALL)
    requests = sweep(base, model=["z-image-turbo", "gpt-image-2", "venice-sd35"], seed=range(2), steps=[5, 6])
    with caplog.at_level(logging.WARNING, "venice_async"):
        report = gathered(sandbox, tmp_path, list(requests), width=None, height=None)
    assert report.generated == 12
    assert report.notes == (
        "z-image-turbo ignores negative_prompt, steps",
        f"gpt-image-2 ignores negative_prompt, width, height, steps, seed: {NO_SEED}",
    )
    assert [record.getMessage() for record in caplog.records] == [report.notes[0]]
    report.raise_for_failures()


def test_a_seed_that_was_not_asked_for_is_not_said_to_be_ignored(sandbox, tmp_path):
    assert gathered(sandbox, tmp_path, ["a fox"], model="gpt-image-2", width=None, height=None).notes == ()


def test_seeds_that_do_not_reproduce_are_swept_all_the_same(sandbox, tmp_path):
    """Each is another image."""
    report = gathered(
        sandbox, tmp_path, "a fox", model="gpt-image-2", seeds=range(2), width=None, height=None
    )
    assert report.generated == 2
    assert report.notes == ("gpt-image-2 ignores seed: the same seed does not make the same image again",)


def test_what_is_not_known_of_a_model_is_not_said(sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr(module.Catalogue, "models", Unreachable())
    assert gathered(sandbox, tmp_path, "a fox", model="gpt-image-2", seed=7).notes == ()
