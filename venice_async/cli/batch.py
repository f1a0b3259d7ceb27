"""The `generate` command's work: one batch, shown as it goes."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from attrs import field, frozen

from venice_async.errors import BadRequestError, NotFoundError, VeniceError
from venice_async.gather import OutcomeStream, stream_generate
from venice_async.report import BatchReport
from venice_async.session import VeniceSession
from venice_async.types.request import ImageRequest

from .screen import Live, Screen

__all__ = ["Job", "generate_images"]


@frozen
class Job:
    """What `stream_generate` is asked for, and how it is shown."""

    requests: list[ImageRequest]
    into: Path = field(kw_only=True)
    seeds: list[int] | None = field(kw_only=True)
    name: str = field(kw_only=True)
    max_failures: float | None = field(kw_only=True)
    as_json: bool = field(kw_only=True)


async def generate_images(session: VeniceSession, screen: Screen, job: Job) -> int:
    """Generate the images; the exit code: 0 only if every image is there."""
    async with session:
        stream = stream_generate(
            session,
            job.requests,
            into=job.into,
            seeds=job.seeds,
            name=job.name,
            max_failures=job.max_failures,
        )
        live = Live(screen, stream.progress.total, as_json=job.as_json)
        entered = False
        try:
            async with stream:
                entered = True
                await _show(stream, screen, live)
        finally:
            if entered:
                for outcome in stream.unread:
                    live.write(outcome)
                _sum_up(stream, screen, live, job.into)
        report = stream.report
        await _suggest(session, screen, report)
    return 0 if report.generated and not (report.failed or report.unconfirmed or report.pending) else 1


async def _show(stream: OutcomeStream, screen: Screen, live: Live) -> None:
    with live:
        try:
            async for outcome in stream:
                live.show(outcome, stream.progress)
        except asyncio.CancelledError:
            screen.say("stopping: waiting for what is in flight; Ctrl-C again to abort")
            raise


def _sum_up(stream: OutcomeStream, screen: Screen, live: Live, into: Path) -> None:
    report = stream.report
    counts = [f"{report.generated} of {stream.progress.total} generated"]
    counts += [f"{report.failed} failed"] if report.failed else []
    counts += [f"{report.unconfirmed} unconfirmed (may have been billed)"] if report.unconfirmed else []
    counts += [f"{report.pending} not sent"] if report.pending else []
    counts += [f"{live.blurred} blurred by the server's safe mode"] if live.blurred else []
    where = f"; the images are in {into}" if report.generated else ""
    screen.say(f"{', '.join(counts)} in {report.elapsed:.1f} s{where}")
    if report.stopped is not None:
        screen.error(report.stopped)


async def _suggest(session: VeniceSession, screen: Screen, report: BatchReport) -> None:
    """Name the nearest model and style where the server did not know the ones that were given."""
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
