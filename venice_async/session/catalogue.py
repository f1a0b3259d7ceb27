"""What the API offers: models, styles and limits, asked for or remembered.

1. Nothing here costs anything, and no call waits for it but the first.
2. A catalogue that cannot be had is done without: the server checks as well, and takes traits, too.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

import anyio
import attrs

from venice_async.errors import RequestTimeoutError, ValidationError, VeniceError
from venice_async.policy.rate_limit import Permits
from venice_async.transport import Transport
from venice_async.types.catalogue import ImageModel, KeyRateLimits
from venice_async.types.offer import TRAITS, Offer, traits_of
from venice_async.types.options import Timeouts
from venice_async.types.request import ImageRequest
from venice_async.wire.codec import parse_models, parse_rate_limits, parse_styles

from .reception import raise_for_status

__all__ = ["Catalogue", "times_of"]

_QUICKLY = Timeouts(total=5.0)  # for what a call waits for
_BYTES = 16 * 1024 * 1024
_FRESH = 3600.0  # seconds
_AGAIN = 60.0  # seconds, after the API did not tell

T = TypeVar("T")


def times_of(own: Timeouts, timeout: float | Timeouts | None) -> tuple[Timeouts, float | None]:
    """The time-outs of one call, and its deadline on the event loop's clock.

    Args:
        own: The session's.
        timeout: What the call was given.
    """
    if timeout is None:
        timeouts = own
    elif isinstance(timeout, Timeouts):
        timeouts = timeout
    else:
        timeouts = attrs.evolve(own, total=timeout)
    total = timeouts.total
    return timeouts, None if total is None else asyncio.get_running_loop().time() + total


class _Remembered(Generic[T]):
    """An answer that is asked for once, and again when it is old."""

    def __init__(self) -> None:
        self._value: T | None = None
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def get(self, ask: Callable[[], Awaitable[T]], deadline: float | None) -> T | None:
        """The answer, or None if it cannot be had; while an old one is asked for again, it does.

        Args:
            ask: Gets it; a `VeniceError` means that it cannot be had just now.
            deadline: On the event loop's clock; None for none.

        Raises:
            RequestTimeoutError: The deadline passed meanwhile.
        """
        now = asyncio.get_running_loop().time()
        if now >= self._until and (self._value is None or not self._lock.locked()):
            with anyio.CancelScope(deadline=math.inf if deadline is None else deadline) as scope:
                async with self._lock:
                    await self._refresh(ask, now)
            if scope.cancelled_caught:
                raise RequestTimeoutError(
                    "the time for this call was up while the catalogue was asked for; nothing was sent"
                )
        return self._value

    async def _refresh(self, ask: Callable[[], Awaitable[T]], now: float) -> None:
        if now < self._until:  # somebody else has asked
            return
        until = now + _AGAIN
        with suppress(VeniceError):
            self._value = await ask()
            until = now + _FRESH
        self._until = until


class Catalogue:
    """What the API offers.

    Args:
        transport: Asks it.
        timeouts: How long each part of that may take.
        default_model: The model, or trait, that `default` stands for; None for what the API says.
    """

    def __init__(self, transport: Transport, timeouts: Timeouts, default_model: str | None = None) -> None:
        self._transport = transport
        self._timeouts = timeouts
        self._default_model = default_model
        self._models: _Remembered[dict[str, ImageModel]] = _Remembered()
        self._styles: _Remembered[tuple[str, ...]] = _Remembered()
        self._traits: dict[str, str] | None = None

    async def models(self, timeout: Timeouts | None = None) -> tuple[ImageModel, ...]:
        """The image models, with their prices and constraints."""
        return parse_models(await self._ask("models", {"type": "image"}, timeout))

    async def styles(self, timeout: Timeouts | None = None) -> tuple[str, ...]:
        """The names that `ImageRequest.style_preset` takes."""
        return parse_styles(await self._ask("image/styles", timeout=timeout))

    async def rate_limits(self) -> KeyRateLimits:
        """What the key may use, and its balances."""
        return parse_rate_limits(await self._ask("api_keys/rate_limits"))

    async def tell(self, permits: Permits) -> None:
        """Tell the permits what the key may use."""
        permits.key_limits(parse_rate_limits(await self._ask("api_keys/rate_limits", timeout=_QUICKLY)))

    async def offer(self, deadline: float | None, *, styles: bool = True) -> Offer:
        """What is offered, as far as it can be had; traits stand for what they stood for at first.

        Where the models cannot be had, the styles are not asked for.

        Args:
            deadline: On the event loop's clock; None for none.
            styles: Whether the styles are asked for as well.

        Raises:
            RequestTimeoutError: The deadline passed meanwhile.
        """
        models = await self._models.get(self._models_by_id, deadline)
        if models is None:
            return Offer(traits=self._traits or traits_of((), self._default_model))
        traits = self._traits or traits_of(models.values(), self._default_model)
        self._traits = traits
        names = await self._styles.get(partial(self.styles, _QUICKLY), deadline) if styles else None
        return Offer(models=models, traits=traits, styles=names or ())

    async def resolve(self, request: ImageRequest, deadline: float | None) -> ImageRequest:
        """The request with the id of its model; with the trait's name if the catalogue cannot be had.

        Nothing is asked for where the name is none of the traits that are known of.

        Raises:
            RequestTimeoutError: The deadline passed meanwhile.
        """
        if self._traits is None and request.model not in TRAITS:
            return request
        return (await self.offer(deadline, styles=False)).resolve(request)

    async def check(self, request: ImageRequest, deadline: float | None) -> None:
        """Hold a request against what its model says of itself, and its style against the list.

        Raises:
            ValidationError: The API has no such model or style, or the model takes no such request.
            RequestTimeoutError: The deadline passed meanwhile.
        """
        offer = await self.offer(deadline, styles=request.style_preset is not None)
        if faults := offer.faults(request):
            raise ValidationError(faults)

    async def _models_by_id(self) -> dict[str, ImageModel]:
        return {model.id: model for model in await self.models(_QUICKLY)}

    async def _ask(
        self, path: str, params: Mapping[str, str] | None = None, timeout: Timeouts | None = None
    ) -> bytes:
        timeouts, deadline = times_of(self._timeouts, timeout)
        async with self._transport.get(path, params or {}, timeouts=timeouts, deadline=deadline) as exchange:
            await raise_for_status(exchange)
            return await exchange.read_all(_BYTES)
