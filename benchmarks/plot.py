"""The plot: images per second, and memory at its peak, by client.

Text stays text and the background is transparent, in tones that can be read on white and on black.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from attrs import frozen
from matplotlib.figure import Figure

from .clients import CLIENTS
from .summary import Results, Spread, spread

__all__ = ["draw"]

_TEXT = "#7d8590"
_PEER = "#8b949e"
_BOUND = "#5b8dc9"  # what bounds the others: the discarding loop and the protocol
_OURS = "#e8743b"
_WIDTH, _LINE, _AROUND = 9.0, 0.27, 0.75  # inches


@frozen(kw_only=True)
class _Panel:
    """One set of bars."""

    title: str
    group: str
    figure: str
    clients: tuple[str, ...]
    more_is_better: bool


_PEERS = ("aiohttp", "venice-py", "httpx", "veniceresch", "openai", "requests")
_PANELS = (
    _Panel(
        title="images a second: JSON, 1.5 MB each, 16 in flight (more is better)",
        group="json-1500k-c16",
        figure="images_per_s",
        clients=("discard", "limit", "gather-uvloop", "gather", *_PEERS),
        more_is_better=True,
    ),
    _Panel(
        title="memory at its peak above idle, in MB: JSON, 4 MB each, 64 in flight (less is better)",
        group="json-4m-c64",
        figure="peak_mb",
        clients=("gather", *_PEERS),
        more_is_better=False,
    ),
)


def draw(results: Results) -> str | None:
    """The plot as SVG; None where nothing of it was measured."""
    panels = [(panel, bars) for panel in _PANELS if (bars := _bars(panel, results))]
    if not panels:
        return None
    lines = [len(bars) for _, bars in panels]
    settings = {"svg.fonttype": "none", "svg.hashsalt": "benchmarks", "font.family": "sans-serif"}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(_WIDTH, _LINE * sum(lines) + _AROUND * len(lines)), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.08)
        grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=lines)
        for axes, (panel, bars) in zip(grid[:, 0], panels, strict=True):
            _draw_panel(axes, panel, bars)
        out = io.StringIO()
        # Without a date, the same numbers give the same file.
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return out.getvalue()


def _bars(panel: _Panel, results: Results) -> list[tuple[str, Spread]]:
    """Clients and what was measured of them, the best first."""
    found = []
    for client in panel.clients:
        key = f"{panel.group}/{client}"
        values = results.values(key, panel.figure)
        if values and key not in results.failures:
            found.append((client, spread(values.values())))
    return sorted(found, key=lambda bar: bar[1].median, reverse=panel.more_is_better)


def _draw_panel(axes: Any, panel: _Panel, bars: Sequence[tuple[str, Spread]]) -> None:
    places = range(len(bars))
    medians = [found.median for _, found in bars]
    errors = [
        [found.median - found.least for _, found in bars],
        [found.most - found.median for _, found in bars],
    ]
    axes.barh(places, medians, height=0.68, color=[_color(client) for client, _ in bars])
    axes.errorbar(medians, places, xerr=errors, fmt="none", ecolor=_TEXT, elinewidth=1)
    reach = max(found.most for _, found in bars)
    for place, (_, found) in zip(places, bars, strict=True):
        label = f"{found.median:.0f}"
        axes.text(found.most + reach * 0.012, place, label, va="center", color=_TEXT, fontsize=9)
    axes.set_yticks(places, [CLIENTS[client].title for client, _ in bars])
    axes.set_title(panel.title, loc="left", color=_TEXT, fontsize=10)
    axes.set_xlim(0, reach * 1.1)
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.tick_params(colors=_TEXT, length=0, labelsize=9)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _color(client: str) -> str:
    if CLIENTS[client].ours:
        return _OURS
    return _BOUND if client in {"discard", "limit"} else _PEER
