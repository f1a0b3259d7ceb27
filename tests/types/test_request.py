"""Requests: what is allowed, how a refusal reads, and how a request behaves as a value."""

import base64
import copy
import math
import pickle

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.errors import Fault, ValidationError
from venice_async.types.limits import Range, RequestLimits
from venice_async.types.request import ImageRequest, Inpaint, InpaintMask, RequestFields, StyleReference

DOCUMENTED, SCHEMA, CURRENT = RequestLimits.DOCUMENTED, RequestLimits.SCHEMA, RequestLimits.CURRENT
HINT = "limits=RequestLimits.SCHEMA would admit it"
HINT_TODAY = "limits=RequestLimits.CURRENT would admit it"
MASK = InpaintMask(image_prompt="a rabbit", object_target="face", inferred_object="spectacles")


def request(**fields) -> ImageRequest:
    return ImageRequest(**{"prompt": "a fox", "model": "fluently-xl", **fields})


def faults(make=request, **fields) -> tuple[Fault, ...]:
    with pytest.raises(ValidationError) as caught:
        make(**fields)
    return caught.value.faults


def fault(make=request, **fields) -> Fault:
    (found,) = faults(make, **fields)
    return found


NUMBERS = {
    # field: (documented range, inside, outside), (schema range, inside, outside)
    "width": (("0 < x < 1280", [1, 1279], [-1, 0, 1280]), ("0 < x <= 1280", [1, 1280], [0, 1281])),
    "height": (("0 < x < 1280", [1, 1279], [-1, 0, 1280]), ("0 < x <= 1280", [1, 1280], [0, 1281])),
    "steps": (("0 < x < 50", [1, 49], [-1, 0, 50]), ("0 < x <= 50", [1, 50], [0, 51])),
    "cfg_scale": (
        ("0 < x < 20", [math.nextafter(0, 1), 1, 7.5, math.nextafter(20, 0)], [-1, 0, -0.0, 20, 20.0]),
        ("0 < x <= 20", [math.nextafter(0, 1), 20, 20.0], [0, 0.0, math.nextafter(20, 21)]),
    ),
    "seed": (
        ("-999999999 < x < 999999999", [-999999998, 0, 999999998], [-999999999, 999999999, 10**30]),
        ("-999999999 <= x <= 999999999", [-999999999, 999999999], [-1000000000, 1000000000]),
    ),
    "lora_strength": (("0 < x < 100", [1, 99], [-1, 0, 100]), ("0 <= x <= 100", [0, 100], [-1, 101])),
    "variants": (("1 <= x <= 4", [1, 4], [0, 5]), ("1 <= x <= 4", [1, 4], [0, 5])),
}
ENDS = [
    pytest.param(field, limits, *ends, id=f"{field}-{limits.name}")
    for field, both in NUMBERS.items()
    for limits, ends in zip((DOCUMENTED, SCHEMA), both, strict=True)
]


@pytest.mark.parametrize(("field", "limits", "printed", "inside", "outside"), ENDS)
def test_a_number_is_accepted_up_to_its_end_points_and_refused_beyond(
    field, limits, printed, inside, outside
):
    for value in inside:
        assert getattr(request(**{field: value}, limits=limits), field) == value
    for value in outside:
        found = fault(**{field: value}, limits=limits)
        assert (found.field, found.value, found.expected) == (field, value, printed)


