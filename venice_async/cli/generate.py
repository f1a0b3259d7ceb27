"""The `generate` command: every field of a request is an option."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import closing
from typing import Annotated, Any, Literal

import typer

from venice_async.gather import Duplicates
from venice_async.gather.options import MAX_REFUSALS, MAX_UNUSABLE
from venice_async.policy.retry import RetryPolicy
from venice_async.session import VeniceSession
from venice_async.storage.inputs import RequestFile, RowFormat
from venice_async.storage.journal import Durability, Verification
from venice_async.storage.names import DEFAULT_NAME
from venice_async.types.request import ImageRequest
from venice_async.types.response import ImageFormat

from .axes import parse_axes
from .batch import Job, generate_images, show_plan
from .check import check_requests
from .connect import AsJson, BaseUrl, UseSandbox, connected
from .distributed import distribute_images
from .gallery import show_page
from .options import (
    BudgetUsd,
    checked_directory,
    limits_from,
    parse_seeds,
    rate_limit_from,
    told_of,
    what_from,
    whole_or_share,
)
from .screen import Screen
from .signals import run_until_signalled
from .stops import INCOMPLETE, NOT_NOW, WHOLE, MaxRefusals, MaxUnusable, MaxWait, seconds_from

__all__ = ["generate"]


_ENDED = (WHOLE, INCOMPLETE, NOT_NOW)  # and not at a signal
_REQUEST = "What to draw (each is sent only when given)"
_INPAINT = "Inpainting (retired by the API in May 2025)"
_JOB = "The job"


def generate(
    prompts: Annotated[list[str] | None, typer.Argument(help="Prompts.", show_default=False)] = None,
    *,
    into: Annotated[
        str, typer.Option(help="The directory for the images.", rich_help_panel=_JOB, show_default=False)
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
    from_file: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="A file of requests: text, CSV, TSV, JSON Lines or Parquet; - for standard input.",
            rich_help_panel=_JOB,
        ),
    ] = None,
    input_format: Annotated[
        RowFormat | None,
        typer.Option(help="Of --from; without it, what the name or the content tells.", rich_help_panel=_JOB),
    ] = None,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Leave bad rows of --from out.", rich_help_panel=_JOB)
    ] = False,
    set_values: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Values of a field, each for every prompt: cfg_scale=4,7.5 or steps=20..30:5; repeatable.",
            rich_help_panel=_JOB,
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
    per_minute: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Images a minute and model; 0 for no limit; without it, what the server allows.",
            rich_help_panel=_JOB,
            show_default=False,
        ),
    ] = None,
    shared: Annotated[
        str | None,
        typer.Option(
            help="Where processes with one key meet: sqlite:///path, or redis://host.",
            rich_help_panel=_JOB,
            show_default=False,
        ),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(
            help="Have a Dask cluster do it: tcp://scheduler:8786, or local:4.",
            rich_help_panel=_JOB,
            show_default=False,
        ),
    ] = None,
    shard_size: Annotated[
        int, typer.Option(min=1, help="Requests in one task of --dask.", rich_help_panel=_JOB)
    ] = 500,
    attempts: Annotated[
        int, typer.Option(min=1, help="Attempts for what was not billed.", rich_help_panel=_JOB)
    ] = RetryPolicy().attempts,
    resend_unconfirmed: Annotated[
        bool,
        typer.Option(
            "--resend-unconfirmed", help="Send again what may have been billed.", rich_help_panel=_JOB
        ),
    ] = False,
    max_failures: Annotated[
        float | None,
        typer.Option(
            help="Stop after more failures than this; below 1, a share.",
            rich_help_panel=_JOB,
            show_default=False,
        ),
    ] = None,
    max_unusable: MaxUnusable = MAX_UNUSABLE,
    max_refusals: MaxRefusals = MAX_REFUSALS,
    max_wait: MaxWait = "10m",
    limits: Annotated[
        Literal["documented", "schema", "current", "model"],
        typer.Option(help="The ranges of the fields: of the page, of 2025, of today.", rich_help_panel=_JOB),
    ] = "documented",
    check_models: Annotated[
        bool,
        typer.Option(
            "--check-models/--no-check-models",
            help="Hold the requests against their models and the styles before any is sent.",
            rich_help_panel=_JOB,
        ),
    ] = True,
    force: Annotated[
        bool,
        typer.Option("--force", help="Sweep over fields that the model ignores.", rich_help_panel=_JOB),
    ] = False,
    budget_usd: BudgetUsd = None,
    durability: Annotated[
        Durability, typer.Option(help="What the journal survives.", rich_help_panel=_JOB)
    ] = "power",
    verify: Annotated[
        Verification, typer.Option(help="What an image has to pass.", rich_help_panel=_JOB)
    ] = "header",
    duplicates: Annotated[
        Duplicates, typer.Option(help="What becomes of prompts that are there twice.", rich_help_panel=_JOB)
    ] = "keep",
    extend: Annotated[
        bool, typer.Option("--extend", help="Add to another job's directory.", rich_help_panel=_JOB)
    ] = False,
    gallery: Annotated[
        bool | None,
        typer.Option(
            "--gallery/--no-gallery",
            help="Make index.html at the end; without the option, where Pillow and Jinja2 are installed.",
            rich_help_panel=_JOB,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show what would be bought, and its cost.", rich_help_panel=_JOB),
    ] = False,
    as_json: AsJson = False,
    sandbox: UseSandbox = False,
    base_url: BaseUrl = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="An id, or a trait such as fastest; without it, VENICE_MODEL, else default.",
            rich_help_panel=_REQUEST,
            show_default=False,
        ),
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
        Literal["low", "medium", "high"] | None,
        typer.Option(help="Of tiered models.", rich_help_panel=_REQUEST),
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
            "--enable-web-search/--no-enable-web-search", help="Of models that can.", rich_help_panel=_REQUEST
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
    transparent_background: Annotated[
        bool | None,
        typer.Option(
            "--transparent-background/--no-transparent-background",
            help="Nothing behind what is drawn; not as JPEG.",
            rich_help_panel=_REQUEST,
        ),
    ] = None,
    anon_user_id: Annotated[
        str | None,
        typer.Option(help="Who of your users asks, up to 128 characters.", rich_help_panel=_REQUEST),
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
    """Generate images into a directory; the same command again goes on where it was.

    [bold]venice-async generate "a lighthouse at dusk" --seeds 0-15 --into lighthouse[/]
    """
    given = dict(locals())
    screen = Screen()
    ranges = limits_from(limits, check_models=check_models)
    what = what_from(given, ranges)
    if isinstance(what, RequestFile):
        for told in told_of(what):
            screen.say(told)
    several = parse_seeds(seeds)
    for edge in (min(several), max(several)) if several else ():
        # Out of range: better now than when its turn comes.
        ImageRequest("?", seed=edge, limits=ranges)
    job = Job(
        what,
        into=checked_directory(into),
        seeds=several,
        name=name,
        duplicates=duplicates,
        extend=extend,
    )
    options: dict[str, Any] = {
        "max_failures": whole_or_share(max_failures),
        "max_unusable": max_unusable,
        "max_refusals": max_refusals,
        "max_wait": seconds_from(max_wait),
        "budget_usd": budget_usd,
        "durability": durability,
        "verify": verify,
    }
    how: dict[str, Any] = {
        "concurrency": concurrency,
        "rate_limit": rate_limit_from(per_minute, shared),
        "retry": RetryPolicy(attempts=attempts, resend_unconfirmed=resend_unconfirmed),
    }
    with connected(sandbox=sandbox, base_url=base_url, **how) as session:
        asking: dict[str, Any] = {"base_url": session.base_url, "api_key": "sandbox" if sandbox else None}
        swept = [name for name, values in parse_axes(set_values).items() if len(values) > 1]

        async def check() -> None:
            if check_models:
                async with VeniceSession(**asking, rate_limit=None) as catalogue:
                    await check_requests(catalogue, screen, what, seeds=several, swept=swept, force=force)

        if dry_run:
            work = show_plan(session, screen, job, as_json=as_json)
        elif dask is not None:
            how |= asking
            options |= {"shard_size": shard_size}
            work = distribute_images(dask, screen, job, how, options, as_json=as_json)
        else:
            work = generate_images(session, screen, job, options, as_json=as_json)
        code = run_until_signalled(_in_turn(check(), work))
    if gallery is not False and not dry_run and code in _ENDED:
        show_page(screen, job.into, wanted=gallery is True)
    return code


async def _in_turn(first: Coroutine[Any, Any, None], then: Coroutine[Any, Any, int]) -> int:
    """What the second comes to, unless the first has refused it."""
    with closing(then):
        await first
        return await then
