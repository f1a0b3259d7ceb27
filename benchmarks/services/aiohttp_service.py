"""An aiohttp application that hands images through as they arrive.

    python -m benchmarks.services.aiohttp_service

    GET /image?prompt=...&seed=...      the image, streamed from the API to the caller
    GET /health                         200 while it takes calls, 503 while it ends
    GET /statistics                     what its session does, as JSON

A SIGTERM stops it gracefully: no new calls, and those that were accepted are answered.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from math import ceil

import attrs
from aiohttp import web

from venice_async import (
    ImageRequest,
    PoolFullError,
    Priority,
    RequestTimeoutError,
    ValidationError,
    VeniceError,
    VeniceSession,
)

__all__ = ["make_app"]

VENICE = web.AppKey("venice", VeniceSession)
ENDING = web.AppKey("ending", list[bool])
_DRAIN = 60.0  # seconds
_TIME = 120.0  # seconds for a call


async def _venice(app: web.Application) -> AsyncIterator[None]:
    options = app[OPTIONS]
    async with VeniceSession(**options) as app[VENICE]:
        yield


async def _drain(app: web.Application) -> None:
    app[ENDING].append(True)
    await app[VENICE].drain(_DRAIN)


OPTIONS = web.AppKey("options", dict[str, object])


def _refusal(status: int, error: VeniceError) -> web.Response:
    headers = {}
    if isinstance(error, PoolFullError):
        headers["Retry-After"] = str(ceil(error.wait or 1))
    return web.json_response(
        {"error": type(error).__name__, "message": str(error)}, status=status, headers=headers
    )


async def _image(request: web.Request) -> web.StreamResponse:
    venice = request.app[VENICE]
    seed = request.query.get("seed")
    try:
        wanted = ImageRequest(
            request.query.get("prompt", ""),
            model=request.query.get("model", "z-image-turbo"),
            seed=None if seed is None else int(seed),
        )
    except (ValidationError, ValueError) as exc:
        return web.json_response({"error": type(exc).__name__, "message": str(exc)}, status=422)
    try:
        async with venice.stream(wanted, priority=Priority.INTERACTIVE, timeout=_TIME) as image:
            response = web.StreamResponse(headers={"Content-Type": f"image/{image.format}"})
            await response.prepare(request)
            # What is raised from here on cuts the answer off: the caller sees that it is not whole.
            async for chunk in image:
                await response.write(chunk)
            await response.write_eof()
            return response
    except ConnectionResetError:  # the caller has hung up
        return web.Response(status=499)
    except PoolFullError as exc:
        return _refusal(503, exc)
    except RequestTimeoutError as exc:
        return _refusal(504, exc)
    except VeniceError as exc:
        if "response" in locals():
            raise
        return _refusal(502, exc)


async def _health(request: web.Request) -> web.Response:
    ending = bool(request.app[ENDING])
    return web.json_response({"ending": ending}, status=503 if ending else 200)


async def _statistics(request: web.Request) -> web.Response:
    return web.json_response(attrs.asdict(request.app[VENICE].statistics()))


def make_app(**options: object) -> web.Application:
    """The application; the options are its session's."""
    app = web.Application()
    app[OPTIONS] = options
    app[ENDING] = []
    app.cleanup_ctx.append(_venice)
    app.on_shutdown.append(_drain)
    app.router.add_get("/image", _image)
    app.router.add_get("/health", _health)
    app.router.add_get("/statistics", _statistics)
    return app


if __name__ == "__main__":
    # The benchmark's server locks nobody out, and its faults are to be seen at full load.
    unguarded: dict[str, object] = {"guard": None} if os.environ.get("NO_GUARD") else {}
    service = make_app(
        **unguarded,
        concurrency=int(os.environ.get("CONCURRENCY", "64")),
        max_waiting=int(os.environ.get("MAX_WAITING", "1000")),
    )
    if os.environ.get("PROBE"):
        from .probe import add_probe

        add_probe(service)
    web.run_app(
        service,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        shutdown_timeout=_DRAIN,
        print=None,
    )
