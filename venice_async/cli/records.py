"""Outcomes as JSON objects, for `--json`."""

from __future__ import annotations

from typing import Any

import attrs
import orjson

from venice_async.errors import ContentBlockedError, StatusError, VeniceError
from venice_async.types.outcome import Generated, Outcome, Skipped
from venice_async.types.request import ImageRequest
from venice_async.wire.codec import encode_request

__all__ = ["record_of"]

# Pictures in base64: whoever sent them has them.
_LEFT_OUT = ("inpaint", "style_references")


def record_of(outcome: Outcome) -> dict[str, Any]:
    """Everything an outcome tells but the pictures that were sent along."""
    record: dict[str, Any] = {
        "outcome": type(outcome).__name__.lower(),
        "index": outcome.index,
        "request": None if outcome.request is None else _request(outcome.request),
    }
    if isinstance(outcome, Skipped):
        there, gone = ([str(path) for path in paths] for paths in (outcome.paths, outcome.missing))
        return {**record, "paths": there, "missing": gone}
    if isinstance(outcome, Generated):
        told = attrs.asdict(outcome.answer, filter=lambda field, _: field.name != "request")
        paths = [str(path) for path in told.pop("paths")]
        return {**record, "paths": paths, **told}
    return {**record, "error": _error(outcome.error), "billed": getattr(outcome, "billed", None)}


def _request(request: ImageRequest) -> dict[str, Any]:
    fields: dict[str, Any] = orjson.loads(encode_request(request))
    return {name: value for name, value in fields.items() if name not in _LEFT_OUT}


def _error(error: VeniceError) -> dict[str, Any]:
    told: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
    if isinstance(error, ContentBlockedError):
        told |= {"request_id": error.request_id, "moderation": attrs.asdict(error.moderation)}
    if isinstance(error, StatusError):
        told |= {"status": error.status, "code": error.code, "request_id": error.request_id}
    return told
