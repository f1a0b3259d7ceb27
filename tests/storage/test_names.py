"""File names from templates: no prompt and no template leads out of the directory."""

import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from venice_async.errors import ConfigurationError
from venice_async.storage.names import DEFAULT_NAME, NameTemplate
from venice_async.types.limits import Range, RequestLimits
from venice_async.types.request import ImageRequest

ANY_LENGTH = RequestLimits(prompt=Range(1, 10_000))
RESERVED = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789\u00b9\u00b2\u00b3"
}
HOSTILE = [
    "../../etc/passwd",
    "..",
    ".",
    "/",
    "\\..\\..",
    "a\0b",
    "x" * 4000,
    "\N{FOX FACE}" * 1000,
    "CON",
    "con.txt",
    "aux .png",
    "LPT\u00b9",
    "COM1:",
    "\N{FOX FACE}",
    "\u202egnp.exe",
    "\u200f\u200e",
    "trailing...",
    "trailing   ",
    "-rf",
    "--help",
    "~root",
    ".hidden",
    "\ufeff",
    "\x85\x9f\x1b[31m",
    "\u2066\u2069",
    "\ue000",
    "a\nb",
    '*?<>|":',
    "\u0301" * 300,
    "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 100,
    "_",
    "-",
]


def request(prompt: str = "a red fox", **fields) -> ImageRequest:
    return ImageRequest(prompt, **{"model": "fluently-xl", "limits": ANY_LENGTH, **fields})


def rendered(template: str, made: ImageRequest | None = None, **place) -> str:
    return NameTemplate(template).render(made or request(), **place)


def check_component(name: str, suffix: str = "") -> None:
    assert len(name.removesuffix(suffix).encode()) <= 200
    assert not set(name) & set('<>:"/\\|?*\0')
    assert not [char for char in name if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co"}]
    assert name[0] not in "-.~"
    assert name[-1] not in ". "
    assert name.partition(".")[0].rstrip(" ").upper() not in RESERVED


def test_the_default_name_holds_place_seed_and_prompt():
    assert rendered(DEFAULT_NAME, request(seed=42), index=7) == "00007_42_a-red-fox"


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{index}", "7"),
        ("{index:03d}", "007"),
        ("{index:3d}", "7"),
        ("{seed:06d}", "000042"),
        ("{seed:6}x", "42x"),
        ("{model}/{seed}", "fluently-xl/42"),
        ("{id}", "generate-image-1"),
        ("{prompt}-{image}", "a-red-fox-2"),
        ("plain", "plain"),
        ("{{index}}", "{index}"),
        ("a b.c", "a b.c"),
        ("{index:99d}", "7"),
        ("{index:099d}", "7".zfill(99)),
    ],
)
def test_a_template_is_filled_in(template, name):
    found = rendered(template, request(seed=42), index=7, answer_id="generate-image-1", image=2)
    assert found == name


def test_what_is_not_known_has_a_word_of_its_own():
    assert rendered("{seed}_{id}") == "random_no-id"
    assert rendered("{seed:05d}") == "random"


def test_images_are_told_apart_by_a_number_unless_the_template_does():
    assert rendered("{prompt}", image=1, images=3) == "a-red-fox-1"
    assert rendered("{model}/{seed}", image=0, images=2) == "fluently-xl/random-0"
    assert rendered("{prompt}_{image}", image=1, images=3) == "a-red-fox_1"
    assert rendered("{prompt}", image=0, images=1) == "a-red-fox"


def test_a_negative_seed_is_no_option_of_a_command():
    assert rendered("{seed}", request(seed=-5)) == "_-5"


def test_the_words_of_a_prompt_are_joined_by_hyphens_up_to_sixty_characters():
    assert rendered("{prompt}", request("  A red  fox, at dusk! ")) == "A-red-fox-at-dusk"
    assert rendered("{prompt}", request("x" * 61)) == "x" * 60
    assert rendered("{prompt}", request("\N{FOX FACE}")) == "_"
    assert rendered("{prompt}", request("cafe\u0301, \u5317\u4eac")) == "caf\u00e9-\u5317\u4eac"


def test_what_comes_after_ten_thousand_images_goes_to_numbered_folders():
    """Counted with the images of an answer; a template with folders of its own keeps to them."""
    assert rendered("{index}", index=9_999) == "9999"
    assert rendered("{index}", index=10_000) == "00001/10000"
    assert rendered("{index}", index=123_456) == "00012/123456"
    assert rendered("{index}", index=2_500, image=3, images=4) == "00001/2500-3"
    assert rendered("{model}/{index}", index=10_000) == "fluently-xl/10000"


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("a train in the snow", "a-Train-in-the-snow"),
        ("test", "Test"),
        ("a test_val 2dev", "a-Test_Val-2Dev"),
        ("trains, contest, developer", "trains-contest-developer"),
        ("x" * 56 + " validation", "x" * 56 + "-Val"),
    ],
)
def test_no_name_reads_as_a_part_of_a_data_set(prompt, name):
    """Readers of image folders would leave out all files but those."""
    assert rendered("{prompt}", request(prompt)) == name


texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec="utf-8"), min_size=1, max_size=80))
FIELDS = [
    "{index}",
    "{index:05d}",
    "{seed}",
    "{seed:99d}",
    "{prompt}",
    "{id}",
    "{model}",
    "{image}",
    "{{",
    "/",
]
templates = st.lists(st.one_of(st.sampled_from(FIELDS), texts), min_size=1, max_size=5).map("".join)


