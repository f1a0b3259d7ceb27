"""openai, with the retries and time-outs that it comes with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai

from .job import KEY, Job, Run, each, write_base64

__all__ = ["openai_gather"]


@asynccontextmanager
async def openai_gather(job: Job) -> AsyncIterator[Run]:
    """AsyncOpenAI's `post`, which is how it reaches an end point that OpenAI has not."""
    async with openai.AsyncOpenAI(
        api_key=KEY, base_url=job.base_url, default_headers={"Accept-Encoding": job.compression or "identity"}
    ) as client:

        async def ask(index: int) -> None:
            answer: Any = await client.post("/image/generate", cast_to=object, body=job.body(index))
            write_base64(job, index, answer["images"])

        yield lambda: each(job, ask)
