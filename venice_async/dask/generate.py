"""The call that carries out a distributed job."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Unpack

from distributed import Client

from venice_async.gather.job import Duplicates
from venice_async.gather.options import MAX_REFUSALS, MAX_UNUSABLE, MAX_WAIT
from venice_async.gather.source import What
from venice_async.policy.guard import Guard
from venice_async.policy.rate_limit import RateLimit
from venice_async.policy.retry import RetryPolicy
from venice_async.report import BatchReport
from venice_async.storage.journal import Durability, Verification
from venice_async.storage.names import DEFAULT_NAME
from venice_async.types.options import AnswerLimits, Compression, Timeouts
from venice_async.types.request import RequestFields

from .job import DistributedJob
from .order import SessionSettings

__all__ = ["distribute_generate"]


async def distribute_generate(
    client: Client,
    what: What,
    *,
    into: str | os.PathLike[str],
    shard_size: int = 500,
    api_key: str | None = None,
    base_url: str | None = None,
    rate_limit: RateLimit | None = RateLimit.auto(),
    retry: RetryPolicy = RetryPolicy(),
    guard: Guard | None = Guard(),
    timeouts: Timeouts = Timeouts(),
    answer_limits: AnswerLimits = AnswerLimits(),
    default_model: str | None = None,
    check_models: bool = False,
    proxy: str | None = None,
    compression: Compression | None = None,
    lease: float = 60.0,
    seeds: Iterable[int] | None = None,
    concurrency: int = 16,
    name: str = DEFAULT_NAME,
    duplicates: Duplicates = "keep",
    durability: Durability = "power",
    verify: Verification = "header",
    budget_usd: float | None = None,
    max_failures: float | None = None,
    max_unusable: int = MAX_UNUSABLE,
    max_refusals: int = MAX_REFUSALS,
    max_wait: float | None = MAX_WAIT,
    extend: bool = False,
    drain_timeout: float = 60.0,
    **fields: Unpack[RequestFields],
) -> BatchReport:
    """Generate many images on the workers of a Dask cluster; the same call again goes on where it was.

    Each shard is a batch of its own, with its journal under `into/00012/`: what `gather_generate` promises is
    kept, also where Dask runs a shard again. What stops a model in one shard stops it in those
    that are handed out later.

    Args:
        client: Connected, and asynchronous.
        what: As for `gather_generate`.
        into: The job's directory, which every worker and the client reach by the same path.
        shard_size: Requests in one task.
        api_key: The key; the environment's `VENICE_API_KEY` where None.
        base_url: Where the API is; as for `VeniceSession`.
        rate_limit: As for `VeniceSession`. With `shared=`, all workers keep to one limit; without it, each of
            them uses an equal part, unless all of them are on this machine.
        retry: As for `VeniceSession`.
        guard: As for `VeniceSession`, like the six that follow; all of them travel to the workers.
        timeouts: As there.
        answer_limits: As there.
        default_model: As there; what traits stand for is asked once, by the client, for the whole job.
        check_models: As there.
        proxy: As there.
        compression: As there.
        lease: Seconds after which another worker may take over the shard of one that says nothing.
        seeds: As for `gather_generate`, like all that follow.
        concurrency: Requests in flight at once on each worker.
        name: As there.
        duplicates: As there, within each shard.
        durability: As there.
        verify: As there.
        budget_usd: As there, for all shards together; it is kept where `rate_limit` is shared.
        max_failures: As there, for all shards together.
        max_unusable: As there, in each shard.
        max_refusals: As there, in each shard.
        max_wait: As there.
        extend: As there.
        drain_timeout: As there.
        **fields: As there.

    Raises:
        ConfigurationError: The arguments contradict each other, or the workers lack the library; nothing was
            sent.
        VeniceError: As `gather_generate`.
    """
    settings = SessionSettings(
        api_key=api_key,
        base_url=base_url,
        concurrency=concurrency,
        rate_limit=rate_limit,
        retry=retry,
        guard=guard,
        timeouts=timeouts,
        answer_limits=answer_limits,
        default_model=default_model,
        check_models=check_models,
        proxy=proxy,
        compression=compression,
    )
    job = DistributedJob(
        client,
        what,
        into=into,
        settings=settings,
        shard_size=shard_size,
        lease=lease,
        seeds=seeds,
        name=name,
        duplicates=duplicates,
        durability=durability,
        verify=verify,
        budget_usd=budget_usd,
        max_failures=max_failures,
        max_unusable=max_unusable,
        max_refusals=max_refusals,
        max_wait=max_wait,
        extend=extend,
        drain_timeout=drain_timeout,
        **fields,
    )
    return await job.run()
