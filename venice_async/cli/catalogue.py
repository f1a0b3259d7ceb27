"""The `models`, `styles` and `rate-limits` commands: what the API offers, and what a key may use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs

from venice_async.session import VeniceSession
from venice_async.types.catalogue import ImageModel

from .connect import AsJson, BaseUrl, UseSandbox, connected
from .screen import Screen
from .signals import run_until_signalled

__all__ = ["models", "rate_limits", "styles"]

T = TypeVar("T")


def models(*, as_json: AsJson = False, sandbox: UseSandbox = False, base_url: BaseUrl = None) -> int:
    """List the image models, with their prices and what they take.

    [bold]venice-async models[/]
    """

    def show(screen: Screen, found: tuple[ImageModel, ...]) -> None:
        if as_json:
            screen.records({**attrs.asdict(model), "generates": model.generates} for model in found)
            return
        rows = [(model.id, _prices(model), _takes(model), _remarks(model)) for model in found]
        screen.table(("model", "USD an image", "takes", ""), rows)

    return _asked(VeniceSession.models, show, sandbox=sandbox, base_url=base_url)


def styles(*, as_json: AsJson = False, sandbox: UseSandbox = False, base_url: BaseUrl = None) -> int:
    """List the names that --style-preset takes.

    [bold]venice-async styles[/]
    """

    def show(screen: Screen, found: tuple[str, ...]) -> None:
        if as_json:
            screen.records(found)
        else:
            screen.lines(found)

    return _asked(VeniceSession.styles, show, sandbox=sandbox, base_url=base_url)


def rate_limits(*, as_json: AsJson = False, sandbox: UseSandbox = False, base_url: BaseUrl = None) -> int:
    """Show what the key may use, and its balances.

    [bold]venice-async rate-limits[/]
    """

    async def ask(session: VeniceSession) -> tuple[dict[str, float | None], list[tuple[str, str, float]]]:
        found = await session.rate_limits()
        amounts = [
            (model, kind, amount) for model, rules in found.models.items() for kind, amount in rules.items()
        ]
        return {"usd": found.balance_usd, "diem": found.balance_diem}, amounts

    def show(screen: Screen, found: tuple[dict[str, float | None], list[tuple[str, str, float]]]) -> None:
        balances, amounts = found
        if as_json:
            screen.records([{"balances": balances}])
            screen.records(
                {"model": model, "type": kind, "amount": amount} for model, kind, amount in amounts
            )
            return
        screen.table(
            ("model", "type", "amount"), [(model, kind, f"{amount:.12g}") for model, kind, amount in amounts]
        )
        for unit, amount in balances.items():
            if amount is not None:
                screen.lines([f"balance: {amount:g} {unit.upper()}"])

    return _asked(ask, show, sandbox=sandbox, base_url=base_url)


def _asked(
    ask: Callable[[VeniceSession], Awaitable[T]],
    show: Callable[[Screen, T], None],
    *,
    sandbox: bool,
    base_url: str | None,
) -> int:
    """Ask the API one thing and show its answer; the exit code."""
    screen = Screen()

    async def work(session: VeniceSession) -> int:
        async with session:
            show(screen, await ask(session))
        return 0

    with connected(sandbox=sandbox, base_url=base_url) as session:
        return run_until_signalled(work(session))


def _prices(model: ImageModel) -> str:
    prices = model.prices
    if prices.generation is not None:
        return f"{prices.generation:g}"
    if not prices.quality:
        return ", ".join(f"{name} {usd:g}" for name, usd in prices.resolutions.items())
    return ", ".join(
        f"{resolution} {'/'.join(f'{usd:g}' for usd in by_quality.values())}"
        for resolution, by_quality in prices.quality.items()
    )


def _takes(model: ImageModel) -> str:
    """What a request may ask of the model, in a few words."""
    parts: list[str] = []
    if not model.generates:
        return "nothing: it generates no images"
    if model.steps_max is not None and "steps" not in model.ignores:
        parts.append(f"steps to {model.steps_max}")
    if model.width_height_divisor and not model.aspect_ratios:
        parts.append(f"sides by {model.width_height_divisor}")
    if model.aspect_ratios:
        parts.append(f"{len(model.aspect_ratios)} aspect ratios")
    if model.qualities:
        parts.append("quality")
    if model.max_style_references:
        parts.append(f"{model.max_style_references} style references")
    return ", ".join(parts)


def _remarks(model: ImageModel) -> str:
    remarks = ["offline"] if model.offline else []
    if (gone := model.deprecation) is not None:
        when = f" on {gone.ends[:10]}" if gone.ends else ""
        instead = f", use {gone.replacement} instead" if gone.replacement else ""
        remarks.append(f"goes{when}{instead}")
    if model.region_restrictions:
        remarks.append(f"blocked in {' '.join(model.region_restrictions)}")
    if "seed" in model.ignores:
        remarks.append("seed ignored")
    return "; ".join([*remarks, *model.traits])
