"""Where a job in shards stands, from where its shards do. Pure: nothing is read here."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Any

import attrs
from attrs import define, field, frozen

from venice_async.storage.journal import FailureGroup, JournalStatus
from venice_async.types.statistics import Wait

from .layout import Mark, shard_name
from .receipts import Receipt

__all__ = ["ShardedStatus", "Totals", "seconds_at_work"]

_COUNTS = (
    *("items", "done", "failed", "billed", "unconfirmed", "blocked", "missing", "in_flight"),
    *("pending", "images", "bytes"),
)


@frozen(kw_only=True)
class ShardedStatus(JournalStatus):
    """Where a job in shards stands.

    Attributes:
        shard_size: Items of a shard.
        shards: Shards on which somebody has begun to work.
        shards_ended: Of them, those whose batch has ended, whole or not.
    """

    shard_size: int
    shards: int
    shards_ended: int


@define
class Totals:
    """The sums of a job's shards, which are added one by one in their order."""

    _counts: Counter[str] = field(factory=Counter, init=False)
    _ended: int = field(default=0, init=False)
    _runs: int = field(default=0, init=False)
    _spent: float | None = field(default=0.0, init=False)
    _stopped: str | None = field(default=None, init=False)
    _running: bool = field(default=False, init=False)
    _cut_off: bool = field(default=False, init=False)
    _failures: dict[tuple[str, str], FailureGroup] = field(factory=dict, init=False)
    _balance: tuple[float, float | None] = field(default=(0.0, None), init=False)
    _generated: int = field(default=0, init=False)
    _began: array[float] = field(factory=lambda: array("d"), init=False)
    _gone: array[float] = field(factory=lambda: array("d"), init=False)

    def add_ended(self, receipt: Receipt, status: JournalStatus) -> None:
        """Take in a shard that has ended, from its journal: it may have been gone on with by itself."""
        self._ended += 1
        self._running |= status.running
        self._cut_off |= status.cut_off
        self._runs = max(self._runs, status.runs)
        for name in _COUNTS:
            self._counts[name] += getattr(status, name)
        self._counts["pending"] += _unasked(receipt, status)
        self._spend(status.spent_usd)
        self._stop(receipt.shard, status.stopped)
        for group in status.failures:
            self._add_failures(group)
        ended_at = receipt.began_at if receipt.ended_at is None else receipt.ended_at
        if status.balance_usd is not None and ended_at >= self._balance[0]:
            self._balance = ended_at, status.balance_usd
        self._generated += receipt.generated
        self._began.append(receipt.began_at)
        self._gone.append(ended_at)

    def add_open(self, receipt: Receipt) -> None:
        """Take in a shard that has not ended, from what its receipt knows."""
        for name in _COUNTS:
            self._counts[name] += getattr(receipt, name, None) or 0
        self._spend(receipt.spent_usd)
        self._stop(receipt.shard, receipt.stopped)

    def status(
        self, mark: Mark, *, still_open: int, running: bool, waits: tuple[Wait, ...] = ()
    ) -> ShardedStatus:
        """Where the job stands.

        Args:
            mark: What its directory is marked with.
            still_open: Shards that have begun and not ended, with a receipt or without one.
            running: Whether somebody is at work on one of them.
            waits: What those wait for who are.
        """
        busy = seconds_at_work(zip(self._began, self._gone, strict=True))
        running |= self._running
        counts: dict[str, Any] = {name: self._counts[name] for name in _COUNTS}
        return ShardedStatus(
            **counts,
            job=dict(mark.job),
            runs=max(self._runs, 1 if still_open else 0),
            running=running,
            cut_off=bool(still_open or self._cut_off) and not running,
            stopped=self._stopped,
            spent_usd=None if self._spent is None else round(self._spent, 6),
            rate=60 * self._generated / busy if self._generated and busy > 0 else 0.0,
            balance_usd=self._balance[1],
            failures=tuple(sorted(self._failures.values(), key=lambda group: -group.count)),
            waiting=waits,
            shard_size=mark.shard_size,
            shards=self._ended + still_open,
            shards_ended=self._ended,
        )

    def _spend(self, usd: float | None) -> None:
        self._spent = None if usd is None or self._spent is None else self._spent + usd

    def _stop(self, shard: int, stopped: str | None) -> None:
        if self._stopped is None and stopped is not None:
            self._stopped = f"shard {shard_name(shard)}: {stopped}"

    def _add_failures(self, group: FailureGroup) -> None:
        key = group.outcome, group.reason
        known = self._failures.get(key)
        if known is not None:
            group = attrs.evolve(known, count=known.count + group.count)
        self._failures[key] = group


def _unasked(receipt: Receipt, status: JournalStatus) -> int:
    """Items of a shard's input that its journal does not know of: its batch was stopped before them."""
    if receipt.pending is None:
        return 0
    settled = receipt.done + receipt.failed + receipt.billed + receipt.unconfirmed + receipt.blocked
    return max(0, settled + receipt.pending - status.items)


def seconds_at_work(spans: Iterable[tuple[float, float]]) -> float:
    """How long at least one of some spans of time lasted, together."""
    total, until = 0.0, float("-inf")
    for began, ended in sorted(spans):
        total += max(0.0, ended - max(began, until))
        until = max(until, ended)
    return total
