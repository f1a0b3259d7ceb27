"""What a process can say of itself: time, processor, memory, and how late its event loop is."""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from attrs import frozen

__all__ = ["Lag", "LagMeter", "Usage", "peak_bytes", "resident_bytes", "usage"]

_STATUS = Path("/proc/self/status")
_TICK = 0.001  # seconds that the meter means to sleep


@frozen(kw_only=True)
class Usage:
    """Where a process stands, in seconds."""

    wall: float
    processor: float


def usage() -> Usage:
    """The clock, and the user and system time of all threads of this process."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(wall=time.perf_counter(), processor=spent.ru_utime + spent.ru_stime)


def _status(name: str) -> int | None:
    with suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return None


def _highest() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def resident_bytes() -> int:
    """The memory held now; the peak from now on starts here.

    Where the kernel cannot forget an older peak, that is the one that counts.
    """
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS:") or _highest()


def peak_bytes() -> int:
    """The most memory held since `resident_bytes`."""
    return _status("VmHWM:") or _highest()


@frozen(kw_only=True)
class Lag:
    """How late the event loop was, in milliseconds."""

    p50: float
    p99: float
    max: float


class LagMeter:
    """A task that means to sleep for a millisecond, again and again, and notes how much longer it was."""

    def __init__(self) -> None:
        self._late: list[float] = []
        self._task: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._measure())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _measure(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_TICK)
            self._late.append(max(0.0, time.perf_counter() - began - _TICK))

    def read(self) -> Lag:
        """What it found so far."""
        late = sorted(self._late) or [0.0]
        p50, p99 = (late[min(len(late) - 1, int(len(late) * share))] * 1e3 for share in (0.5, 0.99))
        return Lag(p50=p50, p99=p99, max=late[-1] * 1e3)
