"""The `sandbox` command: the embedded server for any client."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from venice_async.errors import ConfigurationError

from .connect import embedded_sandbox
from .screen import Screen

__all__ = ["sandbox"]

_LIMIT = "The rate limit"
_WRONG = "What goes wrong"


def sandbox(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for a free one.")] = 8080,
    latency: Annotated[float, typer.Option(min=0.0, help="Seconds a generation takes.")] = 0.03,
    balance: Annotated[float, typer.Option(min=0.0, help="US dollars there are to spend.")] = 100.0,
    profile: Annotated[str, typer.Option(help="The API of today or of 2025.")] = "today",
    rpm: Annotated[
        int, typer.Option(min=0, help="Images a minute and model; 0 for no limit.", rich_help_panel=_LIMIT)
    ] = 600,
    rpd: Annotated[
        int | None,
        typer.Option(min=1, help="Images a day and model; the API's 28,800.", rich_help_panel=_LIMIT),
    ] = None,
    window: Annotated[
        float, typer.Option(min=0.1, help="The limit's window in seconds.", rich_help_panel=_LIMIT)
    ] = 60.0,
    algorithm: Annotated[
        str, typer.Option(help="fixed, sliding-log, sliding-counter or gcra.", rich_help_panel=_LIMIT)
    ] = "fixed",
    burst: Annotated[
        int | None, typer.Option(help="Images that gcra lets through at once.", rich_help_panel=_LIMIT)
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="Such as 503*3, reset:body or delay:2.5; repeat.", rich_help_panel=_WRONG),
    ] = None,
    abuse_rule: Annotated[
        bool, typer.Option(help="Lock out who fails too often.", rich_help_panel=_WRONG)
    ] = True,
) -> int:
    """Serve an embedded, Venice-compatible API on 127.0.0.1 until Ctrl-C.

    [bold]venice-async sandbox --port 8080 --rpm 20 --algorithm gcra --fault "503*3"[/]
    """
    screen = Screen()
    try:
        server = embedded_sandbox(
            port=port,
            latency=latency,
            balance_usd=balance,
            profile=profile,
            rpm=rpm or None,
            rpd=rpd,
            window=window,
            algorithm=algorithm,
            burst=burst,
            faults=fault or (),
            abuse_rule=abuse_rule,
        )
    except ValueError as exc:
        raise ConfigurationError(str(exc)) from exc
    try:
        with server:
            screen.say(f"listening on {server.url}")
            screen.say(f"use it with: export VENICE_BASE_URL={server.url} VENICE_API_KEY=anything")
            threading.Event().wait()
    except KeyboardInterrupt:
        screen.say("stopped")
    except OSError as exc:
        raise ConfigurationError(f"cannot listen on port {port}: {exc.strerror or exc}") from exc
    return 0
