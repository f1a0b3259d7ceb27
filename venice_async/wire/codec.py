"""Requests to JSON, JSON to requests and answers, through cattrs.

1. Only what was set goes on the wire.
2. Structuring coerces nothing: a field of the wrong type is an error, never a conversion.
3. Requests are strict about unknown fields (the server is too); answers keep them.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar, get_origin

import attrs
import cattrs
import orjson
from cattrs import (
    AttributeValidationNote,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
)
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from venice_async.errors import DecodeError, Fault, ValidationError
from venice_async.types.catalogue import ImageModel, KeyRateLimits
from venice_async.types.frozen import DEPTH, FrozenDict, freeze
from venice_async.types.limits import RequestLimits
from venice_async.types.request import NEVER_SENT, ImageRequest, Inpaint, InpaintMask, StyleReference
from venice_async.types.response import Timing

__all__ = [
    "encode_request",
    "fingerprint",
    "parse_answer",
    "parse_models",
    "parse_rate_limits",
    "parse_styles",
    "request_fields",
    "structure_request",
]

_FINGERPRINT_BYTES = 16
_LONG_TEXT = 16 * 1024  # characters
_NOTHING: Mapping[str, Any] = FrozenDict()

T = TypeVar("T")
Path = tuple[str | int, ...]


def _as_is(value: Any, _: Any) -> Any:
    return value


def _request_converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    # Types are left to the request's validators, which name the range in the same breath.
    for primitive in (str, int, float, bool):
        converter.register_structure_hook(primitive, _as_is)
    converter.register_structure_hook_func(_is_literal, _as_is)
    overrides: dict[str, Any] = {name: override(struct_hook=_as_is) for name in (*NEVER_SENT, "extra")}

    def references(value: Any, _: Any) -> Any:
        if not isinstance(value, list | tuple | None):
            raise TypeError("a list of objects")
        return value and converter.structure(value, list[StyleReference])

    for cls in (InpaintMask, Inpaint, StyleReference, ImageRequest):
        special: dict[str, Any] = overrides if cls is ImageRequest else {}
        lists: dict[str, Any] = {"style_references": override(struct_hook=references)} if special else {}
        structure = make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True, **special, **lists)
        converter.register_structure_hook(cls, _object_only(_with_every_fault(structure)))
        hidden: dict[str, Any] = {name: override(omit=True) for name in special}
        always: dict[str, Any] = {"model": override(omit_if_default=False)} if special else {}
        unstructure = make_dict_unstructure_fn(
            cls, converter, _cattrs_omit_if_default=True, **hidden, **always
        )
        converter.register_unstructure_hook(cls, unstructure)
    return converter


def _is_literal(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _object_only(structure: Any) -> Any:
    def hook(value: Any, cls: Any) -> Any:
        if not isinstance(value, Mapping):
            raise TypeError("an object")
        return structure(value, cls)

    return hook


def _with_every_fault(structure: Any) -> Any:
    """A part that cannot be built hides the faults of the whole: look at the whole again without it."""

    def hook(value: Mapping[str, Any], cls: Any) -> Any:
        try:
            return structure(value, cls)
        except ClassValidationError as exc:
            faults = list(_faults(exc, (), value))
        bad = {re.split(r"[.\[]", fault.field)[0] for fault in faults}
        rest = {key: given for key, given in value.items() if key not in bad}
        required = {field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING}
        rest |= {name: 1 if name == "strength" else "?" for name in required & bad}
        try:
            structure(rest, cls)
        except ClassValidationError as exc:
            faults += _faults(exc, (), value)
        raise ValidationError(faults)

    return hook


def _answer_converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    for primitive, name in ((str, "string"), (int, "integer"), (float, "number"), (bool, "boolean")):
        converter.register_structure_hook(primitive, _strictly(primitive, name))
    fields = attrs.fields(Timing)
    renamed: dict[str, Any] = {field.name: override(rename=_camel(field.name)) for field in fields}
    timing = make_dict_structure_fn(Timing, converter, **renamed)
    converter.register_structure_hook(Timing, _object_only(timing))
    return converter


def _strictly(primitive: type, name: str) -> Any:
    allowed = (int, float) if primitive is float else primitive

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, allowed) or (isinstance(value, bool) and primitive is not bool):
            raise TypeError(f"a {name}")
        return value

    return hook


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


_requests = _request_converter()
_answers = _answer_converter()


def request_fields(request: ImageRequest) -> dict[str, Any]:
    """The fields of a request that were set, and `extra`."""
    fields: dict[str, Any] = _requests.unstructure(request)
    return {**fields, **request.extra}


def encode_request(request: ImageRequest) -> bytes:
    """The JSON body of a request."""
    body = request_fields(request)
    try:
        return orjson.dumps(body, default=_thaw)
    except orjson.JSONEncodeError:  # integers beyond 64 bits, subclasses of float such as numpy's
        return json.dumps(body, default=_thaw, ensure_ascii=False, separators=(",", ":")).encode()


def fingerprint(request: ImageRequest) -> bytes:
    """What tells one request from another, 16 bytes: its fields as they were given, BLAKE2b.

    How the answer travels (`return_binary`) takes no part in it, and 4.0 is 4.
    """
    body = request_fields(request)
    body.pop("return_binary", None)
    text = json.dumps(_canonical(body), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode("ascii"), digest_size=_FINGERPRINT_BYTES).digest()


def _canonical(value: Any) -> Any:
    match value:
        case str() if len(value) > _LONG_TEXT:  # a picture: while it is hashed, other threads go on
            return {"": hashlib.blake2b(value.encode()).hexdigest()}
        case bool() | None | str() | int():
            return value
        case float():
            return int(value) if value.is_integer() else float(value)
        case Mapping():
            return {key: _canonical(item) for key, item in value.items()}
        case _:
            return [_canonical(item) for item in value]


def _thaw(value: Any) -> Any:
    if isinstance(value, FrozenDict):
        return dict(value)
    raise TypeError(value)


def structure_request(
    data: Any,
    *,
    limits: RequestLimits = RequestLimits.DOCUMENTED,
    metadata: Mapping[str, Any] = _NOTHING,
) -> ImageRequest:
    """A request from the JSON object that the API documents (fields newer than the library in `extra`).

    Args:
        data: The object.
        limits: The ranges.
        metadata: What is kept beside the request.

    Raises:
        ValidationError: It is no such object; the error lists every fault, nested ones included.
    """
    if not isinstance(data, Mapping):
        raise ValidationError([Fault("request", data, "an object with the fields of a request")])
    given = {key: value for key, value in data.items() if key not in NEVER_SENT}
    faults = [_unknown(name, ImageRequest, data) for name in sorted(NEVER_SENT & data.keys())]
    try:
        request = _requests.structure({**given, "limits": limits, "metadata": metadata}, ImageRequest)
    except ValidationError as exc:
        faults += exc.faults
    else:
        if not faults:
            return request
    raise ValidationError(faults)


def _faults(error: Exception, path: Path, data: Any) -> Iterator[Fault]:
    """Flatten what cattrs found: each fault under its dotted name."""
    match error:
        case ClassValidationError() | IterableValidationError():
            noted, rest = error.group_exceptions()
            for inner, note in noted:
                step = note.name if isinstance(note, AttributeValidationNote) else note.index
                yield from _faults(inner, (*path, step), data)
            for inner in rest:
                yield from _faults(inner, path, data)
        case ForbiddenExtraKeysError():
            for key in sorted(error.extra_fields):
                yield _unknown(key, error.cl, _at(data, path), path)
        case ValidationError():
            for fault in error.faults:
                yield attrs.evolve(fault, field=_dotted((*path, fault.field)))
        case KeyError():
            yield Fault(_dotted(path), None, "a value; it is required")
        case _:
            yield Fault(_dotted(path), _at(data, path), str(error))


def _unknown(key: str, cls: type[Any], holder: Any, path: Path = ()) -> Fault:
    known = [field.name for field in attrs.fields(cls) if field.name not in NEVER_SENT]
    near = difflib.get_close_matches(str(key), known, n=1)
    hint = f"did you mean {near[0]}?" if near else "newer fields go into extra"
    return Fault(_dotted((*path, key)), _at(holder, (key,)), "a field that the API knows", hint)


def _dotted(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _at(data: Any, path: Path) -> Any:
    for step in path:
        try:
            data = data[step]
        except (LookupError, TypeError):
            return None
    return data


def parse_answer(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a JSON answer without its images, as keyword arguments of `Answer`.

    None of them costs the images: one that is missing, or is not what it should be, is None.
    """
    identifier = fields.get("id")
    return {
        "id": identifier if isinstance(identifier, str) else None,
        "timing": _timing(fields.get("timing")),
        "request": _frozen(fields.get("request")),
        "extra": {
            key: _frozen(value, DEPTH - 1) for key, value in fields.items() if key not in _ANSWER_FIELDS
        },
    }


