"""The abuse rule: who fails too often is refused for a while, whatever it asks for.

1. Pure: the caller passes the time in, in seconds on a clock that does not run backwards.
2. A failure is an answer to an image request whose status is not 2xx, at the moment in which its head
   is sent. An answer that nobody got, because the client had left or the connection was reset before
   the head, is none: it has no status.
3. What is refused during a lock-out is no failure, so it does not prolong the lock-out. A request that
   came before and fails during it is one, but begins no other.
4. Every key is judged by itself. A request without a key is nobody's.
"""

from __future__ import annotations

import math
from collections import deque

from attrs import define, field

from .arguments import is_number

__all__ = ["MOST_FAILURES", "AbuseRule"]

MOST_FAILURES = 20


@define
class _History:
    failures: deque[float] = field(factory=lambda: deque(maxlen=MOST_FAILURES + 1))
    locked_until: float = -math.inf


@define
class AbuseRule:
    """More than `MOST_FAILURES` failures within a window lock a key out for as long.

    Args:
        window: Seconds of the window and of the lock-out, above 0.

    Raises:
        ValueError: The window is out of its range.
    """

    window: float
    _histories: dict[str, _History] = field(factory=dict, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if not is_number(self.window) or self.window <= 0:
            raise ValueError(f"abuse_window={self.window!r}: seconds above 0 are needed")

    @property
    def message(self) -> str:
        """What a client that is locked out is told: with the API's own window, in its own words."""
        return (
            f"Too many failed attempts (> {MOST_FAILURES}) resulting in a non-success status code."
            f" Please wait {self.window:g}s and try again."
        )

    def locks_out(self, key: str, now: float) -> bool:
        """Whether a request of this key is refused at time `now`."""
        history = self._histories.get(key)
        return history is not None and now < history.locked_until

    def fail(self, key: str, now: float) -> None:
        """Count a failure of this key at time `now`."""
        history = self._histories.setdefault(key, _History())
        failures = history.failures
        failures.append(now)
        full = len(failures) > MOST_FAILURES
        if full and now - failures[0] <= self.window and now >= history.locked_until:
            history.locked_until = now + self.window
