"""Every exception the library raises, as one tree.

1. An error says whether money may have been spent: only `UnconfirmedError` and `DecodeError` can
   belong to an image that was billed, and `StorageError` to one that arrived and could not be kept.
   A blocked image (`ContentBlockedError`) was not billed.
2. An error carries what support needs (status, code, request id) and survives pickle and copy.
3. The API key is in none of them.

    VeniceError
      ConfigurationError (ValueError)          a setting is missing or contradicts another
        MissingExtraError (ImportError)        an optional dependency is not installed
        JobChangedError                        the directory holds another job
      ValidationError (ValueError)             a request outside its ranges; lists every fault
      SessionStateError (RuntimeError)         the session is not open, closed, or entered twice
      TransportError                           no usable answer came back
        ConnectError (ConnectionError)         nothing was sent
        RequestTimeoutError (TimeoutError)     a time-out; nothing was sent
          ConnectTimeoutError (ConnectError)   because no connection was made in time
        UnconfirmedError                       sent, and what became of it is unknown
          UnconfirmedTimeoutError (TimeoutError)   because no whole answer came in time
      StatusError                              the server answered with an error
        RedirectError                   3xx    never followed: the key stays with its host
        BadRequestError                 400
        AuthenticationError             401
        PaymentRequiredError            402
        PermissionDeniedError           403
        NotFoundError                   404
        PayloadTooLargeError            413
        UnsupportedMediaTypeError       415
        UnprocessableEntityError        422
        RateLimitError                  429
        ServerError                     5xx
      PoolFullError                            too many calls wait already; not sent
      DecodeError                              an answer of status 200 that is not what it should be
      ContentBlockedError                      the content policy blocked the image; not billed
      TooManyFailuresError                     a batch, or a model of it, that went wrong was stopped
      LongWaitError                            what has to be waited for takes longer than `max_wait`
      BudgetExceededError                      the next purchase would cost more than is left; not sent
      LeaseLostError                           another worker has taken a shard over; not sent
      ShardError                               a shard of a distributed job has no outcome
      StoreError                               what several processes share cannot be used
      StorageError (OSError)                   the disk refused
        OutputExistsError (FileExistsError)    the place is taken; nothing is ever overwritten
        DirectoryLockedError                   another process works on the directory
        JournalError                           a job's journal is damaged, missing or too new
      BatchError (ExceptionGroup)              what went wrong in a batch, at most 100 members
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import attrs
from typing_extensions import override

if TYPE_CHECKING:
    from .types.response import Moderation

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "BatchError",
    "BudgetExceededError",
    "ConfigurationError",
    "ConnectError",
    "ConnectTimeoutError",
    "ContentBlockedError",
    "DecodeError",
    "DirectoryLockedError",
    "Fault",
    "JobChangedError",
    "JournalError",
    "LeaseLostError",
    "LongWaitError",
    "MissingExtraError",
    "NotFoundError",
    "OutputExistsError",
    "PayloadTooLargeError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "PoolFullError",
    "RateLimitError",
    "Reason",
    "RedirectError",
    "RequestTimeoutError",
    "ServerError",
    "SessionStateError",
    "ShardError",
    "StatusError",
    "StorageError",
    "StoreError",
    "TooManyFailuresError",
    "TransportError",
    "UnconfirmedError",
    "UnconfirmedTimeoutError",
    "UnprocessableEntityError",
    "UnsupportedMediaTypeError",
    "ValidationError",
    "VeniceError",
]

_VALUE_SHOWN = 60


def rebuild(cls: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> BaseException:
    """An error from what `__reduce__` has made of it."""
    error = cls.__new__(cls, *args)
    if not error.args:  # OSError leaves them to an `__init__` that a subclass has
        error.args = args
    error.__dict__.update(state)
    return error


class VeniceError(Exception):
    """Base of everything the library raises."""

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        # The base's own arguments: OSError keeps more of them than `args` shows.
        return rebuild, (type(self), super().__reduce__()[1], dict(self.__dict__))


class ConfigurationError(VeniceError, ValueError):
    """A setting is missing or contradicts another; nothing was sent."""


class MissingExtraError(ConfigurationError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


class JobChangedError(ConfigurationError):
    """The directory's journal is another job's: the message shows the difference; nothing was sent."""


class SessionStateError(VeniceError, RuntimeError):
    """The session was used before it was entered, after it was closed, or entered twice."""


@attrs.frozen
class Fault:
    """One thing wrong with one field.

    Attributes:
        field: The field's name as it goes on the wire, nested names with dots (`inpaint.strength`).
        value: What was given.
        expected: What is allowed, as the reference page prints it, for example `0 < x < 1280`.
        hint: What to do about it, or empty.
    """

    field: str
    value: Any = attrs.field(eq=repr)
    expected: str
    hint: str = ""

    @override
    def __str__(self) -> str:
        shown = repr(self.value)
        if len(shown) > _VALUE_SHOWN:
            shown = f"{shown[:_VALUE_SHOWN]}... ({len(shown)} characters)"
        return f"{self.field} = {shown}: expected {self.expected}" + (f" ({self.hint})" if self.hint else "")


class ValidationError(VeniceError, ValueError):
    """A request that the API would refuse; nothing was sent.

    Attributes:
        faults: Everything that is wrong with it, in the order of the fields.
    """

    faults: tuple[Fault, ...]

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            str(self.faults[0])
            if len(self.faults) == 1
            else f"{len(self.faults)} faults:" + "".join(f"\n  {fault}" for fault in self.faults)
        )


class TransportError(VeniceError):
    """No usable answer came back."""


class ConnectError(TransportError, ConnectionError):
    """The server was not reached, or not with the whole request: nothing was billed.

    Attributes:
        connected: Whether a connection was made, and broke before the request was sent whole.
    """

    connected: bool = False

    def __init__(self, message: str, *, connected: bool = False) -> None:
        super().__init__(message)
        self.connected = connected


class RequestTimeoutError(TransportError, TimeoutError):
    """Time ran out before the request was sent: nothing was billed."""


class ConnectTimeoutError(ConnectError, RequestTimeoutError):
    """No connection was made in time: nothing was sent, nothing was billed."""


class UnconfirmedError(TransportError):
    """The request was sent and what became of it is unknown: it may have been billed.

    Attributes:
        status: The HTTP status, when one arrived (502, 504 and their like), else None.
        request_id: The `CF-RAY` that support asks for, when one arrived, else None.
    """

    def __init__(self, message: str, *, status: int | None = None, request_id: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.request_id = request_id


class UnconfirmedTimeoutError(UnconfirmedError, TimeoutError):
    """The request was sent, and no whole answer came in time: it may have been billed."""


Reason = Literal[
    "rate_limit",
    "overloaded",
    "error_budget",
    "pro_only",
    "region",
    "privacy",
    "api_disabled",
    "firewall",
    "deprecated",
    "not_the_api",
]
"""What an error's sentence, code and headers say beyond its status, where many errors have no code:

