"""A job held against its models and the styles, before anything of it is sent.

1. Of requests that differ only in what no model objects to, one is looked at, and the longest prompt: looking
   at a file's rows takes about as long as reading them.
2. What cannot be had refuses nothing; the server checks as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

import anyio.to_thread
import attrs
from attrs import define, field

from venice_async.errors import ConfigurationError, Fault, ValidationError
from venice_async.gather.models import ignored_note
from venice_async.session import VeniceSession
from venice_async.storage.inputs import RequestFile
from venice_async.sweep import Sweep
from venice_async.types.offer import Offer
from venice_async.types.request import NEVER_SENT, ImageRequest

from .screen import Screen

__all__ = ["check_requests"]

_FAULTS_SHOWN = 20
# What the validators of a request bound by themselves for every model, and what is told apart otherwise.
_OF_ANY_MODEL = {"cfg_scale", "lora_strength", "inpaint", "anon_user_id", "extra", *NEVER_SENT}
_OTHERWISE = {"prompt", "negative_prompt", "seed", "style_references"}
_of_a_model = attrgetter(
    *(each.name for each in attrs.fields(ImageRequest) if each.name not in _OF_ANY_MODEL | _OTHERWISE)
)


async def check_requests(
    session: VeniceSession,
    screen: Screen,
    what: ImageRequest | Sweep | RequestFile,
    *,
    seeds: Sequence[int] | None,
    swept: Collection[str],
    force: bool,
) -> None:
    """Refuse what the server would refuse, and a sweep that changes nothing; tell what has no effect.

    Args:
        session: An open session.
        screen: Where it is told.
        what: The job.
        seeds: Those of each item, or None.
        swept: The fields that take several values of `--set` each.
        force: Whether a sweep that changes nothing is bought all the same.

    Raises:
        ValidationError: There is no such model or style, or a model takes no such request.
        ConfigurationError: No model of the job has a use for what is swept.
    """
    offer = await session.offer()
    findings = _Findings(offer, seeded=bool(seeds))
    await anyio.to_thread.run_sync(partial(findings.look_through, what))
    if not offer.models:
        screen.say("the models cannot be had: requests are not held against them before they are sent")
    elif findings.styled and not offer.styles:
        screen.say("the styles cannot be had: --style-preset is not checked before it is sent")
    if findings.faults:
        error = ValidationError(findings.faults)
        error.add_note("nothing was sent; --no-check-models sends such requests all the same")
        raise error
    if (useless := findings.useless(swept)) and not force:
        raise ConfigurationError(
            f"{'; '.join(ignored_note(model, useless) for model in findings.ignored)}. Nothing was sent: the"
            f" same would be bought again and again. Leave --set {', '.join(useless)} out, or add --force"
        )
    for model, names in findings.ignored.items():
        screen.say(f"note: {ignored_note(model, names)}")


@define
class _Findings:
    """What a look at a job's requests has found.

    Attributes:
        faults: What is wrong, each fault once.
        ignored: By model, the fields that are set and have no effect.
        styled: Whether a request asks for a style.
    """

    offer: Offer
    seeded: bool
    faults: list[Fault] = field(init=False, factory=list)
    ignored: dict[str, dict[str, None]] = field(init=False, factory=dict)
    styled: bool = field(init=False, default=False)
    _told: set[tuple[str, str, str]] = field(init=False, factory=set)
    _unused: set[str] | None = field(init=False, default=None)
    _longest: dict[tuple[Any, ...], int] = field(init=False, factory=dict)

    def look_through(self, what: ImageRequest | Sweep | RequestFile) -> None:
        """Look at every request that may tell something new."""
        for place, request in _telling(what):
            self._look_at(place, request)

    def useless(self, swept: Collection[str]) -> list[str]:
        """The fields that are swept, if none of the job's models uses any of them."""
        fields = [name for name in swept if name != "seed"]
        return fields if self._unused is not None and self._unused.issuperset(fields) else []

    def _look_at(self, place: str, request: ImageRequest) -> None:
        shape, length = _shape(request), len(request.prompt)
        if length <= self._longest.get(shape, -1) and not request.prompt.isspace():
            return
        self.styled |= request.style_preset is not None
        faults = self.offer.faults(request)
        if not any(fault.field == "prompt" for fault in faults):
            self._longest[shape] = max(length, self._longest.get(shape, -1))
        for fault in faults:
            told = (fault.field, repr(fault.value), fault.expected)
            if told not in self._told and len(self.faults) < _FAULTS_SHOWN:
                self._told.add(told)
                self.faults.append(attrs.evolve(fault, field=f"{place}{fault.field}"))
        model = self.offer.model_of(request)
        unused = set[str]() if model is None else set(model.ignores)
        self._unused = unused if self._unused is None else self._unused & unused
        if model is not None:
            names = dict.fromkeys(model.ignored(request))
            if self.seeded and "seed" in unused:
                names["seed"] = None
            if names:
                self.ignored.setdefault(model.id, {}).update(names)


def _shape(request: ImageRequest) -> tuple[Any, ...]:
    """All that a model may object to, or ignore, but the prompt."""
    negative = request.negative_prompt
    return (
        *_of_a_model(request),
        None if negative is None else len(negative),
        request.seed is None,
        len(request.style_references or ()),
    )


def _telling(what: ImageRequest | Sweep | RequestFile) -> Iterator[tuple[str, ImageRequest]]:
    """Requests of which one may tell what no other does, with the places of their rows."""
    if isinstance(what, ImageRequest):
        yield "", what
        return
    axes = _telling_values(what.axes)
    if isinstance(what, RequestFile):
        for place, request in what.located(axes):
            yield f"{place}, ", request
        return
    for request in Sweep(what.base, axes):
        yield "", request


def _telling_values(axes: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """Of each axis, the values that a model may tell apart."""
    telling = dict(axes)
    if "seed" in telling:
        telling["seed"] = telling["seed"][:1]
    for name in ("prompt", "negative_prompt"):
        if name in telling:
            blank = [text for text in telling[name] if not text.strip()][:1]
            telling[name] = [max(telling[name], key=len), *blank]
    return telling