_ANSWER_FIELDS = {"id", "timing", "request"}


def _timing(told: Any) -> Timing | None:
    """All of it or nothing: a part of the time would be taken for the whole."""
    try:
        timing = _structure(told, Timing, "'timing'")
    except DecodeError:
        return None
    waited = timing.inference_preprocessing_time + timing.inference_queue_time
    # A sum is finite only if each of its parts is.
    return timing if math.isfinite(waited + timing.inference_duration + timing.total) else None


def _frozen(value: Any, depth: int = DEPTH) -> Any:
    try:
        return freeze(value, depth)
    except TypeError:  # beyond what JSON can say, or nested too deep
        return None


def parse_models(body: bytes) -> tuple[ImageModel, ...]:
    """The image models of `GET /models?type=image`.

    Raises:
        DecodeError: The body is no such list.
    """
    entries = [_mapping(entry) for entry in _data(body, list)]
    return tuple(_model(entry) for entry in entries if entry.get("type", "image") == "image")


def _model(entry: Mapping[str, Any]) -> ImageModel:
    spec = _mapping(entry.get("model_spec"))
    pricing, constraints = _mapping(spec.get("pricing")), _mapping(spec.get("constraints"))
    flat: dict[str, Any] = {
        field.name: constraints.get(camel := _camel(field.name), spec.get(camel))
        for field in attrs.fields(ImageModel)
        if field.name not in _OURS
    }
    prices = {kind: _usd(pricing.get(kind)) for kind in ("generation", "resolutions", "quality")}
    steps = _mapping(constraints.get("steps"))
    flat |= {
        "id": entry.get("id"),
        "deprecation": _deprecation(spec.get("deprecation")),
        "prices": {kind: price for kind, price in prices.items() if price not in (None, {})},
        "steps_default": steps.get("default"),
        "steps_max": steps.get("max"),
        "extra": {key: value for key, value in spec.items() if key not in _SPEC},
    }
    given = {key: value for key, value in flat.items() if value is not None}
    return _structure(given, ImageModel, f"model {entry.get('id')!r}")


