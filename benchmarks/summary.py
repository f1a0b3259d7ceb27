"""From single runs to what is said of them. Pure: numbers in, numbers out.

A ratio is taken between runs of the same repetition, which ran within seconds of each other, and then the
median of those: the noise of a machine changes more slowly than that.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping

from attrs import field, frozen

from .answers import SIZES
from .measure import Reading
from .rows import Row

__all__ = ["FIGURES", "Figure", "Results", "Spread", "figures_of", "paired", "spread"]


@frozen
class Figure:
    """A column: what it is called, and how many decimals it has."""

    title: str
    decimals: int = 0


FIGURES = {
    "images_per_s": Figure("images/s"),
    "mb_per_s": Figure("MB/s"),
    "cpu_s_per_gb": Figure("CPU s/GB", 2),
    "peak_mb": Figure("peak MB", 1),
    "lag_p50_ms": Figure("lag p50, ms", 1),
    "lag_p99_ms": Figure("lag p99, ms", 1),
    "lag_max_ms": Figure("lag max, ms", 1),
    "us_per_request": Figure("us/request"),
    "cpu_us_per_request": Figure("CPU us/request"),
    "seconds": Figure("seconds", 2),
    "milliseconds": Figure("ms"),
}


@frozen
class Spread:
    """The median of some runs, and the least and the most of them."""

    median: float
    least: float
    most: float


def spread(values: Iterable[float]) -> Spread:
    """The spread of at least one value."""
    found = sorted(values)
    return Spread(statistics.median(found), found[0], found[-1])


@frozen
class Results:
    """What was measured.

    Attributes:
        runs: By row and repetition, the figures.
        failures: By row, why there is none or why it does not count.
    """

    runs: dict[str, dict[int, dict[str, float]]] = field(factory=dict)
    failures: dict[str, str] = field(factory=dict)

    def add(self, row: str, repetition: int, figures: Mapping[str, float]) -> None:
        """Take in one run."""
        self.runs.setdefault(row, {})[repetition] = dict(figures)

    def values(self, row: str, figure: str) -> dict[int, float]:
        """A figure of a row, by repetition; empty where it was not measured."""
        return {
            repetition: figures[figure]
            for repetition, figures in self.runs.get(row, {}).items()
            if figure in figures
        }


def paired(left: Mapping[int, float], right: Mapping[int, float], *, ratio: bool = True) -> list[float]:
    """Left over right, or left minus right, for each repetition that has both."""
    both = sorted(left.keys() & right.keys())
    if ratio:
        return [left[each] / right[each] for each in both if right[each]]
    return [left[each] - right[each] for each in both]


def figures_of(row: Row, reading: Reading) -> dict[str, float]:
    """The figures of one run; megabytes and gigabytes are of images, and decimal."""
    assert row.answer is not None
    total = row.requests * SIZES[row.answer.size]
    figures = {
        "images_per_s": row.requests * row.answer.images / reading.seconds,
        "mb_per_s": total / reading.seconds / 1e6,
        "cpu_s_per_gb": reading.processor / total * 1e9,
        "peak_mb": max(0, reading.peak - reading.baseline) / 1e6,
        "baseline_mb": reading.baseline / 1e6,
        "us_per_request": reading.seconds / row.requests * 1e6,
        "cpu_us_per_request": reading.processor / row.requests * 1e6,
        "seconds": reading.seconds,
    }
    lag = {
        "lag_p50_ms": reading.lag_p50,
        "lag_p99_ms": reading.lag_p99,
        "lag_max_ms": reading.lag_max,
    }
    return figures | {name: value for name, value in lag.items() if value is not None}
