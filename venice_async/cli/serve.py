"""The `sandbox` command: the embedded server for any client."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from venice_async.errors import ConfigurationError

from .connect import embedded_sandbox
from .screen import Screen

__all__ = ["sandbox"]


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for a free one.")] = 8080,
    rpm: Annotated[int, typer.Option(min=0, help="Requests a minute and model; 0 for no limit.")] = 600,
    window: Annotated[float, typer.Option(min=0.1, help="The limit's window in seconds.")] = 60.0,
    latency: Annotated[float, typer.Option(min=0.0, help="Seconds a generation takes.")] = 0.03,
    profile: Annotated[str, typer.Option(help="The ranges: schema or page.")] = "schema",
) -> int:
    """Serve an embedded, Venice-compatible API on 127.0.0.1 until Ctrl-C.

    [bold]venice-async sandbox --port 8080[/]
    """
    screen = Screen()
    try:
        server = embedded_sandbox(port=port, rpm=rpm or None, window=window, latency=latency, profile=profile)
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
