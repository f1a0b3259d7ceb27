"""What a person sees: on a terminal of 80 columns, without colours, through a pipe, and after Ctrl-C."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading

import pytest

from venice_async.sandbox import Fault, Sandbox

# Ctrl-C goes to whoever has the terminal for its own.
TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-W", "error", "-m", "venice_async.cli", *sys.argv[1:]])
"""
SMALL = ("--model", "fluently-xl", "--width", "64", "--height", "64")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9](?:;[0-9]+)*m")
COLUMNS = 80


class Terminal:
    """A command on a terminal of its own.

    Attributes:
        shown: Everything that was written to it.
    """

    def __init__(self, *arguments, cwd, **variables):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, COLUMNS, 0, 0))
        plain = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR"}}
        self._process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**plain, "TERM": "xterm-256color", "VENICE_API_KEY": "key", **variables},
            cwd=cwd,
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        try:
            while data := os.read(self._ours, 65536):
                self.shown += data.decode()
        except OSError:  # how Linux tells that the other end is closed
            pass

    def press_ctrl_c(self):
        os.write(self._ours, b"\x03")

    def end(self):
        """Wait for the end: the exit code."""
        try:
            return self._process.wait(timeout=40)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            os.close(self._ours)

    @property
    def lines(self):
        """What was shown, line by line, without what moves the cursor and sets colours."""
        return [line.rstrip() for line in re.split(r"[\r\n]+", ESCAPE.sub("", self.shown))]


@pytest.fixture
def slow():
    """A sandbox that takes long enough for a display to be drawn meanwhile."""
    with Sandbox(latency=0.3, rpm=None) as running:
        yield running


def wait_until(condition):
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.01)
    pytest.fail("it never came to be")


def test_the_display_shows_where_the_job_stands(tmp_path, slow):
    """What is done and failed, the rate, the time left and the newest file, within 80 columns."""
    slow.script(Fault(422), when=lambda body: body["seed"] == 3)
    prompt = "a lighthouse at dusk, with a prompt that is far too long for a line of eighty columns"
    terminal = Terminal(
        *("generate", prompt, "--seeds", "0-15", *SMALL, "--into", "lighthouse", "--concurrency", "4"),
        cwd=tmp_path,
        VENICE_BASE_URL=slow.url,
    )
    assert terminal.end() == 1
    bars = [line for line in terminal.lines if " done " in line]
    assert any(
        re.search(r"━ +\d+/16 done \d failed +\$\d\.\d\d +\d+\.\d/s \d:\d\d:\d\d left", line) for line in bars
    )
    assert "15/16 done 1 failed" in bars[-1]
    files = [line for line in terminal.lines if line.startswith("lighthouse/")]
    assert any(line.endswith("…") for line in files)
    assert all(len(line) <= COLUMNS for line in [*bars, *files])
    assert any(line.startswith("failed 3 ('a lighthouse at dusk") for line in terminal.lines)
    assert "15 of 16 generated, 1 failed for $0.15 in" in terminal.lines[-4]
    assert terminal.lines[-3] == "the same command sends again what failed at no cost"
    assert terminal.lines[-2] == "to look at them: lighthouse/index.html"


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}], ids=["colour", "NO_COLOR"])
def test_colours_can_be_switched_off(tmp_path, slow, variables):
    """By the variable that all programs know."""
    terminal = Terminal(
        *("generate", "a fox", "--seeds", "0-7", *SMALL, "--into", "fox"),
        cwd=tmp_path,
        VENICE_BASE_URL=slow.url,
        **variables,
    )
    assert terminal.end() == 0
    assert bool(COLOUR.search(terminal.shown)) != bool(variables)
    assert any("8/8 done 0 failed" in line for line in terminal.lines)


def test_ctrl_c_on_a_terminal_says_what_is_there(tmp_path, slow):
    """What is in flight is waited for, and no part of a file stays."""
    terminal = Terminal(
        *("generate", "a fox", "--seeds", "0-99", *SMALL, "--into", "fox", "--concurrency", "4"),
        cwd=tmp_path,
        VENICE_BASE_URL=slow.url,
    )
    wait_until(lambda: "done" in terminal.shown and slow.account.in_flight >= 4)
    terminal.press_ctrl_c()
    assert terminal.end() == 130
    files = list((tmp_path / "fox").glob("*.webp"))
    assert len(files) == slow.account.received == slow.account.billed
    assert not list((tmp_path / "fox" / ".venice" / "parts").iterdir())
    assert any(
        "stopping: waiting for what is in flight; Ctrl-C again to abort" in line for line in terminal.lines
    )
    summary = next(line for line in terminal.lines if " of 100 generated, " in line)
    assert summary.startswith(f"{len(files)} of 100 generated, {100 - len(files)} not sent for $")
    assert summary.endswith("the images are in fox")


