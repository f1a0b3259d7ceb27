"""Requests to JSON and back, and answers from JSON."""

import json
import os
import subprocess
import sys

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.errors import DecodeError, Fault, ValidationError
from venice_async.types.catalogue import ImageModel, KeyRateLimits, ModelDeprecation, Prices
from venice_async.types.limits import RequestLimits
from venice_async.types.request import NEVER_SENT, ImageRequest, Inpaint, InpaintMask, StyleReference
from venice_async.types.response import Answer, Timing
from venice_async.wire.codec import (
    encode_request,
    fingerprint,
    parse_answer,
    parse_models,
    parse_rate_limits,
    parse_styles,
    structure_request,
)

REFERENCE_PAGE = {
    "model": "fluently-xl",
    "prompt": "A beautiful sunset over a mountain range",
    "negative_prompt": "Clouds, Rain, Snow",
    "style_preset": "3D Model",
    "height": 1024,
    "width": 1024,
    "steps": 30,
    "cfg_scale": 7.5,
    "seed": 123456789,
    "lora_strength": 50,
    "safe_mode": False,
    "return_binary": False,
    "hide_watermark": False,
    "inpaint": {
        "strength": 50,
        "source_image_base64": "...",
        "mask": {
            "image_prompt": (
                "Generate a high-resolution image of a cute lop-eared rabbit with a fluffy coat. The "
                "rabbit should have a light brown and white fur pattern, with the white fur prominently"
                " covering its chest and underside. Its ears should be long and droop down on either "
                "side of its head, with the inner part of the ears showing a delicate pink hue. The "
                "rabbit should have expressive dark eyes and a small, pink nose. It should be sitting "
                "upright on a soft, light blue cushion, with a cozy, indoor setting in the background "
                "that includes a neutral-toned wall and wooden elements. The overall mood should be "
                "warm and endearing, capturing the gentle and charming nature of the rabbit."
            ),
            "object_target": "rabbit's face",
            "inferred_object": "rabbit's face wearing round silver spectacles",
        },
    },
}
TIMING = {"inferenceDuration": 1, "inferencePreprocessingTime": 2.5, "inferenceQueueTime": 3, "total": 6.5}
MASK = {"image_prompt": "a", "object_target": "b", "inferred_object": "c"}


def body(fields: dict, **changes) -> dict:
    return {"prompt": "a fox", "model": "m", **fields, **changes}


def refused(data, **limits) -> dict[str, Fault]:
    with pytest.raises(ValidationError) as caught:
        structure_request(data, **limits)
    assert len({fault.field for fault in caught.value.faults}) == len(caught.value.faults)
    return {fault.field: fault for fault in caught.value.faults}


# Encoding.


def test_only_what_was_set_is_sent():
    assert json.loads(encode_request(ImageRequest("a fox", model="m"))) == {"prompt": "a fox", "model": "m"}


def test_zero_false_and_empty_are_sent_because_they_were_set():
    request = ImageRequest("a fox", model="m", seed=0, safe_mode=False, negative_prompt="")
    assert json.loads(encode_request(request)) == body({"seed": 0, "safe_mode": False, "negative_prompt": ""})


def test_limits_and_metadata_are_never_sent():
    beside = {"row": 7}
    request = ImageRequest("a fox", model="m", steps=50, limits=RequestLimits.SCHEMA, metadata=beside)
    assert json.loads(encode_request(request)) == body({"steps": 50})


def test_extra_is_sent_beside_the_fields_as_the_json_it_was():
    extra = {"new": [1, {"deep": [None, True, 2.5, "é", []]}], "images": {}, "null": None}
    request = ImageRequest("a fox", model="m", seed=7, extra=extra)
    assert json.loads(encode_request(request)) == body({"seed": 7}, **extra)


