"""What a batch would buy, and what that would cost: nothing is sent."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Unpack

from attrs import frozen

from venice_async.errors import ValidationError
from venice_async.policy.budget import cost_of, usd
from venice_async.policy.day import DAY
from venice_async.session import VeniceSession
from venice_async.storage.journal import Forecast, State
from venice_async.storage.names import DEFAULT_NAME, NameTemplate
from venice_async.types.offer import Offer, traits_of
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
        skipped: Those whose images an earlier run has bought.
        missing: Of these, those of which a file is gone.
        held: Those that may have been paid for, and would not be sent again.
        blocked: Those that the content policy has blocked, and that would not be sent again.
        invalid: Those that are no valid requests.
        images: Images that the new ones ask for.
        cost_usd: US dollars for the new ones; None where a price is not known.
        spent_usd: US dollars that earlier runs have spent.
        seconds: How long the new ones take at the key's limits of a minute and of a day, at least; None where
            that is not known.
    """

    items: int
    new: int
    skipped: int
    missing: int
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
    today = traits_of(models.values(), session.default_model)
    limits = await session.rate_limits()
    counts: Counter[str] = Counter()
    new: Counter[str] = Counter()  # images, by model
    cost: int | None = 0
    resend = session.retry.resend_unconfirmed
    with Forecast(Path(into), job, extend=extend) as forecast:
        offer = Offer(models=models, traits=today if forecast.traits is None else forecast.traits)
        while (entry := await source.next()) is not None:
            _, request = entry
            if isinstance(request, ValidationError):
                counts["invalid"] += 1
                continue
            request = offer.resolve(request)
            state, missing = forecast.state(request, keep_duplicates=duplicates == "keep")
            if state in _THERE:
                counts["skipped"] += 1
                counts["missing"] += missing
            elif state in _HELD and not (resend and state != State.BILLED):
                counts["held"] += 1
            elif state == State.BLOCKED:
                counts["blocked"] += 1
            else:
                counts["new"] += 1
                new[request.model] += request.units
                price = cost_of(request, models)
                cost = None if cost is None or price is None else cost + price
        spent = forecast.spent
    return Plan(
        items=source.taken,
        new=counts["new"],
        skipped=counts["skipped"],
        missing=counts["missing"],
        held=counts["held"],
        blocked=counts["blocked"],
        invalid=counts["invalid"],
        images=new.total(),
        cost_usd=None if cost is None else usd(cost),
        spent_usd=usd(spent),
        seconds=_seconds(new, limits.models),
    )


def _seconds(new: Mapping[str, int], limits: Mapping[str, Mapping[str, float]]) -> float | None:
    """Of several models, the slowest; each has limits of its own."""
    seconds = [0.0]
    for model, images in new.items():
        amounts = limits.get(model, {})
        if not (a_minute := amounts.get("RPM")):
            return None
        seconds.append(60 * images / a_minute)
        if a_day := amounts.get("RPD"):
            days = math.ceil(images / a_day) - 1  # that pass before the last one
            seconds.append(days * DAY + 60 * (images - days * a_day) / a_minute)
    return max(seconds)
