"""The command line: what a person types, what comes out, and every way in which it can be typed wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import attrs
import pytest
from PIL import Image

from venice_async import ImageRequest, __version__
from venice_async.sandbox import Sandbox
from venice_async.types.request import NEVER_SENT

COMMAND = [sys.executable, "-W", "error", "-m", "venice_async.cli"]
SMALL = ["--model", "fluently-xl", "--width", "64", "--height", "64"]


def environment(**changes):
    plain = {name: value for name, value in os.environ.items() if name not in {"FORCE_COLOR", "COLUMNS"}}
    return {**plain, "NO_COLOR": "1", "COLUMNS": "200", **changes}


def venice(*arguments, cwd, stdin="", **variables):
    """Run the command in a process of its own."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        env=environment(**variables),
        cwd=cwd,
        timeout=50,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def pictures(folder):
    """Everything but the journal and the rows: what is left of a part would show as well."""
    own = {"lock", "metadata.jsonl", "index.html"}
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.name not in own
        and "journal" not in path.name
        and "gallery" not in path.relative_to(folder).parts
    )


# The first commands


def test_sixteen_lighthouses(tmp_path):
    """The README's command: sixteen pictures, all different, all whole, their paths on standard output."""
    into = tmp_path / "lighthouse"
    done = venice(
        *("generate", "a lighthouse at dusk", "--seeds", "0-15", "--model", "fluently-xl"),
        *("--into", "lighthouse", "--sandbox"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    found = pictures(into)
    assert len(found) == 16
    assert sorted(tmp_path / line for line in done.stdout.splitlines()) == found
    assert len({path.read_bytes() for path in found}) == 16
    for path in found:
        with Image.open(path) as image:
            image.load()
            assert image.size == (1024, 1024)
            assert image.format == "WEBP"
    assert "16 of 16 generated" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_the_script_is_the_module(tmp_path):
    """`venice-async` and `python -m venice_async.cli` are the same, and say their version."""
    assert venice("--version", cwd=tmp_path).stdout == f"venice-async {__version__}\n"


def test_the_package_itself_can_be_run(tmp_path):
    """`python -m venice_async`, as one would expect of a package with a command."""
    done = subprocess.run(
        [sys.executable, "-m", "venice_async", "--version"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.stdout == f"venice-async {__version__}\n", done.stderr


def test_without_a_key_it_says_what_to_do(called, tmp_path):
    """One line, with the variable and the way to try without one."""
    code, out, err = called("generate", "a fox", *SMALL, "--into", "out")
    assert (code, out) == (2, "")
    assert "VENICE_API_KEY" in err
    assert "--sandbox" in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_key_is_never_shown(tmp_path, sandbox):
    """Neither on success nor with a refusal."""
    with Sandbox(latency=0, api_key="another") as other:
        for url, code in ((sandbox.url, 0), (other.url, 1)):
            done = venice(
                *("generate", "a fox", *SMALL, "--into", f"out{code}"),
                cwd=tmp_path,
                VENICE_API_KEY="sk-Lighthouse-0042",
                VENICE_BASE_URL=url,
            )
            assert done.returncode == code
            assert "sk-Lighthouse" not in done.stdout + done.stderr


# Requests


def test_the_reference_pages_body_as_a_file(called, page_settings, curl_body, tmp_path):
    """It is sent exactly as it stands there."""
    (tmp_path / "body.json").write_text(json.dumps(curl_body))
    code, out, err = called("generate", "--request", "body.json", "--into", "out", **page_settings)
    assert code == 0, err
    assert page_settings.sent == [curl_body]
    assert len(out.splitlines()) == 1


def test_the_reference_pages_body_from_standard_input(page_settings, curl_body, tmp_path):
    """`-` reads it from a pipe; options change what they name."""
    done = venice(
        *("generate", "--request", "-", "--into", "out", "--seed", "7"),
        cwd=tmp_path,
        stdin=json.dumps(curl_body),
        **page_settings,
    )
    assert done.returncode == 0, done.stderr
    assert page_settings.sent == [{**curl_body, "seed": 7}]


def test_the_reference_pages_body_by_options(called, page_settings, curl_body, tmp_path):
    """Every field of it has an option; the source picture comes from a file."""
    (tmp_path / "rabbit.png").write_bytes(b"\x89PNG")
    curl_body["inpaint"]["source_image_base64"] = "iVBORw=="
    mask = curl_body["inpaint"]["mask"]
    code, _, err = called(
        *("generate", curl_body["prompt"], "--into", "out", "--model", "fluently-xl"),
        *("--negative-prompt", "Clouds, Rain, Snow", "--style-preset", "3D Model"),
        *("--height", 1024, "--width", 1024, "--steps", 30, "--cfg-scale", 7.5, "--seed", 123456789),
        *("--lora-strength", 50, "--no-safe-mode", "--no-return-binary", "--no-hide-watermark"),
        *("--inpaint", "rabbit.png", "--inpaint-strength", 50, "--mask-image-prompt", mask["image_prompt"]),
        *("--mask-object-target", mask["object_target"], "--mask-inferred-object", mask["inferred_object"]),
        **page_settings,
    )
    assert code == 0, err
    assert page_settings.sent == [curl_body]


def test_the_newer_fields_by_options(called, settings, tmp_path):
    """They, too."""
    (tmp_path / "style.png").write_bytes(b"\x89PNG")
    code, _, err = called(
        *(
            "generate",
            "a fox",
            "--into",
            "out",
            "--model",
            "nano-banana-pro",
            "--format",
            "png",
            "--variants",
            2,
        ),
        *("--aspect-ratio", "16:9", "--resolution", "1K", "--quality", "low", "--embed-exif-metadata"),
        *("--no-enable-web-search", "--enhance-prompt", "--disable-prompt-optimization-thinking"),
        *("--style-reference", "style.png", "--style-reference", "https://example.org/a.png"),
        *("--style-reference-strength", 0.7),
        **settings,
    )
    assert code == 0, err
    (sent,) = settings.sent
    assert 0 <= sent.pop("seed") < 999_999_999
    assert sent == {
        "prompt": "a fox",
        "model": "nano-banana-pro",
        "format": "png",
        "variants": 2,
        "aspect_ratio": "16:9",
        "resolution": "1K",
        "quality": "low",
        "embed_exif_metadata": True,
        "enable_web_search": False,
        "enhance_prompt": True,
        "disable_prompt_optimization_thinking": True,
        "style_references": [
            {"image": "iVBORw==", "strength": 0.7},
            {"image": "https://example.org/a.png", "strength": 0.7},
        ],
    }


def test_every_field_of_a_request_has_an_option(called):
    """Compared with the request's own list of fields."""
    code, out, _ = called("generate", "--help", COLUMNS="250")
    assert code == 0
    options = set(re.findall(r"--[a-z-]+", out))
    special = {"prompt": "--prompts", "style_references": "--style-reference", "extra": "--request"}
    for name in {field.name for field in attrs.fields(ImageRequest)} - NEVER_SENT:
        assert special.get(name, "--" + name.replace("_", "-")) in options, name


@pytest.mark.parametrize("command", [[], ["generate"], ["sandbox"]], ids=["top", "generate", "sandbox"])
def test_the_help_shows_an_example(called, command):
    """A line that can be copied."""
    code, out, _ = called(*command, "--help", COLUMNS="250")
    assert code == 0
    text = " ".join(out.replace("│", " ").split())
    assert re.search(r"venice-async (generate|sandbox) [\"-]", text)


def test_a_file_of_prompts(called, settings, tmp_path):
    """One a line, in UTF-8, with or without a mark of order, blank lines passed over; each with each seed."""
    (tmp_path / "prompts.txt").write_bytes("\ufeffa fox\r\n\n  zwei Füchse  \n".encode())
    code, out, err = called(
        "generate",
        "a lion",
        "--prompts",
        "prompts.txt",
        "--seeds",
        "4,9",
        *SMALL,
        "--into",
        "out",
        **settings,
    )
    assert code == 0, err
    sent = {(body["prompt"], body["seed"]) for body in settings.sent}
    assert sent == {(prompt, seed) for prompt in ("a lion", "a fox", "zwei Füchse") for seed in (4, 9)}
    assert len(out.splitlines()) == 6


def test_prompts_from_standard_input(settings, tmp_path):
    """`-` reads them from a pipe."""
    done = venice(
        "generate",
        "--prompts",
        "-",
        *SMALL,
        "--into",
        "out",
        cwd=tmp_path,
        stdin="a fox\na lion\n",
        **settings,
    )
    assert done.returncode == 0, done.stderr
    assert {body["prompt"] for body in settings.sent} == {"a fox", "a lion"}


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("7", [7]),
        ("0-3,7", [0, 1, 2, 3, 7]),
        ("-5", [-5]),
        ("-5--3", [-5, -4, -3]),
        ("-1-1", [-1, 0, 1]),
        (" 1 , 3 - 4 ", [1, 3, 4]),
        ("2-2", [2]),
    ],
)
def test_seeds(called, settings, text, seeds):
    """Numbers and ranges, negative ones too."""
    code, _, err = called("generate", "a fox", f"--seeds={text}", *SMALL, "--into", "out", **settings)
    assert code == 0, err
    assert sorted(body["seed"] for body in settings.sent) == seeds


def test_the_wider_limits(called, settings):
    """1280 pixels are the schema's, and not the page's; the message says how to ask for them."""
    wide = [
        "generate",
        "a fox",
        "--model",
        "fluently-xl",
        "--width",
        "1280",
        "--height",
        "64",
        "--into",
        "out",
    ]
    code, _, err = called(*wide, **settings)
    assert code == 2
    assert "width = 1280" in err
    assert "0 < x < 1280" in err
    assert "--limits schema" in err
    assert settings.sent == []
    code, _, err = called(*wide, "--limits", "schema", **settings)
    assert code == 0, err
    assert settings.sent[0]["width"] == 1280


def test_names_follow_the_template(called, settings, tmp_path):
    """Folders included."""
    code, out, err = called(
        "generate",
        "a fox",
        "--seeds",
        "1,2",
        "--name",
        "{model}/{seed:03d}",
        *SMALL,
        "--into",
        "out",
        **settings,
    )
    assert code == 0, err
    assert sorted(out.split()) == ["out/fluently-xl/001.webp", "out/fluently-xl/002.webp"]


def test_paths_with_brackets_and_spaces_come_out_as_they_are(called, settings):
    """What a pipe reads is the path and nothing else, however long or odd it is."""
    into = "a [bold]folder[/] with :smile: " + "x" * 150
    code, out, err = called(
        "generate", "a fox", *SMALL, "--into", into, "--name", "[red]{index}[/red]", **settings
    )
    assert code == 0, err
    (line,) = out.splitlines()
    assert line.startswith(into + "/")
    assert len(pictures(Path(line).parent)) == 1


# Everything that can be typed wrong

WRONG = {
    "no-prompt": (SMALL, "no prompt"),
    "no-such-option": (["a fox", *SMALL, "--stepps", "5"], "--stepps"),
    "steps-too-many": (["a fox", *SMALL, "--steps", "50"], "0 < x < 50"),
    "steps-no-number": (["a fox", *SMALL, "--steps", "many"], "steps"),
    "cfg-scale-nan": (["a fox", *SMALL, "--cfg-scale", "nan"], "cfg_scale"),
    "cfg-scale-zero": (["a fox", *SMALL, "--cfg-scale", "0"], "0 < x < 20"),
    "seed-too-large": (["a fox", *SMALL, "--seed", "999999999"], "seed"),
    "lora": (["a fox", *SMALL, "--lora-strength", "100"], "0 < x < 100"),
    "variants": (["a fox", *SMALL, "--variants", "5"], "variants"),
    "variants-binary": (["a fox", *SMALL, "--variants", "2", "--return-binary"], "return_binary"),
    "format": (["a fox", *SMALL, "--format", "gif"], "gif"),
    "quality": (["a fox", *SMALL, "--quality", "best"], "best"),
    "limits": (["a fox", *SMALL, "--limits", "none"], "none"),
    "concurrency": (["a fox", *SMALL, "--concurrency", "0"], "concurrency"),
    "long-prompt": (["x" * 1501, *SMALL], "1501"),
    "empty-prompt": (["", *SMALL], "prompt"),
    "negative-prompt": (["a fox", *SMALL, "--negative-prompt", "x" * 1501], "negative_prompt"),
    "seeds-words": (["a fox", *SMALL, "--seeds", "a-b"], "a-b"),
    "seeds-backwards": (["a fox", *SMALL, "--seeds", "9-3"], "3-9"),
    "seeds-empty": (["a fox", *SMALL, "--seeds", ""], "seeds"),
    "seeds-comma": (["a fox", *SMALL, "--seeds", "1,,2"], "seeds"),
    "seeds-endless": (["a fox", *SMALL, "--seeds", "0-99999999999999"], "seeds"),
    "seeds-beyond-reading": (["a fox", *SMALL, "--seeds", "9" * 5000], "no seed"),
    "seeds-out-of-range": (["a fox", *SMALL, "--seeds", "999999999"], "seed"),
    "seed-and-seeds": (["a fox", *SMALL, "--seed", "1", "--seeds", "2"], "exclude"),
    "name-field": (["a fox", *SMALL, "--name", "{sed}"], "{seed}"),
    "name-up": (["a fox", *SMALL, "--name", "../{seed}"], "name"),
    "name-brace": (["a fox", *SMALL, "--name", "{"], "name"),
    "prompts-missing": ([*SMALL, "--prompts", "missing.txt"], "missing.txt"),
    "prompts-empty": ([*SMALL, "--prompts", "empty.txt"], "empty.txt"),
    "prompts-binary": ([*SMALL, "--prompts", "binary"], "binary"),
    "prompts-folder": ([*SMALL, "--prompts", "."], "directory"),
    "request-missing": (["--request", "missing.json"], "missing.json"),
    "request-no-json": (["--request", "empty.txt"], "empty.txt"),
    "request-list": (["--request", "list.json"], "object"),
    "request-typo": (["--request", "typo.json"], "steps"),
    "limits-of-a-model-unasked": (["a fox", "--limits", "model", "--no-check-models"], "--no-check-models"),
    "user-with-bars": (["a fox", *SMALL, "--anon-user-id", "a||b"], "anon_user_id"),
    "transparent-jpeg": (["a fox", *SMALL, "--transparent-background", "--format", "jpeg"], "JPEG"),
    "inpaint-no-strength": (["a fox", *SMALL, "--inpaint", "binary"], "--inpaint-strength"),
    "inpaint-no-source": (["a fox", *SMALL, "--inpaint-strength", "50"], "--inpaint"),
    "inpaint-strength": (["a fox", *SMALL, "--inpaint", "binary", "--inpaint-strength", "101"], "strength"),
    "inpaint-missing": (
        ["a fox", *SMALL, "--inpaint", "missing.png", "--inpaint-strength", "1"],
        "missing.png",
    ),
    "mask-half": (
        ["a fox", *SMALL, "--inpaint", "binary", "--inpaint-strength", "1", "--mask-image-prompt", "x"],
        "--mask-object-target",
    ),
    "style-strength": (
        ["a fox", *SMALL, "--style-reference", "binary", "--style-reference-strength", "2"],
        "strength",
    ),
    "style-strength-alone": (["a fox", *SMALL, "--style-reference-strength", "0.5"], "--style-reference"),
    "base-url": (["a fox", *SMALL, "--base-url", "nowhere"], "nowhere"),
}


@pytest.mark.parametrize(("arguments", "says"), WRONG.values(), ids=WRONG.keys())
def test_what_is_typed_wrong_is_one_readable_error(called, settings, tmp_path, arguments, says):
    """The exit code is 1 or 2, the message names what was wrong, nothing is sent and nothing is made."""
    for name, content in {
        "empty.txt": b" \n\n",
        "binary": b"\xff\xfe\x00\x89",
        "list.json": b"[]",
        "typo.json": b'{"prompt": "a fox", "model": "m", "stepps": 5}',
        "prompt.json": b'{"prompt": "a fox"}',
    }.items():
        (tmp_path / name).write_bytes(content)
    code, out, err = called("generate", *arguments, "--into", "out", **settings)
    assert code in {1, 2}
    assert out == ""
    assert says in err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1 or code == 2
    assert len(err) < 1500
    assert settings.sent == []
    assert not (tmp_path / "out").exists()


def test_without_a_directory_it_is_asked_for(called, settings):
    """--into is the one option that has to be there."""
    code, _, err = called("generate", "a fox", *SMALL, **settings)
    assert code == 2
    assert "--into" in err


def test_several_faults_are_told_at_once(called, settings):
    """Whoever mends one does not run into the next."""
    code, _, err = called(
        "generate",
        "a fox",
        "x" * 1501,
        "--model",
        "m",
        "--steps",
        99,
        "--width",
        0,
        "--into",
        "out",
        **settings,
    )
    assert code == 2
    assert all(word in err for word in ("prompt 2", "steps = 99", "width = 0"))


def test_a_directory_with_images_is_refused(called, settings, tmp_path):
    """Nobody knows what they are: nothing is bought, and the message says why."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.png").write_bytes(b"mine")
    code, out, err = called("generate", "a fox", *SMALL, "--into", "out", **settings)
    assert (code, out) == (1, "")
    assert "holds images already (mine.png)" in err
    assert settings.sent == []


def test_the_same_command_again_buys_nothing(called, settings, tmp_path):
    """It says how many were skipped."""
    arguments = ("generate", "a fox", *SMALL, "--seeds", "0-2", "--into", "out")
    assert called(*arguments, **settings)[0] == 0
    code, out, err = called(*arguments, **settings)
    assert (code, out) == (0, "")
    assert "0 of 3 generated, 3 skipped in" in err
    assert len(settings.sent) == len(pictures(tmp_path / "out")) == 3


def test_another_job_needs_extend(called, settings, tmp_path):
    """The difference is shown, and the way out in the command line's own words."""
    arguments = ("generate", *SMALL, "--seeds", "0-1", "--into", "out")
    assert called(*arguments, "a fox", **settings)[0] == 0
    code, _, err = called(*arguments, "a cat", **settings)
    assert code == 2
    assert "out holds another job: prompt was a fox, and is a cat" in err
    assert "or add to this one with --extend" in err
    assert len(settings.sent) == 2
    assert called(*arguments, "a cat", "--extend", **settings)[0] == 0
    assert len(pictures(tmp_path / "out")) == 4


def test_an_empty_directory_name_is_refused(called, settings):
    """An unset shell variable would fill the current directory."""
    code, _, err = called("generate", "a fox", *SMALL, "--into", "", **settings)
    assert code == 2
    assert "--into is empty" in err
    assert settings.sent == []


def test_a_dry_run_sends_nothing_and_makes_nothing(called, settings, tmp_path):
    """Items, new ones, cost and time; the same as JSON."""
    command = ("generate", "a fox", *SMALL, "--into", "out")
    code, out, err = called(*command, "--seeds", "0-9", "--dry-run", **settings)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "items  10: 10 new (10 images)",
        "cost   $0.10",
        "time   0:00:00 at the key's rate limit",
        "nothing was sent",
    ]
    assert settings.sent == []
    assert not (tmp_path / "out").exists()
    assert called(*command, "--seeds", "0-3", **settings)[0] == 0
    code, out, _ = called(*command, "--seeds", "0-9", "--dry-run", "--extend", "--json", **settings)
    plan = json.loads(out)
    assert (plan["items"], plan["new"], plan["skipped"], plan["cost_usd"]) == (10, 6, 4, 0.06)
    assert plan["spent_usd"] == 0.04
    assert len(settings.sent) == 4


def test_a_budget_stops_the_job_before_it_is_exceeded(called, settings, tmp_path):
    """What it could pay for is there, the rest is pending, and the message says what is left."""
    arguments = ("generate", "a fox", *SMALL, "--seeds", "0-9", "--into", "out", "--budget-usd", "0.055")
    code, _, err = called(*arguments, **settings)
    assert code == 1
    assert "5 of 10 generated, 5 not sent for $0.05 in" in err
    assert "the next request costs $0.01" in err
    assert "once that is mended, the same command resumes where this one ended" in err
    assert len(settings.sent) == len(pictures(tmp_path / "out")) == 5
    assert called(*arguments, **settings)[0] == 1
    assert len(settings.sent) == 5


# What the server says


def test_a_failure_is_told_and_the_others_go_on(called):
    """One line for what failed, a sum at the end, and the exit code 1."""
    with Sandbox(latency=0, faults=["422", "502"]) as sandbox:
        code, out, err = called(
            *("generate", "a fox", "--seeds", "0-5", *SMALL, "--into", "out"),
            VENICE_API_KEY="key",
            VENICE_BASE_URL=sandbox.url,
        )
    assert code == 1
    assert len(out.splitlines()) == 4
    assert "422: The image could not be processed" in err
    assert "4 of 6 generated, 1 failed, 1 unconfirmed (may have been billed)" in err


def test_a_wrong_key_stops_the_job(called):
    """The message is the server's, and says how much was not sent."""
    with Sandbox(latency=0, api_key="right") as sandbox:
        code, out, err = called(
            *("generate", "a fox", "--seeds", "0-99", *SMALL, "--into", "out", "--concurrency", "2"),
            VENICE_API_KEY="wrong",
            VENICE_BASE_URL=sandbox.url,
        )
        assert sandbox.account.received <= 2
    assert (code, out) == (1, "")
    assert "401: Authentication failed" in err
    assert re.search(r"9[89] not sent", err)


def test_a_server_that_is_not_there_is_told(called):
    """Without a traceback."""
    code, out, err = called(
        *("generate", "a fox", *SMALL, "--into", "out", "--max-wait", "1"),
        VENICE_API_KEY="key",
        VENICE_BASE_URL="http://127.0.0.1:9/api/v1",
    )
    assert (code, out) == (75, "")
    assert "127.0.0.1:9" in err
    assert "nothing was sent" in err


# Signals and pipes


def interrupted(tmp_path, sandbox, *signals, in_flight=4):
    """Start a job, interrupt it once all of its places are taken, and wait for its end."""
    arguments = ("generate", "a fox", "--seeds", "0-99", *SMALL, "--into", "out", "--concurrency", "4")
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(VENICE_API_KEY="key", VENICE_BASE_URL=sandbox.url),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_until(lambda: sandbox.account.in_flight >= in_flight)
            for place, number in enumerate(signals):
                if place:
                    time.sleep(0.5)
                process.send_signal(number)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert "Traceback" not in err
    assert not list(tmp_path.rglob("*.part"))
    return process.returncode, out, err


def wait_until(condition):
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("it never came to be")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_drains_what_is_in_flight(tmp_path, number):
    """What was bought is on disk and its paths are told, nothing more is sent; a line says how to go on."""
    with Sandbox(latency=0.7, rpm=None) as sandbox:
        code, out, err = interrupted(tmp_path, sandbox, number)
        account = sandbox.account
    assert code == 130
    assert "the same command resumes where this one ended" in err
    assert sorted(tmp_path / line for line in out.splitlines()) == pictures(tmp_path / "out")
    assert account.received == account.answered == len(pictures(tmp_path / "out"))
    assert 4 <= account.received < 100
    assert "waiting for what is in flight" in err
    assert f"{account.received} of 100 generated, {100 - account.received} not sent" in err


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_aborts(tmp_path, second):
    """Without waiting, without a part of a file, and the sum says what may have been billed."""
    with Sandbox(latency=3600, rpm=None) as sandbox:
        code, out, err = interrupted(tmp_path, sandbox, signal.SIGINT, second)
    assert (code, out) == (130, "")
    assert err.count("aborted while the request was in flight") == 4
    assert "4 unconfirmed (may have been billed)" in err
    assert "96 not sent" in err
    assert pictures(tmp_path / "out") == []


def test_an_output_that_cannot_be_written_is_one_readable_error(tmp_path, settings):
    """A full disk behind `>`: what was bought is on disk all the same."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "generate", "fox", *SMALL, "--into", "out"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**settings),
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 1
    assert "the output cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len(pictures(tmp_path / "out")) == len(settings.sent) == 1


def test_a_terminal_that_knows_only_ascii_is_no_traceback(tmp_path, settings):
    """A name beyond it is printed in escapes."""
    ascii_only = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    done = venice("generate", "fox", *SMALL, "--into", "f\u00fcchse", cwd=tmp_path, **settings, **ascii_only)
    assert done.returncode == 0
    assert done.stdout.startswith("f\\xfcchse/")
    assert len(pictures(tmp_path / "f\u00fcchse")) == 1


def test_a_closed_standard_input_is_told(tmp_path, settings):
    """Prompts cannot come from it."""
    script = " ".join([*COMMAND, "generate", "--prompts", "-", *SMALL, "--into", "out", "<&-"])
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        capture_output=True,
        text=True,
        env=environment(**settings),
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "error: standard input is closed\n"
