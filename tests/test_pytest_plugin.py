"""The `venice_sandbox` fixture, in test-suites as users have them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```py\n# (\w+\.py)\n(.*?)```", README, re.DOTALL))

SUITE = """
import asyncio
import os

import pytest

from venice_async import ImageRequest, VeniceSession
from venice_async.errors import AuthenticationError, PaymentRequiredError

FOX = ImageRequest("a fox", model="fluently-xl", width=64, height=64)
seen = []


async def generate(times=1):
    async with VeniceSession() as venice:
        for _ in range(times):
            await venice.generate(FOX)


@pytest.mark.parametrize("number", [1, 2])
def test_each_test_has_a_sandbox_of_its_own(venice_sandbox, number):
    asyncio.run(generate(number))
    assert venice_sandbox.account.received == number
    seen.append(venice_sandbox.url)


def test_the_environment_is_as_it_was():
    assert os.environ["VENICE_BASE_URL"] == "http://elsewhere/v1"
    assert "VENICE_API_KEY" not in os.environ
    assert len(set(seen)) == 2


async def test_it_works_while_a_loop_is_running(venice_sandbox):
    await generate()
    assert venice_sandbox.account.billed == 1


@pytest.mark.venice_sandbox(balance_usd=0.02, latency=0.001)
class TestOptions:
    def test_the_markers_options_are_the_sandboxs(self, venice_sandbox):
        with pytest.raises(PaymentRequiredError):
            asyncio.run(generate(3))
        assert venice_sandbox.account.billed == 2

    @pytest.mark.venice_sandbox(balance_usd=0.01)
    def test_the_nearest_marker_counts(self, venice_sandbox):
        with pytest.raises(PaymentRequiredError):
            asyncio.run(generate(2))
        assert venice_sandbox.account.billed == 1


@pytest.mark.venice_sandbox(api_key="only-this")
def test_a_key_of_its_own_is_set_too(venice_sandbox, monkeypatch):
    asyncio.run(generate())
    monkeypatch.setenv("VENICE_API_KEY", "another")
    with pytest.raises(AuthenticationError):
        asyncio.run(generate())
"""


def suite(folder, *options, **files):
    """Run a test-suite made of these files in a process of its own: its exit code and its output."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "conftest.py").write_text('pytest_plugins = ["venice_async.pytest_plugin"]\n')
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    kept = {name: value for name, value in os.environ.items() if name != "VENICE_API_KEY"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--strict-markers", *options],
        cwd=folder,
        env={**kept, "VENICE_BASE_URL": "http://elsewhere/v1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_suite_with_the_fixture_passes(tmp_path):
    """With options by marker, and inside a running loop as well."""
    code, shown = suite(tmp_path, "-p", "anyio", "-o", "anyio_mode=auto", test_suite=SUITE)
    assert code == 0, shown
    assert "7 passed" in shown


def test_the_service_and_the_test_of_the_readme_work(tmp_path):
    """As they stand there."""
    files = {name.removesuffix(".py"): text for name, text in FILES.items()}
    assert files.keys() == {"service", "test_service"}
    code, shown = suite(tmp_path, **files)
    assert code == 0, shown
    assert "3 passed" in shown


@pytest.mark.parametrize("options", ["rpm=-1", "speed=3"])
def test_an_option_that_is_none_is_an_error_of_that_test(tmp_path, options):
    """With what `Sandbox` says about it."""
    text = f"import pytest\n@pytest.mark.venice_sandbox({options})\ndef test_x(venice_sandbox):\n    pass\n"
    code, shown = suite(tmp_path, test_suite=text)
    assert code == 1
    assert options.partition("=")[0] in shown
