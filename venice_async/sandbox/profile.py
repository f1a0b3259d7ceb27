"""What differs between the API of today and that of 2025: one frozen value for each.

1. No other file asks which profile it is; each asks its profile what to do.
2. Pure: values and functions of values.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from types import MappingProxyType
from typing import Any

from attrs import frozen

from .abuse import any_failure, mistakes
from .catalogue import TRAITS
from .model import Model
from .refusal import WORDS_2025, WORDS_TODAY, Words
from .rules import Checks, checks_2025, checks_today
from .schemas import IMAGE_2025, IMAGE_TODAY
from .validate import ImageSchema, Issue, details_of

__all__ = ["PROFILES", "Profile", "explained"]

Body = Mapping[str, Any]


@frozen(kw_only=True)
class Profile:
    """How a server of some time answers.

    Attributes:
        name: What the profile is called.
        schema: The fields and their ranges.
        checks: What a model holds a body to.
        explain: How constraints of a model that are not met are told, as keys of the error's body.
        words: What is said for each status.
        max_body: The longest request body that is accepted, in bytes.
        wrong_content_type: The status for a body that does not say that it is JSON.
        no_key: The status for an image request without credentials.
        open_tables: Paths under the base URL that need no key.
        blocks: Whether a forbidden prompt is a blocked picture; otherwise it is a 422.
        resets_per_second: Units of a reset in a second: 1, or 1000 for milliseconds.
        tells_wait: Whether a refusal for the rate limit has a Retry-After.
        most_failures: Failures that are borne within the window of the rule about them.
        counts: Whether a status is a failure.
        failure_bucket: Whose a failure is, by key and body; None where nobody is locked out.
        tells_failures: Whether the answers say how many failures are still borne.
        lock_out: What who is locked out is told, with the seconds to be filled in.
        echo: The answer's `request`, by the body as it was sent, the model and the seed.
    """

    name: str
    schema: ImageSchema
    checks: Checks
    explain: Callable[[list[Issue]], Body]
    words: Words
    max_body: int
    wrong_content_type: int
    no_key: int
    open_tables: frozenset[str]
    blocks: bool
    resets_per_second: int
    tells_wait: bool
    most_failures: int
    counts: Callable[[int], bool]
    failure_bucket: Callable[[str, Body | None], Hashable | None]
    tells_failures: bool
    lock_out: str
    echo: Callable[[Body, Model, int], Body]


def explained(issues: list[Issue]) -> Body:
    """Tell issues as a tree of messages by field and as a list."""
    return {"details": details_of(issues), "issues": [issue.to_json() for issue in issues]}


def _in_a_sentence(issues: list[Issue]) -> Body:
    return {"details": "; ".join(issue.sentence for issue in issues)}


def _of_key_model_and_user(key: str, body: Body | None) -> Hashable | None:
    if body is None:
        return None
    model, user = (str(body.get(name, ""))[:200] for name in ("model", "user"))
    return key, TRAITS.get(model, model), user


def _of_key(key: str, _: Body | None) -> Hashable | None:
    return key


_DEFAULTS: Body = MappingProxyType(
    {
        "format": "webp",
        "width": 1024,
        "height": 1024,
        "safe_mode": True,
        "return_binary": False,
        "hide_watermark": False,
        "embed_exif_metadata": False,
    }
)


def _parsed(body: Body, model: Model, seed: int) -> Body:
    steps = (model.constraints or {}).get("steps")
    data = {**_DEFAULTS, "seed": seed, **({} if steps is None else {"steps": steps["default"]}), **body}
    data.pop("style_references", None)
    return {"success": True, "data": data}


def _as_sent(body: Body, _: Model, __: int) -> Body:
    return body


_TODAY = Profile(
    name="today",
    schema=IMAGE_TODAY,
    checks=checks_today,
    explain=_in_a_sentence,
    words=WORDS_TODAY,
    max_body=35 * 1024 * 1024,
    wrong_content_type=400,
    no_key=402,
    open_tables=frozenset({"/image/styles", "/models", "/models/traits", "/models/compatibility_mapping"}),
    blocks=True,
    resets_per_second=1000,
    tells_wait=False,
    most_failures=50,
    counts=mistakes,
    failure_bucket=_of_key_model_and_user,
    tells_failures=True,
    lock_out=(
        "Too many failed attempts (> 50) resulting in a non-success status code."
        " Please wait {:g} seconds and try again."
    ),
    echo=_parsed,
)

_IN_2025 = Profile(
    name="2025",
    schema=IMAGE_2025,
    checks=checks_2025,
    explain=explained,
    words=WORDS_2025,
    max_body=64 * 1024 * 1024,
    wrong_content_type=415,
    no_key=401,
    open_tables=frozenset({"/image/styles"}),
    blocks=False,
    resets_per_second=1,
    tells_wait=True,
    most_failures=20,
    counts=any_failure,
    failure_bucket=_of_key,
    tells_failures=False,
    lock_out=(
        "Too many failed attempts (> 20) resulting in a non-success status code."
        " Please wait {:g}s and try again."
    ),
    echo=_as_sent,
)

PROFILES: Mapping[str, Profile] = MappingProxyType({one.name: one for one in (_TODAY, _IN_2025)})
