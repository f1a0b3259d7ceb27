"""The streaming decoder, against `json.loads` and `b64decode` over the same bytes."""

import base64
import json
import random
import sys
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from venice_async.errors import DecodeError
from venice_async.types.options import AnswerLimits
from venice_async.wire.decode import AnswerDecoder, BinaryDecoder, JsonDecoder
from venice_async.wire.images import ImageBegins

MAGIC = {
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\r",
    "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1",
    "webp": b"RIFF\x10\0\0\0WEBP",
}
END = {"png": b"\0\0\0\0IEND\xaeB`\x82", "jpeg": b"\xff\xd9"}


def picture(kind: str, inside: bytes) -> bytes:
    """What begins and ends as an image of that format does."""
    if kind == "webp":
        return b"RIFF" + (4 + len(inside)).to_bytes(4, "little") + b"WEBP" + inside
    return MAGIC[kind] + inside + END[kind]


PNG = picture("png", bytes(range(48, 56)))
PNG64 = base64.b64encode(PNG).decode()
SMALL = b'{"id":"a\\"b","images":["%s"],"request":{"images":["x"]},"timing":{"total":1.5}}' % PNG64.encode()
HEAD = b'{"images":["'


def body_of(*images: str, rest: str = "") -> bytes:
    return ('{"images":[' + ",".join(f'"{image}"' for image in images) + "]" + rest + "}").encode()


