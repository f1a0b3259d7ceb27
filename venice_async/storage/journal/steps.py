"""The steps of a purchase as changes of the tables.

1. Each function is one step of a transaction, and may be carried out again if that was rolled back.
2. Money moves with the state: what was reserved is spent if it was billed or may have been, but for what the
   answer shows not to have been billed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from sqlite3 import Connection
from typing import Any

import attrs
from attrs import frozen

from venice_async.types.request import ImageRequest
from venice_async.wire.codec import fingerprint

from .records import KeptFile, dump_metadata, dump_request, load_files, load_request, picture_digest
from .schema import State

__all__ = [
    "ENTRY",
    "Entry",
    "end",
    "end_run",
    "enter",
    "enter_again",
    "enter_invalid",
    "entry_of",
    "intend",
    "mark_done",
    "note",
    "put_back",
    "receive",
    "withdraw",
]

ENTRY = "items.id, place, state, attempts, seed, files, error"


@frozen
class Entry:
    """What the journal knows of an item when a run asks for it.

    Attributes:
        item: Its number in the journal.
        place: Its place in the input.
        state: How far it has come.
        attempts: How often it was sent.
        seed: The one it was sent with, or None.
        files: Its images, once there are any.
        error: What it ended with, as `records` has written it, or None.
        gone: Those of its images that are not there.
    """

    item: int
    place: int
    state: State
    attempts: int
    seed: int | None
    files: tuple[KeptFile, ...]
    error: bytes | None
    gone: tuple[KeptFile, ...] = ()


# Occurrence 0 of a request counts how often the run's input has held it; the others follow from that.
_ENTER_FIRST = f"""
INSERT INTO items (fingerprint, occurrence, run, place, seen, state, pictures, request, metadata)
VALUES (?1, ?2, ?3, ?4, 0, {State.PENDING}, ?5, ?6, ?7)
ON CONFLICT (fingerprint, occurrence) DO UPDATE SET
    place = CASE WHEN run = excluded.run THEN place ELSE excluded.place END,
    metadata = CASE WHEN run = excluded.run THEN metadata ELSE excluded.metadata END,
    seen = CASE WHEN run = excluded.run THEN seen + 1 ELSE 0 END,
    run = excluded.run
RETURNING {ENTRY}, seen
"""
_ENTER_LATER = f"""
INSERT INTO items (fingerprint, occurrence, run, place, seen, state, pictures, request, metadata)
VALUES (?1, ?2, ?3, ?4, 0, {State.PENDING}, ?5, ?6, ?7)
ON CONFLICT (fingerprint, occurrence) DO UPDATE SET
    place = excluded.place, metadata = excluded.metadata, run = excluded.run
