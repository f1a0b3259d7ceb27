"""A contact sheet: all images of a job as one picture, labelled.

1. An image is scaled to fit its cell, whole; one that is broken or missing is an empty cell.
2. The picture is bounded: what would be too large is an error before the first image is opened.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import attrs
from attrs import frozen
from PIL import Image, ImageDraw, ImageFont

from venice_async.errors import ConfigurationError, OutputExistsError
from venice_async.storage.files import storage_errors
from venice_async.storage.journal import RecordedImage
from venice_async.storage.shards import images_there, open_job
from venice_async.types.request import NEVER_SENT, ImageRequest

from .grid import Grid, grid_of

__all__ = ["FORMATS", "write_sheet"]

FORMATS = {".png": "PNG", ".webp": "WEBP", ".jpg": "JPEG", ".jpeg": "JPEG"}
_LONGEST = {"PNG": 30_000, "WEBP": 16_383, "JPEG": 65_535}  # pixels of a side
_PIXELS = 120_000_000
_MOST = 10_000  # images
_PAPER, _INK, _SOFT, _TILE = (251, 250, 248), (34, 33, 31), (119, 115, 108), (239, 236, 230)
_FONTS = ("NotoSansCJK-Regular.ttc", "DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf")
_FIELDS = [field.name for field in attrs.fields(ImageRequest) if field.name not in NEVER_SENT]

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@storage_errors()
def write_sheet(
    directory: Path,
    goal: Path,
    *,
    rows: str | None = None,
    columns: str | None = None,
    cell: int = 256,
    force: bool = False,
) -> tuple[int, int]:
    """Write a contact sheet of a job's images; its width and height in pixels. Blocks.

    Args:
        directory: The job's.
        goal: The picture: `.png`, `.webp` or `.jpg`.
        rows: The parameter of the rows; None: one that varies, the prompt first.
        columns: The same for the columns, the seed first.
        cell: Pixels of an image's longer side, 32 to 1024.
        force: Whether a file that is there is replaced.

    Raises:
        ConfigurationError: An argument is wrong, there is no image, or the sheet would be too large.
        OutputExistsError: The file is there.
        StorageError: The journal cannot be read, or the disk refused.
    """
    kind = FORMATS.get(goal.suffix.lower())
    if kind is None:
        raise ConfigurationError(f"{goal}: a sheet is one of {', '.join(FORMATS)}")
    if not 32 <= cell <= 1024:
        raise ConfigurationError(f"cell={cell!r}: expected 32 to 1024 pixels")
    if goal.exists() and not force:
        raise OutputExistsError(errno.EEXIST, "The file is there; choose another, or force=True", str(goal))
    images = list(islice(images_there(open_job(directory)), _MOST + 1))
    if not images:
        raise ConfigurationError(f"{directory} holds no image")
    if len(images) > _MOST:
        raise ConfigurationError(f"a sheet shows {_MOST:,} images at most; the page shows them all")
    grid = grid_of([_values(image) for image in images], rows, columns)
    layout = _Layout.of(grid, cell)
    if layout.width * layout.height > _PIXELS or max(layout.width, layout.height) > _LONGEST[kind]:
        size = f"{layout.width:,} x {layout.height:,} pixels"
        raise ConfigurationError(f"the sheet would be {size}, too large for {kind}: choose a smaller cell=")
    sheet = _drawn(grid, layout, [directory / image.file.name for image in images])
    new = goal.with_name(f".{goal.name}.part")
    try:
        sheet.save(new, kind, quality=88)
        new.replace(goal)
    finally:
        new.unlink(missing_ok=True)
    return sheet.size


def _values(image: RecordedImage) -> dict[str, Any]:
    fields = {name: value for name in _FIELDS if (value := getattr(image.request, name)) is not None}
    return {**fields, **image.request.metadata}


@frozen
class _Layout:
    """Where everything is, in pixels."""

    cell: int
    gap: int
    margin: int
    left: int
    top: int
    width: int
    height: int
    text: int

    @classmethod
    def of(cls, grid: Grid, cell: int) -> _Layout:
        gap, text = max(4, cell // 24), max(11, cell // 15)
        margin = 2 * gap + 4
        left = margin + (max(110, int(0.8 * cell)) if grid.rows is not None else 0)
        top = margin + (2 * text + gap if grid.columns is not None else 0)
        width = left + len(grid.column_labels) * (cell + gap) - gap + margin
        height = top + len(grid.row_labels) * (cell + gap) - gap + margin
        return cls(cell, gap, margin, left, top, width, height, text)

    def corner(self, row: int, column: int) -> tuple[int, int]:
        return self.left + column * (self.cell + self.gap), self.top + row * (self.cell + self.gap)


def _drawn(grid: Grid, layout: _Layout, paths: Sequence[Path]) -> Image.Image:
    sheet = Image.new("RGB", (layout.width, layout.height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for row in range(len(grid.row_labels)):
        for column in range(len(grid.column_labels)):
            x, y = layout.corner(row, column)
            places = grid.cells.get((row, column), ())
            picture = None if not places else _scaled(paths[places[0]], layout.cell)
            if picture is None:
                draw.rectangle((x, y, x + layout.cell - 1, y + layout.cell - 1), fill=_TILE)
                continue
            sheet.paste(
                picture, (x + (layout.cell - picture.width) // 2, y + (layout.cell - picture.height) // 2)
            )
            if more := len(places) - 1:
                font = _font(layout.text)
                draw.text((x + 6, y + 4), f"+{more}", _PAPER, font, stroke_width=2, stroke_fill=_INK)
    _draw_labels(draw, grid, layout)
    return sheet


def _draw_labels(draw: ImageDraw.ImageDraw, grid: Grid, layout: _Layout) -> None:
    font = _font(layout.text)
    if grid.rows is not None:
        width = layout.left - layout.margin - 2 * layout.gap
        most = max(1, int(layout.cell / (1.3 * layout.text)))
        for row, label in enumerate(grid.row_labels):
            text = _wrapped(draw, label, font, width, most)
            _, y = layout.corner(row, 0)
            draw.multiline_text((layout.margin, y), text, _INK, font, spacing=0.3 * layout.text)
    if grid.columns is not None:
        for column, label in enumerate(grid.column_labels):
            x, _ = layout.corner(0, column)
            place = (x + layout.cell / 2, layout.top - layout.gap)
            draw.text(place, _wrapped(draw, label, font, layout.cell, 1), _INK, font, anchor="md")
    if grid.rows is not None and grid.columns is not None:
        place = (layout.margin, layout.top - layout.gap)
        names = f"{grid.rows} / {grid.columns}"
        draw.text(place, names, _SOFT, _font(int(0.8 * layout.text)), anchor="ld")


def _scaled(path: Path, cell: int) -> Image.Image | None:
    """An image that fits a cell; None for one that cannot be shown."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (cell, cell))
            picture = image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    scale = cell / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _font(size: int) -> Font:
    """One that has many scripts, if the system brings one, else Pillow's own, which has Latin letters."""
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _wrapped(draw: ImageDraw.ImageDraw, text: str, font: Font, width: float, most: int) -> str:
    """The text in so many lines at most, each no wider than that; what is left out is an ellipsis."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most:
        line = words.pop(0)
        while draw.textlength(line, font=font) > width and len(line) > 1:  # a word that is too long is cut
            cut = next(
                (n for n in range(len(line) - 1, 0, -1) if draw.textlength(line[:n], font=font) <= width), 1
            )
            words.insert(0, line[cut:])
            line = line[:cut]
        while words and draw.textlength(f"{line} {words[0]}", font=font) <= width:
            line = f"{line} {words.pop(0)}"
        lines.append(line)
    if words:
        last = lines[-1]
        while last and draw.textlength(f"{last}…", font=font) > width:
            last = last[:-1]
        lines[-1] = f"{last.rstrip()}…"
    return "\n".join(lines)
