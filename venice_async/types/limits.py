"""The ranges of a request's fields, as values.

1. A range prints itself as the reference page does (`0 < x < 1280`), so that errors and the README
   say it in the same words.
2. A profile is data; the validators in `request.py` read it, and nobody else decides.
"""

from __future__ import annotations

import math
from typing import ClassVar

import attrs
from attrs import field, frozen
from typing_extensions import override

__all__ = ["Range", "RequestLimits"]


@frozen
class Range:
    """An interval of numbers, each end inclusive unless said otherwise.

    Attributes:
        low: The lower end.
        high: The upper end.
        low_open: Whether `low` itself is outside.
        high_open: Whether `high` itself is outside.
    """

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False

    @classmethod
    def open(cls, low: float, high: float) -> Range:
        """`low < x < high`."""
        return cls(low, high, low_open=True, high_open=True)

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    @override
    def __str__(self) -> str:
        if -self.low == self.high == math.inf:
            return "any x"
        return f"{self.low} {'<' if self.low_open else '<='} x {'<' if self.high_open else '<='} {self.high}"


@frozen(kw_only=True)
class RequestLimits:
    """The ranges that one profile, or one model, allows.

    `DOCUMENTED` is the reference page, end points as printed there, and the default. `SCHEMA` is the
    vendor's OpenAPI schema of February 2025, whose upper ends are inclusive. `CURRENT` is what the
    server takes today from one model or another; a model's own ranges are in `ImageModel.limits`.
    Fields that the page does not know have today's ranges in all three.

    Attributes:
        prompt: Characters (Unicode code points) in `prompt`.
        negative_prompt: Characters in `negative_prompt`.
        width: Pixels.
        height: Pixels.
        divisor: `width` and `height` are multiples of this many pixels; 1 for any.
        steps: Inference steps.
        cfg_scale: Dimensionless.
        seed: Dimensionless.
        lora_strength: Per cent.
        variants: Images in one answer.
        style_references: How many of them.
        anon_user_id: Characters in `anon_user_id`.
        blank: Whether `prompt` may consist of white space alone.
        inpaint: Whether `inpaint` may be sent.
        known_in_extra: Whether `extra` may hold names of fields, as a journal does that was written before
            the library knew them.
        name: What errors call this profile.
    """

    DOCUMENTED: ClassVar[RequestLimits]
    SCHEMA: ClassVar[RequestLimits]
    CURRENT: ClassVar[RequestLimits]

    prompt: Range = Range(1, 1500)
    negative_prompt: Range = Range(0, 1500)
    width: Range = Range.open(0, 1280)
    height: Range = Range.open(0, 1280)
    divisor: int = field(default=1, validator=attrs.validators.ge(1))
    steps: Range = Range.open(0, 50)
    cfg_scale: Range = Range.open(0, 20)
    seed: Range = Range.open(-999999999, 999999999)
    lora_strength: Range = Range.open(0, 100)
    variants: Range = Range(1, 4)
    style_references: Range = Range(1, math.inf)
    anon_user_id: Range = Range(1, 128)
    blank: bool = True
    inpaint: bool = True
    known_in_extra: bool = field(default=False, repr=False)
    name: str = field(default="custom limits", eq=False)


RequestLimits.DOCUMENTED = RequestLimits(name="RequestLimits.DOCUMENTED")
RequestLimits.SCHEMA = RequestLimits(
    width=Range(0, 1280, low_open=True),
    height=Range(0, 1280, low_open=True),
    steps=Range(0, 50, low_open=True),
    cfg_scale=Range(0, 20, low_open=True),
    seed=Range(-999999999, 999999999),
    lora_strength=Range(0, 100),
    name="RequestLimits.SCHEMA",
)
# Any number of steps is taken: most models ignore it, and those that use it have a maximum of their own.
RequestLimits.CURRENT = RequestLimits(
    prompt=Range(1, 32768),
    negative_prompt=Range(0, 32768),
    width=Range(0, 1280, low_open=True),
    height=Range(0, 1280, low_open=True),
    steps=Range(-math.inf, math.inf),
    cfg_scale=Range(0, 20, low_open=True),
    seed=Range(-999999999, 999999999),
    lora_strength=Range(0, 100),
    blank=False,
    inpaint=False,
    name="RequestLimits.CURRENT",
)
