"""What holds for the whole process, and its own command line alone may decide: streams, loop, allocator."""

from __future__ import annotations

import asyncio
import os

__all__ = ["keep_memory", "new_event_loop", "occupy_standard_streams"]

_KEPT = 30 * 1024 * 1024


def new_event_loop() -> asyncio.AbstractEventLoop:
    """The one of uvloop where it is installed (`venice-async[fast]`), else asyncio's."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def occupy_standard_streams() -> None:
    """Open on nothing what is closed of the standard streams: no file and no socket may get their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def keep_memory() -> None:
    """Have glibc keep memory that was freed, and not map and unmap it for each piece of an answer.

    It raises its thresholds to the size of a mapped block that is freed, up to 32 MiB; other allocators
    let this be.
    """
    bytearray(_KEPT)
