"""The `gallery` command: the page of a job's directory."""

from __future__ import annotations

from pathlib import Path

from venice_async.errors import MissingExtraError, VeniceError
from venice_async.storage.gallery import write_page
from venice_async.storage.journal import State
from venice_async.storage.shards import open_job

from .directory import Directory, say_unread
from .screen import Screen, counted

__all__ = ["gallery", "show_page"]

_MOST = 20_000  # images whose page is made without being asked for


def gallery(directory: Directory) -> int:
    """Make `index.html` in a job's directory: its images, to look through in a browser.

    [bold]venice-async gallery lighthouse[/]
    """
    screen = Screen()
    report = write_page(directory)
    broken = f", {report.broken} cannot be shown" if report.broken else ""
    screen.lines([str(report.path)])
    screen.say(f"{counted(report.images, 'image')}, {report.thumbnails} new{broken}")
    say_unread(screen, directory)
    return 0


def show_page(screen: Screen, directory: Path, *, wanted: bool) -> None:
    """Make the page after a batch; what goes wrong is told, and changes nothing for the batch.

    Args:
        screen: Where to tell.
        directory: The job's.
        wanted: Whether somebody has asked for it.
    """
    again = f"`venice-async gallery {directory}` makes it"
    try:
        done = open_job(directory).count(State.DONE)
        if not done:
            return
        if done > _MOST and not wanted:
            screen.say(f"no page was made of so many images; {again}")
            return
        screen.say(f"to look at them: {write_page(directory).path}")
    except MissingExtraError as exc:
        if wanted:
            screen.error(exc)
    except VeniceError as exc:
        screen.say(f"no page was made: {exc}")
    except KeyboardInterrupt:
        screen.say(f"the page was left out; {again}")
