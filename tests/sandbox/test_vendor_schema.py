"""Every answer of the sandbox, and every request body of the client, against a schema of the vendor.

The schema is an OpenAPI file, read from the path in `VENICE_OPENAPI`; without that variable there is
nothing to hold anything against. Where the vendor's later notes say otherwise, they bind: each such
exception stands in a table here, with its reason.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import attrs
import jsonschema
import pytest

from venice_async.sandbox import Sandbox
from venice_async.types.limits import RequestLimits
from venice_async.types.request import (
    NEVER_SENT,
    ImageRequest,
    Inpaint,
    InpaintMask,
    StyleReference,
)
from venice_async.wire.codec import encode_request

GENERATE, OPENAI = "/image/generate", "/images/generations"
TABLES = (
    "/models",
    "/models/traits",
    "/models/compatibility_mapping",
    "/image/styles",
    "/api_keys/rate_limits",
)

NOT_LISTED = {
    401: "a wrong key is refused wherever one comes, the open list of models included",
    403: "regions, the key's privacy setting, disabled access and firewalls came with the notes",
    404: "models that are unknown or retired are told since the notes",
    405: "a wrong method is HTTP's own matter",
    413: "the longest body came with the notes",
    422: "pictures that cannot be processed came with the notes",
    504: "a proxy answers that, not the API",
}
"""Statuses that the schema does not list for an end point: held against its plainest error."""

NEVER_ANSWERED = {
    (GENERATE, 415): "a wrong content type is a 400 by the notes",
    (OPENAI, 415): "a wrong content type is a 400 by the notes",
    **{(table, 500): "a table of the sandbox cannot fail" for table in TABLES},
}
"""Answers that the schema lists and the sandbox never gives."""

NEWER_FIELDS = {
    "transparent_background": "came with the notes",
    "anon_user_id": "came with the notes",
}
"""Fields of a request that the schema does not know."""


def relaxed(node):
    """The schema in the dialect of draft 4, whose exclusive bounds it has, with the exceptions.

    `nullable` is written out. `details` may be a plain text, by the notes. The two bodies of a 402
    overlap (one is any object with an `error`), so one or both may fit. A quality of a price may be
    missing: a model of the same month's catalogue has two of the three.
    """
    if isinstance(node, list):
        return [relaxed(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    found = {name: relaxed(entry) for name, entry in node.items() if name not in {"nullable", "example"}}
    if "oneOf" in found:
        found["anyOf"] = found.pop("oneOf")
    properties = found.get("properties")
    if isinstance(properties, dict) and {"details", "error"} <= properties.keys():
        properties["details"] = {"anyOf": [properties["details"], {"type": "string"}]}
    if isinstance(properties, dict) and properties.keys() == {"low", "medium", "high"}:
        found.pop("required", None)
    return {"anyOf": [found, {"type": "null"}]} if node.get("nullable") else found


@attrs.frozen
class Vendor:
    """The schema, and what is held against it."""

    document: dict

    @classmethod
    def read(cls, path):
        return cls(relaxed(json.loads(Path(path).read_text(encoding="utf-8"))))

    def check(self, value, schema):
        """Raise if a value does not keep to a part of the schema."""
        jsonschema.Draft4Validator({**self.document, **schema}).validate(value)

    def responses(self, path):
        (operation,) = self.document["paths"][path].values()
        return {int(status): response for status, response in operation["responses"].items()}

    def check_answer(self, path, reply):
        """Raise if an answer's content type, body or header fields are not what its status has."""
        response = self.responses(path).get(reply.status)
        if response is None:
            assert reply.status in NOT_LISTED, reply
            response = {"content": {"application/json": {"schema": ERROR}}}
        kind = reply.headers["content-type"].partition(";")[0]
        assert kind in response["content"], reply
        if kind == "application/json":
            self.check(reply.json, response["content"][kind]["schema"])
        for name, header in response.get("headers", {}).items():
            if name.lower() in reply.headers:
                self.check(header_value(reply.headers[name.lower()], header["schema"]), header["schema"])


ERROR = {"$ref": "#/components/schemas/StandardError"}


def header_value(text, schema):
    return {"true": True, "false": False}[text] if schema.get("type") == "boolean" else text


def ask(path, status, *, options=None, faults=(), **request):
    """One case: the path, the status that must come, the sandbox's options and faults, and the request."""
    return path, status, {"faults": faults, **(options or {})}, request