@settings(deadline=None, max_examples=500)
@given(
    template=templates,
    prompt=texts,
    model=texts,
    answer_id=st.none() | texts,
    seed=st.none() | st.integers(-999999998, 999999998),
    images=st.integers(1, 4),
)
@example("{prompt}", "CON", "m", None, None, 1)
@example("{model}/{prompt}", "../..", "..", "..", None, 2)
@example("-" + "a" * 300, "a", "m", None, None, 1)
@example("con." + "a" * 300, "a", "m", None, None, 1)
@example("a\x85b", "a", "m", None, None, 1)
def test_every_name_is_relative_and_every_part_safe(template, prompt, model, answer_id, seed, images):
    try:
        made = NameTemplate(template)
    except ConfigurationError:
        return
    asked = request(prompt, model=model, seed=seed)
    name = made.render(asked, index=5, answer_id=answer_id, image=images - 1, images=images)
    path = PurePosixPath(name)
    assert not path.is_absolute()
    assert len(path.parts) == template.count("/") + 1
    for part in path.parts[:-1]:
        check_component(part)
    check_component(path.parts[-1], f"-{images - 1}" if images > 1 else "")


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
@pytest.mark.parametrize("template", ["{prompt}", "{model}", "{id}", "{index}_{prompt}", "{model}/{id}"])
def test_a_hostile_prompt_model_or_id_makes_a_safe_name(template, hostile):
    asked = request(hostile, model=hostile)
    path = PurePosixPath(NameTemplate(template).render(asked, answer_id=hostile))
    assert len(path.parts) == template.count("/") + 1
    for part in path.parts:
        check_component(part)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("CON", "_CON"),
        ("con.x", "_con.x"),
        ("nul .x", "_nul .x"),
        ("Lpt9", "_Lpt9"),
        ("console", "console"),
        ("a\\..\\b", "a-..-b"),
        ("C:x", "C-x"),
        ("~root", "_~root"),
        ("-rf", "_-rf"),
        (".hidden", "hidden"),
        ("name. .", "name"),
        ("a\u202eb", "ab"),
        ("a\0b", "a-b"),
    ],
)
def test_what_a_template_says_itself_is_made_safe_too(template, name):
    assert rendered(template) == name


@pytest.mark.parametrize("template", ["-" + "a" * 300, "~" * 300, "con." + "a" * 300, "\u00e9" * 300])
def test_a_name_is_at_most_200_bytes(template):
    assert len(rendered(template).encode()) <= 200


@pytest.mark.parametrize("template", ["a\x80b", "a\x85b", "a\x9fb"], ids=ascii)
def test_a_name_holds_no_control_character(template):
    check_component(rendered(template))


@pytest.mark.parametrize(
    "template",
    ["", " ", ".", "..", "../x", "x/..", "x/../y", "/x", "x/", "x//y", "/", "./x", "x/ /y", ". .", "x/.../y"],
)
def test_a_part_without_a_name_of_its_own_is_refused(template):
    with pytest.raises(ConfigurationError, match="every part between slashes needs a name of its own"):
        NameTemplate(template)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{promt}", r"no field \{promt\}; did you mean \{prompt\}\?"),
        ("{indx:05d}", r"did you mean \{index\}\?"),
        ("{seeds}", r"did you mean \{seed\}\?"),
        ("{models}/{seed}", r"did you mean \{model\}\?"),
        ("{Prompt}", r"did you mean \{prompt\}\?"),
        ("{zzz}", "known are index, seed, prompt, id, model, image"),
        ("{}", "there is no field"),
        ("{0}", "there is no field"),
        ("{prompt.__class__}", r"no field \{prompt.__class__\}"),
        ("{prompt[0]}", r"no field \{prompt\[0\]\}"),
        ("{index.real}", r"no field \{index.real\}"),
        ("{seed.__init__.__globals__}", "no field"),
        ("{prompt!r}", r"\{prompt\} takes"),
        ("{index!s}", r"\{index\} takes a width such as :05d or nothing"),
        ("{prompt:>10}", r"\{prompt\} takes"),
        ("{model:5}", r"\{model\} takes"),
        ("{index:100d}", r"\{index\} takes"),
        ("{index:0100d}", r"\{index\} takes"),
        ("{index:999999999d}", r"\{index\} takes"),
        ("{index:x}", r"\{index\} takes"),
        ("{index:+5d}", r"\{index\} takes"),
        ("{index:{seed}}", r"\{index\} takes"),
        ("{index:5d\n}", r"\{index\} takes"),
        ("{", "name="),
        ("}", "name="),
        ("{index", "name="),
        ("{index:/}", "name="),
        ("{ind/ex}", "name="),
    ],
)
def test_a_template_that_asks_for_what_there_is_not_is_refused(template, message):
    with pytest.raises(ConfigurationError, match=message):
        NameTemplate(template)


def template_or_refusal(text: str) -> NameTemplate | str:
    try:
        return NameTemplate(text)
    except ConfigurationError as exc:
        return str(exc)


@settings(deadline=None, max_examples=300)
@given(st.text("{}[]!:.05d/ _abindexseprompt\0", max_size=15))
def test_any_text_is_a_template_or_a_configuration_error(text):
    found = template_or_refusal(text)
    if isinstance(found, str):
        assert repr(text) in found
    else:
        assert len(found.render(request(seed=1)).split("/")) == text.count("/") + 1
