"""The streaming answer decoder: body bytes in, image bytes out, as they arrive.

1. A decoder is fed chunks and returns what they held; how the body was cut into chunks never
   changes what comes out, only in how many pieces.
2. It keeps no image: at most a few characters of base64 between two chunks. What is not an image is
   collected in a skeleton of bounded size and parsed at the end, so that the JSON as a whole is
   judged by a real parser.
3. A string is an image only directly in the array under the top-level key `images`. An echoed
   request may hold anything, a key of that name included.
4. Each fault of an image is a `DecodeError` that says where. Images handed out before a fault are not
   to be trusted until `close` has returned.
5. What is not an image never costs one: beside images that are whole, fields that are too large, nested
   too deep or no valid JSON are left out.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from contextlib import suppress
from typing import Any, Protocol

import orjson
import pybase64
from typing_extensions import Buffer

from venice_async.errors import DecodeError
from venice_async.types.options import AnswerLimits

from .images import Event, Images
from .secret import Secret
from .words import said_in

__all__ = [
    "AnswerDecoder",
    "BinaryDecoder",
    "JsonDecoder",
]


class AnswerDecoder(Protocol):
    """Turns the body of an answer into images and fields."""

    @property
    def images(self) -> int:
        """How many images have begun."""
        ...

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next chunk of the body and return what it completes."""
        ...

    def close(self) -> dict[str, Any] | None:
        """Take the end of the body; its fields without the images, None where it has no fields."""


