"""What an answer is, told by its first bytes."""

from __future__ import annotations

import base64
import json

import pytest

from venice_async.errors import DecodeError
from venice_async.types.options import AnswerLimits
from venice_async.wire.images import ImageBegins
from venice_async.wire.sniff import SniffingDecoder

TYPES = ("application/json", "image/webp", "application/octet-stream", "text/html", "")


def events_of(decoder, body, size):
    return [event for at in range(0, len(body), size) for event in decoder.feed(body[at : at + size])]


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("size", [1, 5, 100_000])
@pytest.mark.parametrize("space", ["", " ", "\r\n\t" * 10])
def test_json_is_taken_for_json_whatever_its_content_type(png, content_type, size, space):
    """White space in front of it changes nothing."""
    text = space + json.dumps({"id": "a", "images": [base64.b64encode(png).decode()]})
    decoder = SniffingDecoder(content_type)
    first, *rest = events_of(decoder, text.encode(), size)
    assert first == ImageBegins(0, "png")
    assert b"".join(rest) == png
    assert decoder.close() == {"id": "a"}


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("size", [1, 5, 100_000])
def test_an_image_is_taken_for_an_image_whatever_its_content_type(webp, content_type, size):
    decoder = SniffingDecoder(content_type)
    first, *rest = events_of(decoder, webp, size)
    assert first == ImageBegins(0, "webp")
    assert b"".join(rest) == webp
    assert decoder.close() is None


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize(
    "body", [b"<html>an error of a proxy</html>", b"[1, 2, 3, 4, 5]", b"GIF89a" + bytes(20)]
)
def test_anything_else_is_handed_on_as_it_came_and_refused_at_its_end(content_type, body):
    decoder = SniffingDecoder(content_type)
    first, *rest = events_of(decoder, body, 7)
    assert first == ImageBegins(0, None)
    assert b"".join(rest) == body
    with pytest.raises(DecodeError, match="neither a JSON object nor an image") as caught:
        decoder.close()
    assert f"({content_type})" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b" ", b" \r\n\t"])
def test_an_empty_answer_is_refused_as_such(body):
    decoder = SniffingDecoder("application/json")
    assert decoder.feed(body) == []
    with pytest.raises(DecodeError, match="the answer is empty"):
        decoder.close()


def test_a_body_too_short_for_an_image_is_refused():
    decoder = SniffingDecoder("image/png")
    assert decoder.feed(b"\x89PNG") == []
    with pytest.raises(DecodeError, match="neither"):
        decoder.close()


@pytest.mark.parametrize("content_type", ["application/json", "image/png"])
def test_the_chosen_decoder_keeps_the_given_bounds(png, content_type):
    body = json.dumps({"images": [base64.b64encode(png).decode()]}).encode()
    with pytest.raises(DecodeError, match="larger than 5 bytes"):
        SniffingDecoder(content_type, AnswerLimits(image_bytes=5)).feed(
            body if "json" in content_type else png
        )


def test_endless_white_space_is_not_collected():
    decoder = SniffingDecoder("application/json", AnswerLimits(field_bytes=1000))
    events_of(decoder, b" " * 5000, 100)
    with pytest.raises(DecodeError, match="no 'images' and is beyond AnswerLimits"):
        decoder.close()


@pytest.mark.parametrize("size", [1, 12, 100])
def test_what_follows_much_white_space_is_judged_the_same_however_it_is_cut(size):
    body = b" " * 14 + b'"no object"'
    decoder = SniffingDecoder("application/json")
    with pytest.raises(DecodeError, match="is no JSON object"):
        [decoder.feed(body[at : at + size]) for at in range(0, len(body), size)]
