"""The `sandbox` command: what it serves, and options that it cannot take."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

COMMAND = [
    sys.executable,
    "-W",
    "error",
    "-m",
    "venice_async.cli",
    "sandbox",
    "--port",
    "0",
    "--latency",
    "0",
]
PICTURE = {"model": "fluently-xl", "prompt": "a fox", "width": 64, "height": 64}


@contextmanager
def served(*options):
    """Run the command in a process of its own until it is interrupted, which is its good end."""
    with subprocess.Popen(
        [*COMMAND, *options],
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            url = re.search(r"http://127\.0\.0\.1:\d+/api/v1", process.stderr.readline())[0]
            assert f"export VENICE_BASE_URL={url}" in process.stderr.readline()
            yield url
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def asked(url, **fields):
    """Ask for a picture: status, header fields and body."""
    headers = {"Authorization": "Bearer k", "Content-Type": "application/json"}
    try:
        with urlopen(
            Request(f"{url}/image/generate", json.dumps({**PICTURE, **fields}).encode(), headers)
        ) as answer:
            return answer.status, answer.headers, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_it_serves_jobs_until_ctrl_c(called):
    """On a port of its own choice, which it prints; and it ends with 0."""
    options = ("--model", "fluently-xl", "--width", "64", "--height", "64", "--into", "out")
    with served("--rpm", "0") as url:
        code, out, err = called("generate", "a fox", *options, "--base-url", url, VENICE_API_KEY="k")
    assert (code, len(out.splitlines())) == (0, 1), err


@pytest.mark.parametrize(
    ("rule", "last"),
    [
        (["--no-abuse-rule"], "Rate limit exceeded"),
        (["--abuse-rule"], "Too many failed attempts"),
        ([], "Too many failed attempts"),
    ],
    ids=str,
)
def test_limit_faults_balance_and_abuse_rule_are_as_said(rule, last):
    """Faults come in their order, then the burst is used up, and then there are too many failures."""
    limit = ("--rpm", "5", "--window", "3600", "--algorithm", "gcra", "--burst", "4")
    faults = ("--fault", "503:MODEL_OFFLINE*2", "--fault", "encoding:gzip", "--fault", "billed:504")
    with served("--profile", "2025", *limit, *faults, "--balance", "0.05", *rule) as url:
        offline, _, lying, late, limited = (asked(url) for _ in range(5))
        for _ in range(18):
            asked(url)
        refused = asked(url)
    assert [one[0] for one in (offline, lying, late, limited, refused)] == [503, 200, 504, 429, 429]
    assert json.loads(offline[2])["code"] == "MODEL_OFFLINE"
    assert (lying[1]["Content-Encoding"], lying[2][:1]) == ("gzip", b"{")
    assert limited[1]["x-venice-balance-usd"] == "0.03"
    assert limited[1]["x-ratelimit-limit-requests"] == "5"
    assert 700 < int(limited[1]["Retry-After"]) <= 720
    assert json.loads(refused[2])["error"].startswith(last)


def test_the_api_of_today_is_the_usual_one():
    """Resets are milliseconds, the day has a limit of its own, and a refusal for the pace says no more."""
    with served("--rpd", "2", "--fault", "ratelimit:6") as url:
        refused, _, _, limited = (asked(url) for _ in range(4))
    assert [json.loads(one[2]) for one in (refused, limited)] == [{"error": "Rate limit exceeded"}] * 2
    assert limited[1]["x-ratelimit-limit-requests"] == "2"
    told = [int(one[1]["x-ratelimit-reset-requests"]) / 1000 - time.time() for one in (refused, limited)]
    assert told[0] < 6
    assert 80_000 < told[1] <= 86_400


def test_the_pages_own_request_passes_with_the_api_of_2025(curl_body):
    """As it stands there; today its `inpaint` is refused."""
    with served("--profile", "2025") as url:
        status, _, body = asked(url, **curl_body)
    assert status == 200
    assert json.loads(body)["request"] == curl_body
    with served() as url:
        assert asked(url, **curl_body)[0] == 400


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "99999"], "--port"),
        (["--rpm", "-1"], "--rpm"),
        (["--window", "0"], "--window"),
        (["--latency", "-1"], "--latency"),
        (["--balance", "-1"], "--balance"),
        (["--balance", "much"], "--balance"),
        (["--burst", "few"], "--burst"),
        (["--profile", "none"], "there is 'today', '2025'"),
        (["--rpd", "0"], "--rpd"),
        (["--algorithm", "gcar"], "there is 'fixed', 'sliding-log', 'sliding-counter', 'gcra'"),
        (["--burst", "2"], "algorithm='fixed' has none, only 'gcra' has"),
        (["--burst", "0", "--algorithm", "gcra"], "a whole number from 1 to rpm=600"),
        (
            ["--fault", "503", "--fault", "nonsense"],
            "no fault: 'nonsense': there is no 'nonsense'; written as 503",
        ),
        (["--fault", "reset:after"], "a reset happens at one of before, headers, body"),
    ],
    ids=str,
)
def test_a_sandbox_that_cannot_be_is_refused(called, arguments, says):
    """With one readable line that names what is right."""
    code, out, err = called("sandbox", *arguments, COLUMNS="400")
    assert code in {1, 2}
    assert out == ""
    assert says in err.splitlines()[-1]


def test_a_port_that_is_taken_is_told(called, sandbox):
    """With its number."""
    port = sandbox.url.split(":")[2].split("/")[0]
    code, _, err = called("sandbox", "--port", port)
    assert code == 2
    assert port in err
