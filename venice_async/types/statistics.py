"""What a session has done so far, as plain numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil

from attrs import frozen

from .response import RateLimitSnapshot

__all__ = ["Spread", "Statistics", "Wait", "spread_of"]


@frozen(kw_only=True)
class Wait:
    """What keeps requests from being sent, and until when.

    Attributes:
        what: For a person, such as `the rate limit of z-image-turbo` or `the connection to 127.0.0.1`.
        until: Unix seconds, on this machine's clock.
        model: The only model that waits; None where all do.
    """

    what: str
    until: float
    model: str | None = None


def latest_waits(waits: Iterable[Wait]) -> tuple[Wait, ...]:
    """Of several waits for the same thing, the one that ends last."""
    latest: dict[str, Wait] = {}
    for wait in waits:
        known = latest.get(wait.what)
        if known is None or known.until < wait.until:
            latest[wait.what] = wait
    return tuple(latest.values())


@frozen(kw_only=True)
class Spread:
    """How some values are spread; each of the figures is a value that occurred.

    Attributes:
        count: How many there are; all else is None where there is none.
        p50: Half of them are no larger.
        p90: Nine of ten.
        p99: Ninety-nine of a hundred.
        most: The largest.
    """

    count: int = 0
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    most: float | None = None


def spread_of(values: Iterable[float]) -> Spread:
    """How some values are spread."""
    found = sorted(values)
    if not found:
        return Spread()
    p50, p90, p99 = (found[ceil(share * len(found)) - 1] for share in (0.5, 0.9, 0.99))
    return Spread(count=len(found), p50=p50, p90=p90, p99=p99, most=found[-1])


@frozen(kw_only=True)
class Statistics:
    """What a session has done since it was opened, and what it is doing.

    Attributes:
        calls: Calls that run, waiting ones included.
        in_flight: Requests that are sent and not yet answered in whole.
        waiting: By priority, calls that wait for a place or a permit.
        waits: What they wait for beyond the ordinary pace, soonest first.
        sent: Attempts that were sent.
        retries: Of these, those after the first of their call.
        by_status: By HTTP status, answers that came.
        refused: Answers that asked to slow down or to come back later (429, 503).
        unconfirmed: Attempts of which nobody knows what became.
        blocked: Answers that the content policy blocked.
        bytes_received: Of the answers to image requests.
        latency: Seconds from sending to the last byte of the newest attempts that brought their images, 1000
            at most.
        rate_limit: As the last answer told it.
        balance_usd: US dollars, as last told, or None.
        balance_diem: DIEM, as last told, or None.
    """

    calls: int
    in_flight: int
    waiting: Mapping[int, int]
    sent: int
    retries: int
    by_status: Mapping[int, int]
    refused: int
    unconfirmed: int
    blocked: int
    bytes_received: int
    latency: Spread
    waits: tuple[Wait, ...] = ()
    rate_limit: RateLimitSnapshot = RateLimitSnapshot()
    balance_usd: float | None = None
    balance_diem: float | None = None
