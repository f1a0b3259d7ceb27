"""Requests, prompts and source pictures from files.

1. Files are read before anything is bought: a fault in them costs nothing.
2. `-` is standard input.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import orjson

from venice_async.errors import ConfigurationError

from .files import storage_errors

__all__ = ["read_bytes", "read_json", "read_prompts"]


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
        raise ConfigurationError(f"{_called(path)} holds no prompt")
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
        raise ConfigurationError(f"{_called(path)} is no JSON: {exc}") from exc


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
        raise ConfigurationError(f"{_called(path)} is no UTF-8 (byte {exc.start})") from exc


def _called(path: str) -> str:
    return "standard input" if path == "-" else path
