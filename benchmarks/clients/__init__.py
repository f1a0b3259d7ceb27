"""The clients that are measured, by name.

A client's module is named after what it adapts, and imported in its own process only: what one client loads
must not weigh on another.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, cast

from attrs import field, frozen

from .job import Job, Open, Run

__all__ = ["CLIENTS", "Client", "Job", "Open", "Run"]


@frozen(kw_only=True)
class Client:
    """A client as the rows name it.

    Attributes:
        where: Module and function.
        title: What the tables call it.
        needs: A module without which it cannot run.
        files: Whether it writes the images.
        uvloop: Whether it runs on uvloop.
        environment: Variables that it is started with.
        ours: Whether it is this library.
    """

    where: tuple[str, str]
    title: str
    needs: str = "aiohttp"
    files: bool = True
    uvloop: bool = False
    environment: Mapping[str, str] = field(factory=dict)
    ours: bool = False

    @property
    def missing(self) -> str | None:
        """The module that is not installed, or None."""
        needed = (self.needs, *(["uvloop"] if self.uvloop else []))
        return next((name for name in needed if find_spec(name) is None), None)

    def load(self) -> Open:
        """The function that opens it."""
        module, name = self.where
        return cast("Open", getattr(importlib.import_module(f"{__name__}.{module}"), name))


def _ours(function: str, title: str, **fields: Any) -> Client:
    return Client(where=("library", function), title=title, ours=True, **fields)


# What has glibc keep memory that was freed, as the command line does; see the README.
_KEPT = {"MALLOC_TRIM_THRESHOLD_": str(64 * 1024 * 1024), "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024)}


CLIENTS: dict[str, Client] = {
    "discard": Client(where=("discard", "discard"), title="bare aiohttp, read and discarded", files=False),
    "limit": Client(where=("limit", "limit"), title="asyncio protocol, decode and write", needs="pybase64"),
    "aiohttp": Client(where=("aiohttp", "aiohttp_gather"), title="aiohttp, gather and semaphore"),
    "httpx": Client(where=("httpx", "httpx_gather"), title="httpx", needs="httpx"),
    "requests": Client(where=("requests", "requests_threads"), title="requests in threads", needs="requests"),
    "openai": Client(where=("openai", "openai_gather"), title="openai", needs="openai"),
    "veniceresch": Client(
        where=("veniceresch", "veniceresch_gather"), title="veniceresch", needs="veniceresch"
    ),
    "venice-py": Client(where=("venice_py", "venice_py_gather"), title="venice-py", needs="venice_ai"),
    "generate": _ours("generate", "venice_async, generate (in memory, not written)", files=False),
    "save": _ours("save", "venice_async, save (no journal)"),
    "gather": _ours("gather_process", "venice_async, gather_generate"),
    "gather-power": _ours("gather_power", 'venice_async, gather_generate, durability="power"'),
    "save-uvloop": _ours("save", "venice_async, save, uvloop", uvloop=True),
    "gather-uvloop": _ours("gather_process", "venice_async, gather_generate, uvloop", uvloop=True),
    "save-kept": _ours("save", "venice_async, save, freed memory kept", environment=_KEPT),
    "gather-kept": _ours(
        "gather_process", "venice_async, gather_generate, freed memory kept", environment=_KEPT
    ),
}