def test_parts_are_sent_without_what_was_not_set_in_them():
    request = ImageRequest(
        "a fox",
        model="m",
        inpaint=Inpaint(strength=0, source_image_base64="QUJD"),
        style_references=[StyleReference(image="QUJD"), StyleReference(image="REVG", strength=1)],
    )
    assert json.loads(encode_request(request)) == body(
        {
            "inpaint": {"strength": 0, "source_image_base64": "QUJD"},
            "style_references": [{"image": "QUJD"}, {"image": "REVG", "strength": 1}],
        }
    )


class Half(float):
    """A float that is no plain float, as numpy's are."""


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        pytest.param({"cfg_scale": Half(7.5)}, {"cfg_scale": 7.5}, id="float-subclass"),
        pytest.param({"extra": {"new": Half(7.5)}}, {"new": 7.5}, id="float-subclass-in-extra"),
        pytest.param({"extra": {"new": 2**64}}, {"new": 2**64}, id="integer-beyond-64-bits"),
        pytest.param({"extra": {"new": -(2**63)}}, {"new": -(2**63)}, id="smallest-64-bit-integer"),
    ],
)
def test_a_request_that_could_be_made_can_be_sent(fields, sent):
    """A value that the encoder cannot write is refused when the request is made, or is written."""
    try:
        request = ImageRequest("a fox", model="m", **fields)
    except ValidationError:
        return
    assert json.loads(encode_request(request)) == body(sent)


def test_deep_extra_is_sent_or_refused_when_the_request_is_made():
    deep = 1
    for _ in range(300):
        deep = {"a": deep}
    try:
        request = ImageRequest("a fox", model="m", extra={"deep": deep})
    except ValidationError:
        return
    assert json.loads(encode_request(request))["deep"] == deep


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        names,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=6,
)
KNOWN = {attribute.name for attribute in attrs.fields(ImageRequest)}
requests = st.builds(
    ImageRequest,
    names,
    model=names,
    negative_prompt=st.none() | names,
    width=st.none() | st.integers(1, 1279),
    cfg_scale=st.none() | st.floats(0, 20, exclude_min=True, exclude_max=True),
    seed=st.none() | st.integers(-999999998, 999999998),
    return_binary=st.none() | st.just(False),
    transparent_background=st.none() | st.just(False),
    anon_user_id=st.none() | st.sampled_from(["a", "user 7|team"]),
    variants=st.none() | st.integers(1, 4),
    format=st.none() | st.sampled_from(["jpeg", "png", "webp"]),
    inpaint=st.none()
    | st.builds(
        Inpaint,
        strength=st.integers(0, 100),
        source_image_base64=names,
        mask=st.none()
        | st.builds(InpaintMask, image_prompt=names, object_target=names, inferred_object=names),
    ),
    style_references=st.none()
    | st.lists(
        st.builds(StyleReference, image=names, strength=st.none() | st.floats(0.1, 1)),
        min_size=1,
        max_size=3,
    ),
    extra=st.dictionaries(names.filter(lambda name: name not in KNOWN), json_values, max_size=2),
)


@settings(deadline=None, max_examples=150)
@given(requests)
def test_what_is_sent_reads_back_as_the_same_request(request):
    sent = json.loads(encode_request(request))
    extra = {name: sent.pop(name) for name in request.extra}
    assert structure_request({**sent, "extra": extra}) == request
    assert None not in sent.values()


# Fingerprints.


def rebuilt(request: ImageRequest) -> ImageRequest:
    """An equal request that shares nothing, its mappings in another order."""
    sent = json.loads(encode_request(request))
    extra = {name: sent.pop(name) for name in reversed(list(request.extra))}
    return structure_request({**dict(reversed(sent.items())), "extra": extra}, limits=RequestLimits.SCHEMA)


@settings(deadline=None, max_examples=100)
@given(requests)
def test_equal_requests_have_one_fingerprint(request):
    assert fingerprint(rebuilt(request)) == fingerprint(request)
    assert len(fingerprint(request)) == 16


