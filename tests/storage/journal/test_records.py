"""Requests, answers and errors as a journal keeps them."""

import errno
import json
import math
import sqlite3
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async import errors
from venice_async.errors import BatchError, Fault, StatusError, StorageError, ValidationError, VeniceError
from venice_async.storage.journal.records import (
    KeptFile,
    dump_answer,
    dump_error,
    dump_files,
    dump_metadata,
    dump_request,
    load_answer,
    load_error,
    load_files,
    load_request,
    picture_digest,
)
from venice_async.types.limits import Range, RequestLimits
from venice_async.types.request import ImageRequest, Inpaint, InpaintMask, StyleReference
from venice_async.types.response import Answer, Deprecation, Moderation, RateLimitSnapshot, Timing

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
finite = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
KNOWN = {field.name for field in attrs.fields(ImageRequest)}
flags = st.none() | st.booleans()
pictures = {
    "inpaint": st.none()
    | st.builds(
        Inpaint,
        strength=st.integers(0, 100),
        source_image_base64=words,
        mask=st.none()
        | st.builds(InpaintMask, image_prompt=words, object_target=words, inferred_object=words),
    ),
    "style_references": st.none()
    | st.lists(
        st.builds(StyleReference, image=words, strength=st.none() | st.floats(0.1, 1)),
        min_size=1,
        max_size=3,
    ),
}
requests = st.builds(
    ImageRequest,
    words,
    model=words,
    negative_prompt=st.none() | words,
    style_preset=st.none() | words,
    width=st.none() | st.integers(1, 1280),
    height=st.none() | st.integers(1, 1280),
    steps=st.none() | st.integers(1, 50),
    cfg_scale=st.none() | st.integers(1, 20) | st.floats(0, 20, exclude_min=True),
    seed=st.none() | st.integers(-999999999, 999999999),
    lora_strength=st.none() | st.integers(0, 100),
    safe_mode=flags,
    return_binary=st.none() | st.just(False),
    transparent_background=st.none() | st.just(False),
    anon_user_id=st.none() | st.sampled_from(["a", "user 7|team"]),
    hide_watermark=flags,
    format=st.none() | st.sampled_from(["jpeg", "png", "webp"]),
    variants=st.none() | st.integers(1, 4),
    aspect_ratio=st.none() | words,
    resolution=st.none() | words,
    quality=st.none() | st.sampled_from(["low", "medium", "high"]),
    embed_exif_metadata=flags,
    enable_web_search=flags,
    enhance_prompt=flags,
    disable_prompt_optimization_thinking=flags,
    extra=st.dictionaries(words.filter(lambda name: name not in KNOWN), json_values, max_size=2),
    metadata=st.dictionaries(words, json_values, max_size=2),
    limits=st.just(RequestLimits.SCHEMA),
    **pictures,
)


# Requests


@settings(deadline=None, max_examples=100)
@given(requests)
def test_a_request_is_read_back_as_it_was(request):
    again = load_request(*dump_request(request), dump_metadata(request))
    assert again == request
    assert repr(again) == repr(request)
    assert again.metadata == request.metadata


def test_every_field_of_a_request_is_tried_above():
    assert set(requests.wrapped_strategy.kwargs) >= KNOWN - {"prompt", "model"}


@pytest.mark.parametrize("number", [2**63, 2**64 + 1, -(2**63) - 1, 10**40, -(10**19) - 1])
def test_integers_beyond_64_bits_stay_exact(number):
    request = ImageRequest("a fox", model="m", extra={"new": [number, {"deep": number}]})
    assert load_request(*dump_request(request)).extra["new"][0] == number
    both = attrs.evolve(request, inpaint=Inpaint(strength=5, source_image_base64="QUJD"))
    again = load_request(*dump_request(both))
    assert again == both
    assert type(again.extra["new"][1]["deep"]) is int


