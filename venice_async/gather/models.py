"""Which models the requests of a batch go to, and what a person should know of that.

1. A trait stands for the model that it stood for when the job began, in every run of it.
2. What a model ignores is told, once a job: it is neither refused nor left out.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from contextlib import suppress

import anyio
from attrs import define, field

from venice_async.errors import ValidationError, VeniceError
from venice_async.session import VeniceSession
from venice_async.storage.journal import Entry
from venice_async.types.catalogue import ImageModel
from venice_async.types.offer import Offer
from venice_async.types.request import ImageRequest

__all__ = ["Models", "ignored_note", "known_models"]

_ASKING = 5.0  # seconds, for what nothing depends on

_log = logging.getLogger("venice_async")


@define
class Models:
    """The models of a batch's requests.

    Args:
        offer: What the API offers; its traits are those of the job.
        today: What each trait stands for now.
    """

    _offer: Offer
    _today: Mapping[str, str]
    _ignored: dict[str, dict[str, None]] = field(init=False, factory=dict)
    _moved: dict[str, None] = field(init=False, factory=dict)

    def resolve(
        self, place: int | Entry, request: ImageRequest | ValidationError
    ) -> tuple[int | Entry, ImageRequest | ValidationError]:
        """An item with the id of its model; what the journal knows already stays as it is there."""
        if isinstance(place, Entry) or isinstance(request, ValidationError):
            return place, request
        resolved = self._offer.resolve(request)
        if resolved is not request and self._today.get(request.model, resolved.model) != resolved.model:
            self._moved[request.model] = None
        if ignored := self._offer.ignored(resolved):
            self._note(resolved.model, ignored)
        return place, resolved

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of the requests so far, a line each."""
        began = self._offer.traits
        moved = [
            f"{trait} stays {began[trait]}, as when the job began; it is {self._today[trait]} now"
            for trait in self._moved
        ]
        return (*moved, *(ignored_note(model, names) for model, names in self._ignored.items()))

    def _note(self, model: str, names: tuple[str, ...]) -> None:
        if not self._ignored:
            _log.warning("%s", ignored_note(model, names))
        self._ignored.setdefault(model, {}).update(dict.fromkeys(names))


async def known_models(session: VeniceSession, *, needed: bool) -> dict[str, ImageModel]:
    """The models by id; empty if they cannot be had and nothing depends on it.

    Args:
        session: Open.
        needed: Whether something depends on it, such as a budget.

    Raises:
        VeniceError: They are needed, and cannot be had.
    """
    if needed:
        return {model.id: model for model in await session.models()}
    with suppress(VeniceError), anyio.move_on_after(_ASKING):
        return {model.id: model for model in await session.models()}
    return {}


def ignored_note(model: str, names: Collection[str]) -> str:
    """What to know of fields that a model ignores."""
    told = f"{model} ignores {', '.join(names)}"
    return f"{told}: the same seed does not make the same image again" if "seed" in names else told