@settings(deadline=None, max_examples=50)
@given(requests)
def test_how_an_answer_travels_takes_no_part_in_a_fingerprint(request):
    plain = attrs.evolve(request, variants=None, return_binary=None)
    for changes in (
        {"return_binary": True},
        {"return_binary": False},
        {"limits": RequestLimits.SCHEMA},
        {"metadata": {"row": 7}},
    ):
        assert fingerprint(attrs.evolve(plain, **changes)) == fingerprint(plain)


CHANGES = {
    "prompt": "another",
    "model": "another",
    "negative_prompt": "another",
    "style_preset": "another",
    "width": 1280,
    "height": 1280,
    "steps": 50,
    "cfg_scale": 20,
    "seed": 999999999,
    "lora_strength": 100,
    "safe_mode": False,
    "hide_watermark": False,
    "inpaint": Inpaint(strength=7, source_image_base64="another"),
    "format": "webp",
    "variants": 4,
    "aspect_ratio": "another",
    "resolution": "another",
    "quality": "low",
    "embed_exif_metadata": True,
    "enable_web_search": True,
    "enhance_prompt": True,
    "disable_prompt_optimization_thinking": True,
    "style_references": [StyleReference(image="another")],
    "transparent_background": True,
    "anon_user_id": "another",
    "extra": {"another": None},
}


@settings(deadline=None, max_examples=40)
@given(requests)
def test_any_other_field_that_is_changed_changes_the_fingerprint(request):
    base = attrs.evolve(request, format="png", limits=RequestLimits.SCHEMA)
    prints = {fingerprint(base)}
    changed = [attrs.evolve(base, **{name: value}) for name, value in CHANGES.items()]
    different = [one for one in changed if one != base]
    prints.update(map(fingerprint, different))
    assert len(prints) == 1 + len(different)


def test_every_field_is_changed_above():
    assert set(CHANGES) == KNOWN - {"return_binary"} - NEVER_SENT


@settings(deadline=None, max_examples=100)
@given(requests, requests)
def test_two_requests_share_a_fingerprint_only_if_they_are_equal(one, other):
    same = attrs.evolve(one, return_binary=None) == attrs.evolve(other, return_binary=None)
    assert (fingerprint(one) == fingerprint(other)) is same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"cfg_scale": 4}, {"cfg_scale": 4.0}),
        ({"extra": {"a": [0, 1]}}, {"extra": {"a": (-0.0, 1.0)}}),
        ({"extra": {"a": 10**300}}, {"extra": {"a": 10**300}}),
        ({"extra": {"a": 1e22}}, {"extra": {"a": 10**22}}),
        ({"cfg_scale": Half(7.5)}, {"cfg_scale": 7.5}),
    ],
)
def test_a_whole_number_is_the_same_however_it_is_written(one, other):
    fingerprints = {fingerprint(ImageRequest("a fox", model="m", **fields)) for fields in (one, other)}
    assert len(fingerprints) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [({"a": 1}, {"a": "1"}), ({"a": None}, {}), ({"a": [1, [2]]}, {"a": [1, 2]}), ({"a": 1}, {"a": True})],
)
def test_what_goes_otherwise_on_the_wire_is_another_request(one, other):
    fingerprints = {fingerprint(ImageRequest("a fox", model="m", extra=extra)) for extra in (one, other)}
    assert len(fingerprints) == 2


PINNED = {
    "ImageRequest('a fox', model='m')": "56c0d73710e29a3a9f50ada0a4e80b8a",
    "ImageRequest('ein Fuchs \\u00e4', model='m', cfg_scale=7.5, seed=4,"
    " extra={'z': [1.5, None], 'a': {'y': True, 'x': 2**70}})": "0692c1b141fffb81a4bf6ccb3d50ae86",
}


