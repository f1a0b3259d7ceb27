"""How much of an answer is taken: a row at each limit, and one just above it."""

from __future__ import annotations

import gzip
import json

import pytest

from venice_async import AnswerLimits

from .places import ALL, Wire, goes_on, head, json_body, picture, whole
from .row import Row, params

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


def _at(name, make, **limits):
    """All is well."""
    return Row(name, Wire(goes_on(make)), "image image image", received=3, billed=3, files=3,
               options={"answer_limits": AnswerLimits(**limits)})  # fmt: skip


def _above(name, make, kept=1, **limits):
    """The answer is told as paid."""
    return Row(name, Wire(goes_on(make)), "image DecodeError+paid image", received=3, billed=3, files=2,
               kept=kept, options={"answer_limits": AnswerLimits(**limits)})  # fmt: skip


BOUNDS = [
    _at("a body as long as is taken", lambda right: whole(_padded(right)), body_bytes=_BODY),
    _above("a longer body", lambda right: whole(_padded(right)), body_bytes=_BODY - 1),
    _at("a body that inflates to what is taken", _packed, body_bytes=_BODY),
    _above("a body that inflates to more", _packed, body_bytes=_BODY - 1),
    _at("an image as large as is taken", lambda _: whole(json_body(_PNG)), image_bytes=len(_PNG)),
    _above("a larger image", lambda _: whole(json_body(_PNG)), kept=0, image_bytes=len(_PNG) - 1),
    _at("fields as long as is taken", lambda right: whole(_fields(right)), field_bytes=_FIELDS),
    _above("longer fields", lambda right: whole(_fields(right)), field_bytes=_FIELDS - 1),
    _at("a string that is told by its length", lambda right: whole(_fields(right)), string_bytes=100),
    _at("a key as long as is taken", lambda right: whole(json_body(right, **{"k" * 100: 1})),
        string_bytes=100),
    _above("a longer key", lambda right: whole(json_body(right, **{"k" * 101: 1})), string_bytes=100),
    _at("as deep as is taken", _nested(_DEPTH)),
    _above("deeper", _nested(_DEPTH + 1)),
    _at("a header as long as is taken", lambda right: whole(json_body(right), f"X: {'x' * _HEADER}")),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*BOUNDS))
def test_more_of_an_answer_than_is_taken_is_told_as_paid(row, carry_out):
    carry_out(row)


def _two(right):
    return whole(json_body(right, right))


@pytest.mark.parametrize(
    "row",
    **params(
        Row("as many images as are taken", Wire(goes_on(_two), ALL), "image", received=1, billed=1, files=2,
            fields={"variants": 2}, options={"answer_limits": AnswerLimits(images=2)}),
        Row("more images", Wire(goes_on(_two), ALL), "DecodeError+paid", received=1, billed=1, files=0,
            kept=1, fields={"variants": 2}, options={"answer_limits": AnswerLimits(images=1)}),
        Row("a longer header",
            Wire(goes_on(lambda right: whole(json_body(right), f"X: {'x' * (_HEADER + 1)}"))),
            "image unconfirmed image", received=3, billed=3, files=2),
    ),
)  # fmt: skip
def test_more_than_is_taken_is_never_bought_again(row, carry_out):
    carry_out(row)
