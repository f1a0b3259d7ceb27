"""Whether a parsed body is one that the API takes.

1. Pure: a value goes in, issues come out, in the words and the shape of zod, the API's validator.
2. Every issue is found, not only the first.
3. Types are strict: true is no integer, "7" is no number, null is no missing field. 7.0 is an
   integer, as in JSON there is one kind of number.
4. A key that is not listed is refused, at every depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from attrs import field, frozen

from .catalogue import RESOLUTIONS, STYLES

__all__ = [
    "IMAGE_SCHEMAS",
    "OPENAI_SCHEMA",
    "STYLE_REFERENCE",
    "Check",
    "ImageSchema",
    "Issue",
    "ListOf",
    "Number",
    "Schema",
    "Text",
    "details_of",
]

Path = tuple[str | int, ...]

# Stands where a required field does not.
_MISSING = object()

# 8 MB of picture, written in base64.
_LONGEST_REFERENCE = 8 * 1024 * 1024 * 4 // 3


@frozen
class Issue:
    """One thing that is wrong, and where."""

    code: str
    message: str
    path: Path
    more: Mapping[str, Any] = field(factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Write the issue as an entry of the answer's `issues`."""
        return {"code": self.code, **self.more, "message": self.message, "path": list(self.path)}


class Check(Protocol):
    """What may stand in a schema."""

    def issues(self, value: Any, path: Path = ()) -> Iterator[Issue]:
        """Yield what is wrong with a value that stands at `path`."""
        ...