@pytest.mark.parametrize("text", PINNED)
def test_a_fingerprint_is_the_same_in_every_process(text):
    """And in every later version: journals hold it."""
    assert fingerprint(eval(text)).hex() == PINNED[text]
    program = (
        "from venice_async.types.request import ImageRequest\n"
        "from venice_async.wire.codec import fingerprint\n"
        f"print(fingerprint({text}).hex())"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "12345")
    ]
    assert found == [PINNED[text] + "\n"] * 2


# Structuring.


def test_the_body_of_the_reference_page_goes_through_field_for_field():
    request = structure_request(REFERENCE_PAGE)
    assert request.inpaint.mask.object_target == "rabbit's face"
    assert json.loads(encode_request(request)) == REFERENCE_PAGE
    assert {name for name in REFERENCE_PAGE if getattr(request, name) is None} == set()


def test_the_limits_that_are_passed_decide():
    assert structure_request(body({"steps": 50}), limits=RequestLimits.SCHEMA).steps == 50
    assert refused(body({"steps": 50}))["steps"].hint == "limits=RequestLimits.SCHEMA would admit it"


@pytest.mark.parametrize("data", [None, [], "prompt", 7, [body({})], b"{}"], ids=repr)
def test_what_is_no_object_is_refused(data):
    assert refused(data).keys() == {"request"}


def test_the_data_is_left_as_it_was():
    data = json.loads(json.dumps(REFERENCE_PAGE))
    structure_request(data)
    refused({**data, "width": 0})
    assert data == REFERENCE_PAGE


def test_a_null_is_a_field_that_was_not_set():
    request = structure_request(body({"inpaint": None, "seed": None, "style_references": None}))
    assert request == ImageRequest("a fox", model="m")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", "7"),
        ("seed", True),
        ("seed", 7.0),
        ("steps", 30.5),
        ("cfg_scale", "7.5"),
        ("safe_mode", 1),
        ("safe_mode", "true"),
        ("prompt", 5),
        ("prompt", ["a fox"]),
        ("format", "PNG"),
        ("variants", 5),
        ("inpaint", "data"),
        ("inpaint", []),
        ("style_references", {}),
        ("style_references", "QUJD"),
        ("style_references", []),
        ("extra", []),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_under_its_name_and_never_converted(field, value):
    found = refused(body({field: value}))
    assert found.keys() == {field}


def test_a_missing_prompt_is_named():
    data = body({"width": 1280})
    del data["prompt"]
    found = refused(data)
    assert found.keys() == {"prompt", "width"}
    assert "required" in found["prompt"].expected


def test_an_empty_object_misses_its_prompt():
    assert refused({}).keys() == {"prompt"}


def test_a_body_without_a_model_asks_for_the_default_one_and_says_so_on_the_wire():
    request = structure_request({"prompt": "a fox"})
    assert request.model == "default"
    assert json.loads(encode_request(request)) == {"prompt": "a fox", "model": "default"}


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("cfgscale", "did you mean cfg_scale?"),
        ("Steps", "did you mean steps?"),
        ("negativeprompt", "did you mean negative_prompt?"),
        ("somethingelse", "newer fields go into extra"),
        ("limits", None),
    ],
)
def test_an_unknown_field_is_refused_with_the_nearest_name(key, hint):
    found = refused(body({key: 1}))
    assert found.keys() == {key}
    assert found[key].value == 1
    assert hint is None or found[key].hint == hint


def test_limits_are_no_field_of_the_api():
    assert "did you mean limits" not in refused(body({"limit": 1}))["limit"].hint
    assert refused(body({"limits": None})).keys() == {"limits"}
    assert refused(body({"metadata": {}, "limits": None})).keys() == {"limits", "metadata"}


def test_an_unknown_field_of_a_part_is_refused_with_the_nearest_name_of_that_part():
    inpaint = {"strength": 5, "source_image_base64": "QUJD", "mask": {**MASK, "objecttarget": "x"}}
    found = refused(body({"inpaint": inpaint}))
    assert found.keys() == {"inpaint.mask.objecttarget"}
    assert found["inpaint.mask.objecttarget"].hint == "did you mean object_target?"
    assert found["inpaint.mask.objecttarget"].value == "x"


