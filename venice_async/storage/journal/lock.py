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
from pathlib import Path

from venice_async.errors import DirectoryLockedError

__all__ = ["DirectoryLock"]

_LONGEST = 200  # bytes of the holder's name


class DirectoryLock:
    """A lock on a directory, held from `take` to `release`.

    Args:
        path: The file, in a directory that exists.
        directory: What it stands for, in the error's message.
    """

    def __init__(self, path: Path, directory: Path) -> None:
        self._path = path
        self._directory = directory
        self._descriptor = -1

    def take(self) -> None:
        """Take the lock, or fail at once.

        Raises:
            DirectoryLockedError: Somebody else holds it.
            OSError: The file cannot be made.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
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

    def release(self) -> None:
        """Let go of it; the file stays, because somebody may be waiting at it."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)
