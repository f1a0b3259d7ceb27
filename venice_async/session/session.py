"""The session itself: how a request walks through the parts.

1. A session is entered once and serves any number of tasks, all of the event loop that it was entered
   on. It holds no task group and no cancel scope across its block, so entering and leaving may happen in
   different tasks.
2. One request walks codec, pool, transport, decoder, sink; each of them knows only its neighbour.
"""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from ssl import SSLContext
from typing import TYPE_CHECKING, Self, TypeVar

import anyio
from typing_extensions import override

from venice_async.errors import ConfigurationError, SessionStateError
from venice_async.policy.guard import Guard
from venice_async.policy.rate_limit import RateLimit
from venice_async.policy.retry import RetryPolicy
from venice_async.pool import AfterFailure, BeforeSend, Halt, Pool, Retries
from venice_async.storage.files import FileSink, check_goal, name_for
from venice_async.storage.published import Published
from venice_async.storage.writer import WriterThread
from venice_async.stores import open_store
from venice_async.telemetry import Call, Telemetry
from venice_async.transport import Transport
from venice_async.types.catalogue import ImageModel, KeyRateLimits
from venice_async.types.offer import Offer
from venice_async.types.options import AnswerLimits, Compression, Priority, Timeouts
from venice_async.types.request import ImageRequest
from venice_async.types.response import ImageResponse, SavedImages
from venice_async.types.statistics import Statistics, Wait
from venice_async.wire.codec import encode_request

from .attempt import Attempts
from .catalogue import Catalogue, times_of
from .reception import ImageStream, MemorySink, Sink

if TYPE_CHECKING:
    import aiohttp

__all__ = ["DEFAULT_BASE_URL", "VeniceSession"]

DEFAULT_BASE_URL = "https://api.venice.ai/api/v1"

R = TypeVar("R")


