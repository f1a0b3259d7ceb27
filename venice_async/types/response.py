"""What comes back from the API.

1. What the API did not say is None, never a made-up value.
2. Metadata is the same whether the image went to memory (`ImageResponse`) or to disk
   (`SavedImages`); both extend `Answer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from .frozen import FrozenDict, freeze

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "MAGIC_BYTES",
    "TAIL_BYTES",
    "Answer",
    "Deprecation",
    "ImageData",
    "ImageFormat",
    "ImageResponse",
    "Moderation",
    "RateLimitSnapshot",
    "SavedImages",
    "Timing",
    "detect_format",
    "is_cut_short",
]

ImageFormat = Literal["jpeg", "png", "webp"]

MAGIC_BYTES = 12
"""How many bytes of an image `detect_format` needs to see."""


def detect_format(head: bytes) -> ImageFormat | None:
    """The format that an image's first 12 bytes tell, or None for no format of this API."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    return None


TAIL_BYTES = 64
"""How many of an image's last bytes `is_cut_short` needs to see."""

_LAST_MARK: dict[ImageFormat, bytes] = {"jpeg": b"\xff\xd9", "png": b"IEND\xaeB`\x82"}


def is_cut_short(image_format: ImageFormat, head: bytes, tail: bytes, size: int) -> bool:
    """Whether an image ends before its format says that it does.

    Args:
        image_format: What `detect_format` told.
        head: Its first 12 bytes.
        tail: Its last 64 bytes; what stands behind the format's own end is let be.
        size: Its size in bytes.
    """
    if image_format == "webp":
        return size < 8 + int.from_bytes(head[4:8], "little")
    return _LAST_MARK[image_format] not in tail


@frozen
class ImageData:
    """One image, whole.

    Attributes:
        data: The encoded image.
        format: What its magic bytes say it is.
    """

    data: bytes = field(repr=lambda data: f"<{len(data)} bytes>")
    format: ImageFormat


@frozen(kw_only=True)
class Timing:
    """How long the server took, in milliseconds (the answer's `timing`)."""

    inference_duration: float
    inference_preprocessing_time: float
    inference_queue_time: float
    total: float


@frozen(kw_only=True)
class Moderation:
    """What the server's moderation did; None where a header was absent.

    Attributes:
        is_blurred: `x-venice-is-blurred`.
        is_content_violation: `x-venice-is-content-violation`.
        is_adult_model_content_violation: `x-venice-is-adult-model-content-violation`.
        contains_minor: `x-venice-contains-minor`.
    """

    is_blurred: bool | None = None
    is_content_violation: bool | None = None
    is_adult_model_content_violation: bool | None = None
    contains_minor: bool | None = None

    @property
    def is_flagged(self) -> bool:
        """Whether any of the four is true."""
        return any(
            (
                self.is_blurred,
                self.is_content_violation,
                self.is_adult_model_content_violation,
                self.contains_minor,
            )
        )


@frozen(kw_only=True)
class RateLimitSnapshot:
    """The state of the rate limit as one answer told it; None where it did not.

    Attributes:
        limit: Images in a window (`x-ratelimit-limit-requests`).
        remaining: Images left in this window (`x-ratelimit-remaining-requests`).
        reset_at: When the window resets, Unix seconds on the server's clock.
        scope: Whose limit it is: `user`, `api_key` or `global` (`x-ratelimit-type`).
        retry_after: Seconds the server asks to wait (`Retry-After`).
        server_time: The answer's `Date`, Unix seconds on the server's clock.
        error_budget_remaining: Failures that the server forgives still (`x-ratelimit-remaining`).
        error_budget_resets_at: When it forgets those that were, Unix seconds on the server's clock
            (`x-ratelimit-resets`).
    """

    limit: int | None = None
    remaining: int | None = None
    reset_at: float | None = None
    scope: str | None = None
    retry_after: float | None = None
    server_time: float | None = None
    error_budget_remaining: int | None = None
    error_budget_resets_at: float | None = None


@frozen(kw_only=True)
class Deprecation:
    """What the server says of a model, or of a version of its API, that goes away.

    Attributes:
        deprecated: `x-venice-deprecated`, as it came.
        replacement: What to use instead, or None.
        model_warning: The server's sentence on the model, or None.
        model_date: When the model goes, as it came, or None.
    """

    deprecated: str | None = None
    replacement: str | None = None
    model_warning: str | None = None
    model_date: str | None = None


@frozen(kw_only=True)
class Answer:
    """What an answer says besides its images.

    Attributes:
        id: The API's id of the request; None in a binary answer and in older ones.
        timing: How long the server took, in milliseconds; None in a binary answer.
        request: The request as the server echoed it (very long strings left out), or None.
        moderation: What the moderation did.
        rate_limit: The state of the rate limit.
        deprecation: What goes away, or None.
        balance_usd: The balance before this request, in US dollars, or None.
        balance_diem: The balance before this request, in DIEM, or None.
        request_id: The `CF-RAY` that support asks for, or None.
        model: The model that served the request (`x-venice-model-id`), or None.
        version: The version of the server (`x-venice-version`), or None.
        enhanced_prompt: The prompt as the server rewrote it (`enhance_prompt`), or None.
        extra: Fields of the answer that the library does not know.
    """

    id: str | None = None
    timing: Timing | None = None
    request: Any = field(default=None, converter=freeze, repr=False)
    moderation: Moderation = Moderation()
    rate_limit: RateLimitSnapshot = RateLimitSnapshot()
    deprecation: Deprecation | None = None
    balance_usd: float | None = None
    balance_diem: float | None = None
    request_id: str | None = None
    model: str | None = None
    version: str | None = None
    enhanced_prompt: str | None = None
    extra: Mapping[str, Any] = field(factory=FrozenDict, converter=freeze)


@frozen(kw_only=True)
class ImageResponse(Answer):
    """An answer with its images in memory.

    Attributes:
        images: The images, in the order of the answer; at least one.
    """

    images: tuple[ImageData, ...]

    @property
    def image(self) -> ImageData:
        """The first image."""
        return self.images[0]


@frozen(kw_only=True)
class SavedImages(Answer):
    """An answer whose images are files.

    Attributes:
        paths: The files, in the order of the answer; at least one.
        sizes: Their sizes in bytes.
    """

    paths: tuple[Path, ...]
    sizes: tuple[int, ...]

    @property
    def path(self) -> Path:
        """The first file."""
        return self.paths[0]