def test_a_table_fits_the_terminal(tmp_path, slow):
    """Long entries are broken within their column."""
    terminal = Terminal("models", cwd=tmp_path, VENICE_BASE_URL=slow.url)
    assert terminal.end() == 0
    assert terminal.lines[0].split() == ["model", "USD", "an", "image", "takes"]
    assert any(line.startswith("fluently-xl") for line in terminal.lines)
    assert all(len(line) <= COLUMNS for line in terminal.lines)


MISTAKES = {
    "command": (["generat", "a fox"], "No such command 'generat'. Did you mean 'generate'?"),
    "option": (["generate", "a fox", "--modle", "m"], "Possible options: --model"),
    "range": (
        ["generate", "a fox", *SMALL, "--steps", "70", "--into", "x"],
        "steps = 70: expected 0 < x < 50",
    ),
    "model": (["generate", "a fox", "--model", "fluently", "--into", "x"], "did you mean 'fluently-xl'?"),
    "style": (
        ["generate", "a fox", *SMALL, "--style-preset", "Analogue Film", "--into", "x"],
        "did you mean 'Analog Film'?",
    ),
}


@pytest.mark.parametrize(("arguments", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_typical_mistake_is_told_on_a_terminal(tmp_path, slow, arguments, says):
    """Without a traceback, and with the nearest right word."""
    terminal = Terminal(*arguments, cwd=tmp_path, VENICE_BASE_URL=slow.url)
    assert terminal.end() in {1, 2}
    assert says in " ".join(terminal.lines)
    assert "Traceback" not in terminal.shown


def test_through_a_pipe_there_are_plain_lines(called, settings):
    """A path a line on standard output, and what sums up beside it."""
    code, out, err = called("generate", "a fox", "--seeds", "0-3", *SMALL, "--into", "fox", **settings)
    assert code == 0
    assert sorted(out.splitlines()) == [f"fox/{seed:05d}_{seed}_a-fox.webp" for seed in range(4)]
    first, second = err.splitlines()
    assert re.fullmatch(r"4 of 4 generated for \$0\.04 in \d+\.\d s; the images are in fox", first)
    assert second == "to look at them: fox/index.html"
    assert "\x1b" not in out + err


def test_outcomes_as_json_are_a_line_each(called):
    """With what was asked, what came and what went wrong."""
    with Sandbox(latency=0, rpm=None) as sandbox:
        sandbox.script(Fault(422, code="CONTENT_POLICY_VIOLATION"), when=lambda body: body["seed"] == 1)
        sandbox.script(Fault(reset="before"), when=lambda body: body["seed"] == 2)
        code, out, err = called(
            *("generate", "a fox", "--seeds", "0-2", *SMALL, "--into", "fox", "--json"),
            VENICE_API_KEY="key",
            VENICE_BASE_URL=sandbox.url,
        )
    assert code == 1
    good, bad, lost = sorted(
        (json.loads(line) for line in out.splitlines()), key=lambda entry: entry["index"]
    )
    assert (good["outcome"], good["paths"]) == ("generated", ["fox/00000_0_a-fox.webp"])
    assert good["request"] == {
        "prompt": "a fox",
        "model": "fluently-xl",
        "width": 64,
        "height": 64,
        "seed": 0,
    }
    assert good["timing"]["total"] >= 0
    assert good["moderation"]["is_blurred"] is False
    assert (bad["outcome"], bad["billed"]) == ("failed", False)
    assert bad["error"]["type"] == "UnprocessableEntityError"
    assert (bad["error"]["status"], bad["error"]["code"]) == (422, "CONTENT_POLICY_VIOLATION")
    assert lost["outcome"] == "unconfirmed"
    assert lost["error"]["type"] == "UnconfirmedError"
    assert "1 of 3 generated, 1 failed, 1 unconfirmed (may have been billed)" in err


def test_pictures_that_were_sent_along_are_not_repeated_as_json(called, settings, tmp_path):
    """An inpainting source is as long as a picture."""
    (tmp_path / "source.png").write_bytes(b"\x89PNG" * 100)
    arguments = ("--inpaint", "source.png", "--inpaint-strength", "50", "--into", "fox", "--json")
    _, out, _ = called("generate", "a fox", *SMALL, *arguments, **settings)
    assert "inpaint" not in json.loads(out)["request"]


def test_a_model_that_goes_away_is_told_once(called, settings):
    """With what takes its place."""
    code, _, err = called(
        *(
            "generate",
            "a fox",
            "--seeds",
            "0-3",
            "--model",
            "lustify-sdxl",
            "--width",
            "64",
            "--height",
            "64",
        ),
        *("--into", "fox"),
        **settings,
    )
    assert code == 0
    (note,) = [line for line in err.splitlines() if line.startswith("note: ")]
    assert "lustify-sdxl" in note
    assert "instead" in note
