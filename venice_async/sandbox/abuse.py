"""The rule about failures: who fails too often is refused for a while.

1. Pure: the caller passes the time in, in seconds on a clock that does not run backwards.
2. A failure is an answer to an image request whose status the rule counts, at the moment in which its
   head is sent. An answer that nobody got, because the client had left or the connection was reset
   before the head, is none: it has no status.
3. What is refused during a lock-out is no failure, so it does not prolong the lock-out. A request that
   came before and fails during it is one, but begins no other.
4. Every bucket is judged by itself; the caller says which one a request falls into.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable

from attrs import define, field, frozen

from .arguments import is_number

__all__ = ["AbuseRule", "Standing", "any_failure", "mistakes"]


def any_failure(status: int) -> bool:
    """Whether a status is not 2xx."""
    return not 200 <= status < 300


def mistakes(status: int) -> bool:
    """Whether a status blames the client and is no refusal for its pace: 4xx, but not 429."""
    return 400 <= status < 500 and status != 429


@frozen
class Standing:
    """How a bucket stands.

    Attributes:
        remaining: Failures that are still borne; 0 during a lock-out.
        resets_at: When the lock-out ends, or else when the oldest failure is forgotten, in seconds.
        locked: Whether requests are refused.
    """

    remaining: int
    resets_at: float
    locked: bool


@define
class _History:
    failures: deque[float]
    locked_until: float = -math.inf


@define
class AbuseRule:
    """More than `most` failures within a window lock a bucket out for as long.

    Args:
        window: Seconds of the window and of the lock-out, above 0.
        most: Failures that are borne, at least 1.
        counts: Whether an answer of this status is a failure.

    Raises:
        ValueError: The window is out of its range.
    """

    window: float
    most: int
    counts: Callable[[int], bool]
    _histories: dict[Hashable, _History] = field(factory=dict, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if not is_number(self.window) or self.window <= 0:
            raise ValueError(f"abuse_window={self.window!r}: seconds above 0 are needed")

    def standing(self, bucket: Hashable, now: float) -> Standing:
        """Say how a bucket stands at time `now`."""
        history = self._histories.get(bucket)
        if history is None:
            return Standing(self.most, now + self.window, locked=False)
        if now < history.locked_until:
            return Standing(0, history.locked_until, locked=True)
        recent = [then for then in history.failures if now - then <= self.window]
        resets_at = (recent[0] if recent else now) + self.window
        return Standing(max(0, self.most - len(recent)), resets_at, locked=False)

    def note(self, bucket: Hashable, status: int, now: float) -> None:
        """Note an answer of this bucket at time `now`, if its status counts."""
        if not self.counts(status):
            return
        history = self._histories.get(bucket)
        if history is None:
            history = self._histories[bucket] = _History(deque(maxlen=self.most + 1))
        failures = history.failures
        failures.append(now)
        full = len(failures) > self.most
        if full and now - failures[0] <= self.window and now >= history.locked_until:
            history.locked_until = now + self.window
