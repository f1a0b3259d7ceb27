"""Whether what a caller passed is the kind of number that is needed.

Pure predicates; who asks knows the name of the argument and words the complaint.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["is_number", "is_whole"]


def is_number(value: Any) -> bool:
    """Whether it is a finite number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_whole(value: Any, low: int) -> bool:
    """Whether it is an integer from `low`; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= low
