"""Chance without randomness: numbers that follow from words alone.

1. The same words give the same numbers in every process, on every machine.
2. Each part of a picture throws dice of its own (`child`): leaving one part out moves no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Dice"]

T = TypeVar("T")

_THROWS = 256


class Dice:
    """A stream of numbers; two with the same key throw the same ones.

    Not for sharing between threads: make a child where one is needed.
    """

    __slots__ = ("_key", "_next", "_round", "_throws")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._round = 0
        self._throws = b""
        self._next = 0

    def child(self, *names: object) -> Dice:
        """Make dice whose throws depend on this one's key and the names, not on what was thrown."""
        return Dice(hashlib.blake2b(repr(names).encode("utf-8", "replace"), key=self._key[:64]).digest())

    def raw(self, length: int) -> bytes:
        """Give bytes; the same every time."""
        return hashlib.shake_128(self._key).digest(length)

    def part(self) -> float:
        """Throw a number from 0 to below 1."""
        if self._next == len(self._throws):
            self._throws = hashlib.shake_128(self._key + b"%d" % self._round).digest(2 * _THROWS)
            self._round += 1
            self._next = 0
        self._next += 2
        return int.from_bytes(self._throws[self._next - 2 : self._next]) / 65536

    def between(self, low: float, high: float) -> float:
        """Throw a number from `low` to below `high`."""
        return low + (high - low) * self.part()

    def count(self, low: int, high: int) -> int:
        """Throw a whole number from `low` to `high`."""
        return low + int((high - low + 1) * self.part())

    def chance(self, likelihood: float) -> bool:
        """Throw yes or no."""
        return self.part() < likelihood

    def choice(self, among: Sequence[T]) -> T:
        """Pick one."""
        return among[int(len(among) * self.part())]
