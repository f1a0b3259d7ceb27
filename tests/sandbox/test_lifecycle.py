"""Starting, and leaving nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import aiohttp
import pytest
import trustme

from venice_async.sandbox import Fault, Sandbox

KEY = {"Authorization": "Bearer k"}


def is_open(url):
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_on_the_current_loop():
    """`async with` serves on the loop it is entered on, starts no thread for that, and frees the port."""

    async def main():
        async with Sandbox() as sandbox, aiohttp.ClientSession() as http:
            assert sandbox.url.startswith("http://127.0.0.1:")
            assert sandbox.url.endswith("/api/v1")
            async with http.get(f"{sandbox.url}/image/styles") as answer:
                assert answer.status == 200
            assert not [one for one in threading.enumerate() if one.name.startswith("venice-sandbox")]
            return sandbox.url

    assert not is_open(asyncio.run(main()))


def test_in_a_thread():
    """`with` serves in a daemon thread of its own, which is gone afterwards."""
    threads = set(threading.enumerate())
    with Sandbox() as sandbox:
        (mine,) = set(threading.enumerate()) - threads
        assert mine.daemon
        with urlopen(f"{sandbox.url}/image/styles", timeout=30) as answer:
            assert answer.status == 200
        url = sandbox.url
    assert set(threading.enumerate()) == threads
    assert not is_open(url)


def test_in_a_thread_while_a_loop_runs(call, small):
    """`with` also works inside of a running event loop."""

    async def main():
        with Sandbox(latency=0) as sandbox:
            return await asyncio.to_thread(call, sandbox, small)

    assert asyncio.run(main()).status == 200


def test_many_at_once(call, small):
    """Sandboxes do not know of each other."""
    with contextlib.ExitStack() as stack:
        several = [stack.enter_context(Sandbox(latency=0)) for _ in range(4)]
        assert len({sandbox.url for sandbox in several}) == 4
        call(several[0], small)
        assert [sandbox.account.received for sandbox in several] == [1, 0, 0, 0]


def test_the_url_exists_inside_of_the_block():
    """Before and after the block there is no URL, and the error says so."""
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match=r"not started.*with Sandbox"):
        _ = sandbox.url
    with sandbox:
        assert sandbox.url
    with pytest.raises(RuntimeError, match="closed"):
        _ = sandbox.url


def test_entering_twice():
    """A sandbox that runs or has run is not entered again, and does not suffer from the attempt."""

    async def enter(sandbox):
        async with sandbox:
            raise AssertionError

    sandbox = Sandbox()
    with sandbox:
        with pytest.raises(RuntimeError, match="is running: it can be entered only once"), sandbox:
            raise AssertionError
        with pytest.raises(RuntimeError, match="is running: it can be entered only once"):
            asyncio.run(enter(sandbox))
        assert is_open(sandbox.url)
    with pytest.raises(RuntimeError, match="is closed: it can be entered only once"), sandbox:
        raise AssertionError


def test_a_port_that_is_taken():
    """A port of the caller's choice is used; if it is taken, entering fails and leaves nothing behind."""

    async def enter():
        async with Sandbox(port=port):
            raise AssertionError

    threads = threading.active_count()
    with Sandbox() as first:
        port = urlsplit(first.url).port
        with pytest.raises(OSError, match=str(port)), Sandbox(port=port):
            raise AssertionError
        with pytest.raises(OSError, match=str(port)):
            asyncio.run(enter())
        assert is_open(first.url)
    with Sandbox(port=port) as again:
        assert urlsplit(again.url).port == port
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    "arguments",
    [
        {"rpm": 0},
        {"window": 0},
        {"algorithm": "sliding"},
        {"burst": 2},
        {"limit_scope": "key"},
        {"abuse_window": 0},
        {"latency": -1},
        {"latency": float("nan")},
        {"profile": "strict"},
        {"profile": "schema"},
        {"rpd": 0},
        {"day": 0},
        {"max_body": 0},
        {"balance_usd": -1},
        {"balance_usd": "much"},
        {"balance_usd": float("inf")},
        {"faults": ["nonsense"]},
        {"keep_requests": -1},
    ],
)
def test_bad_arguments(arguments):
    """An argument out of its range is refused when the sandbox is made."""
    with pytest.raises(ValueError, match=r".+"):
        Sandbox(**arguments)


def test_tls(small):
    """With a TLS context the URL is https and the server is reached under it; resets work there too."""
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)

    async def main():
        async with (
            Sandbox(ssl_context=server, latency=0) as sandbox,
            aiohttp.ClientSession(headers=KEY) as http,
        ):
            assert sandbox.url.startswith("https://127.0.0.1:")
            url = f"{sandbox.url}/image/generate"
            async with http.post(url, json=small, ssl=client) as answer:
                assert (answer.status, len((await answer.json())["images"])) == (200, 1)
            sandbox.script(Fault(reset="before"))
            with pytest.raises(aiohttp.ClientConnectionError):
                await http.post(url, json=small, ssl=client)
            assert sandbox.account.broken == 1

    asyncio.run(main())


