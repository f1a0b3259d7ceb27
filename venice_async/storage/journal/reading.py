"""A journal as its readers see it: outcomes, counts and files, while somebody writes or after.

1. Nothing is read whole: memory does not grow with the number of items.
2. Reading needs no lock, and changes nothing.
"""

from __future__ import annotations

import errno
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import anyio.to_thread
import attrs
from attrs import frozen

from venice_async.errors import StorageError, UnconfirmedError, VeniceError
from venice_async.policy.budget import usd
from venice_async.types.outcome import Failed, Generated, Outcome, Skipped, Unconfirmed
from venice_async.types.request import ImageRequest
from venice_async.types.response import SavedImages
from venice_async.types.statistics import Wait

from .lock import DirectoryLock
from .records import KeptFile, load_answer, load_error, load_files, load_request
from .schema import JOURNAL, LOCK, PRIVATE, State, connect_to_read, journal_errors
from .waiting import read_waits

__all__ = ["FailureGroup", "JournalReader", "JournalStatus", "RecordedFile", "RecordedImage", "RecordedRun"]

_PAGE = 256
_OUTCOME = "items.id, place, state, seed, ended_run, files, request, pictures.body, metadata, answer, error"
_IMAGES = "items.id, place, seed, sent_at, ended_at, spent, files, request, pictures.body, metadata, answer"
_FROM = "items LEFT JOIN pictures ON pictures.digest = items.pictures"
_THERE = f"({State.RECEIVED}, {State.DONE})"
_LOST = f"({State.SENT}, {State.RECEIVED}, {State.FAILED}, {State.BILLED}, {State.UNCONFIRMED})"
_OUTCOMES = {State.PENDING: "pending", State.FAILED: "failed", State.UNCONFIRMED: "unconfirmed"}
_UNLIKE_IMAGES = f"({State.PENDING}, {_LOST[1:]}"