@pytest.mark.parametrize("limits", [DOCUMENTED, SCHEMA], ids=lambda limits: limits.name)
@pytest.mark.parametrize(("field", "low"), [("prompt", 1), ("negative_prompt", 0)])
def test_a_prompt_is_counted_in_characters_up_to_1500(field, low, limits):
    for text in ("x" * low, "x" * 1500, "\N{FOX FACE}" * 1500):
        assert getattr(request(**{field: text}, limits=limits), field) == text
    found = fault(**{field: "\N{FOX FACE}" * 1501}, limits=limits)
    assert (found.field, found.expected) == (field, f"{low} to 1500 characters, not 1501")
    assert found.hint == HINT_TODAY
    assert fault(**{field: "x" * 32769}, limits=limits).hint == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "x" * 32768, "negative_prompt": "x" * 32768},
        {"prompt": "x", "negative_prompt": ""},
        {"width": 1280, "height": 1, "cfg_scale": 20, "lora_strength": 100},
        {"lora_strength": 0, "seed": -999999999, "cfg_scale": math.nextafter(0, 1)},
        {"steps": -(10**30)},
        {"steps": 10**30},
        {"seed": 999999999, "variants": 4},
    ],
)
def test_the_profile_of_today_takes_what_the_server_takes(fields):
    assert request(**fields, limits=CURRENT).limits is CURRENT


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("prompt", "x" * 32769, "1 to 32768 characters, not 32769"),
        ("prompt", "", "1 to 32768 characters, not 0"),
        ("prompt", " \n\t", "a string that is not blank"),
        ("negative_prompt", "x" * 32769, "0 to 32768 characters, not 32769"),
        ("width", 1281, "0 < x <= 1280"),
        ("height", 0, "0 < x <= 1280"),
        ("cfg_scale", 0, "0 < x <= 20"),
        ("cfg_scale", 20.1, "0 < x <= 20"),
        ("seed", 10**9, "-999999999 <= x <= 999999999"),
        ("lora_strength", 101, "0 <= x <= 100"),
        ("steps", 1.5, "an integer, any x"),
    ],
)
def test_the_profile_of_today_refuses_what_the_server_refuses(field, value, expected):
    found = fault(**{field: value}, limits=CURRENT)
    assert (found.field, found.expected, found.hint) == (field, expected, "")


def test_a_blank_prompt_is_refused_by_the_profile_of_today_alone():
    for limits in (DOCUMENTED, SCHEMA):
        assert request(prompt=" ", limits=limits).prompt == " "


def test_inpaint_is_refused_by_the_profile_of_today_which_names_the_one_that_takes_it():
    inpaint = Inpaint(strength=5, source_image_base64="QUJD")
    found = fault(inpaint=inpaint, limits=CURRENT)
    assert found.expected == "nothing: the API has removed it in May 2025"
    assert found.hint == "limits=RequestLimits.SCHEMA, the profile of 2025, would admit it"
    assert "QUJD" not in str(found)
    for limits in (DOCUMENTED, SCHEMA):
        assert request(inpaint=inpaint, limits=limits).inpaint == inpaint


def test_an_empty_prompt_is_refused_and_an_empty_negative_prompt_is_not():
    assert fault(prompt="").expected == "1 to 1500 characters, not 0"
    assert request(negative_prompt="").negative_prompt == ""


ADMITS = {
    "width": (lambda x: 0 < x < 1280, lambda x: 0 < x <= 1280),
    "height": (lambda x: 0 < x < 1280, lambda x: 0 < x <= 1280),
    "steps": (lambda x: 0 < x < 50, lambda x: 0 < x <= 50),
    "cfg_scale": (lambda x: 0 < x < 20, lambda x: 0 < x <= 20),
    "seed": (lambda x: -999999999 < x < 999999999, lambda x: -999999999 <= x <= 999999999),
    "lora_strength": (lambda x: 0 < x < 100, lambda x: 0 <= x <= 100),
    "variants": (lambda x: 1 <= x <= 4, lambda x: 1 <= x <= 4),
}
near_ends = st.sampled_from([-999999999, 0, 1, 4, 20, 50, 100, 1280, 999999999]).flatmap(
    lambda end: st.integers(end - 2, end + 2)
)


@settings(deadline=None, max_examples=400)
@given(field=st.sampled_from(sorted(ADMITS)), value=st.one_of(near_ends, st.integers()))
def test_a_number_is_refused_exactly_outside_and_the_hint_names_the_narrowest_profile_that_helps(
    field, value
):
    documented, schema = (admits(value) for admits in ADMITS[field])
    for limits, admitted in ((DOCUMENTED, documented), (SCHEMA, schema)):
        if admitted:
            assert getattr(request(**{field: value}, limits=limits), field) == value
        else:
            found = fault(**{field: value}, limits=limits)
            assert found.value == value
            assert found.hint == (HINT if schema else HINT_TODAY if field == "steps" else "")


@settings(deadline=None)
@given(st.floats(0, 20, exclude_min=True, exclude_max=True))
def test_any_float_between_the_ends_is_a_cfg_scale(value):
    assert request(cfg_scale=value).cfg_scale == value


