"""What makes a job the one it is, so that another one is not mistaken for its continuation.

1. It is what every item has in common: the prompt or the request if there is only one, the fields of
   bare prompts, the seeds, the axes of a sweep. A list of prompts may grow and change its order.
2. How the answers travel takes no part in it, nor does how fast or how safely they are taken in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Literal

import attrs
import orjson

from venice_async.storage.inputs import RequestFile
from venice_async.storage.names import NameTemplate
from venice_async.sweep import Sweep
from venice_async.types.request import NEVER_SENT, ImageRequest, RequestFields
from venice_async.wire.codec import encode_request

from .source import What

__all__ = ["DUPLICATES", "Duplicates", "describe_job"]

Duplicates = Literal["keep", "skip"]
DUPLICATES = ("keep", "skip")
_SHOWN = 200  # characters
_NO_PART = {*NEVER_SENT, "return_binary"}
# Of a picture that is sent along, these stand in a job's description whether they are set or not. Any other
# field is there only where it is set, so that a new one leaves the jobs of today what they are.
_ALWAYS_TOLD = {"mask", "strength"}


def describe_job(
    what: What,
    seeds: Iterable[int] | None,
    fields: RequestFields,
    *,
    template: NameTemplate,
    duplicates: str,
) -> dict[str, str]:
    """What makes the job the one it is, by name, as text for a person to compare."""
    told: dict[str, Any] = dict(fields)
    if isinstance(what, str):
        told["prompt"] = what
    elif isinstance(what, ImageRequest):
        told |= orjson.loads(encode_request(what))
    elif isinstance(what, RequestFile):
        told |= what.common | what.axes
    elif isinstance(what, Sweep):
        told |= orjson.loads(encode_request(what.base)) | dict(what.axes)
        del told["prompt"]
    if seeds is not None:
        told["seeds"] = seeds
    job = {name: _text(value) for name, value in told.items() if name not in _NO_PART and value is not None}
    return {**job, "name": template.text, "duplicates": duplicates}


def _text(value: Any) -> str:
    match value:
        case str():
            text = value
        case range() if value.step == 1:
            text = f"{value.start}-{value.stop - 1}"
        case list() | tuple() | range() if all(type(item) is int for item in value):
            text = ", ".join(_runs(value))
        case list() | tuple():
            text = ", ".join(map(_text, value))
        case Mapping() | int() | float() | bool():
            text = _json(value)
        case _ if attrs.has(type(value)):
            text = _json(attrs.asdict(value, filter=_told))
        case _:
            return "an iterator"
    if len(text) > _SHOWN:
        digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()
        return f"{text[:_SHOWN]}... ({digest})"
    return text


def _told(attribute: attrs.Attribute[Any], value: Any) -> bool:
    return value is not None or attribute.name in _ALWAYS_TOLD


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value, default=str).decode()
    except orjson.JSONEncodeError:  # integers beyond 64 bits
        return json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))


def _runs(numbers: Iterable[int]) -> Iterator[str]:
    """Numbers that follow each other as `0-15`: a list says the same as a range."""
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        first, *rest = (number for _, number in run)
        yield f"{first}-{rest[-1]}" if rest else str(first)
