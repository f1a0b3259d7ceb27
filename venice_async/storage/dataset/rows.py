"""What a dataset tells of an image: one row, of the same columns for every image of a job.

1. Every row has every column, each of one type; what is not known is null.
2. A picture that was sent along is told by its SHA-256, never by its bytes.
3. A column of the input's own never hides one of ours, nor one that readers make: it is renamed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import attrs
from attrs import define, field, frozen

from venice_async.storage.journal import RecordedImage
from venice_async.types.request import NEVER_SENT, ImageRequest, Inpaint, StyleReference
from venice_async.types.response import Moderation, Timing

__all__ = ["Column", "ColumnType", "Columns", "Row", "Survey"]

ColumnType = Literal["bool", "int", "float", "text"]
Row = dict[str, Any]

_REQUEST: dict[str, ColumnType] = {
    **dict.fromkeys(("width", "height", "steps", "seed", "lora_strength", "variants"), "int"),
    **dict.fromkeys(
        (
            "safe_mode",
            "return_binary",
            "hide_watermark",
            "embed_exif_metadata",
            "enable_web_search",
            "enhance_prompt",
            "disable_prompt_optimization_thinking",
            "transparent_background",
        ),
        "bool",
    ),
    "cfg_scale": "float",
}
_ASKED = [f.name for f in attrs.fields(ImageRequest) if f.name not in NEVER_SENT]
_OURS: dict[str, ColumnType] = {
    "file_name": "text",
    **{name: _REQUEST.get(name, "text") for name in _ASKED},
    "index": "int",
    "image_index": "int",
    "id": "text",
    "request_id": "text",
    "sha256": "text",
    "size": "int",
    **{f"timing_{f.name}": "float" for f in attrs.fields(Timing)},
    **{f.name: "bool" for f in attrs.fields(Moderation)},
    "enhanced_prompt": "text",
    "spent_usd": "float",
}
_MADE_BY_READERS = {"image", "images", "label"}
_TAKEN_FOR_A_FILE = re.compile(r"(?:.*_)?file_names?\Z", re.DOTALL)
_LONGEST_EXTRA = 4096  # characters; beyond that it is a picture
_INT64 = range(-(2**63), 2**63)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_NEAR = 1000  # rows; readers have seen as many before they settle on types


@frozen
class Column:
    """One column.

    Attributes:
        name: Its name in the dataset.
        type: What its values are; `text` also where they are told as JSON.
        source: Its name in the input, for a column of the input's own.
        as_json: Whether its values are of more than one type, or nested.
    """

    name: str
    type: ColumnType
    source: str | None = None
    as_json: bool = False

    @property
    def origin(self) -> tuple[bool, str]:
        """Whether it is of the input's own, and its name there."""
        return (False, self.name) if self.source is None else (True, self.source)


class Columns(tuple[Column, ...]):
    """The columns of a dataset, in their order."""

    __slots__ = ()

    def row(self, image: RecordedImage) -> Row:
        """What there is to tell of an image."""
        told = _told(image)
        given = image.request.metadata
        return {
            column.name: told[column.name] if column.source is None else _cell(column, given)
            for column in self
        }


@define
class Survey:
    """What a first pass over the images finds out.

    Attributes:
        images: How many there are.
        formats: Of them, by the extension.
        empty: Columns that are null in every row.
        gaps: Columns that are null in some rows and not in others.
        first: Places of rows further down that show what a column holds: a reader of JSON Lines settles on
            types from the first rows, and takes a column that is null there, or looks like a date, for
            one that always is.
    """

    images: int = 0
    formats: dict[str, int] = field(factory=dict)
    columns: Columns = field(factory=Columns)
    empty: set[str] = field(factory=set)
    gaps: set[str] = field(factory=set)
    first: set[int] = field(factory=set)

    @classmethod
    def of(cls, images: Iterable[RecordedImage]) -> Survey:
        """Go over all images once; nothing of them stays."""
        self = cls()
        types: dict[str, str | None] = {}
        filled: dict[tuple[bool, str], int] = {}  # by the column's origin
        shown: dict[tuple[bool, str], tuple[int, bool]] = {}  # where, and whether only by a date
        for place, image in enumerate(images):
            self.images += 1
            suffix = image.file.name.rpartition(".")[2]
            self.formats[suffix] = self.formats.get(suffix, 0) + 1
            given = image.request.metadata
            for name, value in given.items():
                types[name] = _joined(types.get(name), value)
            cells = {(False, name): value for name, value in _told(image).items()}
            cells |= {(True, name): value for name, value in given.items()}
            for key, value in cells.items():
                if value is not None:
                    filled[key] = filled.get(key, 0) + 1
                    date = isinstance(value, str) and _DATE.match(value) is not None
                    if key not in shown or (shown[key][1] and not date):
                        shown[key] = place, date
        self.columns = Columns([*(Column(*ours) for ours in _OURS.items()), *_carried(types)])
        for column in self.columns:
            number = filled.get(column.origin, 0)
            if number == 0:
                self.empty.add(column.name)
            elif number < self.images:
                self.gaps.add(column.name)
        self.first = {place for place, _ in shown.values() if place >= _NEAR}
        return self

    def arranged(self, rows: Callable[[], Iterable[Row | None]]) -> Iterator[Row]:
        """The rows in their order, but for those that come first; None is left out.

        Args:
            rows: Makes an iterator of the row of each image.
        """
        for wanted in (True, False) if self.first else (False,):
            for place, row in enumerate(rows()):
                if row is not None and (place in self.first) is wanted:
                    yield row


