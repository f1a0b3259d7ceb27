"""Every way to be refused, and that a refusal is in the API's shape."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest

from venice_async.sandbox import Sandbox


@pytest.mark.parametrize(
    ("authorization", "accepted"),
    [
        (None, False),
        ("Bearer", False),
        ("Bearer  ", False),
        ("Basic abc", False),
        ("bearer abc", True),
        ("Bearer abc", True),
    ],
)
def test_any_key_but_none(call, authorization, accepted):
    """Every key is accepted that is not empty. Without one, today, there is an offer to pay otherwise."""
    headers = {} if authorization is None else {"Authorization": authorization}
    replies = {}
    for profile in ("today", "2025"):
        with Sandbox(profile=profile, latency=0) as sandbox:
            replies[profile] = call(sandbox, key=None, headers=headers)
    refused = {"today": 402, "2025": 401}
    assert {profile: reply.status for profile, reply in replies.items()} == (
        dict.fromkeys(refused, 200) if accepted else refused
    )
    if not accepted:
        assert replies["today"].json["x402Version"] == 2
        assert replies["2025"].json == {"error": "Authentication failed", "code": "AUTHENTICATION_FAILED"}


def test_one_key_only(call):
    """With a key of its own the sandbox accepts no other."""
    with Sandbox(api_key="right", latency=0) as sandbox:
        assert call(sandbox, key="right").status == 200
        wrong = call(sandbox, key="wrong")
        tables = [
            call(sandbox, None, key="wrong", path=path)
            for path in ("/api_keys/rate_limits", "/models", "/image/styles")
        ]
    assert (wrong.status, wrong.json) == (401, {"error": "Authentication failed"})
    assert [table.status for table in tables] == [401] * 3


@pytest.mark.parametrize(
    ("content_type", "accepted"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
    ],
)
def test_content_type(call, content_type, accepted):
    """Only JSON is read; what else there is was a 415 in 2025 and is a 400 today."""
    for profile, status in (("today", 400), ("2025", 415)):
        with Sandbox(profile=profile, latency=0) as sandbox:
            reply = call(sandbox, headers={"Content-Type": content_type})
        assert reply.status == (200 if accepted else status)
        if not accepted:
            assert reply.json["error"].startswith("Invalid content type")
            assert reply.json.get("code") == (None if status == 400 else "INVALID_CONTENT_TYPE")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{'model': 1}", b"\xff", b'{"model": NaN}', b'{"prompt": "\\ud800"}']
)
def test_malformed_json(sandbox, call, body):
    """What is no JSON is a bad request, with an error in JSON."""
    reply = call(sandbox, body, method="POST", headers={"Content-Type": "application/json"})
    assert reply.status == 400
    assert list(reply.json) == ["error"]
    assert "JSON" in reply.json["error"]


def test_invalid_fields(sandbox, call, small):
    """A bad field is answered with error, details and issues."""
    reply = call(sandbox, {**small, "width": 0, "colour": "red"})
    assert reply.status == 400
    assert reply.json["details"]["width"]["_errors"] == ["Number must be greater than 0"]
    assert [issue["code"] for issue in reply.json["issues"]] == ["too_small", "unrecognized_keys"]
    assert reply.json["error"] == "Invalid request parameters"
    assert "code" not in reply.json


def test_profile_is_the_sandboxs(call, small):
    """What was added since is refused by the API of 2025, and what was removed by that of today."""
    with Sandbox(latency=0) as today, Sandbox(profile="2025", latency=0) as of_2025:
        added = {**small, "anon_user_id": "someone"}
        removed = {**small, "inpaint": {"strength": 1, "source_image_base64": "..."}}
        assert [call(today, added).status, call(of_2025, added).status] == [200, 400]
        assert [call(today, removed).status, call(of_2025, removed).status] == [400, 200]
        (told,) = call(today, removed).json["details"]["inpaint"]["_errors"]
    assert 'profile="2025"' in told


def test_the_pages_own_request_passes_word_for_word_in_2025(call, curl_body):
    """With its `inpaint`, on a socket, and it comes back as it was sent; today that alone is refused."""
    with Sandbox(profile="2025", latency=0) as sandbox:
        reply = call(sandbox, curl_body)
    assert (reply.status, len(reply.json["images"])) == (200, 1)
    assert reply.json["request"] == sandbox.requests[-1].body == curl_body
    assert sandbox.account.billed == 1
    with Sandbox(latency=0) as sandbox:
        refused = call(sandbox, curl_body)
    assert refused.status == 400
    assert [issue["path"] for issue in refused.json["issues"]] == [["inpaint"]]


@pytest.mark.parametrize("chunked", [False, True])
def test_body_limit(call, small, chunked):
    """A body of the limit's length is read, one byte more is refused, whether or not its length is told."""
    exact = json.dumps(small).encode()
    with Sandbox(max_body=len(exact), latency=0) as sandbox:
        for body, status in ((exact, 200), (exact + b" ", 413)):
            reply = call(sandbox, iter([body]) if chunked else body, method="POST")
            assert reply.status == status
        assert reply.json["error"] == "The request payload is too large"


