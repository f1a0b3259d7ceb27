"""What a store can do, and how one is found by its address."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from attrs import frozen

from venice_async.errors import ConfigurationError
from venice_async.policy.address import veiled
from venice_async.policy.guard import Caution
from venice_async.policy.pace import Pace

__all__ = ["Leave", "Store", "open_store"]

_SQLITE = "sqlite:///"
_REDIS = ("redis://", "rediss://", "unix://")


@frozen(kw_only=True)
class Leave:
    """A store's answer to who asks to send.

    Attributes:
        seconds: 0: the sends are recorded, go; else how long to wait before asking again, and None where
            only another process's answer can tell.
        flight: Names the request in the store; None where none was recorded.
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

    async def take(self, bucket: str, pace: Pace, caution: Caution, units: int = 1) -> Leave:
        """Ask to send from a bucket, and record the sends if they may go: all of them, or none.

        Args:
            bucket: A model's id, or what stands for the whole key.
            pace: What this process knows of the bucket.
            caution: How careful this process is.
            units: Images that the request asks for: each is a send.
        """
        ...

    async def ended(self, flight: int, *, failed: bool) -> None:
        """A send is over."""

    async def pause(self, bucket: str | None, until: float) -> None:
        """Let nobody send from a bucket (None: from any) before a time."""

    def missed_send(self, bucket: str, at: float, units: int = 1) -> None:
        """Note sends of one request that was made while the store could not be asked."""

    def missed_end(self, flight: int) -> None:
        """Note the end of a send that the store could not be told."""

    async def resume(self) -> bool:
        """Whether a store that failed can be used again; it has recorded then what it missed."""
        ...

    async def lease(self, name: str, seconds: float) -> int | None:
        """Take a lease that nobody holds.

        Args:
            name: The lease's.
            seconds: For how long.

        Returns:
            Its token, larger than every earlier one of the name; None while somebody holds it.
        """
        ...

    async def renew(self, name: str, token: int, seconds: float) -> bool:
        """Hold a lease for so long from now, also one that ran out or was forgotten.

        Returns:
            False where somebody else has taken it since.
        """
        ...

    async def release(self, name: str, token: int) -> None:
        """Give a lease back; a token that somebody else's has followed has no effect."""

    async def claim(self, job: str, part: str, amount: int, limit: int) -> bool:
        """Let a part of a job hold an amount in all, in millionths of a US dollar.

        Args:
            job: The job's name.
            part: The part's.
            amount: What it has spent and set aside, instead of what it held.
            limit: What all parts may hold together.

        Returns:
            False where that would be more than the limit, and more than the part held: nothing changed.
        """
        ...


def open_store(address: str) -> Store:
    """Make the store that an address names; it is still to be opened.

    Raises:
        ConfigurationError: No kind of store has such an address.
        MissingExtraError: What it needs is not installed.
    """
    if address.startswith(_SQLITE) and len(address) > len(_SQLITE):
        from .sqlite import SqliteStore  # noqa: PLC0415 - which knows this module

        return SqliteStore(Path(address[len(_SQLITE) :]))
    if address.startswith(_REDIS):
        from .redis import RedisStore  # noqa: PLC0415 - likewise

        return RedisStore(address)
    raise ConfigurationError(
        f"shared={veiled(address)!r}: expected sqlite:///path or redis://host:port/number"
    )
