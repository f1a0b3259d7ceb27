"""How a request is carried out, as opposed to what it asks for."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Literal

import attrs
from attrs import field, frozen

from venice_async.errors import ConfigurationError

__all__ = ["COMPRESSIONS", "AnswerLimits", "Compression", "Priority", "Timeouts"]

Compression = Literal["gzip", "br"]
COMPRESSIONS: tuple[Compression, ...] = ("gzip", "br")
"""What the API compresses JSON answers with, as `Accept-Encoding` spells it."""

_FOREVER = 1e10


class Priority(IntEnum):
    """Which of the waiting calls goes first: the larger number; any int will do.

    It counts for places, for permits of the rate limit and for retries alike. Nobody is overtaken for good:
    of eight turns that others could take before it, the call that has waited longest gets one.
    """

    BULK = -10
    NORMAL = 0
    INTERACTIVE = 10


def _seconds(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _FOREVER:
        raise ConfigurationError(f"{attribute.name}={value!r}: expected seconds above 0, or None")


@frozen(kw_only=True)
class Timeouts:
    """How long each part of a call may take, in seconds; None for no limit.

    A time-out after the request was sent may be a lost purchase, so the waits for the answer are
    long by default: a queue at the server plus the rewriting of a prompt takes minutes, not seconds.

    Attributes:
        connect: Name resolution, TCP and TLS together, and each step of sending the body.
        first_byte: From the end of the request to the first byte of the answer's head.
        between_bytes: Between any two pieces of the answer after its head.
        total: The whole call: waiting for a place in the pool, sending and the answer.

    Raises:
        ConfigurationError: A value is no positive, finite number.
    """

    connect: float | None = field(default=10.0, validator=_seconds)
    first_byte: float | None = field(default=300.0, validator=_seconds)
    between_bytes: float | None = field(default=60.0, validator=_seconds)
    total: float | None = field(default=None, validator=_seconds)


def _count(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{attribute.name}={value!r}: expected an integer of at least 1")


@frozen(kw_only=True)
class AnswerLimits:
    """How much of one answer is taken, so that no server can make a process hold or read without end.

    An answer beyond one of them is a `DecodeError`, a header a connection that is given up. It may have been
    paid for, and is not bought again by itself; what was decoded of it is kept as of any other bad answer.

    Attributes:
        body_bytes: The whole body, inflated, in bytes.
        image_bytes: All images together, decoded, in bytes.
        images: Images.
        field_bytes: Everything that is not an image, in bytes of JSON; of more, nothing is kept.
        string_bytes: One string that is not an image; of a longer one, only its length is told.
        depth: Nesting of arrays and objects; of what is nested deeper, nothing but the images is kept.
        header_bytes: One header, or the status line. A prompt that was rewritten comes back in a header, with
            up to nine bytes a character.

    Raises:
        ConfigurationError: A value is no integer of at least 1.
    """

    body_bytes: int = field(default=512 * 1024 * 1024, validator=_count)
    image_bytes: int = field(default=256 * 1024 * 1024, validator=_count)
    images: int = field(default=64, validator=_count)
    field_bytes: int = field(default=1024 * 1024, validator=_count)
    string_bytes: int = field(default=64 * 1024, validator=_count)
    depth: int = field(default=64, validator=_count)
    header_bytes: int = field(default=256 * 1024, validator=_count)
