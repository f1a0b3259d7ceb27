"""One answer's images as files: temporary, checked, then under their names.

1. Bytes go to the writer thread in pieces of a quarter of a megabyte or more; one piece of an answer is on
   its way at a time, which is the backpressure.
2. What an answer brought that is no picture to use is kept under `.venice/rejected/`.
3. On the way of an image, paths are strings: a `Path` costs as much as the system call that it is for.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from venice_async.errors import ConfigurationError, OutputExistsError, StorageError, VeniceError
from venice_async.types.response import ImageFormat, SavedImages
from venice_async.wire.images import ImageBegins

from .published import Published, temporary_in
from .writer import WriterThread

__all__ = [
    "EXTENSIONS",
    "FileSink",
    "Namer",
    "TemporaryFile",
    "check_goal",
    "check_no_images",
    "images_in",
    "name_for",
    "prepare_directory",
    "storage_errors",
    "sync_directory",
]

EXTENSIONS: dict[ImageFormat, str] = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}

_SUFFIXES: dict[str, ImageFormat] = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp"}

Namer = Callable[[str | None, int, int, ImageFormat], str]
"""From the API's id, the image's place, the number of images and the format to a relative path."""

# File systems take 255; an extension, the image's number and a number to tell it apart come on top.
_NAME_BYTES = 240
_PROBE = ".venice-probe.part"
_FLUSH_PIECES = 256
_BACKLOG = 8  # jobs of a writer, which does one at a time


@contextmanager
def storage_errors() -> Generator[None, None, None]:
    """Turn what the operating system raises into a `StorageError` with the same number and path."""
    try:
        yield
    except VeniceError:
        raise
    except OSError as exc:
        raise StorageError(exc.errno, exc.strerror, exc.filename) from exc
    except ValueError as exc:  # a NUL, or a character that the file system's encoding lacks
        raise StorageError(errno.EINVAL, f"No path can hold this: {exc}") from exc


def prepare_directory(directory: Path, *, synced: bool = False) -> None:
    """Make the directory for a batch; on the disk when this returns, if it is to be synced.

    Raises:
        StorageError: It cannot be made, or not be written to.
    """
    with storage_errors():
        missing = [folder for folder in (directory, *directory.parents) if not folder.exists()]
        directory.mkdir(parents=True, exist_ok=True)
        for folder in missing if synced else ():
            sync_directory(folder.parent)
        # Only a file that was made tells of read-only mounts, permissions and quotas. It has one name: if
        # the process dies in between, the next one deletes it.
        probe = directory / _PROBE
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666))
        probe.unlink(missing_ok=True)


def images_in(directory: Path) -> Iterator[str]:
    """The images below a directory that a batch may have made, relative to it, without hidden ones."""
    for folder, folders, files in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if Path(name).suffix.lower() in _SUFFIXES and not name.startswith("."):
                yield str(Path(folder, name).relative_to(directory))


def check_no_images(directory: Path) -> None:
    """Raise an `OutputExistsError` if the directory holds images already."""
    for found in images_in(directory):
        raise OutputExistsError(
            errno.EEXIST,
            f"The directory holds images already ({found}), and no journal that tells of them;"
            " choose another",
            str(directory),
        )


@contextmanager
def _naming(path: str | Path) -> Generator[None, None, None]:
    """Have an error tell the path: the operating system does not know it where it is given a descriptor."""
    try:
        yield
    except OSError as exc:
        if exc.filename is None:
            exc.filename = str(path)
        raise


def sync_directory(directory: Path) -> None:
    """Wait until the names in a directory are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with _naming(directory):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_goal(goal: Path) -> None:
    """Find out before anything is paid for whether an image can go to this path.

    Raises:
        ConfigurationError: The path names no file.
        OutputExistsError: The path is taken.
        StorageError: The name is too long, or the directory does not exist or cannot be written to.
    """
    if goal.name in {"", ".."} or "\0" in str(goal):
        raise ConfigurationError(f"{str(goal)!r} names no file")
    if len(os.fsencode(goal.name)) > _NAME_BYTES:
        raise StorageError(errno.ENAMETOOLONG, f"The name is longer than {_NAME_BYTES} bytes", str(goal))
    taken = (
        [goal]
        if goal.suffix.lower() in _SUFFIXES
        else [goal.with_name(goal.name + suffix) for suffix in ("", *_SUFFIXES)]
    )
    with storage_errors():
        for path in taken:
            if path.exists():
                raise OutputExistsError(errno.EEXIST, "The path is taken; nothing is overwritten", str(path))
        if not goal.parent.is_dir():
            raise StorageError(errno.ENOENT, "No such directory", str(goal.parent))
        if not os.access(goal.parent, os.W_OK | os.X_OK):
            raise StorageError(errno.EACCES, "The directory cannot be written to", str(goal.parent))


