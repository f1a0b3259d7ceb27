"""Where the requests of a row go: a sandbox, or a server of raw bytes.

1. A place keeps the account that a row is judged by: who came whole, and who was charged for.
2. Each picture is painted for its seed, so that one that went astray is seen.
3. A place strikes the requests whose seed is in `seeds`, and serves all others well.
"""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from typing import Any, Protocol

from attrs import define, field, frozen
from PIL import Image

from venice_async.sandbox import Fault, Sandbox

ONE = frozenset({1})
ALL = frozenset(range(1000))


@cache
def picture(seed, kind="webp"):
    """A picture that no other seed has."""
    out = io.BytesIO()
    noise = bytes((seed * 37 + n * n) % 251 for n in range(16 * 16 * 3))
    Image.frombytes("RGB", (16, 16), noise).save(out, kind, **({"lossless": True} if kind == "webp" else {}))
    return out.getvalue()


def pictures(folder):
    """The files of a directory that are no part of a job's own."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".venice" not in path.parts)
    return [path for path in found if path.name != "metadata.jsonl"]


@define
class Place:
    """A place while it is open.

    Attributes:
        url: The base URL.
        options: Of the session, to get there.
        received: Requests that came whole.
        billed: How often a seed was charged for.
        strangers: Connections that somebody got who must get none.
    """

    url: str
    options: Mapping[str, Any] = field(factory=dict)
    received: int = 0
    billed: Counter[int] = field(factory=Counter)
    strangers: int = 0


class How(Protocol):
    """What a server or the network does."""

    def open(self, raw_server: Any) -> AbstractAsyncContextManager[Place]:
        """Let it be so for the length of the block."""
        ...


def note_account(sandbox, place):
    """What a sandbox has seen, as it stands at its end."""
    place.received = sandbox.account.received
    place.billed = Counter(record.body["seed"] for record in sandbox.requests if record.billed)
    assert sandbox.account.billed == place.billed.total()


@frozen
class Api:
    """The sandbox, with faults.

    Args:
        faults: What strikes, in this order.
        times: How many requests each of them strikes; None for all.
        seeds: Whom they strike.
        options: Of the sandbox.
    """

    faults: tuple[Fault, ...] = field(converter=lambda given: given if isinstance(given, tuple) else (given,))
    times: int | None = None
    seeds: frozenset[int] = ONE
    options: Mapping[str, Any] = field(factory=dict, kw_only=True)

    @asynccontextmanager
    async def open(self, raw_server):
        """Serve."""
        usual = {"rpm": None, "latency": 0, "abuse_rule": False, "images": _painted}
        async with Sandbox(**usual | self.options) as sandbox:
            for fault in self.faults:
                sandbox.script(fault, self.times, lambda body: body["seed"] in self.seeds)
            place = Place(sandbox.url)
            yield place
            note_account(sandbox, place)


def _painted(body):
    return picture(body["seed"], body.get("format", "webp"))


def json_body(*images, **fields):
    """An answer's body with images in base64, as bytes or as the text that stands for them."""
    timing = dict.fromkeys(
        ("inferenceDuration", "inferencePreprocessingTime", "inferenceQueueTime", "total"), 1
    )
    texts = [base64.b64encode(image).decode() if isinstance(image, bytes) else image for image in images]
    return json.dumps({"id": "generate-image-1", "images": texts, "timing": timing} | fields).encode()


def head(*lines, status="200 OK", kind="application/json"):
    """An answer's head, up to its empty line."""
    return "\r\n".join((f"HTTP/1.1 {status}", f"Content-Type: {kind}", *lines, "", "")).encode()


def whole(body, *lines, **options):
    """A whole answer."""
    return head(f"Content-Length: {len(body)}", *lines, **options) + body


@frozen
class Wire:
    """A server of raw bytes.

    Args:
        write: Answers whom it strikes, given the connection and the right picture. The connection is closed
            after that, unless it returns true.
        seeds: Whom it strikes.
        free: Whether those are not charged for.
        server: Options of the raw server.
    """

    write: Callable[[Any, bytes], Awaitable[object]]
    seeds: frozenset[int] = ONE
    free: bool = field(default=False, kw_only=True)
    server: Mapping[str, Any] = field(factory=dict, kw_only=True)

    @asynccontextmanager
    async def open(self, raw_server):
        """Serve."""
        place = Place("")
        async with raw_server(self.handler(place), **self.server) as server:
            place.url = server.url
            yield place

    def handler(self, place):
        """What serves a connection, and keeps a place's account."""

        async def handle(connection):
            while True:
                start, body = await connection.read_request()
                if start.startswith(b"GET"):
                    await connection.answer(b'{"data": []}', "application/json")
                    continue
                seed = json.loads(body)["seed"]
                struck = seed in self.seeds
                place.received += 1
                if not (struck and self.free):
                    place.billed[seed] += 1
                right = picture(seed)
                if not struck:
                    await connection.answer(json_body(right), "application/json")
                elif not await self.write(connection, right):
                    return

        return handle


def sends(make):
    """Sends what is made of the right picture, and closes."""

    async def write(connection, right):
        await connection.send(make(right))

    return write


def goes_on(make):
    """Sends what is made of the right picture, and takes the connection's next request."""

    async def write(connection, right):
        await connection.send(make(right))
        return True

    return write