def test_nested_faults_are_told_together_with_the_outer_ones():
    data = body(
        {
            "width": 1280,
            "unknown": 1,
            "inpaint": {"strength": 101, "source_image_base64": "", "mask": None},
            "style_references": [{"image": "QUJD"}, {"image": "REVG", "strength": 5}],
        }
    )
    found = refused(data)
    assert found.keys() == {
        "width",
        "unknown",
        "inpaint.strength",
        "inpaint.source_image_base64",
        "style_references[1].strength",
    }
    assert found["inpaint.strength"].value == 101
    assert found["style_references[1].strength"].expected == "0.1 <= x <= 1"


def test_every_broken_style_reference_is_told():
    references = [{"image": ""}, {"image": "QUJD"}, {"image": 5, "strength": 0}, "QUJD"]
    assert refused(body({"style_references": references})).keys() == {
        "style_references[0].image",
        "style_references[2].image",
        "style_references[2].strength",
        "style_references[3]",
    }


@pytest.mark.parametrize(
    ("inpaint", "fields"),
    [
        pytest.param(
            {"strength": 500, "source_image_base64": "x", "mask": {**MASK, "image_prompt": 5}},
            {"inpaint.strength", "inpaint.mask.image_prompt"},
            id="fault-in-the-mask-and-beside-it",
        ),
        pytest.param(
            {"source_image_base64": 5},
            {"inpaint.strength", "inpaint.source_image_base64"},
            id="missing-and-wrong",
        ),
        pytest.param(
            {"strength": 500, "source_image_base64": "x", "unknown": 1},
            {"inpaint.strength", "inpaint.unknown"},
            id="unknown-and-wrong",
        ),
        pytest.param(
            {"strength": 5, "source_image_base64": "x", "mask": {"image_prompt": 5, "object_target": "a"}},
            {"inpaint.mask.image_prompt", "inpaint.mask.inferred_object"},
            id="missing-and-wrong-in-the-mask",
        ),
        pytest.param(
            {"strength": 5, "source_image_base64": "x", "mask": "face"}, {"inpaint.mask"}, id="mask-is-text"
        ),
    ],
)
def test_every_fault_within_a_part_is_told_at_once(inpaint, fields):
    assert refused(body({"inpaint": inpaint, "seed": "7"})).keys() == fields | {"seed"}


json_documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from([*sorted(KNOWN), "strength", "image", "mask", "x"]), inner, max_size=4
        ),
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=200)
@given(json_documents)
def test_any_json_is_a_request_or_a_validation_error(data):
    for document in (data, {"prompt": "a", "model": "m", "inpaint": data, "style_references": data}):
        try:
            request = structure_request(document)
        except ValidationError as exc:
            request, faults = None, exc.faults
        else:
            faults = ()
        assert bool(faults) == (request is None)
        assert all(fault.field and fault.expected for fault in faults)


# Answers.


def test_the_fields_of_an_answer():
    fields = {
        "id": "generate-image-1",
        "request": {"prompt": "a"},
        "timing": TIMING,
        "new": [1],
        "more": None,
    }
    answer = Answer(**parse_answer(fields))
    assert answer.id == "generate-image-1"
    assert answer.request == {"prompt": "a"}
    assert answer.timing == Timing(
        inference_duration=1, inference_preprocessing_time=2.5, inference_queue_time=3, total=6.5
    )
    assert answer.extra == {"new": (1,), "more": None}


def test_an_older_answer_has_no_id_and_an_echo_may_be_null():
    answer = Answer(**parse_answer({"timing": TIMING, "request": None}))
    assert (answer.id, answer.request, answer.extra) == (None, None, {})


@pytest.mark.parametrize("fields", [{}, {"id": "x"}, {"timing": None}])
def test_a_missing_timing_is_none(fields):
    assert parse_answer(fields)["timing"] is None


