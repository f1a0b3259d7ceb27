"""Clients that others wrote for the API get from the sandbox what their own documentation promises.

Each is imported by a fixture: nothing but the tests that use it waits for it.
"""

from __future__ import annotations

import asyncio
import base64
import io
from datetime import UTC, datetime

import pytest
from PIL import Image

from venice_async.sandbox import Sandbox

# Without pydantic-settings venice-py warns that it reads no settings from the environment.
pytestmark = pytest.mark.filterwarnings("ignore:pydantic-settings is not installed:UserWarning")

FORBIDDEN = "a fox, dismemberment, in the snow"


@pytest.fixture
def openai():
    import openai

    return openai


@pytest.fixture
def venice_py():
    import venice_ai

    return venice_ai


@pytest.fixture
def veniceresch():
    import veniceresch

    return veniceresch


def seen(data):
    """The format and the size of a picture, in bytes or in base64."""
    raw = data if isinstance(data, bytes) else base64.b64decode(data, validate=True)
    with Image.open(io.BytesIO(raw)) as picture:
        picture.load()
        return picture.format, picture.size


def talk(client, conversation):
    """Run a conversation with a client that closes as a context manager."""

    async def main():
        async with client:
            return await conversation(client)

    return asyncio.run(main())


def ask_openai(openai, sandbox, conversation, **options):
    options = {"api_key": "k", "max_retries": 0, **options}
    return talk(openai.AsyncOpenAI(base_url=sandbox.url, **options), conversation)


@pytest.mark.parametrize("form", ["b64_json", "url"])
def test_openai_generate(openai, sandbox, form):
    """A picture comes in either form, of the size that was asked for."""

    async def conversation(client):
        return await client.images.generate(
            model="dall-e-3",
            prompt="a red fox",
            n=1,
            size="1792x1024",
            quality="hd",
            style="vivid",
            background="auto",
            moderation="low",
            output_compression=80,
            user="someone",
            response_format=form,
        )

    (image,) = ask_openai(openai, sandbox, conversation).data
    if form == "url":
        kind, _, text = image.url.partition(",")
        assert (kind, image.b64_json) == ("data:image/png;base64", None)
    else:
        text = image.b64_json
    assert seen(text) == ("PNG", (1792, 1024))


def test_openai_extra_body(openai, sandbox):
    """A field that the API knows has its effect through extra_body, another one is refused by name."""

    async def conversation(client):
        ask = client.images.generate
        good = await ask(prompt="a fox", size="256x256", extra_body={"output_format": "jpeg"})
        with pytest.raises(openai.BadRequestError) as refused:
            await ask(prompt="a fox", extra_body={"safe_mode": True})
        return good, refused.value

    good, refused = ask_openai(openai, sandbox, conversation)
    assert seen(good.data[0].b64_json) == ("JPEG", (256, 256))
    assert "Unrecognized key(s) in object: 'safe_mode'" in refused.response.text


def test_openai_models(openai, sandbox):
    """The list of models is read, and a model's own fields with it."""

    async def conversation(client):
        return [model async for model in await client.models.list(extra_query={"type": "image"})]

    models = {model.id: model for model in ask_openai(openai, sandbox, conversation)}
    assert models["venice-sd35"].model_spec["constraints"]["steps"] == {"default": 25, "max": 30}
    assert {model.object for model in models.values()} == {"model"}


def test_openai_errors(openai, sandbox):
    """Refusals become the client's own errors, by their status; a forbidden prompt is none today."""

    async def conversation(client):
        black = await client.images.with_raw_response.generate(prompt=FORBIDDEN, size="256x256")
        assert black.headers["x-venice-is-content-violation"] == "true"
        with pytest.raises(openai.InternalServerError) as offline:
            await client.images.generate(prompt="a fox", model="ideogram-v4")
        with pytest.raises(openai.NotFoundError):
            await client.images.edit(prompt="a fox", image=b"\x89PNG")
        return offline.value

    offline = ask_openai(openai, sandbox, conversation)
    assert offline.response.json()["code"] == "MODEL_OFFLINE"


def test_openai_content_policy_in_2025(openai):
    """It was a refusal with a code."""

    async def conversation(client):
        with pytest.raises(openai.UnprocessableEntityError) as violation:
            await client.images.generate(prompt=FORBIDDEN)
        return violation.value

    with Sandbox(latency=0, profile="2025") as sandbox:
        violation = ask_openai(openai, sandbox, conversation)
    assert violation.response.json()["code"] == "CONTENT_POLICY_VIOLATION"