class BinaryDecoder:
    """The body is the image itself (`return_binary`)."""

    def __init__(self, limits: AnswerLimits = AnswerLimits()) -> None:
        self._images = Images(limits)
        self._images.begin(0)
        self._offset = 0

    @property
    def images(self) -> int:
        """How many images have begun."""
        return self._images.count

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next chunk of the body and return what it completes."""
        events: list[Event] = []
        if chunk:
            self._images.add(chunk, self._offset, events)
            self._offset += len(chunk)
        return events

    def close(self) -> None:
        """Take the end of the body.

        Raises:
            DecodeError: The body is empty, no image, or an image that is cut short.
        """
        self._images.end(self._offset)
        self._images.check()


_STRUCTURE = re.compile(rb'["{}\[\]]')
_TOP_LEVEL = re.compile(rb'["{}\[\],]')
_STRING_BODY = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_WHOLE_STRING = re.compile(_STRING_BODY.pattern + b'"', re.DOTALL)
_WITHOUT_BRACKETS = re.compile(rb'[^"{}\[\]]*+(?:"%b"[^"{}\[\]]*+)*+' % _STRING_BODY.pattern, re.DOTALL)
_DATA_URI = re.compile(rb'data:[^",]{0,64};base64,')
_CUT_DATA_URI = re.compile(rb'd(?:a(?:t(?:a(?::[^",]{0,71})?)?)?)?')
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_PADDING = re.compile(rb"[A-Za-z0-9+/]{2}(?:==|[A-Za-z0-9+/]=)")
_NO_BASE64_AT_ALL = re.compile(rb"[^A-Za-z0-9+/=]")
_SURROGATES = re.compile(
    rb"\\u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair, which is right
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_TOKEN = re.compile(rb"\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL)
_LONGEST_HEAD = 80  # bytes
_MUCH = 16 * 1024  # bytes, at which a second look costs something
_QUOTE, _BACKSLASH, _EQUALS, _BRACE, _BRACKET, _D = b'"\\={[d'


class JsonDecoder:
    """The body is JSON with base64 images under the top-level key `images`."""

    def __init__(self, limits: AnswerLimits = AnswerLimits(), secret: Secret = Secret()) -> None:
        self._limits = limits
        self._secret = secret
        self._images = Images(limits)
        self._state = self._structure
        self._base = 0  # bytes of the body before the current chunk
        self._failed: DecodeError | None = None
        self._skeleton = bytearray()
        self._depth = 0  # brackets around the current position
        self._too_much = False  # of fields: none of them are kept
        self._broken = False  # behind the images: nothing more is read
        self._key: str | None = None  # of the top-level member
        self._key_next = False
        self._in_images = False
        self._images_seen = False
        # of the current string that is no image
        self._string_start = 0
        self._is_key = False
        self._escaped = False
        self._left_out = 0
        # of the current image
        self._head = b""
        self._carry = b""
        self._escape = b""
        self._padded = False

    @property
    def images(self) -> int:
        """How many images have begun."""
        return self._images.count

    @property
    def text(self) -> bytes:
        """What of the body is no image, as far as it has come."""
        return self._secret.hide_in_json(bytes(self._skeleton))

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next chunk of the body and return what it completes.

        Raises:
            DecodeError: Invalid base64, or a bound was passed.
        """
        if self._failed is not None:
            raise self._failed
        events: list[Event] = []
        try:
            self._feed(chunk, events)
        except DecodeError as exc:
            if not events:
                raise
            self._failed = exc  # what came before the fault is handed out first: it may be worth keeping
        return events

    def _feed(self, chunk: bytes, events: list[Event]) -> None:
        position, end = 0, len(chunk)
        while position < end and not self._broken:
            try:
                position = self._state(chunk, position, events)
            except DecodeError:
                if not self._whole:
                    raise
                self._broken = True
            self._bound_fields()
        self._base += end

    def _bound_fields(self) -> None:
        # A string that is not here whole may yet be left out.
        held = self._string_start if self._state == self._string else len(self._skeleton)
        self._too_much |= held > self._limits.field_bytes
        if self._too_much and self._state == self._structure:
            self._skeleton.clear()

    @property
    def _whole(self) -> bool:
        """Whether the list of images is there to its end, with any in it."""
        return self._images_seen and not self._in_images and self._images.count > 0

    def close(self) -> dict[str, Any]:
        """Take the end of the body and return its fields but `images`.

        Raises:
            DecodeError: The body ends early, is no JSON object, or its images are not all there.
        """
        if self._failed is not None:
            raise self._failed
        fields: dict[str, Any] = {}
        try:
            fields = self._fields()
        except DecodeError:
            if not self._whole:
                raise
        images = fields.pop("images", None)
        if not self._whole:
            beyond = " and is beyond AnswerLimits.field_bytes or .depth" if self._too_much else ""
            raise DecodeError(_without_images(images, said_in(fields)) + beyond)
        self._images.check()
        return fields

    def _fields(self) -> dict[str, Any]:
        if self._broken or self._too_much:
            return {}
        if self._state != self._structure or self._depth or not self._skeleton:
            raise self._fault("the answer ends early", 0)
        fields = _parse(self.text)
        if not isinstance(fields, dict):
            raise DecodeError("the answer is no JSON object")
        return fields

    def _fault(self, message: str, position: int) -> DecodeError:
        return DecodeError(message, offset=self._base + position)

    def _structure(self, chunk: bytes, position: int, events: list[Event]) -> int:  # noqa: ARG002
        """Take everything up to and with the next bracket or quote, and a string that is here whole."""
        depth = self._depth
        if depth > 1 and not self._in_images:
            position = self._pass_over(chunk, position)
        found = (_TOP_LEVEL if depth == 1 else _STRUCTURE).search(chunk, position)
        if found is None:
            self._skeleton += chunk[position:]
            return len(chunk)
        end = found.end()
        self._skeleton += chunk[position:end]
        mark = chunk[end - 1]
        if mark == _QUOTE:
            return self._begin_string(chunk, end)
        if mark in b"{[":
            self._open(mark, end - 1)
        elif mark in b"}]":
            self._shut(end - 1)
        else:
            self._key_next = True
        return end

    def _pass_over(self, chunk: bytes, position: int) -> int:
        """Take what holds no bracket, where no string is a key or an image that matters."""
        # No further than a string that is short enough to keep, wherever it begins.
        found = _WITHOUT_BRACKETS.match(chunk, position, position + self._limits.string_bytes)
        end = found.end() if found else position
        self._skeleton += chunk[position:end]
        return end

    def _open(self, bracket: int, at: int) -> None:
        depth = self._depth
        if depth == 0 and (bracket != _BRACE or self._key_next or self._key is not None):
            raise self._fault("the answer is no JSON object", at)
        self._too_much |= depth >= self._limits.depth
        self._depth += 1
        if depth == 0:
            self._key_next = True
        elif depth == 1 and bracket == _BRACKET and self._key == "images":
            if self._images_seen:
                self._images.refuse("the answer has 'images' twice")
            self._in_images = self._images_seen = True

    def _shut(self, at: int) -> None:
        if not self._depth:
            raise self._fault("the answer is no valid JSON: a bracket too many", at)
        self._depth -= 1
        if self._depth == 1:
            self._in_images = False

    def _begin_string(self, chunk: bytes, start: int) -> int:
        """Take an opening quote that ends at `start`, and the string's rest if it is here and short."""
        depth = self._depth
        if depth == 0:
            raise self._fault("the answer is no JSON object", start - 1)
        if self._in_images and depth == 2:
            self._images.begin(self._base + start - 1)
            self._carry = self._escape = b""
            self._padded = False
            self._state = self._image_head
            return start
        self._string_start = len(self._skeleton)
        self._is_key = depth == 1 and self._key_next
        whole = _WHOLE_STRING.match(chunk, start)
        if whole is None or (end := whole.end()) - start > self._limits.string_bytes:
            self._left_out = 0
            self._state = self._string
            return start
        self._skeleton += chunk[start:end]
        if self._is_key:
            self._take_key()
        return end

    def _string(self, chunk: bytes, position: int, events: list[Event]) -> int:  # noqa: ARG002
        """Take the current string up to its closing quote or the end of the chunk."""
        start = position
        if self._escaped:
            self._escaped = False
            position += 1
        matched = _STRING_BODY.match(chunk, position)
        end = matched.end() if matched else position
        if end < len(chunk) and chunk[end] == _BACKSLASH:  # the chunk ends between `\` and its character
            self._escaped = True
            end += 1
        self._keep(chunk, start, end)
        if end == len(chunk):
            return end
        if self._left_out:
            self._skeleton += b"[%d bytes left out]" % self._left_out
        self._skeleton += b'"'
        if self._is_key:
            self._take_key()
        self._state = self._structure
        return end + 1

    def _keep(self, chunk: bytes, start: int, end: int) -> None:
        """Add a piece of a string to the skeleton, unless the string has become too long to keep."""
        length = len(self._skeleton) - self._string_start + end - start
        if not self._left_out and length <= self._limits.string_bytes:
            self._skeleton += chunk[start:end]
        else:
            del self._skeleton[self._string_start :]
            self._left_out += length

    def _take_key(self) -> None:
        self._key_next = False
        self._key = ""  # what follows on one that is no valid JSON is not the images
        with suppress(orjson.JSONDecodeError):
            self._key = orjson.loads(self._skeleton[self._string_start - 1 :])

    def _image_head(self, chunk: bytes, position: int, events: list[Event]) -> int:
        """Pass over what makes a data URI of an image: `data:image/webp;base64,`."""
        before = len(self._head)
        if not before and chunk[position] != _D:
            self._state = self._image
            return position
        self._head += chunk[position : position + _LONGEST_HEAD]
        if found := _DATA_URI.match(self._head):
            position += found.end() - before
        elif _CUT_DATA_URI.fullmatch(self._head):
            return len(chunk)
        elif before:  # it is none, and earlier chunks held a part of it
            self._decode(memoryview(self._head[:before]), position - before, events)
        self._head = b""
        self._state = self._image
        return position

    def _image(self, chunk: bytes, position: int, events: list[Event]) -> int:
        """Decode the current image up to its closing quote or the end of the chunk."""
        if len(chunk) - position >= _MUCH and self._decode_at_once(memoryview(chunk)[position:], events):
            return len(chunk)
        end = chunk.find(_QUOTE, position)
        stop = len(chunk) if end < 0 else end
        if self._escape or chunk.find(_BACKSLASH, position, stop) >= 0:
            piece: Buffer = self._unescape(chunk[position:stop], position, events)
        else:
            piece = memoryview(chunk)[position:stop]
        self._decode(memoryview(piece), position, events)
        if end < 0:
            return stop
        if self._carry or self._escape:
            raise self._fault(f"images[{self._images.count - 1}]: base64 ends early, padding is missing", end)
        self._images.end(self._base + end)
        self._skeleton += b'"'
        self._state = self._structure
        return end + 1

    def _decode_at_once(self, piece: memoryview, events: list[Event]) -> bool:
        """Decode a chunk in one pass, if all of it is image; False, with nothing changed, if not."""
        first = -len(self._carry) % 4
        stop = len(piece) - (len(piece) - first) % 4
        group, tail = self._carry + piece[:first], bytes(piece[stop:])
        if self._escape or self._padded or _NO_BASE64.search(group) or _NO_BASE64.search(tail):
            return False
        try:
            data = pybase64.b64decode(piece[first:stop], validate=True)
        except Base64Error:
            return False
        if group:
            self._images.add(pybase64.b64decode(group), self._base, events)
        self._images.add(data, self._base, events)
        self._carry = tail
        self._padded = piece[stop - 1] == _EQUALS
        return True

    def _decode(self, piece: memoryview, position: int, events: list[Event]) -> None:
        """Decode whole groups of four characters and carry the rest."""
        start = 0
        if self._carry and piece:
            start = min(4 - len(self._carry), len(piece))
            self._carry += self._checked(piece[:start], position)
            if len(self._carry) < 4:
                return
            group, self._carry = self._carry, b""
            self._decode_groups(memoryview(group), position - len(group) + start, events)
        stop = len(piece) - (len(piece) - start) % 4
        if stop > start:
            self._decode_groups(piece[start:stop], position + start, events)
        if stop < len(piece):
            self._carry = self._checked(piece[stop:], position + stop)

    def _checked(self, characters: memoryview, position: int) -> bytes:
        """Characters to carry; a bad one is told now, while its place is known."""
        if found := _NO_BASE64_AT_ALL.search(characters):
            raise self._fault(f"images[{self._images.count - 1}]: invalid base64", position + found.start())
        return bytes(characters)

    def _decode_groups(self, groups: memoryview, position: int, events: list[Event]) -> None:
        fault = f"images[{self._images.count - 1}]: invalid base64"
        if self._padded:
            raise self._fault(f"{fault}, more after its padding", position)
        try:
            data = pybase64.b64decode(groups, validate=True)
        except Base64Error as exc:
            at = _fault_in(bytes(groups))
            good = pybase64.b64decode(groups[: at - at % 4])
            self._images.add(good, self._base + position, events)
            raise self._fault(fault, position + at) from exc
        self._padded = groups[-1] == _EQUALS
        self._images.add(data, self._base + position, events)

    def _unescape(self, piece: bytes, position: int, events: list[Event]) -> bytes:
        r"""Resolve JSON escapes (`\/` and `\u002f` are legal inside base64), keeping a cut one back."""
        position -= len(self._escape)
        piece = self._escape + piece
        cut = piece.rfind(b"\\")
        whole = cut < 0 or (_ESCAPE.match(piece, cut) is not None and not _is_cut_unicode(piece, cut))
        # A backslash that is itself escaped is no base64 either way, and is refused here.
        self._escape = b"" if whole else piece[cut:]
        piece = piece if whole else piece[:cut]
        plain = _ESCAPE.sub(_plain, piece)
        if _NO_BASE64_AT_ALL.search(plain):
            for token in _TOKEN.finditer(piece):
                if _NO_BASE64_AT_ALL.search(_ESCAPE.sub(_plain, token[0])):
                    good = _ESCAPE.sub(_plain, piece[: token.start()])
                    self._decode(memoryview(good), position, events)
                    message = f"images[{self._images.count - 1}]: invalid base64"
                    raise self._fault(message, position + token.start())
        return plain


