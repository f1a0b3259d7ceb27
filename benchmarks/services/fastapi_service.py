"""The same with FastAPI: `uvicorn benchmarks.services.fastapi_service:app`.

The session lives as long as the application; each answer is handed on while it comes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import attrs
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse

from venice_async import (
    ImageRequest,
    PoolFullError,
    Priority,
    RequestTimeoutError,
    ValidationError,
    VeniceError,
    VeniceSession,
)

__all__ = ["app"]

_STATUS: dict[type[VeniceError], int] = {PoolFullError: 503, RequestTimeoutError: 504}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with VeniceSession(concurrency=64, max_waiting=1000) as venice:
        app.state.venice = venice
        yield
        await venice.drain(60)


app = FastAPI(lifespan=_lifespan)


@app.get("/image")
async def image(request: Request, prompt: str, model: str = "z-image-turbo", seed: int | None = None) -> Any:
    """The image, streamed from the API to the caller."""
    try:
        wanted = ImageRequest(prompt, model=model, seed=seed)
    except ValidationError as exc:
        raise HTTPException(422, str(exc)) from exc
    async with AsyncExitStack() as stack:
        stream = request.app.state.venice.stream(wanted, priority=Priority.INTERACTIVE, timeout=120)
        try:
            picture = await stack.enter_async_context(stream)
        except VeniceError as exc:
            raise HTTPException(_STATUS.get(type(exc), 502), str(exc)) from exc
        whole = stack.pop_all()  # open until the last byte is sent

    async def chunks() -> AsyncIterator[bytes]:
        async with whole:
            async for chunk in picture:
                yield chunk

    return StreamingResponse(chunks(), media_type=f"image/{picture.format}")


@app.get("/health")
async def health() -> dict[str, bool]:
    """200 while it runs."""
    return {"ending": False}


@app.get("/statistics")
async def statistics(request: Request) -> dict[str, Any]:
    """What its session does."""
    return attrs.asdict(request.app.state.venice.statistics())
