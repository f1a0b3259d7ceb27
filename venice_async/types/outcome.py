"""What became of each request of a batch.

1. Every request ends as exactly one outcome, and an outcome says what it may have cost.
2. `index` is the request's place in the input, from 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from venice_async.errors import ContentBlockedError, UnconfirmedError, VeniceError

from .request import ImageRequest
from .response import Moderation, SavedImages
from .statistics import Wait

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Blocked", "Failed", "Generated", "Outcome", "Progress", "Skipped", "Unconfirmed"]


@frozen(kw_only=True)
class Generated:
    """The images are on disk.

    Attributes:
        index: The request's place in the input.
        request: What was asked.
        answer: What came back: paths, timing, moderation and the rest.
    """

    index: int
    request: ImageRequest
    answer: SavedImages

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, in the order of the answer."""
        return self.answer.paths


@frozen(kw_only=True)
class Skipped:
    """Nothing was sent, because an earlier run has bought the images, or the input repeats itself.

    Attributes:
        index: The request's place in the input.
        request: What was asked.
        paths: The files of the earlier run that are there; empty for what `duplicates="skip"` leaves out.
        missing: The files of the earlier run that are gone.
    """

    index: int
    request: ImageRequest
    paths: tuple[Path, ...] = ()
    missing: tuple[Path, ...] = ()


@frozen(kw_only=True)
class Failed:
    """There is no image, and the server's view of it is known.

    Attributes:
        index: The request's place in the input.
        request: What was asked; None where the input was no valid request, so that nothing was.
        error: What went wrong.
        billed: Whether it was most likely paid for all the same: a complete answer that was not
            what it should be, or an image that the disk refused.
    """

    index: int
    request: ImageRequest | None
    error: VeniceError
    billed: bool = False


@frozen(kw_only=True)
class Unconfirmed:
    """The request was sent and what became of it is unknown: it may have been billed.

    Attributes:
        index: The request's place in the input.
        request: What was asked.
        error: What cut the knowledge off.
    """

    index: int
    request: ImageRequest
    error: UnconfirmedError


@frozen(kw_only=True)
class Blocked:
    """The server's content policy blocked the image: there is none, and nothing was billed.

    Attributes:
        index: The request's place in the input.
        request: What was asked.
        error: What the server said; `raise_for_failures` raises it.
    """

    index: int
    request: ImageRequest
    error: ContentBlockedError

    @property
    def moderation(self) -> Moderation:
        """What the moderation said."""
        return self.error.moderation


Outcome = Generated | Skipped | Failed | Unconfirmed | Blocked
"""What became of one request."""


@frozen(kw_only=True)
class Progress:
    """Where a batch stands.

    Attributes:
        done: Requests whose images have come to disk.
        skipped: Requests whose images an earlier run has bought.
        missing: Of these, requests of which a file is gone.
        failed: Requests that failed.
        unconfirmed: Requests whose outcome is unknown.
        blocked: Requests whose images the content policy blocked.
        total: Requests in all, or None where the input does not tell its length.
        elapsed: Seconds since the batch began.
        spent_usd: US dollars for what this run was billed for, or may have been; None where a price
            is not known.
        waiting: What keeps requests from being sent just now; empty where nothing does.
    """

    done: int = 0
    skipped: int = 0
    missing: int = 0
    failed: int = 0
    unconfirmed: int = 0
    blocked: int = 0
    total: int | None = None
    elapsed: float = 0.0
    spent_usd: float | None = 0.0
    waiting: tuple[Wait, ...] = ()

    @property
    def finished(self) -> int:
        """Requests that have an outcome."""
        return self.done + self.skipped + self.failed + self.unconfirmed + self.blocked

    @property
    def rate(self) -> float:
        """Outcomes a second, without the skipped, on average since the batch began; 0 before the first."""
        return (self.finished - self.skipped) / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def eta(self) -> float | None:
        """Seconds left at that rate, or None where that cannot be said."""
        if self.total is None or not self.rate:
            return None
        return (self.total - self.finished) / self.rate
