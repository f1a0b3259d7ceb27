"""The bars that the library means to clear, each a comparison within one run."""

from __future__ import annotations

import statistics
from typing import Literal

from attrs import frozen

from .summary import Results, paired

__all__ = ["BARS", "Bar", "Verdict", "judge"]


@frozen(kw_only=True)
class Bar:
    """A bound on a figure of a row.

    Attributes:
        what: What it says, in words.
        row: The row that is judged.
        figure: The figure.
        against: The row that it is compared with; None for the figure itself.
        how: By their ratio or by their difference.
        at_least: The lower bound, or None.
        at_most: The upper bound, or None.
    """

    what: str
    row: str
    figure: str
    against: str | None = None
    how: Literal["ratio", "difference"] = "ratio"
    at_least: float | None = None
    at_most: float | None = None

    @property
    def bound(self) -> str:
        """The bound as it is printed."""
        return f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:.3g}"


@frozen(kw_only=True)
class Verdict:
    """What became of a bar.

    Attributes:
        bar: Which one.
        value: The median of the repetitions; None where a row is missing.
        least: The least of the repetitions.
        most: The most of them.
    """

    bar: Bar
    value: float | None = None
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the median is within the bound; None where there is none."""
        if self.value is None:
            return None
        if self.bar.at_least is not None:
            return self.value >= self.bar.at_least
        return self.bar.at_most is not None and self.value <= self.bar.at_most

    @property
    def word(self) -> str:
        """The verdict as it is printed."""
        return {True: "met", False: "MISSED", None: "not measured"}[self.met]


def judge(bar: Bar, results: Results) -> Verdict:
    """Compare what was measured with a bar."""
    values = results.values(bar.row, bar.figure)
    if bar.against is None:
        found = list(values.values())
    else:
        found = paired(values, results.values(bar.against, bar.figure), ratio=bar.how == "ratio")
    if not found or {bar.row, bar.against} & results.failures.keys():
        return Verdict(bar=bar)
    return Verdict(bar=bar, value=statistics.median(found), least=min(found), most=max(found))


def _rate(what: str, group: str, against: str, at_least: float) -> Bar:
    """How many times as many images as another client of the group."""
    return Bar(
        what=what,
        row=f"{group}/gather",
        figure="images_per_s",
        against=f"{group}/{against}",
        at_least=at_least,
    )


_JSON, _BINARY = "json-1500k-c16", "binary-1500k-c16"
_FULL, _TLS, _BIG = "json-1500k-c64", "tls-json-1500k-c64", "json-4m-c64"
_LAG, _TINY = "lag-json-1500k-c64", "json-1k-c16"

BARS: tuple[Bar, ...] = (
    _rate("J 1.5 MB c16: gather_generate / httpx", _JSON, "httpx", 6),
    _rate("J 1.5 MB c16: gather_generate / veniceresch", _JSON, "veniceresch", 6),
    _rate("J 1.5 MB c16: gather_generate / aiohttp with gather", _JSON, "aiohttp", 5),
    _rate("J 1.5 MB c16: gather_generate / venice-py", _JSON, "venice-py", 5),
    _rate("J 1.5 MB c16: gather_generate / openai", _JSON, "openai", 7),
    _rate("B 1.5 MB c16: gather_generate / aiohttp with gather", _BINARY, "aiohttp", 1.1),
    _rate("B 1.5 MB c16: gather_generate / venice-py", _BINARY, "venice-py", 1.2),
    _rate("B 1.5 MB c16: gather_generate / httpx", _BINARY, "httpx", 3.5),
    _rate("J 1.5 MB c64: gather_generate / bare aiohttp discarding", _FULL, "discard", 0.75),
    _rate("J 1.5 MB c64: gather_generate / protocol that decodes and writes", _FULL, "limit", 0.7),
    _rate("TLS, J 1.5 MB c64: gather_generate / discard", _TLS, "discard", 0.55),
    Bar(
        what="CPU per GB, J 1.5 MB c16: gather_generate / aiohttp with gather",
        row=f"{_JSON}/gather",
        figure="cpu_s_per_gb",
        against=f"{_JSON}/aiohttp",
        at_most=1 / 3,
    ),
    Bar(
        what="peak memory above idle, J 4 MB c64: gather_generate, MB",
        row=f"{_BIG}/gather",
        figure="peak_mb",
        at_most=56,
    ),
    Bar(
        what="peak memory above idle, J 4 MB c64: gather_generate / aiohttp with gather",
        row=f"{_BIG}/gather",
        figure="peak_mb",
        against=f"{_BIG}/aiohttp",
        at_most=0.2,
    ),
    Bar(
        what="loop lag p99, J 1.5 MB c64: gather_generate, ms",
        row=f"{_LAG}/gather",
        figure="lag_p99_ms",
        at_most=12,
    ),
    Bar(
        what="loop lag p99, J 1.5 MB c64: gather_generate / bare aiohttp discarding",
        row=f"{_LAG}/gather",
        figure="lag_p99_ms",
        against=f"{_LAG}/discard",
        at_most=1 / 3,
    ),
    *(
        Bar(
            what=f"one tiny request: {name} / bare aiohttp discarding",
            row=f"{_TINY}/{row}",
            figure="us_per_request",
            against=f"{_TINY}/discard",
            at_most=2.6,
        )
        for name, row in (("generate", "generate"), ("save", "save"), ("gather_generate", "gather"))
    ),
    Bar(
        what="memory from few requests to most: gather_generate, MB more",
        row="growth/most",
        figure="peak_mb",
        against="growth/10",
        how="difference",
        at_most=5,
    ),
    Bar(
        what="CPU per item from 1,000 requests to most: gather_generate",
        row="growth/most",
        figure="cpu_us_per_request",
        against="growth/1000",
        at_most=1.1,
    ),
    Bar(
        what="the journal, J 200 KB c16: gather_generate / save",
        row="json-200k-c16/gather",
        figure="images_per_s",
        against="json-200k-c16/save",
        at_least=0.9,
    ),
    Bar(
        what="import venice_async / import aiohttp",
        row="import/venice_async",
        figure="milliseconds",
        against="import/aiohttp",
        at_most=1.3,
    ),
    Bar(
        what="four images in one answer / one, bytes per second: gather_generate",
        row="variants/gather-4",
        figure="mb_per_s",
        against="variants/gather-1",
        at_least=0.9,
    ),
)