@frozen(kw_only=True)
class FailureGroup:
    """Items that have ended alike.

    Attributes:
        outcome: `failed`, `billed` (failed, and paid for), `unconfirmed`, or `pending` (put back, because its
            model was stopped).
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
        in_flight: Those that are sent, or were when the process died.
        pending: Those that have no outcome yet.
        spent_usd: US dollars that were billed, or may have been; None where a price is not known.
        images: Files.
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
    in_flight: int
    pending: int
    spent_usd: float | None
    images: int
    bytes: int
    rate: float
    balance_usd: float | None
    failures: tuple[FailureGroup, ...]
    waiting: tuple[Wait, ...] = ()


@frozen
class RecordedRun:
    """A run of a job.

    Attributes:
        began_at: When it began, Unix seconds.
        ended_at: When it ended, or None.
        generated: Items whose images came in it.
    """

    began_at: float
    ended_at: float | None
    generated: int


@frozen
class RecordedFile:
    """A file that the journal knows.

    Attributes:
        path: Where it is.
        sha256: In hexadecimal.
        size: In bytes.
    """

    path: Path
    sha256: str
    size: int


@frozen(kw_only=True)
class RecordedImage:
    """An image under its name, with all that the journal tells of it.

    Attributes:
        file: Its path relative to the directory, its SHA-256 and its size.
        item: The number of its item in the journal.
        index: Its request's place in the input.
        image: Its place in its answer, from 0.
        request: What was asked, with the seed that was sent.
        answer: What came back.
        sent_at: When its last attempt was sent, Unix seconds.
        ended_at: When it was whole, Unix seconds.
        spent_usd: US dollars that its item was billed, all attempts and images together.
    """

    file: KeptFile
    item: int
    index: int
    image: int
    request: ImageRequest
    answer: SavedImages
    sent_at: float | None
    ended_at: float | None
    spent_usd: float


class JournalReader:
    """The journal of a directory, for reading.

    Args:
        directory: Where the images are.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / PRIVATE / JOURNAL

    async def outcomes(self, run: int, *, lost: bool = False) -> AsyncGenerator[Outcome, None]:
        """What became of each request that a run asked for, in the order of its input, off the loop.

        Args:
            run: The run's number.
            lost: Whether to leave out what is generated or skipped.

        Raises:
            StorageError: The journal cannot be read.
        """
        after = (-1, -1)
        while page := await anyio.to_thread.run_sync(partial(self._page, run, after, lost=lost)):
            for after, outcome in page:  # noqa: B007 - where the next page begins
                yield outcome

    def status(self) -> JournalStatus:
        """Where the job stands; blocks.

        Raises:
            StorageError: The journal cannot be read.
        """
        with self._connected() as connection:
            found = _status(connection, running=DirectoryLock.is_held(self.path.with_name(LOCK)))
        return attrs.evolve(found, waiting=read_waits(self.directory)) if found.running else found

    def job(self) -> dict[str, str]:
        """What makes the job the one it is; blocks.

        Raises:
            StorageError: The journal cannot be read.
        """
        with self._connected() as connection:
            return dict(connection.execute("SELECT name, value FROM job"))

    def began_at(self) -> float:
        """When the job's first run began, Unix seconds, which tells it from every other; blocks.

        Raises:
            StorageError: The journal cannot be read.
        """
        with self._connected() as connection:
            (began,) = connection.execute("SELECT min(began_at) FROM runs").fetchone()
        return float(began)

    def last_run(self) -> RecordedRun:
        """The job's last run; blocks.

        Raises:
            StorageError: The journal cannot be read.
        """
        with self._connected() as connection:
            found = connection.execute(
                "SELECT began_at, ended_at, (SELECT count(*) FROM items"
                f" WHERE ended_run = runs.id AND state IN {_THERE}) FROM runs ORDER BY id DESC LIMIT 1"
            ).fetchone()
        return RecordedRun(0.0, None, 0) if found is None else RecordedRun(*found)

    def count(self, *states: State) -> int:
        """How many items ended in one of some states; blocks.

        Raises:
            StorageError: The journal cannot be read.
        """
        with self._connected() as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM items WHERE fingerprint IS NOT NULL"
                f" AND state IN ({', '.join('?' * len(states))})",
                states,
            ).fetchone()
        return int(count)

    def files(self) -> Iterator[RecordedFile]:
        """Every file of every purchase; blocks.

        Raises:
            StorageError: The journal cannot be read.
        """
        with self._connected() as connection:
            for (told,) in connection.execute(f"SELECT files FROM items WHERE state IN {_THERE}"):
                for file in load_files(told):
                    yield RecordedFile(self.directory / file.name, file.sha256, file.size)

    def images(self) -> Iterator[RecordedImage]:
        """Every image that is under its name, in the order of the input; blocks.

        Raises:
            StorageError: The journal cannot be read.
        """
        with self._connected() as connection:
            for row in connection.execute(
                f"SELECT {_IMAGES} FROM {_FROM} WHERE state = {State.DONE} ORDER BY place, items.id"
            ):
                yield from self._images(*row)

    @contextmanager
    def _connected(self) -> Generator[Connection, None, None]:
        with journal_errors(self.path), closing(connect_to_read(self.path)) as connection:
            yield connection

    def _page(self, run: int, after: tuple[int, int], *, lost: bool) -> list[tuple[tuple[int, int], Outcome]]:
        only = f" AND state IN {_LOST}" if lost else f" AND state != {State.PENDING}"
        with self._connected() as connection:
            rows = connection.execute(
                f"SELECT {_OUTCOME} FROM {_FROM} WHERE run = ? AND (place, items.id) > (?, ?){only}"
                " ORDER BY place, items.id LIMIT ?",
                (run, *after, _PAGE),
            ).fetchall()
        return [((place, item), self._outcome(run, place, *row)) for item, place, *row in rows]

    def _outcome(
        self,
        run: int,
        place: int,
        state: int,
        seed: int | None,
        ended_run: int | None,
        files: bytes | None,
        body: bytes | None,
        pictures: bytes | None,
        metadata: bytes | None,
        answer: bytes | None,
        error: bytes | None,
    ) -> Outcome:
        if body is None:
            assert error is not None  # noqa: S101
            return Failed(index=place, request=None, error=load_error(error))
        drawn = None if state == State.DUPLICATE else seed
        request = load_request(body, pictures, metadata, seed=drawn)
        if state == State.SENT and ended_run != run:  # the error is that of an earlier attempt
            error = None
        found: VeniceError | None = None if error is None else load_error(error)
        if state in {State.DONE, State.RECEIVED, State.DUPLICATE} and found is None:
            kept = load_answer(answer, self.directory, load_files(files))
            found = _nameless(kept.paths) if state == State.RECEIVED else None
            if found is None and ended_run == run:
                return Generated(index=place, request=request, answer=kept)
            if found is None:
                return Skipped(index=place, request=request, paths=kept.paths)
        found = found or UnconfirmedError("in flight, or cut off there")
        if isinstance(found, UnconfirmedError):
            return Unconfirmed(index=place, request=request, error=found)
        return Failed(index=place, request=request, error=found, billed=state != State.FAILED)

    def _images(
        self,
        item: int,
        place: int,
        seed: int | None,
        sent_at: float | None,
        ended_at: float | None,
        spent: int,
        files: bytes | None,
        body: bytes,
        pictures: bytes | None,
        metadata: bytes | None,
        answer: bytes | None,
    ) -> Iterator[RecordedImage]:
        request = load_request(body, pictures, metadata, seed=seed)
        kept = load_files(files)
        saved = load_answer(answer, self.directory, kept)
        for image, file in enumerate(kept):
            yield RecordedImage(
                file=file,
                item=item,
                index=place,
                image=image,
                request=request,
                answer=saved,
                sent_at=sent_at,
                ended_at=ended_at,
                spent_usd=usd(spent),
            )


