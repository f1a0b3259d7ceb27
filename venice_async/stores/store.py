"""What a store can do, and how one is found by its address."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from attrs import frozen

from venice_async.errors import ConfigurationError
from venice_async.policy.guard import GuardState
from venice_async.policy.pace import Pace

__all__ = ["Leave", "Store", "open_store"]

_SQLITE = "sqlite:///"


@frozen(kw_only=True)
class Leave:
    """A store's answer to who asks to send.

    Attributes:
        seconds: 0: the send is recorded, go; else how long to wait before asking again, and None where
            only another process's answer can tell.
        flight: Names the send in the store; None where none was recorded.
        sends: When other processes sent from the bucket since this one last asked.
        failures: When other processes had failures since this one last asked.
        processes: How many processes have sent from the bucket lately, this one included.
    """

    seconds: float | None
    flight: int | None = None
    sends: tuple[float, ...] = ()
    failures: tuple[float, ...] = ()
    processes: int = 1


class Store(Protocol):
    """Where the processes meet that use one key.

    Every method may raise `StoreError`.
    """

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Let go; what this process has recorded stays until it expires."""

    async def take(self, bucket: str, pace: Pace, guard: GuardState) -> Leave:
        """Ask to send from a bucket, and record the send if it may go.

        Args:
            bucket: A model's id, or what stands for the whole key.
            pace: What this process knows of the bucket.
            guard: How careful this process is.
        """
        ...

    async def ended(self, flight: int, *, failed: bool) -> None:
        """A send is over."""

    async def pause(self, bucket: str | None, until: float) -> None:
        """Let nobody send from a bucket (None: from any) before a time."""


def open_store(address: str) -> Store:
    """Make the store that an address names; it is still to be opened.

    Raises:
        ConfigurationError: No kind of store has such an address.
    """
    from .sqlite import SqliteStore  # noqa: PLC0415 - which knows this module

    if address.startswith(_SQLITE) and len(address) > len(_SQLITE):
        return SqliteStore(Path(address[len(_SQLITE) :]))
    raise ConfigurationError(f"shared={address!r}: expected sqlite:///path")
