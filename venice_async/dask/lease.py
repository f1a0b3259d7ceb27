"""Whose a shard is: a lease in the store that the workers share.

1. Without the lease nothing is begun, and before each purchase it is asked for again.
2. A lease that has run out while nobody else wanted it is still ours.
3. The job's budget is kept in the same breath: what all shards have spent and set aside is one sum.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
from attrs import frozen

from venice_async.errors import BudgetExceededError, LeaseLostError, StoreError
from venice_async.policy.budget import usd
from venice_async.stores import Store

from .order import Order

__all__ = ["ShardLease", "leased"]

_LOOK_AGAIN = 0.5  # seconds, at a lease that somebody else holds


@frozen
class ShardLease:
    """A lease that is held.

    Attributes:
        store: Where it is kept.
        order: The job's.
        shard: The shard's number.
        token: Larger than that of everybody who held it before.
    """

    store: Store
    order: Order
    shard: int
    token: int

    @property
    def name(self) -> str:
        """What the store calls it."""
        return f"{self.order.name}/{self.shard:05}"

    async def check(self, amount: int) -> None:
        """Go on holding it, and set aside what the shard has spent and is about to.

        Args:
            amount: Millionths of a US dollar, in all runs of the shard.

        Raises:
            LeaseLostError: Another worker has taken the shard over.
            BudgetExceededError: All shards together would spend more than the job may.
            StoreError: The store cannot be asked.
        """
        if not await self.store.renew(self.name, self.token, self.order.lease):
            raise LeaseLostError(f"another worker has taken over shard {self.shard}")
        limit = self.order.budget
        if limit is not None and not await self.store.claim(self.order.name, self.name, amount, limit):
            raise BudgetExceededError(f"all shards together may spend ${usd(limit):.2f}, and that is used up")

    async def keep(self, lost: Callable[[], None]) -> None:
        """Go on holding it, until somebody else does."""
        while True:
            await asyncio.sleep(self.order.lease / 3)
            with suppress(StoreError):  # before a purchase it matters; here, the store may come back
                if not await self.store.renew(self.name, self.token, self.order.lease):
                    lost()
                    return


@asynccontextmanager
async def leased(
    store: Store | None, order: Order, shard: int, lost: Callable[[], None]
) -> AsyncGenerator[ShardLease | None, None]:
    """Hold a shard's lease; wait for it while somebody else does.

    Args:
        store: Where it is kept; None: there is nobody else.
        order: The job's.
        shard: The shard's number.
        lost: Called once another worker has taken it over.

    Raises:
        StoreError: The store cannot be asked.
    """
    if store is None:
        yield None
        return
    name = ShardLease(store, order, shard, 0).name
    while (token := await _taken(store, name, order.lease)) is None:  # noqa: ASYNC110 - of another process
        await asyncio.sleep(_LOOK_AGAIN)
    lease = ShardLease(store, order, shard, token)
    keeping = asyncio.create_task(lease.keep(lost), name=f"lease of {name}")
    try:
        yield lease
    finally:
        keeping.cancel()
        with anyio.CancelScope(shield=True), suppress(StoreError):  # it runs out by itself
            await asyncio.wait({keeping})
            await store.release(name, token)


async def _taken(store: Store, name: str, seconds: float) -> int | None:
    """A lease's token; one that a cancellation made us forget would keep everybody waiting."""
    token: int | None = None
    with anyio.CancelScope(shield=True):
        token = await store.lease(name, seconds)
    return token  # noqa: RET504 - a scope may swallow, says its type
