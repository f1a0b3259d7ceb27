"""Prompts into image files through the Venice image API: the public face."""

from ._version import __version__
from .errors import (
    BatchError,
    BudgetExceededError,
    PoolFullError,
    RateLimitError,
    RequestTimeoutError,
    StatusError,
    UnconfirmedError,
    ValidationError,
    VeniceError,
)
from .gather import gather_generate, stream_generate
from .policy.guard import Guard
from .policy.rate_limit import RateLimit
from .policy.retry import RetryPolicy
from .report import BatchReport
from .session import VeniceSession
from .storage.inputs import read_requests
from .sweep import sweep
from .types.catalogue import ImageModel
from .types.limits import RequestLimits
from .types.options import Priority, Timeouts
from .types.outcome import Failed, Generated, Outcome, Progress, Skipped, Unconfirmed
from .types.request import ImageRequest, Inpaint, InpaintMask, StyleReference
from .types.response import ImageData, ImageResponse

__all__ = [
    "BatchError",
    "BatchReport",
    "BudgetExceededError",
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
    "stream_generate",
    "sweep",
]
