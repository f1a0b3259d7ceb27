"""Many requests to outcomes: `gather_generate` and `stream_generate`.

1. The input is read lazily by a bounded number of workers: memory does not grow with its length.
2. A failed item does not stop the others; what every further request would meet as well does.
3. An image that was bought is kept: a batch that is left or cancelled stops sending and drains what
   is in flight.
4. The workers live in one task of the batch's own, which ends before the block does; the caller's
   block sees its own exceptions, never a group of ours.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable, Iterable, Iterator, Sized
from functools import partial
from pathlib import Path, PurePath
from typing import Any, Self, Unpack

import anyio
import attrs

from .errors import (
    ConfigurationError,
    Fault,
    SessionStateError,
    UnconfirmedError,
    ValidationError,
    VeniceError,
)
from .policy.retry import stops_batch, was_billed
from .report import BatchReport
from .session import VeniceSession
from .storage.files import EXTENSIONS, FileSink, Published, prepare_directory
from .storage.names import DEFAULT_NAME, NameTemplate
from .types.outcome import Failed, Generated, Outcome, Progress, Unconfirmed
from .types.request import ImageRequest, RequestFields
from .types.response import ImageFormat

__all__ = ["OutcomeStream", "What", "gather_generate", "stream_generate"]

What = str | ImageRequest | Iterable[str | ImageRequest] | AsyncIterable[str | ImageRequest]
"""A prompt, a request, or a (possibly endless, possibly async) iterable of either."""

_SHOWN = 60


async def gather_generate(
    session: VeniceSession,
    what: What,
    *,
    into: str | os.PathLike[str],
    seeds: Iterable[int] | None = None,
    concurrency: int | None = None,
    name: str = DEFAULT_NAME,
    drain_timeout: float = 60.0,
    **fields: Unpack[RequestFields],
) -> BatchReport:
    """Generate many images into a directory.

    Args:
        session: An open session.
        what: A prompt, a request, or a (possibly endless, possibly async) iterable of either; it is
            read as places come free.
        into: The directory, which is made if need be, and must not hold images.
        seeds: Each item is generated once for each of these.
        concurrency: Requests in flight at once; the session's where None.
        name: Template of the file names, see `NameTemplate`; the extension follows from the format.
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
        _Source(what, None if seeds is None else tuple(seeds), fields),
        Path(into),
        NameTemplate(name),
        workers,
        drain_timeout,
    )


class _Source:
    """The requests of a batch, made when they are asked for."""

    def __init__(self, what: What, seeds: tuple[int, ...] | None, fields: RequestFields) -> None:
        if seeds == ():
            raise ConfigurationError("seeds= is empty: nothing would be generated")
        if seeds is not None and fields.get("seed") is not None:
            raise ConfigurationError("seed= and seeds= exclude each other")
        if isinstance(what, ImageRequest) and fields:
            raise ConfigurationError("fields go with bare prompts; use attrs.evolve on a request")
        self._seeds = seeds
        self._fields = fields
        if isinstance(what, str) or fields:
            # What is wrong with all of them is raised before the first is sent.
            self._request(what if isinstance(what, str) else "?", {})
        self._sync: Iterator[Any] = iter(())
        self._async: Any = None
        if isinstance(what, str | ImageRequest):
            self._sync = iter((what,))
        elif isinstance(what, AsyncIterable):
            self._async = aiter(what)
        elif isinstance(what, Iterable) and not isinstance(what, bytes):
            self._sync = iter(what)
        else:
            raise ConfigurationError(f"{what!r:.60} is no prompt, no request and no iterable of them")
        self.length = _length(what, seeds)
        self.taken = 0
        self.exhausted = False
        self._expanded: Iterator[ImageRequest | ValidationError] = iter(())
        self._lock = asyncio.Lock()
        self._stopped = False
        self._waiting = anyio.CancelScope()

    async def next(self) -> tuple[int, ImageRequest | ValidationError] | None:
        """The next request with its place in the input; None at the end."""
        async with self._lock:
            while True:
                for request in self._expanded:
                    self.taken += 1
                    return self.taken - 1, request
                if self.exhausted or self._stopped:
                    return None
                await self._pull()

    def stop(self) -> None:
        """Hand out nothing more, and wait no longer for an async iterator."""
        self._stopped = True
        self._waiting.cancel()

    async def close(self) -> None:
        """Let go of an async iterator."""
        if self._async is not None and hasattr(self._async, "aclose"):
            await self._async.aclose()

    async def _pull(self) -> None:
        try:
            if self._async is None:
                self._expanded = self._expand(next(self._sync))
                return
            with anyio.CancelScope() as self._waiting:
                self._expanded = self._expand(await anext(self._async))
        except (StopIteration, StopAsyncIteration):
            self.exhausted = True

    def _expand(self, item: Any) -> Iterator[ImageRequest | ValidationError]:
        for seed in self._seeds or (None,):
            try:
                yield self._request(item, {} if seed is None else {"seed": seed})
            except ValidationError as exc:
                yield exc

    def _request(self, item: Any, changes: dict[str, Any]) -> ImageRequest:
        if isinstance(item, ImageRequest):
            return attrs.evolve(item, **changes) if changes else item
        if isinstance(item, str):
            if "model" not in self._fields:
                raise ValidationError([Fault("model", None, "a value; a prompt needs model=")])
            fields: dict[str, Any] = {**self._fields, **changes}
            return ImageRequest(item, **fields)
        raise ValidationError([Fault("what", item, "a prompt or an ImageRequest")])


