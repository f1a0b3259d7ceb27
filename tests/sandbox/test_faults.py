"""Every fault as a client sees it, on HTTP and on the bare socket."""

from __future__ import annotations

import base64
import gzip
import random
import time
import zlib

import pytest

from venice_async.sandbox import Fault, Sandbox


@pytest.fixture(params=[False, True], ids=["length", "chunked"])
def chunked(request):
    return request.param


def dechunked(body):
    """Take the chunks of a body apart; whether the last one came is the second value."""
    data = bytearray()
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return bytes(data), True
        data += body[:length]
        body = body[length + 2 :]
    return bytes(data), False


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((400, "INVALID_REQUEST"), (401, "AUTHENTICATION_FAILED"), (402, "INSUFFICIENT_BALANCE")),
        *((403, "UNAUTHORIZED"), (404, "MODEL_NOT_FOUND"), (413, "PAYLOAD_TOO_LARGE")),
        *((415, "INVALID_CONTENT_TYPE"), (422, "CONTENT_POLICY_VIOLATION"), (429, "RATE_LIMIT_EXCEEDED")),
        *((500, "INFERENCE_FAILED"), (502, None), (503, "MODEL_AT_CAPACITY"), (504, "REQUEST_TIMEOUT")),
        *((521, None), (599, None)),
    ],
)
@pytest.mark.parametrize("profile", ["today", "2025"])
def test_status(call, profile, status, code):
    """An error has its body and all the usual headers, and costs nothing; today most have no code."""
    with Sandbox(latency=0, profile=profile) as sandbox:
        sandbox.script(Fault(status))
        reply = call(sandbox)
        assert reply.status == status
        assert isinstance(reply.json["error"], str)
        kept = profile == "2025" or status in {500, 503}
        assert reply.json.get("code") == (code if kept else None)
        assert {"cf-ray", "x-venice-balance-usd", "x-ratelimit-limit-requests"} <= set(reply.headers)
        assert sandbox.account.billed == 0
        assert call(sandbox).status == 200


LOCKED_OUT = (
    "Too many failed attempts (> 50) resulting in a non-success status code."
    " Please wait 30 seconds and try again."
)
OVERLOADED = "The model is currently overloaded. Please try again later."


@pytest.mark.parametrize(
    ("text", "status", "body"),
    [
        ("overloaded", 429, {"error": OVERLOADED}),
        ("429:MODEL_OVERLOADED", 429, {"error": OVERLOADED, "code": "MODEL_OVERLOADED"}),
        ("ratelimit", 429, {"error": "Rate limit exceeded"}),
        ("locked-out", 429, {"error": LOCKED_OUT}),
        (
            "pro-only",
            401,
            {"error": "This model is only available to Pro users", "code": "PRO_ONLY_MODEL"},
        ),
        ("region", 403, {"error": "This model is not available in your region"}),
        ("privacy", 403, {"error": "The privacy setting of this API key does not allow this model"}),
        ("disabled", 403, {"error": "API access disabled"}),
        ("spent", 402, {"error": "API key USD spend limit exceeded"}),
        (
            "retired:chroma",
            404,
            {"error": "The model that you asked for has been deprecated. Please use chroma instead."},
        ),
        ("404", 404, {"error": "Specified model not found"}),
        ("error:nothing today", 200, {"error": "nothing today"}),
        (
            "openai-error:no such size",
            400,
            {
                "error": {
                    "message": "no such size",
                    "type": "invalid_request_error",
                    "code": None,
                    "param": None,
                }
            },
        ),
        ("503:MODEL_OFFLINE", 503, {"error": "The model is offline", "code": "MODEL_OFFLINE"}),
        ("500:UNKNOWN_ERROR", 500, {"error": "An unknown error occurred", "code": "UNKNOWN_ERROR"}),
    ],
)
def test_what_the_api_refuses_in_words_of_its_own(sandbox, call, text, status, body):
    """Each can be scripted by a word, and is told as the API tells it."""
    sandbox.script(Fault.parse(text)[0])
    reply = call(sandbox)
    assert (reply.status, reply.json) == (status, body)
    assert reply.headers["content-type"] == "application/json"
    assert sandbox.account.billed == (status == 200)