def pieces(body: bytes, size: int) -> Iterable[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def decode(decoder: AnswerDecoder, chunks: Iterable[bytes]):
    """The images as (format, bytes) pairs, and the fields."""
    formats, images = [], []
    for chunk in chunks:
        for event in decoder.feed(chunk):
            if isinstance(event, ImageBegins):
                assert event.index == len(images)
                formats.append(event.format)
                images.append(bytearray())
            else:
                images[-1] += event
    fields = decoder.close()
    return list(zip(formats, map(bytes, images), strict=True)), fields


def decode_body(body: bytes, size: int | None = None, **limits):
    return decode(JsonDecoder(AnswerLimits(**limits)), pieces(body, size or len(body) or 1))


def refusal(body: bytes, size: int | None = None, **limits) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode_body(body, size, **limits)
    return caught.value


def reference(body: bytes):
    fields = json.loads(body)
    return [base64.b64decode(image, validate=True) for image in fields.pop("images")], fields


class Writer:
    """JSON as no serialiser would write it: random whitespace, order and escapes."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def space(self) -> str:
        return self.random.choice(["", "", "", " ", "\n", "\t\r\n  "])

    def base64(self, image: bytes) -> str:
        every = self.random.choice([0, 0, 0.05, 1])
        return '"' + "".join(self.letter(char, every) for char in base64.b64encode(image).decode()) + '"'

    def letter(self, char: str, every: float) -> str:
        if char == "/" and self.random.random() < 0.5:
            return self.random.choice(["\\/", "\\u002f", "\\u002F"])
        return f"\\u{ord(char):04x}" if self.random.random() < every else char

    def string(self, text: str) -> str:
        return json.dumps(text, ensure_ascii=self.random.random() < 0.5).replace("/", self.letter("/", 0))

    def value(self, value) -> str:
        if isinstance(value, dict):
            return self.members([(self.string(key), self.value(item)) for key, item in value.items()])
        if isinstance(value, list):
            return self.array([self.value(item) for item in value])
        return self.string(value) if isinstance(value, str) else json.dumps(value)

    def array(self, items: list[str]) -> str:
        return "[" + ",".join(self.space() + item + self.space() for item in items) + self.space() + "]"

    def members(self, members: list[tuple[str, str]]) -> str:
        parts = (self.space() + key + self.space() + ":" + self.space() + value for key, value in members)
        return "{" + ",".join(part + self.space() for part in parts) + self.space() + "}"

    def answer(self, images: list[bytes], fields: dict) -> bytes:
        key = self.random.choice(['"images"', '"images"', '"\\u0069mages"'])
        members = [(key, self.array([self.base64(image) for image in images]))]
        members += [(self.string(name), self.value(value)) for name, value in fields.items()]
        self.random.shuffle(members)
        return (self.space() + self.members(members) + self.space()).encode()


texts = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=30), st.text('"\\/[]{},:u0é\n images', max_size=30)
)
json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        texts,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.just("images"), texts), inner, max_size=4),
    ),
    max_leaves=12,
)
pictures = st.builds(picture, st.sampled_from(sorted(MAGIC)), st.binary(max_size=90))
answers = st.builds(
    lambda seed, images, known, unknown: Writer(seed).answer(images, {**unknown, **known}),
    st.integers(0, 2**32),
    st.lists(pictures, min_size=1, max_size=4),
    st.fixed_dictionaries(
        {},
        optional={
            "id": texts,
            "request": json_values,
            "timing": st.dictionaries(st.sampled_from(["total", "inferenceDuration"]), st.integers(0, 9999)),
        },
    ),
    st.dictionaries(texts.filter(lambda key: key != "images"), json_values, max_size=3),
)


def cut(body: bytes, places: Iterable[float]) -> list[bytes]:
    edges = sorted(int(place * len(body)) for place in places)
    return [body[start:end] for start, end in zip([0, *edges], [*edges, len(body)], strict=True)]


@settings(deadline=None, max_examples=300)
@given(body=answers, places=st.lists(st.floats(0, 1), max_size=12))
def test_any_answer_in_any_chunks_is_what_json_and_base64_make_of_it(body, places):
    images, fields = reference(body)
    for chunks in (cut(body, places), pieces(body, 1), [body, b""]):
        found, found_fields = decode(JsonDecoder(), chunks)
        assert [data for _, data in found] == images
        assert found_fields == fields
        assert all(data.startswith(MAGIC[kind][:3]) for kind, data in found)


@pytest.mark.parametrize("kind", sorted(MAGIC))
def test_an_image_is_announced_with_the_format_of_its_magic_bytes(kind):
    image = picture(kind, b"rest")
    for size in (1, 5, 1000):
        found, _ = decode_body(body_of(base64.b64encode(image).decode()), size)
        assert found == [(kind, image)]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 11, 64, 1000])
def test_every_chunk_size_gives_the_same_answer(size):
    assert decode_body(SMALL, size) == (
        [("png", PNG)],
        {"id": 'a"b', "request": {"images": ["x"]}, "timing": {"total": 1.5}},
    )


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("size", [7, 65_536, 10_000_000])
def test_an_echoed_request_with_a_string_of_megabytes_is_left_out_and_the_rest_stays(before, size):
    long = '\\"\\\\' * 500_000
    echo = f'"request":{{"prompt":"a\\\\","inpaint":{{"source_image_base64":"{long}"}},"images":["no"]}}'
    body = (f'{{{echo},"images":["{PNG64}"]}}' if before else f'{{"images":["{PNG64}"],{echo}}}').encode()
    found, fields = decode_body(body, size)
    assert found == [("png", PNG)]
    assert fields == {
        "request": {
            "prompt": "a\\",
            "inpaint": {"source_image_base64": "[2000000 bytes left out]"},
            "images": ["no"],
        }
    }


@pytest.mark.parametrize("uri", ["data:image/webp;base64,", r"data:image\/webp;base64,", "data:;base64,"])
def test_an_image_in_a_data_uri_is_the_image(uri):
    """It was paid for, and what it is stands in its magic bytes; also as the second of two."""
    body = body_of(PNG64, rest="").replace(b"]", f',"{uri}{PNG64}"]'.encode())
    for size in (1, 2, 3, 7, 25, 40, 1000):
        found, _ = decode_body(body, size)
        assert found == [("png", PNG)] * 2


def outcome(body, chunks):
    """The bytes of the images and what is wrong with the answer."""
    decoder, data = JsonDecoder(), b""
    try:
        for chunk in chunks:
            data += b"".join(event for event in decoder.feed(chunk) if isinstance(event, bytes))
        decoder.close()
    except DecodeError as exc:
        return data, str(exc), exc.offset
    return data, None, None


@settings(deadline=None, max_examples=300)
@given(
    start=st.text("data:;base64,imge/\\u0", max_size=12).map(lambda text: f"data{text}")
    | st.sampled_from(["d", "da", "dat", "data", "data:", "data:image/png,", "data:" + "x" * 64 + ";base64,"])
    | st.integers(60, 90).map(lambda size: "data:" + "x" * size + ";base64,"),
    places=st.lists(st.floats(0, 1), max_size=6),
)
def test_what_only_begins_like_a_data_uri_is_judged_the_same_in_any_chunks(start, places):
    body = body_of(start + PNG64, rest="")
    whole = outcome(body, [body])
    for chunks in (cut(body, places), pieces(body, 1)):
        assert outcome(body, chunks) == whole


def test_a_chunk_is_consumed_as_it_comes_and_nothing_waits_for_the_end():
    decoder = JsonDecoder()
    assert decoder.feed(HEAD) == []
    assert decoder.feed(PNG64[:16].encode()) == [ImageBegins(0, "png"), PNG[:12]]
    assert decoder.feed(PNG64[16:21].encode()) == [PNG[12:15]]
    assert decoder.feed(b"") == []


def held(decoder: JsonDecoder) -> int:
    images = decoder._images
    inner = [getattr(images, name) for name in type(images).__slots__]
    return sum(sys.getsizeof(value) for value in [*vars(decoder).values(), *inner])


@settings(deadline=None, max_examples=40)
@given(size=st.integers(0, 200_000), step=st.integers(1_000, 70_000))
def test_what_is_held_between_two_chunks_does_not_grow_with_the_image(size, step):
    body = body_of(base64.b64encode(picture("webp", bytes(size))).decode(), rest=',"id":"x"')
    decoder = JsonDecoder()
    for chunk in pieces(body, step):
        decoder.feed(chunk)
        assert held(decoder) < 4096
    assert decoder.close() == {"id": "x"}


def peak_of(decoder: AnswerDecoder, first: bytes, chunk: bytes, times: int, last: bytes) -> int:
    """The most memory that was in use at once, with each chunk's events dropped at once."""
    tracemalloc.start()
    try:
        decoder.feed(first)
        for _ in range(times):
            decoder.feed(chunk)
        decoder.feed(last)
        decoder.close()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("cut_groups", [0, 1, 2, 3], ids=lambda shift: f"shifted-{shift}")
def test_twenty_megabytes_of_image_take_less_than_one_of_memory(cut_groups):
    first = HEAD + base64.b64encode(MAGIC["png"]) + b"A" * cut_groups
    chunk = base64.b64encode(random.Random(1).randbytes(48 * 1024))
    last = b"A" * (-cut_groups % 4) + base64.b64encode(END["png"]) + b'"]}'
    assert peak_of(JsonDecoder(), first, chunk, 427, last) < 1_000_000


def test_twenty_megabytes_of_binary_image_take_less_than_one_of_memory():
    assert peak_of(BinaryDecoder(), MAGIC["png"], bytes(65_536), 320, END["png"]) < 1_000_000


def test_twenty_megabytes_of_echoed_request_take_less_than_one_of_memory():
    first = HEAD + PNG64.encode() + b'"],"request":"'
    assert peak_of(JsonDecoder(), first, b"\\n/" * 21_845, 320, b'"}') < 1_000_000


# Bounds: at, and one above.


def two_images() -> bytes:
    return body_of(PNG64, PNG64, rest=',"id":"x"')


@pytest.mark.parametrize("size", [1, 10, 1000])
@pytest.mark.parametrize(
    ("bound", "at", "message"),
    [
        ("image_bytes", 2 * len(PNG), "larger than"),
        ("images", 2, "more than"),
    ],
)
def test_a_bound_admits_what_is_at_it_and_refuses_one_more(bound, at, message, size):
    assert len(decode_body(two_images(), size, **{bound: at})[0]) == 2
    error = refusal(two_images(), size, **{bound: at - 1})
    assert f"{message} {at - 1}" in str(error)
    assert 0 < error.offset <= len(two_images())


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_string_at_the_bound_is_kept_and_one_above_it_is_left_out(size):
    body = body_of(PNG64, rest=',"a":"' + "x" * 20 + '","b":"' + "y" * 21 + '","c":"' + "\\n" * 11 + '"')
    _, fields = decode_body(body, size, string_bytes=20)
    assert fields == {"a": "x" * 20, "b": "[21 bytes left out]", "c": "[22 bytes left out]"}


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_key_at_the_bound_is_kept_and_one_above_it_is_told_by_its_length(size):
    assert decode_body(body_of(PNG64, rest=',"kkkkkkkkkk":1'), size, string_bytes=10)[1] == {"k" * 10: 1}
    body = body_of(PNG64, rest=',"kkkkkkkkkkk":1')
    assert decode_body(body, size, string_bytes=10) == ([("png", PNG)], {"[11 bytes left out]": 1})


@pytest.mark.parametrize("size", [1, 10, 1000])
@pytest.mark.parametrize("first", [False, True], ids=["behind", "before"])
@pytest.mark.parametrize(
    ("bound", "at"), [("field_bytes", len('{"images":["",""],"request":[[["x"]]]}')), ("depth", 4)]
)
def test_fields_at_their_bound_are_kept_and_above_it_left_out(bound, at, first, size):
    request, images = '"request":[[["x"]]]', f'"images":["{PNG64}","{PNG64}"]'
    body = ("{" + (f"{request},{images}" if first else f"{images},{request}") + "}").encode()
    assert decode_body(body, size, **{bound: at}) == ([("png", PNG)] * 2, {"request": [[["x"]]]})
    assert decode_body(body, size, **{bound: at - 1}) == ([("png", PNG)] * 2, {})


@pytest.mark.parametrize("field", [b'"xxxx",', b"[[{}]],", b'{"k":"v"},'])
def test_fields_beyond_their_bound_take_no_memory(field):
    decoder = JsonDecoder(AnswerLimits(field_bytes=10_000))
    first = b'{"images":["%s"],"more":[' % PNG64.encode()
    assert peak_of(decoder, first, field * (1_000 // len(field)), 300, b"]}") < 100_000
    assert decoder.close() == {}


def test_the_bound_on_images_names_the_place_of_the_first_one_too_many():
    assert refusal(two_images(), images=1).offset == two_images().rindex(b'"' + PNG64.encode())


@pytest.mark.parametrize("size", [1, 1000])
def test_fields_beyond_their_bound_without_images_are_no_answer(size):
    error = refusal(b'{"id":"' + b"x" * 100 + b'"}', size, field_bytes=50)
    assert "no 'images' and is beyond AnswerLimits.field_bytes" in str(error)


def test_the_binary_bound_on_bytes_admits_what_is_at_it_and_refuses_one_more():
    assert decode(BinaryDecoder(AnswerLimits(image_bytes=len(PNG))), [PNG])[0] == [("png", PNG)]
    with pytest.raises(DecodeError, match="larger than") as caught:
        decode(BinaryDecoder(AnswerLimits(image_bytes=len(PNG) - 1)), pieces(PNG, 8))
    assert caught.value.offset == 24


# Faults.


@pytest.mark.parametrize("size", [1, 3, 4, 5, 1000])
@pytest.mark.parametrize("bad", ["!", "-", "_", " ", "\n", "é", "\0", "=", "A=", "AA=A"])
@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 22])
def test_invalid_base64_is_refused_at_its_byte(bad, at, size):
    kept = len(bad) - len(bad.lstrip("A"))
    error = refusal(body_of(PNG64[:at] + bad + PNG64[at:]), size)
    if (at + kept) % 4 >= 2 and "=" in bad:
        assert len(HEAD) + at <= error.offset <= len(HEAD) + at + kept + 3  # it may have been padding
    else:
        assert error.offset == len(HEAD) + at + kept
    assert "images[0]: " in str(error)


@pytest.mark.parametrize("size", [1, 3, 4, 5, 7, 1000])
@pytest.mark.parametrize(
    ("image", "offset"),
    [
        pytest.param("\\/\\/\\/\\/AAAA!AAA", 12, id="after-escaped-slashes"),
        pytest.param("\\u002f\\u002f\\u002f\\u002fAAAA!AAA", 28, id="after-unicode-escapes"),
        pytest.param("AAAAAAAA\\nAAA", 8, id="newline-escape"),
        pytest.param("AAAAAA\\\\AAAA", 6, id="escaped-backslash"),
        pytest.param("AAAAA\\u00e9AA", 5, id="escape-beyond-ascii"),
        pytest.param("AAAAA\\uzzzzAA", 5, id="no-escape-at-all"),
        pytest.param("QQ==AAAA", 4, id="more-after-padding"),
        pytest.param("AAAAQQ==QQ==", 8, id="padding-twice"),
        pytest.param("AAAA\\u0021AAA", 4, id="escaped-character-that-is-no-base64"),
    ],
)
def test_the_byte_of_a_fault_does_not_depend_on_chunks_or_escapes(image, offset, size):
    assert refusal(body_of(image), size).offset == len(HEAD) + offset


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_the_second_image_is_named_when_it_is_the_broken_one(size):
    body = body_of(PNG64, "AAAA!AAA")
    error = refusal(body, size)
    assert "images[1]: invalid base64" in str(error)
    assert error.offset == body.index(b"!")


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize("missing", [1, 2, 3])
def test_missing_padding_is_refused_at_the_closing_quote(missing, size):
    image = base64.b64encode(PNG + b"xx").decode().rstrip("=") if missing == 1 else PNG64[:-missing]
    body = body_of(image)
    error = refusal(body, size)
    assert "padding is missing" in str(error)
    assert error.offset == len(HEAD) + len(image)


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("body", [SMALL, two_images()])
def test_an_end_is_early_until_the_images_are_whole(body, size):
    whole = body.index(b"]") + 1
    for end in range(whole):
        error = refusal(body[:end], size)
        assert "the answer ends early" in str(error)
        assert error.offset == end
    for end in range(whole, len(body)):
        assert decode_body(body[:end], size)[0] == [("png", PNG)] * body.count(PNG64.encode())


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    "body",
    [b"[]", b'["x"]', b'"x"', b"1", b"null", b"true", b"[%s]" % SMALL, b"<html>", b"{'a': 1}", b" \n"],
    ids=repr,
)
def test_what_is_no_object_is_refused(body, size):
    refusal(body, size)


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", "no 'images'"),
        (b'{"id":"x"}', "no 'images'"),
        (b'{"images":null}', "no 'images'"),
        (b'{"images":[]}', "'images' in the answer is empty"),
        (b'{"images":"' + PNG64.encode() + b'"}', "no list of strings"),
        (b'{"images":{"0":"' + PNG64.encode() + b'"}}', "no list of strings"),
        (b'{"images":[null]}', "no list of strings"),
        (b'{"images":[1]}', "no list of strings"),
        (b'{"images":[["' + PNG64.encode() + b'"]]}', "no list of strings"),
        (b'{"images":[{"b64":"' + PNG64.encode() + b'"}]}', "no list of strings"),
        (b'{"images":[""]}', "images[0] is empty"),
        (b'{"images":["' + PNG64.encode() + b'",""]}', "images[1] is empty"),
        (b'{"images":["' + PNG64.encode() + b'"],"images":["' + PNG64.encode() + b'"]}', "twice"),
        (b'{"images":["' + PNG64.encode() + b'"],"\\u0069mages":[]}', "twice"),
        (b'{"data":{"images":["' + PNG64.encode() + b'"]}}', "no 'images'"),
        (b'{"id":NaN,"images":[]}', "no valid JSON"),
        (b'{"\\x":1,"images":null}', "no valid JSON"),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else value,
)
def test_images_that_are_not_a_list_of_images_are_refused(body, message, size):
    assert message in str(refusal(body, size))


