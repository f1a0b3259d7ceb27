"""What a person sees: a live display on a terminal, plain lines anywhere else."""

from __future__ import annotations

import datetime as dt
import io
import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text
from typing_extensions import override

from venice_async.errors import VeniceError
from venice_async.types.outcome import Failed, Generated, Outcome
from venice_async.types.outcome import Progress as BatchProgress

__all__ = ["Live", "Screen"]


class Screen:
    """Results to standard output, everything else to standard error."""

    def __init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a file name or a prompt may be beyond its encoding
                stream.reconfigure(errors="backslashreplace")
        self.results = Console(soft_wrap=True, highlight=False, emoji=False)
        self.messages = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)

    def say(self, text: str) -> None:
        """One line for a person."""
        self.messages.print(escape(text))

    def show(self, outcome: Outcome, *, paths: bool = True) -> None:
        """One line an image, or what became of it."""
        if isinstance(outcome, Generated):
            for path in outcome.paths if paths else ():
                self.results.print(escape(str(path)))
            return
        what = "failed" if isinstance(outcome, Failed) else "unconfirmed"
        prompt = "" if outcome.request is None else f" ({outcome.request.prompt[:40]!r})"
        self.messages.print(
            f"[red]{what}[/] {outcome.index}{escape(prompt)}: {escape(_worded(outcome.error))}"
        )

    def error(self, error: VeniceError | str) -> None:
        """What went wrong, and what to do about it."""
        self.messages.print(f"[bold red]error:[/] {escape(_worded(error))}")


def _worded(error: VeniceError | str) -> str:
    """An error in the command line's own words."""
    return str(error).replace("limits=RequestLimits.SCHEMA would", "--limits schema would")


class _TimeLeft(ProgressColumn):
    """The batch's own estimate, from its average rate."""

    @override
    def render(self, task: Task) -> Text:
        eta = task.fields["eta"]
        if eta is None:
            return Text("")
        return Text(f"{dt.timedelta(seconds=round(eta))} left", style="progress.remaining")


class Live:
    """The state of a batch while it runs."""

    def __init__(self, screen: Screen, total: int | None) -> None:
        self._screen = screen
        self._live = screen.messages.is_terminal
        self._progress = Progress(
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.fields[of]} done"),
            TextColumn("{task.fields[lost]}"),
            TextColumn("{task.fields[rate]:.1f}/s"),
            _TimeLeft(),
            console=screen.messages,
            disable=not self._live,
            transient=False,
        )
        self._task = self._progress.add_task(
            "", total=total, of="?" if total is None else total, lost="0 failed", rate=0.0, eta=None
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, outcome: Outcome, progress: BatchProgress) -> None:
        """Take in one more outcome."""
        lost = f"{progress.failed} failed"
        if progress.unconfirmed:
            lost += f", {progress.unconfirmed} unconfirmed"
        self._progress.update(
            self._task, completed=progress.done, lost=lost, rate=progress.rate, eta=progress.eta
        )
        # The display tells of them, where it does not share the terminal with the paths.
        self._screen.show(outcome, paths=not self._live or not self._screen.results.is_terminal)
