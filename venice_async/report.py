"""What a batch did, once it is over."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Protocol

from attrs import field, frozen

from .errors import BatchError, VeniceError
from .types.outcome import Blocked, Failed, Outcome, Unconfirmed

__all__ = ["BatchReport", "Outcomes"]


class Outcomes(Protocol):
    """Where the outcomes of a run are read."""

    def outcomes(self, run: int, *, lost: bool = False) -> AsyncGenerator[Outcome, None]:
        """The outcomes of a run in the order of the input; only what is no image, if so asked."""
        ...

    def paths(self, run: int) -> AsyncGenerator[Path, None]:
        """The files of a run's outcomes that are there, in the order of the input."""
        ...


@frozen(kw_only=True)
class BatchReport:
    """What a batch did.

    The outcomes are read from the directory's journal; what a later run has asked for again is told by
    that run's report.

    Attributes:
        generated: Requests whose images have come to disk.
        skipped: Requests whose images an earlier run has bought.
        missing: Of these, requests of which a file is gone.
        failed: Requests that failed.
        unconfirmed: Requests that were sent and whose outcome is unknown.
        blocked: Requests whose images the content policy blocked.
        pending: Requests that have no outcome because the batch ended early; None where the input
            was not read to its end and does not tell its length.
        spent_usd: US dollars that this run was billed for, or may have been, at the prices of
            `models()`; None where a price is not known.
        elapsed: Seconds.
        stopped: What stopped the batch before its end, or None.
        stopped_models: By model, the error after which nothing more was sent for it.
        notes: What to know of the requests, such as fields that their model ignores; a line each.
    """

    generated: int
    skipped: int = 0
    missing: int = 0
    failed: int
    unconfirmed: int
    blocked: int = 0
    pending: int | None
    spent_usd: float | None = None
    elapsed: float
    stopped: VeniceError | None
    stopped_models: Mapping[str, VeniceError] = field(factory=dict)
    notes: tuple[str, ...] = ()
    _errors: tuple[VeniceError, ...] = field(default=(), repr=False, alias="errors")
    _journal: Outcomes = field(repr=False, alias="journal")
    _run: int = field(repr=False, alias="run")

    @property
    def errors(self) -> tuple[VeniceError, ...]:
        """Those of the first hundred requests that are no images."""
        return self._errors

    def outcomes(self) -> AsyncGenerator[Outcome, None]:
        """Every outcome, in the order of the input, read from the directory's journal.

        Raises:
            StorageError: The journal is gone, or cannot be read.
        """
        return self._journal.outcomes(self._run)

    async def failures(self) -> AsyncGenerator[Failed | Unconfirmed | Blocked, None]:
        """The outcomes that are no images, in the order of the input, read from the directory's journal.

        Raises:
            StorageError: The journal is gone, or cannot be read.
        """
        async for outcome in self._journal.outcomes(self._run, lost=True):
            if isinstance(outcome, Failed | Unconfirmed | Blocked):
                yield outcome

    def paths(self) -> AsyncGenerator[Path, None]:
        """Every file that is there, also of earlier runs, in the order of the input.

        It is read from the directory's journal.

        Raises:
            StorageError: The journal is gone, or cannot be read.
        """
        return self._journal.paths(self._run)

    def raise_for_failures(self) -> None:
        """Raise unless every request ended as an image that is there.

        Raises:
            BatchError: Some failed, are unconfirmed, blocked or missing, or were not sent because the batch
                was stopped.
        """
        stopped = [self.stopped] if self.stopped is not None else []
        stopped += [error for error in self.stopped_models.values() if error not in stopped]
        errors = [*(error for error in stopped if error not in self._errors), *self._errors]
        if not errors and not self.pending and not self.missing:
            return
        counts = [
            f"{count} {what}"
            for count, what in (
                (self.generated, "generated"),
                (self.skipped, "skipped"),
                (self.missing, "missing"),
                (self.failed, "failed"),
                (self.unconfirmed, "unconfirmed"),
                (self.blocked, "blocked"),
                (self.pending, "not sent"),
            )
            if count
        ]
        raise BatchError(
            "the batch is incomplete: " + ", ".join(counts),
            errors or [VeniceError(self._without_errors())],
            max(len(errors), self.failed + self.unconfirmed + self.blocked, 1),
        )

    def _without_errors(self) -> str:
        if self.pending:
            return "the batch was left before its end"
        return (
            f"{self.missing} of the skipped have files that are gone; redo(..., missing=True) buys them again"
        )
