"""What a prompt, a name or a message can be made of to do harm, and what comes of it: a row each.

1. Nothing is written outside of the job's directory, whatever a template, a prompt or a server says.
2. A prompt is text: in a terminal, on a page, in metadata and in a dataset.
"""

from __future__ import annotations

import asyncio
import json
import re
import unicodedata

import pytest
from attrs import field, frozen

from venice_async import VeniceSession, gather_generate
from venice_async.errors import ConfigurationError
from venice_async.sandbox import Fault

from .places import ALL, Wire, goes_on, json_body, pictures, whole
from .row import params

# Names


@frozen
class Named:
    """A name that is asked for.

    Attributes:
        name: What is wrong with it.
        template: Of the files.
        prompt: That goes into it.
        answer_id: What the server calls its answer.
        refused: What is said of the template; nothing if it is taken.
    """

    name: str
    template: str = "{prompt}"
    prompt: str = field(default="a fox", kw_only=True)
    answer_id: str = field(default="generate-image-1", kw_only=True)
    refused: str = field(default="", kw_only=True)


_EMPTY = "every part between slashes needs a name of its own"
_OUT = "../../../../tmp/evil"
_RESERVED = {"con", "prn", "aux", "nul", "com1", "lpt1", "com\u00b9"}


def _prompts(**rows):
    return [Named(f"a prompt of {name.replace('_', ' ')}", prompt=prompt) for name, prompt in rows.items()]


NAMES = [
    Named("a template that leads up", "../{index}", refused=_EMPTY),
    Named("a template that leads up in its middle", "a/../../{index}", refused=_EMPTY),
    Named("a template that leads up behind a space", " .. /{index}", refused=_EMPTY),
    Named("a template from the root", "/tmp/{index}", refused=_EMPTY),
    Named("a template of nothing", "", refused=_EMPTY),
    Named("a template of a dot", ".", refused=_EMPTY),
    Named("a template with an empty folder", "a//{index}", refused=_EMPTY),
    Named("a template with an open brace", "{index", refused="name='{index': "),
    Named("a template with a field that is none", "{sed}", refused="did you mean {seed}?"),
    Named("a template that reaches into an object", "{prompt.__class__}", refused="there is no field"),
    Named("a template with a width of millions", "{index:9999999d}", refused="takes a width such as :05d"),
    Named("a template with backslashes", "..\\..\\{index}"),
    Named("a template with a drive", "C:\\{index}"),
    Named("a template with a NUL", "a\0b"),
    Named("a template with control characters", "\x1b[31m{index}\x07\r\n"),
    Named("a template in the journal's folder", ".venice/journal.sqlite3"),
    Named("a template that is the metadata", "metadata.jsonl"),
    Named("a template that is an option", "--help"),
    Named("a template of 300 characters", "x" * 300),
    Named("a template of 300 emoji", "\N{FOX FACE}" * 300),
    *(Named(f"a template that is {word}, a device", word) for word in ("CON", "nul", "aux.txt", "com\u00b9")),
    *_prompts(
        a_path_that_leads_up=_OUT,
        a_path_from_the_root="/tmp/evil",
        a_path_of_Windows="..\\..\\evil",
        a_dot=".",
        two_dots="..",
        a_NUL="a\0b",
        a_device="CON",
        a_device_with_a_suffix="lpt1.png",
        an_option="-rf *",
        a_home="~root",
        control_characters="\x1b[2J\x07\x9b31m\x7f",
        emoji="\N{FOX FACE}" * 1500,
        marks_without_a_letter="\u0301" * 1500,
        characters_that_turn_the_line="\u202egnp.exe",
        one_character_1500_times="x" * 1500,
        slashes="/" * 1500,
    ),
    Named("an answer that is called a path", "{id}", answer_id=_OUT),
    Named("an answer that is called a device", "{id}", answer_id="nul"),
    Named("an answer that is called by 300 characters", "{id}", answer_id="x" * 300),
]


