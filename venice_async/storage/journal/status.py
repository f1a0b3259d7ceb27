"""Where a job stands, as its journal and its files tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from attrs import frozen

from venice_async.policy.budget import usd
from venice_async.types.statistics import Wait

from .records import gone_of, load_error, load_files
from .schema import State, read_job
from .waiting import read_waits

__all__ = ["LOST", "THERE", "FailureGroup", "JournalStatus", "status_of"]

THERE = f"({State.RECEIVED}, {State.DONE})"
LOST = (
    f"({State.SENT}, {State.RECEIVED}, {State.FAILED}, {State.BILLED}, {State.UNCONFIRMED}, {State.BLOCKED})"
)
_WITH_ERRORS = f"({State.PENDING}, {LOST[1:]}"
_NAMES = {
    State.PENDING: "pending",
    State.FAILED: "failed",
    State.UNCONFIRMED: "unconfirmed",
    State.BLOCKED: "blocked",
}


@frozen(kw_only=True)
class FailureGroup:
    """Items that have ended alike.

    Attributes:
        outcome: `failed`, `billed` (failed, and paid for), `unconfirmed`, `blocked`, or `pending` (put back,
            because its model was stopped).
        reason: The error's type, with the status and code where a server gave them.
        message: What the first of them said.
        count: How many there are.
    """

    outcome: str
    reason: str
    message: str
    count: int


@frozen(kw_only=True)
class JournalStatus:
    """Where a job stands.

    Attributes:
        job: What makes the job the one it is, by name.
        runs: How often it was begun.
        running: Whether a process is at work on it.
        cut_off: Whether the last run has not ended, and nobody is at work on it.
        stopped: What stopped the last run before its end, or None.
        items: Items that were ever asked for.
        done: Of them, those whose images are there.
        failed: Those that failed and were not billed.
        billed: Those that failed and were paid for.
        unconfirmed: Those of which nobody knows.
        blocked: Those that the content policy blocked.
        missing: Of those that are done, those of which a file is gone that is wanted.
        in_flight: Those that are sent, or were when the process died.
        pending: Those that have no outcome yet.
        spent_usd: US dollars that were billed, or may have been; None where a price is not known.
        images: Files that are there.
        bytes: Their size.
        rate: Items done a minute in the last run; 0 before the first, or where the clock went back.
        balance_usd: The balance as the last answer told it, or None.
        failures: What went wrong, the most frequent first.
        waiting: What keeps requests from being sent just now.
    """

    job: dict[str, str]
    runs: int
    running: bool
    cut_off: bool
    stopped: str | None
    items: int
    done: int
    failed: int
    billed: int
    unconfirmed: int
    blocked: int
    missing: int
    in_flight: int
    pending: int
    spent_usd: float | None
    images: int
    bytes: int
    rate: float
    balance_usd: float | None
    failures: tuple[FailureGroup, ...]
    waiting: tuple[Wait, ...] = ()


def status_of(connection: Connection, directory: Path, *, running: bool) -> JournalStatus:
    """Where the job of a directory stands."""
    counts = dict(connection.execute("SELECT state, count(*) FROM items GROUP BY state"))
    runs, last = connection.execute("SELECT count(*), max(id) FROM runs").fetchone()
    began, ended, stopped = connection.execute(
        "SELECT began_at, ended_at, stopped FROM runs WHERE id = ?", (last,)
    ).fetchone() or (0.0, 0.0, None)
    spent, unpriced = connection.execute(
        "SELECT total(spent + reserved), total(spent + reserved = 0 AND state IN (?, ?, ?, ?))  FROM items",
        (State.RECEIVED, State.DONE, State.BILLED, State.UNCONFIRMED),
    ).fetchone()
    (redos,) = connection.execute("SELECT count(*) FROM items WHERE redoes IS NOT NULL").fetchone()
    images, size, missing = _looked_for(connection, directory)
    done, newest = connection.execute(
        f"SELECT count(*), max(ended_at) FROM items WHERE ended_run = ? AND state IN {THERE}",
        (last,),
    ).fetchone()
    return JournalStatus(
        job=read_job(connection),
        runs=runs,
        running=running,
        cut_off=ended is None and not running,
        stopped=None if stopped is None else str(load_error(stopped)),
        items=sum(counts.values()) - counts.get(State.DUPLICATE, 0) - redos,
        done=counts.get(State.DONE, 0) + counts.get(State.RECEIVED, 0),
        failed=counts.get(State.FAILED, 0),
        billed=counts.get(State.BILLED, 0),
        unconfirmed=counts.get(State.UNCONFIRMED, 0),
        blocked=counts.get(State.BLOCKED, 0),
        missing=missing,
        in_flight=counts.get(State.SENT, 0),
        pending=counts.get(State.PENDING, 0),
        spent_usd=None if unpriced else usd(int(spent)),
        images=images,
        bytes=size,
        rate=60 * done / (newest - began) if done and newest > began else 0.0,
        balance_usd=_balance(connection),
        failures=tuple(_failures(connection)),
        waiting=read_waits(directory) if running else (),
    )


def _looked_for(connection: Connection, directory: Path) -> tuple[int, int, int]:
    """The files that are there, their size, and the items that miss one; a stat for each file."""
    images = size = missing = 0
    for state, told in connection.execute(f"SELECT state, files FROM items WHERE state IN {THERE}"):
        files = load_files(told)
        gone = gone_of(directory, files)
        images += len(files) - len(gone)
        size += sum(file.size for file in files if file not in gone)
        # One that is only received has no name yet.
        missing += state == State.DONE and any(file.wanted for file in gone)
    return images, size, missing


def _balance(connection: Connection) -> float | None:
    found = connection.execute(
        "SELECT json_extract(CAST(answer AS TEXT), '$.balance_usd') FROM items WHERE answer IS NOT NULL"
        " ORDER BY ended_at DESC LIMIT 1"
    ).fetchone()
    return None if found is None else found[0]


def _failures(connection: Connection) -> Iterator[FailureGroup]:
    told = (
        "SELECT id, state, CAST(error AS TEXT) AS told FROM items WHERE error IS NOT NULL"
        f" AND state IN {_WITH_ERRORS} AND (state != {State.SENT} OR ended_run = run)"
    )
    rows: Any = connection.execute(
        "SELECT state, told ->> '$.type' AS kind, told ->> '$.state.status' AS status,"
        " told ->> '$.state.code' AS code, told, min(id), count(*) AS number"
        f" FROM ({told})"
        " GROUP BY state, kind, status, code ORDER BY number DESC, min(id)"
    )
    for state, kind, status, code, error, _, number in rows:
        outcome = _NAMES.get(state, "billed")
        reason = " ".join(str(part) for part in (kind, status, code) if part is not None)
        yield FailureGroup(
            outcome=outcome, reason=reason, message=str(load_error(error.encode())), count=number
        )