def test_a_request_comes_back_whatever_limits_it_was_made_under():
    """It was valid for whoever made it."""
    wide = RequestLimits(prompt=Range(1, 10**6), steps=Range(0, 10**6), width=Range(0, 10**6))
    request = ImageRequest("x" * 5000, model="m", steps=5000, width=9999, limits=wide)
    assert load_request(*dump_request(request)) == request


def test_a_fields_name_that_is_new_to_us_comes_back_in_extra():
    again = load_request(b'{"prompt": "a", "model": "m", "newer": [1, null]}', None)
    assert again == ImageRequest("a", model="m", extra={"newer": [1, None]})


def test_pictures_are_kept_apart():
    """Two requests that differ in their prompts alone share them."""
    one, other = (
        ImageRequest(prompt, model="m", style_references=[StyleReference(image="QUJD")], seed=seed)
        for prompt, seed in (("a", 1), ("b", None))
    )
    (body, shared), (_, again) = dump_request(one), dump_request(other)
    assert b"QUJD" not in body
    assert picture_digest(shared) == picture_digest(again)
    assert dump_request(ImageRequest("a", model="m"))[1] is None


# Files and answers


@given(st.lists(st.builds(KeptFile, words, words, st.integers(0, 2**60)), max_size=4))
def test_files_are_read_back_as_they_were(files):
    assert load_files(dump_files(files)) == tuple(files)
    assert load_files(None) == ()


answers = st.fixed_dictionaries(
    {},
    optional={
        "id": st.none() | words,
        "timing": st.builds(
            Timing,
            inference_duration=finite,
            inference_preprocessing_time=finite,
            inference_queue_time=st.integers(0, 10**6),
            total=finite,
        ),
        "request": json_values,
        "moderation": st.builds(Moderation, is_blurred=flags, contains_minor=flags),
        "rate_limit": st.builds(RateLimitSnapshot, limit=st.integers(0, 100)),
        "deprecation": st.none() | st.builds(Deprecation, deprecated=words, model_date=st.none() | words),
        "balance_usd": st.none() | finite,
        "balance_diem": st.none() | finite,
        "request_id": st.none() | st.text(max_size=20),
        "model": st.none() | words,
        "version": st.none() | words,
        "enhanced_prompt": st.none() | st.text(max_size=20),
        "extra": st.dictionaries(words, json_values, max_size=2),
    },
)


@settings(deadline=None, max_examples=100)
@given(answers)
def test_an_answer_is_read_back_but_for_the_echo_and_the_rate_limit(answer):
    files = (KeptFile("a/b.webp", "00", 17), KeptFile("a/c.webp", "11", 18))
    again = load_answer(dump_answer(answer), Path("/out"), files)
    expected = Answer(**{**answer, "request": None, "rate_limit": RateLimitSnapshot()})
    assert {field.name: getattr(again, field.name) for field in attrs.fields(Answer)} == {
        field.name: getattr(expected, field.name) for field in attrs.fields(Answer)
    }
    assert again.paths == (Path("/out/a/b.webp"), Path("/out/a/c.webp"))
    assert again.sizes == (17, 18)


def test_every_field_of_an_answer_is_tried_above():
    tried = (
        {**answers.wrapped_strategy.optional} if hasattr(answers, "wrapped_strategy") else answers.optional
    )
    assert set(tried) == {field.name for field in attrs.fields(Answer)}


def test_without_an_answer_there_are_the_files_alone():
    """As for images that were taken over after a crash."""
    found = load_answer(None, Path("/out"), (KeptFile("a.webp", "00", 17),))
    assert (found.paths, found.id, found.timing) == ((Path("/out/a.webp"),), None, None)


# Errors

texts = st.text(max_size=30) | st.just("a lone \ud800 surrogate \udfff") | st.just("\0")
CLASSES = sorted(
    (
        cls
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, VeniceError) and cls is not BatchError
    ),
    key=lambda cls: cls.__name__,
)
objects = st.dictionaries(st.text(max_size=5), json_values | texts, max_size=2)


