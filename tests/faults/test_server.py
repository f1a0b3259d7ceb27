"""What a server can do wrong, and what comes of it: a row each."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager

import pytest
from attrs import frozen

from venice_async import Guard, RateLimit
from venice_async.sandbox import Fault

from .places import ALL, Api, Wire, goes_on, json_body, picture, whole
from .row import Row, params

# The rate limit, and failures

_AUTO = {"rate_limit": RateLimit.auto()}
_MANY = {"rpm": 100_000}


def _limits(limit=None, remaining=None, reset=None, **more):
    """The headers of the rate limit as they are given; None takes one away."""
    names = ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests")
    return dict(zip(names, (limit, remaining, reset), strict=True)) | more


_LATE = str(int(time.time()) - 7200)
_AHEAD = str(int(time.time()) + 40)
_OLD = "Sat, 01 Jan 2000 00:00:00 GMT"
_LOCK_OUT = Fault(429, message="Too many failed attempts (> 20) resulting in a non-success status code.")


def _limit(name, headers):
    how = Api(Fault(headers=headers), seeds=ALL, options=_MANY)
    return Row(name, how, "image image image", received=3, billed=3, files=3, options=_AUTO)


LIMITS = [
    _limit("no rate-limit headers", _limits()),
    _limit("no rate-limit headers and no Date", _limits(Date=None)),
    _limit("a reset two hours late", _limits("100000", "5", _LATE)),
    _limit("a Date of another year", _limits("100000", "99999", _AHEAD, Date=_OLD)),
    _limit("more remaining than the limit", _limits("100000", "999999", _AHEAD)),
    _limit("garbage headers", _limits("lots", "-1", "soon", **{"x-ratelimit-type": "?"})),
    _limit("headers beyond all numbers", _limits("9" * 400, "1e999", "nan")),
    _limit("a limit of nothing", _limits("0", "0", "0")),
]


@pytest.mark.parametrize("row", **params(*LIMITS))
def test_headers_of_the_rate_limit_that_cannot_be_right_stop_nobody(row, carry_out):
    carry_out(row)


_HALVED = tuple(Fault(headers=_limits(limit, "9000", _AHEAD)) for limit in ("100000", "50000", "50000"))
_TAKEN = Fault(429, headers=_limits("600", "0", **{"Retry-After": "1"}))
_FLAPPING = (Fault(503), Fault(chunked=True)) * 3

FAILURES = [
    Row("the limit halves", Api(_HALVED, 1, ALL, options=_MANY), "image image image",
        received=3, billed=3, files=3, options=_AUTO),
    Row("others use the key", Api(_TAKEN, 1, options=_MANY), "image image",
        received=3, billed=2, files=2, options=_AUTO),
    Row("500 for all", Api(Fault(500), None, ALL), "unsent unsent",
        received=3, billed=0, files=0, stops="ServerError"),
    Row("500 once", Api(Fault(500), 1), "image image image",
        received=4, billed=3, files=3),
    Row("503 every other time", Api(_FLAPPING, 1, ALL), "image image image",
        received=6, billed=3, files=3),
    Row("the lock-out", Api(_LOCK_OUT, 1), "image image image",
        received=4, billed=3, files=3, options={"guard": Guard()}),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*FAILURES))
def test_what_passes_is_sat_out(row, carry_out):
    carry_out(row)


# Refusals


def _refusal(status, ends, *, received=3, billed=2, files=2, **options):
    how = Api(Fault(status, **options))
    return Row(f"{status}", how, ends, received=received, billed=billed, files=files)


REFUSALS = [
    _refusal(400, "image BadRequestError image"),
    _refusal(401, "image AuthenticationError unsent", received=2, billed=1, files=1),
    _refusal(402, "image PaymentRequiredError unsent", received=2, billed=1, files=1),
    _refusal(403, "image unsent unsent", received=2, billed=1, files=1),
    _refusal(404, "image unsent unsent", received=2, billed=1, files=1),
    _refusal(405, "image StatusError unsent", received=2, billed=1, files=1),
    _refusal(410, "image StatusError unsent", received=2, billed=1, files=1),
    _refusal(413, "image PayloadTooLargeError image"),
    _refusal(415, "image UnsupportedMediaTypeError image"),
    _refusal(418, "image StatusError image"),
    _refusal(422, "image UnprocessableEntityError image"),
    _refusal(429, "image unsent unsent", received=4, billed=1, files=1),
    _refusal(500, "image unsent unsent", received=4, billed=1, files=1),
    _refusal(502, "image unconfirmed image"),
    _refusal(503, "image unsent unsent", received=4, billed=1, files=1),
    _refusal(504, "image unconfirmed image"),
    _refusal(520, "image unconfirmed image"),
    _refusal(521, "image unsent unsent", received=4, billed=1, files=1),
    _refusal(524, "image unconfirmed image"),
]


@pytest.mark.parametrize("row", **params(*REFUSALS))
def test_a_refusal_meets_whom_it_is_about(row, carry_out):
    carry_out(row)


_RAY = {"CF-RAY": "8f1-FRA"}
_HTML = [
    Row("html 200", Api(Fault(html=True, billed=True, headers={"x-venice-version": "1"})),
        "image DecodeError+paid image", received=3, billed=3, files=2, kept=1, says="page of HTML"),
    Row("html 200 of somebody else", Api(Fault(html=True, billed=False)), "image DecodeError image",
        received=3, billed=2, files=2, kept=1, says="page of HTML"),
    *(
        Row(f"html {status} of a firewall", Api(Fault(status, html=True, headers=_RAY)),
            f"image {ends} image", received=3, billed=2, files=2, says="request id 8f1-FRA")
        for status, ends in (
            (401, "AuthenticationError"), (403, "PermissionDeniedError"), (406, "StatusError"))
    ),
    *(
        Row(f"html {status} of another server", Api(Fault(status, html=True)), f"image {ends} unsent",
            received=2, billed=1, files=1, says="check base_url")
        for status, ends in ((404, "NotFoundError"), (405, "StatusError"), (410, "StatusError"))
    ),
    *(
        Row(f"html {status}", Api(Fault(status, html=True, billed=True)), "image unconfirmed image",
            received=3, billed=3, files=2)
        for status in (502, 520, 524)
    ),
    Row("html 503", Api(Fault(503, html=True)), "image unsent unsent",
        received=4, billed=1, files=1, stops="ServerError"),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*_HTML))
def test_a_page_of_a_proxy_is_read_by_its_status(row, carry_out):
    carry_out(row)


# Elsewhere


@frozen
class Redirect:
    """A server that sends its visitors to another one, where nobody may arrive."""

    status: str

    @asynccontextmanager
    async def open(self, raw_server):
        """Serve, and watch the other server."""

        async def stranger(connection):
            await connection.hang()

        async with raw_server(stranger) as other:
            there = f"Location: {other.url}/image/generate"
            how = Wire(goes_on(lambda _: whole(b"", there, status=self.status)), free=True)
            async with how.open(raw_server) as place:
                yield place
                place.strangers = other.connections


@pytest.mark.parametrize(
    "row",
    **params(
        *(
            Row(status, Redirect(status), "image RedirectError unsent", received=2, billed=1, files=1)
            for status in ("301 Moved", "302 Found", "303 See Other", "307 Temporarily", "308 For good")
        )
    ),
)
def test_nobody_follows_to_another_host(row, carry_out):
    carry_out(row)


# Answers of status 200


def _answers(name, make, ends="image image image", *, files=3, kept=0, fields=None):
    """A server that sends one whole answer, made of the right picture."""
    how = Wire(goes_on(lambda right: whole(make(right))))
    return Row(name, how, ends, received=3, billed=3, files=files, kept=kept, fields=fields or {})


def _paid(name, make, *, kept=0):
    return _answers(name, make, "image DecodeError+paid image", files=2, kept=kept)


def _text(right):
    return json.loads(json_body(right))["images"][0]


def _put(right, text):
    """An answer with something else in the middle of the base64."""
    return json_body(_text(right)[:40] + text + _text(right)[40:])


_BINARY = {"return_binary": True}
_ECHO = {"request": {"inpaint": {"source_image_base64": "A" * 10_000_000}}}


def _echo_first(right):
    return json.dumps({**_ECHO, **json.loads(json_body(right))}).encode()


IMAGES = [
    _answers("JSON where raw bytes were asked for", json_body, fields=_BINARY),
    _answers("raw bytes where JSON was asked for", lambda right: right),
    _answers("a 10 MB echo before the image", _echo_first),
    _answers("a 10 MB echo behind the image", lambda right: json_body(right, **_ECHO)),
    _answers("escaped slashes in the base64", lambda right: json_body(right).replace(b"/", rb"\/")),
    _paid("no images", lambda right: json_body(), kept=1),
    _paid("no list of images", lambda right: json_body(images=None), kept=1),
    _paid("an empty image", lambda right: json_body(b""), kept=1),
    _answers("a data URI", lambda right: json_body("data:image/webp;base64," + _text(right))),
    _paid(
        "a line break in the base64",
        lambda right: _put(right, "\n"),
        kept=1,
    ),
    _paid("URL-safe base64", lambda right: _put(right, "-_-_"), kept=1),
    _paid("no base64", lambda right: json_body("!" * 100), kept=1),
    _paid("wrong magic bytes", lambda right: json_body(bytes(16) + right[16:]), kept=1),
    _paid("half an image", lambda right: json_body(right[: len(right) // 2]), kept=1),
    _paid("half an image, raw", lambda right: right[: len(right) // 2], kept=1),
    _answers("half a JSON text behind the image", lambda right: json_body(right)[:-9]),
    _answers("no timing", lambda right: json_body(right, timing=None)),
    _answers("a timing that is none", lambda right: json_body(right, timing="fast")),
    _answers("an id that is a number", lambda right: json_body(right, id=7)),
    _answers("a number beyond all numbers", lambda right: json_body(right)[:-1] + b',"x":1e999}'),
    _answers("NaN in an echo", lambda right: json_body(right, request=float("nan"))),
    _paid("half a JSON text before the image's end", lambda right: json_body(right)[: len(right)], kept=1),
    _paid("nothing", lambda right: b""),
    _paid("an array", lambda right: b"[1, 2, 3, 4, 5, 6]", kept=1),
]


@pytest.mark.parametrize("row", **params(*IMAGES))
def test_an_answer_is_a_picture_or_told_as_paid(row, carry_out):
    carry_out(row)


@pytest.mark.parametrize(
    "row",
    **params(
        Row("fewer images than asked for", Wire(goes_on(lambda right: whole(json_body(right)))),
            "DecodeError+paid", received=1, billed=1, files=0, kept=1, fields={"variants": 2}),
        Row("a PNG where WebP was asked for", Wire(goes_on(lambda _: whole(json_body(picture(1, "png"))))),
            "image image image", received=3, billed=3, files=3, fields={"format": "webp"}),
    ),
)  # fmt: skip
def test_what_was_asked_for_is_held_against_what_came(row, carry_out):
    carry_out(row)
