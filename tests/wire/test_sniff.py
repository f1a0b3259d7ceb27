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
@pytest.mark.parametrize("space", ["", " ", "\r\n\t" * 10, "\ufeff", "\ufeff \n"])
def test_json_is_taken_for_json_whatever_its_content_type(png, content_type, size, space):
    """White space and a byte order mark in front of it change nothing."""
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
    "body",
    [b"an error of a proxy, in words", b"[1, 2, 3, 4, 5]", b"<svg>a picture</svg>", b"GIF89a" + bytes(20)],
)
def test_anything_else_is_handed_on_as_it_came_and_refused_at_its_end(content_type, body):
    decoder = SniffingDecoder(content_type)
    first, *rest = events_of(decoder, body, 7)
    assert first == ImageBegins(0, None)
    assert b"".join(rest) == body
    with pytest.raises(DecodeError, match="neither a JSON object nor an image") as caught:
        decoder.close()
    assert f"({content_type})" in str(caught.value)


PAGES = [
    b"<!DOCTYPE html><html><head><title>Sign in &amp; go on</title>" + bytes(5000),
    b" \n<html><body><h1>Sign in &amp; go on</h1>",
    b"\xef\xbb\xbf<HTML lang=en><TITLE>\nSign in &amp; go on</TITLE>",
]


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("page", PAGES, ids=range(len(PAGES)))
@pytest.mark.parametrize("from_api", [True, False])
def test_a_page_is_named_by_its_title_and_paid_for_only_if_the_api_has_sent_it(page, size, from_api):
    decoder = SniffingDecoder("text/html", from_api=from_api)
    first, *rest = events_of(decoder, page, size)
    assert first == ImageBegins(0, None)
    assert b"".join(rest) == page
    with pytest.raises(DecodeError, match="page of HTML: 'Sign in & go on'") as caught:
        decoder.close()
    assert caught.value.billed is from_api


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_json_answer_without_images_says_what_it_says_and_hands_it_over(size):
    body = b'{"error": "Upstream is gone", "images": null}'
    decoder = SniffingDecoder("application/json")
    assert events_of(decoder, body, size) == []
    assert decoder.text == body
    with pytest.raises(DecodeError, match="no 'images'; it says 'Upstream is gone'") as caught:
        decoder.close()
    assert caught.value.billed


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
