"""SIGINT and SIGTERM, as whoever started a job expects them.

1. The first one cancels: nothing more is sent, and what is in flight is drained.
2. Each further one cancels again, which ends the draining.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

__all__ = ["run_until_signalled"]

_STOPPING = (signal.SIGINT, signal.SIGTERM)
_EXIT_BASE = 128


def run_until_signalled(work: Coroutine[Any, Any, int]) -> int:
    """Run a command's work; its exit code, or 130 after SIGINT and 143 after SIGTERM."""
    return asyncio.run(_run(work))


async def _run(work: Coroutine[Any, Any, int]) -> int:
    received: list[int] = []
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None  # noqa: S101

    def stop(number: int) -> None:
        received.append(number)
        task.cancel()

    for number in _STOPPING:
        loop.add_signal_handler(number, stop, number)
    try:
        return await work
    except asyncio.CancelledError:
        if not received:
            raise
        return _EXIT_BASE + received[0]
    finally:
        for number in _STOPPING:
            loop.remove_signal_handler(number)
