"""Every end point, as any HTTP client sees it."""

from __future__ import annotations

import base64
import gzip
import io
import re
import time
from urllib.parse import unquote

import brotli
import pytest
from PIL import Image

from venice_async.sandbox import Sandbox
from venice_async.sandbox.answer import choose_encoding
from venice_async.sandbox.catalogue import MODELS
from venice_async.sandbox.paint import CONTENT_TYPES

EXAMPLE = {
    "model": "fluently-xl",
    "prompt": "A beautiful sunset over a mountain range",
    "negative_prompt": "Clouds, Rain, Snow",
    "style_preset": "3D Model",
    "height": 1024,
    "width": 1024,
    "steps": 30,
    "cfg_scale": 7.5,
    "seed": 123456789,
    "lora_strength": 50,
    "safe_mode": False,
    "return_binary": False,
    "hide_watermark": False,
}


def opened(data):
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("profile", ["today", "2025"])
def test_the_reference_pages_fields(call, profile):
    """A picture comes in both profiles, with the request echoed in either's way and timings that add up."""
    with Sandbox(profile=profile, latency=0) as sandbox:
        reply = call(sandbox, EXAMPLE)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert list(reply.json) == ["id", "request", "images", "timing"]
    assert reply.json["id"].startswith("generate-image-")
    echoes = {
        "2025": EXAMPLE,
        "today": {
            "success": True,
            "data": {**EXAMPLE, "format": "webp", "embed_exif_metadata": False},
        },
    }
    assert reply.json["request"] == echoes[profile]
    (image,) = reply.json["images"]
    with opened(base64.b64decode(image, validate=True)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (1024, 1024))
    timing = reply.json["timing"]
    assert set(timing) == {"inferenceDuration", "inferencePreprocessingTime", "inferenceQueueTime", "total"}
    assert all(type(milliseconds) is int and milliseconds >= 0 for milliseconds in timing.values())
    assert timing["total"] == sum(timing.values()) - timing["total"]


def test_todays_echo_has_defaults_and_no_references(sandbox, call, small):
    """What was not sent stands there as it was taken, the seed that was drawn among it."""
    body = {"model": "krea-v2-medium", "prompt": "a fox", "style_references": [{"image": "x"}]}
    echo = call(sandbox, body).json["request"]
    assert echo["success"] is True
    seed = echo["data"].pop("seed")
    assert -999_999_999 <= seed <= 999_999_999
    assert echo["data"] == {
        "model": "krea-v2-medium",
        "prompt": "a fox",
        "format": "webp",
        "width": 1024,
        "height": 1024,
        "steps": 20,
        "safe_mode": True,
        "return_binary": False,
        "hide_watermark": False,
        "embed_exif_metadata": False,
    }
    first = call(sandbox, small).json
    again = call(sandbox, {**small, "seed": first["request"]["data"]["seed"]}).json
    assert again["images"] == first["images"]


def test_every_header_of_a_good_answer(call, small):
    """Moderation, version, model, balance, rate limit, date and id are all told."""
    with Sandbox(latency=0, rpm=20, balance_usd="5.5") as sandbox:
        before = time.time()
        first, second = call(sandbox, small), call(sandbox, small)
        after = time.time()
    headers = first.headers
    for name in ("is-blurred", "is-content-violation", "is-adult-model-content-violation", "contains-minor"):
        assert headers[f"x-venice-{name}"] == "false"
    assert headers["x-venice-version"]
    assert (headers["x-venice-model-id"], headers["x-venice-model-name"]) == ("fluently-xl", "Fluently XL")
    assert [reply.headers["x-venice-balance-usd"] for reply in (first, second)] == ["5.5", "5.49"]
    assert headers["x-venice-balance-diem"] == "0"
    assert "x-venice-enhanced-prompt" not in headers
    assert headers["date"].endswith("GMT")
    assert headers["cf-ray"] != second.headers["cf-ray"]
    assert headers["x-ratelimit-limit-requests"] == "20"
    assert [reply.headers["x-ratelimit-remaining-requests"] for reply in (first, second)] == ["19", "18"]
    assert (before + 60) * 1000 <= int(headers["x-ratelimit-reset-requests"]) <= (after + 60) * 1000 + 1
    assert headers["x-ratelimit-reset-requests"] == second.headers["x-ratelimit-reset-requests"]
    assert headers["x-ratelimit-type"] in {"user", "api_key", "global"}


