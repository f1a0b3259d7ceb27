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

from .screen import Live, Screen

__all__ = ["Job", "generate_images", "run_batch", "show_plan", "sum_up", "was_whole"]


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
    of_these = [f"{plan.new} new ({plan.images} images)"]
    of_these += [f"{plan.skipped} there already"] if plan.skipped else []
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
    return 0 if was_whole(report) else 1


def was_whole(report: BatchReport) -> bool:
    """Whether every image is there, and any."""
    lost = report.failed or report.unconfirmed or report.blocked or report.missing
    return bool(report.generated + report.skipped) and not (lost or report.pending or report.stopped)


async def _show(stream: OutcomeStream, screen: Screen, live: Live) -> None:
    with live:
        try:
            async for outcome in stream:
                live.show(outcome, stream.progress)
        except asyncio.CancelledError:
            screen.say("stopping: waiting for what is in flight; Ctrl-C again to abort")
            raise


def sum_up(report: BatchReport, total: int | None, screen: Screen, live: Live, into: Path) -> None:
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
    if report.stopped is not None:
        screen.error(report.stopped)
    if report.pending or report.failed:
        screen.say("the same command again goes on where this one ended")
    if report.unconfirmed:
        screen.say("what is unconfirmed is held; --resend-unconfirmed buys it again")
    if report.blocked:
        screen.say(f"what was blocked cost nothing; `venice-async retry {into} --blocked` sends it again")
    if report.missing:
        again = f"`venice-async redo {into} --missing`"
        screen.say(f"files are gone: {again} buys them again, and --forget wants them no more")


async def _suggest(session: VeniceSession, screen: Screen, report: BatchReport) -> None:
    """Name the nearest model and style where the server did not know the ones that were given."""
    if not report.failed:
        return
    models: set[str] = set()
    presets: set[str] = set()
    async for outcome in report.failures():
        if outcome.request is None:
            continue
        if isinstance(outcome.error, NotFoundError):
            models.add(outcome.request.model)
        elif isinstance(outcome.error, BadRequestError) and "style_preset" in outcome.error.details:
            presets.add(outcome.request.style_preset or "")

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
