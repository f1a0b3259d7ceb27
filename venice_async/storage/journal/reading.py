"""A journal as its readers see it: outcomes, counts and files, while somebody writes or after.

1. Nothing is read whole: memory does not grow with the number of items.
2. Reading needs no lock, and changes nothing.
"""

from __future__ import annotations

import errno
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from sqlite3 import Connection

import anyio.to_thread
from attrs import frozen

from venice_async.errors import ContentBlockedError, StorageError, UnconfirmedError, VeniceError
from venice_async.policy.budget import usd
from venice_async.types.outcome import Blocked, Failed, Generated, Outcome, Skipped, Unconfirmed
from venice_async.types.request import ImageRequest
from venice_async.types.response import SavedImages

from .lock import DirectoryLock
from .records import KeptFile, gone_of, load_answer, load_error, load_files, load_request
from .schema import JOURNAL, LOCK, PRIVATE, State, connect_to_read, journal_errors, read_job
from .status import LOST, THERE, JournalStatus, status_of

__all__ = ["JournalReader", "RecordedFile", "RecordedImage", "RecordedRun"]

_PAGE = 256
_OUTCOME = "items.id, place, state, seed, ended_run, files, request, pictures.body, metadata, answer, error"
_IMAGES = "items.id, place, seed, sent_at, ended_at, spent, files, request, pictures.body, metadata, answer"
_FROM = "items LEFT JOIN pictures ON pictures.digest = items.pictures"


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
        request: What was asked, with the seed that was sent; only the first image of an answer has it.
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

    @property
    def seed(self) -> int | None:
        """Its own seed; None where nobody knows it: the further images of an answer have random ones."""
        return self.request.seed if self.image == 0 else None


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

    async def paths(self, run: int) -> AsyncGenerator[Path, None]:
        """The files of a run's outcomes that are there, in the order of its input, off the loop.

        Args:
            run: The run's number.

        Raises:
            StorageError: The journal cannot be read.
        """
        after = (-1, -1)
        while page := await anyio.to_thread.run_sync(partial(self._page, run, after, lost=False)):
            after = page[-1][0]
            for path in await anyio.to_thread.run_sync(partial(_there, [outcome for _, outcome in page])):
                yield path

    def status(self) -> JournalStatus:
        """Where the job stands; blocks.

        Raises:
            StorageError: The journal cannot be read.
        """
        with self._connected() as connection:
            running = DirectoryLock.is_held(self.path.with_name(LOCK))
            return status_of(connection, self.directory, running=running)

    def job(self) -> dict[str, str]:
        """What makes the job the one it is; blocks.

        Raises:
            StorageError: The journal cannot be read.
        """
        with self._connected() as connection:
            return read_job(connection)

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
                f" WHERE ended_run = runs.id AND state IN {THERE}) FROM runs ORDER BY id DESC LIMIT 1"
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
        """Every file of every purchase, but for those that are gone and wanted no more; blocks.

        Raises:
            StorageError: The journal cannot be read.
        """
        with self._connected() as connection:
            for (told,) in connection.execute(f"SELECT files FROM items WHERE state IN {THERE}"):
                for file in load_files(told):
                    if file.wanted or not gone_of(self.directory, (file,)):
                        yield RecordedFile(self.directory / file.name, file.sha256, file.size)

    def images(self) -> Iterator[RecordedImage]:
        """Every image that got its name, in the order of the input, also if it is missing; blocks.

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
        only = f" AND state IN {LOST}" if lost else f" AND state != {State.PENDING}"
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
                return self._skipped(place, request, load_files(files))
        found = found or UnconfirmedError("in flight, or cut off there")
        if isinstance(found, UnconfirmedError):
            return Unconfirmed(index=place, request=request, error=found)
        if isinstance(found, ContentBlockedError):
            return Blocked(index=place, request=request, error=found)
        return Failed(index=place, request=request, error=found, billed=state != State.FAILED)

    def _skipped(self, place: int, request: ImageRequest, files: tuple[KeptFile, ...]) -> Skipped:
        gone = gone_of(self.directory, files)
        return Skipped(
            index=place,
            request=request,
            paths=tuple(self.directory / file.name for file in files if file not in gone),
            missing=tuple(self.directory / file.name for file in gone if file.wanted),
        )

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
            if not file.wanted and gone_of(self.directory, (file,)):
                continue
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


def _there(outcomes: Iterable[Outcome]) -> list[Path]:
    """The files of some outcomes that are there."""
    paths = (outcome.paths for outcome in outcomes if isinstance(outcome, Generated | Skipped))
    return [path for path in chain.from_iterable(paths) if path.exists()]


def _nameless(paths: Iterable[Path]) -> StorageError | None:
    """What is to be told of images that are recorded, and not under their names."""
    for path in paths:
        if not path.exists():
            text = "The image is whole, and gets its name now; or that was cut off, and the next run does it"
            return StorageError(errno.ENOENT, text, str(path))
    return None