def _status(connection: Connection, *, running: bool) -> JournalStatus:
    counts = dict(connection.execute("SELECT state, count(*) FROM items GROUP BY state"))
    runs, last = connection.execute("SELECT count(*), max(id) FROM runs").fetchone()
    began, ended, stopped = connection.execute(
        "SELECT began_at, ended_at, stopped FROM runs WHERE id = ?", (last,)
    ).fetchone() or (0.0, 0.0, None)
    spent, unpriced = connection.execute(
        "SELECT total(spent + reserved), total(spent + reserved = 0 AND state IN (?, ?, ?, ?))  FROM items",
        (State.RECEIVED, State.DONE, State.BILLED, State.UNCONFIRMED),
    ).fetchone()
    images, size = connection.execute(
        "SELECT count(*), total(json_extract(file.value, '$[2]')) FROM items,"
        " json_each(CAST(items.files AS TEXT)) AS file"
        f" WHERE state IN {_THERE}"
    ).fetchone()
    done, newest = connection.execute(
        f"SELECT count(*), max(ended_at) FROM items WHERE ended_run = ? AND state IN {_THERE}",
        (last,),
    ).fetchone()
    return JournalStatus(
        job=dict(connection.execute("SELECT name, value FROM job")),
        runs=runs,
        running=running,
        cut_off=ended is None and not running,
        stopped=None if stopped is None else str(load_error(stopped)),
        items=sum(counts.values()) - counts.get(State.DUPLICATE, 0),
        done=counts.get(State.DONE, 0) + counts.get(State.RECEIVED, 0),
        failed=counts.get(State.FAILED, 0),
        billed=counts.get(State.BILLED, 0),
        unconfirmed=counts.get(State.UNCONFIRMED, 0),
        in_flight=counts.get(State.SENT, 0),
        pending=counts.get(State.PENDING, 0),
        spent_usd=None if unpriced else usd(int(spent)),
        images=images,
        bytes=int(size),
        rate=60 * done / (newest - began) if done and newest > began else 0.0,
        balance_usd=_balance(connection),
        failures=tuple(_failures(connection)),
    )


def _nameless(paths: Iterable[Path]) -> StorageError | None:
    """What is to be told of images that are recorded, and not under their names."""
    for path in paths:
        if not path.exists():
            text = "The image is whole, and gets its name now; or that was cut off, and the next run does it"
            return StorageError(errno.ENOENT, text, str(path))
    return None


def _balance(connection: Connection) -> float | None:
    found = connection.execute(
        "SELECT json_extract(CAST(answer AS TEXT), '$.balance_usd') FROM items WHERE answer IS NOT NULL"
        " ORDER BY ended_at DESC LIMIT 1"
    ).fetchone()
    return None if found is None else found[0]


def _failures(connection: Connection) -> Iterator[FailureGroup]:
    told = (
        "SELECT id, state, CAST(error AS TEXT) AS told FROM items WHERE error IS NOT NULL"
        f" AND state IN {_UNLIKE_IMAGES} AND (state != {State.SENT} OR ended_run = run)"
    )
    rows: Any = connection.execute(
        "SELECT state, told ->> '$.type' AS kind, told ->> '$.state.status' AS status,"
        " told ->> '$.state.code' AS code, told, min(id), count(*) AS number"
        f" FROM ({told})"
        " GROUP BY state, kind, status, code ORDER BY number DESC, min(id)"
    )
    for state, kind, status, code, error, _, number in rows:
        outcome = _OUTCOMES.get(state, "billed")
        reason = " ".join(str(part) for part in (kind, status, code) if part is not None)
        yield FailureGroup(
            outcome=outcome, reason=reason, message=str(load_error(error.encode())), count=number
        )
