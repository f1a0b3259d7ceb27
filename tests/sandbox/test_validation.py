"""What a body may hold, at and around every end point, in both profiles."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.sandbox.profile import PROFILES
from venice_async.sandbox.schemas import OPENAI
from venice_async.sandbox.validate import ListOf, Nullable, Number, Refused, Text, details_of

BASE = {"model": "fluently-xl", "prompt": "a red fox"}
MASK = {"image_prompt": "a", "object_target": "b", "inferred_object": "c"}
INPAINT = {"strength": 50, "source_image_base64": "..."}


def issues(profile, **fields):
    body = {name: value for name, value in {**BASE, **fields}.items() if value is not ...}
    return [(issue.path, issue.code) for issue in PROFILES[profile].schema.issues(body)]


# Field, low end, high end, a small step, and whether each end is in the range.
RANGES = [
    ("width", 0, 1280, 1, (False, True)),
    ("height", 0, 1280, 1, (False, True)),
    ("cfg_scale", 0, 20, 0.001, (False, True)),
    ("seed", -999_999_999, 999_999_999, 1, (True, True)),
    ("lora_strength", 0, 100, 1, (True, True)),
    ("variants", 1, 4, 1, (True, True)),
]


@pytest.mark.parametrize(
    ("profile", "name", "low", "high", "step", "ends"),
    [
        *((profile, *each) for profile in PROFILES for each in RANGES),
        ("2025", "steps", 0, 50, 1, (False, True)),
    ],
)
def test_numbers_at_and_around_the_ends(profile, name, low, high, step, ends):
    """Each end is in or out as both sources say, a step within is in, a step beyond is out."""
    assert (issues(profile, **{name: low}) == []) is ends[0]
    assert (issues(profile, **{name: high}) == []) is ends[1]
    assert issues(profile, **{name: low + step}) == []
    assert issues(profile, **{name: high - step}) == []
    assert issues(profile, **{name: low - step}) == [((name,), "too_small")]
    assert issues(profile, **{name: high + step}) == [((name,), "too_big")]


@pytest.mark.parametrize("steps", [-(10**9), -1, 0, 50, 51, 10**9])
def test_today_steps_are_any_integer(steps):
    """What a model makes of them is the model's to say."""
    assert issues("today", steps=steps) == []


@pytest.mark.parametrize(("profile", "most"), [("today", 32_768), ("2025", 1500)])
@pytest.mark.parametrize(("name", "low"), [("prompt", 1), ("negative_prompt", 0)])
def test_lengths_at_and_around_the_ends(profile, most, name, low):
    """A text may have as many characters as the longest model takes, whatever the characters are."""
    assert issues(profile, **{name: "x" * low}) == []
    assert issues(profile, **{name: "\U0001f98a" * most}) == []
    assert issues(profile, **{name: "x" * (most + 1)}) == [((name,), "too_big")]
    if low:
        assert issues(profile, **{name: ""}) == [((name,), "too_small")]


@pytest.mark.parametrize("blank", [" ", "\n\t ", "\u00a0"])
def test_today_a_prompt_is_not_blank(blank):
    """White space is no prompt; a letter among it is one."""
    assert issues("today", prompt=blank) == [(("prompt",), "invalid_string")]
    assert issues("today", prompt=f"{blank}x\n{blank}") == []
    assert issues("2025", prompt=blank) == []


INTEGERS = ["width", "height", "steps", "seed", "lora_strength", "variants"]
FLAGS = [
    *("safe_mode", "return_binary", "hide_watermark", "embed_exif_metadata", "enable_web_search"),
    *("enhance_prompt", "disable_prompt_optimization_thinking", "transparent_background"),
]
TEXTS = [
    "model",
    "prompt",
    "negative_prompt",
    "style_preset",
    "format",
    "aspect_ratio",
    "resolution",
    "quality",
]