def request_bytes(sandbox, body):
    url, data = urlsplit(sandbox.url), json.dumps(body).encode()
    head = f"POST {url.path}/image/generate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


def hanging_connections(sandbox, small):
    """Open connections that keep a server busy: silent, half a request, waiting, and not reading."""
    url = urlsplit(sandbox.url)
    whole = request_bytes(sandbox, small)
    big = request_bytes(sandbox, {**small, "prompt": "big"})
    sandbox.script(Fault(body=bytes(30_000_000)), times=None, when=lambda body: body["prompt"] == "big")
    sandbox.script(Fault(delay=3600), times=4)
    sandbox.script(Fault(drip=1), times=4)
    found = []
    for data in (b"", b"POST", whole[:-5], *[whole] * 8, big, big):
        connection = socket.create_connection((url.hostname, url.port), timeout=30)
        connection.sendall(data)
        found.append(connection)
    return found


@pytest.mark.parametrize("way", ["async", "thread"])
def test_closing_with_hangers_is_quick_and_clean(small, way, capfd):
    """Whatever clients and faults are doing, closing is quick and leaves no task, thread or socket."""

    def wait_for_hangers(sandbox):
        while sandbox.account.in_flight < 11 or sandbox.account.billed < 10:
            yield

    async def on_this_loop():
        async with Sandbox(latency=0, rpm=None) as sandbox:
            connections = await asyncio.to_thread(hanging_connections, sandbox, small)
            for _ in wait_for_hangers(sandbox):
                await asyncio.sleep(0.005)
            connections.pop(4).close()
            began = time.monotonic()
        took = time.monotonic() - began
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return sandbox, connections, took

    def in_a_thread():
        with Sandbox(latency=0, rpm=None) as sandbox:
            connections = hanging_connections(sandbox, small)
            for _ in wait_for_hangers(sandbox):
                time.sleep(0.005)
            connections.pop(4).close()
            began = time.monotonic()
        return sandbox, connections, time.monotonic() - began

    threads = set(threading.enumerate())
    sandbox, connections, took = asyncio.run(on_this_loop()) if way == "async" else in_a_thread()
    assert took < 2
    assert sandbox.account.in_flight == 0
    assert sandbox.account.broken == 11
    assert set(threading.enumerate()) == threads
    for connection in connections:
        with connection, contextlib.suppress(ConnectionResetError):
            while connection.recv(1 << 20):
                pass
    gc.collect()
    assert capfd.readouterr() == ("", "")


def test_closing_while_a_painter_runs(small):
    """A painter that takes its time is not waited for longer than a second or so."""
    release, began = threading.Event(), threading.Event()

    def slow(body):
        began.set()
        release.wait(30)
        return b"x"

    async def main():
        async with Sandbox(images=slow, latency=0) as sandbox:
            url = urlsplit(sandbox.url)
            _, writer = await asyncio.open_connection(url.hostname, url.port)
            writer.write(request_bytes(sandbox, small))
            await asyncio.to_thread(began.wait, 30)
            started = time.monotonic()
        took = time.monotonic() - started
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        return took

    try:
        assert asyncio.run(main()) < 2
    finally:
        release.set()


def test_a_cancelled_block_closes_all_the_same():
    """Cancelling the task that holds a sandbox closes it and stays a cancellation."""

    async def hold(entered):
        async with Sandbox() as sandbox:
            entered.set_result(sandbox.url)
            await asyncio.sleep(3600)

    async def main():
        entered = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(hold(entered))
        url = await entered
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return url

    assert not is_open(asyncio.run(main()))


def test_an_exception_of_the_block_is_left_as_it_is():
    """What a block raises comes out unchanged, and the sandbox is closed."""
    with pytest.raises(KeyError), Sandbox() as sandbox:
        raise KeyError("mine")
    assert "closed" in repr(sandbox)


def test_signal_handlers_are_left_alone():
    """Neither way of entering touches the process's signal handlers."""

    async def main():
        async with Sandbox():
            return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    async def nothing():
        return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    assert asyncio.run(main())[1] == asyncio.run(nothing())[1]
    before = signal.getsignal(signal.SIGINT)  # which whoever started the tests may have had ignored
    with Sandbox():
        assert signal.getsignal(signal.SIGINT) == before


def test_a_program_ends_without_a_word(small):
    """A whole program in development mode, with warnings as errors, ends without a line on stderr."""
    program = f"""
import asyncio, aiohttp
from venice_async.sandbox import Fault, Sandbox
async def main():
    asyncio.get_running_loop().slow_callback_duration = 60  # a slow machine is no fault of the program
    async with Sandbox(faults=["reset:body", "truncated", "503"], latency=0) as sandbox:
        async with aiohttp.ClientSession(headers={KEY!r}) as http:
            for _ in range(4):
                try:
                    async with http.post(sandbox.url + "/image/generate", json={small!r}) as answer:
                        await answer.read()
                except aiohttp.ClientError:
                    pass
asyncio.run(main())
with Sandbox() as sandbox:
    pass
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
