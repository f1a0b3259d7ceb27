"""An answer that is no success: status and body become the right error.

1. Any body gives an error: JSON in the API's shapes, OpenAI's, a proxy's HTML, nothing at all.
2. The message is one line for a person; what a program needs is in the error's attributes.
3. No reason is swallowed: JSON in a shape that nobody knows is shown as it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from venice_async.errors import (
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PayloadTooLargeError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    ServerError,
    StatusError,
    UnprocessableEntityError,
    UnsupportedMediaTypeError,
)

from .headers import request_id, retry_after
from .secret import Secret
from .sentences import reason_of, replacement_in
from .words import is_html, said_in, said_on

__all__ = ["error_from"]

_BY_STATUS: dict[int, type[StatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    413: PayloadTooLargeError,
    415: UnsupportedMediaTypeError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}
_OF_A_PATH = (404, 405, 410)  # what any server says of a path that it does not have
_MESSAGE_LENGTH = 500
_DETAILS_DEPTH = 8


def error_from(
    status: int, headers: Mapping[str, str], body: bytes, secret: Secret = Secret()
) -> StatusError:
    """The error that an answer of this status stands for.

    Args:
        status: The HTTP status, anything but 2xx.
        headers: The answer's headers, in a mapping that ignores case.
        body: The answer's body, or as much of it as was read.
        secret: What it may not show.
    """
    shown = secret.hide_in_json(body)
    parsed = _parse(shown)
    fields = parsed or {}
    details = dict(_details(fields))
    explained = [f"{name or 'request'}: {', '.join(said)}" for name, said in details.items()]
    said = said_on(body) if parsed is None else said_in(parsed)
    unread = said_on(shown) if _has_text(parsed) else ""
    message = "; ".join(filter(None, (said, *explained))) or unread or "the server gave no reason"
    message = secret.hide(" ".join(message.split()))[:_MESSAGE_LENGTH]
    code = _code(fields)
    is_json = parsed is not None and ("error" in parsed or status not in _OF_A_PATH)
    reason = reason_of(status, code, message, is_json=is_json, is_page=is_html(body))
    if reason == "not_the_api":
        message += "; this is not the API: check base_url"
    more: dict[str, Any] = {"replacement": replacement_in(message, headers)} if status == 404 else {}
    return _class_for(status)(
        message,
        status=status,
        code=code,
        reason=reason,
        request_id=request_id(headers),
        details=details,
        retry_after=retry_after(headers),
        body=parsed,
        **more,
    )


def _class_for(status: int) -> type[StatusError]:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 400:
        return RedirectError
    return ServerError if status >= 500 else StatusError


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _has_text(node: Any, depth: int = 0) -> bool:
    """Whether there is a text for a person anywhere in JSON; a code is none."""
    if isinstance(node, str):
        return bool(node.strip())
    if depth > _DETAILS_DEPTH or not isinstance(node, Mapping | list):
        return False
    children = node if isinstance(node, list) else (child for name, child in node.items() if name != "code")
    return any(_has_text(child, depth + 1) for child in children)


def _code(parsed: Mapping[str, Any]) -> str | None:
    error = parsed.get("error")
    nested = error.get("code") if isinstance(error, Mapping) else None
    code = parsed.get("code", nested)
    return code if isinstance(code, str) else None


def _details(fields: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What an error says besides its message, by dotted name; of the request as a whole by no name.

    `details` is a tree, a text or a list of texts; where it says nothing, `issues` and `errors` are read.
    """
    if found := tuple(_tree(details := fields.get("details"))):
        yield from found
        return
    for node in (details, fields.get("issues"), fields.get("errors")):
        said = _by_path(node)
        yield from said.items()
        if said:
            return


def _by_path(node: Any) -> dict[str, tuple[str, ...]]:
    """The texts of a list, each a text itself or an object with a `message` and perhaps a `path`."""
    found: dict[str, tuple[str, ...]] = {}
    for item in node if isinstance(node, list) else [node]:
        path, text = (item.get("path"), item.get("message")) if isinstance(item, Mapping) else (None, item)
        if isinstance(text, str) and text.strip():
            name = ".".join(map(str, path)) if isinstance(path, list) else ""
            found[name] = (*found.get(name, ()), text)
    return found


def _tree(node: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Flatten the API's `{"field": {"_errors": [...]}}` to dotted names."""
    if not isinstance(node, Mapping) or depth > _DETAILS_DEPTH:
        return
    errors = node.get("_errors")
    if isinstance(errors, list) and (texts := tuple(item for item in errors if isinstance(item, str))):
        yield path, texts
    for name, child in node.items():
        if name != "_errors":
            yield from _tree(child, f"{path}.{name}" if path else str(name), depth + 1)
