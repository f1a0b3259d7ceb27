"""One item while it is bought: the attempts at it, and what they have cost."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from anyio.lowlevel import checkpoint_if_cancelled
from attrs import define, field

from venice_async.errors import StorageError, UnconfirmedError, VeniceError
from venice_async.policy.budget import refund_of
from venice_async.policy.outage import ItemRetries
from venice_async.policy.retry import was_billed
from venice_async.pool import Halt
from venice_async.storage.files import EXTENSIONS
from venice_async.storage.journal import Entry, PurchaseSink
from venice_async.types.request import ImageRequest
from venice_async.types.response import ImageFormat

if TYPE_CHECKING:
    from .buyer import Buyer

__all__ = ["Purchase"]


@define
class Purchase:
    """One item while it is bought.

    Args:
        buyer: Who buys it.
        place: Its place in the input.
        given: What was asked for.
        request: The same with its seed.
        cost: Millionths of a US dollar, or None.
        entry: What the journal knew of it; None: nothing, and the first intent enters it as well.

    Attributes:
        sent: Whether an attempt is, or may be, in flight.
    """

    buyer: Buyer
    place: int
    given: ImageRequest
    request: ImageRequest
    cost: int | None
    entry: Entry | None = None
    sent: bool = field(init=False, default=False)
    _reserved: bool = field(init=False, default=False)
    _intended: bool = field(init=False, default=False)
    _lost: bool = field(init=False, default=False)
    _sink: PurchaseSink | None = field(init=False, default=None)
    _retries: ItemRetries = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._retries = ItemRetries(self.buyer.session.retry, self.buyer.waiting.max_wait)

    @property
    def halt(self) -> Halt:
        """What ends its waiting: the end of the batch, or of its model."""
        return self.buyer.stops.halt_of(self.request.model)

    def wait(self, error: VeniceError, attempts: int, /, *, random: float) -> float | None:
        """Seconds until the next attempt; None for no more."""
        seconds = self._retries.wait(error, attempts, random=random)
        if seconds is not None:
            self.buyer.waiting.retries(self.request.model, error, seconds)
        return seconds

    @property
    def whole(self) -> bool:
        """Whether all images are on disk, whatever became of their record."""
        return self._sink is not None and self._sink.whole

    @property
    def refund(self) -> int:
        """Of the cost, what the answer to the last attempt shows not to have been billed."""
        head: Mapping[str, Any] = {} if self._sink is None else self._sink.head
        return refund_of(self.request, head)

    async def before_send(self) -> None:
        """Set the cost aside and record the intent."""
        self.sent = False
        self.halt.check()
        await self._reserve()
        if (gate := self.buyer.gate) is not None:
            await gate(self.buyer.budget.spent + self.buyer.budget.reserved)
        with anyio.CancelScope(shield=True):
            self._sink = await self._intend()
        try:
            await checkpoint_if_cancelled()  # the end may have come meanwhile
            self.halt.check()
        except BaseException:
            await self.open_sink().discard()
            raise
        self.sent = True

    async def enter(self) -> Entry:
        """What the journal knows of it, from now on at the latest."""
        if self.entry is None:
            self.entry = await self.buyer.journal.enter(self.place, self.given, keep_duplicates=True)
        return self.entry

    async def _intend(self) -> PurchaseSink:
        buyer, journal = self.buyer, self.buyer.journal
        terms = (self.request.seed, self.cost or 0)
        if self.entry is None:
            self.entry, part, error = await journal.enter_and_intend(self.place, self.given, *terms)
            self._intended = True
            if error is not None:
                raise error
        else:
            self._intended = True
            part = await journal.intend(self.entry.item, *terms, lost=self._lost)
        self._lost = False
        return PurchaseSink(
            buyer.session.writer,
            journal,
            self.entry.item,
            *part,
            self._name,
            buyer.check,
            partial(refund_of, self.request),
            buyer.session.flush_bytes,
        )

    def open_sink(self) -> PurchaseSink:
        """The sink of the attempt that is about to be sent."""
        assert self._sink is not None  # noqa: S101 - `before_send` has made it
        return self._sink

    async def after_failure(self, error: VeniceError) -> None:
        """What is not in flight any more is no purchase, unless it may have been billed."""
        self.buyer.waiting.failed(error)
        self._lost = isinstance(error, UnconfirmedError) or was_billed(error)
        self.settle(billed=self._lost, refund=self.refund if was_billed(error) else 0)
        if not self._lost:
            self.sent = False
            entry = await self.enter()
            await self.buyer.journal.withdraw(entry.item, entry.state, lost=False)

    async def _reserve(self) -> None:
        """Set the cost aside; wait while what is in flight may use up what is left."""
        buyer = self.buyer
        if not buyer.budget.reserve(self.cost, self.request.model):
            with self.halt.ending():
                await buyer.settled.wait()
                while not buyer.budget.reserve(self.cost, self.request.model):
                    await buyer.settled.wait()
        self._reserved = True

    def settle(self, *, billed: bool, refund: int = 0) -> None:
        """The attempt that the cost was set aside for is over."""
        if self._reserved:
            self._reserved = False
            self.buyer.budget.settle(self.cost, billed=billed, refund=refund)
            settled, self.buyer.settled = self.buyer.settled, anyio.Event()
            settled.set()

    async def withdraw(self) -> None:
        """Nothing is in flight any more, and there is no outcome."""
        with anyio.CancelScope(shield=True):
            self.settle(billed=self._lost)
            if self._intended:
                try:
                    entry = await self.enter()
                    await self.buyer.journal.withdraw(entry.item, entry.state, lost=self._lost)
                except StorageError as exc:
                    self.buyer.stop(exc)

    def _name(self, answer_id: str | None, image: int, images: int, image_format: ImageFormat) -> str:
        stem = self.buyer.template.render(
            self.request, index=self.place, answer_id=answer_id, image=image, images=images
        )
        return stem + EXTENSIONS[image_format]
