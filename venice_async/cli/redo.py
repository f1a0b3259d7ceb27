"""The `redo` command: images of a job that are bought again, or wanted no more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from venice_async.gather import stream_redo
from venice_async.gather.options import MAX_REFUSALS, MAX_UNUSABLE
from venice_async.session import VeniceSession
from venice_async.storage.journal import forget

from .batch import run_batch
from .connect import AsJson, BaseUrl, UseSandbox, connected
from .directory import Directory
from .options import BudgetUsd, rate_limit_from
from .screen import Screen
from .signals import run_until_signalled
from .stops import MaxRefusals, MaxUnusable, MaxWait, seconds_from

__all__ = ["redo"]


def redo(
    directory: Directory,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Of its images, those to buy again.", metavar="[FILE...]", show_default=False),
    ] = None,
    *,
    missing: Annotated[
        bool, typer.Option("--missing", help="Those of which a file is gone as well.")
    ] = False,
    new_seed: Annotated[bool, typer.Option("--new-seed", help="With another seed.")] = False,
    wanted_no_more: Annotated[
        bool, typer.Option("--forget", help="Buy nothing: what is gone is not missed any more.")
    ] = False,
    concurrency: Annotated[int, typer.Option(min=1, help="Requests in flight at once.")] = 16,
    per_minute: Annotated[
        int | None,
        typer.Option(min=0, help="Images a minute and model; 0 for no limit.", show_default=False),
    ] = None,
    budget_usd: BudgetUsd = None,
    max_unusable: MaxUnusable = MAX_UNUSABLE,
    max_refusals: MaxRefusals = MAX_REFUSALS,
    max_wait: MaxWait = "10m",
    as_json: AsJson = False,
    sandbox: UseSandbox = False,
    base_url: BaseUrl = None,
) -> int:
    """Buy images of a job again, those that are gone or those that are named; the old ones are set aside.

    An answer with several variants is bought again as a whole.

    [bold]venice-async redo lighthouse --missing[/]
    """
    screen = Screen()
    named, longest = files or [], seconds_from(max_wait)
    if wanted_no_more:
        forgotten = len(forget(directory, named, missing=missing))
        screen.say("1 file is missed no more" if forgotten == 1 else f"{forgotten} files are missed no more")
        return 0

    async def work(session: VeniceSession) -> int:
        async with session:
            stream = await stream_redo(
                session,
                directory,
                files=named,
                missing=missing,
                new_seed=new_seed,
                budget_usd=budget_usd,
                max_unusable=max_unusable,
                max_refusals=max_refusals,
                max_wait=longest,
            )
            if stream.progress.total == 0:
                screen.say("nothing is missing")
                return 0
            return await run_batch(session, screen, stream, directory, as_json=as_json)

    how = {"concurrency": concurrency, "rate_limit": rate_limit_from(per_minute)}
    with connected(sandbox=sandbox, base_url=base_url, **how) as session:
        return run_until_signalled(work(session))
