"""The sink of a purchase: images grow in the folder of parts, and get their names from the journal.

1. A part gets its extension once it is whole, checked and on the disk. Whatever happens from then on,
   its image is not lost: the next run takes it over.
2. What is not whole is deleted with the attempt that it belongs to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from typing_extensions import override

from venice_async.errors import DecodeError, MissingExtraError
from venice_async.storage.files import EXTENSIONS, FileSink, Namer, TemporaryFile, storage_errors
from venice_async.storage.published import Published
from venice_async.storage.writer import WriterThread
from venice_async.types.response import ImageFormat

from .journal import Journal, WholeFile
from .recovery import part_name

__all__ = ["VERIFICATIONS", "PurchaseSink", "Verification", "check_verification"]

Verification = Literal["header", "decode"]
VERIFICATIONS = ("header", "decode")


def check_verification(verify: Verification) -> Callable[[Path], None] | None:
    """What an image has to pass besides the decoder's own checks; None for nothing.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    if verify == "header":
        return None
    try:
        from PIL import Image  # noqa: PLC0415
    except ImportError as exc:
        raise MissingExtraError('verify="decode" needs Pillow: pip install "venice-async[pictures]"') from exc

    def decode(path: Path) -> None:
        try:
            with Image.open(path) as image:
                image.load()
        except Exception as exc:  # whatever a broken image makes of Pillow
            raise DecodeError(f"the image cannot be decoded: {exc}") from exc

    return decode


class PurchaseSink(FileSink):
    """Takes the images of one attempt.

    Args:
        checker: Does the checks, which take long.
        journal: Where the purchase is recorded; its thread writes the images, too: a record follows them,
            and each further thread would only wait for its turn.
        item: Its number there.
        attempt: The attempt's number.
        descriptor: Of the first image's part.
        namer: What the images are called.
        check: What an image has to pass, or None.
        refund: From what the answer's headers say to what of its cost was not billed.
        flush_bytes: How much of the answer is collected before it is written.
    """

    def __init__(
        self,
        checker: WriterThread,
        journal: Journal,
        item: int,
        attempt: int,
        descriptor: int,
        namer: Namer,
        check: Callable[[Path], None] | None,
        refund: Callable[[Mapping[str, Any]], int] = lambda _: 0,
        flush_bytes: int = 256 * 1024,
    ) -> None:
        super().__init__(journal.writer, Published(journal.directory), namer, flush_bytes)
        self._checker = checker
        self._journal = journal
        self._item = item
        self._attempt = attempt
        self._check = check
        self._refund = refund
        self._first = TemporaryFile(self._part(0), None, descriptor, hashlib.sha256())
        self.whole = False

    def _part(self, image: int) -> str:
        return f"{self._journal.parts}/{part_name(self._item, self._attempt, image)}.part"

    @override
    def _new_file(self, image: int, image_format: ImageFormat | None) -> TemporaryFile:
        if image == 0:
            self._first.format = image_format
            return self._first
        return TemporaryFile(self._part(image), image_format, digest=hashlib.sha256())

    @override
    async def _publish(self, answer: Mapping[str, Any]) -> tuple[Path, ...]:
        complete = partial(self._complete, self._names(answer.get("id")))
        if self._check is not None:  # it takes its time, and others wait for the journal
            await self._checker.submit(complete)
        return await self._journal.keep(self._item, answer, complete, self._refund(self.head))

    @storage_errors()
    def _complete(self, names: Sequence[str]) -> list[WholeFile]:
        if not self.whole:
            for file in self._files:
                file.finish(synced=self._journal.synced)
                if self._check is not None:
                    self._check(Path(file.path))
            for file in self._files:
                file.rename_to(f"{file.path.removesuffix('.part')}{EXTENSIONS[file.known_format]}")
            self.whole = True
        return [
            WholeFile(file.path, name, file.digest.hexdigest(), file.size)
            for file, name in zip(self._files, names, strict=True)
        ]

    @override
    async def reject(self) -> tuple[Path, ...]:
        if self.whole:  # the next run takes them over
            return tuple(Path(file.path) for file in self._files)
        kept = await super().reject()
        await self._remove_first()
        return kept

    @override
    async def discard(self) -> None:
        if not self.whole:
            await super().discard()
            await self._remove_first()

    async def _remove_first(self) -> None:
        """The first part is there before the first image is."""
        if not self._files:
            await self._writer.submit(self._first.remove)
