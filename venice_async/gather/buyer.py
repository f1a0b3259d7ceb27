"""One item's way from the input to its outcome, each step of it recorded.

1. Nothing is sent before its intent is in the journal and its cost is within the budget.
2. What the journal knows already decides: an image that is there is skipped, what may have been paid
   for is held until somebody says otherwise.
3. An outcome is told only once it is recorded. If it cannot be, the batch stops.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from copy import copy
from pathlib import Path, PurePath

import anyio
import attrs
from attrs import define, field

from venice_async.errors import (
    BudgetExceededError,
    ConfigurationError,
    NotFoundError,
    StorageError,
    UnconfirmedError,
    ValidationError,
    VeniceError,
)
from venice_async.policy.budget import Budget, cost_of
from venice_async.policy.retry import stops_batch, was_billed
from venice_async.pool import Halt, NotSentError
from venice_async.session import VeniceSession
from venice_async.storage.files import EXTENSIONS
from venice_async.storage.journal import Entry, Journal, PurchaseSink, State, load_error
from venice_async.storage.names import NameTemplate
from venice_async.types.catalogue import ImageModel
from venice_async.types.outcome import Failed, Generated, Outcome, Skipped, Unconfirmed
from venice_async.types.request import ImageRequest
from venice_async.types.response import ImageFormat

__all__ = ["Buyer"]

_SHOWN = 60
_SEEDS = 999_999_999


@define(kw_only=True)
class Buyer:
    """Carries out the items of a batch.

    Args:
        session: Open.
        journal: Open.
        budget: What may be spent.
        models: By id, for the prices; empty where they are not known.
        template: Of file names.
        check: What an image has to pass, or None.
        keep_duplicates: Whether what the input repeats is bought again.
        again: The states of which an item is sent again.
        halt: Ends the waiting.
        stop: Called with what every further item would meet as well.
        tell: Called with the outcome of an item that was cut off.

    Attributes:
        held: Items that came back as an earlier run has left them.
    """

    session: VeniceSession
    journal: Journal
    budget: Budget
    models: dict[str, ImageModel]
    template: NameTemplate
    check: Callable[[Path], None] | None
    keep_duplicates: bool
    again: frozenset[State]
    halt: Halt
    stop: Callable[[VeniceError], None]
    tell: Callable[[Outcome], None]
    held: int = field(init=False, default=0)
    _gone: dict[str, NotFoundError] = field(init=False, factory=dict)

    async def carry_out(self, place: int | Entry, request: ImageRequest | ValidationError) -> Outcome | None:
        """Carry out one item; None if it was not sent because the batch stopped.

        Args:
            place: Its place in the input, or what the journal knows of it already.
            request: What is asked for, or what is wrong with it.
        """
        if isinstance(place, Entry):
            assert isinstance(request, ImageRequest)  # noqa: S101 - the journal holds no others
            return await self._go_on(place, request)
        try:
            if isinstance(request, ValidationError):
                await self.journal.enter_invalid(place, request)
                return Failed(index=place, request=None, error=request)
            entry = await self.journal.enter(place, request, keep_duplicates=self.keep_duplicates)
        except StorageError as exc:
            self.stop(exc)
            return None
        return await self._go_on(entry, request)

    async def _go_on(self, entry: Entry, request: ImageRequest) -> Outcome | None:
        seed = entry.seed if request.seed is None else request.seed
        if seed is None:
            seed = random.randrange(_SEEDS)  # noqa: S311 - it is for pictures
        if request.seed is None and entry.state != State.DUPLICATE:
            request = attrs.evolve(request, seed=seed)
        if entry.state in {State.DONE, State.RECEIVED, State.DUPLICATE}:
            paths = tuple(self.journal.directory / file.name for file in entry.files)
            return Skipped(index=entry.place, request=request, paths=paths)
        if entry.state in {State.BILLED, State.UNCONFIRMED} - self.again and entry.error is not None:
            self.held += 1
            return _held(entry, request, load_error(entry.error))
        return await self._buy(_Purchase(self, entry, request, cost_of(request, self.models)))

    async def _buy(self, purchase: _Purchase) -> Outcome | None:
        index, request = purchase.entry.place, purchase.request
        try:
            purchase.check_model()
            answer = await self.session.fetch(
                request, purchase.open_sink, before_send=purchase.before_send, halt=self.halt
            )
        except NotSentError:
            await purchase.withdraw()
            return None
        except (BudgetExceededError, ConfigurationError) as exc:
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
        purchase.settle(billed=True)
        return Generated(index=index, request=request, answer=answer)

    async def _failure(self, purchase: _Purchase, error: VeniceError) -> Outcome:
        index, request = purchase.entry.place, purchase.request
        error.add_note(f"request {index}: {request.prompt[:_SHOWN]!r}")
        if isinstance(error, NotFoundError):
            self._gone.setdefault(request.model, error)
        billed = purchase.sent and was_billed(error)
        await self._recorded(purchase, error, billed=billed)
        if stops_batch(error):  # but not what an earlier run has met: its disk may have room again
            self.stop(error)
        if isinstance(error, UnconfirmedError):
            return Unconfirmed(index=index, request=request, error=error)
        return Failed(index=index, request=request, error=error, billed=billed)

    async def _recorded(self, purchase: _Purchase, error: VeniceError, *, billed: bool) -> None:
        """Record how a purchase has failed; a journal that cannot take it stops the batch."""
        item = purchase.entry.item
        with anyio.CancelScope(shield=True):
            purchase.settle(billed=billed or isinstance(error, UnconfirmedError))
            try:
                if isinstance(error, UnconfirmedError):
                    await self.journal.unconfirm(item, error)
                else:
                    await self.journal.fail(item, error, billed=billed, adoptable=purchase.whole)
            except StorageError as exc:
                error.add_note(f"nor could that be recorded: {exc}")
                self.stop(exc)

    def gone_error(self, model: str) -> NotFoundError | None:
        """What an item of a model ends with that the server does not have; nothing is sent for it."""
        if (found := self._gone.get(model)) is None:
            return None
        error = copy(found)
        error.__notes__ = ["not sent: an earlier request has shown that the model is not there"]
        return error


def _held(entry: Entry, request: ImageRequest, error: VeniceError) -> Outcome:
    if isinstance(error, UnconfirmedError):
        return Unconfirmed(index=entry.place, request=request, error=error)
    return Failed(index=entry.place, request=request, error=error, billed=True)


@define
class _Purchase:
    """One item while it is bought: the attempts at it, and what they have cost."""

    buyer: Buyer
    entry: Entry
    request: ImageRequest
    cost: int | None
    sent: bool = False
    _reserved: bool = False
    _intended: bool = False
    _lost: bool = False
    _attempt: int = field(init=False, default=0)
    _descriptor: int = -1
    _sink: PurchaseSink | None = None

    def __attrs_post_init__(self) -> None:
        self._attempt = self.entry.attempts

    @property
    def whole(self) -> bool:
        """Whether all images are on disk, whatever became of their record."""
        return self._sink is not None and self._sink.whole

    def check_model(self) -> None:
        """Raise if the server is known not to have the model."""
        if (error := self.buyer.gone_error(self.request.model)) is not None:
            raise error

    async def before_send(self, last: VeniceError | None) -> None:
        """Set the cost aside and record the intent."""
        self.sent = False
        self._lost = last is not None and (isinstance(last, UnconfirmedError) or was_billed(last))
        self.settle(billed=self._lost)
        self.check_model()
        self.buyer.budget.reserve(self.cost, self.request.model)
        self._reserved = True
        with anyio.CancelScope(shield=True):
            self._intended = True
            self._descriptor = await self.buyer.journal.intend(
                self.entry.item, self.request.seed, self.cost or 0, lost=self._lost
            )
        self._attempt += 1
        self._lost = False
        self.sent = True

    def open_sink(self) -> PurchaseSink:
        """The sink of the attempt that is about to be sent."""
        self._sink = PurchaseSink(
            self.buyer.session.writer,
            self.buyer.journal,
            self.entry.item,
            self._attempt,
            self._descriptor,
            self._name,
            self.buyer.check,
        )
        return self._sink

    def settle(self, *, billed: bool) -> None:
        """The attempt that the cost was set aside for is over."""
        if self._reserved:
            self._reserved = False
            self.buyer.budget.settle(self.cost, billed=billed)

    async def withdraw(self) -> None:
        """Nothing is in flight any more, and there is no outcome."""
        self.settle(billed=self._lost)
        if self._intended:
            with anyio.CancelScope(shield=True):
                try:
                    await self.buyer.journal.withdraw(self.entry.item, self.entry.state, lost=self._lost)
                except StorageError as exc:
                    self.buyer.stop(exc)

    def _name(self, answer_id: str | None, image: int, images: int, image_format: ImageFormat) -> PurePath:
        stem = self.buyer.template.render(
            self.request, index=self.entry.place, answer_id=answer_id, image=image, images=images
        )
        return stem.with_name(stem.name + EXTENSIONS[image_format])
