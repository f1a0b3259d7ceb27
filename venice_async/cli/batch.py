"""A batch on the command line: planned, carried out, and shown as it goes."""

from __future__ import annotations

import asyncio
import datetime as dt
import difflib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen

from venice_async.errors import BadRequestError, NotFoundError, VeniceError
from venice_async.gather import Duplicates, OutcomeStream, Plan, plan_generate, stream_generate
from venice_async.report import BatchReport
from venice_async.session import VeniceSession
from venice_async.storage.inputs import RequestFile
from venice_async.sweep import Sweep
from venice_async.types.request import ImageRequest

from .screen import Live, Screen, counted
from .stops import exit_code, what_to_do

__all__ = ["Job", "generate_images", "run_batch", "show_plan", "sum_up"]

_EVERY = 0.5  # seconds


@frozen
class Job:
    """What `stream_generate` and `plan_generate` are asked for."""

    what: ImageRequest | Sweep | RequestFile
    into: Path = field(kw_only=True)
    seeds: list[int] | None = field(kw_only=True)
    name: str = field(kw_only=True)
    duplicates: Duplicates = field(kw_only=True)
    extend: bool = field(kw_only=True)

    def arguments(self) -> dict[str, Any]:
        """As keyword arguments."""
        return {name: value for name, value in attrs.asdict(self, recurse=False).items() if name != "what"}


async def show_plan(session: VeniceSession, screen: Screen, job: Job, *, as_json: bool) -> int:
    """Show what would be bought; the exit code."""
    async with session:
        plan = await plan_generate(session, job.what, **job.arguments())
    if as_json:
        screen.records([attrs.asdict(plan)])
    else:
        screen.lines(_worded(plan))
    return 0


def _worded(plan: Plan) -> list[str]:
    of_these = [f"{plan.new} new ({counted(plan.images, 'image')})"]
    of_these += [f"{plan.skipped} there already"] if plan.skipped else []
    of_these += [f"{plan.missing} of them missing a file"] if plan.missing else []
    of_these += [f"{plan.held} held, because they may have been paid for"] if plan.held else []
    of_these += [f"{plan.blocked} blocked by the content policy"] if plan.blocked else []
    of_these += [f"{plan.invalid} invalid"] if plan.invalid else []
    cost = "not known" if plan.cost_usd is None else f"${plan.cost_usd:.2f}"
    spent = f", on top of ${plan.spent_usd:.2f} spent already" if plan.spent_usd else ""
    time = "not known" if plan.seconds is None else str(dt.timedelta(seconds=round(plan.seconds)))
    return [
        f"items  {plan.items}: {', '.join(of_these)}",
        f"cost   {cost}{spent}",
        f"time   {time} at the key's rate limit",
        "nothing was sent",
    ]


async def generate_images(
    session: VeniceSession, screen: Screen, job: Job, options: dict[str, Any], *, as_json: bool
) -> int:
    """Generate the images; the exit code: 0 only if every image is there."""
    async with session:
        stream = stream_generate(session, job.what, **job.arguments(), **options)
        return await run_batch(session, screen, stream, job.into, as_json=as_json)


async def run_batch(
    session: VeniceSession, screen: Screen, stream: OutcomeStream, into: Path, *, as_json: bool
) -> int:
    """Carry out a batch and show it; the exit code: 0 only if every image is there."""
    live = Live(screen, stream.progress.total, as_json=as_json)
    entered = False
    try:
        async with stream:
            entered = True
            await _show(stream, screen, live)
    finally:
        if entered:
            for outcome in stream.unread:
                live.write(outcome)
            sum_up(stream.report, stream.progress.total, screen, live, into)
    report = stream.report
    await _suggest(session, screen, report)
    return exit_code(report)


async def _show(stream: OutcomeStream, screen: Screen, live: Live) -> None:
    async def follow() -> None:
        while True:
            await asyncio.sleep(_EVERY)
            live.advance(stream.progress)

    following = asyncio.create_task(follow())
    with live:
        try:
            async for outcome in stream:
                live.show(outcome, stream.progress)
        except asyncio.CancelledError:
            screen.say("stopping: waiting for what is in flight; Ctrl-C again to abort")
            raise
        finally:
            following.cancel()


def sum_up(
    report: BatchReport, total: int | None, screen: Screen, live: Live, into: Path, *, in_shards: bool = False
) -> None:
    """Say what a batch did, and what to do next."""
    counts = [f"{report.generated} of {'?' if total is None else total} generated"]
    counts += [f"{report.skipped} skipped"] if report.skipped else []
    counts += [f"{report.failed} failed"] if report.failed else []
    counts += [f"{report.unconfirmed} unconfirmed (may have been billed)"] if report.unconfirmed else []
    counts += [f"{report.blocked} blocked by the content policy"] if report.blocked else []
    counts += [f"{report.missing} missing"] if report.missing else []
    counts += [f"{report.pending} not sent"] if report.pending else []
    counts += [f"{live.blurred} blurred by the server's safe mode"] if live.blurred else []
    spent = f" for ${report.spent_usd:.2f}" if report.spent_usd else ""
    where = f"; the images are in {into}" if report.generated or report.skipped else ""
    screen.say(f"{', '.join(counts)}{spent} in {report.elapsed:.1f} s{where}")
    for note in report.notes:
        screen.say(f"note: {note}")
    for model, error in report.stopped_models.items():
        if error is not report.stopped:
            screen.error(f"nothing more was sent for {model}: {error}")
    if report.stopped is not None:
        screen.error(report.stopped)
    for line in what_to_do(report, into, billed=live.billed, in_shards=in_shards):
        screen.say(line)


async def _suggest(session: VeniceSession, screen: Screen, report: BatchReport) -> None:
    """Name what the server has in place of the models and styles that it did not know."""
    models: set[str] = set()
    for model, error in report.stopped_models.items():
        if isinstance(error, NotFoundError) and error.replacement:
            screen.say(f"model {model!r} is gone: --model {error.replacement} takes its place")
        elif isinstance(error, NotFoundError):
            models.add(model)
    presets: set[str] = set()
    if report.failed:
        async for outcome in report.failures():
            error = outcome.error
            if outcome.request is not None and isinstance(error, BadRequestError):
                presets |= {outcome.request.style_preset or ""} if "style_preset" in error.details else set()

    async def model_names() -> tuple[str, ...]:
        return tuple(model.id for model in await session.models())

    await _name_nearest(screen, "model", models, model_names, "models")
    await _name_nearest(screen, "style", presets, session.styles, "styles")


async def _name_nearest(
    screen: Screen,
    what: str,
    given: set[str],
    ask: Callable[[], Awaitable[tuple[str, ...]]],
    command: str,
) -> None:
    if not given:
        return
    with suppress(VeniceError):  # it is only a hint
        known = {name.lower(): name for name in await ask()}
        for name in sorted(given):
            if near := difflib.get_close_matches(name.lower(), known, n=1):
                screen.say(f"{what} {name!r}: did you mean {known[near[0]]!r}?")
        screen.say(f"`venice-async {command}` lists them")
