"""What a run that did not end left open, brought to an end before the next one begins.

1. Images that are recorded get their names, if the crash came before that.
2. Images that are whole on disk are taken over, though their record is missing: they were paid for.
   That is recorded before anything moves, so that a crash here loses nothing either.
3. What else was sent is unconfirmed, and counts as spent.
4. Nothing is left in the folder of parts. A whole image that belongs to no purchase is kept with the
   rejected ones; half an image is deleted.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePath
from sqlite3 import Connection
from typing import Any

import attrs

from venice_async.errors import UnconfirmedError
from venice_async.storage.files import EXTENSIONS, Published
from venice_async.storage.names import NameTemplate
from venice_async.types.response import MAGIC_BYTES, detect_format

from .records import KeptFile, dump_error, dump_files, load_files, load_request
from .schema import State

__all__ = ["file_digest", "part_name", "part_numbers", "settle", "take_over"]

_HASHED_AT_ONCE = 1024 * 1024
_SUFFIXES = set(EXTENSIONS.values())
_LOST = "the process ended while the request was in flight; it may have been billed"


def take_over(connection: Connection, parts: Path, template: str) -> None:
    """Decide what became of what was sent, and record it, before `settle` moves anything.

    Args:
        connection: In a transaction.
        parts: The directory's folder of parts.
        template: Of file names.
    """
    found = _parts_by_attempt(parts)
    for item, attempt, *row in connection.execute(
        "SELECT items.id, attempts, place, seed, request, pictures.body FROM items"
        f" LEFT JOIN pictures ON pictures.digest = items.pictures WHERE state = {State.SENT}"
    ).fetchall():
        planned = _planned(row, found[item, attempt], NameTemplate(template))
        if planned is None:
            lost = UnconfirmedError(_LOST)
            _update(connection, item, state=State.UNCONFIRMED, error=dump_error(lost), ended_at=time.time())
        else:
            told = dump_files(planned)
            _update(connection, item, state=State.RECEIVED, files=told, error=None, ended_at=time.time())
        connection.execute("UPDATE items SET spent = spent + reserved, reserved = 0 WHERE id = ?", (item,))


def settle(connection: Connection, published: Published, parts: Path) -> set[Path]:
    """Give recorded images their names, and empty the folder of parts; the folders that have changed.

    Args:
        connection: In a transaction, after that of `take_over`.
        published: The directory's names.
        parts: Its folder of parts.
    """
    found = _parts_by_attempt(parts)
    touched = set()
    for item, attempt, files in connection.execute(
        f"SELECT id, attempts, files FROM items WHERE state = {State.RECEIVED}"
    ).fetchall():
        for path in _finish(connection, published, item, load_files(files), found.pop((item, attempt), {})):
            touched.add(path.parent)
    for wholes in found.values():
        for path in wholes.values():
            Published(published.directory / ".venice" / "rejected").publish(path, PurePath(path.name))
    return touched


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_HASHED_AT_ONCE):
            digest.update(piece)
    return digest.hexdigest()


def _has_digest(sha256: str, path: Path) -> bool:
    return file_digest(path) == sha256


def part_name(item: int, attempt: int, image: int) -> str:
    """The name under which an image grows; with an extension once it is whole."""
    return f"{item}-{attempt}-{image}"


def part_numbers(part: Path) -> tuple[int, int, int] | None:
    """The item, the attempt and the image that a part's name tells; None for a file of another kind."""
    numbers = part.stem.split("-")
    if len(numbers) != 3 or not all(number.isdecimal() for number in numbers):
        return None
    item, attempt, image = map(int, numbers)
    return item, attempt, image


def _parts_by_attempt(parts: Path) -> dict[tuple[int, int], dict[int, Path]]:
    """Whole images by item and attempt, then by their place in the answer; the others are deleted.

    The images of an answer get their extensions once all of them are whole: one that has it speaks for the
    others.
    """
    found: dict[tuple[int, int], dict[int, Path]] = defaultdict(dict)
    for path in sorted(parts.iterdir(), key=_is_whole, reverse=True):
        numbers = part_numbers(path)
        whole = _whole(path) if numbers is not None and (numbers[:2] in found or _is_whole(path)) else None
        if whole is None or numbers is None:
            path.unlink()
        else:
            found[numbers[:2]][numbers[2]] = whole
    return found


def _is_whole(path: Path) -> bool:
    return path.suffix in _SUFFIXES


def _whole(path: Path) -> Path | None:
    """A part of a whole answer, with the extension of its format; None for what is no image."""
    if _is_whole(path):
        return path
    with path.open("rb") as file:
        image_format = detect_format(file.read(MAGIC_BYTES))
    return None if image_format is None else path.rename(path.with_suffix(EXTENSIONS[image_format]))


def _planned(row: Sequence[Any], wholes: dict[int, Path], template: NameTemplate) -> list[KeptFile] | None:
    """The files of a purchase whose images are whole, though the record of their answer is missing."""
    place, seed, body, pictures = row
    request = load_request(body, pictures)
    if len(wholes) < (request.variants or 1):
        return None
    if seed is not None:
        request = attrs.evolve(request, seed=seed)
    planned = []
    for image, path in sorted(wholes.items()):
        stem = template.render(request, index=place, image=image, images=len(wholes))
        name = str(stem.with_name(stem.name + path.suffix))
        planned.append(KeptFile(name, file_digest(path), path.stat().st_size))
    return planned


def _finish(
    connection: Connection,
    published: Published,
    item: int,
    planned: Sequence[KeptFile],
    wholes: dict[int, Path],
) -> list[Path]:
    """Name recorded images that have no names yet; the others are looked for under theirs."""
    kept, paths = [], []
    for image, file in enumerate(planned):
        name = PurePath(file.name)
        there = published.find(name, file.size, partial(_has_digest, file.sha256))
        if (whole := wholes.get(image)) is not None:
            if there is None:
                there = published.publish(whole, name)
            else:
                whole.unlink()  # its other name was given it in the last moment
        if there is not None:
            paths.append(there)
            name = there.relative_to(published.directory)
        kept.append(attrs.evolve(file, name=str(name)))
    _update(connection, item, state=State.DONE, files=dump_files(kept), error=None)
    return paths


def _update(connection: Connection, item: int, **values: Any) -> None:
    changes = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE items SET {changes} WHERE id = ?", (*values.values(), item))
