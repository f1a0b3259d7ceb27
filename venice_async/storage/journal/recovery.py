"""What a run that did not end left open, brought to an end before the next one begins.

1. Images that are recorded get their names, if the crash came before that.
2. Images that are whole on disk are taken over, though their record is missing: they were paid for.
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

from .records import KeptFile, dump_error, dump_files, load_files, load_request
from .schema import State

__all__ = ["file_digest", "settle"]

_HASHED_AT_ONCE = 1024 * 1024
_SUFFIXES = set(EXTENSIONS.values())


def settle(connection: Connection, published: Published, parts: Path, template: str) -> None:
    """Bring to an end what was left open.

    Args:
        connection: In a transaction.
        published: The directory's names.
        parts: Its folder of parts.
        template: Of file names.
    """
    found = _parts_by_attempt(parts)
    for item, attempt, files in connection.execute(
        f"SELECT id, attempts, files FROM items WHERE state = {State.RECEIVED}"
    ).fetchall():
        planned = load_files(files)
        _finish(connection, published, item, planned, found.pop((item, attempt), {}))
    for row in connection.execute(
        "SELECT items.id, attempts, place, seed, request, pictures.body FROM items"
        f" LEFT JOIN pictures ON pictures.digest = items.pictures WHERE state = {State.SENT}"
    ).fetchall():
        item, attempt = row[:2]
        if not _take_over(connection, published, row, found.pop((item, attempt), {}), NameTemplate(template)):
            _unconfirm(connection, item)
    for wholes in found.values():
        for path in wholes.values():
            Published(published.directory / ".venice" / "rejected").publish(path, PurePath(path.name))


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_HASHED_AT_ONCE):
            digest.update(piece)
    return digest.hexdigest()


def _has_digest(sha256: str, path: Path) -> bool:
    return file_digest(path) == sha256


def _parts_by_attempt(parts: Path) -> dict[tuple[int, int], dict[int, Path]]:
    """Whole images by item and attempt, then by their place in the answer; the others are deleted."""
    found: dict[tuple[int, int], dict[int, Path]] = defaultdict(dict)
    for path in parts.iterdir():
        numbers = path.stem.split("-")
        if path.suffix in _SUFFIXES and len(numbers) == 3 and all(number.isdecimal() for number in numbers):
            item, attempt, image = map(int, numbers)
            found[item, attempt][image] = path
        else:
            path.unlink()
    return found


def _finish(
    connection: Connection,
    published: Published,
    item: int,
    planned: Sequence[KeptFile],
    wholes: dict[int, Path],
) -> None:
    """Name recorded images that have no names yet; the others are looked for under theirs."""
    kept = []
    for image, file in enumerate(planned):
        name = PurePath(file.name)
        there = published.find(name, file.size, partial(_has_digest, file.sha256))
        if (whole := wholes.get(image)) is not None:
            if there is None:
                there = published.publish(whole, name)
            else:
                whole.unlink()  # its other name was given it in the last moment
        name = name if there is None else there.relative_to(published.directory)
        kept.append(attrs.evolve(file, name=str(name)))
    _update(connection, item, state=State.DONE, files=dump_files(kept), error=None)


def _take_over(
    connection: Connection,
    published: Published,
    row: tuple[Any, ...],
    wholes: dict[int, Path],
    template: NameTemplate,
) -> bool:
    """Make a purchase of images that are whole, though the record of their answer is missing."""
    item, _, place, seed, body, pictures = row
    request = attrs.evolve(load_request(body, pictures), seed=seed)
    if len(wholes) < (request.variants or 1):
        for path in wholes.values():
            path.unlink()
        return False
    kept = []
    for image, path in sorted(wholes.items()):
        stem = template.render(request, index=place, image=image, images=len(wholes))
        digest, size = file_digest(path), path.stat().st_size
        goal = published.publish(path, stem.with_name(stem.name + path.suffix))
        kept.append(KeptFile(str(goal.relative_to(published.directory)), digest, size))
    connection.execute("UPDATE items SET spent = spent + reserved, reserved = 0 WHERE id = ?", (item,))
    _update(connection, item, state=State.DONE, files=dump_files(kept), error=None, ended_at=time.time())
    return True


def _unconfirm(connection: Connection, item: int) -> None:
    error = UnconfirmedError("the process ended while the request was in flight; it may have been billed")
    connection.execute("UPDATE items SET spent = spent + reserved, reserved = 0 WHERE id = ?", (item,))
    _update(connection, item, state=State.UNCONFIRMED, error=dump_error(error), ended_at=time.time())


def _update(connection: Connection, item: int, **values: Any) -> None:
    changes = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE items SET {changes} WHERE id = ?", (*values.values(), item))