@pytest.mark.parametrize("row", **params(*NAMES))
def test_a_name_stays_in_the_directory_and_is_one_that_every_system_takes(row, tmp_path, raw_server):
    """Or it is refused before anything is bought; the same call again buys nothing."""
    into = tmp_path / "out"
    answers = Wire(goes_on(lambda right: whole(json_body(right, id=row.answer_id))), ALL)

    async def main():
        async with (
            answers.open(raw_server) as place,
            VeniceSession("key", base_url=place.url, rate_limit=None, guard=None) as venice,
        ):
            options = {"into": into, "name": row.template, "model": "venice-sd35", "seed": 0}
            for _ in range(2):
                if row.refused:
                    with pytest.raises(ConfigurationError, match=re.escape(row.refused)):
                        await gather_generate(venice, [row.prompt], **options)
                else:
                    report = await gather_generate(venice, [row.prompt], **options)
                    assert report.generated + report.skipped == 1
            return place.received

    assert asyncio.run(main()) == (0 if row.refused else 1)
    assert [path.name for path in tmp_path.iterdir()] == ([] if row.refused else ["out"])
    if not row.refused:
        (path,) = pictures(tmp_path)
        assert len(path.relative_to(into).parts) == row.template.count("/") + 1
        for part in path.relative_to(into).parts:
            assert len(part.encode()) <= 255
            assert part[0] not in "-~."
            assert not set(part) & set('<>:"/\\|?*')
            assert not [char for char in part if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co"}]
            assert part.partition(".")[0].lower() not in _RESERVED


# Prompts, and what a server says


@frozen
class Canary:
    """A prompt that does something where it is not taken for text.

    Attributes:
        name: What it is.
        text: The prompt.
        raw: What must not be in the output, nor on a page.
    """

    name: str
    text: str
    raw: tuple[str, ...]


CANARIES = [
    Canary("a window's name", "\x1b]0;owned\x07 a fox", ("\x1b]", "\x07")),
    Canary("a cleared screen", "a fox\x1b[2J\x1b[H\x1bc", ("\x1b[2J", "\x1b[H", "\x1bc")),
    Canary("codes of one character", "\x9b31m a fox \x90q\x9c\x7f", ("\x9b", "\x90", "\x9c", "\x7f")),
    Canary("a line that is written over", "a fox\rall is well\x08\x08", ("\x08", "\rall")),
    Canary("a command", "$(touch owned) `touch owned`; touch owned #", ()),
    Canary("a formula", "=cmd|' /C calc'!A0", ()),
    Canary("markup of the display", "[bold red]a fox[/] [link=file:///etc]x[/link] [/nope]", ("\x1b]8;",)),
    Canary("a page", "</script><script>window.hacked = 1</script><img src=x onerror=alert(1)>", ()),
]


@pytest.fixture
def command(called, sandbox):
    """Carry out a command: its exit code, and all that it writes."""

    def run(*arguments, **variables):
        there = {"VENICE_API_KEY": "key", "VENICE_BASE_URL": sandbox.url}
        code, out, err = called(*arguments, **there, **variables)
        return code, out + err

    return run


_COMMANDS = [
    ("status", "out"),
    ("status", "out", "--json"),
    ("verify", "out"),
    ("report", "out"),
    ("gallery", "out"),
    ("export", "out", "--format", "parquet", "--to", "tables"),
    ("retry", "out"),
]
_SMALL = ("--model", "venice-sd35", "--width", "64", "--height", "64", "--into", "out")


@pytest.mark.parametrize("terminal", [{}, {"FORCE_COLOR": "1"}], ids=["through a pipe", "on a terminal"])
@pytest.mark.parametrize("row", **params(*CANARIES))
def test_a_prompt_is_text_wherever_it_is_shown(row, terminal, tmp_path, command, sandbox):
    """In what each command writes, where a server repeats it, where it stands in a file, and on the page."""
    sandbox.script(Fault(422, message=row.text), 1)
    (tmp_path / "bad.jsonl").write_text(json.dumps({"prompt": row.text, row.text: 1, "steps": row.text}))
    shown = [
        command("generate", row.text, *_SMALL, **terminal),
        command("generate", row.text, *_SMALL, "--json", **terminal),
        command("generate", "--from", "bad.jsonl", *_SMALL, **terminal),
        *(command(*arguments, **terminal) for arguments in _COMMANDS),
    ]
    assert [code for code, _ in shown[:3]] == [1, 0, 2]
    for _, text in shown:
        assert not [raw for raw in row.raw if raw in text]
        if not terminal:
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    (told,) = map(json.loads, (tmp_path / "out" / "metadata.jsonl").read_text().splitlines())
    assert told["prompt"] == row.text
    page = (tmp_path / "out" / "index.html").read_text()
    assert not [raw for raw in (*row.raw, "<script>window", "<img src=x") if raw in page]
    assert {path.name for path in tmp_path.iterdir()} == {"bad.jsonl", "out", "tables"}