`rate_limit`, `overloaded` and `error_budget` are the three kinds of 429; `pro_only`, `region`, `privacy`
and `deprecated` concern one model; `api_disabled` concerns the key; `firewall` is a page that a firewall
put in front of one request; `not_the_api` is an answer that the API did not write.
"""


class StatusError(VeniceError):
    """The server answered with an error.

    Attributes:
        status: The HTTP status.
        code: The API's word for it (`INVALID_REQUEST`, `MODEL_NOT_FOUND`, ...), or None.
        reason: What sentence, code and headers say beyond the status (see `Reason`), or None.
        request_id: The `CF-RAY` that support asks for, or None.
        details: On 400, per field (dotted) what the server says is wrong with it; else empty.
        retry_after: Seconds the server asks to wait, or None.
        body: The error's JSON body as it came, or None where it was no JSON object.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        reason: Reason | None = None,
        request_id: str | None = None,
        details: Mapping[str, tuple[str, ...]] | None = None,
        retry_after: float | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.reason: Reason | None = reason
        self.request_id = request_id
        self.details = dict(details or {})
        self.retry_after = retry_after
        self.body = body

    @override
    def __str__(self) -> str:
        head = f"{self.status} {self.code}" if self.code else str(self.status)
        tail = f" (request id {self.request_id})" if self.request_id else ""
        return f"{head}: {self.args[0]}{tail}"


class RedirectError(StatusError):
    """3xx: redirects are not followed, so that the key never leaves its host."""


class BadRequestError(StatusError):
    """400: the server refused the request; `details` says which fields."""


class AuthenticationError(StatusError):
    """401: the key is unknown or inactive, or the model needs another plan."""


