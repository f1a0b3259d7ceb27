"""What all handlers of one sandbox share, and the header fields that follow from it.

1. Settings are checked here, once, and do not change.
2. The limiter's clock is `time.monotonic`; only here does it become Unix time.
"""

from __future__ import annotations

import hmac
import math
import secrets
import time
from collections.abc import Callable, Hashable, Mapping
from decimal import Decimal, InvalidOperation

from attrs import field, frozen

from .abuse import AbuseRule
from .account import Books, RequestRecord
from .arguments import is_number, is_whole
from .compose import Painter
from .fault import Script
from .limiter import Bucket, Limiter, Verdict
from .model import Model
from .profile import Profile
from .refusal import RefusalError, payment_required
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

    profile: Profile
    books: Books
    limiter: Limiter
    day_limiter: Limiter
    limit_scope: str
    abuse: AbuseRule | None
    script: Script
    api_key: str | None
    latency: Latency
    images: Painter | None
    max_body: int
    workers: Workers = field(factory=Workers)
    # Unix time minus monotonic time, taken once, so that one window's end is always told as one time.
    _epoch: float = field(factory=lambda: time.time() - time.monotonic())

    def __attrs_post_init__(self) -> None:
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

    def require_key(self, key: str, url: str) -> None:
        """Refuse an image request that has no key."""
        if not key:
            paid = self.profile.no_key == 402
            extra = payment_required(url) if paid else None
            message = "Payment required" if paid else ""
            raise RefusalError(self.profile.no_key, message, extra=extra)

    def check_key(self, key: str) -> None:
        """Refuse a key that is not the right one."""
        if not key or (
            self.api_key is not None and not hmac.compare_digest(key.encode(), self.api_key.encode())
        ):
            raise RefusalError(401)

    def refuse_locked_out(self, failing: Hashable | None, record: RequestRecord) -> None:
        """Refuse a request of a bucket that is locked out."""
        if self.abuse is None or failing is None:
            return
        standing = self.abuse.standing(failing, time.monotonic())
        if standing.locked:
            record.locked_out = True
            raise RefusalError(429, self.profile.lock_out.format(self.abuse.window), code="")

    def note_answer(self, failing: Hashable | None, status: int) -> None:
        """Hold an answer that is a failure against its bucket, if it has one."""
        if self.abuse is not None and failing is not None:
            self.abuse.note(failing, status, time.monotonic())

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

    def take_permits(self, bucket: Bucket, images: int) -> Verdict:
        """Ask the limits of the minute and of the day for so many images; give the one that decides."""
        now = time.monotonic()
        of_the_day = self.day_limiter.peek(bucket, now, images)
        if not of_the_day.allowed:
            return of_the_day
        verdict = self.limiter.take(bucket, now, images)
        if verdict.allowed:
            self.day_limiter.take(bucket, now, images)
        return verdict

    def limit_headers(self, verdict: Verdict) -> dict[str, str]:
        """Give the header fields of the rate limit."""
        headers = {
            "x-ratelimit-limit-requests": str(verdict.limit),
            "x-ratelimit-remaining-requests": str(verdict.remaining),
            "x-ratelimit-reset-requests": self._reset(verdict.reset_at, self.profile.resets_per_second),
        }
        if verdict.enforced:
            headers["x-ratelimit-type"] = self.limit_scope
        return headers

    def failure_headers(self, failing: Hashable | None) -> Mapping[str, str]:
        """Give the header fields that say how many failures a bucket may still have, and when it is new."""
        if self.abuse is None or failing is None or not self.profile.tells_failures:
            return {}
        standing = self.abuse.standing(failing, time.monotonic())
        return {
            "x-ratelimit-remaining": str(standing.remaining),
            "x-ratelimit-resets": self._reset(standing.resets_at, 1000),
        }

    def _reset(self, at: float, per_second: int) -> str:
        """Tell a time of the limiter's clock as Unix time, rounded up so that nobody comes early."""
        return str(math.ceil((at + self._epoch) * per_second))


def _check_latency(value: float) -> float:
    if not is_number(value) or value < 0:
        raise ValueError(f"latency={value!r}: seconds from 0, or a callable that gives them, are needed")
    return value
