"""Failed items of a directory once more, without the input that they came from."""

from __future__ import annotations

import os
from pathlib import Path

import anyio.to_thread
import attrs

from venice_async.session import VeniceSession
from venice_async.storage.journal import (
    Durability,
    Entry,
    Journal,
    JournalReader,
    State,
    Verification,
    check_no_shards,
)
from venice_async.storage.names import NameTemplate
from venice_async.types.request import ImageRequest

from .options import MAX_REFUSALS, MAX_UNUSABLE, MAX_WAIT, checked_durability, checked_options
from .stream import OutcomeStream

__all__ = ["stream_retry"]


class _Again:
    """The items of a journal that ended in some states."""

    def __init__(self, journal: Journal, states: tuple[State, ...], length: int) -> None:
        self.length: int | None = length
        self.taken = 0
        self.exhausted = False
        self._journal = journal
        self._states = states
        self._last = 0
        self._stopped = False
        self._turn = anyio.Lock()

    async def next(self) -> tuple[Entry, ImageRequest] | None:
        """The next item; None at the end."""
        async with self._turn:
            if self._stopped or self.exhausted:
                return None
            found = await self._journal.enter_again(self._last, self._states)
            if found is None:
                self.exhausted = True
                return None
            self._last = found[0].item
            self.taken += 1
            return found

    def stop(self) -> None:
        """Hand out nothing more."""
        self._stopped = True

    async def close(self) -> None:
        """There is nothing to let go of."""


async def stream_retry(
    session: VeniceSession,
    into: str | os.PathLike[str],
    *,
    unconfirmed: bool = False,
    billed: bool = False,
    blocked: bool = False,
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
    """Send a directory's failed items again, without the input that they came from.

    Args:
        session: An open session.
        into: The directory of the job.
        unconfirmed: Whether those that may have been billed are sent again as well.
        billed: Whether those that failed and were billed are sent again as well.
        blocked: Whether those that the content policy blocked are sent again as well.
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
        ConfigurationError: An argument is outside its range, or the directory is that of a job in shards.
        StorageError: There is no journal, or it cannot be read.
    """
    states = [State.FAILED]
    states += [State.UNCONFIRMED, State.SENT] if unconfirmed else []
    states += [State.BILLED] if billed else []
    states += [State.BLOCKED] if blocked else []
    reader = JournalReader(Path(into))
    await anyio.to_thread.run_sync(check_no_shards, reader.directory)
    job = await anyio.to_thread.run_sync(reader.job)
    length = await anyio.to_thread.run_sync(reader.count, *states)
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
    journal = Journal(Path(into), checked_durability(durability))
    items = _Again(journal, tuple(states), length)
    return OutcomeStream(session, journal, items, job, attrs.evolve(options, again=frozenset(states)))
