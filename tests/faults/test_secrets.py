"""The key is in nothing that is written or raised, not even where the server says it aloud.

Every row of the other tables is searched for it as well: see `check`.
"""

from __future__ import annotations

import json

import pytest

from venice_async.sandbox import Fault

from .places import Api, Wire, goes_on, head, json_body, sends, whole
from .row import KEY, Row, files_with_key, mentions_key, params

_SAID = KEY.encode()
_REFUSED = json.dumps(
    {"error": f"no such key: {KEY}", "code": KEY, "details": {KEY: {"_errors": [KEY]}}}
).encode()


def _said(name, make, ends, *, files=2, kept=0, received=3, billed=3, write=goes_on, free=False):
    """A server that repeats the key in the answer to the second request."""
    how = Wire(write(make), free=free)
    return Row(name, how, ends, received=received, billed=billed, files=files, kept=kept)


ALOUD = [
    _said("in a refusal", lambda _: whole(_REFUSED, status="400 No"), "image BadRequestError image",
          billed=2, free=True),
    _said("in a refusal's headers", lambda _: whole(_REFUSED, f"CF-RAY: {KEY}", status="400 No"),
          "image BadRequestError image", billed=2, free=True),
    _said("in a proxy's page", lambda _: whole(b"<h1>Bearer " + _SAID, status="502 No", kind="text/html"),
          "image unconfirmed image"),
    _said("in a redirect", lambda _: whole(b"", f"Location: https://example.com/{KEY}", status="302 There"),
          "image RedirectError unsent", received=2, billed=1, files=1, free=True),
    _said("in a status line", lambda _: b"HTTP/1.1 999999 " + _SAID + b"\r\n\r\n", "image unconfirmed image",
          write=sends),
    _said("in a header that is none", lambda _: head(KEY), "image unconfirmed image", write=sends),
    _said("in a length", lambda _: head(f"Content-Length: {KEY}"), "image unconfirmed image", write=sends),
    _said("in an encoding", lambda right: whole(json_body(right), f"Content-Encoding: {KEY}"),
          "image DecodeError+paid image"),
    _said("in a content type", lambda _: whole(b"?" * 100, kind=f"text/{KEY}"),
          "image DecodeError+paid image", kept=1),
    _said("in a page of status 200", lambda _: whole(b"<h1>You sent: " + _SAID + b"</h1>", kind="text/html"),
          "image DecodeError+paid image", kept=1),
    _said("in an answer's id", lambda right: whole(json_body(right, id=KEY)), "image image image", files=3),
    _said("in an answer's echo", lambda right: whole(json_body(right, request={"headers": [KEY]})),
          "image image image", files=3),
    _said("in an answer's headers",
          lambda right: whole(json_body(right), f"CF-RAY: {KEY}", f"x-venice-model-id: {KEY}",
                              f"x-venice-version: {KEY}", f"x-venice-enhanced-prompt: {KEY}",
                              f"x-venice-model-deprecation-warning: {KEY}"),
          "image image image", files=3),
    _said("in escapes",
          lambda right: whole(json_body(right, request=KEY).replace(b"canary", rb"\u0063anary"),
                              f"x-venice-enhanced-prompt: {KEY.replace('a', '%61')}"),
          "image image image", files=3),
    Row("in a refusal of the sandbox", Api(Fault(401, message=KEY)), "image AuthenticationError unsent",
        received=2, billed=1, files=1),
]  # fmt: skip


_COMMANDS = [
    ("status", "out"),
    ("status", "out", "--json"),
    ("verify", "out", "--json"),
    ("report", "out"),
    ("gallery", "out"),
    ("export", "out", "--format", "parquet", "--to", "tables"),
]


@pytest.mark.parametrize("row", **params(*ALOUD))
def test_a_server_that_says_the_key_is_not_repeated(row, carry_out, called, tmp_path):
    """Neither by the job, nor by a command that reads it, nor on a page or in a table made of it."""
    carry_out(row)
    for command in _COMMANDS:
        code, out, err = called(*command)
        assert code in {0, 1}, err
        assert KEY not in out + err
    assert (tmp_path / "out" / "index.html").is_file()
    assert not files_with_key(tmp_path)


def test_the_search_would_find_it(tmp_path):
    """In a text, deep in an error, and in a file."""
    deep = ValueError("no")
    deep.__cause__ = KeyError({"headers": [("Authorization", f"Bearer {KEY}".encode())]})
    deep.add_note("a note")
    assert mentions_key(deep, set())
    noted = ValueError("no")
    noted.add_note(KEY)
    assert mentions_key(noted, set())
    assert not mentions_key(ValueError("no"), set())
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(b"\0" + _SAID + b"\0")
    assert files_with_key(tmp_path) == [tmp_path / "deep" / "a"]
