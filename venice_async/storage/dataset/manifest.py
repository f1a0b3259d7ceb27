"""What an export consists of, beside it: which shards are there, and what they were made from.

1. It is replaced atomically, after each shard; a shard that it does not name is made again.
2. It is hidden: readers of a whole directory take every file that is not for data.
3. Nothing is deleted but what an export has made.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from pathlib import Path
from typing import Any

import attrs
import orjson
from attrs import define, field, frozen

from venice_async.errors import ConfigurationError, OutputExistsError
from venice_async.storage.files import sync_directory

from .metadata import METADATA

__all__ = ["LOCK", "MANIFEST", "Manifest", "Shard", "part_of", "remove", "size_of"]

MANIFEST = ".manifest.json"
LOCK = ".lock"

_SHARD = re.compile(r"\d{6}(?:\.tar|\.parquet)?")
_IMAGE = re.compile(r"\d{9}\.(?:jpg|png|webp)")
_PART = re.compile(r"\..+\.part")


@frozen
class Shard:
    """One shard.

    Attributes:
        name: Of its file or folder.
        count: Images in it.
        size: In bytes.
        digest: Of what it was made from: keys, hashes and rows.
        left_out: How many images it lacks, because they are missing or altered.
    """

    name: str
    count: int
    size: int
    digest: str
    left_out: int = 0


@define
class Manifest:
    """The manifest of one export.

    Attributes:
        directory: Where it is.
        options: What makes the export the one it is.
        shards: Those that are there.
        complete: Whether they are all.
    """

    directory: Path
    options: dict[str, Any]
    shards: dict[str, Shard] = field(factory=dict)
    complete: bool = False

    @classmethod
    def opened(cls, directory: Path, options: dict[str, Any]) -> Manifest:
        """The manifest of the export in a directory; a new one in an empty directory.

        Raises:
            ConfigurationError: It holds another export.
            OutputExistsError: It holds files that are none of an export.
        """
        path = directory / MANIFEST
        try:
            told = orjson.loads(path.read_bytes())
            shards = {shard["name"]: Shard(**shard) for shard in told["shards"]}
            known: dict[str, Any] = told["options"]
        except FileNotFoundError:
            known, shards = options, {}
            _refuse_foreign(directory, ours=False)
        except (orjson.JSONDecodeError, KeyError, TypeError) as exc:
            text = "This is no manifest of an export; choose another directory"
            raise OutputExistsError(errno.EEXIST, text, str(path)) from exc
        changed = [
            f"{name} was {known.get(name)}, and is {options.get(name)}"
            for name in sorted({*known, *options})
            if known.get(name) != options.get(name)
        ]
        if changed:
            raise ConfigurationError(
                f"{directory} holds another export: {'; '.join(changed)}; choose another directory"
            )
        _refuse_foreign(directory, ours=True)
        return cls(directory, options, shards)

    def has(self, name: str, digest: str) -> bool:
        """Whether a shard is there, whole, and made from the same."""
        shard = self.shards.get(name)
        if shard is None or shard.left_out or shard.digest != digest:
            return False
        return size_of(self.directory / name) == shard.size

    def keep_only(self, names: set[str]) -> None:
        """Remove all shards but some, and what was not finished."""
        self.shards = {name: shard for name, shard in self.shards.items() if name in names}
        self.complete = False
        self.save()
        for path in self.directory.iterdir():
            unwanted = _SHARD.fullmatch(path.name) and path.name not in names
            if unwanted or _PART.fullmatch(path.name):
                remove(path)
        sync_directory(self.directory)

    def add(self, shard: Shard) -> None:
        """Take note of a shard that is there."""
        self.shards[shard.name] = shard
        self.save()

    def save(self) -> None:
        """Replace what is on the disk."""
        told = {
            "options": self.options,
            "complete": self.complete,
            "images": sum(shard.count for shard in self.shards.values()),
            "shards": [attrs.asdict(self.shards[name]) for name in sorted(self.shards)],
        }
        new = part_of(self.directory / MANIFEST)
        with new.open("wb") as file:
            file.write(orjson.dumps(told, option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.directory / MANIFEST)
        sync_directory(self.directory)


def part_of(path: Path) -> Path:
    """Where something grows before it gets its name."""
    return path.with_name(f".{path.name}.part")


def remove(path: Path) -> None:
    """Delete a file, or a folder and what is in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def size_of(path: Path) -> int | None:
    """Bytes of a file, or of the files of a folder; None where there is nothing."""
    try:
        if path.is_dir():
            return sum(file.stat().st_size for file in path.iterdir())
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _refuse_foreign(directory: Path, *, ours: bool) -> None:
    for path in directory.iterdir():
        name = path.name
        if name == LOCK or _PART.fullmatch(name):
            continue
        if ours and name in {MANIFEST, METADATA}:
            continue
        strange = [path] if not (ours and _SHARD.fullmatch(name)) else []
        if not strange and path.is_dir():
            strange = [file for file in path.iterdir() if not _IMAGE.fullmatch(file.name)]
        if strange:
            text = f"It holds what is not of an export ({strange[0].name}); choose another directory"
            raise OutputExistsError(errno.EEXIST, text, str(directory))
