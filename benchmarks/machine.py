"""On what it was measured: versions and hardware, without the names of hosts, users or directories."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import venice_async

from .server import Kind

__all__ = ["describe_machine", "versions"]

_PACKAGES = (
    *("aiohttp", "httpx", "openai", "requests", "veniceresch", "venice-py", "uvloop"),
    *("orjson", "pybase64", "attrs", "anyio"),
)


def versions(server: Kind) -> dict[str, str]:
    """What took part, by name; what is not installed is left out."""
    found = {"python": platform.python_version(), "venice_async": venice_async.__version__}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    if server == "nginx":
        told = subprocess.run(
            [shutil.which("nginx") or "nginx", "-v"], capture_output=True, text=True, check=True
        )
        found["nginx"] = told.stderr.strip().rpartition("/")[2]
    return found


def describe_machine() -> dict[str, str | int | float]:
    """The processor, the memory and the kernel."""
    return {
        "processor": _processor(),
        "processors": os.cpu_count() or 0,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.system(),
        "kernel": platform.release(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    with suppress(OSError):
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()
