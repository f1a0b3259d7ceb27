"""What reads a server's bytes, as functions of one input that raise when a promise is broken.

1. A broken promise is an AssertionError, or any error that is not a `VeniceError`.
2. Each input is read whole, byte by byte, and cut where asked; its outcome is the same.
3. Where a fault was seen (`offset`) may depend on the cuts, and which of two faults of one image or
   of two bounds was seen first; whether there is one may not.
"""

import inspect
import itertools
import re
import zlib
from collections.abc import Callable, Iterable, Iterator

import attrs

from venice_async.errors import DecodeError, VeniceError
from venice_async.wire.decode import JsonDecoder
from venice_async.wire.headers import answer_fields
from venice_async.wire.images import ImageBegins
from venice_async.wire.inflate import make_inflater
from venice_async.wire.secret import Secret
from venice_async.wire.sniff import SniffingDecoder
from venice_async.wire.status import error_from

CANARY = "canary-0123456789-venice"
SECRET = Secret(CANARY)
USUAL = inspect.signature(JsonDecoder).parameters["limits"].default
TIGHT = attrs.evolve(USUAL, image_bytes=600, images=3, field_bytes=400, string_bytes=48, depth=5)
PIECE = 256  # bytes, that an inflater gives at once

_ESCAPED = re.compile(r"\\(?:x..|u.{4}|U.{8})")

Cuts = Iterable[int]


def pieces(data: bytes, cuts: Cuts) -> Iterator[bytes]:
    """The input, cut at these places."""
    places = [0, *sorted(cuts), len(data)]
    return (data[start:end] for start, end in itertools.pairwise(places))


def ways(data: bytes) -> Iterator[Cuts]:
    """The cuts to try: none, one that the input itself decides, and all."""
    yield ()
    yield (zlib.crc32(data) % (len(data) + 1),)
    yield range(1, len(data))


def hidden(what: object) -> None:
    """Nothing that a user may see shows the key."""
    shown = _ESCAPED.sub("?", repr(what))  # of which the last digit may be the key's first letter
    assert CANARY not in shown.lower(), "the key is shown"


def fault(exc: DecodeError) -> str:
    hidden(exc.args)
    return str(exc).split(" (at byte ")[0].split(",")[0]


def read_answer(data: bytes, cuts: Cuts, limits: object) -> object:
    """The images and fields of an answer, or its fault."""
    decoder = SniffingDecoder("application/json", limits, SECRET)
    images: list[bytearray] = []
    held = 0
    try:
        for piece in pieces(data, cuts):
            for event in decoder.feed(piece):
                if isinstance(event, ImageBegins):
                    images.append(bytearray())
                else:
                    images[-1] += event
                    held += len(event)
        fields = decoder.close()
    except DecodeError as exc:
        said = fault(exc)
        return said if limits is USUAL else DecodeError
    finally:
        assert len(images) <= limits.images, "more images than the bound"
        assert held <= limits.image_bytes, "more bytes of images than the bound"
    hidden(fields)
    return [bytes(image) for image in images], fields


def answer(data: bytes, cuts: Cuts | None = None) -> None:
    for limits in (USUAL, TIGHT):
        whole = read_answer(data, (), limits)
        for way in ways(data) if cuts is None else [cuts]:
            assert read_answer(data, way, limits) == whole, "the outcome depends on the cuts"


def read_stream(encoding: str, data: bytes, cuts: Cuts) -> object:
    """What a stream inflates to; DecodeError if it is broken or does not end."""
    found = bytearray()
    try:
        inflater = make_inflater(encoding)
        for piece in pieces(data, cuts):
            given = inflater.inflate(piece, PIECE)
            for _ in range(10_000):
                found += given
                if len(given) < PIECE or inflater.ended or encoding == "identity":
                    break
                given = inflater.inflate(b"", PIECE)
    except DecodeError as exc:
        fault(exc)
        return DecodeError
    return bytes(found) if inflater.ended else DecodeError


def stream(data: bytes, cuts: Cuts | None = None) -> None:
    """The first line is the encoding."""
    line, _, body = data.partition(b"\n")
    encoding = SECRET.hide(line.decode("latin-1"))
    whole = read_stream(encoding, body, ())
    for way in ways(body) if cuts is None else [cuts]:
        found = read_stream(encoding, body, way)
        # Brotli's decoder refuses what follows the end in one piece with it, and never sees it in another.
        if DecodeError not in (found, whole) or encoding != "br":
            assert found == whole, "the outcome depends on the cuts"


def headers_of(lines: bytes) -> dict[str, str]:
    """Headers as aiohttp gives them to us: bytes that are no UTF-8 as surrogates, the key taken out."""
    split = (line.partition(":") for line in lines.decode("utf-8", "surrogateescape").split("\n"))
    return {name.strip().lower(): SECRET.hide(value.strip()) for name, _, value in split}


def headers(data: bytes, cuts: Cuts | None = None) -> None:
    hidden(answer_fields(headers_of(data), SECRET))


def error(data: bytes, cuts: Cuts | None = None) -> None:
    """The first line is the status; headers, an empty line and the body follow."""
    head, _, body = data.partition(b"\n\n")
    status, _, lines = head.partition(b"\n")
    number = int(status) if status.isdigit() and len(status) == 3 else 400
    found = error_from(number, headers_of(lines), body, SECRET)
    assert isinstance(found, VeniceError)
    assert "\n" not in str(found), "the message is more than a line"
    hidden((found.args, vars(found)))


TARGETS: dict[str, Callable[..., None]] = {
    "answer": answer,
    "stream": stream,
    "headers": headers,
    "error": error,
}
