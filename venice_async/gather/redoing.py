"""Images of a directory that are bought again: those that are gone, or that somebody wants anew."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

import anyio.to_thread
import attrs

from venice_async.errors import StorageError
from venice_async.report import BatchReport
from venice_async.session import VeniceSession
from venice_async.storage.journal import (
    Durability,
    Entry,
    Journal,
    JournalReader,
    State,
    Verification,
    find_redos,
)
from venice_async.storage.names import NameTemplate
from venice_async.types.request import ImageRequest

from .options import MAX_REFUSALS, MAX_UNUSABLE, MAX_WAIT, checked_durability, checked_options
from .stream import OutcomeStream

__all__ = ["redo", "stream_redo"]


class _Redos:
    """The items whose images are bought again."""

    def __init__(self, journal: Journal, wanted: dict[int, bool], *, new_seed: bool) -> None:
        self.length: int | None = len(wanted)
        self.taken = 0
        self.exhausted = not wanted
        self._journal = journal
        self._wanted = iter(wanted.items())
        self._new_seed = new_seed
        self._stopped = False
        self._turn = anyio.Lock()

    async def next(self) -> tuple[Entry, ImageRequest] | None:
        """The next item; None at the end."""
        async with self._turn:
            while not self._stopped:
                item, by_name = next(self._wanted, (None, False))
                if item is None:
                    self.exhausted = True
                    return None
                found = await self._journal.enter_redo(item, by_name=by_name, new_seed=self._new_seed)
                if found is not None:  # else it has come back meanwhile
                    self.taken += 1
                    return found
        return None

    def stop(self) -> None:
        """Hand out nothing more."""
        self._stopped = True

    async def close(self) -> None:
        """Note that nothing is left to take up, if so."""
        if self.exhausted:
            with suppress(
                StorageError
            ):  # the disk that fails: the next call then takes what is there as bought
                await self._journal.end_redo()


async def redo(
    session: VeniceSession,
    into: str | os.PathLike[str],
    *,
    files: Iterable[str | os.PathLike[str]] = (),
    missing: bool = False,
    new_seed: bool = False,
    concurrency: int | None = None,
    durability: Durability = "power",
    verify: Verification = "header",
    budget_usd: float | None = None,
    max_failures: float | None = None,
    max_unusable: int = MAX_UNUSABLE,
    max_refusals: int = MAX_REFUSALS,
    max_wait: float | None = MAX_WAIT,
    drain_timeout: float = 60.0,
) -> BatchReport:
    """Buy images of a directory again, without the input that they came from.

    An old file that is there goes to `.venice/superseded/`, once the new one is whole and recorded; what
    fails or is blocked takes nothing away. The item keeps its identity: the call that asked for it finds it
    done. An answer with several variants is bought again as a whole, whichever of its files is meant.

    Called again after it was stopped or cut off, it does not buy again what it has bought already. What may
    have been bought is held as `Unconfirmed`, until `stream_retry(unconfirmed=True)` sends it.

    Args:
        session: An open session.
        into: The directory of the job; of a job in shards, that of one shard.
        files: Of its images, those that are bought again, with the directory in front or relative to it.
        missing: Whether those of which a file is gone are bought again as well.
        new_seed: Whether another seed is drawn, sent and recorded; else the same one is sent.
        concurrency: As for `gather_generate`, like all that follow.
        durability: As there.
        verify: As there.
        budget_usd: As there.
        max_failures: As there.
        max_unusable: As there.
        max_refusals: As there.
        max_wait: As there.
        drain_timeout: As there.

    Raises:
        ConfigurationError: An argument is outside its range, a file is none of the job's, nothing is asked
            for, or the directory is that of a job in shards; nothing was sent.
        DirectoryLockedError: Another process works on the directory; nothing was sent.
        StorageError: There is no journal, or it cannot be read.
    """
    stream = await stream_redo(
        session,
        into,
        files=files,
        missing=missing,
        new_seed=new_seed,
        concurrency=concurrency,
        durability=durability,
        verify=verify,
        budget_usd=budget_usd,
        max_failures=max_failures,
        max_unusable=max_unusable,
        max_refusals=max_refusals,
        max_wait=max_wait,
        drain_timeout=drain_timeout,
    )
    async with stream as outcomes:
        async for _ in outcomes:
            pass
    return stream.report


async def stream_redo(
    session: VeniceSession,
    into: str | os.PathLike[str],
    *,
    files: Iterable[str | os.PathLike[str]] = (),
    missing: bool = False,
    new_seed: bool = False,
    concurrency: int | None = None,
    durability: Durability = "power",
    verify: Verification = "header",
    budget_usd: float | None = None,
    max_failures: float | None = None,
    max_unusable: int = MAX_UNUSABLE,
    max_refusals: int = MAX_REFUSALS,
    max_wait: float | None = MAX_WAIT,
    drain_timeout: float = 60.0,
) -> OutcomeStream:
    """Buy images of a directory again, and hand over the outcomes as they come.

    Args and errors are those of `redo`.
    """
    directory = Path(into)
    wanted = await anyio.to_thread.run_sync(partial(find_redos, directory, files, missing=missing))
    job = await anyio.to_thread.run_sync(JournalReader(directory).job)
    options = checked_options(
        session,
        template=NameTemplate(job["name"]),
        concurrency=concurrency,
        verify=verify,
        budget_usd=budget_usd,
        max_failures=max_failures,
        max_unusable=max_unusable,
        max_refusals=max_refusals,
        max_wait=max_wait,
        drain_timeout=drain_timeout,
    )
    journal = Journal(directory, checked_durability(durability))
    items = _Redos(journal, wanted, new_seed=new_seed)
    # What was blocked cost nothing; what may have been paid for is held.
    return OutcomeStream(
        session, journal, items, job, attrs.evolve(options, again=frozenset({State.BLOCKED}))
    )