_LIST = b'{"images":["' + PNG64.encode() + b'"]'


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    "body",
    [
        _LIST[:-1] + b",null]}",
        _LIST[:-1] + b",[]]}",
        _LIST[:-1] + b",]}",
        _LIST[:-1] + b"}}",
        _LIST.replace(b":", b" ") + b"}",
        _LIST + b',"images":null}',
        _LIST + b',"id":"\x80"}',
        _LIST + b',"id":"a\nb"}',
        _LIST + b',"id":NaN}',
        _LIST + b',"id":1e999}',
        _LIST + b',"id":' + b"9" * 400 + b"}",
        _LIST + b',"\\x":1}',
        b'{"\\x":1,' + _LIST[1:] + b"}",
        b'{"id":NaN,' + _LIST[1:] + b"}",
        b'{"id":' + b"[" * 2000 + b"]" * 2000 + b"," + _LIST[1:] + b"}",
        b"\xef\xbb\xbf" + _LIST + b"}",
        _LIST + b"}}",
        _LIST + b"}]",
    ],
    ids=lambda value: repr(value.replace(PNG64.encode(), b"..."))[:40],
)
def test_whatever_is_wrong_with_the_rest_a_whole_image_is_an_image(body, size):
    found, fields = decode_body(body, size)
    assert found == [("png", PNG)]
    assert not fields


