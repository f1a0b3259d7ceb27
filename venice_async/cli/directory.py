"""The `status`, `verify` and `retry` commands: what became of a job, from its directory."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import attrs
import typer

from venice_async.gather import stream_retry
from venice_async.gather.options import MAX_REFUSALS, MAX_UNUSABLE
from venice_async.gather.waiting import local_time
from venice_async.policy.retry import RetryPolicy
from venice_async.session import VeniceSession
from venice_async.storage.journal import JournalStatus
from venice_async.storage.shards import ShardedReader, ShardedStatus, audit_job, open_job

from .batch import run_batch
from .connect import AsJson, BaseUrl, UseSandbox, connected
from .options import BudgetUsd, rate_limit_from
from .screen import Screen, counted
from .signals import run_until_signalled
from .stops import MaxRefusals, MaxUnusable, MaxWait, seconds_from

__all__ = ["Directory", "retry", "say_unread", "status", "verify"]

Directory = Annotated[Path, typer.Argument(help="The directory of the job.", show_default=False)]


def status(directory: Directory, *, as_json: AsJson = False) -> int:
    """Show where a job stands: counts, spending, rate, and failures by their reasons.

    [bold]venice-async status lighthouse[/]
    """
    screen = Screen()
    found = open_job(directory).status()
    if as_json:
        screen.records([attrs.asdict(found)])
    else:
        screen.lines(_worded(found))
    return 0


def _worded(found: JournalStatus) -> list[str]:
    counts = [f"{found.done} done ({counted(found.images, 'image')}, {found.bytes / 1e6:.1f} MB)"]
    counts += [
        f"{number} {what}"
        for number, what in (
            (found.failed, "failed"),
            (found.billed, "failed and billed"),
            (found.unconfirmed, "unconfirmed"),
            (found.blocked, "blocked"),
            (found.in_flight, "in flight"),
            (found.pending, "pending"),
        )
        if number
    ]
    counts += [f"{found.missing} missing"] if found.missing else []
    state = "running" if found.running else "cut off" if found.cut_off else "ended"
    state += f"; {found.stopped}" if found.stopped else ""
    spent = "not known" if found.spent_usd is None else f"${found.spent_usd:.2f}"
    balance = "" if found.balance_usd is None else f"; the balance was ${found.balance_usd:.2f}"
    job = ", ".join(f"{name} {value}" for name, value in found.job.items())
    shards: list[str] = []
    if isinstance(found, ShardedStatus):
        told = f"{found.shards} of {found.shard_size} items each begun, {found.shards_ended} ended"
        shards = [f"shards  {told}"]
    return [
        f"job     {job}",
        f"run     {found.runs}, {state}",
        *shards,
        f"items   {found.items}: {', '.join(counts)}",
        f"spent   {spent}{balance}",
        f"rate    {found.rate:.1f} a minute in the last run",
        *(f"waits   until {local_time(wait.until)}: {wait.what}" for wait in found.waiting),
        *(f"{group.count:>7} {group.outcome}: {group.message}" for group in found.failures),
    ]


def say_unread(screen: Screen, directory: Path) -> None:
    """Tell of a job's shards that a command leaves out, because their journals are not to be read yet."""
    reader = open_job(directory)
    if isinstance(reader, ShardedReader) and (unread := len(list(reader.unread()))):
        verb = "has" if unread == 1 else "have"
        screen.say(f"{unread} of its shards {verb} not ended, and what is there is left out")


def verify(directory: Directory, *, as_json: AsJson = False) -> int:
    """Hash every image of a job again; report what is missing, altered or foreign. Buys nothing.

    [bold]venice-async verify lighthouse[/]
    """
    screen = Screen()
    counts = {"intact": 0, "missing": 0, "altered": 0, "foreign": 0}
    for finding in audit_job(directory):
        counts[finding.verdict] += 1
        if as_json:
            screen.records([attrs.asdict(finding)])
        elif finding.verdict != "intact":
            screen.lines([f"{finding.verdict}  {finding.path}"])
    screen.say(", ".join(f"{number} {verdict}" for verdict, number in counts.items()))
    say_unread(screen, directory)
    if not isinstance(open_job(directory), ShardedReader):  # whose images cannot be bought again together
        if counts["missing"]:
            screen.say(f"{_redo(directory, '--missing')} buys again what is missing")
        if counts["altered"]:
            screen.say(f"{_redo(directory, 'FILE...')} buys again what is altered")
    return 1 if counts["missing"] or counts["altered"] else 0


def retry(
    directory: Directory,
    *,
    unconfirmed: Annotated[
        bool, typer.Option("--unconfirmed", help="Those that may have been billed as well.")
    ] = False,
    billed: Annotated[bool, typer.Option("--billed", help="Those that were billed as well.")] = False,
    blocked: Annotated[
        bool, typer.Option("--blocked", help="Those that the content policy blocked as well.")
    ] = False,
    concurrency: Annotated[int, typer.Option(min=1, help="Requests in flight at once.")] = 16,
    per_minute: Annotated[
        int | None,
        typer.Option(min=0, help="Images a minute and model; 0 for no limit.", show_default=False),
    ] = None,
    attempts: Annotated[
        int, typer.Option(min=1, help="Attempts for what was not billed.")
    ] = RetryPolicy().attempts,
    budget_usd: BudgetUsd = None,
    max_unusable: MaxUnusable = MAX_UNUSABLE,
    max_refusals: MaxRefusals = MAX_REFUSALS,
    max_wait: MaxWait = "10m",
    as_json: AsJson = False,
    sandbox: UseSandbox = False,
    base_url: BaseUrl = None,
) -> int:
    """Send the failed items of a job again, without the input that they came from.

    [bold]venice-async retry lighthouse --unconfirmed[/]
    """
    screen = Screen()
    longest = seconds_from(max_wait)

    async def work(session: VeniceSession) -> int:
        async with session:
            stream = await stream_retry(
                session,
                directory,
                unconfirmed=unconfirmed,
                billed=billed,
                blocked=blocked,
                budget_usd=budget_usd,
                max_unusable=max_unusable,
                max_refusals=max_refusals,
                max_wait=longest,
            )
            if stream.progress.total == 0:
                waiting = _waiting(directory)
                screen.say("; ".join(["nothing failed that could be sent again", *waiting]))
                return 1 if waiting else 0
            return await run_batch(session, screen, stream, directory, as_json=as_json)

    how = {
        "concurrency": concurrency,
        "rate_limit": rate_limit_from(per_minute),
        "retry": RetryPolicy(attempts=attempts),
    }
    with connected(sandbox=sandbox, base_url=base_url, **how) as session:
        return run_until_signalled(work(session))


def _redo(directory: Path, what: str) -> str:
    return f"`venice-async redo {shlex.quote(str(directory))} {what}`"


def _waiting(directory: Path) -> list[str]:
    """What is not whole in a job, and what would be done about it."""
    found = open_job(directory).status()
    return [
        f"{number} {what}"
        for number, what in (
            (found.unconfirmed, "unconfirmed: --unconfirmed sends them again"),
            (found.billed, "failed and billed: --billed sends them again"),
            (found.blocked, "blocked: --blocked sends them again"),
            (
                found.missing,
                f"missing: {_redo(directory, '--missing')} buys them again",
            ),
        )
        if number
    ]
