"""Where the requests of a command go: the real API, or the embedded server."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any

import typer

from venice_async.errors import ConfigurationError, MissingExtraError
from venice_async.session import VeniceSession

__all__ = ["AsJson", "BaseUrl", "UseSandbox", "connected", "embedded_sandbox"]

_WHERE = "Where the API is"

UseSandbox = Annotated[
    bool, typer.Option("--sandbox", help="Use the embedded server: no key, no cost.", rich_help_panel=_WHERE)
]
BaseUrl = Annotated[
    str | None,
    typer.Option(envvar="VENICE_BASE_URL", help="With its version, up to /v1.", rich_help_panel=_WHERE),
]
AsJson = Annotated[bool, typer.Option("--json", help="Results as JSON, a line each.")]


@contextmanager
def connected(*, sandbox: bool, base_url: str | None, **how: Any) -> Generator[VeniceSession, None, None]:
    """Make a session, which is still to be entered, with the embedded server behind it if it is wanted.

    Args:
        sandbox: Whether it is wanted.
        base_url: Where the API is otherwise; None for where it usually is.
        **how: More of what `VeniceSession` takes.

    Raises:
        ConfigurationError: There is no key.
        MissingExtraError: The embedded server needs an extra that is not installed.
    """
    with ExitStack() as stack:
        where: dict[str, Any] = {"base_url": base_url}
        if sandbox:
            where = {"base_url": stack.enter_context(embedded_sandbox(rpm=None)).url, "api_key": "sandbox"}
        elif not os.environ.get("VENICE_API_KEY"):
            raise ConfigurationError(
                "no API key: make one in the API settings of venice.ai and set VENICE_API_KEY to it,"
                " or add --sandbox to try without one"
            )
        yield VeniceSession(**where, **how)


def embedded_sandbox(**options: Any) -> Any:
    """Make the embedded server, which is still to be started.

    Raises:
        MissingExtraError: It needs an extra that is not installed.
    """
    try:
        from venice_async.sandbox import Sandbox  # noqa: PLC0415 - it needs an extra
    except ImportError as exc:
        raise MissingExtraError(str(exc)) from exc
    return Sandbox(**options)
