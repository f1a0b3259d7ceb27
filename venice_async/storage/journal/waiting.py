"""What a running batch waits for, as a small file beside its journal: for `status`, asked by another process.

1. It is a notice and no record: it is lost with the process, and nobody depends on it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import attrs
import orjson

from venice_async.types.statistics import Wait

from .schema import PRIVATE

__all__ = ["read_waits", "write_waits"]

_NOTICE = "waiting.json"


def write_waits(directory: Path, waits: Iterable[Wait]) -> None:
    """Say what is waited for; nothing, where there is no such file. A disk that refuses is let be; blocks."""
    path = directory / PRIVATE / _NOTICE
    with suppress(OSError):
        if told := [attrs.asdict(wait) for wait in waits]:
            new = path.with_suffix(".new")
            new.write_bytes(orjson.dumps(told))
            new.replace(path)
        else:
            path.unlink(missing_ok=True)


def read_waits(directory: Path) -> tuple[Wait, ...]:
    """What was said last and is not over; blocks."""
    now = time.time()
    try:
        told = orjson.loads((directory / PRIVATE / _NOTICE).read_bytes())
        waits = [Wait(**fields) for fields in told]
    except (OSError, ValueError, TypeError):
        return ()
    return tuple(wait for wait in waits if wait.until > now)
