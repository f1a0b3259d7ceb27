"""The commands together: help, completion, and words that are nearly right."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

COMMANDS = ("generate", "models", "styles", "rate-limits", "sandbox")


def test_every_command_is_listed(called):
    """With one line of what it does."""
    code, out, _ = called("--help")
    assert code == 0
    for command in COMMANDS:
        assert f"│ {command} " in out


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", [80, 200])
def test_the_help_of_a_command_shows_an_example_and_fits_the_terminal(called, command, width):
    """No line is wider than the terminal."""
    code, out, _ = called(command, "--help", COLUMNS=str(width))
    assert code == 0
    assert f"venice-async {command}" in out.split("Options")[0].replace("Usage: venice-async", "", 1)
    assert max(map(len, out.splitlines())) <= width


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["genrate"], "'generate'"),
        (["rate-limit"], "'rate-limits'"),
        (["generate", "--widht", "64"], "Possible options: --width)"),
        (["generate", "--sede", "1"], "Possible options: --seed)"),
        (["generate", "a fox", "--format", "wepb", "--into", "x"], "'webp'"),
        (["generate", "a fox", "--quality", "hihg", "--into", "x"], "'high'"),
    ],
)
def test_a_word_that_is_nearly_right_names_the_right_one(called, arguments, nearest):
    """A command, an option, or a value; the exit code is that of a wrong call."""
    code, out, err = called(*arguments)
    assert (code, out) == (2, "")
    assert nearest in err


@pytest.mark.parametrize("command", ["generate", "models", "styles", "rate-limits"])
def test_a_missing_key_says_how_to_get_one_and_how_to_do_without(called, command):
    """In one line."""
    arguments = ["a fox", "--model", "m", "--into", "x"] if command == "generate" else []
    code, out, err = called(command, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: no API key: make one in the API settings of venice.ai")
    assert "--sandbox" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("shell", "variables"),
    [
        ("bash", {"COMP_WORDS": "venice-async rate", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "venice-async rate"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "venice-async rate", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_a_shell_completes_commands(shell, variables):
    """By the variables that the script of `--show-completion` sets."""
    done = subprocess.run(
        [sys.executable, "-c", "from venice_async.cli import main; main()"],
        env={**os.environ, "_VENICE_ASYNC_COMPLETE": f"complete_{shell}", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "rate-limits" in done.stdout
    assert "generate" not in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_can_be_shown(shell):
    """It leads the shell to the command."""
    done = subprocess.run(
        [sys.executable, "-c", "from venice_async.cli import main; main()"],
        env={**os.environ, "_VENICE_ASYNC_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "_VENICE_ASYNC_COMPLETE" in done.stdout
    assert "venice-async" in done.stdout