def _without_images(images: Any, said: str) -> str:
    """What is wrong with an answer that has brought none, and what it says instead."""
    if images is None:
        return "the answer has no 'images'" + (f"; it says {said!r:.200}" if said else "")
    return f"'images' in the answer is {'empty' if images == [] else 'no list of strings'}"


def _parse(skeleton: bytes) -> Any:
    try:
        return orjson.loads(skeleton)
    except orjson.JSONDecodeError as exc:
        # A server that cuts a text inside a surrogate pair must not cost the image beside it.
        mended = _SURROGATES.sub(lambda found: rb"\ufffd" if found[1] else found[0], skeleton)
        try:
            return orjson.loads(mended)
        except orjson.JSONDecodeError:
            raise DecodeError(f"the answer is no valid JSON: {exc.msg}") from exc


_UNICODE_ESCAPE = 6  # characters in \u002f


def _fault_in(groups: bytes) -> int:
    """Where the first character stands that makes these groups of four no base64."""
    found = _NO_BASE64.search(groups)
    at = found.start() if found else 0
    if padding := _PADDING.match(groups, at - at % 4):
        return padding.end()  # right by itself, and wrong is what follows
    return at


def _is_cut_unicode(piece: bytes, at: int) -> bool:
    return piece[at + 1 : at + 2] == b"u" and len(piece) < at + _UNICODE_ESCAPE


def _plain(escape: re.Match[bytes]) -> bytes:
    r"""The character that an escape stands for; anything but `/` and ASCII stays, to be refused."""
    if escape[1]:
        code = int(escape[1], 16)
        return bytes((code,)) if code < 0x80 else escape[0]
    return b"/" if escape[2] == b"/" else escape[0]