@pytest.mark.parametrize(
    "timing",
    [
        {**TIMING, "total": "6"},
        {**TIMING, "total": True},
        {**TIMING, "total": None},
        {**TIMING, "total": float("inf")},
        {name: value for name, value in TIMING.items() if name != "total"},
        {},
        [1],
        "fast",
        5,
    ],
)
def test_a_timing_of_the_wrong_shape_is_none_as_a_whole(timing):
    assert parse_answer({"timing": timing})["timing"] is None


def test_a_timing_may_hold_more_than_is_known():
    assert parse_answer({"timing": {**TIMING, "new": 1}})["timing"].total == 6.5


@pytest.mark.parametrize("identifier", [5, ["x"], {}, True])
def test_an_id_that_is_no_string_is_none(identifier):
    assert parse_answer({"id": identifier, "timing": TIMING})["id"] is None


def _nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), _nested(150), {"deep": _nested(99)}, "\ud800"])
def test_a_field_that_json_cannot_say_is_none(odd):
    answer = Answer(**parse_answer({"request": odd, "new": odd, "more": 1}))
    assert (answer.request, answer.extra) == (None, {"new": None, "more": 1})


@pytest.mark.parametrize("depth", [97, 98, 99, 100, 101])
def test_a_field_is_kept_or_none_at_the_depth_where_that_changes(depth):
    answer = Answer(**parse_answer({"request": _nested(depth), "new": _nested(depth)}))
    assert (answer.request is None) == (depth >= 100)
    assert (answer.extra["new"] is None) == (depth >= 99)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["id", "timing", "request", "new"]), json_documents))
def test_any_fields_are_an_answer(fields):
    assert Answer(**parse_answer(fields)).extra.keys() <= {"new"}


MODELS = {
    "data": [
        {
            "id": "flux",
            "type": "image",
            "created": 1,
            "owned_by": "venice.ai",
            "model_spec": {
                "name": "Flux",
                "privacy": "private",
                "offline": False,
                "traits": ["default", "fastest"],
                "pricing": {"generation": {"usd": 0.01, "diem": 0.1}, "upscale": {"2x": {"usd": 0.02}}},
                "constraints": {
                    "promptCharacterLimit": 2048,
                    "steps": {"default": 25, "max": 30},
                    "widthHeightDivisor": 16,
                },
                "modelSource": "https://example.com",
                "uncensored": True,
                "regionRestrictions": ["US", "GB"],
                "supportsStyleReferences": False,
                "supportsWebSearch": False,
                "supportsOptimizePromptThinking": True,
                "supportsTransparentBackground": True,
                "deprecation": {
                    "date": "2026-10-31T00:00:00.000Z",
                    "startsAt": "2026-10-01T00:00:00.000Z",
                    "removesAt": "2026-11-30T00:00:00.000Z",
                    "replacementModelId": "z-image-turbo",
                    "autoRemap": True,
                    "new": 1,
                },
            },
        },
        {
            "id": "nano",
            "model_spec": {
                "offline": True,
                "deprecation": {"date": "2025-03-01"},
                "pricing": {"resolutions": {"1K": {"usd": 0.18, "diem": 1.8}, "2K": {"usd": 0.23}}},
                "constraints": {
                    "aspectRatios": ["1:1", "16:9"],
                    "defaultAspectRatio": "1:1",
                    "resolutions": ["1K", "2K"],
                    "defaultResolution": "1K",
                    "maxStyleReferences": 3,
                    "supportsStyleReferenceStrength": True,
                },
            },
        },
        {
            "id": "gpt",
            "model_spec": {
                "pricing": {"quality": {"1K": {"low": {"usd": 0.1}, "high": {"usd": 0.27}}}},
                "constraints": {"qualities": ["low", "high"], "defaultQuality": "low"},
            },
        },
        {"id": "bare", "type": "image", "model_spec": {"deprecation": None, "regionRestrictions": []}},
        {"id": "words", "type": "text", "model_spec": {"pricing": 5}},
    ],
    "object": "list",
    "type": "image",
}


