"""The `export` command: a job's images as a dataset of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import attrs
import typer

from venice_async.storage.dataset import LayoutName, export_dataset
from venice_async.types.response import ImageFormat

from .connect import AsJson
from .directory import Directory, say_unread
from .screen import Screen, counted

__all__ = ["export"]


def export(
    directory: Directory,
    *,
    layout: Annotated[
        LayoutName, typer.Option("--format", help="What it is written as.", show_default=False)
    ],
    to: Annotated[Path, typer.Option(help="A new directory, or that of this export.", show_default=False)],
    shard_size: Annotated[int, typer.Option(min=1, max=10_000, help="Images of a shard.")] = 1000,
    drop_flagged: Annotated[
        bool, typer.Option("--drop-flagged", help="Leave out what was blurred or flagged.")
    ] = False,
    image_format: Annotated[
        ImageFormat | None,
        typer.Option(help="The only one to take, if there are several.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Write a job's images as a dataset: WebDataset, Parquet or an image folder, in shards. Buys nothing.

    [bold]venice-async export lighthouse --format parquet --to lighthouse-parquet[/]
    """
    screen = Screen()
    found = export_dataset(
        directory, to, layout, shard_size=shard_size, drop_flagged=drop_flagged, image_format=image_format
    )
    if as_json:
        screen.records([{**attrs.asdict(found), "to": str(to)}])
    else:
        screen.lines(f"{finding.verdict}  {finding.path}" for finding in found.left_out)
    left_out = f"; {len(found.left_out):,} left out" if found.left_out else ""
    images, shards = counted(found.images, "image"), counted(found.shards, "shard")
    screen.say(f"{images} in {shards} in {to}{left_out}")
    say_unread(screen, directory)
    return 1 if found.left_out else 0
