"""Which parameters of a job's images vary, and the images as rows and columns of two of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from venice_async.errors import ConfigurationError

__all__ = ["Grid", "axes_of", "grid_of"]

_FULL = 1.5  # cells for each image, at most, for a grid to make sense

Values = Mapping[str, Any]
"""What an image was made of, by name."""


@frozen
class Grid:
    """Images in rows and columns.

    Attributes:
        rows: The parameter that the rows differ in; None where they are only lines.
        columns: The same for the columns.
        row_labels: Its values, as text.
        column_labels: The same for the columns.
        cells: By row and column, the places of the images that belong there.
    """

    rows: str | None
    columns: str | None
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    cells: Mapping[tuple[int, int], tuple[int, ...]]


def axes_of(images: Sequence[Values]) -> dict[str, tuple[str, ...]]:
    """The parameters that vary, with their values as text: numbers by size, all else as they come."""
    names = dict.fromkeys(name for image in images for name in image)
    axes = {name: tuple(dict.fromkeys(_text(image.get(name)) for image in images)) for name in names}
    return {name: _sorted(texts) for name, texts in axes.items() if len(texts) > 1}


def grid_of(images: Sequence[Values], rows: str | None = None, columns: str | None = None) -> Grid:
    """The images as a grid: of two parameters where that makes sense, else in lines.

    Args:
        images: What each was made of.
        rows: The parameter of the rows; None: one that varies, the prompt first.
        columns: The same for the columns, the seed first.

    Raises:
        ConfigurationError: There is no such parameter among those that vary.
    """
    axes = axes_of(images)
    for name in filter(None, (rows, columns)):
        if name not in axes:
            known = ", ".join(axes) or "none does"
            raise ConfigurationError(f"{name!r} does not vary among the images; of these do: {known}")
    rows, columns = next(_pairs(axes, rows, columns, len(images)), (rows, columns))
    if rows is None and columns is None:
        return _lines(len(images))
    row_labels = ("",) if rows is None else axes[rows]
    column_labels = ("",) if columns is None else axes[columns]
    down, across = ({label: at for at, label in enumerate(labels)} for labels in (row_labels, column_labels))
    cells: dict[tuple[int, int], tuple[int, ...]] = {}
    for place, image in enumerate(images):
        row = 0 if rows is None else down[_text(image.get(rows))]
        column = 0 if columns is None else across[_text(image.get(columns))]
        cells[row, column] = (*cells.get((row, column), ()), place)
    return Grid(rows, columns, row_labels, column_labels, cells)


def _pairs(
    axes: Mapping[str, Sequence[str]], rows: str | None, columns: str | None, number: int
) -> Iterator[tuple[str, str]]:
    """Pairs of parameters whose grid is mostly full, the most usual first."""
    usual = sorted(axes, key=lambda name: (name != "prompt", name == "seed"))
    for one in usual if rows is None else [rows]:
        for other in sorted(axes, key=lambda name: name != "seed") if columns is None else [columns]:
            given = rows is not None and columns is not None
            if one != other and (given or len(axes[one]) * len(axes[other]) <= _FULL * number):
                yield one, other


def _lines(number: int) -> Grid:
    across = max(1, min(number, round((1.6 * number) ** 0.5)))
    cells = {(place // across, place % across): (place,) for place in range(number)}
    return Grid(None, None, ("",) * -(-number // across), ("",) * across, cells)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=dict)


def _sorted(texts: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(sorted(texts, key=lambda text: float(text) if text else float("-inf")))
    except ValueError:
        return texts
