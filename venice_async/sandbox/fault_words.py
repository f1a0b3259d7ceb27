"""Faults as they are written on a command line: a word, an argument, and how many times.

1. Pure: a text goes in, the arguments of a `Fault` come out.
2. A refusal that the API words in its own way has a word of its own here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import orjson

from .headers import FromNow
from .refusal import (
    DISABLED,
    OVERLOADED,
    PRIVACY,
    PRO_ONLY,
    REGION,
    SPENT,
    payment_required,
    retired,
)

__all__ = ["EXAMPLES", "read_fault"]

EXAMPLES = (
    "503, 503*3, reset:body, delay:2.5, html:502, truncated, chunked, damage:base64, drop:timing,"
    " drip:1000, type:text/plain, encoding:gzip, 503:MODEL_OFFLINE, billed:504, unbilled:reset,"
    " overloaded:30, ratelimit:6, locked-out:30, pro-only, region, privacy, disabled, spent, x402,"
    " retired:z-image-turbo, firewall:403, login, blocked,"
    " error:nothing, openai-error:nothing"
)

_LOCKED_OUT = (
    "Too many failed attempts (> 50) resulting in a non-success status code."
    " Please wait 30 seconds and try again."
)


def read_fault(text: str) -> tuple[dict[str, Any], int]:
    """Read the arguments of a fault, and how many times it happens.

    Raises:
        ValueError: It is not written like that.
    """
    match = re.fullmatch(r"\s*([a-z][a-z0-9-]*|\d+)(?::([^*]+))?(?:\*(\d+))?\s*", text)
    times = int(match[3]) if match and match[3] else 1
    if match is None or times < 1:
        raise ValueError("not a word, an argument and a number of times")
    return dict(_arguments(match[1], match[2])), times


def _refusal(status: int, message: str, code: str = "", **more: Any) -> dict[str, Any]:
    return {"status": status, "message": message, "code": code, **more}


def _overloaded(text: str) -> dict[str, Any]:
    return _refusal(429, OVERLOADED, headers={"Retry-After": text})


def _rate_limit(text: str) -> dict[str, Any]:
    told = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": FromNow(float(text))}
    return _refusal(429, "Rate limit exceeded", headers=told)


def _locked_out(text: str) -> dict[str, Any]:
    told = {"x-ratelimit-remaining": "0", "x-ratelimit-resets": FromNow(float(text))}
    return _refusal(429, _LOCKED_OUT, headers=told)


def _openai_error(text: str) -> dict[str, Any]:
    error = {"message": text, "type": "invalid_request_error", "code": None, "param": None}
    return _json(400, {"error": error})


def _json(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": status, "body": orjson.dumps(body)}


_WORDS: Mapping[str, Callable[[str], Mapping[str, Any]]] = MappingProxyType(
    {
        "reset": lambda text: {"reset": text},
        "delay": lambda text: {"delay": float(text)},
        "drip": lambda text: {"drip": float(text)},
        "html": lambda text: {"html": True, "status": int(text)},
        "damage": lambda text: {"damage": text},
        "drop": lambda text: {"drop": tuple(text.split(","))},
        "truncated": lambda text: {"truncated": True} | _nothing(text),
        "chunked": lambda text: {"chunked": True} | _nothing(text),
        "type": lambda text: {"content_type": text},
        "encoding": lambda text: {"content_encoding": text},
        "billed": lambda text: {**_arguments(*_split(text)), "billed": True},
        "unbilled": lambda text: {**_arguments(*_split(text)), "billed": False},
        "overloaded": _overloaded,
        "ratelimit": _rate_limit,
        "locked-out": _locked_out,
        "pro-only": lambda text: _refusal(401, PRO_ONLY, "PRO_ONLY_MODEL") | _nothing(text),
        "region": lambda text: _refusal(403, REGION) | _nothing(text),
        "privacy": lambda text: _refusal(403, PRIVACY) | _nothing(text),
        "disabled": lambda text: _refusal(403, DISABLED) | _nothing(text),
        "spent": lambda text: _refusal(402, SPENT) | _nothing(text),
        "x402": lambda text: _json(402, payment_required("https://venice.ai")) | _nothing(text),
        "retired": lambda text: _refusal(404, retired("that you asked for", text)),
        "firewall": lambda text: {"html": True, "status": int(text)},
        "login": lambda text: {"html": True, "status": 200} | _nothing(text),
        "blocked": lambda text: {"blocked": True} | _nothing(text),
        "error": lambda text: _json(200, {"error": text}),
        "openai-error": _openai_error,
    }
)

_USUAL_ARGUMENTS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("truncated", "chunked", "login", "blocked"), ""),
        **dict.fromkeys(("pro-only", "region", "privacy", "disabled", "spent", "x402"), ""),
        "reset": "before",
        "html": "502",
        "damage": "base64",
        "overloaded": "30",
        "ratelimit": "60",
        "locked-out": "30",
        "retired": "z-image-turbo",
        "firewall": "403",
        "error": "No picture came of it",
        "openai-error": "Invalid request parameters",
    }
)


def _nothing(text: str) -> dict[str, Any]:
    if text:
        raise ValueError(f"{text!r} is one word too many")
    return {}


def _split(text: str) -> tuple[str, str | None]:
    word, colon, argument = text.partition(":")
    return word, argument if colon else None


def _arguments(word: str, argument: str | None) -> Mapping[str, Any]:
    if word.isdecimal():
        return {"status": int(word)} | ({} if argument is None else {"code": _code(argument)})
    if word not in _WORDS:
        raise ValueError(f"there is no {word!r}")
    if argument is None and word not in _USUAL_ARGUMENTS:
        raise ValueError(f"{word!r} needs an argument")
    return _WORDS[word](_USUAL_ARGUMENTS[word] if argument is None else argument)


def _code(text: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", text):
        raise ValueError(f"{text!r} is no code, such as MODEL_OFFLINE")
    return text
