"""The tables, as fixed-width text and as Markdown, and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from attrs import frozen

from .bars import Verdict
from .rows import Group, Row
from .summary import FIGURES, Results, paired, spread

__all__ = ["Table", "bars_table", "group_table", "to_json", "to_markdown", "to_text"]


@frozen
class Table:
    """A title, the head, and the lines; the first column is text, the others are numbers."""

    title: str
    head: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def to_text(table: Table) -> str:
    """Columns of fixed width."""
    rows = [table.head, *table.lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    lines = [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in rows
    ]
    return "\n".join([table.title, "", *lines, *(f"({note})" for note in table.notes)]) + "\n"


def to_markdown(table: Table) -> str:
    """A Markdown table below its title."""
    ruler = ["---", *["--:"] * (len(table.head) - 1)]
    rows = [f"| {' | '.join(row)} |" for row in (table.head, *table.lines)]
    lines = [rows[0], f"|{'|'.join(ruler)}|", *rows[1:]]
    notes = [f"\n{note}" for note in table.notes]
    return "\n".join([f"### {table.title}", "", *lines, *notes]) + "\n"


def group_table(group: Group, results: Results) -> Table:
    """The rows of a group: medians, least and most, and how many times the reference they are."""
    reference = next((row for row in group.rows if row.name == group.reference), None)
    beside = reference is not None and reference.key in results.runs
    head = ["client", *(FIGURES[name].title for name in group.figures)]
    if beside:
        head.append(f"{FIGURES[group.figures[0]].title} / {group.reference}'s")
    lines, notes = [], []
    for row in group.rows:
        if row.key in results.failures:
            notes.append(f"{row.title}: {results.failures[row.key]}")
        if row.key not in results.runs:
            continue
        cells = [_cell(results, row, name) for name in group.figures]
        if beside:
            cells.append(_ratio(results, row, reference, group.figures[0]))
        lines.append((row.title, *cells))
    return Table(group.title, tuple(head), tuple(lines), tuple(notes))


def _cell(results: Results, row: Row, figure: str) -> str:
    found = spread(results.values(row.key, figure).values())
    texts = [f"{value:.{FIGURES[figure].decimals}f}" for value in (found.median, found.least, found.most)]
    return texts[0] if texts[1] == texts[2] else "{} ({}-{})".format(*texts)


def _ratio(results: Results, row: Row, reference: Row | None, figure: str) -> str:
    if reference is None or row.key == reference.key:
        return "1"
    ratios = paired(results.values(row.key, figure), results.values(reference.key, figure))
    return f"{spread(ratios).median:.2f}" if ratios else ""


def bars_table(verdicts: Iterable[Verdict]) -> Table:
    """Every bar that was measured, and a note on how many were not."""
    verdicts = list(verdicts)
    lines = []
    for verdict in verdicts:
        if verdict.value is None or verdict.least is None or verdict.most is None:
            continue
        value = f"{verdict.value:.2f} ({verdict.least:.2f}-{verdict.most:.2f})"
        lines.append((verdict.bar.what, verdict.bar.bound, value, verdict.word))
    missing = len(verdicts) - len(lines)
    notes = (f"{missing} of {len(verdicts)} bars were not measured",) if missing else ()
    return Table("Bars", ("what", "bar", "measured", "verdict"), tuple(lines), notes)


def to_json(
    groups: Iterable[Group], results: Results, verdicts: Iterable[Verdict], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything: on what, every single run, their medians, and the bars."""
    rows = {row.key: row for group in groups for row in group.rows}
    return {
        **about,
        "rows": [
            {
                "row": key,
                "requests": rows[key].requests,
                "runs": [{"repetition": number, **figures} for number, figures in sorted(runs.items())],
                "summary": {
                    name: attrs.asdict(spread(results.values(key, name).values()))
                    for name in next(iter(runs.values()))
                },
            }
            for key, runs in results.runs.items()
        ],
        "failures": results.failures,
        "bars": [
            {**attrs.asdict(verdict), "met": verdict.met} for verdict in verdicts if verdict.value is not None
        ],
    }