def _kind(value: Any) -> str:
    """Give JavaScript's word for the type of a JSON value."""
    for types, word in ((bool, "boolean"), (int | float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, types):
            return word
    if value is _MISSING:
        return "undefined"
    return "null" if value is None else "object"


def _wrong_type(expected: str, received: str, path: Path) -> Issue:
    message = "Required" if received == "undefined" else f"Expected {expected}, received {received}"
    return Issue("invalid_type", message, path, {"expected": expected, "received": received})


def _bound(code: str, kind: str, limit: float, path: Path, *, inclusive: bool = True) -> Issue:
    """Word an issue with one end of a range of numbers, lengths or entries."""
    name, or_equal, beyond = {
        "too_small": ("minimum", "greater than or equal to", "greater than"),
        "too_big": ("maximum", "less than or equal to", "less than"),
    }[code]
    at_least = "at least" if code == "too_small" else "at most"
    message = {
        "number": f"Number must be {or_equal if inclusive else beyond} {limit}",
        "string": f"String must contain {at_least} {limit} character(s)",
        "array": f"Array must contain {at_least} {limit} element(s)",
    }[kind]
    return Issue(code, message, path, {name: limit, "type": kind, "inclusive": inclusive, "exact": False})


@frozen
class Text:
    """A string: `low` to `high` characters (None: any number), of one pattern or out of a list."""

    low: int = 0
    high: int | None = None
    choices: tuple[str, ...] = field(default=(), kw_only=True)
    pattern: str = field(default="", kw_only=True)

    def issues(self, value: Any, path: Path = ()) -> Iterator[Issue]:
        """Yield what is wrong with a value that stands at `path`."""
        if not isinstance(value, str):
            yield _wrong_type("string", _kind(value), path)
            return
        if len(value) < self.low:
            yield _bound("too_small", "string", self.low, path)
        if self.high is not None and len(value) > self.high:
            yield _bound("too_big", "string", self.high, path)
        if self.choices and value not in self.choices:
            expected = " | ".join(f"'{choice}'" for choice in self.choices)
            message = f"Invalid enum value. Expected {expected}, received '{value[:100]}'"
            more = {"received": value[:100], "options": list(self.choices)}
            yield Issue("invalid_enum_value", message, path, more)
        if self.pattern and not re.fullmatch(self.pattern, value):
            yield Issue("invalid_string", "Invalid", path, {"validation": "regex"})


@frozen
class Number:
    """A number from `low` to `high`; each end belongs to the range unless it is excluded.

    Only multiples of `multiple_of` are taken where it is given.
    """

    low: float
    high: float
    integer: bool = field(default=True, kw_only=True)
    above: bool = field(default=False, kw_only=True)
    below: bool = field(default=False, kw_only=True)
    multiple_of: int | None = field(default=None, kw_only=True)

    def issues(self, value: Any, path: Path = ()) -> Iterator[Issue]:
        """Yield what is wrong with a value that stands at `path`."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield _wrong_type("number", _kind(value), path)
            return
        if self.integer and isinstance(value, float) and not value.is_integer():
            yield _wrong_type("integer", "float", path)
        if value < self.low or (self.above and value == self.low):
            yield _bound("too_small", "number", self.low, path, inclusive=not self.above)
        if value > self.high or (self.below and value == self.high):
            yield _bound("too_big", "number", self.high, path, inclusive=not self.below)
        if self.multiple_of is not None and value % self.multiple_of:
            message = f"Number must be a multiple of {self.multiple_of}"
            yield Issue("not_multiple_of", message, path, {"multipleOf": self.multiple_of})


@frozen
class Flag:
    """True or false."""

    def issues(self, value: Any, path: Path = ()) -> Iterator[Issue]:
        """Yield what is wrong with a value that stands at `path`."""
        if not isinstance(value, bool):
            yield _wrong_type("boolean", _kind(value), path)


@frozen
class ListOf:
    """A list of things of one kind, at most `high` of them (None: any number)."""

    entry: Check
    high: int | None = None

    def issues(self, value: Any, path: Path = ()) -> Iterator[Issue]:
        """Yield what is wrong with a value that stands at `path`."""
        if not isinstance(value, list):
            yield _wrong_type("array", _kind(value), path)
            return
        if self.high is not None and len(value) > self.high:
            yield _bound("too_big", "array", self.high, path)
        for index, entry in enumerate(value):
            yield from self.entry.issues(entry, (*path, index))


@frozen
class Schema:
    """An object with these fields and no others; every field that is not required may be absent."""

    fields: Mapping[str, Check]
    required: tuple[str, ...] = ()
    nullable: bool = field(default=False, kw_only=True)

    def issues(self, value: Any, path: Path = ()) -> Iterator[Issue]:
        """Yield what is wrong with a value that stands at `path`."""
        if value is None and self.nullable:
            return
        if not isinstance(value, dict):
            yield _wrong_type("object", _kind(value), path)
            return
        for name, check in self.fields.items():
            if name in value:
                yield from check.issues(value[name], (*path, name))
            elif name in self.required:
                yield from check.issues(_MISSING, (*path, name))
        if unknown := [name for name in value if name not in self.fields]:
            listed = ", ".join(f"'{name}'" for name in unknown)
            message = f"Unrecognized key(s) in object: {listed}"
            yield Issue("unrecognized_keys", message, path, {"keys": unknown})


@frozen
class ImageSchema:
    """The body of POST /image/generate: its fields, and one rule between two of them."""

    body: Schema

    def issues(self, value: Any, path: Path = ()) -> Iterator[Issue]:
        """Yield what is wrong with a value that stands at `path`."""
        yield from self.body.issues(value, path)
        if isinstance(value, dict) and value.get("return_binary") is True and "variants" in value:
            message = "variants is only supported when return_binary is false"
            yield Issue("custom", message, (*path, "variants"))


def details_of(issues: list[Issue]) -> dict[str, Any]:
    """Arrange the messages by field, nested as the body is, each under `_errors`."""
    tree: dict[str, Any] = {"_errors": []}
    for issue in issues:
        node = tree
        for step in issue.path:
            node = node.setdefault(str(step), {"_errors": []})
        node["_errors"].append(issue.message)
    return tree


_MASK = Schema(
    {"image_prompt": Text(), "object_target": Text(), "inferred_object": Text()},
    required=("image_prompt", "object_target", "inferred_object"),
)

_INPAINT = Schema(
    {"strength": Number(0, 100), "source_image_base64": Text(), "mask": _MASK},
    required=("strength", "source_image_base64"),
    nullable=True,
)

STYLE_REFERENCE = Schema(
    {"image": Text(1, _LONGEST_REFERENCE), "strength": Number(0.1, 1, integer=False)}, required=("image",)
)

_LATER_FIELDS: Mapping[str, Check] = {
    "format": Text(choices=("jpeg", "png", "webp")),
    "variants": Number(1, 4),
    "aspect_ratio": Text(pattern=r"[1-9]\d{0,2}:[1-9]\d{0,2}"),
    "resolution": Text(choices=tuple(RESOLUTIONS)),
    "quality": Text(choices=("low", "medium", "high")),
    "embed_exif_metadata": Flag(),
    "enable_web_search": Flag(),
    "enhance_prompt": Flag(),
    "disable_prompt_optimization_thinking": Flag(),
    "style_references": ListOf(STYLE_REFERENCE),
}


def _image_schema(*, strict: bool) -> ImageSchema:
    """Build the schema with the ends of the documented ranges excluded (the page) or not (the schema)."""
    pixels = Number(0, 1280, above=True, below=strict)
    fields: dict[str, Check] = {
        "model": Text(),
        "prompt": Text(1, 1500),
        "negative_prompt": Text(0, 1500),
        "style_preset": Text(choices=STYLES),
        "height": pixels,
        "width": pixels,
        "steps": Number(0, 50, above=True, below=strict),
        "cfg_scale": Number(0, 20, integer=False, above=True, below=strict),
        "seed": Number(-999_999_999, 999_999_999, above=strict, below=strict),
        "lora_strength": Number(0, 100, above=strict, below=strict),
        "safe_mode": Flag(),
        "return_binary": Flag(),
        "hide_watermark": Flag(),
        "inpaint": _INPAINT,
        **_LATER_FIELDS,
    }
    return ImageSchema(Schema(fields, required=("model", "prompt")))


IMAGE_SCHEMAS: Mapping[str, ImageSchema] = MappingProxyType(
    {"schema": _image_schema(strict=False), "page": _image_schema(strict=True)}
)

_OPENAI_SIZES = (
    *("auto", "256x256", "512x512", "1024x1024"),
    *("1536x1024", "1024x1536", "1792x1024", "1024x1792"),
)

OPENAI_SCHEMA = Schema(
    {
        "prompt": Text(1, 1500),
        "model": Text(),
        "n": Number(1, 1),
        "size": Text(choices=_OPENAI_SIZES),
        "response_format": Text(choices=("b64_json", "url")),
        "output_format": Text(choices=("jpeg", "png", "webp")),
        "moderation": Text(choices=("auto", "low")),
        "background": Text(choices=("auto", "opaque", "transparent")),
        "output_compression": Number(0, 100),
        "quality": Text(choices=("auto", "high", "medium", "low", "hd", "standard")),
        "style": Text(choices=("vivid", "natural")),
        "user": Text(),
    },
    required=("prompt",),
)
