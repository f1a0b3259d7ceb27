"""aiohttp as most programs use it: the whole body, then decoded and written on the event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from .job import Job, Run, each, write, write_base64

__all__ = ["aiohttp_gather"]


@asynccontextmanager
async def aiohttp_gather(job: Job) -> AsyncIterator[Run]:
    """aiohttp with a gather and a semaphore."""
    connector = aiohttp.TCPConnector(limit=0, ssl=job.tls() or True)
    async with aiohttp.ClientSession(connector=connector, headers=job.headers()) as session:

        async def ask(index: int) -> None:
            async with session.post(job.url, json=job.body(index)) as response:
                response.raise_for_status()
                if job.binary:
                    write(job.path(index), await response.read())
                else:
                    write_base64(job, index, (await response.json())["images"])

        yield lambda: each(job, ask)