def test_openai_without_key_money_or_permit(openai):
    """A wrong key, an empty balance and a used-up limit are told apart."""

    async def conversation(client):
        with pytest.raises(openai.AuthenticationError):
            await client.with_options(api_key="wrong").images.generate(prompt="a fox", size="256x256")
        await client.images.generate(prompt="a fox", size="256x256")
        with pytest.raises(openai.APIStatusError) as unpaid:
            await client.images.generate(prompt="a fox", size="256x256")
        with pytest.raises(openai.RateLimitError):
            await client.images.generate(prompt="a fox", size="256x256")
        return unpaid.value.status_code

    with Sandbox(latency=0, rpm=2, balance_usd="0.01", api_key="right") as sandbox:
        assert ask_openai(openai, sandbox, conversation, api_key="right") == 402


def ask_venice_py(venice_py, sandbox, conversation):
    return talk(venice_py.VeniceClient(api_key="k" * 20, base_url=sandbox.url, max_retries=0), conversation)


def test_venice_py_resolve_create_and_save(venice_py, sandbox, tmp_path):
    """The README's own lines end with pictures on disk."""

    async def conversation(client):
        model = await client.models.resolve_image()
        return await client.image.create(
            model=model,
            prompt="A serene mountain landscape at sunset",
            width=512,
            height=512,
            num_images=2,
            enable_web_search=True,
            enhance_prompt=True,
        )

    answer = ask_venice_py(venice_py, sandbox, conversation)
    saved = [answer.save(tmp_path / "generated"), *answer.save_all(tmp_path / "all")]
    assert [path.name for path in saved] == ["generated.webp", "image_0.webp", "image_1.webp"]
    assert [seen(path.read_bytes()) for path in saved] == [("WEBP", (512, 512))] * 3
    assert answer.enhanced_prompt.startswith("A serene mountain landscape at sunset")
    timing = answer.timing
    parts = timing.inferenceDuration + timing.inferencePreprocessingTime + timing.inferenceQueueTime
    assert timing.total == parts


def test_venice_py_what_it_reads_from_the_headers(venice_py):
    """The rate limit, the balance and a model's deprecation are understood."""

    async def conversation(client):
        return await client.image.create(model="lustify-sdxl", prompt="a fox", width=64, height=64)

    with Sandbox(latency=0, rpm=20, balance_usd=5) as sandbox:
        answer = ask_venice_py(venice_py, sandbox, conversation)
    limits = answer.response_rate_limits
    assert (limits.limit_requests, limits.remaining_requests, limits.type) == (20, 19, "api_key")
    assert limits.reset_requests > datetime.now(UTC)
    assert answer.balance_info.usd == 5
    assert answer.deprecation_info.is_deprecated
    assert answer.deprecation_info.date.year == 2030


def test_venice_py_every_way_to_ask(venice_py, sandbox):
    """As bytes, in the OpenAI shape, and as jobs side by side."""

    async def conversation(client):
        fields = {"model": "venice-sd35", "prompt": "a fox", "width": 64, "height": 64}
        jobs = [await client.image.submit(**fields, seed=seed) for seed in range(3)]
        return (
            await client.image.create(**fields, format="png", return_binary=True),
            await client.image.simple_generate(prompt="a fox", size="256x256"),
            await client.gather([job.wait() for job in jobs], return_exceptions=False),
        )

    raw, simple, jobs = ask_venice_py(venice_py, sandbox, conversation)
    assert seen(raw) == ("PNG", (64, 64))
    assert seen(simple.data[0].b64_json) == ("PNG", (256, 256))
    assert len({job.images[0] for job in jobs}) == 3


def test_venice_py_qualities_and_ratios(venice_py, sandbox):
    """What it resolves by a quality is charged by that quality."""

    async def conversation(client):
        model = await client.models.resolve_image(require_quality="low")
        spec = (await client.models.get(model)).model_spec
        answer = await client.image.create(
            model=model, prompt="a fox", quality="low", aspect_ratio="16:9", resolution="1K"
        )
        return spec.constraints, answer

    constraints, answer = ask_venice_py(venice_py, sandbox, conversation)
    assert constraints.qualities == ["low", "medium", "high"]
    assert seen(answer.bytes()) == ("WEBP", (1024, 576))
    assert str(sandbox.account.billed_usd) == "0.02"


def test_venice_py_tables(venice_py, sandbox):
    """Models, traits, foreign names, styles and the key's limits are all read."""

    async def conversation(client):
        return (
            await client.models.list(type="image"),
            await client.models.list_traits(type="image"),
            await client.models.list_compatibility(type="image"),
            await client.image.list_styles(),
            await client.api_keys.get_rate_limits(),
        )

    models, traits, names, styles, limits = ask_venice_py(venice_py, sandbox, conversation)
    known = {model.id for model in models.data}
    assert {*traits.data.values(), *names.data.values()} <= known
    assert {limit.apiModelId for limit in limits.data.rateLimits} == known
    assert "3D Model" in styles.data
    assert limits.data.balances.USD == 100