@settings(deadline=None)
@given(st.floats().filter(lambda value: not 0 < value < 20))
def test_any_other_float_is_not_nan_and_infinities_included(value):
    found = fault(cfg_scale=value)
    assert found.expected == "0 < x < 20"
    assert found.hint == (HINT if value == 20 else "")


def test_a_narrower_profile_points_to_the_narrowest_wider_one_that_would_admit_the_value():
    limits = attrs.evolve(SCHEMA, steps=Range(0, 20, low_open=True), prompt=Range(1, 10))
    assert fault(steps=21, limits=limits).hint == HINT
    assert fault(steps=51, limits=limits).hint == HINT_TODAY
    assert fault(prompt="x" * 11, limits=limits).hint == HINT
    assert fault(prompt="x" * 1501, limits=limits).hint == HINT_TODAY
    assert fault(prompt="x" * 32769, limits=limits).hint == ""


def test_a_request_without_a_model_goes_to_the_default_one():
    assert ImageRequest("a fox") == ImageRequest("a fox", model="default")


@pytest.mark.parametrize("user", ["a", "x" * 128, "user 7|team", " ~"])
def test_an_anonymous_user_is_any_printable_ascii(user):
    assert request(anon_user_id=user).anon_user_id == user


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("", "1 to 128 characters, not 0"),
        ("x" * 129, "1 to 128 characters, not 129"),
        ("n\u00e9e", "printable ASCII characters"),
        ("a\nb", "printable ASCII characters"),
        ("a\x7f", "printable ASCII characters"),
        ("a||b", "a string without ||"),
        (7, "a string"),
    ],
)
def test_an_anonymous_user_that_the_server_would_refuse_is_refused(user, expected):
    found = fault(anon_user_id=user)
    assert (found.field, found.expected, found.hint) == ("anon_user_id", expected, "")


def test_a_transparent_background_goes_with_every_format_but_jpeg():
    for image_format in (None, "png", "webp"):
        assert request(transparent_background=True, format=image_format).transparent_background is True
    assert request(transparent_background=False, format="jpeg").transparent_background is False
    found = fault(transparent_background=True, format="jpeg")
    assert (found.field, found.expected) == ("transparent_background", "format png or webp")


INTEGERS = ["width", "height", "steps", "seed", "lora_strength", "variants"]
FLAGS = [
    "safe_mode",
    "return_binary",
    "hide_watermark",
    "embed_exif_metadata",
    "enable_web_search",
    "enhance_prompt",
    "disable_prompt_optimization_thinking",
]
TEXTS = ["prompt", "model", "negative_prompt", "style_preset", "aspect_ratio", "resolution"]


@pytest.mark.parametrize("field", INTEGERS)
@pytest.mark.parametrize("value", [True, False, 1.0, 30.5, "7", b"7", [7], math.nan, 1j], ids=repr)
def test_what_is_no_integer_is_refused_and_never_converted(field, value):
    found = fault(**{field: value})
    assert found.field == field
    assert found.expected.startswith("an integer, ")
    assert repr(found.value) == repr(value)


@pytest.mark.parametrize("value", [True, "7.5", b"7", [7.5], 1j], ids=repr)
def test_what_is_no_number_is_refused_and_never_converted(value):
    assert fault(cfg_scale=value).expected == "a number, 0 < x < 20"


@pytest.mark.parametrize("field", FLAGS)
@pytest.mark.parametrize("value", [0, 1, "true", "", [], 1.0], ids=repr)
def test_what_only_looks_like_true_or_false_is_refused(field, value):
    assert fault(**{field: value}).expected == "True or False"


@pytest.mark.parametrize("field", FLAGS)
@pytest.mark.parametrize("value", [True, False])
def test_a_flag_takes_true_and_false(field, value):
    assert getattr(request(**{field: value}), field) is value


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("value", [b"fox", 7, ["fox"], 7.5, True], ids=repr)
def test_what_is_no_string_is_refused(field, value):
    assert fault(**{field: value}).expected == "a string"


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("value", ["\ud800", "a\udfff", "\ud83e\udd8a"], ids=ascii)
def test_a_string_that_utf8_cannot_carry_is_refused(field, value):
    assert fault(**{field: value}).expected == "a string without lone surrogates"


