"""A worker's side of a distributed job: one session, and a batch for each shard.

1. A shard's directory is that of any batch: whoever takes it over goes on with its journal.
2. The loop is the worker's own, on which it tells the scheduler that it lives: nothing here blocks it.
3. What is stopped waits for what is in flight, writes its receipt, and tells what became of it.
"""

from __future__ import annotations

import asyncio
import platform
import socket
import time
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import attrs
from attrs import define, field
from distributed import Worker, WorkerPlugin, get_worker
from typing_extensions import override

from venice_async._version import __version__
from venice_async.errors import DirectoryLockedError, ValidationError, VeniceError
from venice_async.gather.stream import OutcomeStream
from venice_async.session import VeniceSession
from venice_async.storage.journal import Journal
from venice_async.storage.shards import Receipt, read_receipt, receipt_of, shard_directory, write_receipt
from venice_async.stores import Store, open_store
from venice_async.types.request import ImageRequest

from .lease import ShardLease, leased
from .order import Order, Shard, ShardProgress, ShardResult

__all__ = ["Workplace", "carry_out", "stop", "versions"]

_TOLD_EVERY = 0.5  # seconds
_LOOK_AGAIN = 1.0  # seconds, at a directory that somebody else works on


def versions() -> dict[str, str]:
    """What has to be the same everywhere."""
    return {"Python": platform.python_version(), "venice_async": __version__}


async def carry_out(shard: Shard, name: str) -> ShardResult:
    """The task: carry out one shard of a job."""
    workplace = get_worker().plugins[name]
    assert isinstance(workplace, Workplace)  # noqa: S101
    try:
        return await workplace.carry_out(shard)
    except VeniceError as exc:  # raised in the task, it would take along what it came from
        return ShardResult(
            progress=_nothing_of(shard), run=0, pending=len(shard.requests), stopped=_bare(exc)
        )


def stop(name: str, dask_worker: Worker) -> None:
    """Have a worker stop sending for a job; what is in flight is waited for."""
    workplace = dask_worker.plugins.get(name)
    if isinstance(workplace, Workplace):
        workplace.stop()


class Workplace(WorkerPlugin):
    """What a worker has for a job: a session, made for the first shard, closed with the worker or the job.

    Args:
        order: What the worker is told.
    """

    def __init__(self, order: Order) -> None:
        self.name = order.name
        self._order = order

    @override
    def setup(self, worker: Worker) -> None:
        self._worker = worker
        self._opening = asyncio.Lock()
        self._open = AsyncExitStack()
        self._session: VeniceSession | None = None
        self._store: Store | None = None
        self._scopes: set[anyio.CancelScope] = set()
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    @override
    async def teardown(self, worker: Worker) -> None:
        self.stop()
        with anyio.move_on_after(self._order.options.drain_timeout):
            await self._idle.wait()
        await self._open.aclose()

    def stop(self) -> None:
        """Stop sending; what is in flight is waited for."""
        self._stopping = True
        for scope in self._scopes:
            scope.cancel()

    async def carry_out(self, shard: Shard) -> ShardResult:
        """Carry out a shard, once it is ours."""
        with self._running() as scope:
            session = await self._ready()
            batch = _Batch(self._order, session, shard, partial(self._worker.log_event, self.name))
            with scope:
                async with leased(self._store, self._order, shard.number, scope.cancel) as lease:
                    await batch.run(lease, f"{self._worker.address} on {socket.gethostname()}")
            return batch.result()

    @contextmanager
    def _running(self) -> Generator[anyio.CancelScope, None, None]:
        scope = anyio.CancelScope()
        if self._stopping:
            scope.cancel()
        self._scopes.add(scope)
        self._idle.clear()
        try:
            yield scope
        finally:
            self._scopes.discard(scope)
            if not self._scopes:
                self._idle.set()

    async def _ready(self) -> VeniceSession:
        async with self._opening:
            if self._session is None:
                if self._order.store is not None:
                    store = open_store(self._order.store)
                    await store.open()
                    self._open.push_async_callback(store.close)
                    self._store = store
                self._session = await self._open.enter_async_context(self._order.settings.session())
        return self._session


