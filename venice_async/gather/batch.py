"""`gather_generate`, `stream_generate` and `stream_retry`: the arguments of a batch."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Unpack

from venice_async.errors import ConfigurationError
from venice_async.report import BatchReport
from venice_async.session import VeniceSession
from venice_async.storage.journal import Durability, Journal, Verification
from venice_async.storage.names import DEFAULT_NAME, NameTemplate
from venice_async.types.request import RequestFields

from .job import Duplicates, describe_job
from .options import MAX_REFUSALS, MAX_UNUSABLE, MAX_WAIT, checked_durability, checked_options
from .source import Source, What
from .stream import OutcomeStream

__all__ = ["gather_generate", "stream_generate"]


async def gather_generate(
    session: VeniceSession,
    what: What,
    *,
    into: str | os.PathLike[str],
    seeds: Iterable[int] | None = None,
    concurrency: int | None = None,
    name: str = DEFAULT_NAME,
    duplicates: Duplicates = "keep",
    durability: Durability = "power",
    verify: Verification = "header",
    budget_usd: float | None = None,
    max_failures: float | None = None,
    max_unusable: int = MAX_UNUSABLE,
    max_refusals: int = MAX_REFUSALS,
    max_wait: float | None = MAX_WAIT,
    extend: bool = False,
    drain_timeout: float = 60.0,
    **fields: Unpack[RequestFields],
) -> BatchReport:
    """Generate many images into a directory; the same call again goes on where it was.

    The directory keeps a journal of what was bought (`.venice/journal.sqlite3`). What is done comes back
    as `Skipped`, which tells of files that are gone (`missing`; see `redo`). What may have been paid for
    (unconfirmed, or an answer that was refused) is held, and comes back as it was, unless the session's
    `RetryPolicy(resend_unconfirmed=True)` has it sent again. So does what the content policy blocked. What
    failed at no cost is tried again. A seed that is left open is drawn once, and stays.

    Args:
        session: An open session.
        what: A prompt, a request, or a (possibly endless, possibly async) iterable of either; it is
            read as places come free. It may grow and change its order between two calls. A plain iterable
            is read in the event loop's own thread, and must not block it: what waits is an async one.
        into: The directory, which is made if need be; this job's, or one without images.
        seeds: Each item is generated once for each of these; endless ones go with a single item.
        concurrency: Requests in flight at once; the session's where None.
        name: Template of the file names, see `NameTemplate`; the extension follows from the format.
        duplicates: `keep`: what the input repeats is bought again. `skip`: it is skipped.
        durability: `power`: what is paid for survives a power cut. `process`: it survives the end of
            the process, and costs less time.
        verify: `header`: an image is complete by its format's own marks. `decode`: it can be decoded
            as well, which needs Pillow.
        budget_usd: US dollars that the job may cost in all its runs, what is in flight and what is
            unconfirmed included, at the prices of `models()`; None for no limit.
        max_failures: More failed and unconfirmed items than this stop the batch; between 0 and 1, a
            larger share of the finished ones, once there are 20. None for no such limit. A blocked image
            costs nothing, and counts neither way.
        max_unusable: So many answers in a row that are not images, all with the same kind of fault, stop
            the batch; 0 for no limit.
        max_refusals: So many refusals (4xx) of a model's items in a row, all alike, stop that model, as long
            as no item of it has succeeded; 0 for no limit.
        max_wait: Seconds to wait at most for a rate limit, a model, or a server that cannot be reached. What
            takes longer stops the batch, to be resumed later; so does a server that was not reached at all
            for two minutes. None for any time.
        extend: Whether a directory with another job's journal is added to.
        drain_timeout: When cancelled, seconds to wait for what is in flight; 0 to abort at once.
        **fields: Fields of the request for bare prompts; without `model`, they go to the session's default.

    Raises:
        ConfigurationError: The arguments contradict each other; nothing was sent.
        ValidationError: `fields` are outside their ranges; nothing was sent.
        JobChangedError: The directory holds another job; nothing was sent.
        DirectoryLockedError: Another process works on the directory; nothing was sent.
        JournalError: The directory's journal is damaged; nothing was sent.
        OutputExistsError: The directory holds images, and no journal; nothing was sent.
        VeniceError: There is a budget, and the prices cannot be had; nothing was sent.
    """
    stream = stream_generate(
        session,
        what,
        into=into,
        seeds=seeds,
        concurrency=concurrency,
        name=name,
        duplicates=duplicates,
        durability=durability,
        verify=verify,
        budget_usd=budget_usd,
        max_failures=max_failures,
        max_unusable=max_unusable,
        max_refusals=max_refusals,
        max_wait=max_wait,
        extend=extend,
        drain_timeout=drain_timeout,
        **fields,
    )
    async with stream as outcomes:
        async for _ in outcomes:
            pass
    return stream.report


def stream_generate(
    session: VeniceSession,
    what: What,
    *,
    into: str | os.PathLike[str],
    seeds: Iterable[int] | None = None,
    concurrency: int | None = None,
    name: str = DEFAULT_NAME,
    duplicates: Duplicates = "keep",
    durability: Durability = "power",
    verify: Verification = "header",
    budget_usd: float | None = None,
    max_failures: float | None = None,
    max_unusable: int = MAX_UNUSABLE,
    max_refusals: int = MAX_REFUSALS,
    max_wait: float | None = MAX_WAIT,
    extend: bool = False,
    drain_timeout: float = 60.0,
    **fields: Unpack[RequestFields],
) -> OutcomeStream:
    """Generate many images into a directory, and hand over the outcomes as they come.

    An async context manager of an async iterator of `Outcome`. A slow reader slows the sending.
    Leaving the block early stops the sending and waits, for at most `drain_timeout` seconds, for
    what is in flight.

    Args and errors are those of `gather_generate`; the errors are raised on entering.
    """
    if isinstance(seeds, str | bytes) or not isinstance(seeds, Iterable | None):
        raise ConfigurationError(f"seeds={seeds!r}: expected an iterable of integers, such as range(16)")
    options = checked_options(
        session,
        template=NameTemplate(name),
        concurrency=concurrency,
        duplicates=duplicates,
        verify=verify,
        budget_usd=budget_usd,
        max_failures=max_failures,
        max_unusable=max_unusable,
        max_refusals=max_refusals,
        max_wait=max_wait,
        drain_timeout=drain_timeout,
    )
    source = Source(what, seeds, fields)
    job = describe_job(what, seeds, fields, template=options.template, duplicates=duplicates)
    journal = Journal(Path(into), checked_durability(durability))
    return OutcomeStream(session, journal, source, job, options, extend=extend)
