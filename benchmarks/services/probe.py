"""How late the turns of a service's event loop are, and how much memory it has: `GET /probe`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import psutil
from aiohttp import web

__all__ = ["add_probe"]

_LATE = web.AppKey("late", list[float])
_EVERY = 0.005  # seconds


async def _measure(late: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        wanted = loop.time() + _EVERY
        await asyncio.sleep(_EVERY)
        late.append(loop.time() - wanted)


async def _probing(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(_measure(app[_LATE]))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _probe(request: web.Request) -> web.Response:
    late = sorted(request.app[_LATE])
    request.app[_LATE].clear()
    told = {
        name: late[int(share * (len(late) - 1))] for name, share in (("p50", 0.5), ("p99", 0.99), ("most", 1))
    }
    return web.json_response({**told, "rss": psutil.Process().memory_info().rss})


def add_probe(app: web.Application) -> None:
    """Have an application tell how late its loop is."""
    app[_LATE] = [0.0]
    app.cleanup_ctx.append(_probing)
    app.router.add_get("/probe", _probe)
