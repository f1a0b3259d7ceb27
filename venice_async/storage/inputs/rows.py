"""A file's rows: text, CSV, TSV, JSON Lines, Parquet.

1. A row is what stands in the file, cell by cell; what it means as a request is `requests`' business.
2. A row that cannot be read is handed out with its fault, and the ones behind it are read all the same.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import PurePath
from typing import IO, Any, AnyStr, BinaryIO, Literal

import orjson
from attrs import field, frozen

from venice_async.errors import ConfigurationError, Fault, MissingExtraError

__all__ = ["FORMATS", "Row", "RowFormat", "format_of", "rows_in"]

RowFormat = Literal["text", "csv", "tsv", "jsonl", "parquet"]
FORMATS = ("text", "csv", "tsv", "jsonl", "parquet")

_SUFFIXES: dict[str, RowFormat] = {
    ".txt": "text",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_PARQUET = b"PAR1"
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_LONGEST_LINE = 16 * 1024 * 1024
_ROWS_AT_ONCE = 512
_UNDECODED = re.compile("[\udc80-\udcff]")


@frozen
class Row:
    """One row.

    Attributes:
        where: Its place in the file, such as `line 7`.
        cells: What it holds, by the name of the column; nothing where it cannot be read.
        fault: Why it cannot be read, or None.
    """

    where: str
    cells: Mapping[str, Any] = field(factory=dict)
    fault: Fault | None = None


def format_of(path: str, file: BinaryIO) -> RowFormat:
    """The format that a file's name tells, or else its first bytes.

    Raises:
        ConfigurationError: It is JSON, but not of one object a line.
    """
    name = PurePath(path)
    suffix = (name.with_suffix("") if name.suffix.lower() == ".gz" else name).suffix.lower()
    head = file.read(64)
    if head.startswith(_UTF_16):
        raise ConfigurationError(f"{path} is UTF-16; save it as UTF-8")
    if suffix == ".json" or (suffix not in _SUFFIXES and head.lstrip(_BOM).lstrip().startswith(b"[")):
        raise ConfigurationError(f"{path}: write JSON Lines, one object a line (jq -c '.[]' does it)")
    found = _SUFFIXES.get(suffix) or ("parquet" if head.startswith(_PARQUET) else None)
    if found != "parquet" and _is_binary(head):
        raise ConfigurationError(f"{path} is no text")
    if found is not None:
        return found
    return "jsonl" if head.lstrip(_BOM).lstrip().startswith(b"{") else "text"


def _is_binary(head: bytes) -> bool:
    """Whether bytes are those of no text: a NUL in UTF-8 is some row's fault alone."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return b"\0" in head
    return False


def rows_in(file: BinaryIO, row_format: RowFormat) -> Iterator[Row]:
    """The rows of an open file.

    Raises:
        ConfigurationError: It is no such file.
        MissingExtraError: It is Parquet, and pyarrow is not installed.
    """
    return _READERS[row_format](file)


def _lines_of(file: IO[AnyStr]) -> Iterator[AnyStr]:
    """The lines of a file, unless one is too long to be held."""
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise ConfigurationError(f"line {number} is longer than 16 MiB")
        yield line


def _text_rows(file: BinaryIO) -> Iterator[Row]:
    # Universal line ends, but neither form feeds nor Unicode separators, which a prompt may hold.
    with io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline=None) as text:
        for number, line in enumerate(_lines_of(text), 1):
            if prompt := line.strip():
                yield _checked(f"line {number}", {"prompt": prompt})


def _table_rows(file: BinaryIO, delimiter: str) -> Iterator[Row]:
    with io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="") as text:
        reader = csv.reader(_lines_of(text), delimiter=delimiter, strict=True)
        line = 1
        try:
            names = [name.strip() for name in next(reader, [])]
            _check_header(names)
            while True:
                line = reader.line_num + 1
                cells = next(reader, None)
                if cells is None:
                    return
                if any(cells):
                    yield _table_row(f"line {line}", names, cells)
        except csv.Error as exc:
            raise ConfigurationError(f"line {line}: {exc}; is a quote left open?") from exc


def _table_row(where: str, names: list[str], cells: list[str]) -> Row:
    if len(cells) > len(names):
        expected = f"{len(names)} cells, as the header has"
        return Row(where, fault=Fault("row", f"{len(cells)} cells", expected))
    return _checked(where, {name: cell for name, cell in zip(names, cells, strict=False) if cell != ""})


def _check_header(names: list[str]) -> None:
    for name in filter(_UNDECODED.search, names):
        shown = _UNDECODED.sub("\ufffd", name)
        raise ConfigurationError(f"line 1: the column {shown!r} is no UTF-8")
    if "prompt" not in names:
        shown = ", ".join(names)[:200] or "none"
        hint = "; cells are separated by commas" if ";" in shown else ""
        raise ConfigurationError(
            f"the first line names the columns, and there is no 'prompt' among: {shown}{hint}"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(f"the column {twice[0]!r} is there more than once")


def _jsonl_rows(file: BinaryIO) -> Iterator[Row]:
    for number, whole in enumerate(_lines_of(file), 1):
        where = f"line {number}"
        line = whole.removeprefix(_BOM) if number == 1 else whole
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as exc:
            shown = line[:60].decode(errors="replace").strip()
            yield Row(where, fault=Fault("row", shown, f"a JSON object: {exc.msg}"))
            continue
        if isinstance(value, dict):
            yield _checked(where, {name: cell for name, cell in value.items() if cell is not None})
        else:
            yield Row(where, fault=Fault("row", value, "a JSON object"))


def _parquet_rows(file: BinaryIO) -> Iterator[Row]:
    try:
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as exc:
        text = 'Parquet needs pyarrow: pip install "venice-async[dataset]"'
        raise MissingExtraError(text) from exc
    number = 0
    try:
        for batch in pq.ParquetFile(file).iter_batches(_ROWS_AT_ONCE):
            for cells in batch.to_pylist():
                number += 1
                given = {name: cell for name, cell in cells.items() if cell is not None}
                yield _checked(f"row {number}", given)
    except (pa.ArrowException, OSError) as exc:
        if isinstance(exc, OSError) and exc.errno:  # the disk's fault, not the file's
            raise
        raise ConfigurationError(f"after row {number}: {exc}") from exc


def _checked(where: str, cells: Mapping[str, Any]) -> Row:
    """A row, unless its text is none."""
    for name, cell in cells.items():
        if not isinstance(cell, str):
            continue
        if "\0" in cell:
            return Row(where, fault=Fault(name, cell, "text without a NUL"))
        if not cell.isascii() and _UNDECODED.search(cell):
            shown = _UNDECODED.sub("\ufffd", cell)
            return Row(where, fault=Fault(name, shown, "UTF-8"))
    return Row(where, cells)


_READERS: dict[RowFormat, Callable[[BinaryIO], Iterator[Row]]] = {
    "text": _text_rows,
    "csv": partial(_table_rows, delimiter=","),
    "tsv": partial(_table_rows, delimiter="\t"),
    "jsonl": _jsonl_rows,
    "parquet": _parquet_rows,
}
