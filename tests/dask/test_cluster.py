"""What a cluster is for: one rate limit for all workers, and a job that ends whatever befalls them."""

from __future__ import annotations

import asyncio
import os
import signal

import datasets
import pytest

from venice_async import RateLimit
from venice_async.dask import DistributedJob, SessionSettings, distribute_generate
from venice_async.sandbox import Sandbox

from ..redis_server import RedisServer
from .cluster import SMALL, bought, distributed, prompts, worker_pids

WORKERS = 4


@pytest.fixture
def redis():
    """A Redis server of the test's own."""
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_four_workers_use_one_rate_limit_up_and_never_exceed_it(long, redis, tmp_path):
    """No refusal, no image twice, and one directory that readers load."""
    number, rpm = (2000, 600) if long else (400, 3000)

    async def test(client):
        return await distribute_generate(
            client,
            prompts(number),
            into=tmp_path / "out",
            shard_size=50,
            api_key="key",
            base_url=url,
            rate_limit=RateLimit.auto(shared=redis.url),
            **SMALL,
        )

    with Sandbox(rpm=rpm, latency=0.02) as sandbox:
        url = sandbox.url
        report = distributed(test, WORKERS)
        times = bought(sandbox)
        account = sandbox.account
        sent = [request.received_at for request in sandbox.requests if request.body]
    report.raise_for_failures()
    assert report.generated == len(times) == account.billed == number
    assert account.by_status.get(429, 0) == 0
    found = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "out"), split="train")
    assert sorted(found["prompt"]) == sorted(prompts(number))
    if long:
        # From the first request to the last, of what the limit would have let through.
        assert number / rpm * 60 / (max(sent) - min(sent)) >= 0.95


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_job_ends_complete_though_workers_die_and_sleep_and_the_store_is_restarted(long, redis, tmp_path):
    """What the killed one had in flight is unconfirmed at most; the account and the directory agree.

    In the short form a worker dies, and nothing else befalls the job.
    """
    number, concurrency = 240, 4

    async def test(client):
        job = DistributedJob(
            client,
            prompts(number),
            into=tmp_path / "out",
            settings=SessionSettings(
                concurrency=concurrency,
                api_key="key",
                base_url=url,
                rate_limit=RateLimit.auto(shared=redis.url),
            ),
            shard_size=20,
            lease=2.0,
            **SMALL,
        )
        running = asyncio.create_task(job.run())

        async def until(done):
            while job.progress.done < done:
                assert not running.done()
                await asyncio.sleep(0.05)

        await until(20)
        killed, paused, *_ = (await worker_pids(client)).values()
        os.kill(killed, signal.SIGKILL)
        if long:
            os.kill(paused, signal.SIGSTOP)
            await until(60)
            await asyncio.to_thread(redis.restart)
            await asyncio.sleep(3)  # longer than the lease
            os.kill(paused, signal.SIGCONT)
        return await running

    with Sandbox(rpm=6000, window=6.0, latency=0.2) as sandbox:
        url = sandbox.url
        report = distributed(test, WORKERS)
        times = bought(sandbox)
    assert report.stopped is None
    assert report.pending == 0
    assert report.generated + report.skipped + report.unconfirmed == number
    assert report.unconfirmed <= concurrency
    assert max(times.values()) == 1
    there = len(list((tmp_path / "out").rglob("*.webp")))
    assert there == report.generated + report.skipped
    assert len(times) - there <= report.unconfirmed
