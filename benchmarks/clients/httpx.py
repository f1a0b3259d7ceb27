"""httpx as most programs use it: the whole body, then decoded and written on the event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from .job import Job, Run, each, write, write_base64

__all__ = ["httpx_gather"]


@asynccontextmanager
async def httpx_gather(job: Job) -> AsyncIterator[Run]:
    """httpx with a gather and a semaphore, its own limits out of the way."""
    limits = httpx.Limits(max_connections=job.concurrency, max_keepalive_connections=job.concurrency)
    async with httpx.AsyncClient(
        limits=limits, timeout=300, headers=job.headers(), verify=job.tls() or True
    ) as client:

        async def ask(index: int) -> None:
            response = await client.post(job.url, json=job.body(index))
            response.raise_for_status()
            if job.binary:
                write(job.path(index), response.content)
            else:
                write_base64(job, index, response.json()["images"])

        yield lambda: each(job, ask)