@pytest.mark.parametrize("field", ["model", "style_preset", "aspect_ratio", "resolution"])
def test_an_empty_name_is_refused(field):
    assert fault(**{field: ""}).expected == "a string that is not empty"


def test_none_is_not_a_prompt():
    assert fault(prompt=None) == Fault("prompt", None, "a string")


def test_none_as_a_model_is_one_that_was_not_set():
    assert request(model=None).model == "default"


@pytest.mark.parametrize(
    ("field", "words"), [("format", ("jpeg", "png", "webp")), ("quality", ("low", "medium", "high"))]
)
def test_a_choice_takes_its_words_and_nothing_like_them(field, words):
    for word in words:
        assert getattr(request(**{field: word}), field) == word
    for value in ("", words[0].upper(), words[0] + " ", "jpg", words, True, words[0].encode()):
        assert fault(**{field: value}).expected == "one of " + ", ".join(words)


@pytest.mark.parametrize(
    "field", [attribute.name for attribute in attrs.fields(ImageRequest)[2:] if attribute.name != "limits"]
)
def test_every_field_but_prompt_and_model_may_be_left_out(field):
    if field in {"extra", "metadata"}:
        assert getattr(request(), field) == {}
    else:
        assert getattr(request(**{field: None}), field) is None


def test_variants_contradict_return_binary():
    found = fault(variants=1, return_binary=True)
    assert found == Fault("variants", 1, "no variants with return_binary", "a binary answer is one image")
    assert request(variants=4, return_binary=False).variants == 4
    assert [found.field for found in faults(variants=9, return_binary=True)] == ["variants", "variants"]


def test_a_side_is_a_multiple_of_the_divisor_and_the_fault_names_one():
    limits = attrs.evolve(SCHEMA, divisor=16)
    assert request(width=1024, height=16, limits=limits).width == 1024
    assert fault(width=1000, limits=limits) == Fault("width", 1000, "a multiple of 16", "992 is the nearest")
    assert fault(height=5, limits=limits) == Fault("height", 5, "a multiple of 16", "16 is the nearest")
    assert fault(width=1281, limits=limits).expected == "0 < x <= 1280"


def test_everything_that_is_wrong_is_told_at_once_in_the_order_of_the_fields():
    with pytest.raises(ValidationError) as caught:
        ImageRequest(
            "",
            model=7,
            width=1280,
            steps=50.5,
            cfg_scale=math.inf,
            seed=True,
            lora_strength=-3,
            safe_mode="no",
            inpaint={"strength": 5},
            variants=0,
            extra={"steps": 3},
            limits="SCHEMA",
        )
    error = caught.value
    assert [(found.field, found.expected, found.hint) for found in error.faults] == [
        ("prompt", "1 to 1500 characters, not 0", ""),
        ("model", "a string", ""),
        ("width", "0 < x < 1280", HINT),
        ("steps", "an integer, 0 < x < 50", ""),
        ("cfg_scale", "0 < x < 20", ""),
        ("seed", "an integer, -999999999 < x < 999999999", ""),
        ("lora_strength", "0 < x < 100", ""),
        ("safe_mode", "True or False", ""),
        ("inpaint", "an Inpaint", ""),
        ("variants", "1 <= x <= 4", ""),
        ("extra.steps", "only names that are no fields", "pass steps= itself"),
        ("limits", "a RequestLimits", ""),
    ]
    assert str(error).startswith("12 faults:\n  prompt = '': expected 1 to 1500 characters, not 0\n")
    assert f"width = 1280: expected 0 < x < 1280 ({HINT})" in str(error)


def test_the_only_fault_is_the_whole_message():
    with pytest.raises(ValidationError) as caught:
        request(steps=50)
    error = caught.value
    assert str(error) == f"steps = 50: expected 0 < x < 50 ({HINT})"
    assert isinstance(error, ValueError)


def test_limits_cannot_be_none():
    assert fault(limits=None).field == "limits"


# Evolving, equality, hashing, copies.

FULL = {
    "negative_prompt": "rain",
    "width": 1024,
    "cfg_scale": 7.5,
    "seed": -7,
    "safe_mode": False,
    "inpaint": Inpaint(strength=50, source_image_base64="QUJD", mask=MASK),
    "style_references": [StyleReference(image="QUJD", strength=0.3), StyleReference(image="REVG")],
    "extra": {"new": [1, {"deep": [None, True, 2.5, "x"]}], "other": {}},
}


