"""Requests from a file's rows.

1. The file is read through once before the first request is handed out: what is wrong with a row is
   known before anything is bought.
2. A row's own fields come before those that all rows have in common.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Unpack

import anyio.to_thread
import attrs
import orjson

from venice_async.errors import ConfigurationError, Fault, ValidationError
from venice_async.sweep import Sweep, sweep
from venice_async.types.checks import Choice, Flag, Number, Text
from venice_async.types.request import NEVER_SENT, ImageRequest, RequestFields
from venice_async.wire.codec import request_fields, structure_request

from .files import called, local_copy, opened
from .rows import Row, RowFormat, format_of, rows_in

__all__ = ["RequestFile", "read_requests", "typed_cell"]

_FAULTS_KEPT = 20
_AT_ONCE = 256
_FIELDS = {field.name: field for field in attrs.fields(ImageRequest) if field.name not in NEVER_SENT}
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_UNTYPED: set[RowFormat] = {"text", "csv", "tsv"}


class RequestFile:
    """The requests of a file, made when they are asked for; see `read_requests`.

    Goes as it is into `gather_generate`, which reads it off the event loop.

    Attributes:
        path: As it was given.
        format: Of its rows.
        common: The fields that all rows have in common.
        axes: By name of a field, the values that multiply each row.
        rows: How many good ones there are.
        bad_rows: How many are left out.
        faults: What is wrong with the first of those.
        columns: The names that occur, in the order in which they come.
    """

    def __init__(
        self,
        path: str,
        row_format: RowFormat | None,
        common: Mapping[str, Any],
        axes: Mapping[str, Iterable[Any]],
    ) -> None:
        self.path = path
        sample = ImageRequest("?", **common)
        self.common = _plain(sample, common)
        self._beside, self._limits = sample.metadata, sample.limits
        self.axes = sweep(sample, **axes).axes
        self.rows = self.bad_rows = self._length = 0
        self.faults: list[Fault] = []
        self.columns: dict[str, None] = {}
        copy = local_copy(path, seekable=row_format in {None, "parquet"})
        self._place = path
        if copy is not None:
            self._place = copy.name
            weakref.finalize(self, copy.close)
        with opened(self._place) as file:
            self.format: RowFormat = row_format or format_of(path, file)

    @property
    def metadata_columns(self) -> tuple[str, ...]:
        """The names that are no fields of a request, and are carried along."""
        return tuple(name for name in self.columns if name not in _FIELDS)

    def __len__(self) -> int:
        """How many requests there are."""
        return self._length

    def __iter__(self) -> Iterator[ImageRequest]:
        """The requests; blocks while the file is read."""
        for row in self._read():
            try:
                requests = self._requests(row, self.axes)
            except ValidationError:
                if not self.bad_rows:
                    raise  # the file has changed since it was looked through
            else:
                yield from requests

    async def __aiter__(self) -> AsyncIterator[ImageRequest]:
        """The requests; a thread reads the file."""
        requests = iter(self)
        while batch := await anyio.to_thread.run_sync(partial(_next_of, requests)):
            for request in batch:
                yield request

    def located(self, axes: Mapping[str, Sequence[Any]]) -> Iterator[tuple[str, ImageRequest]]:
        """The requests of the good rows, each with the place of its row; blocks while the file is read.

        Args:
            axes: What multiplies each row instead of the file's own axes.
        """
        for row in self._read():
            try:
                requests = self._requests(row, axes)
            except ValidationError:  # a bad row is left out, and was told
                continue
            for request in requests:
                yield row.where, request

    def look_through(self, *, skip_bad_rows: bool) -> None:
        """Read the whole file, and tell what is wrong with it.

        Raises:
            ValidationError: Rows are bad, and are not to be left out.
            ConfigurationError: There is no good one.
        """
        for row in self._read():
            self.columns |= dict.fromkeys(row.cells)
            try:
                requests = self._requests(row, self.axes)
            except ValidationError as exc:
                self.bad_rows += 1
                self.faults += exc.faults[: _FAULTS_KEPT - len(self.faults)]
            else:
                self.rows += 1
                self._length += len(requests)
        if self.bad_rows and not skip_bad_rows:
            error = ValidationError(self.faults)
            counts = f"{self.bad_rows} of {self.rows + self.bad_rows} rows of {called(self.path)} are bad"
            error.add_note(f"{counts}; nothing was sent. Mend or leave them out with skip_bad_rows=True")
            raise error
        if not self.rows:
            raise ConfigurationError(f"{called(self.path)} holds no prompt")

    def _read(self) -> Iterator[Row]:
        try:
            with opened(self._place) as file:
                yield from rows_in(file, self.format)
        except ConfigurationError as exc:
            text = str(exc).replace(self._place, self.path)
            raise ConfigurationError(text if self.path in text else f"{called(self.path)}, {text}") from exc

    def _requests(self, row: Row, axes: Mapping[str, Sequence[Any]]) -> Sweep | tuple[ImageRequest, ...]:
        """The requests that a row stands for.

        Raises:
            ValidationError: It is a bad one.
        """
        try:
            request = self._request(row)
            return sweep(request, **axes) if axes else (request,)
        except ValidationError as exc:
            raise ValidationError(
                [attrs.evolve(fault, field=f"{row.where}, {fault.field}") for fault in exc.faults]
            ) from None

    def _request(self, row: Row) -> ImageRequest:
        if row.fault is not None:
            raise ValidationError([row.fault])
        own = {name: cell for name, cell in row.cells.items() if name in _FIELDS}
        beside = {name: cell for name, cell in row.cells.items() if name not in _FIELDS}
        if self.format in _UNTYPED:
            own = {name: typed_cell(name, cell) for name, cell in own.items()}
        # What an axis brings is not missing.
        swept = {name: values[0] for name, values in self.axes.items() if name not in own}
        fields = {**self.common, **swept, **own}
        return structure_request(fields, limits=self._limits, metadata={**self._beside, **beside})


def _plain(sample: ImageRequest, common: Iterable[str]) -> dict[str, Any]:
    """The common fields as JSON has them, from a request that has them."""
    fields = {name: value for name, value in request_fields(sample).items() if name in common}
    return {**fields, "extra": sample.extra} if sample.extra else fields


def typed_cell(name: str, cell: str) -> Any:
    """What text stands for as a field of a request; the text itself where the field takes nothing like it."""
    try:
        match _FIELDS[name].validator:
            case Number(real=True):
                return float(cell)
            case Number():
                return int(cell)
            case Flag():
                return _WORDS.get(cell.lower(), cell)
            case Text() | Choice():
                return cell
            case _:
                return orjson.loads(cell)
    except ValueError:
        return cell


def _next_of(requests: Iterator[ImageRequest]) -> list[ImageRequest]:
    return list(islice(requests, _AT_ONCE))


def read_requests(
    path: str | os.PathLike[str],
    *,
    row_format: RowFormat | None = None,
    axes: Mapping[str, Iterable[Any]] | None = None,
    skip_bad_rows: bool = False,
    **fields: Unpack[RequestFields],
) -> RequestFile:
    """The requests of a file, for `gather_generate`: text (one prompt a line), CSV, TSV, JSON Lines, Parquet.

    Each may be gzipped. A column is a field of `ImageRequest`, `prompt` at least; any other one is
    carried along as `metadata`. A cell that is empty or null leaves its field out. In CSV and TSV,
    `inpaint`, `style_references` and `extra` are JSON. Reads the file through, which blocks, and once more
    as the requests are taken; a row at a time is in memory.

    Args:
        path: `-` is standard input.
        row_format: None: what the name tells (`.txt`, `.csv`, `.tsv`, `.jsonl`, `.parquet`, each
            also with `.gz`), or else the first bytes.
        axes: By name of a field, values that multiply each row, as in `sweep`.
        skip_bad_rows: Whether bad rows are left out, and counted, instead of raised.
        **fields: Fields that all rows have in common, where a row has none of its own.

    Raises:
        ValidationError: Rows are bad: the first 20 faults, each with its line and field; or a field is.
        ConfigurationError: It is no such file, or holds no good row.
        MissingExtraError: It is Parquet, and pyarrow is not installed.
        StorageError: It cannot be read.
    """
    requests = RequestFile(os.fspath(path), row_format, fields, axes or {})
    requests.look_through(skip_bad_rows=skip_bad_rows)
    return requests
