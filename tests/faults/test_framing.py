"""What can be wrong with how an answer is packed, sized and cut, and what comes of it: a row each."""

from __future__ import annotations

import gzip
import json
import resource
import sys
import zlib

import brotli
import pytest

from venice_async import AnswerLimits

from .places import ALL, Wire, goes_on, head, json_body, picture, sends, whole
from .row import Row, params

_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes, in which the size of a process is told

# Encodings


_LIMITS = {"answer_limits": AnswerLimits(body_bytes=8_000_000)}


def _encoded(name, encoding, make, ends="image image image", *, files=3, kept=0):
    """A server that sends one whole answer under a content encoding."""
    how = Wire(goes_on(lambda right: whole(make(right), f"Content-Encoding: {encoding}")))
    return Row(name, how, ends, received=3, billed=3, files=files, kept=kept, options=_LIMITS)


def _lost(name, encoding, make, **options):
    return _encoded(name, encoding, make, "image DecodeError+paid image", files=2, **options)


def _packed(right):
    return gzip.compress(json_body(right))


def _damaged(right):
    return _packed(right)[:60] + b"???" + _packed(right)[63:]


def _bomb(right):
    """A good answer, but that it inflates to more than is taken."""
    return json.dumps({"request": " " * 16_000_000, **json.loads(json_body(right))}).encode()


ENCODINGS = [
    _encoded("gzip that was not asked for", "gzip", _packed),
    _encoded("br that was not asked for", "br", lambda right: brotli.compress(json_body(right))),
    _encoded("deflate", "deflate", lambda right: zlib.compress(json_body(right))),
    _encoded("gzip that is none", "gzip", json_body),
    _encoded("gzip that is an image", "gzip", lambda right: right),
    _encoded("identity", "identity", json_body),
    _lost("br that is none", "br", json_body),
    _lost("br that is gzip", "br", _packed),
    _lost(
        "gzip with a broken middle", "gzip", lambda right: _packed(right)[:60] + b"???" + _packed(right)[63:]
    ),
    _lost("an encoding that nobody knows", "zstd", json_body),
    _lost("gzip in gzip", "gzip, gzip", lambda right: gzip.compress(_packed(right))),
    _lost("a gzip bomb", "gzip", lambda right: gzip.compress(_bomb(right)), kept=1),
    _lost("a br bomb", "br", lambda right: brotli.compress(_bomb(right), quality=1), kept=1),
    _lost("a bomb in a bomb", "gzip", lambda right: gzip.compress(gzip.compress(_bomb(right))), kept=1),
]


@pytest.mark.parametrize("row", **params(*ENCODINGS))
def test_a_lie_about_the_encoding_is_told_as_paid(row, carry_out):
    carry_out(row)


# Answers that are far too large

_HALF_A_GIGABYTE = 500_000_000


def _large(start):
    """Sends half a gigabyte piece by piece, as long as the client takes it."""

    async def write(connection, right):
        await connection.send(head(f"Content-Length: {_HALF_A_GIGABYTE}", kind="image/png") + start)
        for _ in range(_HALF_A_GIGABYTE // 1_000_000):
            await connection.send(bytes(1_000_000))

    return write


@pytest.mark.parametrize(
    "row",
    **params(
        Row("an image of 500 MB", Wire(_large(picture(1, "png")[:8])), "image DecodeError+paid image",
            received=3, billed=3, files=2, kept=1),
        Row("500 MB of nothing", Wire(_large(b"")), "image DecodeError+paid image",
            received=3, billed=3, files=2, kept=1),
    ),
)  # fmt: skip
def test_an_answer_without_end_is_given_up_and_never_held(row, carry_out):
    """At the bound of an answer's images; the process grows by no more than a small part of it."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    carry_out(row)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * _UNIT
    assert grown < 100_000_000


# Lengths, chunks and connections

_CHUNKED = "Transfer-Encoding: chunked"


def _chunked(right, size=100, trailers=b""):
    body = json_body(right)
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return head(_CHUNKED) + chunks + b"0\r\n" + trailers + b"\r\n"


def _cut(name, find):
    """A chunked answer that ends where `find` says."""

    def make(right):
        start, _, body = _chunked(right).partition(b"\r\n\r\n")
        return start + b"\r\n\r\n" + body[: find(body)]

    return Row(f"cut {name}", Wire(sends(make)), "image unconfirmed image", received=3, billed=3, files=2)


def _framed(name, make, ends, **expected):
    """An answer made with its head, after which the server closes."""
    return Row(name, Wire(sends(make)), ends, received=3, billed=3, **expected)


def _too_long(right):
    body = json_body(right)
    return head(f"Content-Length: {len(body) + 100}") + body


def _other(right):
    return whole(json_body(right)) + whole(json_body(picture(77)))


_LONG = "x-venice-enhanced-prompt:" + "%20" * 33_333

FRAMES = [
    _cut("before the first chunk", lambda _: 0),
    _cut("in a chunk's size", lambda _: 1),
    _cut("before the end of a size", lambda body: body.index(b"\r\n") + 1),
    _cut("behind a size", lambda body: body.index(b"\r\n") + 2),
    _cut("in a chunk", lambda body: len(body) // 2),
    _cut("behind a chunk's data", lambda body: body.index(b"\r\n") + 102),
    _cut("between two chunks", lambda body: body.index(b"\r\n") + 104),
    _cut("before the last chunk", lambda body: len(body) - 5),
    _cut("in the last chunk's size", lambda body: len(body) - 4),
    _cut("in the last chunk's end", lambda body: len(body) - 3),
    _framed("chunks of one byte", lambda right: _chunked(right, 1), "image image image", files=3),
    _framed("chunks with trailers", lambda right: _chunked(right, 100, b"A: b\r\n"),
            "image image image", files=3),
    _framed("a chunk's size that is none", lambda _: head(_CHUNKED) + b"zz\r\n",
            "image unconfirmed image", files=2),
    _framed("a length too long", _too_long, "image unconfirmed image", files=2),
    _framed("a length that is none", lambda right: head("Content-Length: many") + json_body(right),
            "image unconfirmed image", files=2),
    _framed("two lengths", lambda right: head("Content-Length: 5", "Content-Length: 6") + json_body(right),
            "image unconfirmed image", files=2),
    _framed("no length", lambda right: head() + json_body(right), "image image image", files=3),
    _framed("no head", json_body, "image unconfirmed image", files=2),
    _framed("no answer", lambda _: b"", "image unconfirmed image", files=2),
    _framed("100 kB of headers", lambda right: whole(json_body(right), *[f"X: {'x' * 1000}"] * 100),
            "image image image", files=3),
    _framed("a header of 100 kB", lambda right: whole(json_body(right), _LONG), "image image image", files=3),
    _framed("a header of 2 MB", lambda right: whole(json_body(right), 20 * _LONG),
            "image unconfirmed image", files=2),
    _framed("a header that is none", lambda right: whole(json_body(right), "what is this"),
            "image unconfirmed image", files=2),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*FRAMES))
def test_an_answer_without_a_proper_end_is_unconfirmed(row, carry_out):
    carry_out(row)


async def _closes(connection, right):
    await connection.send(whole(json_body(right)))


CONNECTIONS = [
    Row("closed after each answer", Wire(_closes, ALL), "image image image", received=3, billed=3, files=3),
    Row("closed as said", Wire(sends(lambda right: whole(json_body(right), "Connection: close")), ALL),
        "image image image", received=3, billed=3, files=3),
    Row("an answer behind the answer", Wire(goes_on(_other)), "image image image",
        received=3, billed=3, files=3),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*CONNECTIONS))
def test_no_connection_carries_more_than_its_own_answer(row, carry_out):
    carry_out(row)
