"""Files that are read whole, and what every reader needs: where the bytes come from.

1. `-` is standard input.
2. What was compressed with gzip is told by its first bytes, not by its name.
"""

from __future__ import annotations

import gzip
import re
import shutil
import sys
import tempfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import orjson

from venice_async.errors import ConfigurationError
from venice_async.storage.files import storage_errors

__all__ = ["called", "local_copy", "opened", "read_bytes", "read_json", "read_prompts"]

_GZIP = b"\x1f\x8b"


def read_prompts(path: str) -> list[str]:
    """One prompt a line, UTF-8; blank lines are passed over.

    Raises:
        StorageError: The file cannot be read.
        ConfigurationError: It is no UTF-8, or holds no prompt.
    """
    # `str.splitlines` also breaks at form feeds and Unicode separators, which a prompt may hold.
    prompts = [line.strip() for line in re.split(r"\r\n|\n|\r", _read_text(path))]
    prompts = [prompt for prompt in prompts if prompt]
    if not prompts:
        raise ConfigurationError(f"{called(path)} holds no prompt")
    return prompts


def read_json(path: str) -> Any:
    """One JSON value, such as a request body as the API documents it.

    Raises:
        StorageError: The file cannot be read.
        ConfigurationError: It is no JSON.
    """
    try:
        return orjson.loads(_read_text(path))
    except orjson.JSONDecodeError as exc:
        raise ConfigurationError(f"{called(path)} is no JSON: {exc}") from exc


def read_bytes(path: str) -> bytes:
    """A file's content.

    Raises:
        StorageError: The file cannot be read.
        ConfigurationError: Standard input is closed.
    """
    if path == "-" and sys.stdin is None:
        raise ConfigurationError("standard input is closed")
    with storage_errors():
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()


def _read_text(path: str) -> str:
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ConfigurationError(f"{called(path)} is no UTF-8 (byte {exc.start})") from exc


def called(path: str) -> str:
    """What a person calls it."""
    return "standard input" if path == "-" else path


@contextmanager
def opened(path: str) -> Generator[BinaryIO, None, None]:
    """A file's bytes, inflated if they are compressed.

    Raises:
        StorageError: The file cannot be read.
        ConfigurationError: Its compression is broken.
    """
    with storage_errors(), Path(path).open("rb") as file:
        try:
            if file.peek(2)[:2] != _GZIP:
                yield file
                return
            with gzip.GzipFile(fileobj=file) as inflated:
                yield cast("BinaryIO", inflated)
        except (EOFError, gzip.BadGzipFile, zlib.error) as exc:
            raise ConfigurationError(f"{path} is no whole gzip file: {exc}") from exc


def local_copy(path: str, *, seekable: bool) -> IO[bytes] | None:
    """A temporary file with the content, where the path itself cannot be read several times; else None.

    Args:
        path: `-` is standard input.
        seekable: Whether the reader jumps back and forth, which what is compressed cannot take.
    """
    if path == "-" and sys.stdin is None:
        raise ConfigurationError("standard input is closed")
    with storage_errors():
        if path != "-":
            with Path(path).open("rb") as file:
                if not file.seekable():  # a pipe, such as of <(...)
                    return _copied(file)
                if not (seekable and file.read(2) == _GZIP):
                    return None
            with opened(path) as inflated:
                return _copied(inflated)
        return _copied(sys.stdin.buffer)


def _copied(source: IO[bytes]) -> IO[bytes]:
    copy = tempfile.NamedTemporaryFile(prefix="venice-async-")  # noqa: SIM115 - its owner closes it
    try:
        shutil.copyfileobj(source, copy, 1024 * 1024)
        copy.flush()
    except BaseException:
        copy.close()
        raise
    return copy
