"""attrs validators that see every fault of an instance, not only the first.

1. attrs sets all attributes before it runs the first validator. The first one that finds a fault
   therefore asks all the others too, and raises once, with everything.
2. Types are as strict as ranges: True is no integer, "7" is no number, NaN is nothing.
3. None is a field that was not set, and passes where the field is optional.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import attrs
from attrs import field, frozen
from typing_extensions import override

from venice_async.errors import Fault, ValidationError

from .frozen import DEPTH, is_unicode
from .limits import Range, RequestLimits

__all__ = [
    "Check",
    "Choice",
    "Each",
    "Extra",
    "Flag",
    "Identifier",
    "Instance",
    "Names",
    "Number",
    "Pixels",
    "Prompt",
    "Retired",
    "Text",
    "Transparency",
    "Variants",
]

_SEPARATOR = "||"


@frozen
class Check(ABC):
    """A validator that can also list its faults without raising."""

    optional: bool = field(default=True, kw_only=True)

    def __call__(self, instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        """Raise everything that is wrong with the instance, if this field has a fault."""
        if value is None and self.optional:
            return
        for _ in self.faults(instance, attribute.name, value):
            raise ValidationError(faults_of(instance))

    @abstractmethod
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        """Yield what is wrong with `value`."""


def faults_of(instance: attrs.AttrsInstance) -> list[Fault]:
    """Everything that is wrong with an instance, in the order of its fields."""
    found: list[Fault] = []
    for attribute in attrs.fields(type(instance)):
        check = attribute.validator
        value = getattr(instance, attribute.name)
        if isinstance(check, Check) and not (value is None and check.optional):
            found.extend(check.faults(instance, attribute.name, value))
    return found


def _range(bound: Range | str, instance: Any) -> Range:
    """A fixed range, or the one that the instance's `limits` hold under that name."""
    if isinstance(bound, Range):
        return bound
    found: Range = getattr(_limits(instance), bound)
    return found


def _limits(instance: Any) -> RequestLimits:
    """The instance's profile; the default one while `limits` itself is the fault."""
    return instance.limits if isinstance(instance.limits, RequestLimits) else RequestLimits.DOCUMENTED


def _hint(bound: Range | str, number: float) -> str:
    """The narrowest of the wider profiles that would admit the value, if one does."""
    if isinstance(bound, Range):
        return ""
    wider = (RequestLimits.SCHEMA, RequestLimits.CURRENT)
    admitting = (profile.name for profile in wider if number in getattr(profile, bound))
    return next((f"limits={name} would admit it" for name in admitting), "")


@frozen
class Text(Check):
    """A string that UTF-8 can carry, with a bounded number of characters (Unicode code points)."""

    length: Range | str = Range(1, math.inf)

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        length = _range(self.length, instance)
        if not isinstance(value, str):
            yield Fault(name, value, "a string")
        elif not is_unicode(value):
            yield Fault(name, value, "a string without lone surrogates")
        elif len(value) not in length:
            if length.high == math.inf:
                yield Fault(name, value, "a string that is not empty")
            else:
                words = f"{length.low} to {length.high} characters, not {len(value)}"
                yield Fault(name, value, words, _hint(self.length, len(value)))


@frozen
class Prompt(Text):
    """A bounded text that says something, where the profile asks for that."""

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        wrong = False
        for fault in super().faults(instance, name, value):
            wrong = True
            yield fault
        if not wrong and not _limits(instance).blank and not value.strip():
            yield Fault(name, value, "a string that is not blank")


@frozen
class Identifier(Text):
    """Printable ASCII without the separator that the server puts behind it."""

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        wrong = False
        for fault in super().faults(instance, name, value):
            wrong = True
            yield fault
        if wrong:
            return
        if not (value.isascii() and value.isprintable()):
            yield Fault(name, value, "printable ASCII characters")
        elif _SEPARATOR in value:
            yield Fault(name, value, f"a string without {_SEPARATOR}")