def test_evolving_keeps_the_limits_and_validates_against_them():
    wide = request(steps=50, limits=SCHEMA)
    assert attrs.evolve(wide, width=1280).limits is SCHEMA
    with pytest.raises(ValidationError, match="steps = 51"):
        attrs.evolve(wide, steps=51)
    with pytest.raises(ValidationError, match="steps = 50"):
        attrs.evolve(wide, limits=DOCUMENTED)
    with pytest.raises(ValidationError, match="seed"):
        attrs.evolve(request(), seed=999999999)


def test_a_request_cannot_be_changed():
    for change in ({"seed": 1}, {"unknown": 1}):
        with pytest.raises((attrs.exceptions.FrozenInstanceError, AttributeError)):
            setattr(request(), *next(iter(change.items())))
    with pytest.raises(TypeError):
        request(extra={"new": 1}).extra["new"] = 2


def test_a_request_does_not_change_with_the_values_it_was_made_from():
    nested, references = {"deep": [1]}, [StyleReference(image="QUJD")]
    made = request(extra={"new": nested}, style_references=references)
    nested["deep"].append(2)
    references.append(StyleReference(image="REVG"))
    assert made.extra == {"new": {"deep": (1,)}}
    assert made.style_references == (StyleReference(image="QUJD"),)


def test_equal_requests_hash_alike_whatever_their_limits():
    first, second = request(**FULL), request(**FULL, limits=SCHEMA)
    assert first == second
    assert hash(first) == hash(second)
    assert len({first, second, attrs.evolve(first, seed=8)}) == 2


@pytest.mark.parametrize("changed", [{"prompt": "a cat"}, {"extra": {"new": [1]}}, {"safe_mode": True}])
def test_requests_that_ask_for_different_things_differ(changed):
    assert request(**FULL) != request(**{**FULL, **changed})


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(st.characters(codec="utf-8")), inner)),
    max_leaves=8,
)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text("xyz", min_size=1), json_values, max_size=3))
def test_any_json_in_extra_can_be_hashed_copied_and_pickled(extra):
    made = request(extra=extra)
    for other in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert other == made
        assert hash(other) == hash(made)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_a_copy_is_equal_and_keeps_its_limits(copied):
    made = request(**FULL, steps=50, limits=SCHEMA)
    other = copied(made)
    assert other == made
    assert hash(other) == hash(made)
    assert other.limits == SCHEMA
    assert attrs.evolve(other, width=1280).width == 1280


# Extra, inpainting, style references.


@pytest.mark.parametrize("name", [attribute.name for attribute in attrs.fields(ImageRequest)])
def test_extra_refuses_every_name_that_is_a_field(name):
    assert fault(extra={name: 1}) == Fault(
        f"extra.{name}", 1, "only names that are no fields", f"pass {name}= itself"
    )


@pytest.mark.parametrize(
    "extra",
    [
        None,
        7,
        "new",
        [("new", 1)],
    ],
    ids=ascii,
)
def test_extra_is_a_mapping_of_names_to_json_values(extra):
    found = fault(extra=extra)
    assert (found.field, found.expected) == ("extra", "a mapping of names to JSON values")


@pytest.mark.parametrize("item", [math.nan, b"x", {"m": 1j}, {1: 2}], ids=ascii)
def test_what_extra_holds_is_told_with_its_name(item):
    found = fault(extra={"before": 1, "n": item})
    assert (found.field, found.expected) == ("extra.n", "a JSON value, nested no deeper than 100")


@pytest.mark.parametrize("key", [1, "\ud800", None], ids=ascii)
def test_names_in_extra_are_text(key):
    assert fault(extra={key: 1}) == Fault("extra", key, "names that are text")


@pytest.mark.parametrize("strength", [0, 50, 100])
def test_an_inpainting_strength_reaches_from_0_to_100(strength):
    assert Inpaint(strength=strength, source_image_base64="QUJD").strength == strength


