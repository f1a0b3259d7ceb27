"""From words on the command line to requests."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import attrs
import typer

from venice_async.errors import ConfigurationError, Fault, ValidationError
from venice_async.policy.rate_limit import RateLimit
from venice_async.storage.inputs import (
    RequestFile,
    read_bytes,
    read_json,
    read_prompts,
    read_requests,
)
from venice_async.sweep import Sweep, sweep
from venice_async.types.limits import RequestLimits
from venice_async.types.request import NEVER_SENT, ImageRequest, Inpaint, InpaintMask, StyleReference
from venice_async.wire.codec import structure_request

from .axes import parse_axes

BudgetUsd = Annotated[
    float | None,
    typer.Option(
        help="US dollars that all runs together may cost.", rich_help_panel="The job", show_default=False
    ),
]

__all__ = [
    "BudgetUsd",
    "checked_directory",
    "limits_from",
    "parse_seeds",
    "rate_limit_from",
    "told_of",
    "what_from",
    "whole_or_share",
]

_SEEDS_AT_MOST = 1_000_000
_SEED_RANGE = re.compile(r"\s*(-?\d{1,12})(?:\s*-\s*(-?\d{1,12}))?\s*\Z")


def parse_seeds(text: str | None) -> list[int] | None:
    """Seeds such as `0-15,42`; None for none.

    Raises:
        ConfigurationError: The text is no such list.
    """
    if text is None:
        return None
    seeds: list[int] = []
    for part in text.split(","):
        if (found := _SEED_RANGE.match(part)) is None:
            raise ConfigurationError(f"--seeds {text:.60}: {part:.40} is no seed and no range such as 0-15")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise ConfigurationError(f"--seeds {text:.60}: {part!r} runs backwards; write {last}-{first}")
        if last - first + len(seeds) >= _SEEDS_AT_MOST:
            raise ConfigurationError(f"--seeds {text:.60}: more than {_SEEDS_AT_MOST} seeds")
        seeds.extend(range(first, last + 1))
    return seeds


def checked_directory(text: str) -> Path:
    """The directory that `--into` names.

    Raises:
        ConfigurationError: It names none.
    """
    if not text.strip():
        raise ConfigurationError("--into is empty: name a directory, such as --into out")
    return Path(text)


def whole_or_share(number: float | None) -> float | None:
    """A number as the library takes it: 5 for `5`, 0.1 for `0.1`."""
    return int(number) if number is not None and number.is_integer() else number


def limits_from(name: str, *, check_models: bool) -> RequestLimits:
    """The ranges that `--limits` names; those of a model are checked once it is known.

    Raises:
        ConfigurationError: They are the model's, and nothing is to be held against it.
    """
    if name == "model" and not check_models:
        raise ConfigurationError("--limits model and --no-check-models exclude each other")
    named = {"documented": RequestLimits.DOCUMENTED, "schema": RequestLimits.SCHEMA}
    return named.get(name, RequestLimits.CURRENT)


def rate_limit_from(per_minute: int | None, shared: str | None = None) -> RateLimit | None:
    """What the server allows without the option, no limit for 0."""
    if per_minute is None:
        return RateLimit.auto(shared=shared)
    return RateLimit.per_minute(per_minute, shared=shared) if per_minute else None


def what_from(given: Mapping[str, Any], limits: RequestLimits) -> ImageRequest | Sweep | RequestFile:
    """What the options of `generate` describe: one request, a sweep, or the requests of a file.

    Raises:
        ConfigurationError: There is no prompt, or options contradict each other.
        ValidationError: A field is outside its range.
        StorageError: A file cannot be read.
    """
    axes = parse_axes(given["set_values"])
    if given["seeds"] is not None and "seed" in axes:
        raise ConfigurationError("--seeds and --set seed exclude each other")
    if given["from_file"] is not None:
        return _rows_from(given, limits, axes)
    if given["input_format"] or given["skip_bad_rows"]:
        raise ConfigurationError("--input-format and --skip-bad-rows go with --from FILE")
    requests = _requests_from(given, limits, axes)
    if len(requests) == 1 and not given["prompts_file"]:
        return sweep(requests[0], **axes) if axes else requests[0]
    if "prompt" in axes:
        raise ConfigurationError("--set prompt goes with one prompt, which it replaces")
    return sweep(requests[0], prompt=[request.prompt for request in requests], **axes)


def _rows_from(given: Mapping[str, Any], limits: RequestLimits, axes: Mapping[str, list[Any]]) -> RequestFile:
    if given["prompts"] or given["prompts_file"] or given["request_file"]:
        raise ConfigurationError("--from FILE brings the prompts: leave prompts, --prompts and --request out")
    rows = read_requests(
        given["from_file"],
        row_format=given["input_format"],
        axes=axes,
        skip_bad_rows=given["skip_bad_rows"],
        limits=limits,
        **_fields(given),
    )
    if given["seeds"] is not None and "seed" in rows.columns:
        raise ConfigurationError(f"--seeds and the column 'seed' of {rows.path} exclude each other")
    return rows


def told_of(rows: RequestFile) -> list[str]:
    """What a person should know of a file before its rows are sent."""
    told = []
    if rows.bad_rows:
        told.append(f"{rows.bad_rows} bad rows are left out; the first: {rows.faults[0]}")
    fields = [field.name for field in attrs.fields(ImageRequest) if field.name not in NEVER_SENT]
    return told + [
        f"the column {name!r} is carried along as metadata; did you mean {near[0]!r}?"
        for name in rows.metadata_columns
        if (near := difflib.get_close_matches(name, fields, n=1))
    ]


def _requests_from(
    given: Mapping[str, Any], limits: RequestLimits, axes: Mapping[str, list[Any]]
) -> list[ImageRequest]:
    """The requests that the options of `generate` describe, all of them valid.

    Raises:
        ConfigurationError: There is no prompt, or options contradict each other.
        ValidationError: A field is outside its range.
        StorageError: A file cannot be read.
    """
    fields = _fields(given)
    if "model" in axes:
        fields.setdefault("model", axes["model"][0])
    prompts = [
        *(given["prompts"] or ()),
        *(read_prompts(given["prompts_file"]) if given["prompts_file"] else ()),
    ]
    if given["seeds"] is not None and "seed" in fields:
        raise ConfigurationError("--seed and --seeds exclude each other")
    if given["request_file"] is not None:
        request = structure_request(read_json(given["request_file"]), limits=limits)
        request = attrs.evolve(request, **fields)
        return [attrs.evolve(request, prompt=prompt) for prompt in prompts] or [request]
    if not prompts:
        raise ConfigurationError("no prompt: give one as an argument, --from FILE, --prompts or --request")
    faults: list[Fault] = []
    requests: list[ImageRequest] = []
    for number, prompt in enumerate(prompts, 1):
        try:
            requests.append(ImageRequest(prompt, limits=limits, **fields))
        except ValidationError as exc:
            faults += [
                attrs.evolve(fault, field=f"prompt {number}") if fault.field == "prompt" else fault
                for fault in exc.faults
                if fault.field == "prompt" or number == 1
            ]
    if faults:
        raise ValidationError(faults)
    return requests


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a request that were given."""
    elsewhere = {"prompt", "inpaint", *NEVER_SENT}
    plain = {
        field.name: value
        for field in attrs.fields(ImageRequest)
        if field.name not in elsewhere and (value := given.get(field.name)) is not None
    }
    if given["image_format"] is not None:
        plain["format"] = given["image_format"]
    if (inpaint := _inpaint(given)) is not None:
        plain["inpaint"] = inpaint
    if given["style_reference_strength"] is not None and not given["style_reference"]:
        raise ConfigurationError("--style-reference-strength goes with --style-reference FILE")
    if given["style_reference"]:
        plain["style_references"] = [
            _style_reference(source, given["style_reference_strength"]) for source in given["style_reference"]
        ]
    return plain


def _style_reference(source: str, strength: float | None) -> StyleReference:
    if source.startswith(("http://", "https://")):
        return StyleReference(image=source, strength=strength)
    return StyleReference.from_bytes(read_bytes(source), strength=strength)


def _inpaint(given: Mapping[str, Any]) -> Inpaint | None:
    mask = {
        name: given[f"mask_{name}"]
        for name in ("image_prompt", "object_target", "inferred_object")
        if given[f"mask_{name}"] is not None
    }
    if given["inpaint"] is None:
        if mask or given["inpaint_strength"] is not None:
            raise ConfigurationError("inpainting needs its source picture: --inpaint FILE")
        return None
    if given["inpaint_strength"] is None:
        raise ConfigurationError("inpainting needs --inpaint-strength, 0 to 100")
    if 0 < len(mask) < 3:
        raise ConfigurationError(
            "a mask needs all of --mask-image-prompt, --mask-object-target and --mask-inferred-object"
        )
    return Inpaint.from_bytes(
        read_bytes(given["inpaint"]),
        strength=given["inpaint_strength"],
        mask=InpaintMask(**mask) if mask else None,
    )
