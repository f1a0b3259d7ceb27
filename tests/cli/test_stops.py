"""How a command ends before its end: its exit code, and what it says is to be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from venice_async import BatchReport
from venice_async.cli.stops import exit_code, exit_code_of, seconds_from, what_to_do
from venice_async.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    Fault,
    JobChangedError,
    LongWaitError,
    MissingExtraError,
    NotFoundError,
    ServerError,
    StorageError,
    TooManyFailuresError,
    ValidationError,
)
from venice_async.sandbox import Fault as Scripted
from venice_async.sandbox import Sandbox

LATER = LongWaitError("the rate limit", until=1e9)
BUSY = ServerError("busy", status=503)
GONE = NotFoundError("no such model", status=404)
KEY = AuthenticationError("no such key", status=401)
AGAIN = "the same command"


def report(**counts):
    usual = {"generated": 0, "failed": 0, "unconfirmed": 0, "pending": 0, "elapsed": 1.0, "stopped": None}
    return BatchReport(**{**usual, **counts}, journal=None, run=1)


CODES = [
    (report(generated=3), 0),
    (report(skipped=3), 0),
    (report(), 1),
    (report(generated=3, failed=1), 1),
    (report(generated=3, unconfirmed=1), 1),
    (report(generated=3, blocked=1), 1),
    (report(skipped=3, missing=1), 1),
    (report(generated=3, pending=1), 1),
    (report(generated=3, pending=None, stopped_models={"a": GONE}), 1),
    (report(generated=3, pending=1, stopped=KEY), 1),
    (report(pending=1, stopped=StorageError("full")), 1),
    (report(pending=1, stopped=LATER), 75),
    (report(pending=1, stopped=ConnectError("refused")), 75),
    (report(generated=1, pending=1, stopped_models={"a": BUSY}), 75),
    (report(generated=1, pending=1, stopped_models={"a": BUSY, "b": GONE}), 1),
    (report(generated=1, pending=1, stopped=KEY, stopped_models={"a": BUSY}), 1),
]


@pytest.mark.parametrize(("found", "code"), CODES)
def test_the_exit_code_of_a_batch(found, code):
    assert exit_code(found) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("no key"), 2),
        (JobChangedError("another job"), 2),
        (ValidationError([Fault("steps", 99, "0 < x < 50")]), 2),
        (MissingExtraError("pip install it"), 1),
        (StorageError("no journal"), 1),
        (KEY, 1),
        (ConnectError("refused"), 75),
        (BUSY, 75),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_exit_code_of_an_error(error, code):
    assert exit_code_of(error) == code


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("24h", 86400), ("1d", 86400), ("0", 0)],
)
def test_a_time_is_written_as_people_write_it(text, seconds):
    assert seconds_from(text) == seconds


def test_none_is_any_time():
    assert seconds_from("none") is None


@pytest.mark.parametrize("text", ["", "m", "5x", "-1", "1e5", "inf", "ten minutes", "9" * 400])
def test_anything_else_is_no_time(text):
    with pytest.raises(ConfigurationError, match="--max-wait"):
        seconds_from(text)


def told(found, *, billed=0):
    return list(what_to_do(found, Path("out"), billed=billed))


def test_where_nothing_is_left_there_is_nothing_to_do():
    assert told(report(generated=3)) == []


def test_what_was_left_early_or_stopped_for_a_while_resumes():
    assert told(report(pending=3)) == ["the same command resumes where this one ended"]
    (line,) = told(report(pending=3, stopped=LATER))
    assert line.startswith(f"{AGAIN} resumes later")


def test_what_has_to_be_mended_is_not_called_well():
    (line,) = told(report(pending=3, stopped=KEY))
    assert line.startswith("once that is mended")


@pytest.mark.parametrize("error", [GONE, TooManyFailuresError("10 refusals")])
def test_what_would_be_refused_again_is_not_promised(error):
    (line,) = told(report(pending=3, stopped=error, stopped_models={"a": error}))
    assert line.startswith(f"{AGAIN} would meet the same")


def test_what_was_refused_until_its_model_was_stopped_is_not_recommended_once_more():
    error = TooManyFailuresError("10 refusals")
    (line,) = told(report(failed=10, pending=3, stopped=error, stopped_models={"a": error}))
    assert line.startswith(f"{AGAIN} would meet the same")


def test_what_was_paid_for_is_sent_again_only_with_its_option():
    found = report(generated=1, failed=2, unconfirmed=1, blocked=1)
    assert told(found, billed=2) == [
        "`venice-async retry out --billed --blocked --unconfirmed` sends again what is held"
    ]


def test_files_that_are_gone_are_bought_again_by_redo_alone():
    found = report(skipped=3, missing=1)
    (line,) = what_to_do(found, Path("my pictures"), billed=0)
    assert line.startswith("`venice-async redo 'my pictures' --missing` buys again what is gone")


def test_what_a_job_in_shards_holds_is_sent_again_in_the_folder_of_each_shard():
    """The commands refuse the job's own directory, which has no journal."""
    found = report(skipped=3, missing=1, blocked=1)
    assert list(what_to_do(found, Path("out"), billed=0, in_shards=True)) == [
        "`venice-async retry out/SHARD --blocked` sends again what is held",
        "`venice-async redo out/SHARD --missing` buys again what is gone; with --forget it is missed no more",
        "SHARD stands for the folder of a shard, such as 00000",
    ]


