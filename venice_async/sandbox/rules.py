"""What a well-formed request may still be refused for: its model's constraints, and its words.

1. Pure: a model and a body go in, issues or a suggestion come out.
2. A constraint narrows the profile's ranges for one model; none widens them.
3. What a model has no use for is ignored, not refused: width and height where it lists aspect ratios,
   an aspect ratio, a resolution or a quality where it lists none, and what else it does not heed.
4. The content policy is a short list of words, looked for in the prompt only. The API's own list,
   if it is one, is not documented.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from .model import Model
from .schemas import REFERENCE
from .validate import Check, Issue, ListOf, Number, Refused, Text

__all__ = ["FORBIDDEN", "Checks", "checks_2025", "checks_today", "heeded", "suggest_instead", "unmet"]

FORBIDDEN = ("beheading", "dismemberment", "mass shooting", "snuff film", "terrorist propaganda")

_FORBIDDEN = re.compile(rf"\b(?:{'|'.join(FORBIDDEN)})\b", re.IGNORECASE)

Checks = Callable[[Model], Mapping[str, Check]]

_TIERS: Mapping[str, str] = MappingProxyType({"resolution": "resolutions", "quality": "qualities"})
_NOT_HERE = "This model does not support {}"


def unmet(checks: Mapping[str, Check], body: Mapping[str, Any]) -> Iterator[Issue]:
    """Yield which of a model's constraints a valid body does not meet."""
    for name, check in checks.items():
        if name in body:
            yield from check.issues(body[name], (name,))


def checks_today(model: Model) -> Mapping[str, Check]:
    """Give what a model holds a body to: not its divisor, and not its aspect ratios."""
    checks = _checks(model)
    if "steps" in model.uses and model.constraints is not None:
        checks["steps"] = Number(1, model.constraints["steps"]["max"])
    if "StyleReferences" not in model.supports:
        checks["style_references"] = Refused(_NOT_HERE.format("style references"), ([],))
    if "TransparentBackground" not in model.supports:
        refused = Refused(_NOT_HERE.format("transparent backgrounds"), (False,))
        checks["transparent_background"] = refused
    return checks | {name: Refused(_NOT_HERE.format(name)) for name in model.refuses}


def checks_2025(model: Model) -> Mapping[str, Check]:
    """Give what a model holds a body to: all that it says of itself."""
    constraints = model.constraints or {}
    checks = _checks(model)
    if (steps := constraints.get("steps")) is not None:
        checks["steps"] = Number(0, steps["max"])
    if (divisor := constraints.get("widthHeightDivisor")) is not None:
        checks |= dict.fromkeys(("width", "height"), Number(0, math.inf, multiple_of=divisor))
    if (ratios := constraints.get("aspectRatios")) is not None:
        checks["aspect_ratio"] = Text(choices=tuple(ratios))
    return checks


def _checks(model: Model) -> dict[str, Check]:
    constraints = model.constraints or {}
    checks: dict[str, Check] = {
        "style_references": ListOf(REFERENCE, constraints.get("maxStyleReferences", 0))
    }
    if (characters := constraints.get("promptCharacterLimit")) is not None:
        checks |= dict.fromkeys(("prompt", "negative_prompt"), Text(0, characters))
    for name, listed in _TIERS.items():
        if listed in constraints:
            checks[name] = Text(choices=tuple(constraints[listed]))
    return checks


def heeded(model: Model, body: Mapping[str, Any]) -> dict[str, Any]:
    """Give a body without what this model ignores."""
    constraints = model.constraints or {}
    ignored = {name for name, listed in _TIERS.items() if listed not in constraints}
    ignored |= {"seed", "steps", "negative_prompt"} - model.uses
    ratios = constraints.get("aspectRatios")
    if ratios is not None:
        ignored |= {"width", "height"}
    if body.get("aspect_ratio") not in (ratios or ()):
        ignored.add("aspect_ratio")
    return {name: value for name, value in body.items() if name not in ignored}


def suggest_instead(prompt: str) -> str | None:
    """Give a prompt without the forbidden words in place of one that has any; None if it has none."""
    if not _FORBIDDEN.search(prompt):
        return None
    return " ".join(_FORBIDDEN.sub(" ", prompt).split())
