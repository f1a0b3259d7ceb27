"""The commands on a job's directory: status, verify and retry."""

from __future__ import annotations

import json

import pytest

from venice_async.sandbox import Fault

SMALL = ("--model", "fluently-xl", "--width", "64", "--height", "64")
JOB = ("generate", "a fox", *SMALL, "--seeds", "0-5", "--into", "out", "--attempts", "1")


@pytest.fixture
def job(called, sandbox, tmp_path):
    """A directory with four images, one failure and one unconfirmed item, and how to call a command there."""
    settings = {"VENICE_API_KEY": "key", "VENICE_BASE_URL": sandbox.url}
    sandbox.script(Fault(422), when=lambda body: body["seed"] == 1, times=1)
    sandbox.script(Fault(502), when=lambda body: body["seed"] == 2, times=1)
    assert called(*JOB, **settings)[0] == 1
    return lambda *arguments: called(*arguments, **settings)


def test_status_shows_where_a_job_stands(job):
    """Counts, spending, the balance, the rate, and failures by their reasons."""
    code, out, err = job("status", "out")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("job     duplicates keep, height 64, model fluently-xl, name ")
    assert lines[0].endswith("prompt a fox, seeds 0-5, width 64")
    assert lines[1] == "run     1, ended"
    assert lines[2].startswith("items   6: 4 done (4 images, ")
    assert lines[2].endswith("1 failed, 1 unconfirmed")
    assert lines[3].startswith("spent   $0.05; the balance was $99.9")
    assert lines[4].startswith("rate    ")
    assert lines[5].startswith("      1 failed: 422")
    assert lines[6].startswith("      1 unconfirmed: 502")


def test_status_as_json(job):
    """One object, with every figure."""
    found = json.loads(job("status", "out", "--json")[1])
    assert {
        name: found[name] for name in ("items", "done", "failed", "unconfirmed", "billed", "pending")
    } == {"items": 6, "done": 4, "failed": 1, "unconfirmed": 1, "billed": 0, "pending": 0}
    assert (found["runs"], found["spent_usd"], found["images"]) == (1, 0.05, 4)
    assert not found["running"]
    assert not found["cut_off"]
    assert [group["reason"] for group in found["failures"]] == [
        "UnprocessableEntityError 422",
        "UnconfirmedError 502",
    ]


def test_a_directory_without_a_job_is_one_readable_error(job, tmp_path):
    """For each of the three."""
    (tmp_path / "empty").mkdir()
    for command in ("status", "verify", "retry"):
        for place in ("nowhere", "empty"):
            code, out, err = job(command, place)
            assert (code, out) == (1, "")
            assert "There is no journal: no batch was begun here" in err


def test_verify_reports_what_is_missing_altered_or_foreign(job, tmp_path, sandbox):
    """And buys nothing."""
    received = sandbox.account.received
    assert job("verify", "out") == (0, "", "4 intact, 0 missing, 0 altered, 0 foreign\n")
    first, second, *_ = sorted((tmp_path / "out").glob("*.webp"))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1] + b"?")
    (tmp_path / "out" / "mine.png").write_bytes(b"mine")
    code, out, err = job("verify", "out")
    assert code == 1
    assert sorted(out.splitlines()) == [
        f"altered  {second.name}",
        "foreign  mine.png",
        f"missing  {first.name}",
    ]
    assert err.splitlines() == [
        "2 intact, 1 missing, 1 altered, 1 foreign",
        "`venice-async redo out --missing` buys again what is missing",
        "`venice-async redo out FILE...` buys again what is altered",
    ]
    found = [json.loads(line) for line in job("verify", "out", "--json")[1].splitlines()]
    assert {"path": "mine.png", "verdict": "foreign"} in found
    assert sandbox.account.received == received


def test_retry_sends_what_failed_and_with_unconfirmed_that_too(job, tmp_path, sandbox):
    """From the journal alone; then there is nothing left to send."""
    before = sandbox.account.received
    code, out, err = job("retry", "out")
    assert (code, out) == (0, "out/00001_1_a-fox.webp\n")
    assert "1 of 1 generated" in err
    assert "unconfirmed" in job("status", "out")[1]
    assert job("retry", "out", "--unconfirmed")[1] == "out/00002_2_a-fox.webp\n"
    assert job("retry", "out")[2] == "nothing failed that could be sent again\n"
    assert len(list((tmp_path / "out").glob("*.webp"))) == 6
    assert job(*JOB)[:2] == (0, "")
    assert sandbox.account.received == before + 2