def test_the_last_images_of_two_counts_when_the_first_is_null():
    body = b'{"images":null,"images":["' + PNG64.encode() + b'"]}'
    assert decode_body(body) == ([("png", PNG)], {})


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    "garbage", [b"x", b"{}", b"[]", b'"', b'"x"', b",", b"}", b"]", b"\0", b"1", SMALL], ids=repr
)
def test_anything_after_the_object_costs_the_fields_only(garbage, size):
    assert decode_body(SMALL + garbage, size) == ([("png", PNG)], {})
    assert decode_body(SMALL + b" \n" + garbage, size) == ([("png", PNG)], {})
    assert decode_body(SMALL + b" \r\n\t", size)[0] == [("png", PNG)]


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_bracket_too_many_is_refused_at_its_byte(size):
    assert refusal(b'{"a":1}}', size).offset == 7
    assert refusal(b"]", size).offset == 0


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_bytes_of_no_known_format_are_handed_out_and_refused_at_the_close(size):
    decoder = JsonDecoder()
    body = body_of(PNG64, base64.b64encode(b"<html>no image").decode())
    events = [event for chunk in pieces(body, size) for event in decoder.feed(chunk)]
    assert [event for event in events if isinstance(event, ImageBegins)] == [
        ImageBegins(0, "png"),
        ImageBegins(1, None),
    ]
    with pytest.raises(DecodeError, match=r"images\[1\] is no JPEG, PNG or WebP image"):
        decoder.close()


@pytest.mark.parametrize("decoder", [JsonDecoder(), BinaryDecoder()])
def test_an_image_too_short_to_be_one_is_refused_in_either_kind_of_answer(decoder):
    image = MAGIC["jpeg"][:3]
    body = body_of(base64.b64encode(image).decode()) if isinstance(decoder, JsonDecoder) else image
    with pytest.raises(DecodeError):
        decode(decoder, [body])


@pytest.mark.parametrize("decoder", [JsonDecoder, BinaryDecoder])
@pytest.mark.parametrize("kind", sorted(MAGIC))
def test_an_image_without_its_end_is_handed_on_and_refused_at_the_close(kind, decoder):
    """However much of it is missing, and however the body was cut into chunks."""
    image = picture(kind, random.Random(2).randbytes(100))
    for missing in (1, 12, 50, 100):
        short = image[:-missing]
        body = body_of(base64.b64encode(short).decode()) if decoder is JsonDecoder else short
        for size in (1, 7, 1000):
            tried = decoder()
            fed = [event for chunk in pieces(body, size) for event in tried.feed(chunk)]
            assert fed[0] == ImageBegins(0, kind)
            assert b"".join(fed[1:]) == short
            with pytest.raises(DecodeError, match=rf"images\[0\] is cut short, a {kind} image"):
                tried.close()


@pytest.mark.parametrize("kind", sorted(MAGIC))
def test_a_few_bytes_behind_the_end_of_an_image_are_let_be(kind):
    image = picture(kind, b"inside") + bytes(20)
    assert decode(BinaryDecoder(), [image])[0] == [(kind, image)]


def test_an_image_that_is_cut_short_does_not_hide_the_one_behind_it():
    body = body_of(base64.b64encode(PNG[:-1]).decode(), PNG64)
    decoder = JsonDecoder()
    assert decoder.feed(body) == [ImageBegins(0, "png"), PNG[:-1], ImageBegins(1, "png"), PNG]
    with pytest.raises(DecodeError, match=r"images\[0\] is cut short"):
        decoder.close()


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("\\ud800", "\ufffd"),
        ("\\udc00", "\ufffd"),
        ("a\\ud83e", "a\ufffd"),
        ("\\ud83e\\udd8a", "\N{FOX FACE}"),
        ("\\ud83e\\udd8a\\ud83e", "\N{FOX FACE}\ufffd"),
        ("\\ud83e\\ud83e\\udd8a", "\ufffd\N{FOX FACE}"),
        ("\\ud83e\\udd8a\\udd8a", "\N{FOX FACE}\ufffd"),
        ("\\\\ud800", "\\ud800"),
        ("\\\\ud800 \\ud800", "\\ud800 \ufffd"),
        ("\\\\\\ud800", "\\\ufffd"),
        ("\\\\ud83e\\udd8a", "\\ud83e\ufffd"),
        ("\\ud83e\\\\udd8a", "\ufffd\\udd8a"),
    ],
)
def test_a_lone_surrogate_in_an_echoed_string_does_not_cost_the_image(text, prompt):
    found, fields = decode_body(body_of(PNG64, rest=f',"request":"{text}"'))
    assert found == [("png", PNG)]
    assert fields == {"request": prompt}


