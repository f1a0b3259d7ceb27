"""One process at a time works on a directory.

1. The lock is the operating system's, on a file: it ends with the process that holds it, however
   that process ends.
2. What is written in the file is for people: who holds it, and since when.
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import os
import socket
import time
from contextlib import suppress
from multiprocessing.util import register_after_fork
from pathlib import Path

from venice_async.errors import DirectoryLockedError

__all__ = ["DirectoryLock"]

_LONGEST = 200  # bytes of the holder's name
_TRIES = 10
_BETWEEN = 0.02  # seconds


class DirectoryLock:
    """A lock on a directory, held from `take` to `release`.

    Args:
        path: The file, in a directory that exists.
        directory: What it stands for, in the error's message.

    Attributes:
        left_behind: Whether the holder before has not let go of it, but died.
    """

    def __init__(self, path: Path, directory: Path) -> None:
        self._path = path
        self._directory = directory
        self._descriptor = -1
        self.left_behind = False

    def take(self) -> None:
        """Take the lock, or fail at once.

        Raises:
            DirectoryLockedError: Somebody else holds it.
            OSError: The file cannot be made.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            _lock(descriptor)
        except BlockingIOError:
            holder = os.pread(descriptor, _LONGEST, 0).decode(errors="replace").strip() or "another process"
            os.close(descriptor)
            raise DirectoryLockedError(
                errno.EAGAIN,
                f"Another job is at work here: {holder}; wait for its end, or choose another directory",
                str(self._directory),
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        register_after_fork(self, DirectoryLock._after_fork)
        self.left_behind = os.fstat(descriptor).st_size > 0
        since = dt.datetime.now(dt.UTC).isoformat(sep=" ", timespec="seconds")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()} since {since}\n".encode(), 0)

    @staticmethod
    def is_held(path: Path) -> bool:
        """Whether somebody holds the lock of that file."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def release(self, *, orderly: bool = True) -> None:
        """Let go of it; the file stays, because somebody may be waiting at it.

        Args:
            orderly: Whether what the lock stood for is at its end; else the holder's name stays.
        """
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            if orderly:
                os.ftruncate(descriptor, 0)
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a forked child may hold it open as well
            os.close(descriptor)

    def _after_fork(self) -> None:
        """A child has nothing to do with the job, and must not hold its lock when the parent has died."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _lock(descriptor: int) -> None:
    """Take the lock; somebody who only looks whether it is held may hold it for a moment."""
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_BETWEEN)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
