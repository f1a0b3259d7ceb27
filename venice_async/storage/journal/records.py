"""Requests, answers and errors as the JSON that a journal keeps.

1. What is read back equals what was written, but for what only its sender needs: the request's echo
   and the state of the rate limit.
2. A journal is only data: nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import attrs
import orjson

from venice_async import errors
from venice_async.errors import Fault, ValidationError, VeniceError, rebuild
from venice_async.types.frozen import FrozenDict
from venice_async.types.limits import Range, RequestLimits
from venice_async.types.request import NEVER_SENT, ImageRequest
from venice_async.types.response import Answer, Deprecation, Moderation, SavedImages, Timing
from venice_async.wire.codec import request_fields, structure_request

__all__ = [
    "KeptFile",
    "dump_answer",
    "dump_error",
    "dump_files",
    "dump_metadata",
    "dump_request",
    "gone_of",
    "load_answer",
    "load_error",
    "load_files",
    "load_request",
    "picture_digest",
]

_ANY = Range(-math.inf, math.inf)
# It was valid when it was recorded, under whatever limits its sender had.
_RECORDED = RequestLimits(
    prompt=_ANY,
    negative_prompt=_ANY,
    width=_ANY,
    height=_ANY,
    steps=_ANY,
    cfg_scale=_ANY,
    seed=_ANY,
    lora_strength=_ANY,
    variants=_ANY,
    style_references=_ANY,
    known_in_extra=True,
    name="a journal",
)
_KNOWN = {field.name for field in attrs.fields(ImageRequest)} - NEVER_SENT - {"extra"}
_ANSWERED = {field.name for field in attrs.fields(Answer)}
_PICTURES = ("inpaint", "style_references")
_UNRECORDED = {"request", "rate_limit"}
_VALUE_KEPT = 200  # characters of a faulty value
_FIELD = re.compile(r"[.\[]")
_LONG_INTEGER = re.compile(rb"\d{19}")


@attrs.frozen
class KeptFile:
    """One image of a purchase.

    Attributes:
        name: Its path, relative to the directory.
        sha256: In hexadecimal.
        size: In bytes.
        wanted: Whether it is missed if it is gone.
    """

    name: str
    sha256: str
    size: int
    wanted: bool = True


def dump_files(files: Iterable[KeptFile]) -> bytes:
    """The files of a purchase as JSON."""
    return orjson.dumps([_row(file) for file in files])


def _row(file: KeptFile) -> tuple[Any, ...]:
    row = attrs.astuple(file)
    return row[:-1] if file.wanted else row  # the first version knew three of them


def load_files(told: bytes | None) -> tuple[KeptFile, ...]:
    """The files that `dump_files` has written; none where nothing was."""
    return () if told is None else tuple(KeptFile(*file) for file in orjson.loads(told))


def gone_of(directory: Path, files: Iterable[KeptFile]) -> tuple[KeptFile, ...]:
    """The files that are not there; a stat for each."""
    # Strings: a `Path` costs as much as the system call that it is for, and interns its parts.
    return tuple(file for file in files if not os.path.exists(f"{directory}/{file.name}"))  # noqa: PTH110


def picture_digest(pictures: bytes) -> bytes:
    """What tells one request's pictures from another's."""
    return hashlib.blake2b(pictures, digest_size=16).digest()


def dump_request(request: ImageRequest) -> tuple[bytes, bytes | None]:
    """A request as JSON, and by itself what holds pictures, if anything does: requests often share it."""
    fields = request_fields(request)
    pictures = {name: fields.pop(name) for name in _PICTURES if name in fields}
    return _dumps(fields), _dumps(pictures) if pictures else None


def dump_metadata(request: ImageRequest) -> bytes | None:
    """What is kept beside a request as JSON; None where that is nothing."""
    return _dumps(request.metadata) if request.metadata else None


def load_request(
    body: bytes, pictures: bytes | None, metadata: bytes | None = None, *, seed: int | None = None
) -> ImageRequest:
    """The request that `dump_request` and `dump_metadata` have written.

    A field that was in `extra` when it was written, became known later and does not fit goes back there.

    Args:
        body: The fields that are sent.
        pictures: Those of them that hold pictures, or None.
        metadata: What is not sent, or None.
        seed: The one that was drawn for it, or None.
    """
    fields: dict[str, Any] = _loads(body)
    if pictures is not None:
        fields |= _loads(pictures)
    if seed is not None:
        fields["seed"] = seed
    beside: dict[str, Any] = {} if metadata is None else _loads(metadata)
    structured = pictures is not None or "prompt" not in fields or "model" not in fields
    try:
        return _made(fields, _KNOWN, beside, structured=structured)
    except ValidationError as exc:
        unfit = {_FIELD.split(fault.field)[0] for fault in exc.faults}
        return _made(fields, _KNOWN - unfit, beside, structured=structured)


def _made(
    fields: Mapping[str, Any], known: AbstractSet[str], metadata: Mapping[str, Any], *, structured: bool
) -> ImageRequest:
    """A request of the fields that are known, with all others in `extra`."""
    given = {name: value for name, value in fields.items() if name in known}
    extra = {name: value for name, value in fields.items() if name not in known}
    if structured:
        return structure_request({**given, "extra": extra}, limits=_RECORDED, metadata=metadata)
    # Nothing to structure, and five times quicker.
    return ImageRequest(**given, extra=extra, metadata=metadata, limits=_RECORDED)


def dump_answer(answer: Mapping[str, Any]) -> bytes:
    """What an answer said besides its images, from the keyword arguments of `Answer`."""
    told = {
        name: attrs.asdict(value) if attrs.has(type(value)) else value
        for name, value in answer.items()
        if name not in _UNRECORDED and value is not None
    }
    return _dumps(told)


def load_answer(told: bytes | None, directory: Path, files: tuple[KeptFile, ...]) -> SavedImages:
    """The answer that `dump_answer` has written, with its files; without it, the files alone."""
    fields: dict[str, Any] = {} if told is None else _loads(told)
    for name, kind in (("timing", Timing), ("moderation", Moderation), ("deprecation", Deprecation)):
        if name in fields and (known := _loaded(kind, fields.pop(name))) is not None:
            fields[name] = known
    return SavedImages(
        **{name: value for name, value in fields.items() if name in _ANSWERED},
        paths=tuple(directory / file.name for file in files),
        sizes=tuple(file.size for file in files),
    )


def _loaded(kind: type[Any], told: Any) -> Any:
    """A part of an answer; None where it lacks what another version has not written."""
    if not isinstance(told, dict):
        return None
    names = {field.name for field in attrs.fields(kind)}
    try:
        return kind(**{name: value for name, value in told.items() if name in names})
    except TypeError:
        return None


def dump_error(error: VeniceError) -> bytes:
    """An error with all that it carries; a faulty value as it is shown."""
    _, (cls, args, state) = error.__reduce__()
    return _dumps({"type": cls.__name__, "args": args, "state": state})


def load_error(told: bytes) -> VeniceError:
    """The error that `dump_error` has written."""
    fields: dict[str, Any] = _loads(told)
    cls: Any = getattr(errors, fields["type"], VeniceError)
    state = fields["state"]
    if "faults" in state:
        state["faults"] = tuple(Fault(**fault) for fault in state["faults"])
    if "moderation" in state:
        state["moderation"] = _loaded(Moderation, state["moderation"]) or Moderation()
    if "details" in state:
        state["details"] = {name: tuple(texts) for name, texts in state["details"].items()}
    known = isinstance(cls, type) and issubclass(cls, VeniceError)
    error = rebuild(cls if known else VeniceError, tuple(fields["args"]), state)
    assert isinstance(error, VeniceError)  # noqa: S101
    return error


def _dumps(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=_plain)
    except orjson.JSONEncodeError:  # lone surrogates, integers beyond 64 bits
        return json.dumps(value, default=_plain).encode()


def _loads(text: bytes) -> Any:
    if _LONG_INTEGER.search(text):  # orjson makes a float of one beyond 64 bits
        return json.loads(text)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def _plain(value: Any) -> Any:
    match value:
        case FrozenDict():
            return dict(value)
        case Fault():
            shown = repr(value.value)[:_VALUE_KEPT]
            return {"field": value.field, "value": shown, "expected": value.expected, "hint": value.hint}
        case Moderation():
            return attrs.asdict(value)
        case _:
            return repr(value)[:_VALUE_KEPT]