_OURS = {"id", "prices", "steps_default", "steps_max", "ignores", "extra"}
_SPEC = {"pricing", "constraints", *(_camel(field.name) for field in attrs.fields(ImageModel))} - {"extra"}


def _deprecation(told: Any) -> Any:
    """The end of a model, in our words; None where nothing is said."""
    if not isinstance(told, Mapping):
        return None
    ends: dict[str, Any] = {
        "date": told.get("date"),
        "starts_at": told.get("startsAt"),
        "removes_at": told.get("removesAt"),
        "replacement": told.get("replacementModelId"),
        "auto_remap": told.get("autoRemap"),
    }
    return {name: value for name, value in ends.items() if value is not None} or None


def _usd(node: Any) -> Any:
    """A price tree with each `{"usd": x, "diem": y}` replaced by x; prices in other money are left out."""
    if not isinstance(node, Mapping):
        return None
    if "usd" in node:
        return node["usd"]
    prices = {key: _usd(child) for key, child in node.items()}
    return {key: price for key, price in prices.items() if price is not None}


def parse_styles(body: bytes) -> tuple[str, ...]:
    """The names of `GET /image/styles`.

    Raises:
        DecodeError: The body is no such list.
    """
    return _structure(_data(body, list), tuple[str, ...], "the list of styles")


def parse_rate_limits(body: bytes) -> KeyRateLimits:
    """The limits of a key, from `GET /api_keys/rate_limits`.

    Raises:
        DecodeError: The body is no such object.
    """
    data = _data(body, dict)
    balances = _mapping(data.get("balances"))
    models = {
        _text(entry, "apiModelId"): {
            _text(rule, "type"): rule.get("amount") for rule in _objects(entry.get("rateLimits"))
        }
        for entry in _objects(data.get("rateLimits"))
    }
    flat = {"models": models, "balance_usd": balances.get("USD"), "balance_diem": balances.get("DIEM")}
    return _structure(flat, KeyRateLimits, "the rate limits")


def _data(body: bytes, kind: type[T]) -> T:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise DecodeError(f"the answer is no valid JSON: {exc.msg}") from exc
    data = parsed.get("data") if isinstance(parsed, dict) else None
    if not isinstance(data, kind):
        raise DecodeError(f"the answer has no 'data' that is a {kind.__name__}")
    return data


def _objects(value: Any) -> list[Mapping[str, Any]]:
    items = [] if value is None else value
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise DecodeError(f"the answer holds {value!r:.60}, expected a list of objects")
    return items


def _text(holder: Mapping[str, Any], key: str) -> str:
    text = holder.get(key)
    if not isinstance(text, str):
        raise DecodeError(f"{key!r} in the answer is {text!r:.60}, expected a string")
    return text


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _structure(value: Any, kind: type[T], what: str) -> T:
    try:
        return _answers.structure(value, kind)
    except (ClassValidationError, IterableValidationError) as exc:
        first = next(_faults(exc, (), value))
        raise DecodeError(f"{what}: {first}") from exc
    except TypeError as exc:
        raise DecodeError(f"{what}: expected {exc}") from exc
