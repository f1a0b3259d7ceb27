"""The threads in which everything runs that would hold up the event loop.

1. As many threads as there are processors, at most four; none before the first job.
2. Closing drops what waits, and waits for what runs, but not for ever.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

__all__ = ["Workers"]

P = ParamSpec("P")
T = TypeVar("T")

# All but pictures of 4K take well under a second; those, and a caller's own painter, are not waited for.
_LONGEST_WAIT = 1.0


class Workers:
    """A bounded thread pool that knows what is running in it."""

    def __init__(self) -> None:
        count = min(4, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="venice-sandbox")
        self._jobs: set[Future[Any]] = set()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a thread and return what it returns."""
        job = self._pool.submit(function, *args, **kwargs)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return await asyncio.wrap_future(job)

    async def close(self) -> None:
        """Drop the jobs that have not begun, and wait at most a second for those that have."""
        running = [asyncio.wrap_future(job) for job in list(self._jobs) if not job.cancel()]
        hanging: set[asyncio.Future[Any]] = set()
        if running:
            done, hanging = await asyncio.wait(running, timeout=_LONGEST_WAIT)
            for future in done:
                future.exception()  # looked at, so that the loop does not report it
        self._pool.shutdown(wait=not hanging, cancel_futures=True)