class PaymentRequiredError(StatusError):
    """402: the balance or the key's spending limit is used up."""


class PermissionDeniedError(StatusError):
    """403: the key may not use this."""


class NotFoundError(StatusError):
    """404: no such model or end point.

    Attributes:
        replacement: The id of the model that the server names in place of a retired one, or None.
    """

    def __init__(self, message: str, *, replacement: str | None = None, **more: Any) -> None:
        super().__init__(message, **more)
        self.replacement = replacement


class PayloadTooLargeError(StatusError):
    """413: the request's body is too large."""


class UnsupportedMediaTypeError(StatusError):
    """415: the server did not take the body's content type."""


class UnprocessableEntityError(StatusError):
    """422: the content policy, or a source image, rules this item out."""


class RateLimitError(StatusError):
    """429: the rate limit, an overloaded model, or the lock-out after too many failures."""


class ServerError(StatusError):
    """5xx: the server failed."""


class PoolFullError(VeniceError):
    """As many calls wait as may: nothing was sent, nothing was billed.

    Attributes:
        wait: Seconds that this one would have waited, about; None where that cannot be told.
    """

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class DecodeError(VeniceError):
    """An answer of status 200 that is not what it should be; it was most likely billed.

    Attributes:
        offset: Bytes into the body (after decompression) at which the fault was seen, or None.
        billed: Whether it was most likely billed: False for a page that the API did not write.
    """

    billed: bool = True

    def __init__(self, message: str, *, offset: int | None = None, billed: bool = True) -> None:
        super().__init__(message if offset is None else f"{message} (at byte {offset} of the answer)")
        self.offset = offset
        self.billed = billed


class ContentBlockedError(VeniceError):
    """The server's content policy blocked the image: what came is a placeholder, and nothing was billed.

    Attributes:
        moderation: What the moderation said.
        request_id: The `CF-RAY` that support asks for, or None.
    """

    def __init__(self, message: str, *, moderation: Moderation, request_id: str | None = None) -> None:
        super().__init__(message)
        self.moderation = moderation
        self.request_id = request_id


class StorageError(VeniceError, OSError):
    """The disk refused. `errno` and `filename` are the operating system's."""

    @override
    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}" if self.filename else super().__str__()


class OutputExistsError(StorageError, FileExistsError):
    """What would be written is there already; nothing is ever overwritten."""


class DirectoryLockedError(StorageError):
    """Another process works on the directory; the message says which."""


class JournalError(StorageError):
    """A job's journal is damaged, missing or too new; nothing was sent, and the message says what to do."""


class LeaseLostError(VeniceError):
    """Another worker has taken over the shard that this one was at work on; nothing more was sent."""


class ShardError(VeniceError):
    """A shard of a distributed job has no outcome: its workers have died, or have raised."""


class StoreError(VeniceError):
    """The store that several processes share cannot be opened or used."""


class TooManyFailuresError(VeniceError):
    """More items of a batch failed than `max_failures` allows, or as many alike as the breaker allows."""


class LongWaitError(VeniceError):
    """What has to be waited for takes longer than `max_wait` allows; the same call later resumes.

    Attributes:
        until: When it is over, Unix seconds.
    """

    def __init__(self, message: str, *, until: float) -> None:
        super().__init__(message)
        self.until = until


class BudgetExceededError(VeniceError):
    """The next purchase would cost more than is left of `budget_usd`; it was not sent."""


class BatchError(ExceptionGroup[Exception], VeniceError):
    """What went wrong in a batch.

    Attributes:
        count: How many errors there were; the group carries the first 100 of them.
    """

    count: int

    def __new__(cls, message: str, exceptions: Sequence[Exception], count: int | None = None) -> Self:
        """Keep the first 100 of the exceptions; `count` says how many there were in all."""
        self = super().__new__(cls, message, list(exceptions)[:100])
        self.count = len(exceptions) if count is None else count
        return self

    def __init__(
        self,
        message: str,
        exceptions: Sequence[Exception],  # noqa: ARG002 - taken by __new__, as groups do
        count: int | None = None,  # noqa: ARG002
    ) -> None:
        super().__init__(message, list(self.exceptions))

    @override
    def derive(self, excs: Sequence[Exception]) -> BatchError:  # type: ignore[override]
        return BatchError(self.message, excs)