def test_venice_py_errors(venice_py):
    """Refusals become its own errors, with the API's code."""
    errors = venice_py.exceptions

    async def refusal(asking, kind):
        with pytest.raises(kind) as refused:
            await asking
        return refused.value.code

    async def conversation(client):
        create = client.image.create
        return [
            await refusal(
                create(model="venice-sd35", prompt="a fox", width=1000), errors.InvalidRequestError
            ),
            await refusal(create(model="no-such", prompt="a fox"), errors.NotFoundError),
            await refusal(create(model="venice-sd35", prompt=FORBIDDEN), errors.UnprocessableEntityError),
            await refusal(create(model="ideogram-v4", prompt="a fox"), errors.ServiceUnavailableError),
        ]

    with Sandbox(latency=0, profile="2025") as sandbox:
        codes = ask_venice_py(venice_py, sandbox, conversation)
    assert codes == ["INVALID_REQUEST", "MODEL_NOT_FOUND", "CONTENT_POLICY_VIOLATION", "MODEL_OFFLINE"]


def ask_veniceresch(veniceresch, sandbox, conversation):
    return talk(veniceresch.AsyncVeniceClient(api_key="k", base_url=sandbox.url), conversation)


def test_veniceresch_readme(veniceresch, sandbox):
    """The README's own lines for pictures: as JSON, as bytes, and in the OpenAI shape."""

    async def conversation(client):
        return (
            await client.image.generate(model="flux-2-pro", prompt="a red cube", width=1024, height=1024),
            await client.image.generate_binary(model="flux-2-pro", prompt="a red cube"),
            await client.images.generate(
                prompt="a red cube", n=1, size="1024x1024", response_format="b64_json"
            ),
        )

    answer, raw, simple = ask_veniceresch(veniceresch, sandbox, conversation)
    assert seen(answer.images[0]) == seen(raw) == ("WEBP", (1024, 1024))
    assert seen(simple.data[0]["b64_json"]) == ("PNG", (1024, 1024))


def test_veniceresch_tables(veniceresch, sandbox):
    """Every model keeps to the vendor's schema; traits, names, styles and limits are read."""

    async def conversation(client):
        return (
            await client.models.list(type="image"),
            await client.models.list_traits(type="image"),
            await client.models.compatibility_mapping(type="image"),
            await client.image.list_styles(),
            await client.api_keys.rate_limits(),
        )

    models, traits, names, styles, limits = ask_veniceresch(veniceresch, sandbox, conversation)
    strict = [veniceresch.types.ModelResponse.model_validate(model) for model in models.data]
    assert all(model.model_spec.pricing for model in strict)
    known = {model.id for model in strict}
    assert {*traits.data.values(), *names.data.values()} <= known
    assert "3D Model" in styles.data
    assert {limit["apiModelId"] for limit in limits.data["rateLimits"]} == known


def test_veniceresch_errors(veniceresch):
    """The suggested prompt of a refusal is taken, and what does not exist is not found."""

    async def conversation(client):
        generate = client.image.generate
        with pytest.raises(veniceresch.VeniceContentViolationError) as violation:
            await generate(model="venice-sd35", prompt=FORBIDDEN, width=64, height=64)
        again = await generate(
            model="venice-sd35", prompt=violation.value.suggested_prompt, width=64, height=64
        )
        for missing in (
            generate(model="no-such", prompt="a fox"),
            client.image.edit(image=b"\x89PNG", prompt="a fox"),
            client.image.upscale(image=b"\x89PNG", scale=2.0),
        ):
            with pytest.raises(veniceresch.VeniceNotFoundError):
                await missing
        return again

    with Sandbox(latency=0, profile="2025") as sandbox:
        answer = ask_veniceresch(veniceresch, sandbox, conversation)
    assert seen(answer.images[0]) == ("WEBP", (64, 64))


def test_veniceresch_without_money_or_permit(veniceresch):
    """An empty balance and a used-up limit have errors of their own."""

    async def conversation(client):
        body = {"model": "venice-sd35", "prompt": "a fox", "width": 64, "height": 64}
        await client.image.generate(**body)
        with pytest.raises(veniceresch.VeniceInsufficientBalanceError):
            await client.image.generate(**body)
        with pytest.raises(veniceresch.VeniceRateLimitError):
            await client.image.generate(**body)

    with Sandbox(latency=0, rpm=2, balance_usd="0.01") as sandbox:
        ask_veniceresch(veniceresch, sandbox, conversation)
