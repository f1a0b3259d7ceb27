"""Bare aiohttp that reads and throws away: what a loop can receive, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from .job import Job, Run

__all__ = ["discard"]


@asynccontextmanager
async def discard(job: Job) -> AsyncIterator[Run]:
    """So many workers on one iterator; nothing is decoded, nothing is written."""
    security = job.tls() or True
    connector = aiohttp.TCPConnector(limit=0, ssl=security)
    async with aiohttp.ClientSession(connector=connector, headers=job.headers()) as session:
        indices = iter(range(job.requests))

        async def work() -> None:
            for index in indices:
                async with session.post(job.url, json=job.body(index)) as response:
                    response.raise_for_status()
                    async for _ in response.content.iter_any():
                        pass

        async def run() -> None:
            await asyncio.gather(*(work() for _ in range(job.concurrency)))

        yield run
