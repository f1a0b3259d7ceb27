"""What the API offers, as far as it is known: which model a request goes to, and whether it takes it.

1. What is not known refuses nothing: the server checks as well.
2. A trait is resolved once, and by one rule: `traits_of`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

import attrs
from attrs import field, frozen

from venice_async.errors import Fault

from .catalogue import ImageModel
from .frozen import FrozenDict
from .request import DEFAULT_MODEL, ImageRequest

__all__ = ["TRAITS", "Offer", "traits_of"]

TRAITS = frozenset({DEFAULT_MODEL, "fastest", "highest_quality", "most_uncensored", "eliza-default"})
"""Names that are known to be traits, and no models, before anybody has asked."""
_NEAREST = 3


def traits_of(models: Iterable[ImageModel], default: str | None = None) -> dict[str, str]:
    """What each trait stands for: the ids of models, by trait.

    A trait of several models is left out; the server knows which of them it means.

    Args:
        models: All that there are.
        default: The model, or trait, that `default` stands for; None for what the catalogue says.
    """
    found: dict[str, set[str]] = {}
    for model in models:
        for trait in model.traits:
            found.setdefault(trait, set()).add(model.id)
    traits = {trait: ids.pop() for trait, ids in found.items() if len(ids) == 1}
    if default is not None and default != DEFAULT_MODEL:
        traits[DEFAULT_MODEL] = traits.get(default, default)
    return traits


@frozen(kw_only=True)
class Offer:
    """What the API offers, as far as it is known.

    Attributes:
        models: By id; empty where they are not known.
        traits: The ids of models, by trait.
        styles: What `ImageRequest.style_preset` takes; empty where that is not known.
    """

    models: Mapping[str, ImageModel] = field(factory=FrozenDict)
    traits: Mapping[str, str] = field(factory=FrozenDict)
    styles: tuple[str, ...] = ()

    def resolve(self, request: ImageRequest) -> ImageRequest:
        """The request with the id of its model, where it names a trait."""
        model = self.traits.get(request.model)
        return request if model is None else attrs.evolve(request, model=model)

    def model_of(self, request: ImageRequest) -> ImageModel | None:
        """The model that a request goes to, or None where it is not known."""
        return self.models.get(self.traits.get(request.model, request.model))

    def faults(self, request: ImageRequest) -> list[Fault]:
        """What is wrong with a request: a model or style that is not there, what the model does not take."""
        model = self.model_of(request)
        found = list(self._unknown_model(request.model)) if model is None else model.faults(request)
        style = request.style_preset
        if style is not None and self.styles and style not in self.styles:
            found.append(Fault("style_preset", style, "a style of the API", _nearest(style, self.styles, 1)))
        return found

    def ignored(self, request: ImageRequest) -> tuple[str, ...]:
        """The fields of a request that are set and have no effect with its model."""
        model = self.model_of(request)
        return () if model is None else model.ignored(request)

    def _unknown_model(self, name: str) -> Iterator[Fault]:
        known = {
            *self.models,
            *self.traits,
            *(trait for model in self.models.values() for trait in model.traits),
        }
        if self.models and name not in known:
            yield Fault("model", name, "an image model of the API", _nearest(name, known, _NEAREST))


def _nearest(word: str, known: Iterable[str], most: int) -> str:
    """A hint at the nearest words that are known, without regard to case."""
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=most)
    return f"did you mean {', '.join(repr(by_lower[name]) for name in near)}?" if near else ""
