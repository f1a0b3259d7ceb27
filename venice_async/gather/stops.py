"""What a batch has stopped for: models of it, or the whole.

1. A model that is stopped ends the waiting of its own items at once; those of other models go on.
2. What is in flight is never stopped.
3. A model that others have stopped for counts as stopped once an item of it comes.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from venice_async.errors import VeniceError
from venice_async.pool import Halt

__all__ = ["PASSED_OVER", "Stops"]

PASSED_OVER = 1000
"""Items in a row of stopped models, after which the rest of the input is taken to be no better."""


@define
class Stops:
    """What a batch has stopped for.

    Args:
        known: By model, an error that others have met, after which nothing is sent for it here either.

    Attributes:
        models: By model, the error after which nothing more is sent for it.
        called: Whether the whole batch was stopped.
    """

    _known: Mapping[str, VeniceError] = field(factory=dict)
    models: dict[str, VeniceError] = field(init=False, factory=dict)
    called: bool = field(init=False, default=False)
    _halts: dict[str, Halt] = field(init=False, factory=dict)
    _passed_over: int = field(init=False, default=0)

    def halt_of(self, model: str) -> Halt:
        """What ends the waiting of a model's items."""
        halt = self._halts.get(model)
        if halt is None:
            halt = self._halts[model] = Halt()
            if self.called:
                halt.call()
        return halt

    def admits(self, model: str) -> bool:
        """Whether an item of a model may be sent."""
        if model in self._known:
            self.stop_model(model, self._known[model])
        if model in self.models:
            self._passed_over += 1
            return False
        self._passed_over = 0
        return True

    def stop(self) -> None:
        """Send nothing more."""
        self.called = True
        for halt in self._halts.values():
            halt.call()

    def stop_model(self, model: str, error: VeniceError) -> None:
        """Send nothing more for a model; the first error is the one that counts."""
        self.models.setdefault(model, error)
        self.halt_of(model).call()

    @property
    def all_stopped(self) -> VeniceError | None:
        """What stopped the last of the models, if all that were seen are; else None."""
        if not self.models or self._halts.keys() - self.models.keys():
            return None
        return next(reversed(self.models.values()))

    @property
    def futile(self) -> VeniceError | None:
        """What a batch stops for that hands out nothing but items of stopped models; else None."""
        return next(reversed(self.models.values())) if self._passed_over >= PASSED_OVER else None
