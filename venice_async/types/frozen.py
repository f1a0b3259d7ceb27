"""JSON values that cannot change, so that a request that holds them can be hashed.

1. Freezing keeps equality: a frozen mapping equals the mapping it was made from.
2. What JSON cannot say (NaN, bytes, objects) is refused here, not on the wire.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from typing_extensions import override

__all__ = ["DEPTH", "FrozenDict", "freeze", "is_unicode"]


class FrozenDict(Mapping[str, Any]):
    """A mapping that cannot change and can be hashed."""

    __slots__ = ("_data",)

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        self._data = dict(data or {})

    @override
    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    @override
    def __len__(self) -> int:
        return len(self._data)

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        try:
            return bool(self._data == freeze(other)._data)
        except TypeError:
            return False

    @override
    def __hash__(self) -> int:
        return hash(frozenset(self._data.items()))

    @override
    def __repr__(self) -> str:
        return repr(self._data)


DEPTH = 100


def freeze(value: Any, depth: int = DEPTH) -> Any:
    """Copy a JSON value so that nothing in it can change: mappings, and lists as tuples.

    Raises:
        TypeError: It holds something that JSON cannot say, or is nested deeper than 100.
    """
    if depth == 0:
        raise TypeError(f"it is nested deeper than {DEPTH}")
    match value:
        case None | bool() | int() | FrozenDict():
            return value
        case str() if is_unicode(value):
            return value
        case float() if math.isfinite(value):
            return value
        case Mapping():
            if bad := [key for key in value if not (isinstance(key, str) and is_unicode(key))]:
                raise TypeError(f"{bad[0]!r} is no JSON key")
            return FrozenDict({key: freeze(item, depth - 1) for key, item in value.items()})
        case list() | tuple():
            return tuple(freeze(item, depth - 1) for item in value)
        case _:
            raise TypeError(f"{value!r} is no JSON value")


def is_unicode(text: str) -> bool:
    """Whether UTF-8 can carry it: a lone surrogate cannot go on the wire."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
