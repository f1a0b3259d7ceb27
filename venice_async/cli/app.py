"""The commands and their options."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import attrs
import typer

from venice_async._version import __version__
from venice_async.errors import ConfigurationError, MissingExtraError, VeniceError
from venice_async.session import VeniceSession
from venice_async.storage.names import DEFAULT_NAME
from venice_async.types.limits import RequestLimits

from .generate import generate_images
from .options import parse_seeds, requests_from
from .screen import Screen
from .signals import run_until_signalled

__all__ = ["app", "run"]

app = typer.Typer(
    name="venice-async",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)

_INTERRUPTED = 130


class Limits(StrEnum):
    """The profiles that `--limits` takes."""

    documented = "documented"
    schema = "schema"


class ImageFormat(StrEnum):
    """What `--format` takes."""

    jpeg = "jpeg"
    png = "png"
    webp = "webp"


class Quality(StrEnum):
    """What `--quality` takes."""

    low = "low"
    medium = "medium"
    high = "high"


def run() -> int:
    """Run the command line; the exit code."""
    screen = Screen()
    try:
        code = app(prog_name="venice-async", standalone_mode=False)
    except VeniceError as exc:
        screen.error(exc)
        return 1
    except OSError as exc:
        # Nor can what is buffered be written when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        screen.error(f"the output cannot be written: {exc.strerror}")
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return _INTERRUPTED
    except typer.Exit as exc:
        return exc.exit_code
    except Exception as exc:
        show = getattr(exc, "show", None)  # typer's own errors show themselves: what is wrong, and where
        if show is None:
            raise
        show()
        return 2
    return code or 0


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

    [bold]venice-async generate "a lighthouse at dusk" --seeds 0-15 --model fluently-xl --into lighthouse[/]
    """


_REQUEST = "What to draw (each is sent only when given)"
_INPAINT = "Inpainting (retired by the API in May 2025)"
_JOB = "The job"