def test_today_a_body_may_have_35_megabytes(sandbox, call):
    """One byte more is refused by the length that is told, before anything is read."""
    most = 35 * 1024 * 1024
    for length, status in ((most + 1, 413), (most, 400)):
        body = b" " * length if length <= most else b""
        told = {"Content-Length": str(length)}
        assert call(sandbox, body, method="POST", headers=told).status == status


def test_long_bodies_are_read(call, small):
    """An inpaint source of several megabytes arrives whole and comes back in the echo."""
    source = "A" * (5 * 1024 * 1024)
    body = {**small, "inpaint": {"strength": 1, "source_image_base64": source}}
    with Sandbox(profile="2025", latency=0) as sandbox:
        assert call(sandbox, body).json["request"] == body


@pytest.mark.parametrize(
    ("model", "status", "body"),
    [
        ("no-such", 404, {"error": "Specified model not found: no-such"}),
        ("venice-sd3", 404, {"error": "Specified model not found: venice-sd3. Did you mean venice-sd35?"}),
        (
            "flux-dev",
            404,
            {"error": "The model flux-dev has been deprecated. Please use flux-2-pro instead."},
        ),
        (
            "imagineart-1.5-pro",
            401,
            {"error": "This model is only available to Pro users", "code": "PRO_ONLY_MODEL"},
        ),
        ("wan-2-7-pro-text-to-image", 403, {"error": "This model is not available in your region"}),
        (
            "bria-bg-remover",
            400,
            {"error": "The model bria-bg-remover does not generate images from prompts"},
        ),
        ("ideogram-v4", 503, {"error": "The model ideogram-v4 is offline", "code": "MODEL_OFFLINE"}),
    ],
)
def test_models_that_make_no_picture(sandbox, call, model, status, body):
    """Unknown, retired, for others, blocked here, for something else, or offline: nothing is billed."""
    reply = call(sandbox, {"model": model, "prompt": "a fox"})
    assert (reply.status, reply.json) == (status, body)
    assert sandbox.account.billed == 0
    listed = {one["id"]: one for one in call(sandbox, None, path="/models").json["data"]}
    assert (model in listed) is (status != 404)


@pytest.mark.parametrize(
    "path", ["/", "/nope", "/image", "/image/generate/", "/image/upscale", "/image/edit", "/chat/completions"]
)
def test_unknown_paths(sandbox, call, path):
    """What does not exist is 404 in the API's shape."""
    for body in (None, {"x": 1}):
        reply = call(sandbox, body, path=path)
        assert (reply.status, list(reply.json)) == (404, ["error"])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/image/generate", "POST"),
        ("PUT", "/images/generations", "POST"),
        ("DELETE", "/models", "GET"),
    ],
)
def test_wrong_method(sandbox, call, method, path, allowed):
    """A wrong method is 405 in the API's shape, and the right one is named."""
    reply = call(sandbox, None, path=path, method=method)
    assert (reply.status, reply.headers["allow"]) == (405, allowed)
    assert list(reply.json) == ["error"]


def test_head_has_no_body_and_leaves_the_connection_usable(sandbox):
    """A HEAD request is answered without a body, and the same connection serves the next request."""
    url = urlsplit(sandbox.url)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    connection.request("HEAD", f"{url.path}/image/styles")
    assert connection.getresponse().read() == b""
    connection.request("GET", f"{url.path}/image/styles")
    assert connection.getresponse().read().startswith(b"{")
    connection.close()


def test_refused_requests_take_nothing_of_the_limit(call, small):
    """What is invalid, unknown or without a key is not counted by the limit."""
    with Sandbox(rpm=1, latency=0) as sandbox:
        assert call(sandbox, {**small, "width": 0}).status == 400
        assert call(sandbox, {**small, "model": "x"}).status == 404
        assert call(sandbox, small, key=None).status == 402
        assert call(sandbox, small).status == 200
        assert call(sandbox, small).status == 429
