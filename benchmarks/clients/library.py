"""This library, each way to ask it for many images.

The rate limit and the guard are off, as the server has none; all else is as it comes: the pool, the retries'
path, the checks of what arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal

from venice_async import ImageRequest, VeniceSession, gather_generate

from .job import KEY, Job, Run, prompt

__all__ = ["gather_power", "gather_process", "generate", "save"]


def _session(job: Job) -> VeniceSession:
    return VeniceSession(
        KEY,
        base_url=job.base_url,
        concurrency=job.concurrency,
        rate_limit=None,
        guard=None,
        ssl=job.tls() or True,
        compression=job.compression,
    )


async def _work(job: Job, ask: Callable[[int, ImageRequest], Awaitable[object]]) -> None:
    """As many workers as there are places, on one iterator."""
    indices = iter(range(job.requests))
    fields = job.fields()

    async def work() -> None:
        for index in indices:
            await ask(index, ImageRequest(prompt(index), **fields))

    await asyncio.gather(*(work() for _ in range(job.concurrency)))


@asynccontextmanager
async def generate(job: Job) -> AsyncIterator[Run]:
    """`generate()`: images in memory, which nobody writes to a file."""
    async with _session(job) as venice:
        yield lambda: _work(job, lambda _, request: venice.generate(request))


@asynccontextmanager
async def save(job: Job) -> AsyncIterator[Run]:
    """`save()`: images streamed to files, without a journal."""
    async with _session(job) as venice:
        yield lambda: _work(job, lambda index, request: venice.save(request, job.into / f"{index:06d}"))


@asynccontextmanager
async def gather_process(job: Job) -> AsyncIterator[Run]:
    """`gather_generate(durability="process")`."""
    async with _session(job) as venice:
        yield lambda: _gather(venice, job, "process")


@asynccontextmanager
async def gather_power(job: Job) -> AsyncIterator[Run]:
    """`gather_generate()` as it comes: what is paid for survives a power cut."""
    async with _session(job) as venice:
        yield lambda: _gather(venice, job, "power")


async def _gather(venice: VeniceSession, job: Job, durability: Literal["power", "process"]) -> None:
    report = await gather_generate(
        venice,
        job.prompts(),
        into=job.into,
        name="{index:06d}",
        durability=durability,
        **job.fields(),
    )
    report.raise_for_failures()
