"""A session that is used where it was not opened: what each of its calls says to that.

As a script it opens a session, buys an image, and forks; here nothing knows of the tests.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from functools import partial
from pathlib import Path

from venice_async import ImageRequest, VeniceError, VeniceSession, gather_generate

FOX = ImageRequest("a red fox", model="fluently-xl", width=64, height=64, seed=7)


async def _stream(venice):
    async with venice.stream(FOX) as image:
        async for _ in image:
            pass


async def tried(venice, folder):
    """The error of each call, by the call's name."""
    calls = {
        "generate": partial(venice.generate, FOX),
        "save": partial(venice.save, FOX, folder / "saved"),
        "stream": partial(_stream, venice),
        "batch": partial(gather_generate, venice, FOX, into=folder / "batch"),
        "models": venice.models,
        "drain": venice.drain,
    }
    told = {}
    for name, call in calls.items():
        try:
            told[name] = repr(await call())
        except VeniceError as exc:
            told[name] = f"{type(exc).__name__}: {exc}"
    return told


async def _in_the_child(venice, make_session, folder):
    told = await tried(venice, folder)
    await venice.__aexit__(None, None, None)
    async with make_session() as own:
        told["own"] = (await own.generate(FOX)).image.format
    return told


def _forked(venice, make_session, folder):
    """What the child tells."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            told = asyncio.run(_in_the_child(venice, make_session, folder))
            os.write(writing, json.dumps(told).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = json.loads(pipe.read() or b"{}")
    os.waitpid(child, 0)
    return told


async def _main(url, folder):
    make_session = partial(VeniceSession, base_url=url, rate_limit=None, guard=None)
    async with make_session() as venice:
        await venice.save(FOX, folder / "before")
        told = _forked(venice, make_session, folder)
        await venice.save(FOX, folder / "after")
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], Path(sys.argv[2])))