def built(cls, text, data):
    """An error of a class, with all that it can carry."""
    draw = data.draw
    if issubclass(cls, StatusError):
        return cls(
            text,
            status=draw(st.integers(300, 599)),
            code=draw(st.none() | texts),
            request_id=draw(st.none() | texts),
            details=draw(st.dictionaries(texts, st.lists(texts, max_size=2).map(tuple), max_size=2)),
            retry_after=draw(st.none() | st.floats(0, 1e9)),
            body=draw(st.none() | objects),
        )
    if issubclass(cls, StorageError) and draw(st.booleans()):
        return cls(errno.ENOSPC, text, draw(st.none() | texts))
    match cls.__name__:
        case "ContentBlockedError":
            found = Moderation(is_content_violation=True, is_blurred=draw(st.none() | st.booleans()))
            return cls(text, moderation=found, request_id=draw(st.none() | texts))
        case "UnconfirmedError" | "UnconfirmedTimeoutError":
            return cls(text, status=draw(st.none() | st.just(504)), request_id=draw(st.none() | texts))
        case "DecodeError":
            return cls(text, offset=draw(st.none() | st.integers(0, 2**70)), billed=draw(st.booleans()))
        case "LongWaitError":
            return cls(text, until=draw(st.floats(0, 1e10)))
        case "ValidationError":
            value = json_values | texts | st.binary(max_size=3) | st.just(math.nan) | st.just("x" * 3000)
            fault = st.builds(Fault, texts, value, texts, texts)
            return cls(draw(st.lists(fault, min_size=1, max_size=3)))
    return cls(text)


def seen(error):
    """All that can be seen of an error from outside, a faulty value apart."""
    state = {name: value for name, value in vars(error).items() if name != "faults"}
    told = {name: getattr(error, name, None) for name in ("errno", "strerror", "filename", "args")}
    faults = [(fault.field, fault.expected, fault.hint) for fault in getattr(error, "faults", ())]
    return type(error), str(error), state, told, faults


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@settings(deadline=None, max_examples=20)
@given(text=texts, notes=st.lists(texts, max_size=2), data=st.data())
def test_an_error_is_read_back_with_its_fields_and_notes(cls, text, notes, data):
    error = built(cls, text, data)
    for note in notes:
        error.add_note(note)
    told = dump_error(error)
    again = load_error(told)
    assert seen(again) == seen(error)
    assert getattr(again, "__notes__", []) == notes
    assert seen(load_error(dump_error(again))) == seen(error)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@settings(deadline=None, max_examples=5)
@given(text=texts, data=st.data())
def test_what_is_kept_of_an_error_is_json_that_sqlite_reads(cls, text, data):
    """By its type, its status and its code failures are grouped."""
    told = dump_error(built(cls, text, data))
    connection = sqlite3.connect(":memory:")
    try:
        (kind,) = connection.execute("SELECT json_extract(CAST(? AS TEXT), '$.type')", (told,)).fetchone()
    finally:
        connection.close()
    assert kind == cls.__name__
    assert json.loads(told)["type"] == cls.__name__


def test_a_faulty_value_is_kept_as_it_is_shown():
    error = load_error(dump_error(ValidationError([Fault("steps", [1] * 500, "0 < x < 50", "less")])))
    assert error.faults[0].value == repr([1] * 500)[:200]
    assert str(error).startswith("steps = [1, 1")


def test_an_error_of_a_kind_that_is_not_known_is_a_plain_one():
    """Such as one that a newer version has written."""
    error = load_error(b'{"type": "NewerError", "args": ["what it said"], "state": {"status": 7}}')
    assert type(error) is VeniceError
    assert str(error) == "what it said"


@pytest.mark.parametrize("name", ["__builtins__", "os", "rebuild", "Fault", "attrs", "Any"])
def test_nothing_but_an_error_is_made_of_what_is_kept(name):
    told = json.dumps({"type": name, "args": ["x"], "state": {}}).encode()
    assert type(load_error(told)) is VeniceError
