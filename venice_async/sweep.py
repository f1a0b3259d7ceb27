"""Prompts x seeds x parameters, lazily."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

import attrs
from typing_extensions import override

from .errors import ConfigurationError
from .types.request import NEVER_SENT, ImageRequest

__all__ = ["Sweep", "sweep"]

_CHECKED_TOGETHER = ("return_binary", "variants")


class Sweep(Iterable[ImageRequest], Sized):
    """Every combination of some values of some fields; see `sweep`.

    Attributes:
        base: What all of them have in common.
        axes: By name of a field, its values.
    """

    def __init__(self, base: ImageRequest, axes: dict[str, Sequence[Any]]) -> None:
        self.base = base
        self.axes = axes

    @override
    def __len__(self) -> int:
        """How many requests there are."""
        length = 1
        for values in self.axes.values():
            length *= len(values)
        return length

    @override
    def __iter__(self) -> Iterator[ImageRequest]:
        """The requests, the last field's values varying fastest."""
        for values in _combinations(tuple(self.axes.values())):
            yield attrs.evolve(self.base, **dict(zip(self.axes, values, strict=True)))


def _combinations(axes: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    """`itertools.product`, but a range of a million seeds stays a range."""
    if not axes:
        yield ()
        return
    for value in axes[0]:
        for rest in _combinations(axes[1:]):
            yield (value, *rest)


def sweep(base: ImageRequest, /, **axes: Iterable[Any]) -> Sweep:
    """Every combination of the given values, as requests that are made when they are asked for.

    For example `sweep(base, prompt=prompts, seed=range(4), cfg_scale=[4, 7.5])`.

    Args:
        base: What all of them have in common.
        **axes: By name of a field, its values, at least one; the last field varies fastest.

    Raises:
        ConfigurationError: There is no such field, its values are a single string or none at all.
        ValidationError: A value is outside its field's range, or values contradict each other.
    """
    known = {field.name for field in attrs.fields(ImageRequest)} - NEVER_SENT
    values: dict[str, Sequence[Any]] = {}
    for name, given in axes.items():
        if name not in known:
            raise ConfigurationError(f"sweep: an image request has no field {name!r}")
        if isinstance(given, str | bytes) or not isinstance(given, Iterable):
            raise ConfigurationError(f"sweep: {name}={given!r} is one value; give a list of values")
        values[name] = given if isinstance(given, range) else tuple(given)
        if not values[name]:
            raise ConfigurationError(f"sweep: {name} has no values")
        # A range is within its bounds if its ends are.
        for value in {given[0], given[-1]} if isinstance(given, range) else values[name]:
            change: dict[str, Any] = {name: value}
            attrs.evolve(base, **change)
    together = {name: values[name] for name in _CHECKED_TOGETHER if name in values}
    for combination in _combinations(tuple(together.values())):
        attrs.evolve(base, **dict(zip(together, combination, strict=True)))
    return Sweep(base, values)
