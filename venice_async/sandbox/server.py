"""The life of a sandbox: it starts when it is entered and leaves nothing behind.

1. `async with` runs it on the current loop, `with` in a thread of its own with a loop of its own.
2. Closing waits for nobody: requests in flight are cancelled, connections are cut, threads are joined.
3. No signal handlers, no task that outlives the block, and no port but its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from decimal import Decimal
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self, cast

from aiohttp import web
from typing_extensions import override

from .abuse import AbuseRule
from .account import Account, Books, RequestRecord
from .answer import override_headers
from .compose import Painter
from .fault import Fault, Script
from .limiter import Limiter, make_limiter
from .profile import PROFILES, Profile
from .routes import BASE_PATH, Routes
from .state import Latency, State, dollars

__all__ = ["Sandbox"]

# aiohttp reports there what is the client's doing: half requests, connections that went away.
_protocol_log = logging.getLogger(f"{__name__}.protocol")
_protocol_log.addHandler(logging.NullHandler())
_protocol_log.propagate = False

# What a cancelled handler or a cut connection may take to be gone, in seconds.
_PATIENCE = 0.5

_IMAGES_A_DAY = 28_800

# Rounds of the loop between accepting a connection and the server's knowing of it, with one to spare.
_ACCEPTING = 5


class Sandbox:
    """An embedded server that answers as the Venice.ai image API does.

        async with Sandbox() as sandbox:    # on the current event loop
            ...                             # talk to sandbox.url

        with Sandbox() as sandbox:          # in a thread of its own
            ...

    A sandbox is entered once. `account` and `requests` can still be read after it has closed.

    Args:
        port: The port to listen on; 0 picks a free one.
        rpm: Images that each model gets in a window, at least 1; None for no limit.
        window: Seconds that the limit's minute lasts, above 0.
        algorithm: How the limit is enforced: "fixed" (a window opens with its first request),
            "sliding-log" (at most `rpm` in any `window` seconds), "sliding-counter" (the last window's
            count fades as this one's grows) or "gcra" (one every `window / rpm` seconds, some early).
        burst: Images that "gcra" allows at once, 1 to `rpm`; None for a quarter of `rpm`, at least 2.
        rpd: Images that each model gets in a day, at least 1; None for the API's 28,800, or for no limit
            where `rpm` is None.
        day: Seconds that the limit's day lasts, above 0; it opens with its first request.
        limit_scope: Whose limit it is: "api_key" (each model of a key has its own) or "user" (one for
            all that a key asks for).
        latency: Seconds that a generation takes besides painting, from 0: 0.3 times as many with the
            quickest model, 4 times as many with the slowest; or a callable that gives them for a
            model's id.
        faults: What goes wrong, in this order: each a `Fault`, a text for `Fault.parse`, or a pair of
            a `Fault` and the number of times it happens (None: always).
        abuse_rule: Whether too many failures within `abuse_window` seconds are followed by as long a time
            in which requests are refused: more than 50 answers of 4xx but 429 to a key, a model and a
            `user`; in 2025 more than 20 of anything but 2xx to a key.
        abuse_window: Seconds, above 0; the API's are 30.
        profile: The API of "today", or that of "2025", the reference page's.
        host: The address to listen on.
        api_key: The only key that is accepted; None accepts every key that is not empty.
        balance_usd: US dollars to spend before the answers are 402.
        images: Bytes, or a callable from a request's body to bytes (called in a worker thread, once
            for each variant), that replace the painted pictures.
        max_body: The longest request body that is accepted, in bytes; None for the profile's.
        ssl_context: The server's TLS context; the URL is then https.
        keep_requests: How many of the latest requests are kept in `requests`, from 0.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        rpm: int | None = 600,
        window: float = 60.0,
        algorithm: str = "fixed",
        burst: int | None = None,
        rpd: int | None = None,
        day: float = 86_400.0,
        limit_scope: str = "api_key",
        latency: Latency = 0.03,
        faults: Iterable[Fault | str | tuple[Fault, int | None]] = (),
        abuse_rule: bool = True,
        abuse_window: float = 30.0,
        profile: str = "today",
        host: str = "127.0.0.1",
        api_key: str | None = None,
        balance_usd: float | str | Decimal = 100,
        images: Painter | None = None,
        max_body: int | None = None,
        ssl_context: SSLContext | None = None,
        keep_requests: int = 10_000,
    ) -> None:
        self._address = (host, port)
        self._ssl_context = ssl_context
        self._script = Script()
        self._books = Books(dollars(balance_usd), keep_requests)
        like = _profile(profile)
        self._state = State(
            profile=like,
            books=self._books,
            limiter=make_limiter(algorithm, rpm, window, burst),
            day_limiter=_day_limiter(rpd, day, unlimited=rpm is None),
            limit_scope=limit_scope,
            abuse=AbuseRule(abuse_window, like.most_failures, like.counts) if abuse_rule else None,
            script=self._script,
            api_key=api_key,
            latency=latency,
            images=images,
            max_body=like.max_body if max_body is None else max_body,
        )
        self._routes = Routes(self._state)
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self._thread: _Thread | None = None
        self._phase = "not started"
        self._url = ""
        for entry in faults:
            fault, times = Fault.parse(entry) if isinstance(entry, str) else _pair(entry)
            self.script(fault, times)

    @property
    def url(self) -> str:
        """The base URL, ending in /api/v1.

        Raises:
            RuntimeError: The sandbox is not running.
        """
        if self._phase != "running":
            raise RuntimeError(
                f"this sandbox is {self._phase}: its url exists inside of `with Sandbox() as sandbox:`"
            )
        return self._url

    @property
    def account(self) -> Account:
        """How many image requests came and what became of them, at this moment."""
        return self._books.account()

    @property
    def requests(self) -> list[RequestRecord]:
        """The latest requests of all end points, oldest first."""
        return self._books.records()

    def script(
        self,
        fault: Fault,
        times: int | None = 1,
        when: Callable[[Mapping[str, Any]], object] | None = None,
    ) -> None:
        """Let something go wrong with image requests that would otherwise be generated.

        Faults happen in the order in which they were scripted. A fault that only JSON answers can
        have passes over requests with `return_binary`. An outage that strikes six in ten, and the same
        ones in each run:

            lots = random.Random(7)
            sandbox.script(Fault(500), times=None, when=lambda body: lots.random() < 0.6)

        Args:
            fault: What goes wrong.
            times: With how many requests; None for all from now on.
            when: Called with a request's parsed body, on the server's loop; the fault meets only
                requests for which it returns something true.
        """
        self._script.add(fault, times, when)

    @override
    def __repr__(self) -> str:
        account = self.account
        where = self._url if self._phase == "running" else self._phase
        return f"<Sandbox {where}: {account.received} received, {account.billed} billed>"

    async def __aenter__(self) -> Self:
        self._claim()
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A task of its own, so that a cancelled block is left as clean as any other.
        closing = asyncio.ensure_future(self._close())
        cancelled: asyncio.CancelledError | None = None
        while not closing.done():
            try:
                await asyncio.wait([closing])
            except asyncio.CancelledError as cancellation:
                cancelled = cancellation
        closing.result()
        if cancelled is not None:
            raise cancelled

    def __enter__(self) -> Self:
        self._claim()
        self._thread = _Thread(self._start, self._close)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.stop()

    def _claim(self) -> None:
        if self._phase != "not started":
            raise RuntimeError(
                f"this sandbox is {self._phase}: it can be entered only once; make another one"
            )
        self._phase = "starting"

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._routes.handle)
        app.on_response_prepare.append(override_headers)
        self._runner = web.AppRunner(
            app, handle_signals=False, access_log=None, logger=_protocol_log, shutdown_timeout=0.1
        )
        host, port = self._address
        try:
            await self._runner.setup()
            protocol = cast("web.Server", self._runner.server)
            loop = asyncio.get_running_loop()
            self._listener = await loop.create_server(
                protocol, host, port, ssl=self._ssl_context, backlog=1024
            )
        except BaseException:
            await self._close()
            raise
        port = self._listener.sockets[0].getsockname()[1]
        scheme = "http" if self._ssl_context is None else "https"
        self._url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{BASE_PATH}"
        self._phase = "running"

    async def _close(self) -> None:
        self._phase = "closed"
        runner = self._runner
        if runner is None or runner.server is None:
            return
        if self._listener is not None:
            await _stop_listening(self._listener)
        await self._cut(runner.server)
        await runner.cleanup()
        await self._state.workers.close()

    async def _cut(self, server: web.Server) -> None:
        """Cancel the handlers and cut the connections, and see them gone.

        aiohttp would wait for handlers whose client has left, and for clients that read nothing.
        """
        handlers = set(self._routes.tasks)
        for task in handlers:
            task.cancel()
        for connection in server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        if handlers:
            await asyncio.wait(handlers, timeout=_PATIENCE)
        for _ in range(100):
            if not server.connections:
                break
            await asyncio.sleep(_PATIENCE / 100)


