"""What all tests share: nothing is left behind, no key comes from outside, and a server made of raw bytes."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import psutil
import pytest

from venice_async import ImageRequest

pytest.register_assert_rewrite("tests.jobs", "tests.faults")

from .jobs import Nursery  # noqa: E402 - the asserts in it tell what they compare

PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8 + PNG_END
WEBP = b"RIFF\x08\x08\x00\x00WEBPVP8 " + bytes(range(256)) * 8

# The body of the reference page's own example, with the shell's quoting of its apostrophes undone.
CURL_BODY = {
    "model": "fluently-xl",
    "prompt": "A beautiful sunset over a mountain range",
    "negative_prompt": "Clouds, Rain, Snow",
    "style_preset": "3D Model",
    "height": 1024,
    "width": 1024,
    "steps": 30,
    "cfg_scale": 7.5,
    "seed": 123456789,
    "lora_strength": 50,
    "safe_mode": False,
    "return_binary": False,
    "hide_watermark": False,
    "inpaint": {
        "strength": 50,
        "source_image_base64": "...",
        "mask": {
            "image_prompt": (
                "Generate a high-resolution image of a cute lop-eared rabbit with a fluffy coat. The"
                " rabbit should have a light brown and white fur pattern, with the white fur"
                " prominently covering its chest and underside. Its ears should be long and droop down"
                " on either side of its head, with the inner part of the ears showing a delicate pink"
                " hue. The rabbit should have expressive dark eyes and a small, pink nose. It should"
                " be sitting upright on a soft, light blue cushion, with a cozy, indoor setting in the"
                " background that includes a neutral-toned wall and wooden elements. The overall mood"
                " should be warm and endearing, capturing the gentle and charming nature of the"
                " rabbit."
            ),
            "object_target": "rabbit's face",
            "inferred_object": "rabbit's face wearing round silver spectacles",
        },
    },
}


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the tests marked long whole; it takes minutes")


@pytest.fixture
def long(request):
    """Whether a test that is marked long runs whole."""
    return request.config.getoption("--long")


@pytest.fixture(scope="session")
def what_opens_once():
    """Let uvloop open, before anything is counted, the pipe that it keeps for the process's life.

    And have the garbage collector look past the modules that are loaded: a look at all of them takes longer
    than most tests.
    """
    gc.collect()
    gc.freeze()
    with suppress(ImportError):
        import uvloop

        uvloop.run(asyncio.sleep(0))


@pytest.fixture(autouse=True)
def nothing_left_behind(request, what_opens_once):
    """Fail a test that leaves behind a thread of the library, an open descriptor or a temporary file."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    process = psutil.Process()
    before = process.num_fds()
    yield
    left = _left(process, before)
    if left:
        # What is only waiting for the garbage collector, or for the other end of a socket, is no leak.
        gc.collect()
        until = time.monotonic() + 3
        while (left := _left(process, before)) and time.monotonic() < until:
            time.sleep(0.02)
    parts = [] if folder is None else sorted(map(str, folder.rglob("*.part")))
    assert not left, f"left behind: {left}"
    assert not parts, f"left behind: {parts}"


