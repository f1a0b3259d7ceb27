"""veniceresch, a client made for this API on httpx."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from veniceresch import AsyncVeniceClient

from .job import KEY, Job, Run, each, write, write_base64

__all__ = ["veniceresch_gather"]


@asynccontextmanager
async def veniceresch_gather(job: Job) -> AsyncIterator[Run]:
    """veniceresch with an httpx client whose limits are out of the way."""
    limits = httpx.Limits(max_connections=job.concurrency, max_keepalive_connections=job.concurrency)
    async with (
        httpx.AsyncClient(limits=limits, headers={"Accept-Encoding": job.compression or "identity"}) as http,
        AsyncVeniceClient(api_key=KEY, base_url=job.base_url, http_client=http, timeout=300) as client,
    ):

        async def ask(index: int) -> None:
            fields = job.body(index)
            if job.binary:
                write(job.path(index), await client.image.generate_binary(**fields))
            else:
                answer = await client.image.generate(**fields)
                write_base64(job, index, answer.images)

        yield lambda: each(job, ask)
