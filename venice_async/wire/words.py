"""What an answer says in words, for a person: in the API's JSON, in OpenAI's, or on a page of HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["is_html", "said_in", "said_on"]

_HTML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|title|body)\b", re.IGNORECASE)
_TITLE = re.compile(r"<(title|h1)\b[^<>]{0,200}>([^<]{0,500})", re.IGNORECASE)


def said_in(fields: Mapping[str, Any]) -> str:
    """The sentence of a JSON object; empty where it has none."""
    for told in (fields.get("error"), fields.get("message")):
        sentence = told.get("message") if isinstance(told, Mapping) else told
        if isinstance(sentence, str) and sentence.strip():
            return sentence
    return ""


def said_on(page: bytes) -> str:
    """The title of a page of HTML; of anything else, all of it."""
    text = page.decode("utf-8", "replace")
    title = _TITLE.search(text)
    return html.unescape(title[2] if title else text).strip()


def is_html(body: bytes) -> bool:
    """Whether a body, or its beginning, is a page of HTML."""
    return _HTML.match(body) is not None
