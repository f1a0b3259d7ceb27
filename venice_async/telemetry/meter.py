"""The counts of a session."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

from attrs import define, field

from venice_async.types.response import RateLimitSnapshot
from venice_async.types.statistics import Spread, spread_of

__all__ = ["Meter"]

_NEWEST = 1000


@define
class Meter:
    """Counts what attempts do."""

    sent: int = 0
    retries: int = 0
    unconfirmed: int = 0
    blocked: int = 0
    bytes_received: int = 0
    by_status: Counter[int] = field(factory=Counter)
    rate_limit: RateLimitSnapshot = RateLimitSnapshot()
    balance_usd: float | None = None
    balance_diem: float | None = None
    _seconds: deque[float] = field(factory=lambda: deque(maxlen=_NEWEST))

    @property
    def latency(self) -> Spread:
        """How long attempts took lately."""
        return spread_of(self._seconds)

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
