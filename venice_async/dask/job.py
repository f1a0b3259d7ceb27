"""The client's side of a distributed job: shards are handed out, and their receipts summed up.

1. No more shards are under way than about twice what the workers can run: the input may be endless.
2. A shard that was not carried out to its end is told as pending; the same call again goes on.
3. A shard is told for which models earlier ones have stopped; nothing more is sent for them.
4. When the job ends early, workers stop sending and are waited for, so that what is in flight is kept.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
import warnings
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import anyio
import anyio.to_thread
import attrs
from attrs import define, field
from distributed import Client, as_completed

from venice_async.errors import (
    ConfigurationError,
    LeaseLostError,
    ShardError,
    TooManyFailuresError,
    VeniceError,
)
from venice_async.gather.job import Duplicates, describe_job
from venice_async.gather.models import known_models
from venice_async.gather.options import (
    MAX_REFUSALS,
    MAX_UNUSABLE,
    MAX_WAIT,
    checked_durability,
    checked_options,
)
from venice_async.gather.source import Source, What
from venice_async.gather.stops import PASSED_OVER
from venice_async.policy.retry import too_many_failures
from venice_async.report import BatchReport
from venice_async.storage.dataset import write_metadata
from venice_async.storage.journal import Durability, JournalReader, Verification
from venice_async.storage.names import DEFAULT_NAME, NameTemplate
from venice_async.storage.shards import mark_sharded, read_mark, shard_directory
from venice_async.types.offer import traits_of
from venice_async.types.outcome import Outcome, Progress
from venice_async.types.request import RequestFields
from venice_async.types.statistics import latest_waits

from .order import Order, SessionSettings, Shard, ShardProgress, ShardResult, shards_of
from .worker import Workplace, carry_out, stop, versions

__all__ = ["DistributedJob"]

_AT_LEAST = 2  # shards under way
_LONGEST = 10.0  # seconds for workers to say something
_ERRORS_KEPT = 100
_HERE = ("127.0.0.1", "::1", "localhost")


class DistributedJob:
    """A job over a cluster's workers, and where it stands.

    Args:
        client: As for `distribute_generate`, like all but one.
        what: As there.
        into: As there.
        settings: Of each worker's session.
        shard_size: As there.
        lease: As there.
        seeds: As there.
        name: As there.
        duplicates: As there.
        durability: As there.
        verify: As there.
        budget_usd: As there.
        max_failures: As there.
        max_unusable: As there.
        max_refusals: As there.
        max_wait: As there.
        extend: As there.
        drain_timeout: As there.
        **fields: As there.

    Raises:
        ConfigurationError: The arguments contradict each other.
    """

    def __init__(
        self,
        client: Client,
        what: What,
        *,
        into: str | os.PathLike[str],
        settings: SessionSettings,
        shard_size: int = 500,
        lease: float = 60.0,
        seeds: Iterable[int] | None = None,
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
    ) -> None:
        if not getattr(client, "asynchronous", False):
            raise ConfigurationError("the Dask client is synchronous; use Client(..., asynchronous=True)")
        if isinstance(shard_size, bool) or not isinstance(shard_size, int) or shard_size < 1:
            raise ConfigurationError(f"shard_size={shard_size!r}: expected an integer of at least 1")
        if isinstance(lease, bool) or not isinstance(lease, int | float) or not lease > 0:
            raise ConfigurationError(f"lease={lease!r}: expected seconds, more than 0")
        session = settings.session()  # which is only asked what it thinks of its settings
        options = checked_options(
            session,
            template=NameTemplate(name),
            concurrency=None,
            duplicates=duplicates,
            verify=verify,
            budget_usd=budget_usd,
            max_failures=max_failures,
            max_unusable=max_unusable,
            max_refusals=max_refusals,
            max_wait=max_wait,
            drain_timeout=drain_timeout,
        )
        self._client: Any = client  # Dask's own types tell little
        self._source = Source(what, seeds, fields)
        self._into = Path(into).absolute()
        self._shard_size = shard_size
        self._max_failures = max_failures
        self._order = Order(
            name="venice_async-" + hashlib.blake2b(os.fsencode(self._into), digest_size=6).hexdigest(),
            into=str(self._into),
            job=describe_job(what, seeds, fields, template=options.template, duplicates=duplicates),
            settings=attrs.evolve(settings, base_url=session.base_url),
            options=attrs.evolve(options, max_failures=None),
            durability=checked_durability(durability),
            extend=extend,
            budget=options.budget,
            store=None if settings.rate_limit is None else settings.rate_limit.shared,
            lease=lease,
        )
        self._shards: dict[int, ShardProgress] = {}
        self._results: dict[int, ShardResult] = {}
        self._waiting: dict[Any, Shard] = {}
        self._stopped: VeniceError | None = None
        self._stopped_models: dict[str, VeniceError] = {}
        self._passed_over = 0
        self._began = self._ended = 0.0

    @property
    def dashboard(self) -> str:
        """Where Dask shows what its workers do."""
        return str(self._client.dashboard_link)

    @property
    def progress(self) -> Progress:
        """Where the job stands, over all workers."""
        shards = self._shards.values()
        spent = [shard.spent_usd for shard in shards]
        return Progress(
            done=sum(shard.done for shard in shards),
            skipped=sum(shard.skipped for shard in shards),
            missing=sum(shard.missing for shard in shards),
            failed=sum(shard.failed for shard in shards),
            unconfirmed=sum(shard.unconfirmed for shard in shards),
            blocked=sum(shard.blocked for shard in shards),
            total=self._source.length,
            elapsed=(self._ended or time.monotonic()) - self._began if self._began else 0.0,
            spent_usd=None if None in spent else sum(filter(None, spent)),
            waiting=latest_waits(wait for shard in shards for wait in shard.waiting),
        )

    @property
    def report(self) -> BatchReport:
        """What the job did, so far or in all."""
        progress = self.progress
        total = self._source.taken if self._source.exhausted else progress.total
        errors = [error for _, result in sorted(self._results.items()) for error in result.errors]
        notes = dict.fromkeys(note for _, result in sorted(self._results.items()) for note in result.notes)
        runs = {number: result.run for number, result in self._results.items() if result.run}
        return BatchReport(
            generated=progress.done,
            skipped=progress.skipped,
            missing=progress.missing,
            failed=progress.failed,
            unconfirmed=progress.unconfirmed,
            blocked=progress.blocked,
            pending=None if total is None else total - progress.finished,
            spent_usd=progress.spent_usd,
            elapsed=progress.elapsed,
            stopped=self._stopped,
            stopped_models={
                model: error
                for _, result in sorted(self._results.items(), reverse=True)
                for model, error in result.stopped_models.items()
            },
            errors=tuple(errors[:_ERRORS_KEPT]),
            notes=tuple(notes),
            journal=_ShardJournals(self._into, self._shard_size, runs),
            run=0,
        )

    async def run(self) -> BatchReport:
        """Carry the job out; a cancellation waits for what is in flight."""
        await self._check_workers()
        self._order = await self._with_meeting_place(self._order)
        self._order = attrs.evolve(self._order, traits=await self._marked())
        self._began = time.monotonic()
        await self._client.register_plugin(Workplace(self._order))
        self._client.subscribe_topic(self._order.name, self._heard)
        try:
            await self._hand_out()
            results = self._results.values()
            if self._stopped is None and results and all(result.by_its_models for result in results):
                self._stopped = next(iter(results)).stopped
        finally:
            with anyio.CancelScope(shield=True):
                await self._wind_up()
        return self.report

    async def _marked(self) -> dict[str, str]:
        """Mark the directory; what each trait stands for in the job, asked once and kept in the mark."""
        known = await anyio.to_thread.run_sync(read_mark, self._into)
        if known is None or known.traits is None:
            traits = await self._traits_today()
        else:
            traits = known.traits
        mark = partial(mark_sharded, self._into, self._shard_size, self._order.job, traits)
        marked = await anyio.to_thread.run_sync(mark)
        return traits if marked.traits is None else marked.traits

    async def _traits_today(self) -> dict[str, str]:
        settings = attrs.evolve(self._order.settings, rate_limit=None)  # which one question has no use for
        async with settings.session() as session:
            models = await known_models(session, needed=self._order.budget is not None)
            return traits_of(models.values(), session.default_model)

    async def _check_workers(self) -> None:
        """Tell what is not the same on the client and on the workers."""
        here = versions()
        try:
            found: Mapping[str, dict[str, str]] = await self._client.run(versions)
        except (ImportError, AttributeError) as exc:
            raise ConfigurationError(f"the workers cannot use this version of venice_async: {exc}") from exc
        for worker, there in found.items():
            if other := [
                f"{name} {there[name]} (here {here[name]})" for name in here if here[name] != there[name]
            ]:
                warnings.warn(f"worker {worker} has {', '.join(other)}", RuntimeWarning, stacklevel=2)

    async def _with_meeting_place(self, order: Order) -> Order:
        """With a store of its own where all workers are on this machine, else with a share of the limit."""
        rate_limit = order.settings.rate_limit
        if order.store is not None:
            return order
        workers = await self._client.nthreads()
        if workers and all(any(here in address for here in _HERE) for address in workers):
            await anyio.Path(self._into / ".venice").mkdir(parents=True, exist_ok=True)
            store = f"sqlite:///{self._into}/.venice/store.sqlite3"
            if rate_limit is not None:
                rate_limit = attrs.evolve(rate_limit, shared=store)
            settings = attrs.evolve(order.settings, rate_limit=rate_limit)
            return attrs.evolve(order, store=store, settings=settings)
        if order.budget is not None:
            raise ConfigurationError(
                "a budget over several machines needs rate_limit=RateLimit.auto(shared='redis://...')"
            )
        share = max(1, len(workers))
        if rate_limit is not None and share > 1:
            text = f"each of the {share} workers uses 1/{share} of the rate limit: it is not shared"
            warnings.warn(f"{text}; see RateLimit.auto(shared=...)", RuntimeWarning, stacklevel=2)
            rate_limit = attrs.evolve(rate_limit, share=share)
        return attrs.evolve(order, settings=attrs.evolve(order.settings, rate_limit=rate_limit))

    async def _hand_out(self) -> None:
        shards = shards_of(self._source, self._shard_size)
        completed: Any = as_completed(loop=self._client.loop)  # type: ignore[no-untyped-call]
        await self._fill(shards, completed)
        async for future in completed:
            await self._take_in(future, completed)
            await self._fill(shards, completed)

    async def _fill(self, shards: AsyncGenerator[Shard, None], completed: Any) -> None:
        """Have as many shards under way as the workers are worth."""
        threads = sum((await self._client.nthreads()).values())
        while self._stopped is None and len(self._waiting) < max(_AT_LEAST, 2 * threads):
            shard = await anext(shards, None)
            if shard is None:
                return
            self._submit(shard, completed)

    def _submit(self, shard: Shard, completed: Any) -> None:
        shard = attrs.evolve(shard, stopped_models=dict(self._stopped_models))
        # A key of its own each time: for one that it knows, Dask hands out what it has.
        key = f"{self._order.name}-{shard.number:05}-{uuid.uuid4().hex}"
        future = self._client.submit(carry_out, shard, self._order.name, key=key, pure=False)
        self._waiting[future] = shard
        completed.add(future)

    async def _take_in(self, future: Any, completed: Any) -> None:
        shard = self._waiting.pop(future)
        try:
            result: ShardResult = await future
        except VeniceError as exc:
            await self._stop_because(exc)
            return
        except Exception as exc:  # noqa: BLE001 - whatever befell the worker
            error = ShardError(f"shard {shard.number} was not carried out: {exc!r}")
            error.__cause__ = exc
            await self._stop_because(error)
            return
        if isinstance(result.stopped, LeaseLostError) and self._stopped is None:
            self._submit(shard, completed)
            return
        self._results[shard.number] = result
        self._shards[shard.number] = result.progress
        for model, met in result.stopped_models.items():
            if not isinstance(met, TooManyFailuresError):  # a breaker's, which counts in each shard
                self._stopped_models.setdefault(model, met)
        if (stopped := self._stops(result)) is not None:
            await self._stop_because(stopped)
        await self._check_failures()

    def _stops(self, result: ShardResult) -> VeniceError | None:
        """What a shard stops the job with: not with its models alone, but for many such shards in a row."""
        if not result.by_its_models:
            self._passed_over = 0
            return result.stopped
        self._passed_over += result.pending
        return result.stopped if self._passed_over >= PASSED_OVER else None

    def _heard(self, event: tuple[float, dict[str, dict[str, Any]]]) -> None:
        """A worker tells where one of its shards stands."""
        progress = ShardProgress(**event[1]["shard"])
        if progress.number not in self._results:
            self._shards[progress.number] = progress

    async def _check_failures(self) -> None:
        lost = sum(shard.lost for shard in self._shards.values())
        tried = sum(shard.tried for shard in self._shards.values())
        if too_many_failures(lost, tried, self._max_failures):
            text = f"{lost} of {tried} items failed; max_failures={self._max_failures}"
            await self._stop_because(TooManyFailuresError(text))

    async def _stop_because(self, error: VeniceError) -> None:
        if self._stopped is None:
            self._stopped = error
            await self._stop_workers()

    async def _stop_workers(self) -> None:
        with anyio.move_on_after(_LONGEST), suppress(Exception):  # who does not hear it has died, or will end
            await self._client.run(stop, self._order.name, on_error="ignore")

    async def _wind_up(self) -> None:
        """Wait for what is in flight, and close the sessions."""
        if self._waiting:
            await self._stop_workers()
            with anyio.move_on_after(self._order.options.drain_timeout + _LONGEST):
                for future, shard in list(self._waiting.items()):
                    with suppress(Exception):  # what cut the job off matters more
                        result: ShardResult = await future
                        self._results[shard.number] = result
                        self._shards[shard.number] = result.progress
            with suppress(Exception):
                await self._client.cancel(list(self._waiting))
        self._ended = time.monotonic()
        self._client.unsubscribe_topic(self._order.name)
        with anyio.move_on_after(_LONGEST):
            await self._client.unregister_worker_plugin(self._order.name)
        await self._source.close()
        await anyio.to_thread.run_sync(write_metadata, self._into)


@define
class _ShardJournals:
    """The outcomes of a job, read from the journals of its shards."""

    into: Path
    shard_size: int
    runs: dict[int, int] = field(factory=dict)

    async def outcomes(self, run: int, *, lost: bool = False) -> AsyncGenerator[Outcome, None]:  # noqa: ARG002
        """The outcomes in the order of the input, of the shards that were carried out."""
        for number, of_shard in sorted(self.runs.items()):
            reader = JournalReader(shard_directory(self.into, number))
            async for outcome in reader.outcomes(of_shard, lost=lost):
                yield attrs.evolve(outcome, index=number * self.shard_size + outcome.index)

    async def paths(self, run: int) -> AsyncGenerator[Path, None]:  # noqa: ARG002
        """The files that are there, in the order of the input, of the shards that were carried out."""
        for number, of_shard in sorted(self.runs.items()):
            async for path in JournalReader(shard_directory(self.into, number)).paths(of_shard):
                yield path
