"""When a batch goes on in vain: many alike, one after the other.

1. Pure: it is fed with outcomes in the order in which they come, and says what it makes of them.
2. Two faults are alike if they read the same but for numbers, ids and quoted values.
3. Answers that are not images stop the batch, whatever the model: the next one would cost as much. Refusals
   stop their model, and only while no item of it has succeeded.
"""

from __future__ import annotations

import re

from attrs import define, field

from venice_async.errors import DecodeError, StatusError, StorageError, TooManyFailuresError, VeniceError

__all__ = ["Breaker", "normalised"]

_QUOTED = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|`[^`]*`")
_WITH_DIGITS = re.compile(r"\b[\w.:-]*\d[\w.:-]*")


def normalised(text: str) -> str:
    """A message without what differs between two that mean the same: numbers, ids and quoted values."""
    return " ".join(_WITH_DIGITS.sub("#", _QUOTED.sub("...", text)).split())


@define
class _Row:
    """Faults alike, one after the other."""

    kind: str = ""
    length: int = 0

    def add(self, kind: str) -> int:
        self.length = self.length + 1 if kind == self.kind else 1
        self.kind = kind
        return self.length


@define
class Breaker:
    """Counts what comes of a batch's items.

    Args:
        max_unusable: Answers in a row, all with the same kind of fault, that stop the batch; 0: no limit.
        max_refusals: Refusals in a row, all alike, that stop a model of which no item has succeeded; 0: no
            limit.
    """

    max_unusable: int = 5
    max_refusals: int = 10
    _unusable: _Row = field(init=False, factory=_Row)
    _refusals: dict[str, _Row] = field(init=False, factory=dict)
    _proven: set[str] = field(init=False, factory=set)

    def succeeded(self, model: str) -> None:
        """An item of the model is an image."""
        self._unusable.length = 0
        self._proven.add(model)
        self._refusals.pop(model, None)

    def unusable(self, error: VeniceError) -> TooManyFailuresError | None:
        """What the batch is to stop with after an answer that is no image, or could not be kept; or None."""
        if not isinstance(error, DecodeError | StorageError):
            return None
        kind = normalised(str(error.args[0])) if isinstance(error, DecodeError) else f"errno {error.errno}"
        length = self._unusable.add(kind)
        if not self.max_unusable or length < self.max_unusable:
            return None
        paid = "paid for and " if not isinstance(error, DecodeError) or error.billed else ""
        return TooManyFailuresError(
            f"{length} answers in a row were {paid}unusable (max_unusable={self.max_unusable}): {error}. Look"
            " at what came, under .venice/rejected/, and check base_url before you go on"
        )

    def ended_otherwise(self, model: str, error: VeniceError) -> TooManyFailuresError | None:
        """An item of the model is no image; what the model is to stop with, or None."""
        if model in self._proven:
            return None
        if not isinstance(error, StatusError) or not 400 <= error.status < 500:
            self._refusals.pop(model, None)
            return None
        row = self._refusals.setdefault(model, _Row())
        length = row.add(f"{error.status} {normalised(str(error.args[0]))}")
        if not self.max_refusals or length < self.max_refusals:
            return None
        return TooManyFailuresError(
            f"{length} requests for {model} in a row were refused (max_refusals={self.max_refusals}), and"
            f" none was answered: {error}. Mend the request, or choose another model"
        )
