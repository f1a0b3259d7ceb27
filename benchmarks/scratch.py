"""Where the images go while something is measured.

A file system on a disk is slow for seconds after many files were deleted, which is what goes on between two
runs, and its noise would be most of what is measured. So images go to memory where there is room for them,
but for the rows whose point is to wait for a disk.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from attrs import frozen

from .rows import Group, Row

__all__ = ["Scratch", "file_system", "open_scratch"]

_MEMORY = Path("/dev/shm")
_PIECE = 1 << 20


@frozen
class Scratch:
    """Two directories, which may be on one file system.

    Attributes:
        quick: In memory, if there is room.
        disk: On a disk, as far as the user's choice or the system's directory of temporary files is one.
    """

    quick: Path
    disk: Path

    def of(self, row: Row) -> Path:
        """The one that a row's images go to."""
        return self.disk if row.disk else self.quick


@contextmanager
def open_scratch(groups: Iterable[Group], quick: Path | None, disk: Path | None) -> Iterator[Scratch]:
    """Directories for these rows, in the given ones where they are given; deleted at the end.

    Raises:
        OSError: There is not enough room.
    """
    rows = [row for group in groups for row in group.rows]
    with ExitStack() as stack:

        def make(parent: Path, rows: Iterable[Row]) -> Path:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=parent)))
            _fill_page_cache(folder, max((row.volume for row in rows), default=0))
            return folder

        temporary = Path(tempfile.gettempdir())
        most = max((row.volume for row in rows), default=0)
        first = make(quick or (_MEMORY if _has_room(_MEMORY, most) else temporary), rows)
        yield Scratch(first, make(disk or temporary, [row for row in rows if row.disk]))


def _has_room(folder: Path, volume: int) -> bool:
    """Whether files of so many bytes fit, twice over."""
    with suppress(OSError):
        return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= 2 * volume
    return False


def _fill_page_cache(folder: Path, volume: int) -> None:
    """Write as much as the largest run does, and delete it: the first touch of a page is slow."""
    if not _has_room(folder, volume):
        raise OSError(f"{folder} has no room for {2 * volume / 1e9:.1f} GB")
    path = folder / "volume"
    piece = bytes(_PIECE)
    with path.open("wb") as file:
        for _ in range(volume // _PIECE + 1):
            file.write(piece)
    path.unlink()


def file_system(folder: Path) -> str:
    """The type of the innermost mount that a folder is in."""
    folder = folder.resolve()
    with suppress(OSError):
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
        inside = [(place, kind) for place, kind in mounts if folder.is_relative_to(place)]
        if inside:
            return max(inside, key=lambda mount: len(mount[0]))[1]
    return "unknown"
