"""The API's words for no: statuses, codes, messages and the shape of the body.

1. A refusal is raised where it is found and becomes an answer in one place (`routes.py`).
2. The tables hold what is said when nothing more exact is known. The API of today tells most errors by
   their message alone; that of 2025 has a code for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import orjson
from attrs import frozen

__all__ = [
    "DISABLED",
    "INSUFFICIENT",
    "OVERLOADED",
    "PRIVACY",
    "PRO_ONLY",
    "REGION",
    "SPENT",
    "WORDS_2025",
    "WORDS_TODAY",
    "RefusalError",
    "Words",
    "html_page",
    "payment_required",
    "retired",
]

OVERLOADED = "The model is currently overloaded. Please try again later."
PRO_ONLY = "This model is only available to Pro users"
REGION = "This model is not available in your region"
PRIVACY = "The privacy setting of this API key does not allow this model"
DISABLED = "API access disabled"
INSUFFICIENT = "Insufficient USD or Diem balance to complete request. Visit the account page to add credits."
SPENT = "API key USD spend limit exceeded"

_BY_CODE: Mapping[str, str] = MappingProxyType(
    {
        "MODEL_OFFLINE": "The model is offline",
        "MODEL_OVERLOADED": OVERLOADED,
        "PRO_ONLY_MODEL": PRO_ONLY,
        "UNKNOWN_ERROR": "An unknown error occurred",
    }
)


@frozen
class Words:
    """What a server says for each status when nothing more exact is known.

    Attributes:
        codes: The machine's word; none where a status is not listed.
        messages: The text for people; HTTP's own where a status is not listed.
    """

    codes: Mapping[int, str]
    messages: Mapping[int, str]

    def body(
        self,
        status: int,
        message: str = "",
        *,
        code: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Write the JSON body of an error.

        Args:
            status: The HTTP status.
            message: The text for people; the usual one for the code or the status when empty.
            code: The machine's word; the usual one for the status when None, no code when empty.
            extra: Further keys of the body.
        """
        word = self.codes.get(status, "") if code is None else code
        known = (_BY_CODE.get(code) if code else None) or self.message(status)
        body: dict[str, Any] = {"error": message or known}
        if word:
            body["code"] = word
        return orjson.dumps(body | dict(extra or {}))

    def message(self, status: int) -> str:
        """Give the usual message for a status, or HTTP's own, or a plain one."""
        return self.messages.get(status) or _phrase(status)


_MESSAGES = {
    400: "Invalid request parameters",
    401: "Authentication failed",
    402: INSUFFICIENT,
    403: "Unauthorized access",
    404: "Specified model not found",
    413: "The request payload is too large",
    415: "Invalid content type: application/json is expected",
    429: "Rate limit exceeded",
    500: "Inference processing failed",
    503: "The model is at capacity. Please try again later.",
    504: "The request took too long to process",
}

WORDS_TODAY = Words(
    {500: "INFERENCE_FAILED", 503: "MODEL_AT_CAPACITY"},
    {**_MESSAGES, 422: "The image could not be processed"},
)

WORDS_2025 = Words(
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
    },
    {
        **_MESSAGES,
        422: "Your prompt violates the content policy",
        429: "Rate limit exceeded. Please wait until the limit resets and try again.",
    },
)


class RefusalError(Exception):
    """A request that is answered with an error.

    Args:
        status: The HTTP status.
        message: The text for people; the server's usual one when empty.
        code: The machine's word; the server's usual one for the status when None, no code when empty.
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
        self.message = message
        self.code = code
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    def body(self, words: Words) -> bytes:
        """Write the JSON body in a server's words."""
        return words.body(self.status, self.message, code=self.code, extra=self.extra)


def retired(model_id: str, replacement: str) -> str:
    """Say that a model is gone, and what to use instead."""
    return f"The model {model_id} has been deprecated. Please use {replacement} instead."


def payment_required(url: str) -> dict[str, Any]:
    """Give the keys with which a request without any credentials is told how it could pay."""
    return {
        "x402Version": 2,
        "resource": {"url": url, "description": "Venice sandbox", "mimeType": "application/json"},
        "accepts": [],
        "authOptions": {
            "apiKey": {"header": "Authorization: Bearer KEY", "getKey": url, "docs": url},
            "x402Wallet": {
                "header": "SIGN-IN-WITH-X",
                "legacyHeader": "X-Sign-In-With-X",
                "topUp": url,
                "docs": url,
            },
        },
    }


def html_page(status: int, ray: str) -> bytes:
    """Write the HTML page of a proxy that stands in front of the API: an error, or a form to log in."""
    title = "Sign in" if status < 400 else f"{status} {_phrase(status)}"
    return (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n"
        f"<body><center><h1>{title}</h1></center><hr><center>cloudflare</center>"
        f"<p>Ray ID: {ray}</p></body></html>\n"
    ).encode()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
