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
from typing import Any, Protocol

from attrs import field, frozen

__all__ = [
    "Check",
    "Flag",
    "ImageSchema",
    "Issue",
    "ListOf",
    "Nullable",
    "Number",
    "Path",
    "Refused",
    "Schema",
    "Text",
    "details_of",
]

Path = tuple[str | int, ...]

# Stands where a required field does not.
_MISSING = object()


@frozen
class Issue:
    """One thing that is wrong, and where."""

    code: str
    message: str
    path: Path
    more: Mapping[str, Any] = field(factory=dict)

    @property
    def sentence(self) -> str:
        """Write the issue as a sentence that says where it is."""
        return f'{self.message} at "{".".join(map(str, self.path))}"' if self.path else self.message

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
    """A string: `low` to `high` characters (None: any number), of one pattern or out of a list.

    `otherwise` is what is said of one that is not of the pattern.
    """

    low: int = 0
    high: int | None = None
    choices: tuple[str, ...] = field(default=(), kw_only=True)
    pattern: str = field(default="", kw_only=True)
    otherwise: str = field(default="Invalid", kw_only=True)

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
        if self.pattern and not re.fullmatch(self.pattern, value, re.DOTALL):
            yield Issue("invalid_string", self.otherwise, path, {"validation": "regex"})


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
class Refused:
    """Anything that has no effect; everything else is answered with a sentence of its own."""

    message: str
    harmless: tuple[Any, ...] = ()

    def issues(self, value: Any, path: Path = ()) -> Iterator[Issue]:
        """Yield what is wrong with a value that stands at `path`."""
        if value not in self.harmless:
            yield Issue("custom", self.message, path)


@frozen
class Nullable:
    """Null, or what another check takes."""

    other: Check

    def issues(self, value: Any, path: Path = ()) -> Iterator[Issue]:
        """Yield what is wrong with a value that stands at `path`."""
        if value is not None:
            yield from self.other.issues(value, path)


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

    def issues(self, value: Any, path: Path = ()) -> Iterator[Issue]:
        """Yield what is wrong with a value that stands at `path`."""
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
    """The body of POST /image/generate: its fields, and the rules between two of them."""

    body: Schema

    def issues(self, value: Any, path: Path = ()) -> Iterator[Issue]:
        """Yield what is wrong with a value that stands at `path`."""
        yield from self.body.issues(value, path)
        if isinstance(value, dict) and value.get("return_binary") is True and "variants" in value:
            message = "variants is only supported when return_binary is false"
            yield Issue("custom", message, (*path, "variants"))
        if isinstance(value, dict) and value.get("transparent_background") and value.get("format") == "jpeg":
            message = "transparent_background is only supported for png and webp"
            yield Issue("custom", message, (*path, "transparent_background"))


def details_of(issues: list[Issue]) -> dict[str, Any]:
    """Arrange the messages by field, nested as the body is, each under `_errors`."""
    tree: dict[str, Any] = {"_errors": []}
    for issue in issues:
        node = tree
        for step in issue.path:
            node = node.setdefault(str(step), {"_errors": []})
        node["_errors"].append(issue.message)
    return tree
