"""What a client is asked to do, and what all clients have in common.

1. A client is opened, which makes its session and sends nothing, and then run once.
2. Every client writes each image to a file of its own, temporary first and renamed after, and as a user
   of it would write that; where one does less, its function says so.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from attrs import frozen

from benchmarks.answers import MODEL

__all__ = ["KEY", "Job", "Open", "Run", "each", "write", "write_base64"]

KEY = "benchmark-key-0123456789"  # long enough for the client that checks it

Run = Callable[[], Awaitable[None]]


@frozen(kw_only=True)
class Job:
    """What one process does.

    Attributes:
        base_url: With the API's version, as every client wants it.
        requests: How many to send.
        concurrency: Requests in flight at once.
        into: An empty directory for the images.
        binary: Whether the answers are images themselves.
        variants: Images in an answer.
        compression: What the answer may be encoded with, or None.
        authority: The certificate to trust, or None for plain HTTP.
    """

    base_url: str
    requests: int
    concurrency: int
    into: Path
    binary: bool = False
    variants: int = 1
    compression: str | None = None
    authority: Path | None = None

    @property
    def url(self) -> str:
        """Where images are generated."""
        return f"{self.base_url}/image/generate"

    def fields(self) -> dict[str, Any]:
        """The fields of every request but its prompt."""
        binary = {"return_binary": True} if self.binary else {}
        return {"model": MODEL, **binary, **({"variants": self.variants} if self.variants > 1 else {})}

    def body(self, index: int) -> dict[str, Any]:
        """A whole request."""
        return {"prompt": prompt(index), **self.fields()}

    def prompts(self) -> Iterator[str]:
        """One distinct prompt for each request."""
        return (prompt(index) for index in range(self.requests))

    def headers(self) -> dict[str, str]:
        """What a client sends that knows nothing of this API."""
        return {"Authorization": f"Bearer {KEY}", "Accept-Encoding": self.compression or "identity"}

    def tls(self) -> ssl.SSLContext | None:
        """Whom to trust; None for plain HTTP."""
        return None if self.authority is None else ssl.create_default_context(cafile=str(self.authority))

    def path(self, index: int, image: int = 0) -> Path:
        """The file for an image."""
        name = f"{index:06d}" if self.variants == 1 else f"{index:06d}-{image}"
        return self.into / f"{name}.{'png' if self.binary else 'webp'}"


Open = Callable[[Job], AbstractAsyncContextManager[Run]]


def prompt(index: int) -> str:
    """The prompt of a request."""
    return f"a fox, number {index}"


async def each(job: Job, ask: Callable[[int], Awaitable[None]]) -> None:
    """Send every request through one gather and a semaphore, as most programs do."""
    places = asyncio.Semaphore(job.concurrency)

    async def one(index: int) -> None:
        async with places:
            await ask(index)

    await asyncio.gather(*map(one, range(job.requests)))


def write(path: Path, data: bytes) -> None:
    """Write a file that has its name only when it is whole."""
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.rename(path)


def write_base64(job: Job, index: int, images: Iterable[str]) -> None:
    """Decode and write the images of one answer."""
    for number, text in enumerate(images):
        write(job.path(index, number), base64.b64decode(text))
