"""The `generate` command's work: one batch, shown as it goes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from venice_async.gather import OutcomeStream, stream_generate
from venice_async.session import VeniceSession
from venice_async.types.request import ImageRequest

from .screen import Live, Screen

__all__ = ["generate_images"]


async def generate_images(
    session: VeniceSession,
    screen: Screen,
    requests: list[ImageRequest],
    *,
    into: Path,
    seeds: list[int] | None,
    name: str,
) -> int:
    """Generate the images; the exit code: 0 only if every image is there."""
    async with session:
        stream = stream_generate(session, requests, into=into, seeds=seeds, name=name)
        entered = False
        try:
            async with stream:
                entered = True
                await _show(stream, screen)
        finally:
            if entered:
                for outcome in stream.unread:
                    screen.show(outcome)
                _sum_up(stream, screen, into)
    report = stream.report
    return 0 if report.generated and not (report.failed or report.unconfirmed or report.pending) else 1


async def _show(stream: OutcomeStream, screen: Screen) -> None:
    with Live(screen, stream.progress.total) as live:
        try:
            async for outcome in stream:
                live.show(outcome, stream.progress)
        except asyncio.CancelledError:
            screen.say("stopping: waiting for what is in flight; Ctrl-C again to abort")
            raise


def _sum_up(stream: OutcomeStream, screen: Screen, into: Path) -> None:
    report = stream.report
    counts = [f"{report.generated} of {stream.progress.total} generated"]
    counts += [f"{report.failed} failed"] if report.failed else []
    counts += [f"{report.unconfirmed} unconfirmed (may have been billed)"] if report.unconfirmed else []
    counts += [f"{report.pending} not sent"] if report.pending else []
    screen.say(f"{', '.join(counts)} in {report.elapsed:.1f} s; the images are in {into}")
    if report.stopped is not None:
        screen.error(report.stopped)
