"""When a command ends before its end: its options, its exit code, and what it says is to be done.

1. The exit codes stand here, and nowhere else.
2. What is said to work is what works: the same command resumes only what it would send.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from venice_async.errors import (
    ConfigurationError,
    MissingExtraError,
    NotFoundError,
    TooManyFailuresError,
    ValidationError,
    VeniceError,
)
from venice_async.policy.scope import passes
from venice_async.report import BatchReport

__all__ = [
    "INCOMPLETE",
    "INTERRUPTED",
    "NOT_NOW",
    "USAGE",
    "WHOLE",
    "MaxRefusals",
    "MaxUnusable",
    "MaxWait",
    "exit_code",
    "exit_code_of",
    "seconds_from",
    "what_to_do",
]

WHOLE = 0
"""Every image is there."""
INCOMPLETE = 1
"""Not every image is there, or something else went wrong."""
USAGE = 2
"""The command was called in a wrong way: nothing was sent."""
NOT_NOW = 75
"""What stopped it passes by itself: the same command later resumes (EX_TEMPFAIL)."""
INTERRUPTED = 130
"""Stopped by Ctrl-C, SIGTERM or SIGHUP."""

_FINAL = (NotFoundError, TooManyFailuresError)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")

MaxWait = Annotated[
    str,
    typer.Option(help="Wait for no limit, model or server longer than this, such as 90s, 10m, 24h; or none."),
]
MaxUnusable = Annotated[
    int, typer.Option(min=0, help="Stop after so many answers in a row that are not images; 0: never.")
]
MaxRefusals = Annotated[
    int, typer.Option(min=0, help="Stop a model after so many like refusals at its beginning; 0: never.")
]


def seconds_from(text: str) -> float | None:
    """The seconds that `10m`, `24h` or a bare number say; None for `none`.

    Raises:
        ConfigurationError: It says no such thing.
    """
    if text.strip().lower() == "none":
        return None
    found = _SECONDS.fullmatch(text.strip().lower())
    seconds = float(found[1]) * _UNITS[found[2]] if found else math.inf
    if not math.isfinite(seconds):
        raise ConfigurationError(f"--max-wait {text}: expected seconds, 10m, 24h or none")
    return seconds


def exit_code(report: BatchReport) -> int:
    """The exit code of a batch: 0 only if every image is there, and any."""
    lost = report.failed or report.unconfirmed or report.blocked or report.missing or report.pending
    stopped = _stopped(report)
    if report.generated + report.skipped and not lost and not stopped:
        return WHOLE
    return NOT_NOW if stopped and all(map(passes, stopped)) else INCOMPLETE


def exit_code_of(error: VeniceError) -> int:
    """The exit code of a command that has ended with an error."""
    if isinstance(error, ConfigurationError | ValidationError) and not isinstance(error, MissingExtraError):
        return USAGE
    return NOT_NOW if passes(error) else INCOMPLETE


def _stopped(report: BatchReport) -> list[VeniceError]:
    return [*report.stopped_models.values(), *([] if report.stopped is None else [report.stopped])]


def what_to_do(report: BatchReport, into: Path, *, billed: int, in_shards: bool = False) -> Iterator[str]:
    """What a person may do about what is not there, a line each.

    Args:
        report: What the batch did.
        into: Its directory.
        billed: How many of the failed items were paid for.
        in_shards: Whether each shard of the job has a directory of its own, with its own journal.
    """
    stopped, directory = _stopped(report), shlex.quote(str(into / "SHARD" if in_shards else into))
    if report.pending or (report.pending is None and stopped):
        if not stopped:
            yield "the same command resumes where this one ended"
        elif all(map(passes, stopped)):
            yield "the same command resumes later, where this one ended"
        elif any(isinstance(error, _FINAL) for error in report.stopped_models.values()):
            yield "the same command would meet the same: another model or request is another job (--extend)"
        else:
            yield "once that is mended, the same command resumes where this one ended"
    refused = any(isinstance(error, TooManyFailuresError) for error in report.stopped_models.values())
    if report.failed > billed and not refused:
        yield "the same command sends again what failed at no cost"
    held = {"--billed": billed, "--blocked": report.blocked, "--unconfirmed": report.unconfirmed}
    if options := " ".join(option for option, number in held.items() if number):
        yield f"`venice-async retry {directory} {options}` sends again what is held"
    if report.missing:
        redo = f"`venice-async redo {directory} --missing`"
        yield f"{redo} buys again what is gone; with --forget it is missed no more"
    if in_shards and (options or report.missing):
        yield "SHARD stands for the folder of a shard, such as 00000"
