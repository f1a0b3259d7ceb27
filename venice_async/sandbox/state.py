"""What all handlers of one sandbox share, and the header fields that follow from it.

1. Settings are checked here, once, and do not change.
2. The limiter's clock is `time.monotonic`; only here does it become Unix time.
"""

from __future__ import annotations

import hmac
import math
import secrets
import time
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from attrs import field, frozen

from .abuse import AbuseRule
from .account import Books, RequestRecord
from .arguments import is_number, is_whole
from .catalogue import Model
from .compose import Painter
from .fault import Script
from .limiter import Bucket, Limiter, Verdict
from .refusal import RefusalError
from .validate import IMAGE_SCHEMAS
from .workers import Workers

__all__ = ["Latency", "State", "dollars", "key_of"]

Latency = float | Callable[[str], float]

# Whose limit it is, in the words of `x-ratelimit-type`: the key has one for each model, the user one in all.
_LIMIT_SCOPES = ("api_key", "user")


def dollars(value: float | str | Decimal) -> Decimal:
    """Read an amount of US dollars.

    Raises:
        ValueError: It is no amount from 0.
    """
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"balance_usd={value!r}: an amount from 0 is needed")
    return amount


def key_of(authorization: str) -> str:
    """Read the key of an Authorization header; empty if there is none."""
    scheme, _, key = authorization.strip().partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


@frozen
class State:
    """The settings of a sandbox and the parts that remember.

    `Sandbox` explains the settings.
    """

    books: Books
    limiter: Limiter
    limit_scope: str
    abuse: AbuseRule | None
    script: Script
    api_key: str | None
    latency: Latency
    profile: str
    images: Painter | None
    max_body: int
    workers: Workers = field(factory=Workers)
    # Unix time minus monotonic time, taken once, so that one window's end is always told as one time.
    _epoch: float = field(factory=lambda: time.time() - time.monotonic())

    def __attrs_post_init__(self) -> None:
        if self.profile not in IMAGE_SCHEMAS:
            raise ValueError(f"profile={self.profile!r}: there is {', '.join(map(repr, IMAGE_SCHEMAS))}")
        if self.limit_scope not in _LIMIT_SCOPES:
            raise ValueError(
                f"limit_scope={self.limit_scope!r}: there is {', '.join(map(repr, _LIMIT_SCOPES))}"
            )
        if not callable(self.latency):
            _check_latency(self.latency)
        if not (self.images is None or isinstance(self.images, bytes) or callable(self.images)):
            raise TypeError(f"images= takes bytes or a callable, not {type(self.images).__name__}")
        if not is_whole(self.max_body, 1):
            raise ValueError(f"max_body={self.max_body!r}: a number of bytes from 1 is needed")

    def authenticate(self, key: str, record: RequestRecord) -> None:
        """Refuse a request that has no key, one that is locked out, or not the right one."""
        if not key:
            raise RefusalError(401)
        if self.abuse is not None and self.abuse.locks_out(key, time.monotonic()):
            record.locked_out = True
            raise RefusalError(429, self.abuse.message, code="")
        if self.api_key is not None and not hmac.compare_digest(key.encode(), self.api_key.encode()):
            raise RefusalError(401)

    def note_failure(self, key: str) -> None:
        """Hold an answer that is no success against a key, if there is one."""
        if self.abuse is not None and key:
            self.abuse.fail(key, time.monotonic())

    def bucket(self, key: str, model_id: str = "") -> Bucket:
        """Say which bucket a request falls into."""
        return key if self.limit_scope == "user" else (key, model_id)

    def latency_of(self, model: Model) -> float:
        """Give the seconds that a generation takes besides painting."""
        if callable(self.latency):
            return _check_latency(self.latency(model.id))
        return self.latency * model.pace

    def general_headers(self) -> dict[str, str]:
        """Give the header fields of every answer: the version, and the id that support asks for."""
        return {"x-venice-version": "sandbox", "CF-RAY": f"{secrets.token_hex(8)}-SBX"}

    def balance_headers(self) -> dict[str, str]:
        """Give the header fields with the balance as it is now."""
        return {"x-venice-balance-usd": str(self.books.balance), "x-venice-balance-diem": "0"}

    def limit_headers(self, verdict: Verdict) -> dict[str, str]:
        """Give the header fields of the rate limit; the reset is rounded up, so that nobody comes early."""
        headers = {
            "x-ratelimit-limit-requests": str(verdict.limit),
            "x-ratelimit-remaining-requests": str(verdict.remaining),
            "x-ratelimit-reset-requests": str(math.ceil(verdict.reset_at + self._epoch)),
        }
        if verdict.enforced:
            headers["x-ratelimit-type"] = self.limit_scope
        return headers


def _check_latency(value: float) -> float:
    if not is_number(value) or value < 0:
        raise ValueError(f"latency={value!r}: seconds from 0, or a callable that gives them, are needed")
    return value
