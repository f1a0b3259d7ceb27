"""File names from a template, safe on every file system.

1. What a template or a prompt contains cannot leave the directory: the template is split at its
   slashes before anything is filled in, and every part is made safe after.
2. A name is at most 200 bytes of UTF-8, so that an extension and a number still fit.
3. A folder holds 10,000 images at most, where the template does not make folders of its own.
"""

from __future__ import annotations

import difflib
import re
import string
import unicodedata
from collections.abc import Mapping

from venice_async.errors import ConfigurationError
from venice_async.types.request import ImageRequest

__all__ = ["DEFAULT_NAME", "NameTemplate"]

DEFAULT_NAME = "{index:05d}_{seed}_{prompt}"

_FIELDS = ("index", "seed", "prompt", "id", "model", "image")
_NUMBERS = {"index", "seed", "image"}
_NUMBER_FORMAT = re.compile(r"(?:0?\d{1,2}d?)?\Z")
_PROMPT_CHARACTERS = 60
_NAME_BYTES = 200
_IN_A_FOLDER = 10_000
_NO_ASCII_WORD = re.compile(r"[^A-Za-z0-9._]+")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
_INVISIBLE = {"Cc", "Cf", "Cs", "Co"}
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\Z", re.IGNORECASE)

# Readers of image folders take files for parts of a data set by these words, and leave out all others.
_SPLIT_NAMES = re.compile(
    r"(?<![^-._ 0-9])(?:train|training|validation|valid|dev|val|test|testing|eval|evaluation)(?![^-._ 0-9])"
)

_Piece = tuple[str, str | None, str]
"""Literal text, the field after it or None, and the field's format."""


class NameTemplate:
    """A template such as `{index:05d}_{prompt}`, or `{model}/{seed}` for folders.

    Fields: `index` (place in the input, from 0), `seed`, `prompt` (its first 60 characters, words
    joined by hyphens), `id` (the API's), `model`, `image` (place in the answer, from 0). Numbers
    take a width, such as `{seed:06d}`. The extension follows from the real format. Without a slash
    in it, what comes after the first 10,000 images goes to the folders `00001`, `00002` and so on.

    Raises:
        ConfigurationError: The template is none, or leads out of the directory.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts: list[list[_Piece]] = []
        for part in text.split("/"):
            if part.strip(". ") == "":
                raise ConfigurationError(f"name={text!r}: every part between slashes needs a name of its own")
            self._parts.append(self._parsed(part))
        self._fields = {field for part in self._parts for _, field, _ in part}

    def render(
        self,
        request: ImageRequest,
        *,
        index: int = 0,
        answer_id: str | None = None,
        image: int = 0,
        images: int = 1,
    ) -> str:
        """The relative path for one image, without its extension.

        Args:
            request: What was asked.
            index: Its place in the input.
            answer_id: The API's id of the request, if it gave one.
            image: The image's place in its answer.
            images: How many the answer has; where the template does not tell them apart, `-0`, `-1`
                and so on are appended.
        """
        values: dict[str, object] = {"index": index, "seed": request.seed, "image": image}
        texts = {
            "prompt": (request.prompt, _PROMPT_CHARACTERS),
            "id": (answer_id or "no-id", _NAME_BYTES),
            "model": (request.model, _NAME_BYTES),
        }
        values |= {name: _words(*text) for name, text in texts.items() if name in self._fields}
        parts = [_safe(_fill(part, values)) for part in self._parts]
        if images > 1 and "image" not in self._fields:
            parts[-1] += f"-{image}"
        if len(parts) == 1 and (folder := index * images // _IN_A_FOLDER):
            parts.insert(0, f"{folder:05d}")
        return "/".join(parts)

    def _parsed(self, part: str) -> list[_Piece]:
        try:
            pieces = list(string.Formatter().parse(part))
        except ValueError as exc:
            raise ConfigurationError(f"name={self.text!r}: {exc}") from exc
        for _, field, spec, conversion in pieces:
            if field is None:
                continue
            if field not in _FIELDS:
                near = difflib.get_close_matches(field, _FIELDS, n=1)
                known = f"did you mean {{{near[0]}}}?" if near else "known are " + ", ".join(_FIELDS)
                raise ConfigurationError(f"name={self.text!r}: there is no field {{{field}}}; {known}")
            allowed = _NUMBER_FORMAT.match(spec or "") if field in _NUMBERS else not spec
            if conversion or not allowed:
                raise ConfigurationError(
                    f"name={self.text!r}: {{{field}}} takes a width such as :05d or nothing"
                )
        return [(literal, field, spec or "") for literal, field, spec, _ in pieces]


def _fill(part: list[_Piece], values: Mapping[str, object]) -> str:
    text = ""
    for literal, field, spec in part:
        text += literal
        if field is not None:
            value = values[field]
            text += "random" if value is None else format(value, spec)
    return text


def _words(text: str, length: int) -> str:
    """Letters, their marks and digits of any script; all between them becomes one hyphen.

    `train`, `test` and the like are capitalised.
    """
    text = text[: 4 * length]
    if text.isascii():
        kept = _NO_ASCII_WORD.sub(" ", text)
    else:
        normal = unicodedata.normalize("NFC", text)
        kept = "".join(char if char in "._" or _is_word(char) else " " for char in normal)
    name = "-".join(kept.split())[:length].strip("-._") or "_"
    return _SPLIT_NAMES.sub(lambda word: word[0].capitalize(), name)


def _is_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


def _safe(part: str) -> str:
    """One path component that every file system takes, and no shell mistakes for an option."""
    text = _UNSAFE.sub("-", part)
    if not text.isascii():
        text = "".join(char for char in text if unicodedata.category(char) not in _INVISIBLE)
    text = text.strip(". ") or "_"
    if text[0] in "-~" or _RESERVED.match(text.partition(".")[0].rstrip(" ")):
        text = f"_{text}"
    return text.encode()[:_NAME_BYTES].decode(errors="ignore").rstrip(". ")