SMALL = {"model": "fluently-xl", "prompt": "a fox", "width": 64, "height": 64}
SHORT = {"model": "fluently-xl", "prompt": "a fox", "size": "256x256"}

GOOD = [
    {},
    {"variants": 4, "enhance_prompt": True},
    {"prompt": "a beheading"},
    {"return_binary": True, "prompt": "a beheading"},
    {"format": "png", "return_binary": True},
    {"format": "jpeg", "return_binary": True},
    {"format": "webp", "return_binary": True},
    {"model": "default"},
    {"model": "lustify-sdxl", "safe_mode": True, "prompt": "a nude"},
    {"model": "gpt-image-2", "quality": "low", "resolution": "1K", "transparent_background": True},
    {"model": "krea-v2-medium", "style_references": [{"image": "x", "strength": 0.5}]},
]
BAD = [
    ({"width": 0, "colour": "red"}, 400),
    ({"inpaint": {}}, 400),
    ({"model": "venice-sd35", "steps": 31}, 400),
    ({"model": "bria-bg-remover"}, 400),
    ({"model": "imagineart-1.5-pro"}, 401),
    ({"model": "wan-2-7-pro-text-to-image"}, 403),
    ({"model": "no-such"}, 404),
    ({"model": "flux-dev"}, 404),
    ({"model": "ideogram-v4"}, 503),
]
FAULTS = {
    **dict.fromkeys(("429", "overloaded", "ratelimit", "locked-out", "429:MODEL_OVERLOADED"), 429),
    **dict.fromkeys(("403", "region", "privacy", "disabled"), 403),
    **dict.fromkeys(("402", "spent", "x402"), 402),
    "pro-only": 401,
    "retired": 404,
    "blocked": 200,
    **{str(status): status for status in (400, 401, 404, 413, 422, 500, 503, 504)},
    "500:UNKNOWN_ERROR": 500,
    "503:MODEL_OFFLINE": 503,
}
SAID_WRONG = {"Content-Type": "text/plain"}

CASES = [
    *(ask(GENERATE, 200, body={**SMALL, **fields}) for fields in GOOD),
    *(ask(GENERATE, status, body={**SMALL, **fields}) for fields, status in BAD),
    *(ask(OPENAI, status, body={**SHORT, **fields}) for fields, status in BAD[3:6] + BAD[-1:]),
    *(ask(OPENAI, 200, body={**SHORT, "response_format": form}) for form in (None, "url", "b64_json")),
    *(
        ask(OPENAI, 200, body={**SHORT, **fields})
        for fields in ({"prompt": "a beheading"}, {"model": "dall-e-3"})
    ),
    *(ask(OPENAI, 400, body={**SHORT, **fields}) for fields in ({"safe_mode": True}, {"prompt": "x" * 1501})),
    *(
        case
        for path, body in ((GENERATE, SMALL), (OPENAI, SHORT))
        for case in (
            *(ask(path, status, faults=[word], body=body) for word, status in FAULTS.items()),
            ask(path, 400, body=b"{"),
            ask(path, 400, body=body, headers=SAID_WRONG),
            ask(path, 401, options={"api_key": "right"}, body=body),
            ask(path, 402, key=None, body=body),
            ask(path, 402, options={"balance_usd": 0}, body=body),
            ask(path, 405, method="PUT", body=body),
            ask(path, 413, options={"max_body": 9}, body=body),
        )
    ),
    *(ask(table, 200, body=None) for table in TABLES),
    *(ask(table, 401, options={"api_key": "right"}, body=None) for table in TABLES),
    *(ask(table, 405, method="DELETE", body=None) for table in TABLES),
    ask("/api_keys/rate_limits", 401, key=None, body=None),
]


def hold_answers(vendor, call):
    """Hold every case, and see that none of what the schema lists is left out; the number of answers."""
    came, answers = set(), 0
    for path, status, options, request in CASES:
        with Sandbox(latency=0, rpm=None, **options) as sandbox:
            reply = call(sandbox, path=path, **request)
        assert reply.status == status, (path, request, reply)
        vendor.check_answer(path, reply)
        came.add((path, status))
        answers += 1
    with Sandbox(latency=0, rpm=1, abuse_window=3600) as sandbox:
        for status in (200, 429, *[400] * 51, 429):
            reply = call(sandbox, SMALL if status != 400 else {**SMALL, "width": 0})
            assert reply.status == status
            vendor.check_answer(GENERATE, reply)
            answers += 1
    listed = {(path, status) for path in (GENERATE, OPENAI, *TABLES) for status in vendor.responses(path)}
    assert came >= listed - NEVER_ANSWERED.keys()
    assert listed >= NEVER_ANSWERED.keys(), "an exception that is none"
    assert not came & NEVER_ANSWERED.keys(), "an exception that is none"
    return answers


