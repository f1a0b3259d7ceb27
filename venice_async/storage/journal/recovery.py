"""What a run that did not end left open, brought to an end before the next one begins.

1. Images that are whole on disk are taken over, though their record is missing: they were paid for.
   The record comes first, and the name after it, as in a run: a crash in here loses no more than one there.
2. Images that are recorded get their names, if the crash came before that; those whose place they take are
   set aside before.
3. What else was sent is unconfirmed, and counts as spent.
4. Nothing is left in the folder of parts. A whole image that belongs to no purchase is kept with the
   rejected ones; half an image is deleted.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import attrs

from venice_async.errors import UnconfirmedError
from venice_async.storage.files import EXTENSIONS, sync_directory
from venice_async.storage.names import NameTemplate
from venice_async.storage.published import Published
from venice_async.types.response import MAGIC_BYTES, detect_format

from .records import KeptFile, dump_error, dump_files, load_files, load_request
from .redo import files_of, merge, set_aside
from .schema import State

__all__ = ["file_digest", "part_name", "part_numbers", "settle"]

_HASHED_AT_ONCE = 1024 * 1024
_SUFFIXES = set(EXTENSIONS.values())

Wholes = dict[tuple[int, int], dict[int, Path]]
"""Whole images by item and attempt, then by their place in the answer."""


def settle(connection: Connection, published: Published, parts: Path, template: str, *, synced: bool) -> None:
    """Bring to an end what was left open.

    Args:
        connection: Not in a transaction.
        published: The directory's names.
        parts: Its folder of parts.
        template: Of file names.
        synced: Whether what is recorded has to be on the disk.
    """
    found, torn = _sorted_parts(parts)
    with _transaction(connection):
        for row in connection.execute(
            "SELECT items.id, attempts, place, seed, request, pictures.body FROM items"
            f" LEFT JOIN pictures ON pictures.digest = items.pictures WHERE state = {State.SENT}"
        ).fetchall():
            if not _take_over(connection, row, found.get(row[:2], {}), NameTemplate(template)):
                _unconfirm(connection, row[0])
        if synced:
            sync_directory(parts)
    with _transaction(connection):
        touched = _finish_all(connection, published, found, synced=synced)
        # What went wrong after an image had come is over once the image has its name.
        connection.execute(f"UPDATE items SET error = NULL WHERE state = {State.DONE} AND error IS NOT NULL")
        for directory in touched if synced else ():
            sync_directory(directory)
    for wholes in found.values():
        for path in wholes.values():
            Published(published.directory / ".venice" / "rejected").publish(str(path), path.name)
    for path in torn:
        path.unlink()


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_HASHED_AT_ONCE):
            digest.update(piece)
    return digest.hexdigest()


@contextmanager
def _transaction(connection: Connection) -> Generator[None, None, None]:
    """If it is left by an exception, closing the connection rolls it back."""
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("COMMIT")


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


def _sorted_parts(parts: Path) -> tuple[Wholes, list[Path]]:
    """The whole images, and what else there is.

    The images of an answer get their extensions when all of them are whole: one that has it tells of
    the others.
    """
    found: Wholes = defaultdict(dict)
    torn = []
    for path in sorted(parts.iterdir(), key=lambda path: path.suffix not in _SUFFIXES):
        numbers = part_numbers(path)
        if numbers is None:
            torn.append(path)
            continue
        item, attempt, image = numbers
        if path.suffix in _SUFFIXES:
            found[item, attempt][image] = path
        elif (item, attempt) in found and (suffix := _suffix_of(path)) is not None:
            found[item, attempt][image] = path.rename(path.with_suffix(suffix))
        else:
            torn.append(path)
    return found, torn


def _suffix_of(path: Path) -> str | None:
    with path.open("rb") as file:
        image_format = detect_format(file.read(MAGIC_BYTES))
    return None if image_format is None else EXTENSIONS[image_format]


def _take_over(
    connection: Connection, row: tuple[Any, ...], wholes: dict[int, Path], template: NameTemplate
) -> bool:
    """Make a purchase of images that are whole, though the record of their answer is missing."""
    item, _, place, seed, body, pictures = row
    request = load_request(body, pictures)
    if seed is not None:
        request = attrs.evolve(request, seed=seed)
    if len(wholes) < (request.variants or 1):
        return False
    planned = []
    for image, path in sorted(wholes.items()):
        stem = template.render(request, index=place, image=image, images=len(wholes))
        planned.append(KeptFile(stem + path.suffix, file_digest(path), path.stat().st_size))
    connection.execute("UPDATE items SET spent = spent + reserved, reserved = 0 WHERE id = ?", (item,))
    files = dump_files(planned)
    _update(connection, item, state=State.RECEIVED, files=files, error=None, ended_at=time.time())
    return True


def _finish_all(connection: Connection, published: Published, found: Wholes, *, synced: bool) -> set[Path]:
    """Name recorded images that have no names yet; the directories that they are in."""
    received = [
        (item, attempt, load_files(files), redoes)
        for item, attempt, files, redoes in connection.execute(
            f"SELECT id, attempts, files, redoes FROM items WHERE state = {State.RECEIVED}"
        ).fetchall()
    ]
    taken = _names_of(connection, {file.sha256 for _, _, planned, _ in received for file in planned})
    for item, attempt, planned, redoes in received:
        wholes = found.pop((item, attempt), {})
        if redoes is not None and len(wholes) == len(planned):  # else one has its name: the old ones are gone
            _set_aside(published.directory, files_of(redoes, connection), wholes, synced=synced)
        files = _finish(published, planned, wholes, taken)
        _update(connection, item, state=State.DONE, files=dump_files(files), error=None)
    merge(connection)
    return {(published.directory / file.name).parent for _, _, planned, _ in received for file in planned}


def _set_aside(directory: Path, former: Sequence[KeptFile], wholes: dict[int, Path], *, synced: bool) -> None:
    """Move the files whose place others take out of the way, if they are still what the journal knows."""
    names = []
    for file in former:
        path = directory / file.name
        if path.is_file() and not any(path.samefile(whole) for whole in wholes.values()):
            names += [file.name] if file_digest(path) == file.sha256 else []
    set_aside(directory, names, synced=synced)


def _names_of(connection: Connection, digests: set[str]) -> set[str]:
    """The names of finished images with some digests."""
    if not digests:
        return set()
    marks = ", ".join("?" * len(digests))
    rows = connection.execute(
        "SELECT json_extract(file.value, '$[0]') FROM items, json_each(CAST(items.files AS TEXT)) AS file"
        f" WHERE state = {State.DONE} AND json_extract(file.value, '$[1]') IN ({marks})"
        " AND items.id NOT IN"  # whose files are set aside
        f" (SELECT redoes FROM items WHERE redoes IS NOT NULL AND state = {State.RECEIVED})",
        tuple(digests),
    )
    return {name for (name,) in rows}


def _finish(
    published: Published, planned: Sequence[KeptFile], wholes: dict[int, Path], taken: set[str]
) -> list[KeptFile]:
    """Name the images of one purchase; those that have their names are looked for under them.

    Args:
        published: The directory's names.
        planned: What is recorded.
        wholes: The images that are still in the folder of parts.
        taken: The names of other images with the same content; those found here are added.
    """
    kept = []
    for image, file in enumerate(planned):
        whole = wholes.get(image)

        def is_it(name: str, file: KeptFile = file, whole: Path | None = whole) -> bool:
            path = published.directory / name
            if whole is not None and path.stat().st_dev == whole.stat().st_dev:
                return path.samefile(whole)  # its other name was given it in the last moment
            return name not in taken and file_digest(path) == file.sha256

        name = published.find(file.name, file.size, is_it)
        if whole is not None and name is None:
            name = published.publish(str(whole), file.name)
        elif whole is not None:
            whole.unlink()
        name = name or file.name
        taken.add(name)
        kept.append(attrs.evolve(file, name=name))
    return kept


def _unconfirm(connection: Connection, item: int) -> None:
    error = UnconfirmedError("the process ended while the request was in flight; it may have been billed")
    connection.execute("UPDATE items SET spent = spent + reserved, reserved = 0 WHERE id = ?", (item,))
    _update(connection, item, state=State.UNCONFIRMED, error=dump_error(error), ended_at=time.time())


def _update(connection: Connection, item: int, **values: Any) -> None:
    changes = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE items SET {changes} WHERE id = ?", (*values.values(), item))
