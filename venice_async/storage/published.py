"""The names that images get in a directory.

1. A name that is taken is never overwritten: the image gets `-2`, `-3` and so on, because it was
   paid for.
2. A file gets its name whole, even on another file system.
"""

from __future__ import annotations

import errno
import itertools
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["Published", "move_without_overwriting", "temporary_in"]

_NAMES_REMEMBERED = 1000  # it is only a short cut to the next free number
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def temporary_in(directory: str) -> str:
    """The path of a new hidden file."""
    return f"{directory}/.{secrets.token_hex(8)}.part"


class Published:
    """The names that one run has given out in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._numbers: dict[str, int] = {}

    def publish(self, temporary: str, name: str) -> str:
        """Move a whole file to its name, or to the next free one; the name it got."""
        for candidate in self._candidates(name):
            try:
                move_without_overwriting(temporary, f"{self.directory}/{candidate}")
            except FileExistsError:
                continue
            except FileNotFoundError:
                folder = (self.directory / name).parent
                if folder.exists() or not os.path.exists(temporary):
                    raise  # somebody has taken away all that there was
                folder.mkdir(parents=True, exist_ok=True)
                return self.publish(temporary, name)
            return candidate
        raise AssertionError  # the candidates never end

    def find(self, name: str, size: int, matches: Callable[[str], bool]) -> str | None:
        """The name of a file that was published under a name, or under one of those that follow it."""
        for candidate in itertools.chain([name], (_numbered(name, number) for number in itertools.count(2))):
            try:
                if (self.directory / candidate).stat().st_size == size and matches(candidate):
                    return candidate
            except FileNotFoundError:
                return None
        raise AssertionError  # the candidates never end

    def _candidates(self, name: str) -> Iterator[str]:
        if name not in self._numbers:
            yield name
        while True:
            number = self._numbers.pop(name, 1) + 1
            if len(self._numbers) >= _NAMES_REMEMBERED:
                del self._numbers[next(iter(self._numbers))]
            self._numbers[name] = number
            yield _numbered(name, number)


def _numbered(name: str, number: int) -> str:
    stem, suffix = os.path.splitext(name)
    return f"{stem}-{number}{suffix}"


def move_without_overwriting(source: str, goal: str) -> None:
    """Move a whole file to a name that nobody has.

    Raises:
        FileExistsError: Somebody has it.
    """
    try:
        os.link(source, goal)
    except OSError as exc:
        if exc.errno == errno.EXDEV:
            _copy_without_overwriting(source, goal)
            return
        if exc.errno not in _NO_HARD_LINKS:
            raise
        os.close(os.open(goal, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC))
        os.replace(source, goal)
        return
    os.unlink(source)


def _copy_without_overwriting(source: str, goal: str) -> None:
    """Move a file to another file system, where it is whole before it gets its name."""
    near = temporary_in(os.path.dirname(goal))
    try:
        shutil.copyfile(source, near)
        with open(near, "rb") as copy:
            os.fsync(copy.fileno())
        move_without_overwriting(near, goal)
    finally:
        Path(near).unlink(missing_ok=True)
    os.unlink(source)
