"""What is gone, what was blocked, and how a person at a terminal has it again."""

from __future__ import annotations

import json

import pytest

from venice_async.sandbox import Fault

SMALL = ("--model", "fluently-xl", "--width", "64", "--height", "64", "--name", "{seed}")
JOB = ("generate", "a fox", *SMALL, "--seeds", "0-5", "--into", "out", "--no-gallery")


@pytest.fixture
def call(called, sandbox):
    settings = {"VENICE_API_KEY": "key", "VENICE_BASE_URL": sandbox.url}
    return lambda *arguments: called(*arguments, **settings)


@pytest.fixture
def job(call, tmp_path):
    """A directory of six images, two of which are gone, and how to call a command there."""
    assert call(*JOB)[0] == 0
    (tmp_path / "out" / "1.webp").unlink()
    (tmp_path / "out" / "4.webp").unlink()
    return call


def test_the_same_command_tells_what_is_gone_and_what_to_do(job, sandbox):
    before = sandbox.account.received
    code, out, err = job(*JOB)
    assert (code, out, sandbox.account.received) == (1, "", before)
    assert "missing 1: out/1.webp\nmissing 4: out/4.webp\n" in err
    assert "0 of 6 generated, 6 skipped, 2 missing" in err
    assert "`venice-async redo out --missing` buys again what is gone" in err


def test_a_dry_run_tells_what_is_gone(job):
    assert "6 there already, 2 of them missing a file" in job(*JOB, "--dry-run")[1]
    assert json.loads(job(*JOB, "--dry-run", "--json")[1])["missing"] == 2


def test_each_is_told_in_json(job):
    _, out, _ = job(*JOB, "--json")
    told = [json.loads(line) for line in out.splitlines()]
    assert [record["missing"] for record in told] == [[], ["out/1.webp"], [], [], ["out/4.webp"], []]


def test_status_report_and_retry_tell_it(job):
    assert "6 done (4 images, 0.0 MB), 2 missing" in job("status", "out")[1]
    assert json.loads(job("status", "out", "--json")[1])["missing"] == 2
    assert "2 missing" in job("report", "out")[1]
    code, _, err = job("retry", "out")
    assert code == 1
    assert "2 missing: `venice-async redo out --missing` buys them again" in err


def test_what_is_gone_is_bought_again(job, sandbox, tmp_path):
    before = sandbox.account.received
    code, out, err = job("redo", "out", "--missing")
    assert (code, sorted(out.splitlines())) == (0, ["out/1.webp", "out/4.webp"])
    assert "2 of 2 generated for $0.02" in err
    assert job("redo", "out", "--missing") == (0, "", "nothing is missing\n")
    assert job(*JOB)[0] == 0
    assert sandbox.account.received == before + 2
    assert len((tmp_path / "out" / "metadata.jsonl").read_text().splitlines()) == 6


def test_a_file_is_bought_again_with_another_seed(job, tmp_path):
    code, out, _ = job("redo", "out", "out/2.webp", "--new-seed")
    assert code == 0
    assert out not in {"", "out/2.webp\n"}
    assert (tmp_path / out.strip()).exists()
    assert (tmp_path / "out" / ".venice" / "superseded" / "2.webp").exists()
    assert "6 skipped" in job(*JOB)[2]


def test_what_is_forgotten_is_missed_no_more(job, sandbox):
    before = sandbox.account.received
    assert job("redo", "out", "1.webp", "--forget") == (0, "", "1 file is missed no more\n")
    assert job(*JOB)[0] == 1
    assert job("redo", "out", "--missing", "--forget") == (0, "", "1 file is missed no more\n")
    assert job(*JOB)[0] == 0
    assert job("verify", "out") == (0, "", "4 intact, 0 missing, 0 altered, 0 foreign\n")
    assert sandbox.account.received == before


@pytest.mark.parametrize("more", [(), ("--forget",)])
def test_what_no_image_of_the_job_is_is_one_readable_error(job, more):
    assert job("redo", "out", "9.webp", *more)[::2] == (
        2,
        "error: 9.webp is not an image of the job in out\n",
    )
    assert "error: say which images: name their files, or say --missing" in job("redo", "out", *more)[2]
    assert "There is no journal" in job("redo", "nowhere", "--missing", *more)[2]


def test_what_was_blocked_is_told_apart_and_sent_again_if_asked(call, sandbox):
    sandbox.script(Fault(blocked=True), when=lambda body: body["seed"] == 1)
    code, _, err = call(*JOB)
    assert code == 1
    assert "blocked 1 ('a fox'): the content policy blocked the image" in err
    assert "5 of 6 generated, 1 blocked by the content policy for $0.05" in err
    assert "`venice-async retry out --blocked` sends again what is held" in err
    assert "5 done (5 images, 0.0 MB), 1 blocked" in call("status", "out")[1]
    assert "1 blocked" in call("report", "out")[1]
    code, _, err = call("retry", "out")
    assert code == 1
    assert "1 blocked: --blocked sends them again" in err
    assert "1 blocked by the content policy" in call(*JOB, "--dry-run")[1]
    assert call("retry", "out", "--blocked")[:2] == (0, "out/1.webp\n")
    assert call(*JOB)[0] == 0
