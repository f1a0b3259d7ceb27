"""What a batch would buy, and what that would cost: nothing is sent."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Unpack

from attrs import frozen

from venice_async.errors import ValidationError
from venice_async.policy.budget import cost_of, usd
from venice_async.session import VeniceSession
from venice_async.storage.journal import Forecast, State
from venice_async.storage.names import DEFAULT_NAME, NameTemplate
from venice_async.types.request import RequestFields

from .job import Duplicates, describe_job
from .source import Source, What

__all__ = ["Plan", "plan_generate"]

_THERE = {State.DONE, State.RECEIVED, State.DUPLICATE}
_HELD = {State.BILLED, State.UNCONFIRMED, State.SENT}


@frozen(kw_only=True)
class Plan:
    """What a batch would do.

    Attributes:
        items: Requests in the input.
        new: Of them, those that would be sent.
        skipped: Those whose images are there.
        held: Those that may have been paid for, and would not be sent again.
        blocked: Those that the content policy has blocked, and that would not be sent again.
        invalid: Those that are no valid requests.
        images: Images that the new ones ask for.
        cost_usd: US dollars for the new ones; None where a price is not known.
        spent_usd: US dollars that earlier runs have spent.
        seconds: How long the new ones take at the key's rate limit, at least; None where that is not known.
    """

    items: int
    new: int
    skipped: int
    held: int
    blocked: int
    invalid: int
    images: int
    cost_usd: float | None
    spent_usd: float
    seconds: float | None


async def plan_generate(
    session: VeniceSession,
    what: What,
    *,
    into: str | os.PathLike[str],
    seeds: Iterable[int] | None = None,
    name: str = DEFAULT_NAME,
    duplicates: Duplicates = "keep",
    extend: bool = False,
    **fields: Unpack[RequestFields],
) -> Plan:
    """What `gather_generate` would do with the same arguments.

    Asks the server for its prices and the key's rate limit, and sends nothing else.

    Raises:
        VeniceError: As `gather_generate`, and what the server answers to the two questions.
    """
    source = Source(what, seeds, fields)
    job = describe_job(what, seeds, fields, template=NameTemplate(name), duplicates=duplicates)
    models = {model.id: model for model in await session.models()}
    limits = await session.rate_limits()
    counts: Counter[str] = Counter()
    new: Counter[str] = Counter()
    cost: int | None = 0
    resend = session.retry.resend_unconfirmed
    with Forecast(Path(into), job, extend=extend) as forecast:
        while (entry := await source.next()) is not None:
            _, request = entry
            if isinstance(request, ValidationError):
                counts["invalid"] += 1
                continue
            state = forecast.state(request, keep_duplicates=duplicates == "keep")
            if state in _THERE:
                counts["skipped"] += 1
            elif state in _HELD and not (resend and state != State.BILLED):
                counts["held"] += 1
            elif state == State.BLOCKED:
                counts["blocked"] += 1
            else:
                new[request.model] += 1
                counts["images"] += request.variants or 1
                price = cost_of(request, models)
                cost = None if cost is None or price is None else cost + price
        spent = forecast.spent
    per_minute = {model: amounts.get("RPM") for model, amounts in limits.models.items()}
    return Plan(
        items=source.taken,
        new=new.total(),
        skipped=counts["skipped"],
        held=counts["held"],
        blocked=counts["blocked"],
        invalid=counts["invalid"],
        images=counts["images"],
        cost_usd=None if cost is None else usd(cost),
        spent_usd=usd(spent),
        seconds=_seconds(new, per_minute),
    )


def _seconds(new: Counter[str], per_minute: dict[str, float | None]) -> float | None:
    """Of several models, the slowest; each has a limit of its own."""
    seconds = [0.0]
    for model, number in new.items():
        limit = per_minute.get(model)
        if not limit:
            return None
        seconds.append(60 * number / limit)
    return max(seconds)