@frozen
class Number(Check):
    """An integer (or, where `real`, any finite number) within a range."""

    range: Range | str
    real: bool = field(default=False, kw_only=True)

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        allowed = _range(self.range, instance)
        kind = "a number" if self.real else "an integer"
        if isinstance(value, bool) or not isinstance(value, (int, float) if self.real else int):
            yield Fault(name, value, f"{kind}, {allowed}")
        elif value not in allowed:
            yield Fault(name, value, str(allowed), _hint(self.range, value))


@frozen
class Pixels(Number):
    """A side of the image: in its range and, where the model has one, a multiple of its divisor."""

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        wrong = False
        for fault in super().faults(instance, name, value):
            wrong = True
            yield fault
        divisor = _limits(instance).divisor
        if not wrong and value % divisor:
            nearest = divisor * max(1, round(value / divisor))
            if nearest not in _range(self.range, instance):
                nearest -= divisor
            yield Fault(name, value, f"a multiple of {divisor}", f"{nearest} is the nearest")


@frozen
class Variants(Number):
    """A number of images in one answer, which only a JSON answer can carry."""

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        yield from super().faults(instance, name, value)
        if instance.return_binary is True:
            yield Fault(name, value, "no variants with return_binary", "a binary answer is one image")


@frozen
class Flag(Check):
    """True or False, and nothing that only looks like it."""

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        if not isinstance(value, bool):
            yield Fault(name, value, "True or False")


@frozen
class Transparency(Flag):
    """A flag that goes with the formats that have an alpha channel."""

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        yield from super().faults(instance, name, value)
        if value is True and instance.format == "jpeg":
            yield Fault(name, value, "format png or webp", "a JPEG has no transparency")


@frozen
class Choice(Check):
    """One of a few words."""

    words: tuple[str, ...]

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        if not isinstance(value, str) or value not in self.words:
            yield Fault(name, value, "one of " + ", ".join(self.words))


@frozen
class Instance(Check):
    """An instance of a class."""

    cls: type[Any]
    called: str

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        if not isinstance(value, self.cls):
            yield Fault(name, value, self.called)


@frozen
class Retired(Instance):
    """An object that the server took until a profile's time."""

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        yield from super().faults(instance, name, value)
        if not getattr(_limits(instance), name):
            hint = "limits=RequestLimits.SCHEMA, the profile of 2025, would admit it"
            yield Fault(name, "given", "nothing: the API has removed it in May 2025", hint)


@frozen
class Each(Check):
    """A sequence of instances of a class, of a bounded length."""

    cls: type[Any]
    called: str
    length: Range | str

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        if not isinstance(value, tuple) or not all(isinstance(item, self.cls) for item in value):
            yield Fault(name, value, self.called)
        elif len(value) not in (length := _range(self.length, instance)):
            yield Fault(name, len(value), f"{length.low} to {length.high} of them")


@frozen
class Names(Check):
    """A mapping of names to JSON values."""

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        match value:
            case TypeError(args=(str() as key, item)) if is_unicode(key):
                yield Fault(f"{name}.{key}", item, f"a JSON value, nested no deeper than {DEPTH}")
            case TypeError(args=(key, _)):
                yield Fault(name, key, "names that are text")
            case TypeError(args=(given,)):
                yield Fault(name, given, "a mapping of names to JSON values")
            case _:
                pass


@frozen
class Extra(Names):
    """Fields newer than the library: JSON values under names that are not fields of the class."""

    @override
    def faults(self, instance: Any, name: str, value: Any) -> Iterator[Fault]:
        yield from super().faults(instance, name, value)
        if isinstance(value, TypeError) or not value or _limits(instance).known_in_extra:
            return
        fields = {attribute.name for attribute in attrs.fields(type(instance))}
        for key in value:
            if key in fields:
                yield Fault(
                    f"{name}.{key}", value[key], "only names that are no fields", f"pass {key}= itself"
                )