def attempt(chunks: Iterable[bytes]):
    try:
        return decode(JsonDecoder(), chunks)
    except DecodeError:
        return None


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.binary(max_size=80), st.text('{}[]",:\\ imagesA=/u0é', max_size=40).map(str.encode)))
@example(b"")
@example(b'{"images":["\\')
@example(b"{" * 200)
def test_arbitrary_bytes_are_refused_as_a_decode_error_and_nothing_else(body):
    assert attempt([body]) is None
    assert attempt(pieces(body, 1)) is None


@settings(deadline=None, max_examples=400)
@given(
    body=st.one_of(answers, st.just(SMALL)),
    place=st.floats(0, 1),
    removed=st.integers(0, 3),
    added=st.one_of(st.binary(max_size=3), st.sampled_from([b'"', b"\\", b"=", b"[", b"}", b",", b"\\u00"])),
    places=st.lists(st.floats(0, 1), max_size=5),
)
def test_a_damaged_answer_is_judged_alike_in_any_chunks_and_never_read_as_something_else(
    body, place, removed, added, places
):
    at = int(place * len(body))
    body = body[:at] + added + body[at + removed :]
    found = attempt([body])
    assert attempt(cut(body, places)) == found
    assert attempt(pieces(body, 1)) == found
    if found is not None and found[1]:
        images, fields = reference(body)
        assert [data for _, data in found[0]] == images
        assert found[1].keys() == fields.keys()


# Binary answers.


@settings(deadline=None)
@given(image=pictures, places=st.lists(st.floats(0, 1), max_size=8))
def test_a_binary_answer_in_any_chunks_is_the_image(image, places):
    for chunks in (cut(image, places), pieces(image, 1), [image, b""]):
        found, fields = decode(BinaryDecoder(), chunks)
        assert [data for _, data in found] == [image]
        assert found[0][0] in MAGIC
        assert fields is None


@settings(deadline=None)
@given(body=st.binary(max_size=60), size=st.integers(1, 61))
def test_arbitrary_binary_bytes_are_an_image_or_a_decode_error(body, size):
    ends = {b"\x89PNG\r\n\x1a\n": b"IEND\xaeB`\x82", b"\xff\xd8\xff": b"\xff\xd9"}
    is_image = len(body) >= 12 and any(body.startswith(head) and ends[head] in body for head in ends)
    decoder = BinaryDecoder()
    fed = b"".join(
        event for chunk in pieces(body, size) for event in decoder.feed(chunk) if type(event) is bytes
    )
    if is_image:
        assert decoder.close() is None
        assert fed == body
    else:
        with pytest.raises(DecodeError):
            decoder.close()


@pytest.mark.parametrize("length", [0, 1, 11])
def test_a_binary_answer_shorter_than_any_image_is_refused_at_its_end(length):
    decoder = BinaryDecoder()
    decoder.feed(PNG[:length])
    with pytest.raises(DecodeError, match=f"only {length} bytes long" if length else "empty") as caught:
        decoder.close()
    assert caught.value.offset == length


def test_a_binary_answer_of_another_format_is_announced_as_unknown_and_refused_at_the_close():
    decoder = BinaryDecoder()
    assert decoder.feed(b"GIF89a" + bytes(20)) == [ImageBegins(0, None), b"GIF89a" + bytes(20)]
    with pytest.raises(DecodeError, match="no JPEG, PNG or WebP"):
        decoder.close()


@pytest.mark.parametrize("size", [None, 1])
def test_a_string_that_is_left_out_counts_for_no_field_however_it_is_cut(size):
    body = body_of(PNG64, rest=f',"a":"{"x" * 40}","b":"{"y" * 100}"')
    _, fields = decode_body(body, size, field_bytes=120, string_bytes=80)
    assert fields["b"] == "[100 bytes left out]"
