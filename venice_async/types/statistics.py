"""What a session has done so far, as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from .response import RateLimitSnapshot

__all__ = ["Latency", "Statistics"]


@frozen(kw_only=True)
class Latency:
    """How long attempts took that brought their images, from sending to the last byte, in seconds.

    Attributes:
        count: How many of the newest it is taken from, at most 1000; all else is None where there is none.
        p50: Half of them took no longer.
        p90: Nine of ten.
        p99: Ninety-nine of a hundred.
        most: All of them.
    """

    count: int = 0
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    most: float | None = None


@frozen(kw_only=True)
class Statistics:
    """What a session has done since it was opened, and what it is doing.

    Attributes:
        calls: Calls that run, waiting ones included.
        in_flight: Requests that are sent and not yet answered in whole.
        waiting: By priority, calls that wait for a place or a permit.
        sent: Attempts that were sent.
        retries: Of these, those after the first of their call.
        by_status: By HTTP status, answers that came.
        refused: Answers that asked to slow down or to come back later (429, 503).
        unconfirmed: Attempts of which nobody knows what became.
        bytes_received: Of the answers to image requests.
        latency: How long they took lately.
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
    bytes_received: int
    latency: Latency
    rate_limit: RateLimitSnapshot = RateLimitSnapshot()
    balance_usd: float | None = None
    balance_diem: float | None = None
