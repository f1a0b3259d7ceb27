"""The headers of an answer, as values.

1. Every header is optional, and one that cannot be understood counts as absent: a garbled header
   must never cost an image that was paid for.
2. Names are looked up as the API spells them, in lower case; the mapping must ignore case.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from venice_async.types.response import Deprecation, Moderation, RateLimitSnapshot

from .secret import Secret

__all__ = ["answer_fields", "is_from_api", "rate_limit_of", "request_id", "retry_after"]

_MOST = 1e9  # of anything that a header counts
_MILLISECONDS = 1e11  # a Unix time above this is none in seconds

Headers = Mapping[str, str]


def is_from_api(headers: Headers) -> bool:
    """Whether an answer has a header of the API's own; a page that a proxy or a login put there has none."""
    return any(name.lower().startswith("x-venice-") for name in headers)


def request_id(headers: Headers) -> str | None:
    """The id that support asks for."""
    return headers.get("cf-ray")


def retry_after(headers: Headers) -> float | None:
    """Seconds the server asks to wait; a date counts from the answer's own `Date`."""
    value = headers.get("retry-after")
    seconds = _number(value)
    if (
        seconds is None
        and (at := _date(value)) is not None
        and (now := _date(headers.get("date"))) is not None
    ):
        seconds = max(0.0, at - now)
    return seconds


def answer_fields(headers: Headers, secret: Secret = Secret()) -> dict[str, Any]:
    """What the headers of an answer say, without the key, as keyword arguments of `Answer`."""
    enhanced = headers.get("x-venice-enhanced-prompt")
    return {
        "moderation": Moderation(
            is_blurred=_flag(headers.get("x-venice-is-blurred")),
            is_content_violation=_flag(headers.get("x-venice-is-content-violation")),
            is_adult_model_content_violation=_flag(headers.get("x-venice-is-adult-model-content-violation")),
            contains_minor=_flag(headers.get("x-venice-contains-minor")),
        ),
        "rate_limit": rate_limit_of(headers),
        "deprecation": _deprecation(headers),
        "balance_usd": _number(headers.get("x-venice-balance-usd"), signed=True),
        "balance_diem": _number(headers.get("x-venice-balance-diem"), signed=True),
        "request_id": request_id(headers),
        "model": headers.get("x-venice-model-id"),
        "version": headers.get("x-venice-version"),
        "enhanced_prompt": None if enhanced is None else secret.hide(unquote(enhanced)),
    }


def rate_limit_of(headers: Headers) -> RateLimitSnapshot:
    """What the headers of an answer say of the rate limit and of the error budget."""
    return RateLimitSnapshot(
        limit=_count(headers.get("x-ratelimit-limit-requests")),
        remaining=_count(headers.get("x-ratelimit-remaining-requests")),
        reset_at=_time(headers.get("x-ratelimit-reset-requests")),
        scope=headers.get("x-ratelimit-type"),
        retry_after=retry_after(headers),
        server_time=_date(headers.get("date")),
        error_budget_remaining=_count(headers.get("x-ratelimit-remaining")),
        error_budget_resets_at=_time(headers.get("x-ratelimit-resets")),
    )


def _deprecation(headers: Headers) -> Deprecation | None:
    found = Deprecation(
        deprecated=headers.get("x-venice-deprecated"),
        replacement=headers.get("x-venice-deprecated-replacement"),
        model_warning=headers.get("x-venice-model-deprecation-warning"),
        model_date=headers.get("x-venice-model-deprecation-date"),
    )
    return None if found == Deprecation() else found


def _flag(value: str | None) -> bool | None:
    return None if value is None else {"true": True, "false": False}.get(value.strip().lower())


def _number(value: str | None, *, signed: bool = False) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and (signed or number >= 0) else None


def _time(value: str | None) -> float | None:
    """A Unix time in seconds, however it is written: today in milliseconds, in older answers in seconds."""
    number = _number(value)
    return number / 1000 if number is not None and number > _MILLISECONDS else number


def _count(value: str | None) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number <= _MOST else None


@lru_cache(maxsize=16)  # the answers of one second all have the same
def _date(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        date = parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=dt.UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
