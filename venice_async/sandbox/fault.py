"""Misbehaviour on request: what it can be, how it is written, and which request it meets.

1. `Fault` is a value that says what goes wrong; `answer.py` and `compose.py` make it go wrong.
2. A fault that contradicts itself is refused when it is made, not when it is met.
3. `Script` hands out faults in the order in which they were written down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args

import attrs
from attrs import Factory, define, field, frozen
from typing_extensions import override

from .arguments import is_number, is_whole
from .fault_words import EXAMPLES, read_fault
from .headers import Headers, header_pairs, is_header_value

__all__ = ["Damage", "Fault", "Reset", "Script"]

Reset = Literal["before", "headers", "body"]
Damage = Literal["base64", "magic", "empty", "avif", "url"]


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _billed_by_default(fault: Fault) -> bool:
    return not (fault.is_error or fault.html or fault.blocked)


@frozen(repr=False)
class Fault:
    """One way to misbehave towards one image request. All arguments can be combined that make sense together.

    What is not said stays as it would have been: `Fault(delay=2)` is a good answer, two seconds late.

    Args:
        status: Answer with this status, 200 to 599; from 400 on with an error body instead of a picture.
        code: The error body's code instead of the usual one for the status; "" for none.
        message: The error body's message instead of the usual one for the status.
        html: Answer with an HTML page, as a proxy in front of the API does.
        delay: Seconds before the answer's head; the generation's own time comes before it.
        reset: Reset the connection (TCP RST): "before" the answer's head, after the "headers", or in
            the middle of the "body".
        truncated: Close the connection in the middle of the body, though more was promised.
        chunked: Send the body in chunks instead of with a Content-Length.
        content_type: Say this content type instead of the right one.
        content_encoding: Say this content encoding, though the body is not encoded.
        damage: "base64" (a character that is none), "magic" (the pictures' first 16 bytes are zero),
            "empty" (no pictures in the list), "avif" (pictures in a format that nobody asked for) or
            "url" (objects with a URL in place of the pictures).
        drop: Fields that are missing from the JSON answer, as one name or several.
        drip: Send the body at this many bytes per second, above 0.
        headers: Header fields to set, or to remove where the value is None; `FromNow` is a time that
            is reckoned as the answer is sent. Without Content-Length, or with another than the body's
            own, the connection is closed after the body.
        body: Answer with exactly these bytes.
        blocked: Answer as to a forbidden prompt: black pictures, and a header that says so.
        billed: Whether the request is charged for before the fault strikes. By default an error
            status (400 and above), an HTML page and a blocked picture strike before billing, and
            everything else after it.
    """

    status: int | None = None
    code: str | None = field(default=None, kw_only=True)
    message: str | None = field(default=None, kw_only=True)
    html: bool = field(default=False, kw_only=True)
    delay: float = field(default=0.0, kw_only=True)
    reset: Reset | None = field(default=None, kw_only=True)
    truncated: bool = field(default=False, kw_only=True)
    chunked: bool = field(default=False, kw_only=True)
    content_type: str | None = field(default=None, kw_only=True)
    content_encoding: str | None = field(default=None, kw_only=True)
    damage: Damage | None = field(default=None, kw_only=True)
    drop: tuple[str, ...] = field(default=(), converter=_names, kw_only=True)
    drip: float | None = field(default=None, kw_only=True)
    headers: Headers = field(default=(), converter=header_pairs, kw_only=True)
    body: bytes | None = field(default=None, kw_only=True)
    blocked: bool = field(default=False, kw_only=True)
    billed: bool = field(default=Factory(_billed_by_default, takes_self=True), kw_only=True)

    def __attrs_post_init__(self) -> None:
        for complaint in (*_wrong_values(self), *_contradictions(self)):
            raise ValueError(f"{self!r}: {complaint}")

    @property
    def is_error(self) -> bool:
        """Whether the answer's status says that the request failed."""
        return isinstance(self.status, int) and self.status >= 400

    @property
    def replaces_body(self) -> bool:
        """Whether the answer holds something else than a picture."""
        return self.is_error or self.html or self.body is not None

    @property
    def needs_json(self) -> bool:
        """Whether it has no meaning for an answer in raw bytes."""
        return bool(self.drop) or self.damage in {"base64", "empty", "url"}

    @override
    def __repr__(self) -> str:
        shown = (f"{name}={_shortened(value)}" for name, value in _said(self).items())
        return f"Fault({', '.join(shown)})"

    @classmethod
    def parse(cls, text: str) -> tuple[Fault, int]:
        """Read a fault and the number of times it happens from a short text.

        A word, an argument where the word has one, and a number of times where it is not once:
        "503*3", "503:MODEL_OFFLINE", "reset:body", "delay:2.5", "html:502", "truncated", "damage:base64",
        "drop:timing", "drip:1000", "type:text/plain", "encoding:gzip". Where the usual is not meant,
        "billed:504" strikes after billing and "unbilled:reset" before it.

        What the API refuses in words of its own: "overloaded:30" (seconds of Retry-After), "ratelimit:6"
        and "locked-out:30" (seconds until the reset), "pro-only", "region", "privacy", "disabled",
        "spent", "x402", "retired:z-image-turbo" (the replacement), "openai-error:text". And what is no
        picture: "blocked", "error:text" (with status 200), "login" and "firewall:403" (HTML of a proxy),
        "damage:avif", "damage:url".

        Raises:
            ValueError: It is not written like that.
        """
        try:
            arguments, times = read_fault(text)
            return cls(**arguments), times
        except ValueError as error:
            raise ValueError(f"no fault: {text!r}: {error}; written as {EXAMPLES}") from None


def _said(fault: Fault) -> dict[str, Any]:
    """Collect what differs from a good answer."""
    usual = {attribute.name: attribute.default for attribute in attrs.fields(Fault)}
    usual["billed"] = _billed_by_default(fault)
    values = {name: getattr(fault, name) for name in usual}
    said = {name: value for name, value in values.items() if value != usual[name]}
    return said | {"headers": dict(fault.headers)} if fault.headers else said


def _shortened(value: Any) -> str:
    if isinstance(value, bytes) and len(value) > 40:
        return f"<{len(value)} bytes>"
    return repr(value)


def _wrong_values(fault: Fault) -> Iterable[str]:
    status = fault.status
    if status is not None and not (is_whole(status, 200) and status <= 599):
        yield "a status is a whole number from 200 to 599"
    if not is_number(fault.delay) or fault.delay < 0:
        yield "a delay is a number of seconds from 0"
    if fault.drip is not None and not (is_number(fault.drip) and fault.drip > 0):
        yield "a drip is a number of bytes per second above 0"
    if fault.reset not in (None, *get_args(Reset)):
        yield f"a reset happens at one of {', '.join(get_args(Reset))}"
    if fault.damage not in (None, *get_args(Damage)):
        yield f"a damage is one of {', '.join(get_args(Damage))}"
    if fault.body is not None and not isinstance(fault.body, bytes):
        yield "a body is bytes"
    fields = (*(part for pair in fault.headers for part in pair), fault.content_type, fault.content_encoding)
    if not all(map(is_header_value, fields)):
        yield "a header field is a string on one line"


def _contradictions(fault: Fault) -> Iterable[str]:
    of_a_body = fault.truncated or fault.drip is not None or fault.content_encoding is not None
    own = fault.replaces_body
    if not _said(fault):
        yield "it says nothing"
    if fault.reset is not None and (own or fault.truncated or fault.damage or fault.drop or fault.status):
        yield "a reset leaves no answer that could be otherwise wrong"
    if fault.reset in {"before", "headers"} and of_a_body:
        yield "the connection is gone before there is a body"
    if fault.reset == "before" and (fault.headers or fault.content_type or fault.chunked):
        yield "the connection is gone before there is a head"
    if fault.blocked and (own or fault.damage or fault.status):
        yield "a blocked picture is a good answer, with status 200 and nothing in place of it"
    if own and (fault.damage or fault.drop):
        yield "only a good answer can be damaged, not an error, a page or a body of one's own"
    if fault.html and fault.body is not None:
        yield "an HTML page and a body of one's own exclude each other"
    if (fault.code is not None or fault.message is not None) and not (
        fault.is_error and not fault.html and fault.body is None
    ):
        yield "a code and a message need an error status, and no page or body of one's own"
    if fault.truncated and fault.body is not None and len(fault.body) < 2:
        yield "too short a body to be cut in the middle"
    if fault.damage == "empty" and "images" in fault.drop:
        yield "a list that is missing cannot be empty"


@define(eq=False)
class _Line:
    fault: Fault
    times: int | None
    when: Callable[[Mapping[str, Any]], object] | None

    def meets(self, body: Mapping[str, Any]) -> bool:
        if self.fault.needs_json and body.get("return_binary"):
            return False
        return self.when is None or bool(self.when(body))


class Script:
    """The faults that are still to happen.

    Lines may be added from any thread; only the server's loop takes them.
    """

    def __init__(self) -> None:
        self._lines: list[_Line] = []

    def add(
        self, fault: Fault, times: int | None = 1, when: Callable[[Mapping[str, Any]], object] | None = None
    ) -> None:
        """Write a fault down, to happen `times` times (None: always) to requests that `when` accepts.

        Raises:
            TypeError: It is no Fault.
            ValueError: `times` is below 1.
        """
        if not isinstance(fault, Fault):
            raise TypeError(f"a Fault is needed, not {fault!r}")
        if times is not None and not is_whole(times, 1):
            raise ValueError(f"times={times!r}: a whole number from 1, or None for always, is needed")
        self._lines.append(_Line(fault, times, when))

    def take(self, body: Mapping[str, Any]) -> Fault | None:
        """Give the fault that happens to a request with this body, and count it; None for no fault."""
        for line in list(self._lines):
            if line.meets(body):
                if line.times is not None:
                    line.times -= 1
                    if line.times == 0:
                        self._lines.remove(line)
                return line.fault
        return None
