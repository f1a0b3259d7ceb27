"""What surrounds each row: waits that a test can sit out, and a search of all that is written for the key."""

from __future__ import annotations

import logging

import pytest

from venice_async.sandbox import Sandbox

from .places import picture
from .row import KEY, check, mentions_key

SMALL = ("--model", "venice-sd35", "--width", "64", "--height", "64")
_QUICK = ("--durability", "process", "--no-gallery")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    """An overload and a lock-out are over soon."""
    monkeypatch.setattr("venice_async.policy.rate_limit._BACK_OFF", 0.01)
    monkeypatch.setattr("venice_async.policy.guard.WINDOW", 0.2)


@pytest.fixture
def carry_out(tmp_path, raw_server, caplog, capfd):
    """Carry a row out; the key is in nothing that is logged, with every logger at DEBUG, or printed."""
    caplog.set_level(logging.DEBUG)

    def carry(row):
        check(row, tmp_path / "out", raw_server)
        assert KEY not in caplog.text
        assert not any(mentions_key(record, set()) for record in caplog.records)
        assert not any(KEY in text for text in capfd.readouterr())

    return carry


@pytest.fixture(scope="module")
def sandbox():
    """A sandbox that never refuses, for a file of tests."""
    with Sandbox(rpm=None, latency=0, abuse_rule=False, images=picture(1)) as api:
        yield api


@pytest.fixture
def bought(sandbox):
    """The bodies that were sent and billed since the test began; nothing is refused."""
    before = len(sandbox.requests)

    def bodies():
        posts = [record for record in sandbox.requests[before:] if record.method == "POST"]
        assert all(record.billed for record in posts)
        return [record.body for record in posts]

    return bodies


@pytest.fixture
def generate(called, sandbox):
    """`venice-async generate`: its exit code, its output, and its messages on one line."""

    def run(*arguments, **variables):
        there = {"VENICE_API_KEY": "key", "VENICE_BASE_URL": sandbox.url}
        code, out, err = called("generate", *arguments, *SMALL, *_QUICK, **there, **variables)
        return code, out, " ".join(err.split())

    return run
