"""How a job went, in figures: how long answers took, where that time went, how many came in a minute."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from attrs import frozen

from venice_async.storage.journal import FailureGroup
from venice_async.storage.shards import JobReader
from venice_async.types.statistics import Spread, spread_of

__all__ = ["Figures", "figures_of", "read_figures"]


@frozen(kw_only=True)
class Figures:
    """How a job went.

    Attributes:
        images: Images that are there.
        answers: Answers that brought images.
        missing: Items of which a file is gone.
        blocked: Items that the content policy blocked.
        latency: Seconds from sending to the last byte.
        queue: Milliseconds in the server's queue, as its answers tell.
        inference: Milliseconds of its inference.
        per_minute: Answers a minute, from the first that was sent to the last that came; None below two.
        spent_usd: US dollars, or None where a price is not known.
        failures: What went wrong, the most frequent first.
    """

    images: int
    answers: int
    missing: int
    blocked: int
    latency: Spread
    queue: Spread
    inference: Spread
    per_minute: float | None
    spent_usd: float | None
    failures: tuple[FailureGroup, ...]


def figures_of(
    times: Iterable[tuple[float, float]],
    queue: Sequence[float],
    inference: Sequence[float],
    *,
    images: int,
    missing: int = 0,
    blocked: int = 0,
    spent_usd: float | None,
    failures: tuple[FailureGroup, ...],
) -> Figures:
    """The figures of a job.

    Args:
        times: When each answer was asked for, and when it had come, Unix seconds.
        queue: Milliseconds in the server's queue.
        inference: Milliseconds of inference.
        images: How many there are.
        missing: Items of which a file is gone.
        blocked: Items that were blocked.
        spent_usd: US dollars.
        failures: What went wrong.
    """
    sent, ended = array("d"), array("d")
    for one, other in times:
        sent.append(one)
        ended.append(max(one, other))
    seconds = max(ended) - min(sent) if sent else 0.0
    return Figures(
        images=images,
        answers=len(sent),
        missing=missing,
        blocked=blocked,
        latency=spread_of([other - one for one, other in zip(sent, ended, strict=True)]),
        queue=spread_of(queue),
        inference=spread_of(inference),
        per_minute=60 * len(sent) / seconds if seconds and len(sent) > 1 else None,
        spent_usd=spent_usd,
        failures=failures,
    )


def read_figures(reader: JobReader) -> Figures:
    """The figures of a directory's job; blocks.

    Raises:
        StorageError: The journal cannot be read.
    """
    status = reader.status()
    sent, ended, queue, inference = array("d"), array("d"), array("d"), array("d")
    for image in reader.images():
        if image.image:  # of the same answer as the one before
            continue
        if image.sent_at is not None and image.ended_at is not None:
            sent.append(image.sent_at)
            ended.append(image.ended_at)
        if (timing := image.answer.timing) is not None:
            queue.append(timing.inference_queue_time)
            inference.append(timing.inference_duration)
    return figures_of(
        zip(sent, ended, strict=True),
        queue,
        inference,
        images=status.images,
        missing=status.missing,
        blocked=status.blocked,
        spent_usd=status.spent_usd,
        failures=status.failures,
    )
