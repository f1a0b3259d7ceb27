"""requests, in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import requests
from requests.adapters import HTTPAdapter

from .job import Job, Run, write, write_base64

__all__ = ["requests_threads"]


@asynccontextmanager
async def requests_threads(job: Job) -> AsyncIterator[Run]:
    """One requests.Session in as many threads as there are places; the event loop only waits."""
    with requests.Session() as session, ThreadPoolExecutor(job.concurrency) as threads:
        adapter = HTTPAdapter(pool_maxsize=job.concurrency)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        session.headers.update(job.headers())
        session.verify = str(job.authority) if job.authority else True
        session.trust_env = False  # it would look for a .netrc at every request

        def ask(index: int) -> None:
            response = session.post(job.url, json=job.body(index), timeout=300)
            response.raise_for_status()
            if job.binary:
                write(job.path(index), response.content)
            else:
                write_base64(job, index, response.json()["images"])

        async def run() -> None:
            loop = asyncio.get_running_loop()
            await asyncio.gather(*(loop.run_in_executor(threads, ask, n) for n in range(job.requests)))

        yield run
