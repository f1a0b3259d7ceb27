"""The sandbox behind the commands of a file of tests."""

from __future__ import annotations

import pytest

from venice_async.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(latency=0, rpm=None) as running:
        yield running


@pytest.fixture
def settings(sandbox):
    """The variables that lead a command to the sandbox, and the bodies that it has sent there."""
    return _settings(sandbox)


@pytest.fixture
def page_settings():
    """The same for a sandbox of the reference page's time, which takes its `inpaint`."""
    with Sandbox(latency=0, rpm=None, profile="2025") as running:
        yield _settings(running)


def _settings(sandbox):
    before = len(sandbox.requests)

    class Settings(dict):
        @property
        def sent(self):
            return [record.body for record in sandbox.requests[before:] if record.method == "POST"]

    return Settings(VENICE_API_KEY="key", VENICE_BASE_URL=sandbox.url)
