"""The `report` and `sheet` commands: how a job went, and all its images as one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import attrs
import typer
from rich.table import Table

from venice_async.errors import MissingExtraError
from venice_async.storage.gallery.figures import Figures, read_figures
from venice_async.storage.shards import open_job
from venice_async.types.statistics import Spread

from .connect import AsJson
from .directory import Directory, say_unread
from .screen import Screen, counted

__all__ = ["report", "sheet"]


def report(directory: Directory, *, as_json: AsJson = False) -> int:
    """Show how a job went: how long answers took, where that time went, failures, spending.

    [bold]venice-async report lighthouse[/]
    """
    screen = Screen()
    found = read_figures(open_job(directory))
    say_unread(screen, directory)
    if as_json:
        screen.records([attrs.asdict(found)])
        return 0
    screen.results.print(_spreads(found))
    rate = "" if found.per_minute is None else f", {found.per_minute:.1f} a minute"
    lost = f", {found.missing} missing" if found.missing else ""
    lost += f", {found.blocked} blocked" if found.blocked else ""
    spent = "not known" if found.spent_usd is None else f"${found.spent_usd:.2f}"
    screen.lines(
        [
            f"images  {found.images} in {counted(found.answers, 'answer')}{rate}{lost}",
            f"spent   {spent}",
            *(f"{group.count:>7} {group.outcome}: {group.message}" for group in found.failures),
        ]
    )
    return 0


def _spreads(found: Figures) -> Table:
    table = Table("", "p50", "p90", "p99", "most", box=None, pad_edge=False, header_style="")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, spread, unit in (
        ("latency", found.latency, "s"),
        ("queue", found.queue, "ms"),
        ("inference", found.inference, "ms"),
    ):
        table.add_row(name, *_cells(spread, unit))
    return table


def _cells(spread: Spread, unit: str) -> list[str]:
    digits = 2 if unit == "s" else 0
    values = (spread.p50, spread.p90, spread.p99, spread.most)
    return ["-" if value is None else f"{value:.{digits}f} {unit}" for value in values]


def sheet(
    directory: Directory,
    *,
    to: Annotated[Path, typer.Option(help="The picture: .png, .webp or .jpg.", show_default=False)],
    rows: Annotated[
        str | None, typer.Option(help="The parameter of the rows, such as prompt.", show_default=False)
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="The parameter of the columns, such as seed.", show_default=False)
    ] = None,
    cell: Annotated[int, typer.Option(help="Pixels of an image's longer side, 32 to 1024.")] = 256,
    force: Annotated[bool, typer.Option("--force", help="Replace the picture that is there.")] = False,
) -> int:
    """Make a labelled contact sheet of a job's images, as one picture.

    [bold]venice-async sheet lighthouse --to lighthouse.png[/]
    """
    screen = Screen()
    try:
        from venice_async.storage.gallery.sheet import write_sheet  # noqa: PLC0415 - needs Pillow
    except ImportError as exc:
        text = 'a sheet needs Pillow: pip install "venice-async[pictures]"'
        raise MissingExtraError(text) from exc
    width, height = write_sheet(directory, to, rows=rows, columns=columns, cell=cell, force=force)
    screen.lines([str(to)])
    screen.say(f"{width} x {height} pixels")
    say_unread(screen, directory)
    return 0
