"""venice-py, a client made for this API on aiohttp."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import venice_ai

from .job import KEY, Job, Run, each, write, write_base64

__all__ = ["venice_py_gather"]


@asynccontextmanager
async def venice_py_gather(job: Job) -> AsyncIterator[Run]:
    """venice-py as it comes, without its rate limiter."""
    async with venice_ai.VeniceClient(api_key=KEY, base_url=job.base_url) as client:

        async def ask(index: int) -> None:
            answer: Any = await client.image.create(**job.body(index))
            if job.binary:
                write(job.path(index), answer)
            else:
                write_base64(job, index, answer.images)

        yield lambda: each(job, ask)
