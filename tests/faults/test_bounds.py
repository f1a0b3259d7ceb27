"""How much of an answer is taken: a row at each limit, and one just above it."""

from __future__ import annotations

import asyncio
import gzip
import json

import aiohttp
import pytest

from venice_async import AnswerLimits, ImageRequest, UnconfirmedError, VeniceSession

from .places import ALL, Wire, goes_on, head, json_body, picture, whole
from .row import KEY, USUAL, Row, params

_BODY = 50_000
_HEADER = AnswerLimits().header_bytes
_DEPTH = AnswerLimits().depth


def _padded(right, fields=_BODY):
    """An answer of just so many bytes, and a string in it that says nothing."""
    size = fields - len(json_body(right, request=""))
    return json_body(right, request="x" * size)


def _packed(right):
    body = gzip.compress(_padded(right))
    return head(f"Content-Length: {len(body)}", "Content-Encoding: gzip") + body


def _nested(depth):
    """An answer with arrays in its object, so many levels in all."""

    def make(right):
        echo = json.loads("[" * (depth - 1) + "]" * (depth - 1))
        return whole(json_body(right, request=echo))

    return make


def _fields(right):
    return json_body(right, request="x" * 9_000)


_FIELDS = len(json_body("", request="x" * 9_000))
_PNG = picture(1, "png")


def _two(right):
    return whole(json_body(right, right))


def _header(size):
    return lambda right: whole(json_body(right), f"X: {'x' * size}")


def _reason(size):
    return lambda right: whole(json_body(right), status=f"200 {'x' * size}")


def _row(name, make, ends, *, files=3, kept=0, says="", **limits):
    options = {"answer_limits": AnswerLimits(**limits)}
    return Row(name, Wire(goes_on(make)), ends, received=3, billed=3, files=files, kept=kept, says=says,
               options=options)  # fmt: skip


def _at(name, make, **limits):
    return _row(name, make, "image image image", **limits)


def _above(name, make, says, *, kept=1, **limits):
    says = f"(AnswerLimits.{says})"
    return _row(name, make, "image DecodeError+paid image", files=2, kept=kept, says=says, **limits)


def _given_up(name, make):
    says = f"longer than {_HEADER} bytes (AnswerLimits.header_bytes)"
    return _row(name, make, "image unconfirmed image", files=2, says=says)


def _images(name, ends, images, **expected):
    options = {"answer_limits": AnswerLimits(images=images)}
    return Row(name, Wire(goes_on(_two), ALL), ends, received=1, billed=1, **expected,
               fields={"variants": 2}, options=options)  # fmt: skip


AT = [
    _at("a body", lambda right: whole(_padded(right)), body_bytes=_BODY),
    _at("a body that is inflated", _packed, body_bytes=_BODY),
    _at("an image's size", lambda _: whole(json_body(_PNG)), image_bytes=len(_PNG)),
    _images("the number of images", "image", 2, files=2),
    _at("fields", lambda right: whole(_fields(right)), field_bytes=_FIELDS),
    _at("a key", lambda right: whole(json_body(right, **{"k" * 100: 1})), string_bytes=100),
    _at("depth", _nested(_DEPTH)),
    _at("a header", _header(_HEADER)),
    _at("a status line", _reason(_HEADER)),
]


@pytest.mark.parametrize("row", **params(*AT))
def test_what_is_at_its_limit_is_taken(row, carry_out):
    carry_out(row)


ABOVE = [
    _above("a body", lambda right: whole(_padded(right)), "body_bytes", body_bytes=_BODY - 1),
    _above("a body that is inflated", _packed, "body_bytes", body_bytes=_BODY - 1),
    _above("an image's size", lambda _: whole(json_body(_PNG)), "image_bytes", image_bytes=len(_PNG) - 1),
    _images("the number of images", "DecodeError+paid", 1, files=0, kept=1, says="(AnswerLimits.images)"),
    _given_up("a header", _header(_HEADER + 1)),
    _given_up("a status line", _reason(_HEADER + 1)),
]


@pytest.mark.parametrize("row", **params(*ABOVE))
def test_what_is_above_its_limit_is_told_as_paid_or_unconfirmed(row, carry_out):
    carry_out(row)


@pytest.mark.parametrize(
    "row",
    **params(
        _at("a long string", lambda right: whole(_fields(right)), string_bytes=100),
        _at("a long key", lambda right: whole(json_body(right, **{"k" * 101: 1})), string_bytes=100),
        _at("too many fields", lambda right: whole(_fields(right)), field_bytes=_FIELDS - 1),
        _at("too deep a field", _nested(_DEPTH + 1)),
    ),
)
def test_what_is_not_the_image_and_above_its_limit_is_left_out(row, carry_out):
    carry_out(row)


@pytest.mark.parametrize("size", [_HEADER, _HEADER + 1])
def test_a_header_has_the_same_limit_in_a_session_of_the_callers_own(size, raw_server):
    """Whatever limit that session was made with."""

    async def main():
        async with (
            Wire(goes_on(_header(size))).open(raw_server) as place,
            aiohttp.ClientSession(max_field_size=100) as theirs,
            VeniceSession(KEY, base_url=place.url, session=theirs, **USUAL) as venice,
        ):
            return await venice.generate(ImageRequest("fox", model="venice-sd35", seed=1))

    if size > _HEADER:
        with pytest.raises(UnconfirmedError, match=r"\(AnswerLimits\.header_bytes\)"):
            asyncio.run(main())
    else:
        assert len(asyncio.run(main()).images) == 1
