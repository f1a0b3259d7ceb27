"""The API's words for no: statuses, codes, messages and the shape of the body.

1. A refusal is raised where it is found and becomes an answer in one place (`routes.py`).
2. The tables hold what is said when nothing more exact is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import orjson

__all__ = ["CODES", "RefusalError", "error_body", "html_page", "message_for"]

CODES: Mapping[int, str] = MappingProxyType(
    {
        400: "INVALID_REQUEST",
        401: "AUTHENTICATION_FAILED",
        402: "INSUFFICIENT_BALANCE",
        403: "UNAUTHORIZED",
        404: "MODEL_NOT_FOUND",
        413: "PAYLOAD_TOO_LARGE",
        415: "INVALID_CONTENT_TYPE",
        422: "CONTENT_POLICY_VIOLATION",
        429: "RATE_LIMIT_EXCEEDED",
        500: "INFERENCE_FAILED",
        503: "MODEL_AT_CAPACITY",
        504: "REQUEST_TIMEOUT",
    }
)

_MESSAGES: Mapping[int, str] = MappingProxyType(
    {
        400: "Invalid request parameters",
        401: "Authentication failed",
        402: "Insufficient USD or Diem balance to complete request. Visit the account page to add credits.",
        403: "Unauthorized access",
        404: "Specified model not found",
        413: "The request payload is too large",
        415: "Invalid content type: application/json is expected",
        422: "Your prompt violates the content policy",
        429: "Rate limit exceeded. Please wait until the limit resets and try again.",
        500: "Inference processing failed",
        503: "The model is at capacity. Please try again later.",
        504: "The request took too long to process",
    }
)


class RefusalError(Exception):
    """A request that is answered with an error.

    Args:
        status: The HTTP status.
        message: The text for people; the API's usual one for the status when empty.
        code: The machine's word; the API's usual one for the status when None, no code when empty.
        extra: Further keys of the body.
        headers: Further header fields of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str = "",
        *,
        code: str | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message)
        self.status = status
        self.body = error_body(status, message, code=code, extra=extra)
        self.headers = dict(headers or {})


def error_body(
    status: int, message: str = "", *, code: str | None = None, extra: Mapping[str, Any] | None = None
) -> bytes:
    """Write the JSON body of an error, by the rules of `RefusalError`."""
    body: dict[str, Any] = {"error": message or message_for(status)}
    if word := CODES.get(status, "") if code is None else code:
        body["code"] = word
    return orjson.dumps(body | dict(extra or {}))


def message_for(status: int) -> str:
    """Give the API's usual message for a status, or HTTP's own, or a plain one."""
    if status in _MESSAGES:
        return _MESSAGES[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def html_page(status: int) -> bytes:
    """Write the HTML page of a proxy that stands in front of the API."""
    title = f"{status} {message_for(status)}"
    return (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n"
        f"<body><center><h1>{title}</h1></center><hr><center>cloudflare</center></body></html>\n"
    ).encode()
