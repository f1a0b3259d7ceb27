"""The commands together, and how they end."""

from __future__ import annotations

import difflib
import os
import sys
from typing import Annotated, Any

import typer

from venice_async._version import __version__
from venice_async.errors import VeniceError

from .catalogue import models, rate_limits, styles
from .directory import retry, status, verify
from .export import export
from .gallery import gallery
from .generate import generate
from .redo import redo
from .report import report, sheet
from .screen import Screen
from .serve import sandbox
from .stops import INCOMPLETE, INTERRUPTED, USAGE, WHOLE, exit_code_of

__all__ = ["app", "run"]

app = typer.Typer(
    name="venice-async",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def run() -> int:
    """Run the command line; the exit code."""
    screen = Screen()
    try:
        code = app(prog_name="venice-async", standalone_mode=False)
    except VeniceError as exc:
        screen.error(exc)
        return exit_code_of(exc)
    except OSError as exc:
        # Nor can what is buffered be written when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        screen.error(f"the output cannot be written: {exc.strerror}")
        return INCOMPLETE
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except typer.Exit as exc:
        return exc.exit_code
    except Exception as exc:
        show = getattr(exc, "show", None)  # typer's own errors show themselves: what is wrong, and where
        if show is None:
            raise
        _keep_nearest(exc)
        show()
        return USAGE
    return code or WHOLE


def _keep_nearest(error: Any) -> None:
    """Of the options that typer takes for possible ones, leave the nearest."""
    possible: list[str] = getattr(error, "possibilities", None) or []
    if near := difflib.get_close_matches(getattr(error, "option_name", ""), possible, n=1):
        error.possibilities = near


def _version(wanted: bool) -> None:  # noqa: FBT001
    if wanted:
        typer.echo(f"venice-async {__version__}")
        raise typer.Exit


@app.callback()
def main(
    *,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Prompts into image files through the Venice.ai image API.

    [bold]venice-async generate "a lighthouse at dusk" --seeds 0-15 --into lighthouse[/]
    """


app.command()(generate)
app.command()(status)
app.command()(verify)
app.command()(retry)
app.command()(redo)
app.command()(export)
app.command()(gallery)
app.command()(sheet)
app.command()(report)
app.command()(models)
app.command()(styles)
app.command("rate-limits")(rate_limits)
app.command()(sandbox)
