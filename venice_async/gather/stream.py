"""The outcomes of a batch as they come.

1. The input is read lazily by a bounded number of workers; nothing of an item stays in memory.
2. A failed item does not stop the others; what every further request would meet as well does, as do answers
   that come to nothing one after the other. What every further request for a model would meet stops that
   model.
3. An image that was bought is kept: a batch that is left or cancelled stops sending and drains what
   is in flight.
4. The workers live in one task of the batch's own, which ends before the block does; the caller's
   block sees its own exceptions, never a group of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Protocol, Self

import anyio

from venice_async.errors import (
    LongWaitError,
    SessionStateError,
    StorageError,
    TooManyFailuresError,
    ValidationError,
    VeniceError,
)
from venice_async.policy.breaker import Breaker
from venice_async.policy.budget import Budget, cost_of, usd
from venice_async.policy.retry import too_many_failures
from venice_async.report import BatchReport
from venice_async.session import VeniceSession
from venice_async.storage.dataset import write_metadata
from venice_async.storage.journal import (
    Costs,
    Entry,
    Journal,
    JournalReader,
    State,
    check_verification,
    write_waits,
)
from venice_async.types.frozen import FrozenDict
from venice_async.types.offer import Offer, traits_of
from venice_async.types.outcome import (
    Blocked,
    Failed,
    Generated,
    Outcome,
    Progress,
    Skipped,
    Unconfirmed,
)
from venice_async.types.request import ImageRequest
from venice_async.types.statistics import Wait

from .buyer import Buyer, Gate
from .models import Models, known_models
from .options import Options
from .stops import Stops
from .waiting import Waiting

__all__ = ["Items", "OutcomeStream"]

_ERRORS_KEPT = 100
_LOOK_EVERY = 0.5  # seconds, at what is waited for


class Items(Protocol):
    """What a batch works on."""

    length: int | None
    taken: int
    exhausted: bool

    async def next(self) -> tuple[int | Entry, ImageRequest | ValidationError] | None:
        """The next item; None at the end."""
        ...

    def stop(self) -> None:
        """Hand out nothing more."""

    async def close(self) -> None:
        """Let go of the input."""


class OutcomeStream:
    """The outcomes of a batch as they come; made by `stream_generate`.

    Args:
        session: Open.
        journal: The directory's.
        items: What the batch works on.
        job: What makes the job the one it is, by name.
        options: How it is carried out.
        extend: Whether a directory with another job's journal is added to.
        gate: Asked before each purchase, or None.
        rows: Whether `metadata.jsonl` is written in the end.
        traits: What traits stand for in a journal that is new; what they stand for now where None.
        stopped_models: By model, an error that others have met: nothing is sent for it.
    """

    def __init__(
        self,
        session: VeniceSession,
        journal: Journal,
        items: Items,
        job: dict[str, str],
        options: Options,
        *,
        extend: bool = False,
        gate: Gate | None = None,
        rows: bool = True,
        traits: Mapping[str, str] | None = None,
        stopped_models: Mapping[str, VeniceError] = FrozenDict(),
    ) -> None:
        self._session = session
        self._items = items
        self._job = job
        self._options = options
        self._extend = extend
        self._gate = gate
        self._rows = rows
        self._traits = traits
        self._journal = journal
        self._budget = Budget(options.budget)
        self._models = Models(Offer(), {})
        self._run_number = self._spent_before = self._held = self._missing = 0
        self._task: asyncio.Task[None] | None = None
        self._unread: list[Outcome] = []
        self._errors: list[VeniceError] = []
        self._counts = dict.fromkeys((Generated, Skipped, Failed, Unconfirmed, Blocked), 0)
        self._began = self._ended = 0.0
        self._stops = Stops(stopped_models)
        self._breaker = Breaker(options.max_unusable, options.max_refusals)
        self._waiting = Waiting(session, options.max_wait)
        self._stopped: VeniceError | None = None
        self._crash: BaseException | None = None
        self._crash_raised = False

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise SessionStateError("a batch is entered once; call stream_generate again")
        self._session.check_open()
        check = check_verification(self._options.verify)
        models = await known_models(self._session, needed=self._options.budget is not None)
        costs = partial(cost_of, models=models)
        known = Costs(costs, needed=self._options.budget is not None)
        today = traits_of(models.values(), self._session.default_model)
        traits = today if self._traits is None else self._traits
        standing = await self._journal.open(self._job, known, traits, extend=self._extend)
        self._models = Models(Offer(models=models, traits=standing.traits), today)
        self._run_number, self._spent_before = standing.run, standing.spent
        self._budget.spent = standing.spent
        resend = {State.UNCONFIRMED} if self._session.retry.resend_unconfirmed else set()
        self._buyer = Buyer(
            session=self._session,
            journal=self._journal,
            budget=self._budget,
            cost_of=costs,
            template=self._options.template,
            check=check,
            keep_duplicates=self._options.keep_duplicates,
            fresh=standing.fresh,
            again=self._options.again | resend,
            stops=self._stops,
            waiting=self._waiting,
            stop=self._stop_because,
            stop_model=self._stop_model,
            tell=self._tell_late,
            gate=self._gate,
        )
        self._priced = bool(models)
        self._note_waits(())
        workers = self._options.workers
        if self._items.length is not None:
            workers = max(1, min(workers, self._items.length))
        self._send, self._receive = anyio.create_memory_object_stream[Outcome](workers)
        self._began = asyncio.get_running_loop().time()
        self._task = asyncio.create_task(self._run(workers), name="venice_async batch")
        return self

    async def __aexit__(self, _: object, exc: BaseException | None, __: object) -> None:
        with anyio.CancelScope(shield=True):
            try:
                await self._drain()
            finally:
                try:
                    await self._end()
                finally:
                    await self._close()
        if self._crash is not None and not self._crash_raised:
            if exc is None:
                raise self._crash
            exc.add_note(f"and the batch ended with {self._crash!r}")

    async def _close(self) -> None:
        """End the run; the rows of its images are written while the directory is still its own."""
        journal = self._journal
        self._note_waits(())
        write_rows = partial(write_metadata, journal.directory, synced=journal.synced)
        try:
            await journal.close(self._stopped, **({"last": write_rows} if self._rows else {}))
        except StorageError as exc:  # the images are there, and the next run writes what is missing
            self._stop_because(exc)

    async def _end(self) -> None:
        """End the batch's own task; a cancellation of the caller's meanwhile is passed on, not taken."""
        assert self._task is not None  # noqa: S101
        self._task.cancel()
        interrupted: asyncio.CancelledError | None = None
        while not self._task.done():
            try:
                await asyncio.wait({self._task})
            except asyncio.CancelledError as exc:
                interrupted = exc
                self._task.cancel()
        self._receive.close()
        if interrupted is not None:
            raise interrupted
        if not self._task.cancelled():
            self._task.result()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        if self._task is None:
            raise SessionStateError("outcomes are read within `async with stream_generate(...)`")
        try:
            with suppress(anyio.WouldBlock):
                return self._receive.receive_nowait()
            return await self._receive.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            if self._crash is not None:
                self._crash_raised = True
                raise self._crash from None
            raise StopAsyncIteration from None

    @property
    def progress(self) -> Progress:
        """Where the batch stands."""
        return Progress(
            done=self._counts[Generated],
            skipped=self._counts[Skipped],
            missing=self._missing,
            failed=self._counts[Failed],
            unconfirmed=self._counts[Unconfirmed],
            blocked=self._counts[Blocked],
            total=self._items.length,
            elapsed=self._elapsed(),
            spent_usd=usd(self._budget.spent - self._spent_before) if self._spending_known() else None,
            waiting=() if self._ended else self._waiting.announced,
        )

    @property
    def run(self) -> int:
        """The number of the journal's run, from 1; 0 before the batch has begun."""
        return self._run_number

    @property
    def losses(self) -> tuple[int, int]:
        """How many of the items that were tried have failed, and how many were tried; no blocked ones."""
        lost = self._counts[Failed] + self._counts[Unconfirmed] - self._held
        return lost, lost + self._counts[Generated]

    @property
    def unread(self) -> tuple[Outcome, ...]:
        """Outcomes that came after the block was left, in the order in which they came."""
        return tuple(self._unread)

    @property
    def report(self) -> BatchReport:
        """What the batch did, so far or in all."""
        progress = self.progress
        total = self._items.taken if self._items.exhausted else progress.total
        return BatchReport(
            generated=progress.done,
            skipped=progress.skipped,
            missing=progress.missing,
            failed=progress.failed,
            unconfirmed=progress.unconfirmed,
            blocked=progress.blocked,
            pending=None if total is None else total - progress.finished,
            spent_usd=progress.spent_usd,
            elapsed=progress.elapsed,
            stopped=self._stopped,
            stopped_models=dict(self._stops.models),
            errors=tuple(self._errors),
            notes=self._models.notes,
            journal=JournalReader(self._journal.directory),
            run=self._run_number,
        )

    def _spending_known(self) -> bool:
        return self._task is None or (self._priced and not self._budget.unpriced)

    def _elapsed(self) -> float:
        if not self._began:
            return 0.0
        return (self._ended or asyncio.get_running_loop().time()) - self._began

    async def _run(self, workers: int) -> None:
        try:
            async with anyio.create_task_group() as beside:
                beside.start_soon(self._look_at_waits)
                async with anyio.create_task_group() as group:
                    for _ in range(workers):
                        group.start_soon(self._work)
                beside.cancel_scope.cancel()
        finally:
            self._ended = asyncio.get_running_loop().time()
            if self._stopped is None and self._items.exhausted:
                self._stopped = self._stops.all_stopped
            try:
                await self._items.close()
            except Exception as exc:  # noqa: BLE001 - raised to the reader
                self._crash = self._crash or exc
            finally:
                self._send.close()

    async def _look_at_waits(self) -> None:
        """Announce what is waited for, and stop what would have to wait for too long."""
        while True:
            waits = self._waiting.current()
            if (over := self._waiting.too_long(waits)) is not None:
                model, error = over
                if model is None:
                    self._stop_because(error)
                else:
                    self._stop_model(model, error)
            self._waiting.announce(waits, self._note_waits)
            await asyncio.sleep(_LOOK_EVERY)

    def _note_waits(self, waits: tuple[Wait, ...]) -> None:
        self._journal.writer.submit(partial(write_waits, self._journal.directory, waits))

    async def _drain(self) -> None:
        """Stop sending, and wait for what is in flight."""
        self._stop()
        with anyio.move_on_after(self._options.drain_timeout):
            async for outcome in self._receive:
                self._unread.append(outcome)

    def _stop_because(self, error: VeniceError) -> None:
        if self._stopped is None:
            self._stopped = error
            self._stop()

    def _stop_model(self, model: str, error: VeniceError) -> None:
        self._stops.stop_model(model, error)
        if isinstance(error, LongWaitError) and self._stops.all_stopped:
            self._stop_because(error)

    def _stop(self) -> None:
        self._stops.stop()
        self._items.stop()

    async def _work(self) -> None:
        try:
            while not self._stops.called and (item := await self._items.next()) is not None:
                told = await self._buyer.carry_out(*self._models.resolve(*item))
                if told is not None:
                    self._take_in(told.outcome, held=told.held)
                    await self._hand_over(told.outcome)
        except StorageError as exc:
            self._stop_because(exc)
        except (Exception, SystemExit, KeyboardInterrupt) as exc:  # noqa: BLE001
            # Raised to the reader, in its own task, once what was taken before is finished.
            self._crash = self._crash or exc
            self._items.stop()

    async def _hand_over(self, outcome: Outcome) -> None:
        try:
            self._send.send_nowait(outcome)
        except anyio.WouldBlock:
            await self._wait_for_the_reader(outcome)

    async def _wait_for_the_reader(self, outcome: Outcome) -> None:
        try:
            await self._send.send(outcome)
        except BaseException:
            self._unread.append(outcome)
            raise

    def _tell_late(self, outcome: Outcome) -> None:
        self._take_in(outcome)
        self._unread.append(outcome)

    def _take_in(self, outcome: Outcome, *, held: bool = False) -> None:
        """Count an outcome, and stop if no further one can be better."""
        self._counts[type(outcome)] += 1
        if isinstance(outcome, Skipped):
            self._missing += bool(outcome.missing)
        if isinstance(outcome, Generated):
            self._breaker.succeeded(outcome.request.model)
        if isinstance(outcome, Generated | Skipped):
            return
        if len(self._errors) < _ERRORS_KEPT:
            self._errors.append(outcome.error)
        if held:
            self._held += not isinstance(outcome, Blocked)
            return
        self._ask_breaker(outcome)
        lost, tried = self.losses
        if too_many_failures(lost, tried, allowed := self._options.max_failures):
            text = f"{lost} of {tried} items failed; max_failures={allowed}"
            self._stop_because(TooManyFailuresError(text))

    def _ask_breaker(self, outcome: Failed | Unconfirmed | Blocked) -> None:
        """Stop the batch, or the model, if too many items have come to nothing alike."""
        if self._stops.called:  # what is still in flight meets what the batch has stopped for
            return
        if (in_vain := self._breaker.unusable(outcome.error)) is not None:
            self._stop_because(in_vain)
        if outcome.request is None:
            return
        model = outcome.request.model
        if (refused := self._breaker.ended_otherwise(model, outcome.error)) is not None:
            self._stop_model(model, refused)
