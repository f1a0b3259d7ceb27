"""Many requests to outcomes: `gather_generate` and `stream_generate`.

1. The input is read lazily by a bounded number of workers; what stays of an item is its outcome, for
   the report.
2. A failed item does not stop the others; what every further request would meet as well does.
3. An image that was bought is kept: a batch that is left or cancelled stops sending and drains what
   is in flight.
4. The workers live in one task of the batch's own, which ends before the block does; the caller's
   block sees its own exceptions, never a group of ours.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from copy import copy
from functools import partial
from pathlib import Path, PurePath
from typing import Any, Self, Unpack

import anyio
import attrs

from venice_async.errors import (
    ConfigurationError,
    NotFoundError,
    SessionStateError,
    TooManyFailuresError,
    UnconfirmedError,
    ValidationError,
    VeniceError,
)
from venice_async.policy.retry import stops_batch, too_many_failures, was_billed
from venice_async.pool import Halt, NotSentError
from venice_async.report import BatchReport
from venice_async.session import VeniceSession
from venice_async.storage.files import EXTENSIONS, FileSink, Published, prepare_directory
from venice_async.storage.names import DEFAULT_NAME, NameTemplate
from venice_async.types.outcome import Failed, Generated, Outcome, Progress, Unconfirmed
from venice_async.types.request import ImageRequest, RequestFields
from venice_async.types.response import ImageFormat

from .source import Source, What

__all__ = ["OutcomeStream", "gather_generate", "stream_generate"]

_SHOWN = 60
_LONGEST_DRAIN = 1e9


async def gather_generate(
    session: VeniceSession,
    what: What,
    *,
    into: str | os.PathLike[str],
    seeds: Iterable[int] | None = None,
    concurrency: int | None = None,
    name: str = DEFAULT_NAME,
    max_failures: float | None = None,
    drain_timeout: float = 60.0,
    **fields: Unpack[RequestFields],
) -> BatchReport:
    """Generate many images into a directory.

    Args:
        session: An open session.
        what: A prompt, a request, or a (possibly endless, possibly async) iterable of either; it is
            read as places come free.
        into: The directory, which is made if need be, and must not hold images.
        seeds: Each item is generated once for each of these; endless ones go with a single item.
        concurrency: Requests in flight at once; the session's where None.
        name: Template of the file names, see `NameTemplate`; the extension follows from the format.
        max_failures: More failed and unconfirmed items than this stop the batch; between 0 and 1, a
            larger share of the finished ones, once there are 20. None for no such limit.
        drain_timeout: When cancelled, seconds to wait for what is in flight; 0 to abort at once.
        **fields: Fields of the request for bare prompts, `model` at least.

    Raises:
        ConfigurationError: The arguments contradict each other; nothing was sent.
        ValidationError: `fields` are outside their ranges; nothing was sent.
        OutputExistsError: The directory holds images; nothing was sent.
    """
    stream = stream_generate(
        session,
        what,
        into=into,
        seeds=seeds,
        concurrency=concurrency,
        name=name,
        max_failures=max_failures,
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
    max_failures: float | None = None,
    drain_timeout: float = 60.0,
    **fields: Unpack[RequestFields],
) -> OutcomeStream:
    """Generate many images into a directory, and hand over the outcomes as they come.

    An async context manager of an async iterator of `Outcome`. A slow reader slows the sending.
    Leaving the block early stops the sending and waits, for at most `drain_timeout` seconds, for
    what is in flight.

    Args and errors are those of `gather_generate`; the errors are raised on entering.
    """
    if (
        isinstance(drain_timeout, bool)
        or not isinstance(drain_timeout, int | float)
        or not drain_timeout >= 0
    ):
        raise ConfigurationError(f"drain_timeout={drain_timeout!r}: expected seconds, 0 or more")
    if isinstance(seeds, str | bytes) or not isinstance(seeds, Iterable | None):
        raise ConfigurationError(f"seeds={seeds!r}: expected an iterable of integers, such as range(16)")
    workers = session.concurrency if concurrency is None else concurrency
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise ConfigurationError(f"concurrency={workers!r}: expected an integer of at least 1")
    return OutcomeStream(
        session,
        Source(what, seeds, fields),
        Path(into),
        NameTemplate(name),
        workers,
        _checked_max_failures(max_failures),
        min(drain_timeout, _LONGEST_DRAIN),
    )


def _checked_max_failures(given: float | None) -> float | None:
    if given is None or (isinstance(given, int) and not isinstance(given, bool) and given >= 0):
        return given
    if isinstance(given, float) and 0 < given < 1:
        return given
    raise ConfigurationError(
        f"max_failures={given!r}: expected a whole number, a share between 0 and 1, or None"
    )


class OutcomeStream:
    """The outcomes of a batch as they come; made by `stream_generate`."""

    def __init__(
        self,
        session: VeniceSession,
        source: Source,
        into: Path,
        template: NameTemplate,
        workers: int,
        max_failures: float | None,
        drain_timeout: float,
    ) -> None:
        self._session = session
        self._source = source
        self._published = Published(into)
        self._template = template
        self._workers = workers if source.length is None else max(1, min(workers, source.length))
        self._max_failures = max_failures
        self._drain_timeout = drain_timeout
        self._gone: dict[str, NotFoundError] = {}
        self._task: asyncio.Task[None] | None = None
        self._outcomes: list[Outcome] = []
        self._unread: list[Outcome] = []
        self._progress = Progress(total=source.length)
        self._began = self._ended = 0.0
        self._halt = Halt()
        self._stopped: VeniceError | None = None
        self._crash: BaseException | None = None
        self._crash_raised = False

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise SessionStateError("a batch is entered once; call stream_generate again")
        await self._session.writer.submit(partial(prepare_directory, self._published.directory))
        self._send, self._receive = anyio.create_memory_object_stream[Outcome](self._workers)
        self._began = asyncio.get_running_loop().time()
        self._task = asyncio.create_task(self._run(), name="venice_async batch")
        return self

    async def __aexit__(self, _: object, exc: BaseException | None, __: object) -> None:
        with anyio.CancelScope(shield=True):
            try:
                await self._drain()
            finally:
                await self._end()
        if self._crash is not None and not self._crash_raised:
            if exc is None:
                raise self._crash
            exc.add_note(f"and the batch ended with {self._crash!r}")

    async def _end(self) -> None:
        """End the batch's own task; a cancellation of the caller's meanwhile is passed on, not taken."""
        assert self._task is not None  # noqa: S101
        self._task.cancel()
        interrupted: asyncio.CancelledError | None = None
        while not self._task.done():
            try:
                await asyncio.wait({self._task})
            except asyncio.CancelledError as exc:
                interrupted = exc
                self._task.cancel()
        self._receive.close()
        if interrupted is not None:
            raise interrupted
        if not self._task.cancelled():
            self._task.result()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        if self._task is None:
            raise SessionStateError("outcomes are read within `async with stream_generate(...)`")
        try:
            return await self._receive.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            if self._crash is not None:
                self._crash_raised = True
                raise self._crash from None
            raise StopAsyncIteration from None

    @property
    def progress(self) -> Progress:
        """Where the batch stands."""
        return attrs.evolve(self._progress, elapsed=self._elapsed())

    @property
    def unread(self) -> tuple[Outcome, ...]:
        """Outcomes that came after the block was left, in the order in which they came."""
        return tuple(self._unread)

    @property
    def report(self) -> BatchReport:
        """What the batch did, so far or in all."""
        progress = self.progress
        total = self._source.taken if self._source.exhausted else progress.total
        return BatchReport(
            generated=progress.done,
            failed=progress.failed,
            unconfirmed=progress.unconfirmed,
            pending=None if total is None else total - progress.finished,
            elapsed=progress.elapsed,
            stopped=self._stopped,
            outcomes=tuple(sorted(self._outcomes, key=lambda outcome: outcome.index)),
        )

    def _elapsed(self) -> float:
        if not self._began:
            return 0.0
        return (self._ended or asyncio.get_running_loop().time()) - self._began

    async def _run(self) -> None:
        try:
            async with anyio.create_task_group() as group:
                for _ in range(self._workers):
                    group.start_soon(self._work)
        finally:
            self._ended = asyncio.get_running_loop().time()
            try:
                await self._source.close()
            except Exception as exc:  # noqa: BLE001 - raised to the reader
                self._crash = self._crash or exc
            finally:
                self._send.close()

    async def _drain(self) -> None:
        """Stop sending, and wait for what is in flight."""
        self._stop()
        with anyio.move_on_after(self._drain_timeout):
            async for outcome in self._receive:
                self._unread.append(outcome)

    def _stop_because(self, error: VeniceError) -> None:
        if self._stopped is None:
            self._stopped = error
            self._stop()

    def _stop(self) -> None:
        self._halt.call()
        self._source.stop()

    async def _work(self) -> None:
        try:
            while not self._halt.called and (entry := await self._source.next()) is not None:
                outcome = await self._generate(*entry)
                if outcome is not None:
                    self._record(outcome)
                    await self._hand_over(outcome)
        except (Exception, SystemExit, KeyboardInterrupt) as exc:  # noqa: BLE001
            # Raised to the reader, in its own task, once the others have finished.
            self._crash = self._crash or exc
            self._stop()

    async def _hand_over(self, outcome: Outcome) -> None:
        try:
            await self._send.send(outcome)
        except BaseException:
            self._unread.append(outcome)
            raise

    async def _generate(self, index: int, request: ImageRequest | ValidationError) -> Outcome | None:
        """Carry out one request; None if it was not sent because the batch stopped."""
        if isinstance(request, ValidationError):
            return Failed(index=index, request=None, error=request)
        if (error := self._gone_error(request.model)) is not None:
            return self._failure(index, request, error)
        sent = False

        async def before_send(_: int) -> None:
            nonlocal sent
            if (error := self._gone_error(request.model)) is not None:
                raise error
            sent = True

        sink = partial(FileSink, self._session.writer, self._published, self._namer(index, request))
        try:
            answer = await self._session.fetch(request, sink, before_send=before_send, halt=self._halt)
        except NotSentError:
            return None
        except VeniceError as exc:
            return self._failure(index, request, exc)
        except asyncio.CancelledError:
            if sent:
                aborted = UnconfirmedError("aborted while the request was in flight")
                outcome = Unconfirmed(index=index, request=request, error=aborted)
                self._record(outcome)
                self._unread.append(outcome)
            raise
        return Generated(index=index, request=request, answer=answer)

    def _failure(self, index: int, request: ImageRequest, error: VeniceError) -> Outcome:
        error.add_note(f"request {index}: {request.prompt[:_SHOWN]!r}")
        if isinstance(error, NotFoundError):
            self._gone.setdefault(request.model, error)
        if stops_batch(error):
            self._stop_because(error)
        if isinstance(error, UnconfirmedError):
            return Unconfirmed(index=index, request=request, error=error)
        return Failed(index=index, request=request, error=error, billed=was_billed(error))

    def _gone_error(self, model: str) -> NotFoundError | None:
        """What an item of a model ends with that the server does not have; nothing is sent for it."""
        if (found := self._gone.get(model)) is None:
            return None
        error = copy(found)
        error.__notes__ = ["not sent: an earlier request has shown that the model is not there"]
        return error

    def _namer(self, index: int, request: ImageRequest) -> Any:
        def name(answer_id: str | None, image: int, images: int, image_format: ImageFormat) -> PurePath:
            stem = self._template.render(
                request, index=index, answer_id=answer_id, image=image, images=images
            )
            return stem.with_name(stem.name + EXTENSIONS[image_format])

        return name

    def _record(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        count = {Generated: "done", Failed: "failed", Unconfirmed: "unconfirmed"}[type(outcome)]
        self._progress = attrs.evolve(self._progress, **{count: getattr(self._progress, count) + 1})
        if too_many_failures(self._progress, self._max_failures):
            lost = self._progress.failed + self._progress.unconfirmed
            self._stop_because(
                TooManyFailuresError(
                    f"{lost} of {self._progress.finished} items failed; max_failures={self._max_failures}"
                )
            )
