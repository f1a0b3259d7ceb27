"""A model's own constraints, what it ignores, and the words that no picture is made of."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from venice_async.sandbox import Fault, Sandbox
from venice_async.sandbox.catalogue import MODELS
from venice_async.sandbox.rules import FORBIDDEN, suggest_instead, unmet


def issues(model, **fields):
    body = {"model": model, "prompt": "a red fox", **fields}
    return [(issue.path, issue.code) for issue in unmet(MODELS[model], body)]


def references(count):
    return [{"image": "x"}] * count


@pytest.mark.parametrize(
    ("model", "field", "good", "bad", "code"),
    [
        ("venice-sd35", "width", 1264, 1272, "not_multiple_of"),
        ("venice-sd35", "height", 16, 8, "not_multiple_of"),
        ("fluently-xl", "width", 1272, 1270, "not_multiple_of"),
        ("venice-sd35", "steps", 30, 31, "too_big"),
        ("z-image-turbo", "steps", 8, 9, "too_big"),
        ("chroma", "prompt", "x" * 1000, "x" * 1001, "too_big"),
        ("chroma", "negative_prompt", "x" * 1000, "x" * 1001, "too_big"),
        ("nano-banana-pro", "aspect_ratio", "16:9", "17:9", "invalid_enum_value"),
        ("nano-banana-pro", "resolution", "4K", "8K", "invalid_enum_value"),
        ("gpt-image-2", "quality", "low", "best", "invalid_enum_value"),
        ("nano-banana-pro", "style_references", references(4), references(5), "too_big"),
        ("fluently-xl", "style_references", [], references(1), "too_big"),
        ("hunyuan-image-v3", "style_references", [], references(1), "too_big"),
    ],
)
def test_each_constraint_at_its_end(model, field, good, bad, code):
    """A model takes what its constraints say, and names the field of what they do not."""
    assert issues(model, **{field: good}) == []
    assert issues(model, **{field: bad}) == [((field,), code)]


def test_a_model_without_constraints_takes_what_the_ranges_take():
    """Where a model does not say what it can do, the ranges alone decide."""
    assert issues("hunyuan-image-v3", width=1277, steps=50, prompt="x" * 1500) == []


def test_an_unmet_constraint_is_a_bad_request(sandbox, call, small):
    """All constraints that are not met are told at once, in the API's shape, and nothing is billed."""
    reply = call(sandbox, {**small, "model": "venice-sd35", "width": 1000, "steps": 40})
    assert (reply.status, reply.json["code"]) == (400, "INVALID_REQUEST")
    assert reply.json["details"] == {
        "_errors": [],
        "width": {"_errors": ["Number must be a multiple of 16"]},
        "steps": {"_errors": ["Number must be less than or equal to 30"]},
    }
    assert [issue["path"] for issue in reply.json["issues"]] == [["steps"], ["width"]]
    assert sandbox.account.billed == 0


def test_what_the_limit_counts(call, small):
    """A constraint is checked before the rate limit, the content policy after it."""
    with Sandbox(rpm=1, latency=0) as sandbox:
        assert call(sandbox, {**small, "width": 63}).status == 400
        forbidden = call(sandbox, {**small, "prompt": FORBIDDEN[0]})
        assert (forbidden.status, "suggested_prompt" in forbidden.json) == (422, False)
        assert call(sandbox, small).status == 429


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"model": "nano-banana-pro", "aspect_ratio": "16:9", "width": 64, "height": 64}, (1024, 576)),
        ({"model": "fluently-xl", "aspect_ratio": "16:9", "resolution": "4K"}, (1024, 1024)),
        ({"model": "fluently-xl", "aspect_ratio": "16:9", "width": 64, "height": 80}, (64, 80)),
    ],
)
def test_what_a_model_has_no_use_for_is_ignored(sandbox, call, fields, size):
    """A model that is sized by ratio ignores pixels, one that is sized in pixels ignores the ratio."""
    reply = call(sandbox, {"prompt": "a red fox", "quality": "low", **fields})
    with Image.open(io.BytesIO(base64.b64decode(reply.json["images"][0]))) as picture:
        assert picture.size == size
    assert reply.json["request"]["aspect_ratio"] == "16:9"


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
def test_a_forbidden_prompt_is_refused_and_costs_nothing(sandbox, call, path):
    """Both end points refuse a forbidden prompt, suggest another one, and leave the script as it was."""
    sandbox.script(Fault(503))
    body = {"model": "fluently-xl", "prompt": "a fox, dismemberment"}
    reply = call(sandbox, body, path=path)
    assert (reply.status, reply.json["code"]) == (422, "CONTENT_POLICY_VIOLATION")
    assert reply.json["suggested_prompt"] == "a fox,"
    assert (sandbox.account.billed, sandbox.account.refused) == (0, 1)
    assert call(sandbox, {**body, "prompt": "a fox"}, path=path).status == 503


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
    for fields, status in (({}, 200), ({"steps": 49}, 400)):
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
        body["width"] = body["height"] = constraints.get("widthHeightDivisor", 16) * 4
        if "steps" in constraints:
            body["steps"] = constraints["steps"]["max"]
        for field, listed in (("aspect_ratio", "aspectRatios"), ("quality", "qualities")):
            if listed in constraints:
                body[field] = constraints[listed][-1]
        body["style_references"] = references(constraints.get("maxStyleReferences", 0))
        assert call(sandbox, body).status == (503 if model["model_spec"]["offline"] else 200)
