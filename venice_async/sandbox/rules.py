"""What a well-formed request may still be refused for: its model's constraints, and its words.

1. Pure: a model and a body go in, issues or a suggestion come out.
2. A constraint narrows the profile's ranges for one model; none widens them.
3. What a model has no use for is ignored, not refused: width and height where it lists aspect ratios,
   an aspect ratio, a resolution or a quality where it lists none. Only style references are refused
   by a model that does not take them. The API documents neither.
4. The content policy is a short list of words, looked for in the prompt only. The API's own list,
   if it is one, is not documented.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from .catalogue import MODELS, Model
from .validate import STYLE_REFERENCE, Check, Issue, ListOf, Number, Text

__all__ = ["FORBIDDEN", "heeded", "suggest_instead", "unmet"]

FORBIDDEN = ("beheading", "dismemberment", "mass shooting", "snuff film", "terrorist propaganda")

_FORBIDDEN = re.compile(rf"\b(?:{'|'.join(FORBIDDEN)})\b", re.IGNORECASE)


def unmet(model: Model, wish: Mapping[str, Any]) -> Iterator[Issue]:
    """Yield which of the model's constraints a valid body does not meet."""
    for name, check in _CHECKS[model.id].items():
        if name in wish:
            yield from check.issues(wish[name], (name,))


def heeded(model: Model, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Give the wish without the fields that decide a picture's size or price elsewhere, but not here."""
    constraints = model.constraints or {}
    ignored = {name for name, listed in _TIERS.items() if listed not in constraints}
    if "aspectRatios" in constraints:
        ignored |= {"width", "height"}
    return {name: value for name, value in wish.items() if name not in ignored}


def suggest_instead(prompt: str) -> str | None:
    """Give a prompt without the forbidden words in place of one that has any; None if it has none."""
    if not _FORBIDDEN.search(prompt):
        return None
    return " ".join(_FORBIDDEN.sub(" ", prompt).split())


def _checks(constraints: Mapping[str, Any]) -> Mapping[str, Check]:
    checks: dict[str, Check] = {
        "style_references": ListOf(STYLE_REFERENCE, constraints.get("maxStyleReferences", 0))
    }
    if (characters := constraints.get("promptCharacterLimit")) is not None:
        checks |= dict.fromkeys(("prompt", "negative_prompt"), Text(0, characters))
    if (steps := constraints.get("steps")) is not None:
        checks["steps"] = Number(0, steps["max"])
    if (divisor := constraints.get("widthHeightDivisor")) is not None:
        checks |= dict.fromkeys(("width", "height"), Number(0, math.inf, multiple_of=divisor))
    for name, listed in _TIERS.items():
        if listed in constraints:
            checks[name] = Text(choices=tuple(constraints[listed]))
    return checks


_TIERS: Mapping[str, str] = MappingProxyType(
    {"aspect_ratio": "aspectRatios", "resolution": "resolutions", "quality": "qualities"}
)

_CHECKS: Mapping[str, Mapping[str, Check]] = MappingProxyType(
    {model.id: _checks(model.constraints or {}) for model in MODELS.values()}
)