def test_the_image_models_of_the_catalogue():
    flux, nano, gpt, bare = parse_models(json.dumps(MODELS).encode())
    assert flux == ImageModel(
        id="flux",
        name="Flux",
        privacy="private",
        traits=("default", "fastest"),
        prices=Prices(generation=0.01),
        prompt_character_limit=2048,
        steps_default=25,
        steps_max=30,
        width_height_divisor=16,
        uncensored=True,
        region_restrictions=("US", "GB"),
        supports_style_references=False,
        supports_web_search=False,
        supports_optimize_prompt_thinking=True,
        supports_transparent_background=True,
        deprecation=ModelDeprecation(
            date="2026-10-31T00:00:00.000Z",
            starts_at="2026-10-01T00:00:00.000Z",
            removes_at="2026-11-30T00:00:00.000Z",
            replacement="z-image-turbo",
            auto_remap=True,
        ),
        extra={"modelSource": "https://example.com"},
    )
    assert nano == ImageModel(
        id="nano",
        offline=True,
        deprecation=ModelDeprecation(date="2025-03-01"),
        prices=Prices(resolutions={"1K": 0.18, "2K": 0.23}),
        aspect_ratios=("1:1", "16:9"),
        default_aspect_ratio="1:1",
        resolutions=("1K", "2K"),
        default_resolution="1K",
        max_style_references=3,
        supports_style_reference_strength=True,
    )
    assert gpt == ImageModel(
        id="gpt",
        prices=Prices(quality={"1K": {"low": 0.1, "high": 0.27}}),
        qualities=("low", "high"),
        default_quality="low",
    )
    assert bare == ImageModel(id="bare")
    assert [model.deprecation and model.deprecation.ends for model in (flux, nano, bare)] == [
        "2026-11-30T00:00:00.000Z",
        "2025-03-01",
        None,
    ]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, r"model None: id = None: expected a value; it is required"),
        ({"id": 5}, r"model 5: id = 5: expected a string"),
        ({"id": "m", "model_spec": {"offline": "no"}}, r"model 'm': offline = 'no': expected a boolean"),
        (
            {"id": "m", "model_spec": {"constraints": {"promptCharacterLimit": "9"}}},
            r"prompt_character_limit = '9': expected a integer|expected an integer",
        ),
        (
            {"id": "m", "model_spec": {"deprecation": {"date": 5}}},
            r"deprecation.date = 5: expected a string",
        ),
        (
            {"id": "m", "model_spec": {"supportsWebSearch": "yes"}},
            r"supports_web_search = 'yes': expected a boolean",
        ),
        ({"id": "m", "model_spec": {"traits": [1]}}, r"traits\[0\] = 1: expected a string"),
        (
            {"id": "m", "model_spec": {"pricing": {"generation": {"usd": "0.01"}}}},
            r"prices.generation = '0.01': expected a number",
        ),
    ],
)
def test_a_broken_model_is_a_decode_error_that_names_the_model_and_the_field(entry, message):
    with pytest.raises(DecodeError, match=message):
        parse_models(json.dumps({"data": [entry]}).encode())


def test_the_styles():
    assert parse_styles(b'{"data":["3D Model","Anime"],"object":"list"}') == ("3D Model", "Anime")
    assert parse_styles(b'{"data":[]}') == ()


def test_a_style_that_is_no_string_is_a_decode_error_that_names_its_place():
    with pytest.raises(DecodeError, match=r"the list of styles: \[1\] = 5: expected a string"):
        parse_styles(b'{"data":["Anime",5]}')