@pytest.mark.parametrize("name", [*INTEGERS, "cfg_scale"])
@pytest.mark.parametrize("value", [True, False, "7", None, [7], {}])
def test_only_numbers_are_numbers(name, value):
    """Neither a flag nor a text nor null stands for a number."""
    assert issues("today", **{name: value}) == [((name,), "invalid_type")]


@pytest.mark.parametrize("name", INTEGERS)
def test_integers_have_no_fraction(name):
    """1.5 is no integer; 2.0 is, as JSON has one kind of number."""
    assert issues("today", **{name: 1.5}) == [((name,), "invalid_type")]
    assert issues("today", **{name: 2.0}) == []


@pytest.mark.parametrize("name", FLAGS)
def test_only_flags_are_flags(name):
    """Neither 1 nor "true" nor null stands for true."""
    assert issues("today", **{name: True}) == issues("today", **{name: False}) == []
    for value in (1, 0, "true", None):
        assert issues("today", **{name: value}) == [((name,), "invalid_type")]


@pytest.mark.parametrize("name", [*TEXTS, "anon_user_id"])
@pytest.mark.parametrize("value", [1, True, None, ["x"], {}])
def test_only_texts_are_texts(name, value):
    """No other type stands for a text."""
    assert issues("today", **{name: value}) == [((name,), "invalid_type")]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("style_preset", "3D Model", "3d model"),
        ("format", "webp", "gif"),
        ("resolution", "4K", "8K"),
        ("resolution", "1.5K", "1.5k"),
        ("quality", "high", "best"),
    ],
)
def test_choices_are_closed(name, good, bad):
    """A word that is not listed is refused, also one that differs by case only."""
    assert issues("2025", **{name: good}) == []
    assert issues("2025", **{name: bad}) == [((name,), "invalid_enum_value")]


@pytest.mark.parametrize(
    ("ratio", "good"),
    [("1:1", True), ("21:9", True), ("0:1", False), ("16x9", False), ("1:1:1", False), ("", False)],
)
def test_in_2025_an_aspect_ratio_is_two_numbers(ratio, good):
    """Above 0, with a colon; today it is any text."""
    assert (issues("2025", aspect_ratio=ratio) == []) is good
    assert issues("today", aspect_ratio=ratio) == []


@pytest.mark.parametrize("missing", ["model", "prompt"])
def test_required_fields(missing):
    """What the page requires must be there."""
    assert issues("today", **{missing: ...}) == [((missing,), "invalid_type")]


@pytest.mark.parametrize("body", [None, [], "x", 7, True])
def test_only_objects_are_bodies(body):
    """A body that is no object has one fault, at its root."""
    assert [(i.path, i.code) for i in PROFILES["2025"].schema.issues(body)] == [((), "invalid_type")]


def test_unknown_keys_are_refused_at_every_depth():
    """A key that is not listed is named where it stands."""
    inpaint = {**INPAINT, "mask": {**MASK, "inner": 1}, "middle": 1}
    found = issues("2025", outer=1, inpaint=inpaint, style_references=[{"image": "x", "deep": 1}])
    assert sorted(found) == [
        ((), "unrecognized_keys"),
        (("inpaint",), "unrecognized_keys"),
        (("inpaint", "mask"), "unrecognized_keys"),
        (("style_references", 0), "unrecognized_keys"),
    ]


@pytest.mark.parametrize("inpaint", [None, {}, {**INPAINT, "mask": MASK}])
def test_today_any_inpaint_is_refused(inpaint):
    """With a sentence that names the profile which takes it."""
    (issue,) = PROFILES["today"].schema.issues({**BASE, "inpaint": inpaint})
    assert (issue.path, issue.code) == (("inpaint",), "custom")
    assert 'profile="2025"' in issue.message


