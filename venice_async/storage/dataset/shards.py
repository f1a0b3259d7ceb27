"""One shard of an export: a tar, a Parquet file or a folder, written whole before it gets its name.

1. One sample is in memory at a time; for Parquet, one group of rows.
2. Every file of a shard is on the disk before its writer returns.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import orjson
from attrs import frozen

from venice_async.errors import MissingExtraError
from venice_async.storage.files import sync_directory

from .rows import Column, Columns, Row, Survey

__all__ = ["LAYOUTS", "Layout", "LayoutName", "Sample"]

LayoutName = Literal["webdataset", "parquet", "imagefolder"]

_GROUP_ROWS = 100
_GROUP_BYTES = 64 * 1024 * 1024
_EXTRA = 'pip install "venice-async[dataset]"'


@frozen
class Sample:
    """One image of an export.

    Attributes:
        key: Its running number, which is its name everywhere.
        extension: Without a dot.
        data: The image.
        row: What there is to tell of it.
    """

    key: str
    extension: str
    data: bytes
    row: Row

    @property
    def name(self) -> str:
        """Its file's name."""
        return f"{self.key}.{self.extension}"


@frozen
class Layout:
    """How a shard is made.

    Attributes:
        suffix: Of its name.
        check: Raises a `MissingExtraError` where a library that it needs is not there.
        write: Makes a shard at a path.
    """

    suffix: str
    check: Callable[[], object]
    write: Callable[[Path, Iterable[Sample], Survey], None]


def _webdataset() -> Any:
    try:
        import webdataset  # noqa: PLC0415
    except ImportError as exc:
        raise MissingExtraError(f"WebDataset needs webdataset: {_EXTRA}") from exc
    return webdataset


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as exc:
        raise MissingExtraError(f"Parquet needs pyarrow: {_EXTRA}") from exc
    return pa, pq


def _write_tar(path: Path, samples: Iterable[Sample], survey: Survey) -> None:
    """Write `<key>.<extension>` and `<key>.json` for each sample.

    `datasets` settles on the types of the JSON's fields from the first five samples, and fails at a null
    that becomes a value, or a value that was a null. So there are no nulls: a column without any value is
    left out, and of one that has gaps, text is empty there, and anything else is JSON text (`"7"`, `"null"`).
    """
    told = [column for column in survey.columns if column.name not in survey.empty]

    def field(column: Column, value: Any) -> Any:
        if column.name not in survey.gaps:
            return value
        return value or "" if column.type == "text" else json.dumps(value)

    with path.open("wb") as file:
        writer = _webdataset().TarWriter(file, encoder=False, mtime=0)
        for sample in samples:
            fields = {column.name: field(column, sample.row[column.name]) for column in told}
            writer.write({"__key__": sample.key, sample.extension: sample.data, "json": orjson.dumps(fields)})
        writer.close()
        file.flush()
        os.fsync(file.fileno())


def _write_parquet(path: Path, samples: Iterable[Sample], survey: Survey) -> None:
    """Write a column `image` of bytes and path, and the columns of the row.

    The metadata under `huggingface` makes `datasets` show the column as an image.
    """
    pa, pq = _pyarrow()
    schema = _schema(pa, survey.columns)
    # An image is compressed already; it is only worth it for the rest.
    compression = {column.name: "zstd" for column in survey.columns}
    compression |= {"image.bytes": "none", "image.path": "none"}
    with path.open("wb") as file:
        with pq.ParquetWriter(file, schema, compression=compression) as writer:
            group: list[Row] = []
            size = 0
            for sample in samples:
                group.append({"image": {"bytes": sample.data, "path": sample.name}, **sample.row})
                size += len(sample.data)
                if len(group) >= _GROUP_ROWS or size >= _GROUP_BYTES:
                    writer.write_table(pa.Table.from_pylist(group, schema))
                    group, size = [], 0
            if group:
                writer.write_table(pa.Table.from_pylist(group, schema))
        file.flush()
        os.fsync(file.fileno())


def _schema(pa: Any, columns: Columns) -> Any:
    types = {
        "bool": (pa.bool_(), "bool"),
        "int": (pa.int64(), "int64"),
        "float": (pa.float64(), "float64"),
        "text": (pa.string(), "string"),
    }
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields = [("image", picture), *((column.name, types[column.type][0]) for column in columns)]
    features = {
        "image": {"_type": "Image"},
        **{column.name: {"dtype": types[column.type][1], "_type": "Value"} for column in columns},
    }
    return pa.schema(fields, metadata={"huggingface": orjson.dumps({"info": {"features": features}})})


def _write_folder(path: Path, samples: Iterable[Sample], _: Survey) -> None:
    """Write a file for each sample; what there is to tell of them stands in one file for all shards."""
    path.mkdir()
    for sample in samples:
        with (path / sample.name).open("xb") as file:
            file.write(sample.data)
            file.flush()
            os.fsync(file.fileno())
    sync_directory(path)


LAYOUTS: dict[LayoutName, Layout] = {
    "webdataset": Layout(".tar", _webdataset, _write_tar),
    "parquet": Layout(".parquet", _pyarrow, _write_parquet),
    "imagefolder": Layout("", lambda: None, _write_folder),
}
