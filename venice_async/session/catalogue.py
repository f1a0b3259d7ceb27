"""What the API offers: models, styles and limits, asked for or remembered.

1. Nothing here costs anything, and no call waits for it but the first.
2. A catalogue that cannot be had is done without: the server checks as well.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Mapping
from contextlib import suppress

import attrs

from venice_async.errors import Fault, ValidationError, VeniceError
from venice_async.policy.rate_limit import Permits
from venice_async.transport import Transport
from venice_async.types.catalogue import ImageModel, KeyRateLimits
from venice_async.types.options import Timeouts
from venice_async.types.request import ImageRequest
from venice_async.wire.codec import parse_models, parse_rate_limits, parse_styles

from .reception import raise_for_status

__all__ = ["Catalogue", "times_of"]

_QUICKLY = Timeouts(total=5.0)  # for what a call waits for
_BYTES = 16 * 1024 * 1024
_FRESH = 3600.0  # seconds
_AGAIN = 60.0  # seconds, after the API did not tell


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


class Catalogue:
    """What the API offers.

    Args:
        transport: Asks it.
        timeouts: How long each part of that may take.
    """

    def __init__(self, transport: Transport, timeouts: Timeouts) -> None:
        self._transport = transport
        self._timeouts = timeouts
        self._models: dict[str, ImageModel] = {}
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def models(self, timeout: Timeouts | None = None) -> tuple[ImageModel, ...]:
        """The image models, with their prices and constraints."""
        return parse_models(await self._ask("models", {"type": "image"}, timeout))

    async def styles(self) -> tuple[str, ...]:
        """The names that `ImageRequest.style_preset` takes."""
        return parse_styles(await self._ask("image/styles"))

    async def rate_limits(self) -> KeyRateLimits:
        """What the key may use, and its balances."""
        return parse_rate_limits(await self._ask("api_keys/rate_limits"))

    async def tell(self, permits: Permits) -> None:
        """Tell the permits what the key may use."""
        permits.key_limits(parse_rate_limits(await self._ask("api_keys/rate_limits", timeout=_QUICKLY)))

    async def check(self, request: ImageRequest) -> None:
        """Hold a request against what its model says of itself.

        Raises:
            ValidationError: The API has no such model, it is out of service, or takes no such request.
        """
        await self._refresh()
        if not self._models:
            return
        model = self._models.get(request.model)
        if model is None:
            near = difflib.get_close_matches(request.model, self._models, n=3)
            hint = f"did you mean {', '.join(near)}?" if near else ""
            raise ValidationError([Fault("model", request.model, "an image model of the API", hint)])
        if faults := model.faults(request):
            raise ValidationError(faults)

    async def _ask(
        self, path: str, params: Mapping[str, str] | None = None, timeout: Timeouts | None = None
    ) -> bytes:
        timeouts, deadline = times_of(self._timeouts, timeout)
        async with self._transport.get(path, params or {}, timeouts=timeouts, deadline=deadline) as exchange:
            await raise_for_status(exchange)
            return await exchange.read_all(_BYTES)

    async def _refresh(self) -> None:
        """Ask for the models where they are not known, or not lately; meanwhile, the known ones do."""
        now = asyncio.get_running_loop().time()
        if now < self._until or (self._models and self._lock.locked()):
            return
        async with self._lock:
            if now < self._until:  # somebody else has asked
                return
            until = now + _AGAIN
            with suppress(VeniceError):
                self._models = {model.id: model for model in await self.models(_QUICKLY)}
                until = now + _FRESH
            self._until = until
