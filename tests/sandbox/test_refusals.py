"""Every way to be refused, and that a refusal is in the API's shape."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest

from venice_async.sandbox import Sandbox


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("Bearer", 401),
        ("Bearer  ", 401),
        ("Basic abc", 401),
        ("bearer abc", 200),
        ("Bearer abc", 200),
    ],
)
def test_any_key_but_none(sandbox, call, authorization, status):
    """Every key is accepted that is not empty."""
    headers = {} if authorization is None else {"Authorization": authorization}
    reply = call(sandbox, key=None, headers=headers)
    assert reply.status == status
    if status == 401:
        assert reply.json["code"] == "AUTHENTICATION_FAILED"
        assert reply.json["error"]


def test_one_key_only(call):
    """With a key of its own the sandbox accepts no other."""
    with Sandbox(api_key="right", latency=0) as sandbox:
        assert call(sandbox, key="right").status == 200
        assert call(sandbox, key="wrong").status == 401


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
def test_content_type(sandbox, call, content_type, status):
    """Only JSON is read."""
    reply = call(sandbox, headers={"Content-Type": content_type})
    assert reply.status == status
    if status == 415:
        assert reply.json["code"] == "INVALID_CONTENT_TYPE"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{'model': 1}", b"\xff", b'{"model": NaN}', b'{"prompt": "\\ud800"}']
)
def test_malformed_json(sandbox, call, body):
    """What is no JSON is a bad request, with an error in JSON."""
    reply = call(sandbox, body, method="POST", headers={"Content-Type": "application/json"})
    assert reply.status == 400
    assert reply.json["code"] == "INVALID_REQUEST"
    assert "JSON" in reply.json["error"]


def test_invalid_fields(sandbox, call, small):
    """A bad field is answered with error, details and issues."""
    reply = call(sandbox, {**small, "width": 0, "colour": "red"})
    assert reply.status == 400
    assert reply.json["details"]["width"]["_errors"] == ["Number must be greater than 0"]
    assert [issue["code"] for issue in reply.json["issues"]] == ["too_small", "unrecognized_keys"]
    assert isinstance(reply.json["error"], str)


def test_profile_is_the_sandboxs(call, small):
    """A value on the end of a range is taken by one profile and refused by the other."""
    with Sandbox(profile="page", latency=0) as page, Sandbox(latency=0) as schema:
        body = {**small, "width": 1280}
        assert call(page, body).status == 400
        assert call(schema, body).status == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_body_limit(call, small, chunked):
    """A body of the limit's length is read, one byte more is refused, whether or not its length is told."""
    exact = json.dumps(small).encode()
    with Sandbox(max_body=len(exact), latency=0) as sandbox:
        for body, status in ((exact, 200), (exact + b" ", 413)):
            reply = call(sandbox, iter([body]) if chunked else body, method="POST")
            assert reply.status == status
        assert reply.json["code"] == "PAYLOAD_TOO_LARGE"


def test_long_bodies_are_read(sandbox, call, small):
    """An inpaint source of several megabytes arrives whole and comes back in the echo."""
    source = "A" * (5 * 1024 * 1024)
    body = {**small, "inpaint": {"strength": 1, "source_image_base64": source}}
    assert call(sandbox, body).json["request"] == body


def test_unknown_model(sandbox, call, small):
    """A model that is not in the catalogue is not found."""
    reply = call(sandbox, {**small, "model": "no-such"})
    assert reply.status == 404
    assert reply.json["code"] == "MODEL_NOT_FOUND"


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
        assert call(sandbox, small, key=None).status == 401
        assert call(sandbox, small).status == 200
        assert call(sandbox, small).status == 429
