"""For users' tests: `pytest_plugins = ["venice_async.pytest_plugin"]` in the top `conftest.py`.

1. The sandbox runs in a thread of its own, so the fixture works under any runner.
2. Code under test finds it by the environment, as it finds the real API.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from venice_async.sandbox import Sandbox

__all__ = ["pytest_configure", "venice_sandbox"]

_MARKER = "venice_sandbox(**options): what `Sandbox` takes, for the `venice_sandbox` fixture of this test"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def venice_sandbox(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox of the test's own, to which `VENICE_BASE_URL` and `VENICE_API_KEY` lead.

    It answers at once and has no rate limit, unless `@pytest.mark.venice_sandbox(rpm=5, latency=1)`
    says so; the marker takes what `Sandbox` takes. What was asked is in its `account` (counts) and
    `requests` (bodies); `script(Fault(...))` lets something go wrong.
    """
    options: dict[str, Any] = {"latency": 0, "rpm": None}
    for mark in reversed(list(request.node.iter_markers("venice_sandbox"))):
        options |= mark.kwargs
    with Sandbox(**options) as sandbox:
        monkeypatch.setenv("VENICE_BASE_URL", sandbox.url)
        monkeypatch.setenv("VENICE_API_KEY", options.get("api_key") or "sandbox")
        yield sandbox
