"""Prompts into image files through the Venice image API: the public face.

Values and errors are here at once; what talks to the API is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .errors import (
    BatchError,
    BudgetExceededError,
    ContentBlockedError,
    PoolFullError,
    RateLimitError,
    RequestTimeoutError,
    StatusError,
    UnconfirmedError,
    ValidationError,
    VeniceError,
)
from .sweep import sweep
from .types.catalogue import ImageModel
from .types.limits import RequestLimits
from .types.options import AnswerLimits, Priority, Timeouts
from .types.outcome import Blocked, Failed, Generated, Outcome, Progress, Skipped, Unconfirmed
from .types.request import ImageRequest, Inpaint, InpaintMask, StyleReference
from .types.response import ImageData, ImageResponse

if TYPE_CHECKING:
    from .gather import gather_generate, redo, stream_generate
    from .policy.guard import Guard
    from .policy.rate_limit import RateLimit
    from .policy.retry import RetryPolicy
    from .report import BatchReport
    from .session import VeniceSession
    from .storage.inputs import read_requests

__all__ = [
    "AnswerLimits",
    "BatchError",
    "BatchReport",
    "Blocked",
    "BudgetExceededError",
    "ContentBlockedError",
    "Failed",
    "Generated",
    "Guard",
    "ImageData",
    "ImageModel",
    "ImageRequest",
    "ImageResponse",
    "Inpaint",
    "InpaintMask",
    "Outcome",
    "PoolFullError",
    "Priority",
    "Progress",
    "RateLimit",
    "RateLimitError",
    "RequestLimits",
    "RequestTimeoutError",
    "RetryPolicy",
    "Skipped",
    "StatusError",
    "StyleReference",
    "Timeouts",
    "Unconfirmed",
    "UnconfirmedError",
    "ValidationError",
    "VeniceError",
    "VeniceSession",
    "__version__",
    "gather_generate",
    "read_requests",
    "redo",
    "stream_generate",
    "sweep",
]


def __getattr__(name: str) -> Any:
    match name:
        case "VeniceSession":
            home = import_module("venice_async.session")
        case "gather_generate" | "redo" | "stream_generate":
            home = import_module("venice_async.gather")
        case "BatchReport":
            home = import_module("venice_async.report")
        case "Guard":
            home = import_module("venice_async.policy.guard")
        case "RateLimit":
            home = import_module("venice_async.policy.rate_limit")
        case "RetryPolicy":
            home = import_module("venice_async.policy.retry")
        case "read_requests":
            home = import_module("venice_async.storage.inputs")
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(home, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
