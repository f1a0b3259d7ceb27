"""The calls that wait, a line for each model, and whose turn is next.

1. The larger priority goes first; of the same one, retries before new calls, then who came first.
2. Nobody is overtaken for good: seven calls in a row may go before the one that has waited longest, the
   eighth turn is its own.
3. Where the first of a line needs more permits than there are, those of its priority that need fewer may go
   before it, seven in a row at most.
4. The eighth turn is kept: until that call has gone, nobody else does who waits for the same model.
5. A call that has given up stays in its line until its turn would come; most of a line never has given up.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from attrs import define, field, frozen

if TYPE_CHECKING:
    from .admission import Admission

__all__ = ["Lines", "Waiting"]

K = TypeVar("K")

_OVERTAKEN = 7
_LET_BE = 64


def _turn() -> asyncio.Future[Admission]:
    return asyncio.get_running_loop().create_future()


@frozen(eq=False)
class Waiting:
    """A call that waits; when it waits again, it is another one with the same arrival.

    Attributes:
        model: Whose permits it waits for.
        units: Permits that it needs, one for each image.
        priority: The larger one goes first.
        again: Whether it is a retry.
        arrival: The smaller one came first; no two are the same.
        turn: Brings the admission.
        deadline: When it gives up, on the event loop's clock; None for never.
        refusable: Whether it counts for the most calls that may wait.
    """

    model: str
    units: int = field(default=1, kw_only=True)
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


def _rank(call: Waiting) -> tuple[int, bool, int]:
    return call.rank


def _those_who_wait(heap: list[tuple[K, int, Waiting]]) -> list[tuple[K, int, Waiting]]:
    found = [entry for entry in heap if not entry[2].turn.done()]
    heapify(found)
    return found


@define
class _Line:
    """The calls that wait for one model."""

    # The number in the middle tells a call that waits again from its earlier self.
    by_rank: dict[int, list[tuple[tuple[int, bool, int], int, Waiting]]] = field(factory=dict)  # by permits
    by_age: list[tuple[int, int, Waiting]] = field(factory=list)
    entries: Iterator[int] = field(factory=count)
    waiting: Counter[int] = field(factory=Counter)  # permits, by priority
    number: int = 0
    overtaken: int = 0  # the first one, in a row
    keeps_turn: Waiting | None = None

    def add(self, call: Waiting) -> None:
        if len(self.by_age) > _LET_BE + 2 * self.number:
            self.by_age = _those_who_wait(self.by_age)
            self.by_rank = {units: _those_who_wait(heap) for units, heap in self.by_rank.items()}
        entry = next(self.entries)
        heappush(self.by_rank.setdefault(call.units, []), (call.rank, entry, call))
        heappush(self.by_age, (call.arrival, entry, call))

    def change(self, call: Waiting, by: int) -> None:
        self.number += by
        self.waiting[call.priority] += by * call.units

    def first(self) -> Waiting | None:
        if self.keeps_turn is not None and not self.keeps_turn.turn.done():
            return self.keeps_turn
        self.keeps_turn = None
        if len(self.by_rank) == 1:
            return next(self.firsts(), None)
        return min(self.firsts(), key=_rank, default=None)

    def firsts(self) -> Iterator[Waiting]:
        """The first of those that need one permit, of those that need two, and so on."""
        for heap in self.by_rank.values():
            while heap and heap[0][2].turn.done():
                heappop(heap)
            if heap:
                yield heap[0][2]

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

    def firsts(self) -> Iterator[Waiting]:
        """Who would be next, of each model."""
        yield from filter(None, (line.first() for line in self._lines.values()))

    @property
    def models(self) -> list[str]:
        """The models that calls wait for."""
        return [model for model in self._lines if model in self]

    def ahead(self, call: Waiting) -> int:
        """Permits that wait for the same model with the same or a larger priority, its own included."""
        line = self._lines[call.model]
        return sum(number for priority, number in line.waiting.items() if priority >= call.priority)

    def join(self, call: Waiting) -> None:
        """A call begins to wait."""
        line = self._lines.get(call.model)
        if line is None:
            line = self._lines[call.model] = _Line()
        line.add(call)
        self._count(line, call, 1)

    def go(self, call: Waiting) -> None:
        """A call's turn has come."""
        line = self._lines[call.model]
        line.overtaken = 0 if call is line.first() else line.overtaken + 1
        self.leave(call)

    def leave(self, call: Waiting) -> None:
        """A call waits no longer: its turn has come, or is cancelled."""
        line = self._lines[call.model]
        self._count(line, call, -1)
        if not line.number:
            del self._lines[call.model]

    def next(self, ready: Iterable[Waiting]) -> Waiting:
        """Whose turn is next.

        Args:
            ready: Who may go, at most one of each model, and one at least. Where it is the turn of who has
                waited longest for one of these models, that one comes back, ready or not.
        """
        ready = list(ready)
        lines = (self._lines[call.model] for call in ready)
        first = min(ready, key=_rank)
        oldest = min(filter(None, (line.oldest() for line in lines)), key=lambda call: call.arrival)
        self._overtaken = 0 if first is oldest else self._overtaken + 1
        if self._overtaken > _OVERTAKEN:
            self._overtaken = 0
            return oldest
        return first

    def keep_turn(self, call: Waiting) -> None:
        """It is the turn of a call that cannot go yet: nobody else of its model has one before."""
        self._lines[call.model].keeps_turn = call

    def smaller(self, model: str) -> list[Waiting]:
        """Who may go before the first that waits for a model, if they can and it cannot."""
        line = self._lines[model]
        first = line.first()
        if first is None or first is line.keeps_turn or line.overtaken >= _OVERTAKEN:
            return []
        found = (call for call in line.firsts() if call.units < first.units)
        return sorted((call for call in found if call.priority == first.priority), key=_rank)

    def first(self, model: str) -> Waiting | None:
        """Who would be next of those who wait for a model; None where nobody does."""
        line = self._lines.get(model)
        return None if line is None else line.first()

    def _count(self, line: _Line, call: Waiting, by: int) -> None:
        line.change(call, by)
        self.number += by
        self.refusable += by * call.refusable
