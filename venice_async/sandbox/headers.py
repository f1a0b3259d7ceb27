"""Header fields as a fault sets them: texts, times that are still to come, and fields to leave out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from .arguments import is_number, is_whole

__all__ = ["FromNow", "Headers", "header_pairs", "is_header_value"]


@frozen
class FromNow:
    """A Unix time that lies so many seconds after the moment at which the answer's head is written.

    Args:
        seconds: Seconds from then on; below 0 for a time that has passed.
        per_second: Units in a second: 1000 for milliseconds, 1 for seconds.

    Raises:
        ValueError: An argument is out of its range.
    """

    seconds: float
    per_second: int = 1000

    def __attrs_post_init__(self) -> None:
        if not is_number(self.seconds):
            raise ValueError(f"seconds={self.seconds!r}: a number is needed")
        if not is_whole(self.per_second, 1):
            raise ValueError(f"per_second={self.per_second!r}: a whole number from 1 is needed")

    def at(self, now: float) -> str:
        """Write the time as it is to be told at Unix time `now`, rounded up so that nobody comes early."""
        return str(math.ceil((now + self.seconds) * self.per_second))


Headers = tuple[tuple[str, str | FromNow | None], ...]


def header_pairs(value: Mapping[str, str | FromNow | None] | Headers) -> Headers:
    """Take header fields in either form in which they may be given."""
    return tuple(value.items()) if isinstance(value, Mapping) else tuple(value)


def is_header_value(value: Any) -> bool:
    """Whether it can stand in a header field, or stands for none."""
    if value is None or isinstance(value, FromNow):
        return True
    return isinstance(value, str) and not re.search(r"[\r\n\0]", value)
