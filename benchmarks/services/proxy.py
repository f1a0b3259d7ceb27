"""A bare aiohttp proxy that hands the same images through: what a service's loop cannot do without.

It asks for a raw image with one request of its own, checks nothing and tries nothing again.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from .probe import add_probe

__all__ = ["make_app"]

_HTTP = web.AppKey("http", aiohttp.ClientSession)


async def _http(app: web.Application) -> AsyncIterator[None]:
    connector = aiohttp.TCPConnector(limit=64)
    async with aiohttp.ClientSession(connector=connector) as app[_HTTP]:
        yield


async def _image(request: web.Request) -> web.StreamResponse:
    wanted = {"prompt": request.query["prompt"], "model": "z-image-turbo", "seed": int(request.query["seed"])}
    url = f"{os.environ['VENICE_BASE_URL']}/image/generate"
    headers = {"Authorization": f"Bearer {os.environ['VENICE_API_KEY']}"}
    try:
        async with request.app[_HTTP].post(url, json=wanted, headers=headers) as answer:
            response = web.StreamResponse(status=answer.status)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response
    except aiohttp.ClientOSError:  # the server has broken the connection
        return web.Response(status=502)
    except ConnectionResetError:  # the caller has hung up
        return web.Response(status=499)


def make_app() -> web.Application:
    """The application."""
    app = web.Application()
    app.cleanup_ctx.append(_http)
    app.router.add_get("/image", _image)
    add_probe(app)
    return app


if __name__ == "__main__":
    web.run_app(make_app(), host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
