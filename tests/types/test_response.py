"""What comes back, as values."""

import copy
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.types.frozen import FrozenDict, freeze, is_unicode
from venice_async.types.response import (
    MAGIC_BYTES,
    Answer,
    ImageData,
    ImageResponse,
    Moderation,
    SavedImages,
    Timing,
    detect_format,
)

TIMING = Timing(inference_duration=1, inference_preprocessing_time=2, inference_queue_time=3, total=6)


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\r", "png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1", "jpeg"),
        (b"RIFF\x10\x20\x30\x40WEBP", "webp"),
        (b"RIFF\x10\x20\x30\x40WAVE", None),
        (b"GIF89a\0\0\0\0\0\0", None),
        (b"\x89PNG\n\x1a\n\0\0\0\0\r", None),
        (b"<html><body>", None),
        (bytes(12), None),
    ],
)
def test_the_first_twelve_bytes_tell_the_format(head, found):
    assert len(head) == MAGIC_BYTES
    assert detect_format(head) == found
    assert detect_format(head + b"more") == found


@pytest.mark.parametrize("head", [b"", b"\x89PNG\r\n\x1a", b"\xff\xd8", b"RIFF\x10\x20\x30\x40WEB"])
def test_too_few_bytes_tell_no_format(head):
    assert detect_format(head) is None


@pytest.mark.parametrize(
    "field", ["is_blurred", "is_content_violation", "is_adult_model_content_violation", "contains_minor"]
)
def test_moderation_is_flagged_when_any_of_the_four_is_true(field):
    assert Moderation(**{field: True}).is_flagged is True
    assert Moderation(**{field: False}).is_flagged is False
    assert Moderation().is_flagged is False


def test_what_the_answer_did_not_say_is_none():
    answer = Answer()
    said = (answer.id, answer.timing, answer.request, answer.balance_usd, answer.enhanced_prompt)
    assert said == (None,) * 5
    assert answer.moderation.is_blurred is None
    assert answer.rate_limit.remaining is None
    assert answer.extra == {}


def test_the_image_is_the_first_of_the_images():
    images = (ImageData(b"one", "png"), ImageData(b"two", "webp"))
    assert ImageResponse(images=images).image is images[0]


def test_the_path_is_the_first_of_the_paths():
    assert SavedImages(paths=(Path("a.png"), Path("b.png")), sizes=(1, 2)).path == Path("a.png")


def test_the_repr_of_an_answer_shows_neither_image_nor_echoed_request():
    shown = repr(ImageResponse(images=(ImageData(b"SECRET", "png"),), request={"prompt": "SECRET"}))
    assert "SECRET" not in shown
    assert "<6 bytes>" in shown


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_an_answer_survives_copy_and_pickle(copied):
    made = ImageResponse(
        images=(ImageData(b"x", "png"),),
        timing=TIMING,
        request={"images": ["x", {"y": None}]},
        extra={"new": [1]},
    )
    assert copied(made) == made
    assert hash(copied(made)) == hash(made)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("ab\u00e9"), inner, max_size=3)
    ),
    max_leaves=8,
)


def thaw(value):
    if isinstance(value, FrozenDict):
        return {key: thaw(item) for key, item in value.items()}
    return [thaw(item) for item in value] if isinstance(value, tuple) else value


@settings(deadline=None)
@given(json_values)
def test_any_frozen_json_can_be_hashed_and_holds_what_it_was_made_from(value):
    frozen = freeze(value)
    hash(frozen)
    assert thaw(frozen) == value
    assert freeze(frozen) == frozen


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.integers(), max_size=3))
def test_a_frozen_mapping_equals_the_mapping_it_was_made_from_in_any_order(value):
    frozen, turned = FrozenDict(value), FrozenDict(dict(reversed(value.items())))
    assert frozen == value == turned
    assert hash(frozen) == hash(turned)
    assert repr(frozen) == repr(value)


@pytest.mark.parametrize("value", [{"a": [1, 2]}, {"a": {"b": [{}]}}, {"a": []}], ids=repr)
def test_a_frozen_mapping_with_lists_in_it_equals_the_mapping_it_was_made_from(value):
    assert freeze(value) == value


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), b"x", {1}, "\ud800", {"a": [b"x"]}, {1: 2}, {"\ud800": 1}, 1j],
    ids=ascii,
)
def test_what_json_cannot_say_is_refused(value):
    with pytest.raises(TypeError, match="no JSON"):
        freeze(value)


@pytest.mark.parametrize(
    ("text", "fits"),
    [("", True), ("abc", True), ("\N{FOX FACE}", True), ("\ud83e", False), ("a\udc00", False)],
)
def test_a_lone_surrogate_is_no_unicode(text, fits):
    assert is_unicode(text) is fits
