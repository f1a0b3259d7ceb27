"""A model's own constraints, what it ignores, and the words that no picture is made of."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from venice_async.sandbox import Fault, Sandbox
from venice_async.sandbox.catalogue import MODELS
from venice_async.sandbox.profile import PROFILES
from venice_async.sandbox.rules import FORBIDDEN, suggest_instead, unmet


def issues(profile, model, **fields):
    body = {"model": model, "prompt": "a red fox", **fields}
    return [(issue.path, issue.code) for issue in unmet(PROFILES[profile].checks(MODELS[model]), body)]


def references(count):
    return [{"image": "x"}] * count


@pytest.mark.parametrize(
    ("profile", "model", "field", "good", "bad", "code"),
    [
        ("2025", "venice-sd35", "width", 1264, 1272, "not_multiple_of"),
        ("2025", "venice-sd35", "height", 16, 8, "not_multiple_of"),
        ("2025", "fluently-xl", "width", 1272, 1270, "not_multiple_of"),
        ("2025", "z-image-turbo", "steps", 8, 9, "too_big"),
        ("2025", "nano-banana-pro", "aspect_ratio", "16:9", "17:9", "invalid_enum_value"),
        ("2025", "fluently-xl", "style_references", [], references(1), "too_big"),
        ("today", "venice-sd35", "steps", 30, 31, "too_big"),
        ("today", "venice-sd35", "steps", 1, 0, "too_small"),
        ("today", "lustify-v8", "steps", 50, 51, "too_big"),
        ("today", "wai-Illustrious", "steps", 30, 31, "too_big"),
        ("today", "fluently-xl", "steps", 50, 51, "too_big"),
        ("today", "chroma", "prompt", "x" * 1500, "x" * 1501, "too_big"),
        ("today", "chroma", "negative_prompt", "x" * 1500, "x" * 1501, "too_big"),
        ("today", "nano-banana-pro", "prompt", "x" * 32_768, "x" * 32_769, "too_big"),
        ("today", "nano-banana-pro", "resolution", "4K", "8K", "invalid_enum_value"),
        ("today", "gpt-image-2", "quality", "low", "best", "invalid_enum_value"),
        ("today", "grok-imagine-image-2-0", "quality", "medium", "high", "invalid_enum_value"),
        ("today", "nano-banana-pro", "style_references", references(4), references(5), "too_big"),
        ("today", "fluently-xl", "style_references", [], references(1), "custom"),
        ("today", "hunyuan-image-v3", "style_references", [], references(1), "custom"),
        ("today", "fluently-xl", "transparent_background", False, True, "custom"),
        ("today", "gpt-image-2", "transparent_background", True, None, None),
        ("today", "qwen-image", "width", None, 512, "custom"),
        ("today", "qwen-image-3", "height", None, 512, "custom"),
        ("today", "qwen-image-3-pro", "height", None, 512, "custom"),
        ("today", "qwen-image-2", "width", 512, None, None),
    ],
)
def test_each_constraint_at_its_end(profile, model, field, good, bad, code):
    """A model takes what its constraints say, and names the field of what they do not."""
    if good is not None:
        assert issues(profile, model, **{field: good}) == []
    if bad is not None:
        assert issues(profile, model, **{field: bad}) == [((field,), code)]


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("venice-sd35", {"width": 1001, "height": 7}),
        ("nano-banana-pro", {"aspect_ratio": "17:9"}),
        ("nano-banana-pro", {"aspect_ratio": "square, please"}),
        ("z-image-turbo", {"steps": 9}),
        ("z-image-turbo", {"steps": -3_000}),
        ("chroma", {"steps": 10**12}),
        ("chroma", {"resolution": "8K"}),
        ("chroma", {"quality": "low", "negative_prompt": "rain"}),
    ],
)
def test_what_the_server_of_today_does_not_check(sandbox, call, model, fields):
    """The divisor, the ratio, and what the model ignores are no reason to refuse: a picture comes."""
    reply = call(sandbox, {"model": model, "prompt": "a red fox", **fields})
    assert (reply.status, len(reply.json["images"])) == (200, 1)


def test_a_model_without_constraints_takes_what_the_ranges_take():
    """Where a model does not say what it can do, the ranges alone decide."""
    assert issues("2025", "hunyuan-image-v3", width=1277, steps=50, prompt="x" * 1500) == []
    assert issues("today", "hunyuan-image-v3", width=1277, steps=99, prompt="x" * 32_768) == []


def test_an_unmet_constraint_is_a_bad_request(call, small):
    """All that are not met are told at once, today as a plain text; nothing is billed."""
    body = {**small, "model": "venice-sd35", "width": 1000, "steps": 40, "negative_prompt": "x" * 1501}
    with Sandbox(latency=0) as sandbox:
        reply = call(sandbox, body)
    assert (reply.status, sandbox.account.billed) == (400, 0)
    assert reply.json == {
        "error": "Invalid request parameters",
        "details": 'String must contain at most 1500 character(s) at "negative_prompt";'
        ' Number must be less than or equal to 30 at "steps"',
    }
    with Sandbox(latency=0, profile="2025") as sandbox:
        reply = call(sandbox, {**body, "negative_prompt": ""})
    assert (reply.status, reply.json["code"], sandbox.account.billed) == (400, "INVALID_REQUEST", 0)
    assert reply.json["details"] == {
        "_errors": [],
        "width": {"_errors": ["Number must be a multiple of 16"]},
        "steps": {"_errors": ["Number must be less than or equal to 30"]},
    }
    assert [issue["path"] for issue in reply.json["issues"]] == [["steps"], ["width"]]


@pytest.mark.parametrize(("profile", "status"), [("today", 200), ("2025", 422)])
def test_what_the_limit_counts(call, small, profile, status):
    """A constraint is checked before the rate limit, the content policy after it."""
    with Sandbox(rpm=1, latency=0, profile=profile) as sandbox:
        assert call(sandbox, {**small, "steps": 51}).status == 400
        forbidden = call(sandbox, {**small, "prompt": FORBIDDEN[0]})
        assert (forbidden.status, "suggested_prompt" in forbidden.json) == (status, False)
        assert call(sandbox, small).status == 429


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"model": "nano-banana-pro", "aspect_ratio": "16:9", "width": 64, "height": 64}, (1024, 576)),
        ({"model": "nano-banana-pro", "aspect_ratio": "17:9"}, (1024, 1024)),
        ({"model": "fluently-xl", "aspect_ratio": "16:9", "resolution": "4K"}, (1024, 1024)),
        ({"model": "fluently-xl", "aspect_ratio": "16:9", "width": 64, "height": 80}, (64, 80)),
    ],
)
def test_what_a_model_has_no_use_for_is_ignored(sandbox, call, fields, size):
    """A model that is sized by ratio ignores pixels, one that is sized in pixels ignores the ratio."""
    reply = call(sandbox, {"prompt": "a red fox", "quality": "low", **fields})
    with Image.open(io.BytesIO(base64.b64decode(reply.json["images"][0]))) as picture:
        assert picture.size == size
    assert reply.json["request"]["data"]["aspect_ratio"] == fields["aspect_ratio"]


def test_a_seed_that_is_ignored_does_not_repeat_a_picture(sandbox, call):
    """Where a model has no use for it; it is echoed all the same."""
    body = {"model": "grok-imagine-image", "prompt": "a red fox", "seed": 7}
    one, other = (call(sandbox, body).json for _ in range(2))
    assert one["images"] != other["images"]
    assert one["request"]["data"]["seed"] == 7


@pytest.mark.parametrize("trait", ["default", "fastest", "highest_quality", "most_uncensored"])
def test_a_trait_stands_for_its_model(sandbox, call, trait):
    """It is resolved as the table of traits says."""
    reply = call(sandbox, {"model": trait, "prompt": "a fox"})
    model = call(sandbox, None, path="/models/traits").json["data"][trait]
    assert (reply.status, reply.headers["x-venice-model-id"]) == (200, model)


@pytest.mark.parametrize(
    ("prompt", "suggestion"),
    [
        ("a fox", None),
        ("beheadings in a museum", None),
        ("A Beheading at  dawn", "A at dawn"),
        ("a poster of a snuff film, in ink", "a poster of a , in ink"),
        ("dismemberment", ""),
    ],
)
def test_forbidden_words(prompt, suggestion):
    """Whole words are looked for, in any case, and left out of what is suggested."""
    assert suggest_instead(prompt) == suggestion


@pytest.mark.parametrize("path", ["/image/generate", "/images/generations"])
def test_a_forbidden_prompt_is_refused_in_2025_and_costs_nothing(call, path):
    """Both end points refuse a forbidden prompt, suggest another one, and leave the script as it was."""
    with Sandbox(latency=0, profile="2025", faults=["503"]) as sandbox:
        body = {"model": "fluently-xl", "prompt": "a fox, dismemberment"}
        reply = call(sandbox, body, path=path)
        assert (reply.status, reply.json["code"]) == (422, "CONTENT_POLICY_VIOLATION")
        assert reply.json["suggested_prompt"] == "a fox,"
        assert (sandbox.account.billed, sandbox.account.refused) == (0, 1)
        assert call(sandbox, {**body, "prompt": "a fox"}, path=path).status == 503


def shown(data):
    with Image.open(io.BytesIO(data)) as picture:
        return picture.format, picture.size, picture.convert("RGB").getcolors()


@pytest.mark.parametrize("why", ["prompt", "fault"])
def test_a_blocked_picture_is_black(sandbox, call, small, why):
    """As many as were asked for, in the format that was asked for; in raw bytes a PNG. A header says why."""
    small["prompt"] = "a fox, dismemberment" if why == "prompt" else "a fox"
    if why == "fault":
        sandbox.script(Fault(blocked=True), times=2)
    replies = [
        call(sandbox, {**small, "format": "jpeg", "variants": 2, "enhance_prompt": True}),
        call(sandbox, {**small, "format": "jpeg", "return_binary": True}),
    ]
    black = [(64 * 64, (0, 0, 0))]
    images = [base64.b64decode(image) for image in replies[0].json["images"]]
    assert [shown(image) for image in images] == [("JPEG", (64, 64), black)] * 2
    assert shown(replies[1].body) == ("PNG", (64, 64), black)
    assert replies[1].headers["content-type"] == "image/png"
    for reply in replies:
        assert (reply.status, reply.headers["x-venice-is-content-violation"]) == (200, "true")
        assert reply.headers["x-venice-balance-usd"] == "100"
        assert "x-venice-enhanced-prompt" not in reply.headers
    assert (sandbox.account.blocked, sandbox.account.billed) == (2, 0)


def test_a_forbidden_prompt_in_the_openai_shape_is_blocked_too(sandbox, call):
    """With the same header, and a black picture."""
    body = {"prompt": "a fox, dismemberment", "size": "256x256"}
    reply = call(sandbox, body, path="/images/generations")
    assert (reply.status, reply.headers["x-venice-is-content-violation"]) == (200, "true")
    data = base64.b64decode(reply.json["data"][0]["b64_json"])
    assert shown(data) == ("PNG", (256, 256), [(256 * 256, (0, 0, 0))])
    assert sandbox.account.billed == 0


def test_a_blocked_prompt_leaves_the_script_as_it_was(call, small):
    """Faults happen to what would otherwise be a good picture."""
    with Sandbox(latency=0, faults=["503"]) as sandbox:
        assert call(sandbox, {**small, "prompt": "a beheading"}).status == 200
        assert call(sandbox, small).status == 503


@pytest.mark.parametrize("path", ["/image/generate", "/images/generations"])
def test_an_offline_model_answers_nothing(sandbox, call, path):
    """A model that is listed as offline is 503 with a code of its own, and not billed."""
    models = call(sandbox, None, path="/models?type=image").json["data"]
    (offline,) = [model["id"] for model in models if model["model_spec"]["offline"]]
    reply = call(sandbox, {"model": offline, "prompt": "a fox"}, path=path)
    assert (reply.status, reply.json["code"]) == (503, "MODEL_OFFLINE")
    assert sandbox.account.billed == 0


def test_a_deprecated_model_says_so_in_every_answer(sandbox, call, small):
    """Its answers, good and bad, carry its end and its replacement, as its entry in the list does."""
    models = {model["id"]: model for model in call(sandbox, None, path="/models?type=image").json["data"]}
    ((model, entry),) = [
        (key, value) for key, value in models.items() if "deprecation" in value["model_spec"]
    ]
    deprecation = entry["model_spec"]["deprecation"]
    assert deprecation["replacementModelId"] in models
    assert deprecation.keys() == {"autoRemap", "date", "removesAt", "replacementModelId", "startsAt"}
    for fields, status in (({}, 200), ({"steps": 51}, 400)):
        reply = call(sandbox, {**small, "model": model, **fields})
        assert reply.status == status
        assert reply.headers["x-venice-deprecated"] == "true"
        assert reply.headers["x-venice-deprecated-replacement"] == deprecation["replacementModelId"]
        assert reply.headers["x-venice-model-deprecation-date"] == deprecation["date"]
        assert deprecation["date"] in reply.headers["x-venice-model-deprecation-warning"]
    assert not any("deprec" in name for name in call(sandbox, small).headers)


def test_a_request_that_keeps_to_the_list_is_answered(sandbox, call):
    """Whoever reads a model's constraints from the list can ask for the most that they allow."""
    for model in call(sandbox, None, path="/models?type=image").json["data"]:
        constraints = model["model_spec"].get("constraints", {})
        body = {"model": model["id"], "prompt": "x" * constraints.get("promptCharacterLimit", 1500)}
        if "aspectRatios" not in constraints:
            body["width"] = body["height"] = constraints.get("widthHeightDivisor", 16) * 4
        if "steps" in constraints:
            body["steps"] = constraints["steps"]["max"]
        for field, listed in (("aspect_ratio", "aspectRatios"), ("quality", "qualities")):
            if listed in constraints:
                body[field] = constraints[listed][-1]
        body["style_references"] = references(constraints.get("maxStyleReferences", 0))
        others = {"imagineart-1.5-pro": 401, "wan-2-7-pro-text-to-image": 403, "bria-bg-remover": 400}
        status = 503 if model["model_spec"]["offline"] else others.get(model["id"], 200)
        assert call(sandbox, body).status == status
