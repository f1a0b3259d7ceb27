"""The public face, pinned: a name that comes or goes is a decision, and a line in the changelog."""

from __future__ import annotations

import inspect
import subprocess
import sys

import venice_async
import venice_async.errors

NAMES = [
    "AnswerLimits",
    "BatchError",
    "BatchReport",
    "Blocked",
    "BudgetExceededError",
    "ContentBlockedError",
    "Failed",
    "Generated",
    "Guard",
    "ImageData",
    "ImageModel",
    "ImageRequest",
    "ImageResponse",
    "Inpaint",
    "InpaintMask",
    "Outcome",
    "PoolFullError",
    "Priority",
    "Progress",
    "RateLimit",
    "RateLimitError",
    "RequestLimits",
    "RequestTimeoutError",
    "RetryPolicy",
    "Skipped",
    "StatusError",
    "StyleReference",
    "Timeouts",
    "Unconfirmed",
    "UnconfirmedError",
    "ValidationError",
    "VeniceError",
    "VeniceSession",
    "__version__",
    "gather_generate",
    "read_requests",
    "redo",
    "stream_generate",
    "sweep",
]


def test_the_package_exports_these_names_and_no_others():
    """`venice_async.__all__` is exactly the pinned list, and every name is there."""
    assert sorted(venice_async.__all__) == sorted(NAMES)
    assert all(hasattr(venice_async, name) for name in NAMES)


def test_every_public_name_has_a_docstring():
    """Each class and function of the face explains itself."""
    for name in NAMES:
        value = getattr(venice_async, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert (value.__doc__ or "").strip(), name


def test_every_error_is_a_venice_error_and_drawn_in_the_tree():
    """The tree in the docstring of `errors` names every exception class there is."""
    for name in venice_async.errors.__all__:
        value = getattr(venice_async.errors, name)
        if inspect.isclass(value) and issubclass(value, BaseException):
            assert issubclass(value, venice_async.VeniceError)
            assert f" {name}" in (venice_async.errors.__doc__ or "")


def test_what_talks_to_the_api_is_loaded_when_it_is_first_asked_for():
    """Values and errors alone need no aiohttp; a name that does not exist is not looked for."""
    code = (
        "import sys, venice_async as v; v.sweep(v.ImageRequest('a fox', model='stub'), seed=[1]);"
        "assert 'VeniceSession' in dir(v) and not hasattr(v, 'Session');"
        "before = 'aiohttp' in sys.modules; v.VeniceSession, v.gather_generate;"
        "print(before, 'aiohttp' in sys.modules, callable(v.sweep))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False True True"


def test_importing_the_package_imports_no_extra():
    """The core needs neither Pillow, typer nor rich, and does not import the sandbox."""
    code = (
        "import sys; from venice_async import *;"
        "print([name for name in ('PIL', 'typer', 'rich', 'venice_async.sandbox') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
