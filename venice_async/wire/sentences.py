"""What the API's sentences mean, where a status and a code do not say it.

1. Many errors have no code: then the sentence decides, without regard to case. A code goes before a sentence.
2. A sentence that nobody knows means nothing: the status alone is left.
3. Whether an answer is the API's at all is told by its form: the API writes errors as JSON objects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from venice_async.errors import Reason

__all__ = ["failures_in", "reason_of", "replacement_in"]

_CODES: dict[str, Reason] = {
    "MODEL_OVERLOADED": "overloaded",
    "RATE_LIMIT_EXCEEDED": "rate_limit",
    "PRO_ONLY_MODEL": "pro_only",
}
_SENTENCES: dict[int, tuple[tuple[re.Pattern[str], Reason], ...]] = {
    401: ((re.compile(r"only available to pro\b", re.IGNORECASE), "pro_only"),),
    403: (
        (re.compile(r"api access (?:is |has been )?disabled", re.IGNORECASE), "api_disabled"),
        (re.compile(r"\b(?:region|countr(?:y|ies))\b", re.IGNORECASE), "region"),
        (re.compile(r"\bprivacy\b|modelPrivacy", re.IGNORECASE), "privacy"),
    ),
    404: ((re.compile(r"has been (?:deprecated|retired|removed)", re.IGNORECASE), "deprecated"),),
    429: (
        # The lock-out's sentence comes first: nothing else may be done about it than to wait.
        (re.compile(r"too many failed attempts", re.IGNORECASE), "error_budget"),
        (re.compile(r"overloaded|at capacity", re.IGNORECASE), "overloaded"),
        (re.compile(r"rate limit", re.IGNORECASE), "rate_limit"),
    ),
}
_PAGES: dict[int, Reason] = {
    **dict.fromkeys((401, 403, 406), "firewall"),
    **dict.fromkeys((404, 405, 410), "not_the_api"),
}
_FAILURES = re.compile(r"too many failed attempts \(> ?(\d{1,6})\)", re.IGNORECASE)
_REPLACEMENT = re.compile(r"please use\s+[`'\"]?([\w.:/-]*\w)", re.IGNORECASE)


def reason_of(status: int, code: str | None, message: str, *, is_json: bool, is_page: bool) -> Reason | None:
    """What an error means beyond its status.

    Args:
        status: The HTTP status.
        code: The API's word for it, or None.
        message: The sentence.
        is_json: Whether the body is a JSON object, as the API writes its errors.
        is_page: Whether the body is HTML.
    """
    if not is_json:
        # A gateway that does not take the key says so with any body, and says it to every request.
        return None if status == 401 and not is_page else _PAGES.get(status)
    for found, said in _SENTENCES.get(status, ()):
        if found.search(message):
            return said if said == "error_budget" else _CODES.get(code or "", said)
    return _CODES.get(code or "")


def failures_in(message: str) -> int | None:
    """How many failures the server forgives, as the refusal for the error budget says; else None."""
    found = _FAILURES.search(message)
    return int(found[1]) if found else None


def replacement_in(message: str, headers: Mapping[str, str]) -> str | None:
    """The model that the server names in place of a retired one, or None."""
    found = _REPLACEMENT.search(message)
    return headers.get("x-venice-deprecated-replacement") or (found[1] if found else None)
