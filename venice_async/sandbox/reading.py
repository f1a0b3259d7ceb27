"""From the bytes of a request to the fields of a wish.

1. What cannot be read is refused here; what may not be asked for is refused elsewhere.
2. Long bodies are parsed in a thread: parsing would hold up the loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from .account import RequestRecord, abbreviate
from .catalogue import DEFAULT_MODEL, MODELS, TRAITS
from .refusal import RefusalError
from .state import State

__all__ = ["in_venices_words", "read_json"]

_LONG_BODY = 256 * 1024

_OPENAI_DEFAULT_SIZE = "1024x1024"


async def read_json(state: State, request: web.Request, record: RequestRecord) -> Any:
    """Read and parse the body, and note it in the record.

    Raises:
        RefusalError: It is too long, no JSON, or does not say that it is.
    """
    if request.content_type != "application/json":
        status = state.profile.wrong_content_type
        raise RefusalError(status, "Invalid content type: application/json is expected")
    raw = await _read(request, state.max_body)
    try:
        body = orjson.loads(raw) if len(raw) <= _LONG_BODY else await state.workers.run(orjson.loads, raw)
    except orjson.JSONDecodeError as error:
        raise RefusalError(400, f"Malformed JSON: {error}") from None
    record.body = abbreviate(body, len(raw))
    return body


async def _read(request: web.Request, limit: int) -> bytearray:
    if request.content_length is not None and request.content_length > limit:
        raise RefusalError(413)
    raw = bytearray()
    try:
        async for chunk in request.content.iter_any():
            raw += chunk
            if len(raw) > limit:
                raise RefusalError(413)
    except (ConnectionError, web.RequestPayloadError):
        raise RefusalError(400, "The request body ended early") from None
    return raw


def in_venices_words(body: Mapping[str, Any]) -> dict[str, Any]:
    """Say a valid body of the OpenAI shape in the words of /image/generate."""
    size = body.get("size") or _OPENAI_DEFAULT_SIZE
    width, height = (_OPENAI_DEFAULT_SIZE if size == "auto" else size).split("x")
    model = body.get("model", DEFAULT_MODEL)
    return {
        "model": model if TRAITS.get(model, model) in MODELS else DEFAULT_MODEL,
        "prompt": body["prompt"],
        "width": int(width),
        "height": int(height),
        "format": body.get("output_format", "png"),
        "safe_mode": body.get("moderation") != "low",
    }
