"""Commands called in this process, and the sandbox behind them."""

from __future__ import annotations

import sys

import pytest

from venice_async.cli import app as commands
from venice_async.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(latency=0, rpm=None) as running:
        yield running


@pytest.fixture
def settings(sandbox):
    """The variables that lead a command to the sandbox, and the bodies that it has sent there."""
    before = len(sandbox.requests)

    class Settings(dict):
        @property
        def sent(self):
            return [record.body for record in sandbox.requests[before:] if record.method == "POST"]

    return Settings(VENICE_API_KEY="key", VENICE_BASE_URL=sandbox.url)


@pytest.fixture
def called(monkeypatch, capfd, tmp_path):
    """Call the command in this process: its exit code, its output and its messages."""

    def call(*arguments, **variables):
        for name, value in {"NO_COLOR": "1", "COLUMNS": "200", **variables}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["venice-async", *map(str, arguments)])
        code = commands.run()
        out, err = capfd.readouterr()
        return code, out, err

    return call
