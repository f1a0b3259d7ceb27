"""The requests of a batch, made when they are asked for.

1. Nothing is read ahead: one item is taken from the input when a worker asks for the next request.
2. What is wrong with every request is raised before the first is made; what is wrong with one of
   them is handed out in its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Iterable, Iterator, Sized
from typing import Any

import anyio
import attrs

from venice_async.errors import ConfigurationError, Fault, ValidationError
from venice_async.types.limits import RequestLimits
from venice_async.types.request import ImageRequest, RequestFields

__all__ = ["Source", "What"]

What = str | ImageRequest | Iterable[str | ImageRequest] | AsyncIterable[str | ImageRequest]
"""A prompt, a request, or a (possibly endless, possibly async) iterable of either."""


class Source:
    """The requests of a batch.

    Args:
        what: A prompt, a request, or an iterable of either.
        seeds: Each item is requested once for each of these; endless only with a single item.
        fields: Fields of the request for bare prompts.

    Attributes:
        length: How many requests there are in all; None where the input does not tell.
        taken: How many were handed out.
        exhausted: Whether the input has come to its end.

    Raises:
        ConfigurationError: The arguments contradict each other.
        ValidationError: `fields` or `seeds` are outside their ranges.
    """

    def __init__(self, what: What, seeds: Iterable[int] | None, fields: RequestFields) -> None:
        if seeds is not None and fields.get("seed") is not None:
            raise ConfigurationError("seed= and seeds= exclude each other")
        if isinstance(what, ImageRequest) and fields:
            raise ConfigurationError("fields go with bare prompts; use attrs.evolve on a request")
        self._fields = fields
        self._sync: Iterator[Any] = iter(())
        self._async: Any = None
        single = isinstance(what, str | ImageRequest)
        if single:
            self._sync = iter((what,))
        elif isinstance(what, AsyncIterable):
            self._async = aiter(what)
        elif isinstance(what, Iterable) and not isinstance(what, bytes):
            self._sync = iter(what)
        else:
            raise ConfigurationError(f"{what!r:.60} is no prompt, no request and no iterable of them")
        self._seeds = _reusable(seeds, once=single)
        sample = self._request(what if single else "?", {}) if single or fields else None
        _check_seeds(self._seeds, sample)
        self.length = _length(what, self._seeds)
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
        except asyncio.CancelledError as exc:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancelled the batch: taken for a cancellation, it would end it as if it were complete.
            raise RuntimeError("the input raised CancelledError") from exc

    def _expand(self, item: Any) -> Iterator[ImageRequest | ValidationError]:
        for seed in (None,) if self._seeds is None else self._seeds:
            try:
                yield self._request(item, {} if seed is None else {"seed": seed})
            except ValidationError as exc:
                yield exc

    def _request(self, item: Any, changes: dict[str, Any]) -> ImageRequest:
        if isinstance(item, ImageRequest):
            return attrs.evolve(item, **changes) if changes else item
        if isinstance(item, str):
            fields: dict[str, Any] = {**self._fields, **changes}
            return ImageRequest(item, **fields)
        raise ValidationError([Fault("what", item, "a prompt or an ImageRequest")])


def _reusable(seeds: Iterable[int] | None, *, once: bool) -> Iterable[int] | None:
    """Seeds that can be gone through again for each item; a range of millions stays a range."""
    if seeds is None or isinstance(seeds, range) or (once and not isinstance(seeds, Sized)):
        return seeds
    return tuple(seeds)


def _check_seeds(seeds: Iterable[int] | None, sample: ImageRequest | None) -> None:
    """Raise what is wrong with the seeds, as far as they are known beforehand."""
    if not isinstance(seeds, range | tuple):
        return
    if not seeds:
        raise ConfigurationError("seeds= is empty: nothing would be generated")
    request = sample or ImageRequest("?", model="?", limits=RequestLimits.SCHEMA)
    check: Any = attrs.fields(ImageRequest).seed.validator
    # A range is within its bounds if its ends are.
    for seed in (seeds[0], seeds[-1]) if isinstance(seeds, range) else seeds:
        if faults := list(check.faults(request, "seeds", seed)):
            raise ValidationError(faults)


def _length(what: What, seeds: Iterable[int] | None) -> int | None:
    items = 1 if isinstance(what, str | ImageRequest) else len(what) if isinstance(what, Sized) else None
    if items is None or not isinstance(seeds, Sized | None):
        return None
    return items * (1 if seeds is None else len(seeds))
