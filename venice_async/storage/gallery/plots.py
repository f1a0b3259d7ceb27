"""Numbers as bars: what the page draws of a run."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from attrs import frozen

__all__ = ["Bars", "histogram", "over_time"]

_BARS = 32


@frozen
class Bars:
    """A plot of bars of equal width.

    Attributes:
        counts: The height of each.
        first: Where the first one begins, on the axis.
        width: How far each reaches.
        unit: Of the axis.
    """

    counts: tuple[int, ...]
    first: float
    width: float
    unit: str

    @property
    def tallest(self) -> int:
        """The height of the tallest one, at least 1."""
        return max((1, *self.counts))

    @property
    def last(self) -> float:
        """Where the last one ends."""
        return self.first + self.width * len(self.counts)


def histogram(values: Sequence[float], unit: str) -> Bars:
    """How often values occur, from 0 to beyond the largest."""
    most = max(values, default=0.0) or 1.0
    width = _round(most / _BARS)
    counts = [0] * max(1, ceil(most / width))
    for value in values:
        counts[min(int(value / width), len(counts) - 1)] += 1
    return Bars(tuple(counts), 0.0, width, unit)


def over_time(times: Sequence[float], unit: str) -> Bars:
    """How many events there were, from the first to the last, in seconds from the first."""
    if not times:
        return Bars((0,), 0.0, 1.0, unit)
    began = min(times)
    return histogram([time - began for time in times], unit)


def _round(width: float) -> float:
    """A width that reads well: 1, 2 or 5 times a power of ten, and at least as wide."""
    step = 1e-6
    while True:
        for factor in (1, 2, 5):
            if step * factor >= width:
                return step * factor
        step *= 10