def test_resets_are_seconds_in_2025(call):
    """Rounded up, so that nobody comes early."""
    with Sandbox(latency=0, profile="2025") as sandbox:
        before = time.time()
        reset = int(call(sandbox).headers["x-ratelimit-reset-requests"])
        assert before + 60 <= reset <= time.time() + 61


def test_without_a_limit_the_headers_are_generous(sandbox, call):
    """No limit is enforced and none is pretended: there is no type, and plenty remains."""
    reply = call(sandbox)
    assert int(reply.headers["x-ratelimit-remaining-requests"]) >= 100_000
    assert "x-ratelimit-type" not in reply.headers


def test_enhanced_prompt_comes_back_url_encoded(sandbox, call, small):
    """Only who asked for a better prompt gets one, in a header that any client can take."""
    reply = call(sandbox, {**small, "prompt": "a fox, 100 % r\u00f6t", "enhance_prompt": True})
    encoded = reply.headers["x-venice-enhanced-prompt"]
    assert re.fullmatch(r"[\w.~%-]+", encoded, re.ASCII)
    assert unquote(encoded).startswith("a fox, 100 % r\u00f6t, ")
    long = call(sandbox, {**small, "prompt": "\U0001f98a" * 1500, "enhance_prompt": True})
    assert len(long.headers["x-venice-enhanced-prompt"]) < 8000
    assert "x-venice-enhanced-prompt" not in call(sandbox, {**small, "enhance_prompt": False}).headers


@pytest.mark.parametrize("image_format", [None, "webp", "png", "jpeg"])
def test_raw_bytes(sandbox, call, small, image_format):
    """With return_binary the body is the picture, in the format that was asked for and uncompressed."""
    body = {**small, "return_binary": True, "width": 80}
    if image_format:
        body["format"] = image_format
    reply = call(sandbox, body, headers={"Accept-Encoding": "gzip, br"})
    image_format = image_format or "webp"
    assert reply.headers["content-type"] == CONTENT_TYPES[image_format] == f"image/{image_format}"
    assert "content-encoding" not in reply.headers
    assert reply.headers["x-venice-model-id"] == "fluently-xl"
    with opened(reply.body) as picture:
        assert (picture.format, picture.size) == (image_format.upper(), (80, 64))


def test_variants_are_different_pictures(sandbox, call, small):
    """As many come as were asked for; only the first has the seed that was sent."""
    one, other = (call(sandbox, {**small, "seed": 7, "variants": 4}).json["images"] for _ in range(2))
    assert len(set(one)) == len(one) == 4
    assert one[0] == other[0] == call(sandbox, {**small, "seed": 7}).json["images"][0]
    assert not {*one[1:]} & {*other[1:]}


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("identity", None), ("gzip;q=0", None)],
)
def test_json_is_compressed_as_asked(sandbox, call, accepted, encoding):
    """An answer in JSON is compressed with what the client accepts, an error too."""
    unpack = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}[encoding]
    for body, status in (({**EXAMPLE, "width": 512, "height": 512}, 200), ({"model": "x"}, 400)):
        reply = call(sandbox, body, headers={"Accept-Encoding": accepted})
        assert reply.status == status
        assert reply.headers.get("content-encoding") == encoding
        assert unpack(reply.body).startswith(b"{")


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("", ""),
        ("*", "br"),
        ("*;q=0", ""),
        ("gzip;q=0.9, br;q=0.1", "gzip"),
        ("GZIP", "gzip"),
        ("br;q=0,*", "gzip"),
        ("identity;q=1, br;q=0.5", ""),
        ("identity, br", "br"),
        ("gzip;q=nonsense", ""),
        ("deflate", ""),
    ],
)
def test_choice_of_encoding(accepted, encoding):
    """The highest weight wins, and a weight of 0 forbids."""
    assert choose_encoding(accepted) == encoding


@pytest.mark.parametrize("form", ["b64_json", "url"])
def test_openai_generations(sandbox, call, form):
    """The OpenAI shape answers with created and data; an unknown model falls back to the default one."""
    body = {"prompt": "a fox", "model": "dall-e-9", "size": "512x512", "response_format": form}
    reply = call(sandbox, body, path="/images/generations")
    assert set(reply.json) == {"created", "data"}
    assert abs(reply.json["created"] - time.time()) < 3600
    text = reply.json["data"][0][form]
    if form == "url":
        assert text.startswith("data:image/png;base64,")
        text = text.partition(",")[2]
    with opened(base64.b64decode(text, validate=True)) as picture:
        assert (picture.format, picture.size) == ("PNG", (512, 512))
    assert reply.headers["x-venice-model-id"] == "z-image-turbo"


