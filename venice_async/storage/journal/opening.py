"""How a run begins: the directory is taken, checked and brought to an end where an earlier run was cut off.

1. What tells that a journal is missing, or that its newest records are, is an error: it is never begun anew.
2. What becomes of cut-off purchases is recorded before anything is moved (`recovery`).
3. That a run has begun is in the journal's main file before anything is sent, so that a lost write-ahead
   log is noticed.
"""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import frozen

from venice_async.errors import ConfigurationError, JournalError
from venice_async.policy.budget import refund_of
from venice_async.storage.files import check_no_images
from venice_async.storage.published import Published
from venice_async.types.request import ImageRequest

from .audit import unknown_images
from .records import load_answer, load_files, load_request
from .recovery import part_numbers, settle
from .schema import JOURNAL, State, check_job, connect_to_write, create, read_job, read_traits, write_job

__all__ = ["Costs", "Standing", "begin_run"]

_PAID = f"({State.RECEIVED}, {State.DONE}, {State.BILLED}, {State.UNCONFIRMED})"
_PAGE = 256
_FORGET_UNSENT = f"DELETE FROM items WHERE redoes IS NOT NULL AND state = {State.PENDING} AND spent = 0"


@frozen
class Standing:
    """What a journal holds when a run begins.

    Attributes:
        run: The run's number, from 1.
        spent: Millionths of a US dollar that earlier runs have spent.
        fresh: Whether it holds no item.
        traits: What each trait stood for when the job began: the ids of models.
    """

    run: int
    spent: int
    fresh: bool
    traits: Mapping[str, str]


@frozen
class Costs:
    """What earlier purchases have cost, where nobody knew it when they were made.

    Attributes:
        of: Millionths of a US dollar that a request costs, or None.
        needed: Whether a request without a price is an error, because a budget depends on it.
    """

    of: Callable[[ImageRequest], int | None]
    needed: bool

    def paid(self, request: ImageRequest, answer: bytes | None) -> int | None:
        """What a request has cost, as its recorded answer shows; None where its price is not known."""
        cost = self.of(request)
        if cost is None or answer is None:
            return cost
        enhanced = load_answer(answer, Path(), ()).enhanced_prompt
        return max(0, cost - refund_of(request, {"enhanced_prompt": enhanced}))


def begin_run(
    path: Path,
    parts: Path,
    published: Published,
    job: Mapping[str, str],
    costs: Costs,
    traits: Mapping[str, str],
    *,
    extend: bool,
    synced: bool,
    died: bool,
) -> tuple[sqlite3.Connection, Standing]:
    """Begin a run on a journal; its connection, and what it holds.

    Args:
        path: The journal, which is made if it is not there.
        parts: The folder of parts.
        published: The directory's names.
        job: What makes the job the one it is.
        costs: What earlier purchases have cost.
        traits: What each trait stands for, which a new journal keeps.
        extend: Whether another job's journal is gone on with.
        synced: Whether what is recorded has to be on the disk.
        died: Whether the process that had the directory before has not let go of it.
    """
    if not path.exists():
        _check_traces(published.directory, path, parts)
        create(path, job, traits)
    parts.mkdir(exist_ok=True)
    # Missing, it may have been lost with the newest records, or merged by somebody who had a look.
    log_missing = died and not path.with_name(f"{JOURNAL}-wal").exists()
    connection = connect_to_write(path)
    try:
        known, recorded = read_job(connection), read_traits(connection)
        if not extend:
            check_job(known, job, published.directory)
        _settle(connection, path, parts, published, known["name"], synced=synced, log_missing=log_missing)
        connection.execute("BEGIN IMMEDIATE")
        _price(connection, costs)
        write_job(connection, job, recorded)
        connection.execute("DELETE FROM items WHERE fingerprint IS NULL")
        connection.execute(_FORGET_UNSENT)
        began = connection.execute("INSERT INTO runs (began_at) VALUES (?)", (time.time(),))
        spent, last = connection.execute("SELECT total(spent), max(id) FROM items").fetchone()
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except BaseException:
        connection.close()
        raise
    standing = Standing(began.lastrowid or 0, int(spent), fresh=last is None, traits=recorded)
    return connection, standing


def _check_traces(directory: Path, path: Path, parts: Path) -> None:
    """Raise if a directory without a journal has held one."""
    check_no_images(directory)
    traces = [*path.parent.glob(f"{JOURNAL}-*"), *path.parent.glob("rejected/*"), *parts.glob("*")]
    if traces:
        raise JournalError(
            errno.ENOENT,
            f"The journal is missing, and {traces[0].name} tells that there was one. Nothing was sent;"
            " put it back, or choose another directory",
            str(path),
        )


def _settle(
    connection: sqlite3.Connection,
    path: Path,
    parts: Path,
    published: Published,
    template: str,
    *,
    synced: bool,
    log_missing: bool,
) -> None:
    """Bring to an end what was cut off, and see whether its records are all there."""
    found = connection.execute("SELECT ended_at FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    cut_off = found is not None and found[0] is None
    _check_unknown(path, [part for part in parts.iterdir() if not _is_known(connection, part)])
    settle(connection, published, parts, template, synced=synced)
    kept = connection.execute("SELECT 1 FROM items WHERE files IS NOT NULL LIMIT 1").fetchone()
    if log_missing or (cut_off and kept is None):
        rows = connection.execute("SELECT files FROM items WHERE files IS NOT NULL")
        names = (file.name for (told,) in rows for file in load_files(told))
        _check_unknown(path, [Path(name) for name in unknown_images(published.directory, names)])


def _is_known(connection: sqlite3.Connection, part: Path) -> bool:
    """Whether the journal knows the attempt that a part belongs to."""
    numbers = part_numbers(part)
    if numbers is None:
        return True
    item, attempt, _ = numbers
    found = connection.execute("SELECT attempts FROM items WHERE id = ?", (item,)).fetchone()
    return found is not None and attempt <= found[0]


def _check_unknown(path: Path, unknown: list[Path]) -> None:
    if unknown:
        raise JournalError(
            errno.EIO,
            f"The last run was cut off, and the journal does not know of {len(unknown)} images"
            f" ({unknown[0].name}, ...): its newest records are lost, and what they tell of would be bought"
            " again. Nothing was sent. Put a copy of the journal back, or move these images out of the"
            " directory to go on all the same",
            str(path),
        )


def _price(connection: sqlite3.Connection, costs: Costs) -> None:
    """Fill in what earlier purchases have cost, where that was not known."""
    last = 0
    while rows := connection.execute(
        "SELECT items.id, request, pictures.body, answer FROM items"
        " LEFT JOIN pictures ON pictures.digest = items.pictures"
        f" WHERE items.id > ? AND spent = 0 AND state IN {_PAID} ORDER BY items.id LIMIT {_PAGE}",
        (last,),
    ).fetchall():
        for last, body, pictures, answer in rows:
            request = load_request(body, pictures)
            cost = costs.paid(request, answer)
            if cost is None and costs.needed:
                raise ConfigurationError(
                    f"an earlier run has bought images of {request.model!r}, and their price is not known, so"
                    " that no budget can be kept; leave budget_usd out"
                )
            connection.execute("UPDATE items SET spent = ? WHERE id = ?", (cost or 0, last))
