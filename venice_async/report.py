"""What a batch did, once it is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from attrs import field, frozen

from .errors import BatchError, VeniceError
from .types.outcome import Failed, Generated, Outcome, Unconfirmed

__all__ = ["BatchReport"]


@frozen(kw_only=True)
class BatchReport:
    """What a batch did.

    Attributes:
        generated: Requests whose images are on disk.
        failed: Requests that failed.
        unconfirmed: Requests that were sent and whose outcome is unknown.
        pending: Requests that have no outcome because the batch ended early; None where the input
            was not read to its end and does not tell its length.
        elapsed: Seconds.
        stopped: What stopped the batch before its end, or None.
    """

    generated: int
    failed: int
    unconfirmed: int
    pending: int | None
    elapsed: float
    stopped: VeniceError | None
    _outcomes: tuple[Outcome, ...] = field(repr=False, alias="outcomes")

    async def outcomes(self) -> AsyncIterator[Outcome]:
        """Every outcome, in the order of the input."""
        for outcome in self._outcomes:
            yield outcome

    async def failures(self) -> AsyncIterator[Failed | Unconfirmed]:
        """The outcomes that are no images, in the order of the input."""
        for outcome in self._outcomes:
            if not isinstance(outcome, Generated):
                yield outcome

    async def paths(self) -> AsyncIterator[Path]:
        """Every file, in the order of the input."""
        for outcome in self._outcomes:
            if isinstance(outcome, Generated):
                for path in outcome.paths:
                    yield path

    def raise_for_failures(self) -> None:
        """Raise unless every request ended as an image.

        Raises:
            BatchError: Some failed, are unconfirmed, or were not sent because the batch was stopped.
        """
        errors: list[VeniceError] = [
            outcome.error for outcome in self._outcomes if not isinstance(outcome, Generated)
        ]
        if self.stopped is not None and self.stopped not in errors:
            errors.append(self.stopped)
        if not errors and not self.pending:
            return
        counts = [
            f"{count} {what}"
            for count, what in (
                (self.generated, "generated"),
                (self.failed, "failed"),
                (self.unconfirmed, "unconfirmed"),
                (self.pending, "not sent"),
            )
            if count
        ]
        raise BatchError(
            "the batch is incomplete: " + ", ".join(counts),
            errors or [VeniceError("the batch was left before its end")],
        )