def test_what_failed_at_no_cost_is_sent_again_by_the_same_command():
    assert told(report(failed=2), billed=1) == [
        "the same command sends again what failed at no cost",
        "`venice-async retry out --billed` sends again what is held",
    ]


# The command


GENERATE = ("generate", "fox", "--model", "fluently-xl", "--no-gallery")


@pytest.fixture
def scripted():
    """A sandbox with a fault, and the variables that lead a command there."""
    with Sandbox(latency=0, rpm=None) as sandbox:
        yield sandbox, {"VENICE_API_KEY": "key", "VENICE_BASE_URL": sandbox.url}


def test_a_wait_that_is_too_long_ends_with_75_and_says_until_when(called, scripted):
    sandbox, settings = scripted
    sandbox.script(Scripted(503, headers={"Retry-After": "120"}), times=None)
    code, out, err = called(*GENERATE, "--into", "out", "--max-wait", "1m", **settings)
    assert (code, out) == (75, "")
    assert "(max_wait=60)" in err
    assert "the same command resumes later" in err


def test_a_wait_is_said_in_a_pipe(called, scripted):
    sandbox, settings = scripted
    sandbox.script(Scripted(503, headers={"Retry-After": "3"}), times=1)
    code, _, err = called(*GENERATE, "--into", "out", **settings)
    assert code == 0
    assert err.startswith("waiting until ")


def test_a_server_out_of_reach_is_said_and_ends_with_75(called, unused_port):
    url = f"http://127.0.0.1:{unused_port}/api/v1"
    code, _, err = called(
        *GENERATE, "--into", "out", "--base-url", url, "--max-wait", "1", VENICE_API_KEY="key"
    )
    assert code == 75
    (line,) = (text for text in err.splitlines() if text.startswith("waiting until "))
    assert f"127.0.0.1:{unused_port}" in line
    assert "the same command resumes later" in err


def test_a_stopped_model_beside_a_good_one_is_named_with_what_takes_its_place(called, scripted):
    sandbox, settings = scripted
    gone = "The model has been deprecated. Please use z-image-turbo instead."
    sandbox.script(
        Scripted(404, message=gone, code=""), times=None, when=lambda body: body["model"] == "venice-sd35"
    )
    code, out, err = called(
        *("generate", "fox", "--set", "model=fluently-xl,venice-sd35", "--into", "out", "--no-gallery"),
        **settings,
    )
    assert (code, len(out.splitlines())) == (1, 1)
    assert "nothing more was sent for venice-sd35: 404" in err
    assert "--model z-image-turbo takes its place" in err


def test_retry_names_the_options_of_what_it_leaves_alone(called, scripted):
    sandbox, settings = scripted
    sandbox.script(Scripted(damage="base64"), times=1)
    sandbox.script(Scripted(502), times=1)
    assert called(*GENERATE, "--seeds", "1,2", "--concurrency", "1", "--into", "out", **settings)[0] == 1
    code, _, err = called("retry", "out", **settings)
    assert code == 1
    assert "1 failed and billed: --billed sends them again" in err
    assert "1 unconfirmed: --unconfirmed sends them again" in err


def test_an_option_that_says_nothing_is_a_wrong_call(called):
    code, _, err = called(*GENERATE, "--into", "out", "--max-wait", "soon", VENICE_API_KEY="key")
    assert code == 2
    assert "--max-wait soon" in err
