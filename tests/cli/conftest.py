"""The sandbox behind the commands of a file of tests."""

from __future__ import annotations

import pytest

from venice_async.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(latency=0, rpm=None) as running:
        yield running


class Settings(dict):
    """The variables that lead a command to a sandbox, and the bodies that it has sent there."""

    def __init__(self, sandbox):
        super().__init__(VENICE_API_KEY="key", VENICE_BASE_URL=sandbox.url)
        self.sandbox = sandbox
        self._before = len(sandbox.requests)

    @property
    def sent(self):
        return [record.body for record in self.sandbox.requests[self._before :] if record.method == "POST"]


@pytest.fixture
def settings(sandbox):
    return Settings(sandbox)


@pytest.fixture
def settings_of_2025():
    """The same for a server of 2025, which takes the reference page's own request."""
    with Sandbox(latency=0, rpm=None, profile="2025") as running:
        yield Settings(running)