def test_openai_defaults_and_refusals(sandbox, call):
    """Without a size it is 1024x1024; Venice's own fields are unknown here."""
    reply = call(sandbox, {"prompt": "a fox", "output_format": "webp"}, path="/images/generations")
    with opened(base64.b64decode(reply.json["data"][0]["b64_json"])) as picture:
        assert (picture.format, picture.size) == ("WEBP", (1024, 1024))
    nulls = dict.fromkeys(("n", "size", "response_format", "moderation", "background", "quality", "style"))
    reply = call(sandbox, {"prompt": "a fox", **nulls}, path="/images/generations")
    with opened(base64.b64decode(reply.json["data"][0]["b64_json"])) as picture:
        assert picture.size == (1024, 1024)


@pytest.mark.parametrize("profile", ["today", "2025"])
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"safe_mode": True}, "Unrecognized key(s) in object: 'safe_mode'"),
        ({"prompt": "x" * 1501}, 'String must contain at most 1500 character(s) at "prompt"'),
        (
            {"n": 2, "x": 1},
            "Number must be less than or equal to 1 at \"n\"; Unrecognized key(s) in object: 'x'",
        ),
    ],
)
def test_openai_errors_hold_the_sentence(call, profile, fields, sentence):
    """Which key is not recognised, and which limit was passed, stands in `error`."""
    with Sandbox(latency=0, profile=profile) as sandbox:
        reply = call(sandbox, {"prompt": "a fox", **fields}, path="/images/generations")
    assert reply.status == 400
    assert reply.json["error"] == sentence
    assert reply.json.keys() <= {"error", "code"}


def test_styles_need_no_key(sandbox, call):
    """The styles are a list of names, for everyone."""
    reply = call(sandbox, None, path="/image/styles", key=None)
    assert reply.status == 200
    assert reply.json["object"] == "list"
    assert {"3D Model", "Analog Film", "Anime", "Cinematic", "Comic Book"} <= set(reply.json["data"])


def test_models(sandbox, call):
    """The catalogue has the known models in the API's shape, each with a price, some with no constraints."""
    answer = call(sandbox, None, path="/models?type=image").json
    assert (answer["object"], answer["type"]) == ("list", "image")
    models = {model["id"]: model for model in answer["data"]}
    assert len(models) == 39
    assert {"fluently-xl", "venice-sd35", "z-image-turbo", "nano-banana-pro", "gpt-image-2"} <= set(models)
    for model in models.values():
        assert model["type"] == "image"
        assert {"created", "owned_by"} <= set(model)
        assert {"name", "privacy", "offline", "traits", "pricing"} <= set(model["model_spec"])
        for option in ("StyleReferences", "WebSearch", "OptimizePromptThinking", "TransparentBackground"):
            assert isinstance(model["model_spec"][f"supports{option}"], bool)
    assert models["qwen-image"]["model_spec"]["pricing"]["generation"]["usd"] == 0.03
    prices = models["nano-banana-pro"]["model_spec"]["pricing"]["resolutions"]
    assert {word: price["usd"] for word, price in prices.items()} == {"1K": 0.18, "2K": 0.23, "4K": 0.35}
    both = models["gpt-image-2"]["model_spec"]["pricing"]
    assert both["resolutions"]["1K"]["usd"] == 0.27
    assert {word: price["usd"] for word, price in both["quality"]["1K"].items()} == {
        "low": 0.02,
        "medium": 0.07,
        "high": 0.26,
    }
    assert models["fluently-xl"]["model_spec"]["constraints"]["steps"]["max"] == 50
    assert models["wan-2-7-pro-text-to-image"]["model_spec"]["regionRestrictions"] == ["US"]
    assert any("constraints" not in model["model_spec"] for model in models.values())
    assert call(sandbox, None, path="/models?type=text").json == {
        "data": [],
        "object": "list",
        "type": "text",
    }


@pytest.mark.parametrize(
    ("path", "name"), [("/models/traits", "default"), ("/models/compatibility_mapping", "dall-e-3")]
)
def test_names_for_models(sandbox, call, path, name):
    """Traits and foreign names lead to models that exist."""
    answer = call(sandbox, None, path=f"{path}?type=image").json
    known = {model["id"] for model in call(sandbox, None, path="/models").json["data"]}
    assert (answer["object"], answer["type"]) == ("list", "image")
    assert name in answer["data"]
    assert set(answer["data"].values()) <= known