RETURNING {ENTRY}
"""


def enter(
    run: int, place: int, request: ImageRequest, connection: Connection, *, keep_duplicates: bool
) -> Entry:
    """Find an item, or take it up."""
    identity = fingerprint(request)
    body, pictures = dump_request(request)
    digest = None if pictures is None else picture_digest(pictures)
    if digest is not None:
        connection.execute("INSERT OR IGNORE INTO pictures VALUES (?, ?)", (digest, pictures))
    row = (run, place, digest, body, dump_metadata(request))
    *found, seen = connection.execute(_ENTER_FIRST, (identity, 0, *row)).fetchone()
    if seen:
        found = connection.execute(_ENTER_LATER, (identity, seen, *row)).fetchone()
    entry = entry_of(found)
    if seen and not keep_duplicates and entry.state in {State.PENDING, State.FAILED}:
        return _turned(entry, State.DUPLICATE, connection)
    if keep_duplicates and entry.state == State.DUPLICATE:
        return _turned(entry, State.PENDING, connection)
    return entry


def _turned(entry: Entry, state: State, connection: Connection) -> Entry:
    connection.execute("UPDATE items SET state = ?, error = NULL WHERE id = ?", (state, entry.item))
    return attrs.evolve(entry, state=state, error=None)


def enter_again(
    run: int, after: int, states: Sequence[State], connection: Connection
) -> tuple[Entry, ImageRequest] | None:
    """Find the next item, after one of that number, that ended in one of some states."""
    found = connection.execute(
        f"SELECT {ENTRY}, request, pictures.body, metadata FROM items"
        " LEFT JOIN pictures ON pictures.digest = items.pictures"
        f" WHERE items.id > ? AND fingerprint IS NOT NULL AND state IN ({', '.join('?' * len(states))})"
        " ORDER BY items.id LIMIT 1",
        (after, *states),
    ).fetchone()
    if found is None:
        return None
    *fields, body, pictures, metadata = found
    entry = entry_of(fields)
    connection.execute("UPDATE items SET run = ? WHERE id = ?", (run, entry.item))
    return entry, load_request(body, pictures, metadata)


def enter_invalid(run: int, place: int, error: bytes, connection: Connection) -> None:
    """Take note of what the input held in place of a request."""
    connection.execute(
        "INSERT INTO items (occurrence, seen, run, place, state, ended_run, ended_at, error)"
        " VALUES (0, 0, ?1, ?2, ?3, ?1, ?4, ?5)",
        (run, place, State.FAILED, time.time(), error),
    )


def intend(item: int, seed: int | None, cost: int, connection: Connection, *, lost: bool) -> int:
    """An attempt is about to be sent; its number."""
    (attempts,) = connection.execute(
        f"UPDATE items SET state = {State.SENT}, attempts = attempts + 1, seed = ?1,"
        " spent = spent + reserved * ?2, reserved = ?3, sent_at = ?4 WHERE id = ?5 RETURNING attempts",
        (seed, lost, cost, time.time(), item),
    ).fetchone()
    return int(attempts)


def withdraw(item: int, state: State, connection: Connection, *, lost: bool) -> None:
    """Nothing is in flight any more, and there is no outcome."""
    connection.execute(
        "UPDATE items SET state = ?, spent = spent + reserved * ?, reserved = 0 WHERE id = ?",
        (state, lost, item),
    )


def receive(
    run: int, item: int, answer: bytes, files: bytes, connection: Connection, *, refund: int = 0
) -> int | None:
    """The images are whole on the disk; the item whose images they are to take the place of, or None."""
    (redoes,) = connection.execute(
        f"UPDATE items SET state = {State.RECEIVED}, spent = spent + max(0, reserved - ?), reserved = 0,"
        " answer = ?, files = ?, error = NULL, ended_at = ?, ended_run = ? WHERE id = ? RETURNING redoes",
        (refund, answer, files, time.time(), run, item),
    ).fetchone()
    return None if redoes is None else int(redoes)


def mark_done(marks: Iterable[tuple[bytes, int]], connection: Connection) -> None:
    """Images have got their names."""
    connection.executemany(f"UPDATE items SET state = {State.DONE}, files = ? WHERE id = ?", marks)


def end(
    run: int,
    item: int,
    state: State,
    error: bytes,
    connection: Connection,
    *,
    lost: bool,
    refund: int = 0,
) -> None:
    """There is no image."""
    connection.execute(
        "UPDATE items SET state = ?, spent = spent + max(0, reserved - ?) * ?, reserved = 0, error = ?,"
        " ended_at = ?, ended_run = ? WHERE id = ?",
        (state, refund, lost, error, time.time(), run, item),
    )


def note(run: int, item: int, error: bytes, connection: Connection) -> None:
    """Something went wrong, and the images are whole all the same."""
    connection.execute(
        "UPDATE items SET error = ?, ended_at = ?, ended_run = ? WHERE id = ?",
        (error, time.time(), run, item),
    )


def put_back(run: int, item: int, error: bytes, connection: Connection) -> None:
    """Nothing more is sent for the item's model: it stays what it was, and it is known why."""
    connection.execute(
        "UPDATE items SET error = ?, ended_at = ?, ended_run = ?"
        f" WHERE id = ? AND state IN ({State.PENDING}, {State.FAILED})",
        (error, time.time(), run, item),
    )


def end_run(run: int, stopped: bytes | None, connection: Connection) -> None:
    """The run is over."""
    connection.execute("UPDATE runs SET ended_at = ?, stopped = ? WHERE id = ?", (time.time(), stopped, run))


def entry_of(found: Sequence[Any]) -> Entry:
    """What the columns of `ENTRY` hold."""
    item, place, state, attempts, seed, files, error = found
    return Entry(item, place, State(state), attempts, seed, load_files(files), error)
