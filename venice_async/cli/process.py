"""What holds for the whole process, which only its own command line may decide: event loop and allocator."""

from __future__ import annotations

import asyncio

__all__ = ["keep_memory", "new_event_loop"]

_KEPT = 30 * 1024 * 1024


def new_event_loop() -> asyncio.AbstractEventLoop:
    """The one of uvloop where it is installed (`venice-async[fast]`), else asyncio's."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def keep_memory() -> None:
    """Have glibc keep memory that was freed, and not map and unmap it for each piece of an answer.

    It raises its thresholds to the size of a mapped block that is freed, up to 32 MiB; other allocators
    let this be.
    """
    bytearray(_KEPT)
