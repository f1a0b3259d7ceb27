"""Values of `--set`: lists and ranges."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs

from venice_async.errors import ConfigurationError
from venice_async.storage.inputs import typed_cell
from venice_async.types.request import NEVER_SENT, ImageRequest

__all__ = ["parse_axes"]

_VALUES_AT_MOST = 1_000_000
_VALUE_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)(?::(\d+(?:\.\d+)?))?\Z")


def parse_axes(texts: list[str] | None) -> dict[str, list[Any]]:
    """By name of a field, the values of `NAME=4,7.5` and `NAME=20..30:5`.

    Raises:
        ConfigurationError: A text is no such thing.
    """
    known = [field.name for field in attrs.fields(ImageRequest) if field.name not in NEVER_SENT]
    axes: dict[str, list[Any]] = {}
    for text in texts or ():
        name, equals, values = text.partition("=")
        if not equals or not values.strip():
            raise ConfigurationError(f"--set {text:.60}: write NAME=VALUES, such as cfg_scale=4,7.5")
        if (name := name.strip()) not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigurationError(f"--set {text:.60}: a request has no field {name!r}{hint}")
        if name in axes:
            raise ConfigurationError(f"--set {name} is given twice; write all its values into one")
        parts = next(csv.reader([values], skipinitialspace=True))  # a value with a comma goes in quotes
        axes[name] = [value for part in parts for value in _values(name, part.strip())]
    return axes


def _values(name: str, part: str) -> Iterator[Any]:
    if (found := _VALUE_RANGE.match(part)) is None:
        yield typed_cell(name, part)
        return
    first, last, step = Decimal(found[1]), Decimal(found[2]), Decimal(found[3] or 1)
    if last < first or not step or (last - first) / step >= _VALUES_AT_MOST:
        raise ConfigurationError(f"--set {name}: {part} runs backwards, stands still or is endless")
    while first <= last:
        yield typed_cell(name, str(first))
        first += step