@define
class _Batch:
    """A shard's batch."""

    order: Order
    session: VeniceSession
    shard: Shard
    tell: Any
    _stream: OutcomeStream | None = field(init=False, default=None)

    async def run(self, lease: ShardLease | None, worker: str) -> None:
        """Carry it out, and leave its receipt, however it ends."""
        await anyio.to_thread.run_sync(self._begin, worker)
        try:
            while self._stream is None:
                try:
                    await self._carry_out(lease)
                except DirectoryLockedError:  # a worker that is paused may hold it still
                    await asyncio.sleep(_LOOK_AGAIN)
        finally:
            if self._stream is not None:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(self._sign, worker)

    async def _carry_out(self, lease: ShardLease | None) -> None:
        stream = OutcomeStream(
            self.session,
            Journal(self._directory, self.order.durability),
            _Requests(self.shard),
            self.order.job,
            self.order.options,
            extend=self.order.extend,
            gate=None if lease is None else lease.check,
            rows=False,
            traits=self.order.traits,
            stopped_models=self.shard.stopped_models,
        )
        async with stream as outcomes:
            self._stream = stream
            telling = asyncio.create_task(self._keep_telling())
            try:
                async for _ in outcomes:
                    pass
            finally:
                telling.cancel()
        self._tell()

    async def _keep_telling(self) -> None:
        """Tell where the batch stands whenever that has changed, outcomes or not: it may be waiting."""
        told = None
        while True:
            if (standing := self._progress()) != told:
                told = standing
                self._tell()
            await asyncio.sleep(_TOLD_EVERY)

    def _tell(self) -> None:
        self.tell({"shard": attrs.asdict(self._progress())})

    def result(self) -> ShardResult:
        """What became of it."""
        if self._stream is None:
            return ShardResult(progress=self._progress(), run=0, pending=len(self.shard.requests))
        report = self._stream.report
        ended = self._stream.progress.finished
        return ShardResult(
            progress=self._progress(),
            run=self._stream.run,
            pending=len(self.shard.requests) - ended,
            stopped=None if report.stopped is None else _bare(report.stopped),
            stopped_models={model: _bare(error) for model, error in report.stopped_models.items()},
            errors=tuple(map(_bare, report.errors)),
            notes=report.notes,
        )

    def _progress(self) -> ShardProgress:
        if self._stream is None:
            return _nothing_of(self.shard)
        progress = self._stream.progress
        lost, tried = self._stream.losses
        return ShardProgress(
            number=self.shard.number,
            done=progress.done,
            skipped=progress.skipped,
            missing=progress.missing,
            failed=progress.failed,
            unconfirmed=progress.unconfirmed,
            blocked=progress.blocked,
            spent_usd=progress.spent_usd,
            lost=lost,
            tried=tried,
            waiting=progress.waiting,
        )

    def _begin(self, worker: str) -> None:
        """Tell readers that the journal is none of their business from now on."""
        number, into = self.shard.number, Path(self.order.into)
        known = read_receipt(into, number) or Receipt(shard=number, ended=False, began_at=0.0, worker=worker)
        write_receipt(
            into, attrs.evolve(known, ended=False, ended_at=None, began_at=time.time(), worker=worker)
        )

    def _sign(self, worker: str) -> None:
        pending = self.result().pending
        receipt = receipt_of(self._directory, worker=worker, pending=pending)
        write_receipt(Path(self.order.into), receipt)

    @property
    def _directory(self) -> Path:
        return shard_directory(Path(self.order.into), self.shard.number)


class _Requests:
    """The items of a shard."""

    def __init__(self, shard: Shard) -> None:
        self.length: int | None = len(shard.requests)
        self.taken = 0
        self.exhausted = not shard.requests
        self._requests = shard.requests
        self._stopped = False

    async def next(self) -> tuple[int, ImageRequest | ValidationError] | None:
        """The next one with its place in the shard; None at the end."""
        if self._stopped or self.exhausted:
            return None
        self.taken += 1
        self.exhausted = self.taken == len(self._requests)
        return self.taken - 1, self._requests[self.taken - 1]

    def stop(self) -> None:
        """Hand out nothing more."""
        self._stopped = True

    async def close(self) -> None:
        """There is nothing to let go of."""


def _nothing_of(shard: Shard) -> ShardProgress:
    return ShardProgress(
        number=shard.number,
        done=0,
        skipped=0,
        missing=0,
        failed=0,
        unconfirmed=0,
        blocked=0,
        spent_usd=0.0,
        lost=0,
        tried=0,
    )


def _bare(error: VeniceError) -> VeniceError:
    """An error as it travels: what it came from may be of a kind that cannot be pickled."""
    error.__cause__ = error.__context__ = error.__traceback__ = None
    return error
