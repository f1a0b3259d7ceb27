"""Small pictures of a job's images, each made once: they are named by the digests of what they show."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from PIL import Image

__all__ = ["make_thumbnails", "thumbnail_path"]

_SIDE = 320  # pixels
_THREADS = 4
_AHEAD = 64


def thumbnail_path(folder: Path, sha256: str) -> Path:
    """Where the thumbnail of an image is, once it is made."""
    return folder / sha256[:2] / f"{sha256}.webp"


def make_thumbnails(folder: Path, images: Iterable[tuple[str, Path]]) -> tuple[int, set[str]]:
    """Make the thumbnails that are not there yet; how many those were, and the digests of broken images.

    Args:
        folder: Where they go.
        images: The digest and the path of each image.
    """
    made, broken = 0, set[str]()
    batch: list[tuple[str, Path]] = []
    with ThreadPoolExecutor(_THREADS) as pool:

        def carry_out() -> None:
            nonlocal made
            for (sha256, _), whole in zip(batch, pool.map(partial(_make, folder), batch), strict=True):
                made += whole
                if not whole:
                    broken.add(sha256)
            batch.clear()

        waiting = set[str]()
        for sha256, path in images:
            if sha256 not in waiting and not thumbnail_path(folder, sha256).exists():
                waiting.add(sha256)  # two images may be the same
                batch.append((sha256, path))
            if len(batch) >= _AHEAD:
                carry_out()
                waiting.clear()
        carry_out()
    return made, broken


def _make(folder: Path, image: tuple[str, Path]) -> bool:
    """Make one; False for an image that is gone, or that cannot be decoded."""
    sha256, path = image
    goal = thumbnail_path(folder, sha256)
    new = goal.with_suffix(".part")
    goal.parent.mkdir(parents=True, exist_ok=True)
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", (_SIDE, _SIDE))
            picture.thumbnail((_SIDE, _SIDE))
            picture.convert("RGB").save(new, "WEBP", quality=80)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):  # what broken images raise
        new.unlink(missing_ok=True)
        return False
    os.replace(new, goal)  # noqa: PTH105 - one system call
    return True