def name_for(goal: Path, _: str | None, image: int, images: int, image_format: ImageFormat) -> str:
    """The name of an image that was to go to `goal`: with the extension of its real format."""
    stem, suffix = goal.name, EXTENSIONS[image_format]
    if (asked := goal.suffix.lower()) in _SUFFIXES:
        stem = goal.stem
        suffix = goal.suffix if _SUFFIXES[asked] == image_format else suffix
    return f"{stem}-{image}{suffix}" if images > 1 else f"{stem}{suffix}"


class TemporaryFile:
    """A file that grows in the writer thread, and has no name of its own yet.

    Args:
        path: Where it grows.
        image_format: What its first bytes say it is.
        descriptor: Of the file, if it is open already; else the first piece makes it.
        digest: Takes in what is written, or None.
    """

    def __init__(
        self, path: str, image_format: ImageFormat | None, descriptor: int = -1, digest: Any = None
    ) -> None:
        self.format: ImageFormat | None = image_format
        self.size = 0
        self.path = path
        self.digest = digest
        self.pieces: list[bytes] = []
        self.buffered = 0
        self.finished = False
        self.published = False
        self.torn = False
        self._descriptor = descriptor

    def take(self) -> list[bytes]:
        """The pieces that are to be written next."""
        pieces, self.pieces, self.buffered = self.pieces, [], 0
        return pieces

    def write(self, pieces: list[bytes]) -> None:
        """Append pieces; the first call creates the file."""
        self.torn = True
        if self._descriptor < 0:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, 0o666)
        if self.digest is not None:
            for piece in pieces:
                self.digest.update(piece)
        while pieces:
            with _naming(self.path):
                written = os.writev(self._descriptor, pieces)
            self.size += written
            while pieces and written >= len(pieces[0]):
                written -= len(pieces.pop(0))
            if written:
                pieces[0] = pieces[0][written:]
        self.torn = False

    def finish(self, *, synced: bool = False) -> None:
        """Write the rest, and close it; on the disk when this returns, if it is to be synced."""
        if not self.finished:
            self.write(self.take())
            with _naming(self.path):
                if synced:
                    os.fsync(self._descriptor)
                self.close()
            self.finished = True

    @property
    def known_format(self) -> ImageFormat:
        """The format; the decoder refuses an image without one before it is whole."""
        assert self.format is not None  # noqa: S101
        return self.format

    def rename_to(self, path: str) -> None:
        """Give it another path."""
        os.rename(self.path, path)
        self.path = path

    def close(self) -> None:
        """Let go of the descriptor."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def remove(self) -> None:
        """Close and delete it, if the disk lets it: why it is not wanted matters more than that it stays."""
        with suppress(OSError):
            self.close()
        with suppress(OSError):
            os.unlink(self.path)


class FileSink:
    """Takes the images of one answer and makes files of them.

    Args:
        writer: Does the work on the disk.
        published: Where the files go.
        namer: What they are called.
        flush_bytes: How much of the answer is collected before it is written.

    Attributes:
        head: What the headers of the answer say; empty before one came.
    """

    def __init__(
        self, writer: WriterThread, published: Published, namer: Namer, flush_bytes: int = 256 * 1024
    ) -> None:
        self._writer = writer
        self._published = published
        self._namer = namer
        self._flush_bytes = flush_bytes
        self._files: list[TemporaryFile] = []
        self._running: asyncio.Future[None] | None = None
        self.head: Mapping[str, Any] = {}

    def announce(self, head: Mapping[str, Any]) -> None:
        """What the headers of the answer say comes before its images."""
        self.head = head

    async def begin(self, image: ImageBegins) -> None:
        """Start the next image."""
        self._files.append(self._new_file(len(self._files), image.format))

    async def write(self, data: bytes) -> None:
        """Add to the current image; waits while an earlier piece is still on its way to the disk.

        Raises:
            StorageError: The disk refused.
        """
        file = self._files[-1]
        file.pieces.append(data)
        file.buffered += len(data)
        if file.buffered >= self._flush_bytes or len(file.pieces) >= _FLUSH_PIECES:
            await self._settle()
            self._running = self._writer.submit(partial(file.write, file.take()))
            if self._writer.unfinished > _BACKLOG:
                await self._settle()  # more that waits would take memory, and no time off

    async def commit(self, answer: Mapping[str, Any]) -> SavedImages:
        """Put the images under their names.

        Raises:
            StorageError: The disk refused.
        """
        paths: tuple[Path, ...] = ()
        # Once begun it is done in a moment, and a file under its name that nobody was told of helps nobody.
        with anyio.CancelScope(shield=True):
            await self._settle()
            paths = await self._publish(answer)
        sizes = tuple(file.size for file in self._files)
        # The echo of the request can be as large as a picture, and its sender knows it.
        fields: dict[str, Any] = {**answer, "request": None}
        return SavedImages(**fields, paths=paths, sizes=sizes)

    def _new_file(self, image: int, image_format: ImageFormat | None) -> TemporaryFile:  # noqa: ARG002
        return TemporaryFile(temporary_in(str(self._published.directory)), image_format)

    async def _publish(self, answer: Mapping[str, Any]) -> tuple[Path, ...]:
        return await self._writer.submit(partial(self._put_in_place, answer.get("id")))

    async def reject(self) -> tuple[Path, ...]:
        """Keep what came under `.venice/rejected/`, for a person to look at."""
        kept: tuple[Path, ...] = ()
        with anyio.CancelScope(shield=True):
            self._forget_running()
            kept = await self._writer.submit(self._reject)
        return kept  # noqa: RET504 - a scope may swallow, says its type

    async def discard(self) -> None:
        """Delete what came."""
        with anyio.CancelScope(shield=True):
            await self._writer.submit(self._discard)
            self._forget_running()

    def _forget_running(self) -> None:
        """Take note of how the last piece went: what matters now is something else."""
        if self._running is not None and self._running.done() and not self._running.cancelled():
            self._running.exception()

    async def _settle(self) -> None:
        if self._running is not None:
            with storage_errors():
                await self._running

    def _names(self, answer_id: str | None) -> list[str]:
        return [
            self._namer(answer_id, place, len(self._files), file.known_format)
            for place, file in enumerate(self._files)
        ]

    @storage_errors()
    def _put_in_place(self, answer_id: str | None) -> tuple[Path, ...]:
        paths = []
        for file, name in zip(self._files, self._names(answer_id), strict=True):
            file.finish()
            paths.append(self._published.directory / self._published.publish(file.path, name))
            file.published = True
        return tuple(paths)

    @storage_errors()
    def _reject(self) -> tuple[Path, ...]:
        kept = Published(self._published.directory / ".venice" / "rejected")
        paths = []
        for place, file in enumerate(self._files):
            if file.published:
                continue
            if file.torn:  # the disk did not take all of it
                file.remove()
                continue
            file.finish()
            name = self._namer(None, place, len(self._files), file.format or "png")
            suffix = EXTENSIONS[file.format] if file.format else ".bin"
            found = kept.publish(file.path, os.path.splitext(name)[0] + suffix)
            paths.append(kept.directory / found)
        return tuple(paths)

    def _discard(self) -> None:
        for file in self._files:
            file.take()
            file.remove()