def test_inpaint_in_2025():
    """An inpaint needs a strength from 0 to 100 and a source; a mask needs all three texts."""
    assert issues("2025", inpaint={**INPAINT, "mask": MASK}) == []
    assert issues("2025", inpaint={**INPAINT, "strength": 0}) == []
    assert issues("2025", inpaint={**INPAINT, "strength": 100}) == []
    assert issues("2025", inpaint=None) == []
    assert issues("2025", inpaint={**INPAINT, "strength": 101}) == [(("inpaint", "strength"), "too_big")]
    assert issues("2025", inpaint={**INPAINT, "strength": -1}) == [(("inpaint", "strength"), "too_small")]
    assert issues("2025", inpaint={}) == [
        (("inpaint", "strength"), "invalid_type"),
        (("inpaint", "source_image_base64"), "invalid_type"),
    ]
    lacking = issues("2025", inpaint={**INPAINT, "mask": {}})
    assert lacking == [(("inpaint", "mask", name), "invalid_type") for name in MASK]
    assert issues("2025", inpaint={**INPAINT, "mask": None}) == [(("inpaint", "mask"), "invalid_type")]


def test_style_references():
    """A reference needs an image and may have a strength from 0.1 to 1."""
    assert issues("today", style_references=[]) == []
    assert issues("today", style_references=[{"image": "x"}, {"image": "y", "strength": 0.1}]) == []
    assert issues("today", style_references=[{"image": "x", "strength": 1}]) == []
    for strength, code in ((0.09, "too_small"), (1.01, "too_big"), (True, "invalid_type")):
        found = issues("today", style_references=[{"image": "x", "strength": strength}])
        assert found == [(("style_references", 0, "strength"), code)]
    assert issues("today", style_references=[{}]) == [(("style_references", 0, "image"), "invalid_type")]
    assert issues("today", style_references={}) == [(("style_references",), "invalid_type")]


