"""What a person sees: a live display on a terminal, plain lines anywhere else.

What comes from outside (a prompt, a server's message, a file's name) is text: it neither moves a terminal's
cursor, nor colours it, nor names its window. Control characters are written in the escapes of JSON, so that
JSON stays whole.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import orjson
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from venice_async.errors import VeniceError
from venice_async.gather.waiting import local_time
from venice_async.types.outcome import Failed, Generated, Outcome, Skipped
from venice_async.types.outcome import Progress as BatchProgress
from venice_async.types.statistics import Wait

from .records import record_of

__all__ = ["Live", "Screen", "counted"]

_PROFILE = re.compile(r"\blimits=RequestLimits\.([A-Z]+)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


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
        self.messages.print(_as_text(text))

    def lines(self, texts: Iterable[str]) -> None:
        """Results, a line each."""
        for text in texts:
            self.results.print(_as_text(text))

    def records(self, values: Iterable[Any]) -> None:
        """Results as JSON, a line each."""
        self.lines(orjson.dumps(value, default=_plain).decode() for value in values)

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Results in columns: cut to the terminal's width there, with tabs between them elsewhere."""
        if not self.results.is_terminal:
            # As a segment: anything else has its tabs turned into spaces.
            self.results.print(Segments([Segment(_visible("\t".join(row)) + "\n") for row in rows]), end="")
            return
        table = Table(*titles, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*map(_as_text, row))
        self.results.print(table, soft_wrap=False)

    def error(self, error: VeniceError | str) -> None:
        """What went wrong, and what to do about it."""
        self.messages.print(f"[bold red]error:[/] {_as_text(_worded(error))}")
        for note in getattr(error, "__notes__", ()):
            self.messages.print(f"  {_as_text(_worded(note))}")


def counted(number: int, what: str) -> str:
    """How many there are of something, such as `1 image` or `2,000 images`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _visible(text: str) -> str:
    """Text without control characters but ends of lines and tabs."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _as_text(text: str) -> str:
    """Text from outside, for a terminal, within the markup of our own."""
    return escape(_visible(text))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(value)


def _worded(error: VeniceError | str) -> str:
    """An error in the command line's own words."""
    text = _PROFILE.sub(lambda found: f"--limits {found[1].lower()}", str(error))
    return (
        text.replace("choose image_format", "choose one with --image-format")
        .replace("with extend=True", "with --extend")
        .replace("or force=True", "or --force")
        .replace("say missing=True", "say --missing")
        .replace("a smaller cell=", "a smaller --cell")
        .replace("with skip_bad_rows=True", "with --skip-bad-rows")
        .replace("use venice_async.dask", "use --dask")
    )


class _TimeLeft(ProgressColumn):
    """The batch's own estimate, from its average rate."""

    @override
    def render(self, task: Task) -> Text:
        eta = task.fields["eta"]
        if eta is None:
            return Text("")
        return Text(f"{dt.timedelta(seconds=round(eta))} left", style="progress.remaining")


class _Display(Progress):
    """The bar, and under it the newest file and what is waited for."""

    newest = ""
    waits: Sequence[str] = ()

    @override
    def get_renderables(self) -> Iterable[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        if self.newest:
            yield Text(self.newest, style="dim", no_wrap=True, overflow="ellipsis")
        for wait in self.waits:
            yield Text(wait, style="yellow", no_wrap=True, overflow="ellipsis")


class Live:
    """The state of a batch while it runs.

    Attributes:
        blurred: Images that the server's safe mode has blurred.
        billed: Items that failed and were paid for.
    """

    def __init__(self, screen: Screen, total: int | None, *, as_json: bool) -> None:
        self.blurred = self.billed = 0
        self._screen = screen
        self._as_json = as_json
        self._deprecations: set[str] = set()
        self._waits: dict[str, float] = {}
        self._live = screen.messages.is_terminal
        self._display = _Display(
            BarColumn(bar_width=20),
            TextColumn("{task.completed:.0f}/{task.fields[of]} done"),
            TextColumn("{task.fields[lost]}"),
            TextColumn("{task.fields[spent]}"),
            TextColumn("{task.fields[rate]:.1f}/s"),
            _TimeLeft(),
            console=screen.messages,
            disable=not self._live,
            transient=False,
        )
        self._task = self._display.add_task(
            "", total=total, of="?" if total is None else total, lost="0 failed", spent="", rate=0.0, eta=None
        )

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._display.stop()

    def show(self, outcome: Outcome, progress: BatchProgress) -> None:
        """Take in one more outcome."""
        if isinstance(outcome, Generated):
            self._display.newest = _visible(str(outcome.paths[-1]))
        self.advance(progress)
        self.write(outcome)

    def advance(self, progress: BatchProgress) -> None:
        """Show where the batch stands."""
        lost = f"{progress.skipped} skipped, " if progress.skipped else ""
        lost += f"{progress.failed} failed"
        for number, what in (
            (progress.unconfirmed, "unconfirmed"),
            (progress.blocked, "blocked"),
            (progress.missing, "missing"),
        ):
            lost += f", {number} {what}" if number else ""
        self._say_waits(progress.waiting)
        self._display.update(
            self._task,
            completed=progress.done + progress.skipped,
            lost=lost,
            spent="" if progress.spent_usd is None else f"${progress.spent_usd:.2f}",
            rate=progress.rate,
            eta=progress.eta,
        )

    def _say_waits(self, waits: Sequence[Wait]) -> None:
        """Show what is waited for: under the bar on a terminal, else in a line for each."""
        told = {wait.what: wait.until for wait in waits}
        texts = [f"waiting until {local_time(until)}: {what}" for what, until in told.items()]
        self._display.waits = [_visible(text) for text in texts]
        if not self._live:
            for text, (what, until) in zip(texts, told.items(), strict=True):
                if until != self._waits.get(what):
                    self._screen.say(text)
        self._waits = told

    def write(self, outcome: Outcome) -> None:
        """One line for each file, or for what went wrong."""
        if self._as_json:
            self._screen.records([record_of(outcome)])
        if isinstance(outcome, Skipped):
            for path in outcome.missing:
                self._screen.messages.print(f"[red]missing[/] {outcome.index}: {_as_text(str(path))}")
            return
        if not isinstance(outcome, Generated):
            self.billed += isinstance(outcome, Failed) and outcome.billed
            what = type(outcome).__name__.lower()
            prompt = "" if outcome.request is None else f" ({outcome.request.prompt[:40]!r})"
            error = _as_text(_worded(outcome.error))
            self._screen.messages.print(f"[red]{what}[/] {outcome.index}{_as_text(prompt)}: {error}")
            return
        self._note(outcome)
        # On a terminal of its own the display tells of the files; elsewhere, each has a line.
        if not self._as_json and not (self._live and self._screen.results.is_terminal):
            self._screen.lines(map(str, outcome.paths))

    def _note(self, outcome: Generated) -> None:
        """Keep count of what a person wants to know besides the files."""
        self.blurred += bool(outcome.answer.moderation.is_blurred)
        gone = outcome.answer.deprecation
        if gone is None or outcome.request.model in self._deprecations:
            return
        self._deprecations.add(outcome.request.model)
        instead = f"; use {gone.replacement} instead" if gone.replacement else ""
        self._screen.say(f"note: {gone.model_warning or f'{outcome.request.model} is deprecated{instead}'}")
