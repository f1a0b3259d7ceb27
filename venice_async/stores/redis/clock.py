"""What the server's clock shows, told from the times of questions and answers.

1. Pure: times are passed in, in seconds; the server's on its clock, ours on ours.
2. The server looked at its clock between our question and its answer: that bounds how far it is ahead.
   The lower bound is used, so what is taken for the server's time is never later than it is.
"""

from __future__ import annotations

from collections import deque

from attrs import define, field

__all__ = ["STEP", "ServerTime"]

STEP = 0.5
"""Seconds by which bounds that exclude each other tell of a clock that was set."""

_ANSWERS = 8


@define
class ServerTime:
    """How far the server's clock is ahead of ours, in bounds from the last few answers."""

    _bounds: deque[tuple[float, float]] = field(factory=lambda: deque(maxlen=_ANSWERS), init=False)

    @property
    def ahead(self) -> float:
        """Seconds by which the server's clock is ahead, at least; 0 before the first answer."""
        return max((low for low, _ in self._bounds), default=0.0)

    def saw(self, server: float, asked: float, answered: float) -> float:
        """Take in an answer.

        Args:
            server: What the server's clock showed.
            asked: When the question went out.
            answered: When the answer was there.

        Returns:
            Seconds by which the server's clock was set forward since the last answer; 0 where it was not.
        """
        low, high = server - answered, server - asked
        step = 0.0
        if self._bounds:
            known_low, known_high = self.ahead, min(high for _, high in self._bounds)
            gap = low - known_high if low > known_high else min(0.0, high - known_low)
            if gap:  # another clock, or this one set a little
                self._bounds.clear()
                step = (low + high - known_low - known_high) / 2 if abs(gap) > STEP else 0.0
        self._bounds.append((low, high))
        return step
