"""A job's images as a dataset of their own: WebDataset, Parquet or an image folder, in shards.

1. Every image is hashed against the journal as it is read; what is missing or altered is left out, and told.
2. A shard is whole or not there, and shards of two exports never stand side by side.
3. The same export again goes on where it was: a shard that was made from the same is kept.
4. Memory is bounded by the rows of a shard.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

import orjson
from attrs import define, field, frozen

from venice_async.errors import ConfigurationError, DirectoryLockedError
from venice_async.storage.files import EXTENSIONS, prepare_directory, storage_errors, sync_directory
from venice_async.storage.journal import Finding, RecordedImage
from venice_async.storage.journal.lock import DirectoryLock
from venice_async.storage.shards import JobReader, open_job
from venice_async.types.response import ImageFormat

from .manifest import LOCK, Manifest, Shard, part_of, remove, size_of
from .metadata import METADATA, put_in_place
from .rows import Row, Survey
from .shards import LAYOUTS, LayoutName, Sample

__all__ = ["ExportReport", "export_dataset"]

_LARGEST_SHARD = 10_000  # images: more of them in a folder are slow to list

T = TypeVar("T")


@frozen(kw_only=True)
class ExportReport:
    """What an export holds.

    Attributes:
        images: Images in it.
        shards: Shards of them.
        left_out: Images that are missing or altered, by their names in the job's directory.
    """

    images: int
    shards: int
    left_out: tuple[Finding, ...]


@storage_errors()
def export_dataset(
    directory: Path,
    to: Path,
    layout: LayoutName,
    *,
    shard_size: int = 1000,
    drop_flagged: bool = False,
    image_format: ImageFormat | None = None,
) -> ExportReport:
    """Write a job's images, in the order of its input, as a dataset of their own; blocks.

    Args:
        directory: The job's.
        to: Where the dataset goes: a new directory, or one that holds this export already.
        layout: `webdataset`: tar files. `parquet`: images and rows in Parquet. `imagefolder`: numbered
            folders of files, and one `metadata.jsonl`.
        shard_size: Images of a shard, 1 to 10,000.
        drop_flagged: Whether what the server's moderation has blurred or flagged stays out.
        image_format: The only one to take; None where the job has only one.

    Raises:
        ConfigurationError: An argument is outside its range, the images are of several formats, there are
            none, or `to` holds another export.
        DirectoryLockedError: A batch is at work in `directory`, or another export in `to`.
        MissingExtraError: webdataset or pyarrow is not installed.
        StorageError: The journal cannot be read, `to` holds other files, or the disk refused.
    """
    if layout not in LAYOUTS:
        raise ConfigurationError(f"layout={layout!r}: expected {', '.join(LAYOUTS)}")
    if not 1 <= shard_size <= _LARGEST_SHARD:
        raise ConfigurationError(f"shard_size={shard_size!r}: expected 1 to {_LARGEST_SHARD:,}")
    if to.resolve().is_relative_to(directory.resolve()):
        raise ConfigurationError(f"{to} is in the job's own directory; choose another")
    LAYOUTS[layout].check()
    reader = open_job(directory)
    status = reader.status()
    if status.running:
        text = "A batch is at work here; export it once it has ended"
        raise DirectoryLockedError(errno.EAGAIN, text, str(directory))
    selection = _Selection(reader, drop_flagged=drop_flagged, image_format=image_format)
    survey = Survey.of(selection.images())
    options = {
        "layout": layout,
        "shard_size": shard_size,
        "drop_flagged": drop_flagged,
        "image_format": selection.settle(survey),
        "job": reader.began_at(),
    }
    prepare_directory(to)
    lock = DirectoryLock(to / LOCK, to)
    lock.take()
    try:
        return _Export(selection, survey, layout, Manifest.opened(to, options)).carry_out()
    finally:
        lock.release()


@define
class _Selection:
    """The images of a job that are wanted."""

    reader: JobReader
    drop_flagged: bool = field(kw_only=True)
    image_format: ImageFormat | None = field(kw_only=True)

    def images(self) -> Iterator[RecordedImage]:
        """Each of them, in the order of the input."""
        suffix = "" if self.image_format is None else EXTENSIONS[self.image_format]
        for image in self.reader.images():
            if self.drop_flagged and image.answer.moderation.is_flagged:
                continue
            if image.file.name.endswith(suffix):
                yield image

    def settle(self, survey: Survey) -> ImageFormat:
        """The one format that they have."""
        if not survey.images:
            raise ConfigurationError(f"{self.reader.directory} holds no image that is wanted")
        formats: dict[str, ImageFormat] = {suffix[1:]: name for name, suffix in EXTENSIONS.items()}
        counts: dict[ImageFormat, int] = {formats[suffix]: n for suffix, n in survey.formats.items()}
        if len(counts) > 1:
            found = ", ".join(f"{number:,} {name}" for name, number in sorted(counts.items()))
            raise ConfigurationError(
                f"an export is of one format, and there are {found}: choose image_format"
            )
        return next(iter(counts))


@frozen
class _Planned:
    """An image and its place in the export."""

    key: str
    image: RecordedImage
    row: Row

    def read(self, directory: Path) -> Sample | Finding:
        """The image, or what is wrong with it."""
        file = self.image.file
        try:
            data = (directory / file.name).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return Finding(file.name, "missing")
        if hashlib.sha256(data).hexdigest() != file.sha256:
            return Finding(file.name, "altered")
        return Sample(self.key, file.name.rpartition(".")[2], data, self.row)


class _Export:
    """One export, under its lock."""

    def __init__(self, selection: _Selection, survey: Survey, layout: LayoutName, manifest: Manifest) -> None:
        self._selection = selection
        self._survey = survey
        self._layout = LAYOUTS[layout]
        self._manifest = manifest
        self._to = manifest.directory
        self._metadata = self._to / METADATA if layout == "imagefolder" else None
        self._left_out: dict[str, Finding] = {}

    def carry_out(self) -> ExportReport:
        """Write what is not there yet.

        A folder that is half made shows: its rows are there first, and name files that are missing.
        """
        digests = {name: self._digest(planned) for name, planned in self._shards()}
        kept = {name for name, digest in digests.items() if self._manifest.has(name, digest)}
        if self._metadata and kept != set(digests):
            self._metadata.unlink(missing_ok=True)
        self._manifest.keep_only(kept)
        self._write_metadata()
        for name, planned in self._shards():
            if name not in kept:
                self._write(name, planned, digests[name])
        if self._left_out:
            self._write_metadata()
        self._manifest.complete = True
        self._manifest.save()
        shards = [shard for shard in self._manifest.shards.values() if shard.count]
        return ExportReport(
            images=sum(shard.count for shard in shards),
            shards=len(shards),
            left_out=tuple(self._left_out.values()),
        )

    def _shards(self) -> Iterator[tuple[str, list[_Planned]]]:
        size = self._manifest.options["shard_size"]
        for number, planned in enumerate(_batches(self._planned(), size)):
            yield f"{number:06d}{self._layout.suffix}", planned

    def _planned(self) -> Iterator[_Planned]:
        for place, image in enumerate(self._selection.images()):
            yield _Planned(f"{place:09d}", image, self._survey.columns.row(image))

    def _digest(self, planned: Iterable[_Planned]) -> str:
        survey = self._survey
        columns = [(column.name, column.type, column.as_json) for column in survey.columns]
        digest = hashlib.sha256(orjson.dumps([columns, sorted(survey.empty), sorted(survey.gaps)]))
        for entry in planned:
            digest.update(orjson.dumps([entry.key, entry.image.file.sha256, entry.row]))
        return digest.hexdigest()

    def _write(self, name: str, planned: list[_Planned], digest: str) -> None:
        goal, new = self._to / name, part_of(self._to / name)
        before = len(self._left_out)
        self._layout.write(new, self._samples(planned), self._survey)
        left_out = len(self._left_out) - before
        count = len(planned) - left_out
        size = size_of(new) or 0
        if count:
            new.rename(goal)
            sync_directory(self._to)
        else:
            remove(new)
        self._manifest.add(Shard(name, count, size, digest, left_out))

    def _samples(self, planned: Iterable[_Planned]) -> Iterator[Sample]:
        for entry in planned:
            match entry.read(self._selection.reader.directory):
                case Finding() as finding:
                    self._left_out[entry.key] = finding
                case sample:
                    yield sample

    def _write_metadata(self) -> None:
        """Write the rows of an image folder: those that show the types come first, see `Survey.first`."""
        if self._metadata is None:
            return
        put_in_place(self._metadata, self._survey.arranged(self._folder_rows), synced=True)

    def _folder_rows(self) -> Iterator[Row | None]:
        for name, planned in self._shards():
            for entry in planned:
                path = f"{name}/{entry.key}.{entry.image.file.name.rpartition('.')[2]}"
                yield None if entry.key in self._left_out else {**entry.row, "file_name": path}


def _batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch
