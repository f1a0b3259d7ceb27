"""What travels between the client and the workers of a distributed job: values that can be pickled.

1. No image travels; a shard's outcome is a few numbers, and errors.
2. The key travels to the workers, and is in no representation.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import attrs
from attrs import field, frozen

from venice_async.errors import ValidationError, VeniceError
from venice_async.gather.options import Options
from venice_async.gather.source import Source
from venice_async.policy.guard import Guard
from venice_async.policy.rate_limit import RateLimit
from venice_async.policy.retry import RetryPolicy
from venice_async.session import VeniceSession
from venice_async.storage.journal import Durability
from venice_async.types.options import AnswerLimits, Compression, Timeouts
from venice_async.types.request import ImageRequest
from venice_async.types.statistics import Wait

__all__ = ["Order", "SessionSettings", "Shard", "ShardProgress", "ShardResult", "shards_of"]


def _key(api_key: str | None) -> str:
    """The key, which workers would look for in vain in their own environment."""
    return os.environ.get("VENICE_API_KEY", "") if api_key is None else api_key


def _model(default_model: str | None) -> str | None:
    return default_model or os.environ.get("VENICE_MODEL") or None


@frozen(kw_only=True)
class SessionSettings:
    """What the session of each worker is made with; the attributes are arguments of `VeniceSession`."""

    api_key: str = field(default=None, converter=_key, repr=False)
    base_url: str | None = None
    concurrency: int = 16
    rate_limit: RateLimit | None = RateLimit.auto()
    retry: RetryPolicy = RetryPolicy()
    guard: Guard | None = Guard()
    timeouts: Timeouts = Timeouts()
    answer_limits: AnswerLimits = AnswerLimits()
    default_model: str | None = field(default=None, converter=_model)
    check_models: bool = False
    proxy: str | None = field(default=None, repr=False)
    compression: Compression | None = None

    def session(self) -> VeniceSession:
        """A session that is still to be entered."""
        return VeniceSession(**attrs.asdict(self, recurse=False))


@frozen(kw_only=True)
class Order:
    """What every worker of a job is told.

    Attributes:
        name: The job's, for leases, the budget and what Dask shows.
        into: The job's directory, the same path on every worker.
        job: What makes the job the one it is, by name.
        traits: What each trait stands for in shards that begin: the ids of models; None until that was asked.
        settings: Of the worker's session.
        options: How its batches are carried out.
        durability: What their journals survive.
        extend: Whether a shard with another job's journal is added to.
        budget: Millionths of a US dollar for all shards together, or None.
        store: The address where the workers meet; None for nowhere.
        lease: Seconds for which a shard is a worker's, unless it says that it goes on.
    """

    name: str
    into: str
    job: dict[str, str]
    settings: SessionSettings
    options: Options
    durability: Durability
    extend: bool
    budget: int | None
    store: str | None
    lease: float
    traits: dict[str, str] | None = None


@frozen
class Shard:
    """A part of the input.

    Attributes:
        number: From 0.
        requests: What is asked for, or what is wrong with it, in the order of the input.
        stopped_models: By model, an error that earlier shards have met: nothing more is sent for it.
    """

    number: int
    requests: tuple[ImageRequest | ValidationError, ...] = field(repr=lambda all_: f"<{len(all_)} requests>")
    stopped_models: dict[str, VeniceError] = field(factory=dict)


def _waits(told: Iterable[Any]) -> tuple[Wait, ...]:
    """Waits, also as they have come from a worker, which tells them as plain values."""
    return tuple(wait if isinstance(wait, Wait) else Wait(**wait) for wait in told)


@frozen(kw_only=True)
class ShardProgress:
    """Where a shard stands.

    Attributes:
        number: The shard's.
        done: As in `Progress`, like the six that follow.
        lost: Items that were tried and have failed, or are unconfirmed.
        tried: Items that were tried.
        waiting: What keeps its requests from being sent, as in `Progress`.
    """

    number: int
    done: int
    skipped: int
    missing: int
    failed: int
    unconfirmed: int
    blocked: int
    spent_usd: float | None
    lost: int
    tried: int
    waiting: tuple[Wait, ...] = field(default=(), converter=_waits)


@frozen(kw_only=True)
class ShardResult:
    """What became of a shard.

    Attributes:
        progress: Where it stands.
        run: The number of its journal's run; 0 where it was not begun.
        pending: Requests that have no outcome.
        stopped: What stopped it before its end, or None.
        stopped_models: By model, the error after which nothing more was sent for it.
        errors: The first hundred of its failures.
        notes: As in `BatchReport`.
    """

    progress: ShardProgress
    run: int
    pending: int
    stopped: VeniceError | None = None
    stopped_models: dict[str, VeniceError] = field(factory=dict)
    errors: tuple[VeniceError, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def by_its_models(self) -> bool:
        """Whether it was stopped because all of its models were, which another shard's may not be."""
        return self.stopped is not None and self.stopped in self.stopped_models.values()


async def shards_of(source: Source, size: int) -> AsyncGenerator[Shard, None]:
    """Cut the input into shards, when they are asked for."""
    number, requests = 0, list[Any]()
    while (item := await source.next()) is not None:
        requests.append(item[1])
        if len(requests) == size:
            yield Shard(number, tuple(requests))
            number, requests = number + 1, []
    if requests:
        yield Shard(number, tuple(requests))
