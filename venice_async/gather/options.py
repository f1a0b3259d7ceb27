"""How a batch is carried out, checked before anything is sent."""

from __future__ import annotations

from typing import TypeVar

from attrs import frozen

from venice_async.errors import ConfigurationError
from venice_async.policy.budget import micro_usd
from venice_async.session import VeniceSession
from venice_async.storage.journal import DURABILITIES, VERIFICATIONS, Durability, State, Verification
from venice_async.storage.names import NameTemplate

from .job import DUPLICATES, Duplicates

__all__ = ["MAX_REFUSALS", "MAX_UNUSABLE", "MAX_WAIT", "Options", "checked_durability", "checked_options"]

MAX_UNUSABLE = 5
MAX_REFUSALS = 10
MAX_WAIT = 600.0

_LONGEST_DRAIN = 1e9
_MOST_USD = 1e9

C = TypeVar("C", bound=str)


@frozen(kw_only=True)
class Options:
    """The arguments of `gather_generate`, checked.

    Attributes:
        template: Of the file names.
        workers: Requests in flight at once.
        keep_duplicates: Whether what the input repeats is bought again.
        verify: What an image has to pass.
        budget: Millionths of a US dollar, or None.
        max_failures: Failures that stop the batch, or their share, or None.
        max_unusable: Answers in a row that are no images, and stop the batch; 0 for no limit.
        max_refusals: Refusals in a row that stop a model of which no item has succeeded; 0 for no limit.
        max_wait: Seconds that are waited for at most, or None.
        drain_timeout: Seconds.
        again: States of which an item is sent again although an earlier run has left it so.
    """

    template: NameTemplate
    workers: int
    keep_duplicates: bool
    verify: Verification
    budget: int | None
    max_failures: float | None
    max_unusable: int
    max_refusals: int
    max_wait: float | None
    drain_timeout: float
    again: frozenset[State] = frozenset()


def checked_options(
    session: VeniceSession,
    *,
    template: NameTemplate,
    concurrency: int | None,
    duplicates: Duplicates = "keep",
    verify: Verification,
    budget_usd: float | None,
    max_failures: float | None,
    max_unusable: int,
    max_refusals: int,
    max_wait: float | None,
    drain_timeout: float,
) -> Options:
    """The arguments of a batch.

    Raises:
        ConfigurationError: One of them is outside its range.
    """
    return Options(
        template=template,
        workers=_checked_concurrency(session.concurrency if concurrency is None else concurrency),
        keep_duplicates=_checked("duplicates", duplicates, DUPLICATES) == "keep",
        verify=_checked("verify", verify, VERIFICATIONS),
        budget=_checked_budget(budget_usd),
        max_failures=_checked_max_failures(max_failures),
        max_unusable=_checked_count("max_unusable", max_unusable),
        max_refusals=_checked_count("max_refusals", max_refusals),
        max_wait=_checked_max_wait(max_wait),
        drain_timeout=_checked_drain(drain_timeout),
    )


def checked_durability(durability: Durability) -> Durability:
    """What a journal is to survive.

    Raises:
        ConfigurationError: It is none of the two.
    """
    return _checked("durability", durability, DURABILITIES)


def _checked(name: str, given: C, choices: tuple[str, ...]) -> C:
    if given not in choices:
        raise ConfigurationError(f"{name}={given!r}: expected {' or '.join(map(repr, choices))}")
    return given


def _checked_concurrency(given: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ConfigurationError(f"concurrency={given!r}: expected an integer of at least 1")
    return given


def _checked_drain(given: float) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 0:
        raise ConfigurationError(f"drain_timeout={given!r}: expected seconds, 0 or more")
    return min(given, _LONGEST_DRAIN)


def _checked_budget(given: float | None) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= _MOST_USD:
        raise ConfigurationError(f"budget_usd={given!r}: expected US dollars, 0 or more, or None")
    return micro_usd(given)


def _checked_max_failures(given: float | None) -> float | None:
    if given is None or (isinstance(given, int) and not isinstance(given, bool) and given >= 0):
        return given
    if isinstance(given, float) and 0 < given < 1:
        return given
    raise ConfigurationError(
        f"max_failures={given!r}: expected a whole number, a share between 0 and 1, or None"
    )


def _checked_count(name: str, given: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise ConfigurationError(f"{name}={given!r}: expected a whole number, or 0 for no limit")
    return given


def _checked_max_wait(given: float | None) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 0:
        raise ConfigurationError(f"max_wait={given!r}: expected seconds, 0 or more, or None")
    return given
