"""A cluster on this machine alone, for a job that its own processes carry out."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from dask import config
from distributed import LocalCluster

__all__ = ["local_cluster"]

# Dask has its workers give freed memory back at once, only to map it anew for the next answer. What keeps it
# takes a fifth of the processor time off an image of 200 kB.
_KEEP_MEMORY = {
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 64 * 1024 * 1024,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 32 * 1024 * 1024,
}


@asynccontextmanager
async def local_cluster(workers: int) -> AsyncGenerator[LocalCluster, None]:
    """Worker processes for the length of the block.

    Args:
        workers: How many.
    """
    with config.set(_KEEP_MEMORY):
        async with LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,
            asynchronous=True,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.ERROR,
        ) as cluster:
            yield cluster
