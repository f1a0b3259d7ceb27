"""One key, four processes: whatever store they share it by."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import pairwise

import pytest

from venice_async.sandbox import Sandbox


@pytest.fixture(params=["sqlite", "redis"])
def shared(request, tmp_path):
    """Where they meet, as an address."""
    if request.param == "redis":
        return request.getfixturevalue("redis_server").url
    return f"sqlite:///{tmp_path}/key.db"


@pytest.fixture
def upset(request, shared):
    """What happens to the store in the middle of it all: a server is started anew, with nothing in it."""
    if shared.startswith("redis"):
        return request.getfixturevalue("redis_server").restart
    return lambda: None


@contextmanager
def started(script, *arguments):
    """Processes that run a script, one for each list of arguments; none of them outlives the block."""
    processes = []
    try:
        for each in arguments:
            command = [sys.executable, "-c", script, *map(str, each)]
            processes.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate(timeout=30)


_WORKER = """
import asyncio, sys, tempfile
from venice_async import RateLimit, VeniceSession, gather_generate

async def main(url, shared, number):
    limit = RateLimit.auto(shared=shared)
    async with VeniceSession("key", base_url=url, concurrency=10, rate_limit=limit) as venice:
        print("ready", flush=True)
        sys.stdin.readline()
        with tempfile.TemporaryDirectory() as folder:
            prompts = (f"fox {i}" for i in range(int(number)))
            report = await gather_generate(
                venice, prompts, into=folder, model="venice-sd35", width=64, height=64
            )
    print(report.generated, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


def wait_for(condition):
    for _ in range(4000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("it never came to be")


@pytest.mark.long
@pytest.mark.timeout(400)
def test_processes_that_share_a_key_never_exceed_its_limit_and_one_may_die(long, shared, upset):
    """Three of four processes finish without a refusal; the fourth is killed with requests in flight.

    And so it is where the store itself was lost before that, if it is one that may be.
    """
    rpm, each, algorithm = (20, 20, {"algorithm": "fixed"}) if long else (240, 40, {"algorithm": "gcra"})
    if not long:
        algorithm["burst"] = 120  # so that processes which did not share would be refused at once
    with (
        Sandbox(rpm=rpm, latency=0.3, **algorithm) as sandbox,
        started(_WORKER, *((sandbox.url, shared, number) for number in (each, each, each, 1000))) as workers,
    ):
        for worker in workers:
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        *others, victim = workers
        wait_for(lambda: sandbox.account.received >= 10)
        upset()
        wait_for(lambda: sandbox.account.received >= 16)
        victim.kill()
        victim.wait(timeout=30)
        done = [worker.communicate(timeout=350)[0].strip() for worker in others]
        account, requests = sandbox.account, sandbox.requests
    assert done == [str(each)] * 3
    assert (account.refused, account.by_status.get(429, 0)) == (0, 0)
    arrivals = sorted(record.received_at for record in requests if record.method == "POST")
    assert max(later - one for one, later in pairwise(arrivals)) <= 61
    assert arrivals[-1] - arrivals[0] <= 60 * (len(arrivals) / rpm + 1)
