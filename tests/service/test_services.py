"""Images through one session inside a web service: an aiohttp one and a FastAPI one, as processes."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import aiohttp
import pytest

from venice_async.sandbox import Fault, Sandbox

KINDS = ["aiohttp", "fastapi"]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def service(kind, sandbox, **variables):
    """A service in a process of its own, once it answers; ended with it."""
    port = free_port()
    command = {
        "aiohttp": ["-m", "benchmarks.services.aiohttp_service"],
        "fastapi": ["-m", "uvicorn", "benchmarks.services.fastapi_service:app", "--port", str(port)],
    }[kind]
    process = subprocess.Popen(
        [sys.executable, *command],
        env={
            **os.environ,
            "PORT": str(port),
            "VENICE_API_KEY": "key",
            "VENICE_BASE_URL": sandbox.url,
            **variables,
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(1500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


async def ask(http, url, number=0):
    """The status and the body; the status 0 where the answer was cut off."""
    try:
        async with http.get(f"{url}/image", params={"prompt": f"fox {number}", "seed": number}) as answer:
            return answer.status, await answer.read()
    except aiohttp.ClientPayloadError:
        return 0, b""


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_handed_through_and_counted(kind):
    async def main(url):
        async with aiohttp.ClientSession() as http:
            found = await asyncio.gather(*(ask(http, url, n) for n in range(5)))
            bad = (await http.get(f"{url}/image", params={"prompt": "x" * 1501})).status
            async with http.get(f"{url}/statistics") as answer:
                return found, bad, await answer.json()

    with Sandbox(latency=0, rpm=None) as sandbox, service(kind, sandbox) as (_, url):
        found, bad, told = asyncio.run(main(url))
    assert [status for status, _ in found] == [200] * 5
    assert all(body[8:12] == b"WEBP" for _, body in found)
    assert bad == 422
    assert (told["sent"], told["in_flight"], told["by_status"]) == (5, 0, {"200": 5})


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_breaks_off_reaches_the_caller_as_one_that_does(kind):
    """What is not whole is never taken for an image; a refusal has a status of its own."""

    async def main(url):
        async with aiohttp.ClientSession() as http:
            return [await ask(http, url, n) for n in range(3)]

    picture = b"\x89PNG\r\n\x1a\n" + bytes(3_000_000) + b"\0\0\0\0IEND\xaeB`\x82"
    faults = [Fault(truncated=True), Fault(status=400)]
    with Sandbox(latency=0, rpm=None, faults=faults, images=picture) as sandbox:
        with service(kind, sandbox) as (_, url):
            broken, refused, whole = asyncio.run(main(url))
    assert broken[0] in {0, 502}
    assert refused[0] == 502
    assert whole == (200, picture)


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_sigterm_every_accepted_call_is_answered(kind):
    async def main(process, url, sandbox):
        async with aiohttp.ClientSession() as http:
            calls = [asyncio.create_task(ask(http, url, n)) for n in range(8)]
            while sandbox.account.received < 8:  # noqa: ASYNC110 - in a server's thread
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            found = await asyncio.gather(*calls)
        return [status for status, _ in found]

    with Sandbox(latency=1.0, rpm=None) as sandbox, service(kind, sandbox) as (process, url):
        assert asyncio.run(main(process, url, sandbox)) == [200] * 8
        assert process.wait(20) in {0, -signal.SIGTERM}
        assert sandbox.account.billed == 8


@pytest.mark.parametrize("kind", KINDS)
def test_callers_who_hang_up_leave_nothing_in_flight(kind):
    async def main(url):
        async with aiohttp.ClientSession() as http:
            calls = [asyncio.create_task(ask(http, url, n)) for n in range(10)]
            await asyncio.sleep(0.3)
            for call in calls[::2]:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            for _ in range(300):
                async with http.get(f"{url}/statistics") as answer:
                    told = await answer.json()
                if not told["calls"]:
                    break
                await asyncio.sleep(0.02)
            return told, await ask(http, url)

    with Sandbox(latency=0.5, rpm=None) as sandbox, service(kind, sandbox) as (_, url):
        told, after = asyncio.run(main(url))
    assert (told["calls"], told["in_flight"], told["waiting"]) == (0, 0, {})
    assert after[0] == 200


def test_beyond_those_who_may_wait_a_caller_is_told_when_to_come_back():
    async def main(url):
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

            async def status(number):
                async with http.get(f"{url}/image", params={"prompt": f"fox {number}"}) as answer:
                    await answer.read()
                    return answer.status, answer.headers.get("Retry-After")

            return await asyncio.gather(*(status(n) for n in range(6)))

    with Sandbox(latency=0.5, rpm=None) as sandbox:
        with service("aiohttp", sandbox, CONCURRENCY="1", MAX_WAITING="2") as (_, url):
            found = asyncio.run(main(url))
    assert sorted(status for status, _ in found) == [200] * 3 + [503] * 3
    assert all(int(wait) >= 1 for status, wait in found if status == 503)
