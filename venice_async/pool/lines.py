"""The calls that wait, a line for each model, and whose turn is next.

1. The larger priority goes first; of the same one, retries before new calls, then who came first.
2. Nobody is overtaken for good: seven calls in a row may go before the one that has waited longest, the
   eighth turn is its own.
3. A call that has given up stays in its line until its turn would come; most of a line never has given up.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from attrs import define, field, frozen

if TYPE_CHECKING:
    from .admission import Admission

__all__ = ["Lines", "Waiting"]

_OVERTAKEN = 7
_LET_BE = 64


def _turn() -> asyncio.Future[Admission]:
    return asyncio.get_running_loop().create_future()


@frozen(eq=False)
class Waiting:
    """A call that waits; when it waits again, it is another one with the same arrival.

    Attributes:
        model: Whose permit it waits for.
        priority: The larger one goes first.
        again: Whether it is a retry.
        arrival: The smaller one came first; no two are the same.
        turn: Brings the admission.
        deadline: When it gives up, on the event loop's clock; None for never.
        refusable: Whether it counts for the most calls that may wait.
    """

    model: str
    priority: int = field(kw_only=True)
    again: bool = field(kw_only=True)
    arrival: int = field(kw_only=True)
    deadline: float | None = field(kw_only=True)
    refusable: bool = field(kw_only=True)
    turn: asyncio.Future[Admission] = field(init=False, factory=_turn)

    @property
    def rank(self) -> tuple[int, bool, int]:
        """The smallest goes first."""
        return (-self.priority, not self.again, self.arrival)


@define
class _Line:
    """The calls that wait for one model."""

    # The number in the middle tells a call that waits again from its earlier self.
    by_rank: list[tuple[tuple[int, bool, int], int, Waiting]] = field(factory=list)
    by_age: list[tuple[int, int, Waiting]] = field(factory=list)
    entries: Iterator[int] = field(factory=count)
    waiting: Counter[int] = field(factory=Counter)  # by priority
    number: int = 0

    def add(self, call: Waiting) -> None:
        if len(self.by_age) > _LET_BE + 2 * self.number:
            self.by_rank = [entry for entry in self.by_rank if not entry[2].turn.done()]
            self.by_age = [entry for entry in self.by_age if not entry[2].turn.done()]
            heapify(self.by_rank)
            heapify(self.by_age)
        entry = next(self.entries)
        heappush(self.by_rank, (call.rank, entry, call))
        heappush(self.by_age, (call.arrival, entry, call))

    def change(self, call: Waiting, by: int) -> None:
        self.number += by
        self.waiting[call.priority] += by

    def first(self) -> Waiting | None:
        while self.by_rank and self.by_rank[0][2].turn.done():
            heappop(self.by_rank)
        return self.by_rank[0][2] if self.by_rank else None

    def oldest(self) -> Waiting | None:
        while self.by_age and self.by_age[0][2].turn.done():
            heappop(self.by_age)
        return self.by_age[0][2] if self.by_age else None


class Lines:
    """All the calls that wait.

    Attributes:
        number: How many there are.
        refusable: How many of them count for the most that may wait.
    """

    def __init__(self) -> None:
        self.number = self.refusable = 0
        self._lines: dict[str, _Line] = {}
        self._overtaken = 0

    def __iter__(self) -> Iterator[Waiting]:
        """Every call that waits, in no order."""
        for line in self._lines.values():
            yield from (call for *_, call in line.by_age if not call.turn.done())

    def __contains__(self, model: str) -> bool:
        """Whether anybody waits for a model."""
        return self.first(model) is not None

    @property
    def models(self) -> list[str]:
        """The models that calls wait for."""
        return [model for model in self._lines if model in self]

    def ahead(self, call: Waiting) -> int:
        """How many wait for the same model with the same or a larger priority, itself included."""
        line = self._lines[call.model]
        return sum(number for priority, number in line.waiting.items() if priority >= call.priority)

    def join(self, call: Waiting) -> None:
        """A call begins to wait."""
        line = self._lines.get(call.model)
        if line is None:
            line = self._lines[call.model] = _Line()
        line.add(call)
        self._count(line, call, 1)

    def leave(self, call: Waiting) -> None:
        """A call waits no longer: its turn has come, or is cancelled."""
        line = self._lines[call.model]
        self._count(line, call, -1)
        if not line.number:
            del self._lines[call.model]

    def next(self, models: Iterable[str]) -> Waiting:
        """Whose turn is next, of those who wait for some models; somebody waits for each of them."""
        lines = [self._lines[model] for model in models]
        first = min(filter(None, (line.first() for line in lines)), key=lambda call: call.rank)
        oldest = min(filter(None, (line.oldest() for line in lines)), key=lambda call: call.arrival)
        self._overtaken = 0 if first is oldest else self._overtaken + 1
        if self._overtaken > _OVERTAKEN:
            self._overtaken = 0
            return oldest
        return first

    def first(self, model: str) -> Waiting | None:
        """Who would be next of those who wait for a model; None where nobody does."""
        line = self._lines.get(model)
        return None if line is None else line.first()

    def _count(self, line: _Line, call: Waiting, by: int) -> None:
        line.change(call, by)
        self.number += by
        self.refusable += by * call.refusable
