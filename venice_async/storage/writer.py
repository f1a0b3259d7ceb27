"""One thread for all file work of a session, with cheap hand-over in both directions.

1. Jobs run in the order in which they were submitted.
2. Many results travel back to the event loop in one wake-up.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import anyio

__all__ = ["Done", "Job", "WriterThread", "attempted", "outlasted"]

T = TypeVar("T")
Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]
Done = tuple["asyncio.Future[Any]", Any, BaseException | None]


class WriterThread:
    """Runs jobs off the event loop; the thread starts with the first job.

    Args:
        name: The thread's.

    Attributes:
        unfinished: How many jobs were submitted whose end is not known yet.
    """

    def __init__(self, name: str = "venice-async-writer") -> None:
        self.unfinished = 0
        self._name = name
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._done: deque[Done] = deque()
        self._waking = False
        self._thread: threading.Thread | None = None
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, job: Callable[[], T]) -> asyncio.Future[T]:
        """Queue a job; the future brings its result or its exception."""
        loop = asyncio.get_running_loop()
        if self._closed:
            # After the end of the thread only clean-up comes, of calls that the closing cut off.
            return loop.run_in_executor(None, job)
        if self._thread is None:
            self._loop = loop
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put((job, future))
        self.unfinished += 1
        return future

    async def close(self) -> None:
        """Run what was submitted, and end the thread."""
        thread, self._thread = self._thread, None
        self._closed = True
        if thread is None:
            return
        ended = asyncio.get_running_loop().create_future()
        self._jobs.put((_nothing, ended))
        self.unfinished += 1
        self._jobs.put(None)
        await ended
        while thread.is_alive():  # noqa: ASYNC110 - it has nothing left to do but end
            await asyncio.sleep(0)

    def perform(self, jobs: list[Job]) -> Iterator[Done]:
        """Carry out what was queued, in the thread; each result is delivered as it comes."""
        for job, future in jobs:
            yield future, *attempted(job)

    def _run(self) -> None:
        ended = False
        while not ended:
            entries = [self._jobs.get()]
            with suppress(Empty):
                while True:
                    entries.append(self._jobs.get_nowait())
            ended = entries[-1] is None  # nothing comes after it
            for done in self.perform([entry for entry in entries if entry is not None]):
                self._done.append(done)
                if not self._waking:
                    self._waking = True
                    self._wake()

    def _wake(self) -> None:
        assert self._loop is not None  # noqa: S101
        try:
            self._loop.call_soon_threadsafe(self._deliver)
        except RuntimeError:
            self._waking = False  # the loop is closed: nobody waits any more

    def _deliver(self) -> None:
        # Cleared before the queue is emptied: a result that comes later wakes the loop again.
        self._waking = False
        while self._done:
            future, result, error = self._done.popleft()
            self.unfinished -= 1
            if future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)


async def outlasted(work: Awaitable[T]) -> T:
    """Wait for the end of something that must not be left half done; a cancellation is passed on after it."""
    interrupted: asyncio.CancelledError | None = None
    task = asyncio.ensure_future(work)
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError as exc:
                interrupted = exc
    if interrupted is not None:
        raise interrupted
    return task.result()


def attempted(job: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """A job's result, or its exception."""
    try:
        return job(), None
    except StopIteration as exc:  # which no future can carry
        return None, RuntimeError(f"a job raised {exc!r}")
    except BaseException as exc:  # noqa: BLE001 - it is handed to whoever waits for the job
        return None, exc


def _nothing() -> None:
    pass