def test_three_kinds_of_429_are_told_apart_by_their_headers(sandbox, call):
    """How long to wait, when the limit resets, and when the rule about failures forgets: each in its own."""
    for text in ("overloaded:7", "ratelimit:6", "locked-out:20"):
        sandbox.script(Fault.parse(text)[0])
    before = time.time()
    overloaded, limited, locked_out = (call(sandbox).headers for _ in range(3))
    after = time.time()
    usual = call(sandbox).headers
    assert overloaded["retry-after"] == "7"
    assert overloaded["x-ratelimit-remaining-requests"] == usual["x-ratelimit-remaining-requests"]
    assert "retry-after" not in limited.keys() | locked_out.keys()
    assert (limited["x-ratelimit-remaining-requests"], limited["x-ratelimit-remaining"]) == ("0", "50")
    assert (before + 6) * 1000 <= int(limited["x-ratelimit-reset-requests"]) <= (after + 6) * 1000 + 1
    assert locked_out["x-ratelimit-remaining"] == "0"
    assert (before + 20) * 1000 <= int(locked_out["x-ratelimit-resets"]) <= (after + 20) * 1000 + 1


def test_no_credentials_in_the_words_of_x402(sandbox, call):
    """A body with the protocol's version, and no code."""
    sandbox.script(Fault.parse("x402")[0])
    reply = call(sandbox)
    assert (reply.status, reply.json["x402Version"], "code" in reply.json) == (402, 2, False)


