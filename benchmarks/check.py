"""Whether a client did its work: every image whole, in a file of its own, and nothing else left."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from .answers import Answer

__all__ = ["faults"]

_OWN = {".venice", "metadata.jsonl"}  # what this library tells of the images may stay
_PART = ".part"


def faults(into: Path, answer: Answer, requests: int, *, files: bool) -> list[str]:
    """What is wrong with what a client left in its directory; empty where nothing is.

    Args:
        into: The directory.
        answer: What the server sent.
        requests: How many times.
        files: Whether the client writes the images.
    """
    size, digest = len(answer.picture), answer.digest()
    found = []
    count = 0
    for path in _files(into):
        name = path.relative_to(into).as_posix()
        if path.suffix == _PART or path.name.startswith("."):
            found.append(f"left over: {name}")
        elif path.stat().st_size != size:
            found.append(f"{name} has {path.stat().st_size} bytes instead of {size}")
        elif _digest(path) != digest:
            found.append(f"{name} is another image")
        else:
            count += 1
    expected = requests * answer.images if files else 0
    if count != expected:
        found.append(f"{count} images instead of {expected}")
    return found


def _files(into: Path) -> Iterator[Path]:
    """The files that are images, or should not be there."""
    for path in sorted(into.rglob("*")):
        own = not _OWN.isdisjoint(path.relative_to(into).parts)
        if path.is_file() and (not own or path.suffix == _PART):
            yield path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