PICTURE = "iVBORw0KGgo="
MASK = InpaintMask(image_prompt="a rabbit", object_target="its face", inferred_object="its face with glasses")
VALUES = {
    "prompt": ["a", "a fox, r\u00f6t \U0001f98a", "x" * 1500],
    "model": ["fluently-xl", "default", "z-image-turbo"],
    "negative_prompt": ["", "rain", "x" * 1500],
    "style_preset": ["3D Model", "Film Noir"],
    "width": [1, 64, 1279],
    "height": [1, 1024, 1279],
    "steps": [1, 30, 49],
    "cfg_scale": [0.001, 7.5, 7, 19.999],
    "seed": [-999_999_998, 0, 999_999_998],
    "lora_strength": [1, 50, 99],
    "safe_mode": [True, False],
    "return_binary": [True, False],
    "hide_watermark": [True, False],
    "inpaint": [
        Inpaint(strength=0, source_image_base64=PICTURE),
        Inpaint(strength=100, source_image_base64=f"data:image/png;base64,{PICTURE}", mask=MASK),
    ],
    "format": ["jpeg", "png", "webp"],
    "variants": [1, 4],
    "aspect_ratio": ["1:1", "16:9"],
    "resolution": ["1K", "1.5K", "4K"],
    "quality": ["low", "medium", "high"],
    "embed_exif_metadata": [True, False],
    "enable_web_search": [True, False],
    "enhance_prompt": [True, False],
    "disable_prompt_optimization_thinking": [True, False],
    "style_references": [
        [StyleReference(image=PICTURE)],
        [StyleReference(image="https://example.com/a.png", strength=strength) for strength in (0.1, 1)],
    ],
    "transparent_background": [True, False],
    "anon_user_id": ["someone", "~ |x"],
}
AT_THE_ENDS = {"width": 1280, "height": 1280, "cfg_scale": 20, "seed": -999_999_999, "lora_strength": 0}
"""What a wider profile than the reference page's takes besides."""


def requests():
    """Requests of the client: each value of each field alone, the ends, and mixtures of all fields."""
    fields = {one.name for one in attrs.fields(ImageRequest)} - NEVER_SENT - {"extra"}
    assert fields <= VALUES.keys(), "a field of the client that is not held against the schema"
    usual = {"prompt": "a fox", "model": "fluently-xl"}
    for name in sorted(fields):
        for value in VALUES[name]:
            yield ImageRequest(**{**usual, name: value})
    for name, value in AT_THE_ENDS.items():
        yield ImageRequest(**{**usual, name: value}, limits=RequestLimits.SCHEMA)
    lots = random.Random(20)
    for _ in range(400):
        some = {name: lots.choice(VALUES[name]) for name in sorted(fields) if lots.random() < 0.5}
        if some.get("return_binary"):
            some.pop("variants", None)
        if some.get("transparent_background"):
            some.pop("format", None)
        yield ImageRequest(**{**usual, **some})


def hold_bodies(vendor):
    """Hold every body of the client; the number of bodies."""
    schema = {"$ref": "#/components/schemas/GenerateImageRequest"}
    known = vendor.document["components"]["schemas"]["GenerateImageRequest"]["properties"]
    assert not NEWER_FIELDS.keys() & known.keys(), "an exception that is none"
    bodies = [json.loads(encode_request(request)) for request in requests()]
    for body in bodies:
        vendor.check({name: value for name, value in body.items() if name not in NEWER_FIELDS}, schema)
    assert set().union(*bodies) >= known.keys(), "a field of the schema that no body of the client has"
    return len(bodies)


@pytest.mark.skipif("VENICE_OPENAPI" not in os.environ, reason="VENICE_OPENAPI leads to no schema")
def test_answers_and_bodies_keep_to_the_schema(call):
    """All of them, and how many there were is printed."""
    vendor = Vendor.read(os.environ["VENICE_OPENAPI"])
    answers, bodies = hold_answers(vendor, call), hold_bodies(vendor)
    print(f"held {answers} answers and {bodies} bodies against the schema")  # noqa: T201  # the CI shows it
    assert answers
    assert bodies