@pytest.mark.parametrize("status", [403, 401, 406])
def test_a_firewall_answers_with_a_page_and_its_ray(sandbox, call, status):
    """The page has the id that the head has, and nothing of the API's."""
    sandbox.script(Fault.parse(f"firewall:{status}")[0])
    reply = call(sandbox)
    assert (reply.status, reply.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert reply.headers["cf-ray"] in reply.body.decode()
    assert not [name for name in reply.headers if name.startswith("x-")]


def test_a_login_page_is_a_success_that_nobody_paid_for(sandbox, call):
    """It is no answer of the API's, though its status is 200."""
    sandbox.script(Fault.parse("login")[0])
    reply = call(sandbox)
    assert (reply.status, b"Sign in" in reply.body) == (200, True)
    assert (sandbox.account.billed, sandbox.account.answered) == (0, 1)


@pytest.mark.parametrize("binary", [False, True])
def test_a_picture_in_a_foreign_format(sandbox, call, small, binary):
    """An AVIF where another one was asked for; it is paid for."""
    sandbox.script(Fault(damage="avif"))
    reply = call(sandbox, {**small, "return_binary": binary})
    data = reply.body if binary else base64.b64decode(reply.json["images"][0], validate=True)
    assert data[4:12] == b"ftypavif"
    assert sandbox.account.billed == 1


@pytest.mark.parametrize("path", ["/image/generate", "/images/generations"])
def test_links_in_place_of_pictures(sandbox, call, small, path):
    """Objects with a URL, as many as pictures were asked for; raw bytes cannot be that."""
    sandbox.script(Fault(damage="url"))
    if path == "/image/generate":
        assert call(sandbox, {**small, "return_binary": True}).headers["content-type"] == "image/webp"
        (one, two) = call(sandbox, {**small, "variants": 2}).json["images"]
        assert one == two
    else:
        (one,) = call(sandbox, {"prompt": "a fox"}, path=path).json["data"]
    assert list(one) == ["url"]
    assert one["url"].startswith("https://")


def test_code_and_message(sandbox, call):
    """Code and message can be said otherwise, and the code left out."""
    sandbox.script(Fault(503, code="MODEL_OFFLINE", message="gone fishing"))
    sandbox.script(Fault(503, code=""))
    assert call(sandbox).json == {"error": "gone fishing", "code": "MODEL_OFFLINE"}
    assert list(call(sandbox).json) == ["error"]


def test_success_with_another_status(sandbox, call):
    """A status below 400 changes the status and nothing else."""
    sandbox.script(Fault(202))
    reply = call(sandbox)
    assert reply.status == 202
    assert len(reply.json["images"]) == 1


def test_status_without_a_body(sandbox, call):
    """With 204 there is no body, as HTTP wants it."""
    sandbox.script(Fault(204))
    reply = call(sandbox)
    assert (reply.status, reply.body) == (204, b"")


def test_html(sandbox, call):
    """A page of a proxy has its status and none of the API's headers."""
    sandbox.script(Fault(502, html=True))
    sandbox.script(Fault(html=True))
    reply = call(sandbox)
    assert reply.status == 502
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.body.startswith(b"<!DOCTYPE html>")
    assert not [name for name in reply.headers if name.startswith("x-")]
    assert call(sandbox).status == 200


def test_delay(sandbox, call):
    """The answer's head comes no earlier than the delay says."""
    sandbox.script(Fault(delay=0.2))
    began = time.monotonic()
    assert call(sandbox).status == 200
    assert time.monotonic() - began >= 0.2


def test_reset_before_the_head(sandbox, listen):
    """Nothing comes but a reset."""
    sandbox.script(Fault(reset="before"))
    assert listen(sandbox) == (b"", "reset")


def test_reset_after_the_head(sandbox, listen, chunked):
    """The head comes whole, and then a reset."""
    sandbox.script(Fault(reset="headers", chunked=chunked))
    came, end = listen(sandbox)
    assert end == "reset"
    assert came.startswith(b"HTTP/1.1 200 ")
    assert came.endswith(b"\r\n\r\n")


def test_reset_in_the_body(sandbox, listen, chunked):
    """The head and a part of the body come, and then a reset."""
    sandbox.script(Fault(reset="body", chunked=chunked))
    came, end = listen(sandbox)
    head, _, body = came.partition(b"\r\n\r\n")
    assert end == "reset"
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b'"images":["' in body
    assert b'"timing"' not in body


def test_truncated(sandbox, listen, chunked):
    """The connection ends in order, but too early."""
    sandbox.script(Fault(truncated=True, chunked=chunked))
    came, end = listen(sandbox)
    head, _, body = came.partition(b"\r\n\r\n")
    assert end == "end"
    if chunked:
        assert b"content-length" not in head.lower()
        data, finished = dechunked(body)
        assert not finished
        assert b'"timing"' not in data
    else:
        (promised,) = (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        assert 0 < len(body) < int(promised.split(b":")[1])


def test_truncated_error(sandbox, listen):
    """An error's body can be cut short like any other."""
    sandbox.script(Fault(500, truncated=True))
    came, end = listen(sandbox)
    assert came.startswith(b"HTTP/1.1 500 ")
    assert not came.endswith(b"}")
    assert end == "end"


def test_chunked_alone_is_a_good_answer(sandbox, call):
    """A body in chunks is whole."""
    sandbox.script(Fault(chunked=True))
    reply = call(sandbox)
    assert reply.headers["transfer-encoding"] == "chunked"
    assert len(reply.json["images"]) == 1


def test_wrong_content_type(sandbox, call):
    """The body is right, its type is not."""
    sandbox.script(Fault(content_type="text/plain"))
    reply = call(sandbox)
    assert reply.headers["content-type"] == "text/plain"
    assert len(reply.json["images"]) == 1


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_lying_content_encoding(sandbox, call, encoding):
    """The body is not encoded, whatever the head says and the client accepts."""
    sandbox.script(Fault(content_encoding=encoding))
    reply = call(sandbox, headers={"Accept-Encoding": "gzip, br"})
    assert reply.headers["content-encoding"] == encoding
    assert len(reply.json["images"]) == 1
    with pytest.raises((OSError, zlib.error)):
        gzip.decompress(reply.body)


def test_bad_base64(sandbox, call):
    """There is a character in the picture's text that is not of base64."""
    sandbox.script(Fault(damage="base64"))
    (text,) = call(sandbox).json["images"]
    with pytest.raises(ValueError, match="base64"):
        base64.b64decode(text, validate=True)


@pytest.mark.parametrize("binary", [False, True])
def test_wrong_magic(sandbox, call, small, binary):
    """The picture does not begin as a picture, in base64 or in raw bytes."""
    sandbox.script(Fault(damage="magic"))
    reply = call(sandbox, {**small, "return_binary": binary})
    data = reply.body if binary else base64.b64decode(reply.json["images"][0], validate=True)
    assert data[:16] == bytes(16)
    assert len(data) > 100


def test_no_pictures(sandbox, call):
    """The list of pictures is there and empty, in both shapes."""
    sandbox.script(Fault(damage="empty"), times=2)
    assert call(sandbox).json["images"] == []
    assert call(sandbox, {"prompt": "x"}, path="/images/generations").json["data"] == []


@pytest.mark.parametrize("drop", ["id", "images", "request", "timing", ("id", "timing")])
def test_missing_fields(sandbox, call, drop):
    """What is dropped is missing, the rest is there."""
    sandbox.script(Fault(drop=drop))
    missing = {drop} if isinstance(drop, str) else set(drop)
    assert set(call(sandbox).json) == {"id", "request", "images", "timing"} - missing


def test_nothing_left(sandbox, call):
    """An answer without any of its fields is an empty object."""
    sandbox.script(Fault(drop=("id", "request", "images", "timing")))
    assert call(sandbox).json == {}


def test_drip(sandbox, call):
    """The body comes no faster than it may, and whole."""
    body = bytes(range(100))
    sandbox.script(Fault(body=body, drip=500))
    began = time.monotonic()
    assert call(sandbox).body == body
    assert time.monotonic() - began >= 0.15


def test_headers(sandbox, call):
    """Header fields are set, replaced and removed, those of HTTP itself too."""
    headers = {
        "Retry-After": "7",
        "x-venice-is-blurred": "true",
        "CF-RAY": None,
        "Date": None,
        "No-Such": None,
    }
    sandbox.script(Fault(headers=headers))
    found = call(sandbox).headers
    assert (found["retry-after"], found["x-venice-is-blurred"]) == ("7", "true")
    assert not {"cf-ray", "date", "no-such"} & set(found)
    assert {"cf-ray", "date"} <= set(call(sandbox).headers)


def test_wrong_content_length(sandbox, listen):
    """A length that is too long or missing ends the connection after the body."""
    sandbox.script(Fault(body=b"abc", headers={"Content-Length": "10"}))
    sandbox.script(Fault(body=b"abc", headers={"Content-Length": None}))
    came, end = listen(sandbox)
    assert b"Content-Length: 10" in came
    assert (came[-7:], end) == (b"\r\n\r\nabc", "end")
    came, end = listen(sandbox)
    assert b"Content-Length" not in came
    assert (came[-7:], end) == (b"\r\n\r\nabc", "end")


@pytest.mark.parametrize("body", [b"", b"{", b'{"images": "no list"}', bytes(300_000)])
def test_own_body(sandbox, call, body):
    """The body is exactly what was given, uncompressed."""
    sandbox.script(Fault(body=body, content_type="application/json"))
    reply = call(sandbox, headers={"Accept-Encoding": "gzip, br"})
    assert (reply.status, reply.body) == (200, body)
    assert reply.headers["content-type"] == "application/json"
    assert "content-encoding" not in reply.headers


def test_faults_of_the_constructor(call, small):
    """Faults can be given as values, as texts and with a number of times."""
    with Sandbox(latency=0, rpm=None, faults=[Fault(500), "503*2", (Fault(502), 1), "429"]) as sandbox:
        assert [call(sandbox, small).status for _ in range(6)] == [500, 503, 503, 502, 429, 200]


def test_only_matching_requests_are_met(sandbox, call, small):
    """A predicate on the body picks the requests; the others are answered well."""
    sandbox.script(Fault(503), times=None, when=lambda body: body.get("seed") == 7)
    statuses = [call(sandbox, {**small, "seed": seed}).status for seed in (6, 7, 8, 7)]
    assert statuses == [200, 503, 200, 503]


def test_a_random_outage_is_the_same_in_each_run(sandbox, call):
    """A predicate that draws lots is asked once for each request, in the order in which they come."""
    lots, same = random.Random(7), random.Random(7)
    sandbox.script(Fault(500), times=None, when=lambda _: lots.random() < 0.6)
    statuses = [call(sandbox).status for _ in range(16)]
    assert statuses == [500 if same.random() < 0.6 else 200 for _ in range(16)]
    assert sandbox.account.billed == statuses.count(200)


def test_only_image_requests_that_would_succeed_are_met(sandbox, call, small):
    """A fault is not used up by other end points and by requests that are refused anyway."""
    sandbox.script(Fault(503))
    assert call(sandbox, None, path="/models").status == 200
    assert call(sandbox, {**small, "width": 0}).status == 400
    assert call(sandbox, small).status == 503


def test_openai_requests_are_met_too(sandbox, call):
    """The other image end point has the same faults."""
    sandbox.script(Fault(503))
    assert call(sandbox, {"prompt": "x"}, path="/images/generations").status == 503


def test_a_predicate_that_fails_is_a_500(sandbox, call, small, caplog):
    """An exception of the caller's predicate is logged and answered."""
    sandbox.script(Fault(503), when=lambda body: body["no-such-key"])
    assert call(sandbox, small).status == 500
    assert "no-such-key" in caplog.text