def _told(image: RecordedImage) -> Row:
    """The columns that are ours."""
    request, answer = image.request, image.answer
    asked = {name: getattr(request, name) for name in _ASKED}
    asked["seed"] = image.seed
    asked["cfg_scale"] = None if request.cfg_scale is None else float(request.cfg_scale)
    asked["inpaint"] = None if request.inpaint is None else _text(_without_picture(request.inpaint))
    references = request.style_references
    asked["style_references"] = None if references is None else _text([*map(_without_picture, references)])
    asked["extra"] = _text(_shortened(request.extra)) if request.extra else None
    timing = {} if answer.timing is None else attrs.asdict(answer.timing)
    return {
        "file_name": image.file.name,
        **asked,
        "index": image.index,
        "image_index": image.image,
        "id": answer.id,
        "request_id": answer.request_id,
        "sha256": image.file.sha256,
        "size": image.file.size,
        **{
            f"timing_{f.name}": float(timing[f.name]) if f.name in timing else None
            for f in attrs.fields(Timing)
        },
        **attrs.asdict(answer.moderation),
        "enhanced_prompt": answer.enhanced_prompt,
        "spent_usd": float(image.spent_usd),
    }


def _carried(types: Mapping[str, str | None]) -> Iterable[Column]:
    """The columns of the input's own."""
    taken = {*_OURS, *_MADE_BY_READERS}
    for source, found in types.items():
        name = f"{source}_" if _TAKEN_FOR_A_FILE.match(source) else source
        while name in taken or not name:
            name = f"meta_{name}"
        taken.add(name)
        kind: Any = found if found in {"bool", "int", "float"} else "text"
        yield Column(name, kind, source, as_json=found == "json")


def _joined(known: str | None, value: Any) -> str | None:
    """The type of a column that holds one more value."""
    match value:
        case None:
            return known
        case bool():
            found = "bool"
        case int():
            found = "int" if value in _INT64 else "json"
        case float():
            found = "float"
        case str():
            found = "text"
        case _:
            found = "json"
    if known is None or known == found:
        return found
    return "float" if {known, found} == {"int", "float"} else "json"


def _cell(column: Column, given: Mapping[str, Any]) -> Any:
    value = given.get(column.source or "")
    if value is None:
        return None
    if column.as_json:
        return _text(value)
    return float(value) if column.type == "float" else value


def _without_picture(part: Inpaint | StyleReference) -> dict[str, Any]:
    fields = attrs.asdict(part, filter=lambda _, value: value is not None)
    name = "image" if isinstance(part, StyleReference) else "source_image_base64"
    if not fields[name].startswith(("http://", "https://")):
        fields[name] = _digest(fields[name])
    return fields


def _shortened(value: Any) -> Any:
    """A JSON value without the texts that are too long to be anything but a picture."""
    match value:
        case str() if len(value) > _LONGEST_EXTRA:
            return _digest(value)
        case Mapping():
            return {name: _shortened(item) for name, item in value.items()}
        case list() | tuple():
            return [_shortened(item) for item in value]
        case _:
            return value


def _digest(picture: str) -> str:
    """The SHA-256 of a picture in base64 or in a data URI; of the text itself where it is neither."""
    try:
        data = base64.b64decode(picture.rpartition(",")[2], validate=True)
    except binascii.Error:
        data = picture.encode()
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _text(value: Any) -> str:
    return json.dumps(value, default=dict, ensure_ascii=False, separators=(",", ":"))
