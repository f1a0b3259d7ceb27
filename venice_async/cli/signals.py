"""SIGINT, SIGTERM and SIGHUP, as whoever started a job expects them.

1. The first one cancels: nothing more is sent, and what is in flight is drained.
2. Each further one cancels again, which ends the draining.
3. A terminal that goes away is such a signal, unless the job was started to outlive it (`nohup`).
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

from .process import keep_memory, new_event_loop
from .stops import INTERRUPTED

__all__ = ["run_until_signalled"]


def run_until_signalled(work: Coroutine[Any, Any, int]) -> int:
    """Run a command's work; its exit code, or 130 after a signal."""
    keep_memory()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_run(work))


async def _run(work: Coroutine[Any, Any, int]) -> int:
    received = False
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None  # noqa: S101

    def stop() -> None:
        nonlocal received
        received = True
        task.cancel()

    stopping = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        stopping.append(signal.SIGHUP)
    for number in stopping:
        loop.add_signal_handler(number, stop)
    try:
        return await work
    except asyncio.CancelledError:
        if not received:
            raise
        return INTERRUPTED
    finally:
        for number in stopping:
            loop.remove_signal_handler(number)
