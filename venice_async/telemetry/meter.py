"""The counts of a session."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

from attrs import define, field

from venice_async.types.response import RateLimitSnapshot
from venice_async.types.statistics import Latency

__all__ = ["Meter", "latency_of"]

_NEWEST = 1000


@define
class Meter:
    """Counts what attempts do."""

    sent: int = 0
    retries: int = 0
    unconfirmed: int = 0
    bytes_received: int = 0
    by_status: Counter[int] = field(factory=Counter)
    rate_limit: RateLimitSnapshot = RateLimitSnapshot()
    balance_usd: float | None = None
    balance_diem: float | None = None
    _seconds: deque[float] = field(factory=lambda: deque(maxlen=_NEWEST))

    @property
    def latency(self) -> Latency:
        """How long attempts took lately."""
        return latency_of(self._seconds)

    def answered(self, status: int, snapshot: RateLimitSnapshot) -> None:
        """The head of an answer came."""
        self.by_status[status] += 1
        if snapshot.limit is not None or snapshot.remaining is not None:
            self.rate_limit = snapshot

    def received(self, seconds: float, answer: Mapping[str, Any]) -> None:
        """An answer is whole, so many seconds after it was asked for."""
        self._seconds.append(seconds)
        if answer["balance_usd"] is not None:
            self.balance_usd = answer["balance_usd"]
        if answer["balance_diem"] is not None:
            self.balance_diem = answer["balance_diem"]


def latency_of(seconds: Iterable[float]) -> Latency:
    """The percentiles of some numbers of seconds: each is one that occurred."""
    found = sorted(seconds)
    if not found:
        return Latency()
    p50, p90, p99 = (found[ceil(share * len(found)) - 1] for share in (0.5, 0.9, 0.99))
    return Latency(count=len(found), p50=p50, p90=p90, p99=p99, most=found[-1])