@pytest.mark.parametrize("strength", [-1, 101, True, 50.0, "50", None], ids=repr)
def test_any_other_inpainting_strength_is_refused(strength):
    found = fault(Inpaint, strength=strength, source_image_base64="QUJD")
    assert found.field == "strength"
    assert "0 <= x <= 100" in found.expected


def test_all_faults_of_an_inpainting_are_told_at_once():
    found = faults(Inpaint, strength=101, source_image_base64="", mask="face")
    assert [one.field for one in found] == ["strength", "source_image_base64", "mask"]


def test_all_three_texts_of_a_mask_are_required():
    found = faults(InpaintMask, image_prompt="", object_target=None, inferred_object=b"x")
    assert [one.field for one in found] == ["image_prompt", "object_target", "inferred_object"]


def test_bytes_become_the_base64_of_a_source_or_a_reference():
    data = bytes(range(256))
    inpaint = Inpaint.from_bytes(data, strength=5, mask=MASK)
    assert base64.b64decode(inpaint.source_image_base64) == data
    assert (inpaint.strength, inpaint.mask) == (5, MASK)
    reference = StyleReference.from_bytes(data, strength=0.5)
    assert base64.b64decode(reference.image) == data
    assert reference.strength == 0.5


@pytest.mark.parametrize("strength", [None, 0.1, 0.5, 1])
def test_a_reference_strength_reaches_from_a_tenth_to_one(strength):
    assert StyleReference(image="QUJD", strength=strength).strength == strength


@pytest.mark.parametrize(
    "strength", [0, math.nextafter(0.1, 0), math.nextafter(1, 2), -0.5, True, "1", math.nan], ids=repr
)
def test_any_other_reference_strength_is_refused(strength):
    assert "0.1 <= x <= 1" in fault(StyleReference, image="QUJD", strength=strength).expected


MEGABYTES_8 = 8 * 1024 * 1024


@pytest.mark.parametrize("size", [MEGABYTES_8 - 2, MEGABYTES_8 - 1])
def test_a_reference_picture_under_8_megabytes_is_accepted(size):
    assert len(StyleReference.from_bytes(bytes(size)).image) > MEGABYTES_8


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_a_reference_picture_of_8_megabytes_is_refused(prefix):
    text = prefix + base64.b64encode(bytes(MEGABYTES_8)).decode()
    assert fault(StyleReference, image=text).expected == "a picture under 8 MB, not 8.0 MB"


@pytest.mark.parametrize(
    "value", [[], (), ["QUJD"], {"image": "QUJD"}, StyleReference(image="QUJD"), "QUJD", iter(())]
)
def test_style_references_are_a_sequence_of_at_least_one(value):
    assert fault(style_references=value).field == "style_references"


def test_a_model_bounds_the_number_of_style_references():
    limits = attrs.evolve(SCHEMA, style_references=Range(1, 2))
    reference = StyleReference(image="QUJD")
    assert len(request(style_references=[reference] * 2, limits=limits).style_references) == 2
    assert fault(style_references=[reference] * 3, limits=limits).expected == "1 to 2 of them"


# How a request shows itself.


def test_the_repr_shows_what_was_set_and_nothing_else():
    assert repr(request()) == "ImageRequest('a fox', model='fluently-xl')"
    assert repr(request(seed=0, safe_mode=False, negative_prompt="", limits=SCHEMA)) == (
        "ImageRequest('a fox', model='fluently-xl', negative_prompt='', seed=0, safe_mode=False)"
    )
    assert repr(request(extra={"new": [1]})) == (
        "ImageRequest('a fox', model='fluently-xl', extra={'new': (1,)})"
    )


def test_the_repr_does_not_show_pictures():
    made = request(
        inpaint=Inpaint(strength=5, source_image_base64="SECRETPICTURE"),
        style_references=[StyleReference(image="SECRETPICTURE")],
    )
    assert "SECRETPICTURE" not in repr(made)
    assert "<13 characters>" in repr(made)


def test_a_fault_shows_the_beginning_of_a_long_value_only():
    text = str(fault(prompt="x" * 5000))
    assert len(text) < 200
    assert "5002 characters" in text


def test_the_typed_keyword_arguments_are_the_fields_of_a_request_but_its_prompt():
    assert list(RequestFields.__annotations__) == [
        attribute.name for attribute in attrs.fields(ImageRequest) if attribute.name != "prompt"
    ]
