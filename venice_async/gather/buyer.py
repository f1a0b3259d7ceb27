"""One item's way from the input to its outcome, each step of it recorded.

1. Nothing is sent before its intent is in the journal and its cost is within the budget.
2. What the journal knows already decides: an image that is there is skipped, what may have been paid
   for and what was blocked is held until somebody says otherwise.
3. An outcome is told only once it is recorded. If it cannot be, the batch stops.
4. An item whose model is stopped has no outcome: it stays what it was.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import attrs
from attrs import define, field, frozen

from venice_async.errors import (
    BudgetExceededError,
    ConfigurationError,
    ConnectError,
    ContentBlockedError,
    LeaseLostError,
    SessionStateError,
    StorageError,
    StoreError,
    UnconfirmedError,
    ValidationError,
    VeniceError,
)
from venice_async.policy.budget import Budget
from venice_async.policy.outage import unreached
from venice_async.policy.retry import was_billed
from venice_async.policy.scope import Scope, scope_of
from venice_async.pool import NotSentError
from venice_async.session import VeniceSession
from venice_async.storage.journal import Entry, Journal, State, load_error
from venice_async.storage.names import NameTemplate
from venice_async.types.limits import Range
from venice_async.types.options import Priority
from venice_async.types.outcome import Blocked, Failed, Generated, Outcome, Skipped, Unconfirmed
from venice_async.types.request import ImageRequest
from venice_async.types.response import SavedImages

from .purchase import Purchase
from .stops import Stops
from .waiting import Waiting

__all__ = ["Buyer", "Gate", "Told"]

Gate = Callable[[int], Awaitable[None]]
"""Awaited before each purchase, with what the batch has spent and set aside in all its runs, in millionths of
a US dollar; raising stops the batch."""

_SHOWN = 60
# What comes before a purchase, and would come before every further one.
_STOP = (BudgetExceededError, ConfigurationError, LeaseLostError, SessionStateError, StoreError)
_HIGHEST_SEED = 999_999_998
_HELD = {State.BILLED, State.UNCONFIRMED, State.BLOCKED}


@frozen
class Told:
    """An outcome, and where it comes from.

    Attributes:
        outcome: What became of the item.
        held: Whether an earlier run has left it so, and nothing was tried.
    """

    outcome: Outcome
    held: bool = False


@define(kw_only=True)
class Buyer:
    """Carries out the items of a batch.

    Args:
        session: Open.
        journal: Open.
        budget: What may be spent.
        cost_of: What a request costs, in millionths of a US dollar; None where that is not known.
        template: Of file names.
        check: What an image has to pass, or None.
        keep_duplicates: Whether what the input repeats is bought again.
        fresh: Whether the journal knew of no item when the run began.
        again: The states of which an item is sent again although an earlier run has left it so.
        stops: What is stopped already.
        waiting: What is waited for.
        stop: Called with what every further item would meet as well.
        stop_model: Called with what every further item of a model would meet as well.
        tell: Called with the outcome of an item that was cut off.
        gate: Asked before each purchase, or None.

    Attributes:
        settled: Set, and replaced, once a purchase that was in flight is over.
    """

    session: VeniceSession
    journal: Journal
    budget: Budget
    cost_of: Callable[[ImageRequest], int | None]
    template: NameTemplate
    check: Callable[[Path], None] | None
    keep_duplicates: bool
    fresh: bool
    again: frozenset[State]
    stops: Stops
    waiting: Waiting
    stop: Callable[[VeniceError], None]
    stop_model: Callable[[str, VeniceError], None]
    tell: Callable[[Outcome], None]
    gate: Gate | None = None
    settled: anyio.Event = field(init=False, factory=anyio.Event)

    async def carry_out(self, place: int | Entry, request: ImageRequest | ValidationError) -> Told | None:
        """Carry out one item; None if it has no outcome, because the batch or its model stopped.

        Args:
            place: Its place in the input, or what the journal knows of it already.
            request: What is asked for, or what is wrong with it.
        """
        if isinstance(place, Entry):
            assert isinstance(request, ImageRequest)  # noqa: S101 - the journal holds no others
            return await self._go_on(place, request)
        if isinstance(request, ValidationError):
            await self.journal.enter_invalid(place, request)
            return Told(Failed(index=place, request=None, error=request))
        if self.fresh and self.keep_duplicates:
            return await self._told(Purchase(self, place, request, _seeded(request), self.cost_of(request)))
        entry = await self.journal.enter(place, request, keep_duplicates=self.keep_duplicates)
        return await self._go_on(entry, request)

    async def _go_on(self, entry: Entry, request: ImageRequest) -> Told | None:
        if entry.state == State.DUPLICATE:
            return Told(Skipped(index=entry.place, request=request))
        given, request = request, _seeded(request, entry.seed)
        if entry.state in {State.DONE, State.RECEIVED}:
            return Told(self._skipped(entry, request))
        if entry.state in _HELD - self.again and entry.error is not None:
            return Told(_lost(entry.place, request, load_error(entry.error), billed=True), held=True)
        return await self._told(Purchase(self, entry.place, given, request, self.cost_of(request), entry))

    def _skipped(self, entry: Entry, request: ImageRequest) -> Skipped:
        directory = self.journal.directory
        return Skipped(
            index=entry.place,
            request=request,
            paths=tuple(directory / file.name for file in entry.files if file not in entry.gone),
            missing=tuple(directory / file.name for file in entry.gone if file.wanted),
        )

    async def _told(self, purchase: Purchase) -> Told | None:
        if not self.stops.admits(purchase.request.model):
            if (error := self.stops.futile) is not None:
                self.stop(error)
            return None
        outcome = await self._buy(purchase)
        return None if outcome is None else Told(outcome)

    async def _buy(self, purchase: Purchase) -> Outcome | None:
        index, request = purchase.place, purchase.request
        try:
            answer = await self._fetch(purchase)
        except NotSentError:
            await purchase.withdraw()
            return None
        except _STOP as exc:
            await purchase.withdraw()
            self.stop(exc)
            return None
        except VeniceError as exc:
            return await self._failure(purchase, exc)
        except asyncio.CancelledError:
            if not purchase.sent:
                await purchase.withdraw()
                raise
            aborted = UnconfirmedError("aborted while the request was in flight; it may have been billed")
            await self._recorded(purchase, aborted, billed=True)
            self.tell(Unconfirmed(index=index, request=request, error=aborted))
            raise
        purchase.settle(billed=True, refund=purchase.refund)
        return Generated(index=index, request=request, answer=answer)

    async def _fetch(self, purchase: Purchase) -> SavedImages:
        """Buy it; a server that cannot be reached is waited for, and costs no attempt."""
        while True:
            try:
                answer = await self.session.fetch(
                    purchase.request,
                    purchase.open_sink,
                    before_send=purchase.before_send,
                    after_failure=purchase.after_failure,
                    halt=purchase.halt,
                    retry=purchase,
                    priority=Priority.BULK,
                )
            except ConnectError as exc:
                if not unreached(exc):
                    raise
                _let_go_of_frames(exc)
                given_up = await self.waiting.for_connection(exc, purchase.halt)
                if given_up is not None:
                    self.stop(given_up)
                    raise NotSentError from exc
            else:
                self.waiting.reached()
                return answer

    async def _failure(self, purchase: Purchase, error: VeniceError) -> Outcome | None:
        index, request = purchase.place, purchase.request
        error = self.waiting.asked_too_long(request.model, error) or error
        error.add_note(f"request {index}: {request.prompt[:_SHOWN]!r}")
        _let_go_of_frames(error)
        scope = scope_of(error, sent=purchase.sent)
        if scope is Scope.MODEL:
            self.stop_model(request.model, error)
            await self._put_back(purchase, error)
            return None
        if scope is Scope.JOB:
            self.stop(error)
        billed = purchase.sent and was_billed(error)
        await self._recorded(purchase, error, billed=billed)
        return _lost(index, request, error, billed=billed)

    async def _recorded(self, purchase: Purchase, error: VeniceError, *, billed: bool) -> None:
        """Record how a purchase has failed; a journal that cannot take it stops the batch."""
        refund = 0 if isinstance(error, UnconfirmedError) else purchase.refund
        with anyio.CancelScope(shield=True):
            purchase.settle(billed=billed or isinstance(error, UnconfirmedError), refund=refund)
            try:
                item = (await purchase.enter()).item
                if isinstance(error, UnconfirmedError):
                    await self.journal.unconfirm(item, error)
                else:
                    await self.journal.fail(
                        item, error, billed=billed, adoptable=purchase.whole, refund=refund
                    )
            except StorageError as exc:
                error.add_note(f"nor could that be recorded: {exc}")
                self.stop(exc)

    async def _put_back(self, purchase: Purchase, error: VeniceError) -> None:
        """Leave an item as it was before, and record why."""
        with anyio.CancelScope(shield=True):
            await purchase.withdraw()
            try:
                await self.journal.put_back((await purchase.enter()).item, error)
            except StorageError as exc:
                self.stop(exc)


def _seeded(request: ImageRequest, seed: int | None = None) -> ImageRequest:
    """The request with this seed, which it was sent with; else with its own, else with one that is drawn."""
    if seed is None:
        seed = _draw(request.limits.seed) if request.seed is None else request.seed
    return request if request.seed == seed else attrs.evolve(request, seed=seed)


def _draw(seeds: Range) -> int:
    """A seed for a request that leaves it open, within its own range."""
    # A request that comes from a journal has no bounds.
    least, most = max(seeds.low, -_HIGHEST_SEED), min(seeds.high, _HIGHEST_SEED)
    low = math.floor(least) + 1 if seeds.low_open else math.ceil(least)
    high = math.ceil(most) - 1 if seeds.high_open else math.floor(most)
    low = max(low, min(0, high))
    return random.randint(low, high)  # noqa: S311 - it is for pictures


def _lost(index: int, request: ImageRequest, error: VeniceError, *, billed: bool) -> Outcome:
    if isinstance(error, UnconfirmedError):
        return Unconfirmed(index=index, request=request, error=error)
    if isinstance(error, ContentBlockedError):
        return Blocked(index=index, request=request, error=error)
    return Failed(index=index, request=request, error=error, billed=billed)


def _let_go_of_frames(error: BaseException | None) -> None:
    """A report keeps errors, and their frames would keep the requests' bodies."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