def _length(what: What, seeds: tuple[int, ...] | None) -> int | None:
    items = 1 if isinstance(what, str | ImageRequest) else len(what) if isinstance(what, Sized) else None
    return None if items is None else items * (1 if seeds is None else len(seeds))


class _NotSentError(Exception):
    """The batch stopped while this request was waiting for its place."""


class OutcomeStream:
    """The outcomes of a batch as they come; made by `stream_generate`."""

    def __init__(
        self,
        session: VeniceSession,
        source: _Source,
        into: Path,
        template: NameTemplate,
        workers: int,
        drain_timeout: float,
    ) -> None:
        self._session = session
        self._source = source
        self._published = Published(into)
        self._template = template
        self._workers = workers if source.length is None else max(1, min(workers, source.length))
        self._drain_timeout = drain_timeout
        self._task: asyncio.Task[None] | None = None
        self._outcomes: list[Outcome] = []
        self._progress = Progress(total=source.length)
        self._began = self._ended = 0.0
        self._stopping = False
        self._stopped: VeniceError | None = None
        self._crash: BaseException | None = None

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise SessionStateError("a batch is entered once; call stream_generate again")
        await self._session.writer.submit(partial(prepare_directory, self._published.directory))
        self._send, self._receive = anyio.create_memory_object_stream[Outcome](self._workers)
        self._began = asyncio.get_running_loop().time()
        self._task = asyncio.create_task(self._run(), name="venice_async batch")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None  # noqa: S101
        with anyio.CancelScope(shield=True):
            try:
                await self._drain()
            finally:
                await self._end()

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
                raise self._crash from None
            raise StopAsyncIteration from None

    @property
    def progress(self) -> Progress:
        """Where the batch stands."""
        return attrs.evolve(self._progress, elapsed=self._elapsed())

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
            finally:
                self._send.close()

    async def _drain(self) -> None:
        """Stop sending, and wait for what is in flight."""
        self._stop()
        with anyio.move_on_after(self._drain_timeout):
            async for _ in self._receive:
                pass

    def _stop(self) -> None:
        self._stopping = True
        self._source.stop()

    async def _work(self) -> None:
        try:
            while not self._stopping and (entry := await self._source.next()) is not None:
                outcome = await self._generate(*entry)
                if outcome is not None:
                    self._record(outcome)
                    await self._send.send(outcome)
        except Exception as exc:  # noqa: BLE001 - raised to the reader once the others have finished
            self._crash = self._crash or exc
            self._stop()

    async def _generate(self, index: int, request: ImageRequest | ValidationError) -> Outcome | None:
        """Carry out one request; None if it was not sent because the batch stopped."""
        if isinstance(request, ValidationError):
            return Failed(index=index, request=None, error=request)
        sent = False

        async def before_send(_: int) -> None:
            nonlocal sent
            if self._stopping:
                raise _NotSentError
            sent = True

        sink = partial(FileSink, self._session.writer, self._published, self._namer(index, request))
        try:
            answer = await self._session.fetch(request, sink, before_send=before_send)
        except _NotSentError:
            return None
        except VeniceError as exc:
            return self._failure(index, request, exc)
        except asyncio.CancelledError:
            if sent:
                error = UnconfirmedError("aborted while the request was in flight")
                self._record(Unconfirmed(index=index, request=request, error=error))
            raise
        return Generated(index=index, request=request, answer=answer)

    def _failure(self, index: int, request: ImageRequest, error: VeniceError) -> Outcome:
        error.add_note(f"request {index}: {request.prompt[:_SHOWN]!r}")
        if stops_batch(error) and self._stopped is None:
            self._stopped = error
            self._stop()
        if isinstance(error, UnconfirmedError):
            return Unconfirmed(index=index, request=request, error=error)
        return Failed(index=index, request=request, error=error, billed=was_billed(error))

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