async def _stop_listening(listener: asyncio.Server) -> None:
    """Close a listener once every connection that it accepted has reached its protocol.

    asyncio loses a connection, unclosed, whose listener is closed in the moment of its acceptance.
    """
    loop = asyncio.get_running_loop()
    for listening in listener.sockets:
        with contextlib.suppress(NotImplementedError):
            loop.remove_reader(listening.fileno())
    for _ in range(_ACCEPTING):
        await asyncio.sleep(0)
    listener.close()


class _Thread:
    """A thread with an event loop that starts something, waits to be told, and closes it."""

    def __init__(self, start: Callable[[], Any], close: Callable[[], Any]) -> None:
        self._start = start
        self._close = close
        self._ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=self._run, name="venice-sandbox", daemon=True)

    def start(self) -> None:
        """Return when it has started; raise what kept it from starting."""
        self._thread.start()
        try:
            self._ready.result()
        except BaseException:
            self._thread.join()
            raise

    def stop(self) -> None:
        """Return when it has closed and the thread is gone."""
        loop, told = self._ready.result()
        loop.call_soon_threadsafe(told.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._live())

    async def _live(self) -> None:
        told = asyncio.Event()
        try:
            await self._start()
        except BaseException as error:  # noqa: BLE001  # it is raised again by whoever waits for the start
            self._ready.set_exception(error)
            return
        self._ready.set_result((asyncio.get_running_loop(), told))
        try:
            await told.wait()
        finally:
            await self._close()


def _profile(name: str) -> Profile:
    if name not in PROFILES:
        raise ValueError(f"profile={name!r}: there is {', '.join(map(repr, PROFILES))}")
    return PROFILES[name]


def _day_limiter(rpd: int | None, day: float, *, unlimited: bool) -> Limiter:
    if rpd is None and not unlimited:
        rpd = _IMAGES_A_DAY
    try:
        return make_limiter("fixed", rpd, day)
    except ValueError as error:
        complaint = str(error).replace("rpm=", "rpd=").replace("window=", "day=")
        raise ValueError(complaint) from None


def _pair(entry: Fault | tuple[Fault, int | None]) -> tuple[Fault, int | None]:
    return entry if isinstance(entry, tuple) else (entry, 1)