def test_the_rate_limits_of_a_key():
    document = {
        "data": {
            "balances": {"USD": 12.5, "DIEM": 0},
            "rateLimits": [
                {
                    "apiModelId": "flux",
                    "rateLimits": [{"amount": 20, "type": "RPM"}, {"amount": 28800, "type": "RPD"}],
                },
                {"apiModelId": "bare", "rateLimits": []},
                {"apiModelId": "null", "rateLimits": None},
            ],
            "apiTier": {"id": "paid"},
        }
    }
    assert parse_rate_limits(json.dumps(document).encode()) == KeyRateLimits(
        models={"flux": {"RPM": 20, "RPD": 28800}, "bare": {}, "null": {}}, balance_usd=12.5, balance_diem=0
    )
    assert parse_rate_limits(b'{"data":{}}') == KeyRateLimits()


@pytest.mark.parametrize(
    "data",
    [
        {"rateLimits": 5},
        {"rateLimits": "flux"},
        {"rateLimits": ["flux"]},
        {"rateLimits": [None]},
        {"rateLimits": [{"rateLimits": []}]},
        {"rateLimits": [{"apiModelId": 5, "rateLimits": []}]},
        {"rateLimits": [{"apiModelId": {}, "rateLimits": []}]},
        {"rateLimits": [{"apiModelId": "m", "rateLimits": 5}]},
        {"rateLimits": [{"apiModelId": "m", "rateLimits": ["RPM"]}]},
        {"rateLimits": [{"apiModelId": "m", "rateLimits": [{"type": [], "amount": 5}]}]},
        {"rateLimits": [{"apiModelId": "m", "rateLimits": [{"amount": 5}]}]},
        {"rateLimits": [{"apiModelId": "m", "rateLimits": [{"type": "RPM", "amount": "20"}]}]},
        {"rateLimits": [{"apiModelId": "m", "rateLimits": [{"type": "RPM"}]}]},
        {"balances": {"USD": "12"}},
    ],
    ids=json.dumps,
)
def test_rate_limits_of_the_wrong_shape_are_a_decode_error(data):
    with pytest.raises(DecodeError):
        parse_rate_limits(json.dumps({"data": data}).encode())


@pytest.mark.parametrize("parse", [parse_models, parse_styles, parse_rate_limits])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no valid JSON"),
        (b"<html>", "no valid JSON"),
        (b"\xff", "no valid JSON"),
        (b"[]", "no 'data'"),
        (b"null", "no 'data'"),
        (b"{}", "no 'data'"),
        (b'{"data":null}', "no 'data'"),
        (b'{"data":5}', "no 'data'"),
    ],
)
def test_a_body_without_data_is_a_decode_error(parse, body, message):
    with pytest.raises(DecodeError, match=message):
        parse(body)


CATALOGUE_WORDS = [
    "data",
    "id",
    "type",
    "image",
    "model_spec",
    "pricing",
    "generation",
    "resolutions",
    "quality",
    "usd",
    "constraints",
    "steps",
    "max",
    "traits",
    "rateLimits",
    "apiModelId",
    "amount",
    "balances",
    "USD",
    "name",
    "extra",
    "prices",
    "promptCharacterLimit",
]
catalogue_words = st.sampled_from(CATALOGUE_WORDS)
catalogue_documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["image", "m", "1K"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(catalogue_words, inner, max_size=4)),
    max_leaves=15,
)


@settings(deadline=None, max_examples=200)
@given(catalogue_documents)
def test_any_json_is_a_catalogue_or_a_decode_error(document):
    model = {"id": "m", "model_spec": document}
    prices = {"id": "m", "model_spec": {"pricing": document, "constraints": document}}
    for parse, data in (
        (parse_styles, document),
        (parse_models, document),
        (parse_models, [model, prices]),
        (parse_models, [document]),
        (parse_rate_limits, document),
        (parse_rate_limits, {"rateLimits": document, "balances": document}),
        (parse_rate_limits, {"rateLimits": [{"apiModelId": "m", "rateLimits": document}]}),
    ):
        try:
            parse(json.dumps({"data": data}).encode())
        except DecodeError:
            continue
