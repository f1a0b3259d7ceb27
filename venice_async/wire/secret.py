"""The key, and how it is kept out of what a server repeats of it.

1. A server may send back what it was sent: in a refusal, in a header, in a page of its own. Nothing of ours
   shows it, in whatever case it comes back, and whatever escapes it is written in.
2. A short key is no secret, and may be a word of a message: it is let be.
"""

from __future__ import annotations

import re

from attrs import define, field, frozen

__all__ = ["Secret", "SecretFilter"]

_ESCAPE = re.compile(rb"\\(?:u00([2-7][0-9a-f])|.)", re.IGNORECASE | re.DOTALL)
_LENGTH = 16
_INSTEAD = "***"


def _unescaped(escape: re.Match[bytes]) -> bytes:
    """A printable character that stands in JSON for itself; what has to be escaped stays so."""
    plain = bytes.fromhex(escape[1].decode()) if escape[1] else escape[0][1:]
    return plain if (escape[1] and plain not in b'"\\\x7f') or plain == b"/" else escape[0]


def _long_enough(key: str) -> str:
    return key if len(key) >= _LENGTH else ""


@frozen
class Secret:
    """A key that nobody is to see.

    Args:
        key: As it is sent.
    """

    key: str = field(default="", repr=False, converter=_long_enough)
    _in_text: re.Pattern[str] = field(init=False, repr=False, eq=False)
    _in_bytes: re.Pattern[bytes] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        # Of no key, a pattern that is found nowhere.
        pattern = re.escape(self.key) or "(?!)"
        object.__setattr__(self, "_in_text", re.compile(pattern, re.IGNORECASE))
        object.__setattr__(self, "_in_bytes", re.compile(pattern.encode(), re.IGNORECASE))

    def hide(self, text: str) -> str:
        """The text without the key."""
        return self._in_text.sub(_INSTEAD, text)

    def hide_in_bytes(self, data: bytes) -> bytes:
        """The bytes without the key."""
        return self._in_bytes.sub(_INSTEAD.encode(), data)

    def hide_in_json(self, data: bytes) -> bytes:
        """JSON of the same meaning without the key, also where some of it was escaped."""
        return self.hide_in_bytes(_ESCAPE.sub(_unescaped, data) if b"\\" in data else data)


@define
class SecretFilter:
    """Takes the key out of bytes that come piece by piece.

    What could be the beginning of it is held back until more has come, and lost where that never comes.

    Args:
        secret: The key.
    """

    secret: Secret
    _held: bytes = field(init=False, default=b"")

    def feed(self, chunk: bytes) -> bytes:
        """Take the next piece, and give what is known not to be of the key."""
        data = self.secret.hide_in_bytes(self._held + chunk)
        key = self.secret.key.lower().encode()
        end = data[-len(key) :].lower() if key else b""
        held = next((size for size in range(len(key) - 1, 0, -1) if end.endswith(key[:size])), 0)
        self._held = data[len(data) - held :]
        return data[: len(data) - held]

    def rest(self) -> bytes:
        """What was held back, once it is known that nothing follows."""
        return self._held