class VeniceSession:
    """A session with the Venice image API, shared by any number of tasks of one event loop.

    Args:
        api_key: The key; the environment's `VENICE_API_KEY` where None.
        base_url: Where the API is; the environment's `VENICE_BASE_URL`, or the real one, where None.
        concurrency: Requests in flight at once.
        max_waiting: Calls that may wait for their turn at once; a further one fails with a `PoolFullError`.
            Items of batches wait all the same, as do retries. None for any number.
        rate_limit: How fast to send; None for a server without limits.
        retry: Whether and when a request is tried again.
        guard: How to stay clear of the error budget's refusals; None to ignore it.
        timeouts: How long each part of a call may take.
        answer_limits: How much of an answer is taken.
        default_model: The model, or trait, that a request's `default` stands for; the environment's
            `VENICE_MODEL` where None, else what the API says.
        check_models: Whether each request is held against what its model says of itself, and its style
            against the list, before it is sent; both are asked for once, and again after an hour.
        proxy: URL of an HTTP proxy, or None.
        ssl: TLS settings; True for the system's certificates.
        compression: `gzip` or `br` where the network is slower than a core: JSON answers shrink by a
            quarter, and inflating them costs 4 to 6 s of CPU per GB, in threads. None for none.
        session: An `aiohttp.ClientSession` of your own, which stays yours to close. If you also ask
            the API yourself through it, give its connector `keepalive_timeout=2`: how long your own
            requests let a connection idle is not known here.

    Raises:
        ConfigurationError: There is no key, or a setting is wrong; nothing was opened.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        concurrency: int = 16,
        max_waiting: int | None = 100_000,
        rate_limit: RateLimit | None = RateLimit.auto(),
        retry: RetryPolicy = RetryPolicy(),
        guard: Guard | None = Guard(),
        timeouts: Timeouts = Timeouts(),
        answer_limits: AnswerLimits = AnswerLimits(),
        default_model: str | None = None,
        check_models: bool = False,
        proxy: str | None = None,
        ssl: SSLContext | bool = True,
        compression: Compression | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1:
            raise ConfigurationError(f"concurrency={concurrency!r}: expected an integer of at least 1")
        _check_waiting(max_waiting)
        self.base_url = base_url or os.environ.get("VENICE_BASE_URL") or DEFAULT_BASE_URL
        self.concurrency = concurrency
        # All answers together collect 8 MiB before they are written, each a share that is worth a job.
        self.flush_bytes = min(1024, max(128, 8 * 1024 // concurrency)) * 1024
        self.timeouts = timeouts
        self.retry = retry
        self.default_model = default_model or os.environ.get("VENICE_MODEL") or None
        self._state = "new"
        self._process = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: asyncio.Event | None = None
        self._transport = Transport(
            api_key=_checked_key(api_key),
            base_url=self.base_url,
            proxy=proxy,
            ssl=ssl,
            session=session,
            compression=compression,
            limits=answer_limits,
        )
        self._catalogue = Catalogue(self._transport, timeouts, self.default_model)
        self._check_models = check_models
        self._pool = Pool(
            concurrency,
            max_waiting=max_waiting,
            rate_limit=rate_limit,
            retry=retry,
            guard=guard,
            ask=None if rate_limit is None else self._catalogue.tell,
            store=open_store(rate_limit.shared) if rate_limit is not None and rate_limit.shared else None,
        )
        self._writer = WriterThread()
        self._telemetry = Telemetry(self.base_url)

    async def __aenter__(self) -> Self:
        if self._state != "new":
            raise SessionStateError(f"this session is {self._state} already; make a new one")
        self._process, self._loop = os.getpid(), asyncio.get_running_loop()
        self._transport.open(self.concurrency)
        try:
            await self._pool.open()
        except BaseException:
            await self._transport.close()
            raise
        self._state = "open"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process != os.getpid():
            return  # the connections and the thread are those of the process that was forked
        self._check_home()
        self._state = "closed"
        with anyio.CancelScope(shield=True):
            async with AsyncExitStack() as stack:
                stack.push_async_callback(self._writer.close)
                stack.push_async_callback(self._pool.close)
                stack.push_async_callback(self._transport.close)

    def __del__(self) -> None:
        if getattr(self, "_state", "new") == "open":
            warnings.warn(
                f"{self!r} was never closed; use `async with`", ResourceWarning, source=self, stacklevel=1
            )

    @override
    def __repr__(self) -> str:
        return f"<VeniceSession {self.base_url} concurrency={self.concurrency} {self._state}>"

    async def drain(self, timeout: float | None = None) -> bool:
        """Take no new calls, and wait for those that run: for a graceful stop, before the session is closed.

        A batch that is under way stops as if it were left; what it has in flight is waited for.

        Args:
            timeout: Seconds to wait for at most; None for as long as it takes.

        Returns:
            Whether all calls have ended.
        """
        self.check_open()
        self._state = "draining"
        with anyio.move_on_after(timeout):
            while self._telemetry.calls:
                self._idle = self._idle or asyncio.Event()
                await self._idle.wait()
        return not self._telemetry.calls

    def waits(self) -> tuple[Wait, ...]:
        """What calls wait for now beyond the ordinary pace, soonest first: a pause that the server asked for.

        The rate limit after a refusal, a model that is overloaded, the error budget, a day's limit. Empty
        while nobody waits; a snapshot.
        """
        return self._pool.waits()

    def statistics(self) -> Statistics:
        """What the session has done since it was opened, and what it is doing; a snapshot."""
        meter = self._telemetry.meter
        return Statistics(
            calls=self._telemetry.calls,
            in_flight=self._telemetry.in_flight,
            waiting=self._pool.waiting_by_priority,
            waits=self._pool.waits(),
            sent=meter.sent,
            retries=meter.retries,
            by_status=dict(meter.by_status),
            refused=meter.by_status[429] + meter.by_status[503],
            unconfirmed=meter.unconfirmed,
            blocked=meter.blocked,
            bytes_received=meter.bytes_received,
            latency=meter.latency,
            rate_limit=meter.rate_limit,
            balance_usd=meter.balance_usd,
            balance_diem=meter.balance_diem,
        )

    async def generate(
        self,
        request: ImageRequest,
        *,
        priority: int = Priority.NORMAL,
        timeout: float | Timeouts | None = None,
    ) -> ImageResponse:
        """Generate an image, in memory.

        Args:
            request: What to draw.
            priority: Of the calls that wait, the larger number goes first; see `Priority`.
            timeout: Seconds for the whole call, waiting and retries included, or `Timeouts` of its own; the
                session's where None.

        Raises:
            ValidationError: `check_models` is on, and there is no such model or style, or the model takes no
                such request; nothing was sent.
            ConfigurationError: It asks for more variants than the rate limit ever holds; nothing was sent.
            StatusError: The server refused.
            PoolFullError: As many calls wait as may; nothing was sent.
            RequestTimeoutError: Time ran out, or cannot suffice at the rate limit; nothing was sent.
            UnconfirmedError: It was sent and what became of it is unknown.
            DecodeError: The answer is not what it should be.
            ContentBlockedError: The content policy blocked the image; it was not billed.
        """
        return await self.fetch(request, MemorySink, priority=priority, timeout=timeout)

    async def save(
        self,
        request: ImageRequest,
        path: str | os.PathLike[str],
        *,
        priority: int = Priority.NORMAL,
        timeout: float | Timeouts | None = None,
    ) -> SavedImages:
        """Generate an image and stream it to a file; it is never whole in memory.

        The extension follows the image's real format, so `a.png` becomes `a.webp` where that is what
        came. Several variants become `a-0.webp`, `a-1.webp` and so on. Nothing is overwritten.

        Args:
            request: What to draw.
            path: Where to put it, in a directory that exists.
            priority: As in `generate`.
            timeout: As in `generate`.

        Raises:
            OutputExistsError: The path is taken; nothing was sent.
            StorageError: The disk refused.
            VeniceError: As in `generate`.
        """
        self._check_taking()
        goal = Path(path)
        await self._writer.submit(partial(check_goal, goal))
        published = Published(goal.parent)
        sink = partial(FileSink, self._writer, published, partial(name_for, goal), self.flush_bytes)
        return await self.fetch(request, sink, priority=priority, timeout=timeout)

    @asynccontextmanager
    async def stream(
        self,
        request: ImageRequest,
        *,
        priority: int = Priority.NORMAL,
        timeout: float | Timeouts | None = None,
    ) -> AsyncGenerator[ImageStream, None]:
        """Generate an image and hand it on as it arrives.

        The block runs once the image has begun. What was handed on is not to be trusted before the
        iteration has ended without an error.

        Args:
            request: What to draw; one image, no `variants`.
            priority: As in `generate`.
            timeout: As in `generate`.

        Raises:
            ConfigurationError: The request asks for several images.
            VeniceError: As in `generate`, on entering or while iterating.
        """
        if (request.variants or 1) > 1:
            raise ConfigurationError("stream() carries one image; use generate() or save() for variants")

        async def begin(attempt: int, call: Call, attempts: Attempts) -> tuple[AsyncExitStack, ImageStream]:
            async with AsyncExitStack() as stack:
                place = self._pool.place(
                    attempts.request.model,
                    units=request.units,
                    priority=priority,
                    deadline=attempts.deadline,
                    again=attempt > 1,
                )
                admission = await stack.enter_async_context(place)
                image = await attempts.begun(stack, call, admission)
                return stack.pop_all(), image

        async with self._running(request, timeout) as (call, attempts):
            stack, image = await self._pool.retrying(
                partial(begin, call=call, attempts=attempts),
                model=attempts.request.model,
                deadline=attempts.deadline,
            )
            async with stack:
                yield image

    async def fetch(
        self,
        request: ImageRequest,
        open_sink: Callable[[], Sink[R]],
        *,
        before_send: BeforeSend | None = None,
        after_failure: AfterFailure | None = None,
        halt: Halt | None = None,
        retry: Retries | None = None,
        priority: int = Priority.NORMAL,
        timeout: float | Timeouts | None = None,
    ) -> R:
        """Generate an image into a sink: what `generate` and `save` are made of.

        Args:
            request: What to draw.
            open_sink: Makes the sink of an attempt.
            before_send: Awaited just before each attempt is sent.
            after_failure: Awaited after each attempt that has failed.
            halt: What may end the waiting before an attempt; None for nothing.
            retry: Decides in the session's own policy's stead; None for that.
            priority: As in `generate`.
            timeout: As in `generate`.

        Raises:
            NotSentError: The halt came while no attempt was in flight.
            VeniceError: As in `generate`, and what the two and the sink raise.
        """
        async with self._running(request, timeout) as (call, attempts):
            return await self._pool.run(
                partial(attempts.into, open_sink, call),
                model=attempts.request.model,
                units=request.units,
                priority=priority,
                before_send=before_send,
                after_failure=after_failure,
                deadline=attempts.deadline,
                halt=halt,
                retry=retry,
            )

    async def models(self) -> tuple[ImageModel, ...]:
        """The image models, with their prices and constraints.

        Raises:
            StatusError: The server refused.
            TransportError: No whole answer came.
        """
        self.check_open()
        return await self._catalogue.models()

    async def styles(self) -> tuple[str, ...]:
        """The names that `ImageRequest.style_preset` takes.

        Raises:
            StatusError: The server refused.
            TransportError: No whole answer came.
        """
        self.check_open()
        return await self._catalogue.styles()

    async def offer(self, *, timeout: float | None = None) -> Offer:
        """Models, traits and styles as requests are held against them, remembered for an hour.

        What cannot be had within 5 seconds is left out; nothing is refused for it.

        Args:
            timeout: Seconds to wait for at most; None for no limit.

        Raises:
            RequestTimeoutError: Time ran out.
        """
        self.check_open()
        return await self._catalogue.offer(times_of(self.timeouts, timeout)[1])

    async def rate_limits(self) -> KeyRateLimits:
        """What the key may use, and its balances.

        Raises:
            StatusError: The server refused.
            TransportError: No whole answer came.
        """
        self.check_open()
        return await self._catalogue.rate_limits()

    @property
    def writer(self) -> WriterThread:
        """The thread in which the file work of this session is done, but for that of its batches."""
        self.check_open()
        return self._writer

    @asynccontextmanager
    async def _running(
        self, request: ImageRequest, timeout: float | Timeouts | None
    ) -> AsyncGenerator[tuple[Call, Attempts], None]:
        """Follow a call while it runs, once it is known which model it goes to and whether that takes it."""
        self._check_taking()
        timeouts, deadline = times_of(self.timeouts, timeout)
        request = await self._catalogue.resolve(request, deadline)
        self._check_taking()
        try:
            with self._telemetry.call(request) as call:
                if self._check_models:
                    await self._catalogue.check(request, deadline)
                body = encode_request(request)
                yield call, Attempts(self._transport, request, body, timeouts, deadline)
        finally:
            if self._idle is not None and not self._telemetry.calls:
                self._idle.set()

    def _check_taking(self) -> None:
        self.check_open()
        if self._state == "draining":
            raise SessionStateError("this session is draining: it takes no new calls")

    def check_open(self) -> None:
        """Raise a `SessionStateError` unless the session is open, and here is where it was opened."""
        if self._state == "new":
            raise SessionStateError(
                "this session is not open yet; use `async with VeniceSession() as venice:`"
            )
        if self._state == "closed":
            raise SessionStateError("this session is closed")
        self._check_home()

    def _check_home(self) -> None:
        if self._process != os.getpid():
            raise SessionStateError("this session was opened in another process; make one for each process")
        if self._loop is not asyncio.get_running_loop():
            raise SessionStateError(
                "this session was opened on another event loop; make one for each loop and each thread"
            )


def _check_waiting(given: object) -> None:
    if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 0):
        raise ConfigurationError(f"max_waiting={given!r}: expected an integer of at least 0, or None")


def _checked_key(given: str | None) -> str:
    key = given if given is not None else os.environ.get("VENICE_API_KEY", "")
    if not key:
        raise ConfigurationError("no API key: pass api_key= or set VENICE_API_KEY")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError("the API key holds a space, a line break or a character that is not ASCII")
    return key