@app.command()
def generate(
    prompts: Annotated[list[str] | None, typer.Argument(help="Prompts.", show_default=False)] = None,
    *,
    into: Annotated[
        Path, typer.Option(help="The directory for the images.", rich_help_panel=_JOB, show_default=False)
    ],
    prompts_file: Annotated[
        str | None,
        typer.Option(
            "--prompts", help="A file of prompts, one a line; - for standard input.", rich_help_panel=_JOB
        ),
    ] = None,
    request_file: Annotated[
        str | None,
        typer.Option(
            "--request", help="A JSON request as the API documents it; - for stdin.", rich_help_panel=_JOB
        ),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Seeds for each prompt, such as 0-15,42.", rich_help_panel=_JOB)
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            help="File names, of {index} {seed} {prompt} {id} {model} {image}.", rich_help_panel=_JOB
        ),
    ] = DEFAULT_NAME,
    concurrency: Annotated[
        int, typer.Option(min=1, help="Requests in flight at once.", rich_help_panel=_JOB)
    ] = 16,
    limits: Annotated[
        Limits, typer.Option(help="The ranges of the fields.", rich_help_panel=_JOB)
    ] = Limits.documented,
    sandbox: Annotated[
        bool,
        typer.Option("--sandbox", help="Use the embedded server: no key, no cost.", rich_help_panel=_JOB),
    ] = False,
    base_url: Annotated[
        str | None, typer.Option(envvar="VENICE_BASE_URL", help="Where the API is.", rich_help_panel=_JOB)
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="The model's id, such as fluently-xl.", rich_help_panel=_REQUEST)
    ] = None,
    negative_prompt: Annotated[
        str | None, typer.Option(help="What not to draw.", rich_help_panel=_REQUEST)
    ] = None,
    style_preset: Annotated[
        str | None, typer.Option(help="Such as 'Analog Film'.", rich_help_panel=_REQUEST)
    ] = None,
    width: Annotated[int | None, typer.Option(help="Pixels, 0 < x < 1280.", rich_help_panel=_REQUEST)] = None,
    height: Annotated[
        int | None, typer.Option(help="Pixels, 0 < x < 1280.", rich_help_panel=_REQUEST)
    ] = None,
    steps: Annotated[int | None, typer.Option(help="0 < x < 50.", rich_help_panel=_REQUEST)] = None,
    cfg_scale: Annotated[float | None, typer.Option(help="0 < x < 20.", rich_help_panel=_REQUEST)] = None,
    seed: Annotated[
        int | None, typer.Option(help="One seed; see --seeds for several.", rich_help_panel=_REQUEST)
    ] = None,
    lora_strength: Annotated[int | None, typer.Option(help="0 < x < 100.", rich_help_panel=_REQUEST)] = None,
    safe_mode: Annotated[
        bool | None,
        typer.Option("--safe-mode/--no-safe-mode", help="Blur adult content.", rich_help_panel=_REQUEST),
    ] = None,
    return_binary: Annotated[
        bool | None,
        typer.Option(
            "--return-binary/--no-return-binary", help="Raw image answers.", rich_help_panel=_REQUEST
        ),
    ] = None,
    hide_watermark: Annotated[
        bool | None,
        typer.Option("--hide-watermark/--no-hide-watermark", help="No watermark.", rich_help_panel=_REQUEST),
    ] = None,
    image_format: Annotated[
        ImageFormat | None, typer.Option("--format", help="Of the image.", rich_help_panel=_REQUEST)
    ] = None,
    variants: Annotated[
        int | None, typer.Option(help="Images in one answer, 1 to 4.", rich_help_panel=_REQUEST)
    ] = None,
    aspect_ratio: Annotated[str | None, typer.Option(help="Such as 16:9.", rich_help_panel=_REQUEST)] = None,
    resolution: Annotated[str | None, typer.Option(help="Such as 2K.", rich_help_panel=_REQUEST)] = None,
    quality: Annotated[
        Quality | None, typer.Option(help="Of tiered models.", rich_help_panel=_REQUEST)
    ] = None,
    embed_exif_metadata: Annotated[
        bool | None,
        typer.Option(
            "--embed-exif-metadata/--no-embed-exif-metadata", help="EXIF.", rich_help_panel=_REQUEST
        ),
    ] = None,
    enable_web_search: Annotated[
        bool | None,
        typer.Option(
            "--enable-web-search/--no-enable-web-search", help="Costs extra.", rich_help_panel=_REQUEST
        ),
    ] = None,
    enhance_prompt: Annotated[
        bool | None,
        typer.Option("--enhance-prompt/--no-enhance-prompt", help="Costs extra.", rich_help_panel=_REQUEST),
    ] = None,
    disable_prompt_optimization_thinking: Annotated[
        bool | None,
        typer.Option(
            "--disable-prompt-optimization-thinking/--no-disable-prompt-optimization-thinking",
            help="Enhance without thinking.",
            rich_help_panel=_REQUEST,
        ),
    ] = None,
    style_reference: Annotated[
        list[str] | None,
        typer.Option(help="A picture, or an http(s) URL; repeatable.", rich_help_panel=_REQUEST),
    ] = None,
    style_reference_strength: Annotated[
        float | None, typer.Option(help="0.1 to 1, for all of them.", rich_help_panel=_REQUEST)
    ] = None,
    inpaint: Annotated[str | None, typer.Option(help="The source picture.", rich_help_panel=_INPAINT)] = None,
    inpaint_strength: Annotated[int | None, typer.Option(help="0 to 100.", rich_help_panel=_INPAINT)] = None,
    mask_image_prompt: Annotated[
        str | None, typer.Option(help="What the source shows.", rich_help_panel=_INPAINT)
    ] = None,
    mask_object_target: Annotated[
        str | None, typer.Option(help="What is replaced.", rich_help_panel=_INPAINT)
    ] = None,
    mask_inferred_object: Annotated[
        str | None, typer.Option(help="What takes its place.", rich_help_panel=_INPAINT)
    ] = None,
) -> int:
    """Generate images into a directory.

    [bold]venice-async generate "a lighthouse at dusk" --seeds 0-15 --model fluently-xl --into lighthouse[/]
    """
    given = dict(locals())
    screen = Screen()
    requests = requests_from(
        given, RequestLimits.SCHEMA if limits is Limits.schema else RequestLimits.DOCUMENTED
    )
    several = parse_seeds(seeds)
    for edge in (min(several), max(several)) if several else ():
        attrs.evolve(requests[0], seed=edge)  # out of range: better now than when its turn comes
    with ExitStack() as stack:
        where: dict[str, Any] = {"base_url": base_url}
        if sandbox:
            where = {"base_url": stack.enter_context(_sandbox(rpm=None)).url, "api_key": "sandbox"}
        elif not os.environ.get("VENICE_API_KEY"):
            raise ConfigurationError(
                "no API key: make one in the API settings of venice.ai and set VENICE_API_KEY to it,"
                " or add --sandbox to try without one"
            )
        session = VeniceSession(concurrency=concurrency, **where)
        return run_until_signalled(
            generate_images(session, screen, requests, into=into, seeds=several, name=name)
        )


@app.command()
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
        server = _sandbox(port=port, rpm=rpm or None, window=window, latency=latency, profile=profile)
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


def _sandbox(**options: Any) -> Any:
    try:
        from venice_async.sandbox import Sandbox  # noqa: PLC0415 - it needs an extra
    except ImportError as exc:
        raise MissingExtraError(str(exc)) from exc
    return Sandbox(**options)