@pytest.mark.parametrize(("rpd", "told"), [(None, 28_800), (9, 9)])
def test_rate_limits(call, small, rpd, told):
    """The key's limits are those that are enforced, and the balance is the one of now."""
    with Sandbox(rpm=17, rpd=rpd, balance_usd=3, latency=0) as sandbox:
        call(sandbox, small)
        data = call(sandbox, None, path="/api_keys/rate_limits").json["data"]
    assert data["balances"] == {"USD": 2.99, "DIEM": 0, "BUNDLED_CREDITS": 0}
    limits = {entry["apiModelId"]: entry["rateLimits"] for entry in data["rateLimits"]}
    assert limits["fluently-xl"] == [{"amount": 17, "type": "RPM"}, {"amount": told, "type": "RPD"}]


@pytest.mark.parametrize(
    ("path", "today"),
    [
        ("/image/styles", 200),
        ("/models", 200),
        ("/models/traits", 200),
        ("/models/compatibility_mapping", 200),
        ("/api_keys/rate_limits", 401),
    ],
)
def test_which_tables_need_a_key(call, path, today):
    """Today only that of the key's own limits does; in 2025 all but the styles do."""
    for profile, status in (("today", today), ("2025", 200 if path == "/image/styles" else 401)):
        with Sandbox(profile=profile) as sandbox:
            assert call(sandbox, None, path=path).status == 200
            assert call(sandbox, None, path=path, key=None).status == status


def test_canned_pictures(call, small):
    """The pictures can be bytes of the caller's choice, or come from a callable that sees the body."""
    canned = b"RIFF" + bytes(4 * 1024 * 1024)
    with Sandbox(images=canned, latency=0) as sandbox:
        (image,) = call(sandbox, small).json["images"]
        assert base64.b64decode(image) == canned
        assert call(sandbox, {**small, "return_binary": True}).body == canned
    with Sandbox(images=lambda body: body["prompt"].encode(), latency=0) as sandbox:
        images = call(sandbox, {**small, "variants": 2}).json["images"]
        assert [base64.b64decode(image) for image in images] == [b"a red fox"] * 2


def test_a_painter_that_fails_is_a_500(call, small, caplog):
    """An exception of the caller's painter is logged and answered, and the sandbox lives on."""
    with Sandbox(images=lambda body: body["no-such-key"], latency=0) as sandbox:
        for _ in range(2):
            reply = call(sandbox, small)
            assert (reply.status, reply.json["code"]) == (500, "UNKNOWN_ERROR")
    assert "no-such-key" in caplog.text


def test_latency_by_model(call, small):
    """A callable decides for each model how long a generation takes."""
    asked = []

    def latency(model):
        asked.append(model)
        return 0.0

    with Sandbox(latency=latency) as sandbox:
        call(sandbox, small)
        call(sandbox, {**small, "model": "chroma"})
    assert asked == ["fluently-xl", "chroma"]


def test_latency_goes_with_the_model(call, small):
    """With one latency for all, a quick model takes a part of it and a slow one a multiple."""
    assert {model.id for model in MODELS.values() if model.pace < 1} >= {"z-image-turbo"}
    with Sandbox(latency=0.05, images=b"RIFF") as sandbox:
        timing = call(sandbox, {**small, "model": "gpt-image-2"}).json["timing"]
    assert timing["inferenceDuration"] >= 200


def test_a_better_prompt_takes_its_time_before_the_generation(call, small):
    """Making a prompt better adds half the model's latency to the preprocessing; the sum stays the sum."""
    with Sandbox(latency=0.2) as sandbox:
        timing = call(sandbox, {**small, "enhance_prompt": True}).json["timing"]
    assert timing["inferencePreprocessingTime"] >= 100
    assert timing["inferenceDuration"] >= 200
    assert timing["total"] == sum(timing.values()) - timing["total"]


def test_latency_is_in_the_timing(call, small):
    """A generation takes at least the latency, and says so."""
    with Sandbox(latency=0.2) as sandbox:
        began = time.monotonic()
        timing = call(sandbox, small).json["timing"]
        assert time.monotonic() - began >= 0.2
    assert timing["inferenceDuration"] >= 200