@pytest.mark.parametrize(
    ("image", "good"),
    [
        ("https://example.com/style.svg", True),
        ("http://example.com/" + "x" * 12_000_000, True),
        ("data:image/png;base64,iVBORw0KGgo=", True),
        ("", False),
        ("data:image/svg+xml;base64,AAAA", False),
        ("PHN2ZyB4bWxucz0i", False),
        ("data:image/png;base64,PD94bWwgdmVyc2lvbj0i", False),
        ("A" * (8 * 1024 * 1024 * 4 // 3), True),
        ("A" * (8 * 1024 * 1024 * 4 // 3 + 1), False),
    ],
    ids=range(9),
)
def test_what_may_be_a_reference(image, good):
    """Base64, a data URI or a URL; a picture under 8 MB, and no SVG."""
    found = [path for path, _ in issues("today", style_references=[{"image": image}])]
    assert found == ([] if good else [("style_references", 0, "image")])


def test_transparency_needs_a_format_that_has_it():
    """PNG and WebP do, which is what comes when nothing is said; JPEG does not."""
    for more in ({}, {"format": "png"}, {"format": "webp"}):
        assert issues("today", transparent_background=True, **more) == []
    assert issues("today", transparent_background=False, format="jpeg") == []
    refused = [(("transparent_background",), "custom")]
    assert issues("today", transparent_background=True, format="jpeg") == refused


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("someone", None),
        ("", None),
        ("~ !" + "x" * 125, None),
        ("a|b", None),
        ("a||b", "invalid_string"),
        ("b\u00f6b", "invalid_string"),
        ("a\nb", "invalid_string"),
        ("x" * 129, "too_big"),
    ],
)
def test_anon_user_id(value, code):
    """Printable ASCII, at most 128 characters, without two bars; in both shapes."""
    expected = [] if code is None else [(("anon_user_id",), code)]
    assert issues("today", anon_user_id=value) == expected
    found = [(issue.path, issue.code) for issue in OPENAI.issues({"prompt": "a fox", "anon_user_id": value})]
    assert found == expected


def test_what_is_refused_and_what_may_be_null():
    """A refused field takes what is harmless only; a nullable one takes null beside what it takes."""
    assert [issue.message for issue in Refused("no", ([],)).issues([1])] == ["no"]
    assert list(Refused("no", ([],)).issues([])) == list(Nullable(Text(1)).issues(None)) == []
    assert [issue.code for issue in Nullable(Text(1)).issues("")] == ["too_small"]


def test_multiples_and_longest_lists():
    """A number can be held to multiples, a list to a number of entries."""
    assert [issue.code for issue in Number(0, 100, multiple_of=8).issues(64.0)] == []
    (issue,) = Number(0, 100, multiple_of=8).issues(12, ("width",))
    assert issue.to_json() == {
        "code": "not_multiple_of",
        "multipleOf": 8,
        "message": "Number must be a multiple of 8",
        "path": ["width"],
    }
    assert list(ListOf(Text(), 2).issues(["a", "b"])) == []
    (issue,) = ListOf(Text(), 2).issues(["a", "b", "c"])
    assert (issue.code, issue.message) == ("too_big", "Array must contain at most 2 element(s)")


def test_variants_exclude_raw_bytes():
    """A raw answer has room for one picture, so variants are refused with it."""
    assert issues("today", variants=2, return_binary=True) == [(("variants",), "custom")]
    assert issues("today", variants=1, return_binary=True) == [(("variants",), "custom")]
    assert issues("today", variants=2, return_binary=False) == []


def test_issues_and_details_are_zods():
    """An issue names code, limits, message and path; the details hold the messages by field."""
    body = {**BASE, "width": 0, "inpaint": {**INPAINT, "mask": {}}, "x": 1}
    found = list(PROFILES["2025"].schema.issues(body))
    assert found[0].to_json() == {
        "code": "too_small",
        "minimum": 0,
        "type": "number",
        "inclusive": False,
        "exact": False,
        "message": "Number must be greater than 0",
        "path": ["width"],
    }
    assert found[0].sentence == 'Number must be greater than 0 at "width"'
    assert details_of(found) == {
        "_errors": ["Unrecognized key(s) in object: 'x'"],
        "width": {"_errors": ["Number must be greater than 0"]},
        "inpaint": {
            "_errors": [],
            "mask": {"_errors": [], **{name: {"_errors": ["Required"]} for name in MASK}},
        },
    }


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, None),
        (
            {"model": "anything", "n": 1, "size": "auto", "response_format": "url", "output_format": "webp"},
            None,
        ),
        (
            {
                "moderation": "low",
                "background": "opaque",
                "output_compression": 100,
                "quality": "hd",
                "style": "vivid",
            },
            None,
        ),
        (dict.fromkeys(("n", "size", "response_format", "moderation", "background", "quality")), None),
        ({"user": "me", "output_compression": 0, "size": "1792x1024"}, None),
        ({"n": 2}, ("n",)),
        ({"size": "100x100"}, ("size",)),
        ({"response_format": "b64"}, ("response_format",)),
        ({"output_format": "gif"}, ("output_format",)),
        ({"moderation": "high"}, ("moderation",)),
        ({"output_compression": 101}, ("output_compression",)),
        ({"background": "x"}, ("background",)),
        ({"quality": "best"}, ("quality",)),
        ({"style": "x"}, ("style",)),
        ({"prompt": ""}, ("prompt",)),
        ({"prompt": "x" * 1501}, ("prompt",)),
        ({"safe_mode": True}, ()),
    ],
)
def test_openai_fields(fields, path):
    """The OpenAI shape has fields and ranges of its own."""
    found = [issue.path for issue in OPENAI.issues({"prompt": "a fox", **fields})]
    assert found == ([] if path is None else [path])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "model",
    "prompt",
    "width",
    "seed",
    "inpaint",
    "style_references",
    "variants",
    "format",
    "safe_mode",
    "x",
]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6) | JSON)
def test_any_json_is_judged(body):
    """No body makes the validator fail, and every issue can be explained."""
    for schema in (*(profile.schema for profile in PROFILES.values()), OPENAI):
        found = list(schema.issues(body))
        assert "_errors" in details_of(found)
        assert all(issue.to_json()["message"] for issue in found)