def _left(process, before):
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("venice-async-")]
    if process.num_fds() <= before:
        return threads
    descriptors = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            descriptors.append(f"{entry.name} -> {entry.readlink()}")
    return [*threads, f"{process.num_fds() - before} more descriptors, of", *descriptors]


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    """Neither a key, an address nor a model comes from the environment of whoever runs the tests."""
    for name in ("VENICE_API_KEY", "VENICE_BASE_URL", "VENICE_MODEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """Run a coroutine on asyncio's own event loop, and on uvloop's."""
    return asyncio.run if request.param == "asyncio" else pytest.importorskip("uvloop").run


@pytest.fixture
def until():
    """Wait until something is so."""

    async def wait(condition):
        for _ in range(2000):
            if condition():
                return
            await asyncio.sleep(0.005)
        pytest.fail("it never came to be")

    return wait


@pytest.fixture
def png():
    return PNG


@pytest.fixture
def png_of():
    """A file that begins and ends as a PNG does, of so many bytes."""
    return lambda size: PNG[:8] + bytes(size - 8 - len(PNG_END)) + PNG_END


@pytest.fixture
def webp():
    return WEBP


@pytest.fixture
def curl_body():
    return json.loads(json.dumps(CURL_BODY))


@pytest.fixture
def fox():
    """A request for a small picture."""
    return ImageRequest("a red fox", model="fluently-xl", width=64, height=64)


class RawServer:
    """A server that answers every connection with what a coroutine function writes.

    Attributes:
        url: The base URL.
        connections: How many connections were accepted.
        received: What each of them has sent, as one bytearray each.
    """

    def __init__(self, handler, *, ssl=None, receive_buffer=None):
        self._handler = handler
        self._ssl = ssl
        self._receive_buffer = receive_buffer
        self._tasks = set()
        self._writers = set()
        self.connections = 0
        self.received = []

    async def __aenter__(self):
        listening = socket.socket()
        if self._receive_buffer is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        listening.bind(("127.0.0.1", 0))
        scheme = "http" if self._ssl is None else "https"
        self.port = listening.getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}/api/v1"
        self._server = await asyncio.start_server(self._serve, sock=listening, ssl=self._ssl)
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            with suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader, writer):
        self.connections += 1
        self._tasks.add(asyncio.current_task())
        self._writers.add(writer)
        self.received.append(bytearray())
        try:
            await self._handler(_Connection(reader, writer, self.received[-1]))
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()
            self._tasks.discard(asyncio.current_task())


class _Connection:
    """One connection of a raw server."""

    def __init__(self, reader, writer, received):
        self._reader = reader
        self.writer = writer
        self._received = received

    async def read_some(self):
        """The next bytes that come; EOFError at their end."""
        data = await self._reader.read(65536)
        if not data:
            raise EOFError
        self._received += data
        return data

    async def read_request(self):
        """One whole request: its head and its body."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += await self.read_some()
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            body += await self.read_some()
        return head, body

    async def send(self, data):
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body, content_type="image/png", status="200 OK", headers=""):
        """Send a whole answer."""
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{headers}"
        )
        await self.send(head.encode() + b"\r\n" + body)

    async def hang(self):
        """Say nothing any more, until the client leaves."""
        while True:
            await self.read_some()

    def reset(self):
        """Break the connection with a TCP RST."""
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.writer.transport.abort()


@pytest.fixture(scope="session")
def command_tree():
    """How typer makes the commands of an app: once, because that takes longer than most of them."""
    import typer.main

    return cache(typer.main.get_command)


@pytest.fixture
def called(monkeypatch, capfd, tmp_path, command_tree):
    """Call the command in this process: its exit code, its output and its messages."""
    from venice_async.cli import app as commands

    monkeypatch.setattr("typer.main.get_command", command_tree)

    def call(*arguments, **variables):
        for name, value in {"NO_COLOR": "1", "COLUMNS": "200", **variables}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["venice-async", *map(str, arguments)])
        code = commands.run()
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.fixture
def unused_port():
    """A port of this machine on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def raw_server():
    return RawServer


@pytest.fixture
def json_answer():
    """The body of a JSON answer with these images."""

    def build(*images, **fields):
        timing = dict.fromkeys(
            ("inferenceDuration", "inferencePreprocessingTime", "inferenceQueueTime", "total"), 1
        )
        encoded = [base64.b64encode(image).decode() for image in images]
        return json.dumps({"id": "generate-image-1", "images": encoded, "timing": timing, **fields}).encode()

    return build


_SERVER = """
import sys
from venice_async.sandbox import Sandbox
size = int(sys.argv[2])
head, end = b"\\x89PNG\\r\\n\\x1a\\n" + b"\\0" * 1016, b"\\0\\0\\0\\0IEND\\xaeB`\\x82"
image = (head + b"venice" * (size // 6 + 1))[: size - len(end)] + end if size else None
with Sandbox(latency=float(sys.argv[1]), rpm=None, images=image) as sandbox:
    print(sandbox.url, flush=True)
    for line in sys.stdin:
        account = sandbox.account
        print(account.received, account.peak_in_flight, flush=True)
"""


class _Elsewhere:
    """A sandbox in a process of its own."""

    def __init__(self, process):
        self._process = process
        self.url = process.stdout.readline().strip()

    def counts(self):
        """How many requests came, and how many were in flight at most."""
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        return tuple(map(int, self._process.stdout.readline().split()))


@pytest.fixture
def sandbox_elsewhere():
    """Start a sandbox in a process of its own: its memory and its blocking calls are not the client's."""

    @contextmanager
    def start(*, latency=0.0, image_size=0):
        command = [sys.executable, "-c", _SERVER, str(latency), str(image_size)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        ) as process:
            try:
                yield _Elsewhere(process)
            finally:
                process.stdin.close()
                process.wait(30)

    return start


@pytest.fixture(scope="session")
def nursery(tmp_path_factory):
    """Where processes come from that run a batch and are killed in the middle of it."""
    with Nursery(tmp_path_factory.mktemp("nursery")) as started:
        yield started


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where everything is installed, a skipped test is a failure: it hides a missing part."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped under CI=true: {report.longrepr}"
    return report
