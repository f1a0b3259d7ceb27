"""The key, and how it is kept out of what a server repeats."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venice_async.wire.secret import Secret, SecretFilter

KEY = "sk-canary-7f3a9c51d2e84b60"
SECRET = Secret(KEY)


@pytest.mark.parametrize("said", [KEY, KEY.upper(), KEY.title()])
def test_a_key_is_hidden_in_whatever_case(said):
    assert SECRET.hide(f"Bearer {said}, {said}") == "Bearer ***, ***"
    assert SECRET.hide_in_bytes(f"Bearer {said}!".encode()) == b"Bearer ***!"


@pytest.mark.parametrize("key", ["", "key", "a" * 15])
def test_a_short_key_is_let_be(key):
    assert Secret(key).hide(f"a key {key}") == f"a key {key}"
    assert Secret(key).hide_in_bytes(key.encode()) == key.encode()
    assert SecretFilter(Secret(key)).feed(key.encode()) == key.encode()


def test_a_key_of_special_characters_is_taken_as_it_stands():
    assert Secret("." * 20).hide("x" * 20 + "." * 20) == "x" * 20 + "***"


def test_the_key_is_not_shown():
    assert KEY not in repr(SECRET) + repr(SecretFilter(SECRET))


@pytest.mark.parametrize("size", range(1, 60))
def test_pieces_of_any_size_hide_it_as_the_whole_does(size):
    said = f"<h1>sk-canary sk-ca{KEY}{KEY.upper()}s</h1>{KEY}sk-canary.".encode()
    taken = SecretFilter(SECRET)
    came = b"".join(taken.feed(said[start : start + size]) for start in range(0, len(said), size))
    assert came == SECRET.hide_in_bytes(said)


def test_what_may_be_its_beginning_is_left_out_at_the_end():
    assert SecretFilter(SECRET).feed(b"Bearer " + KEY.encode()[:-1]) == b"Bearer "


def test_what_was_held_back_is_there_at_the_end_of_a_whole():
    """A text may well end as the key begins."""
    taken = SecretFilter(SECRET)
    assert taken.feed(b"no results") + taken.rest() == b"no results"


@pytest.mark.parametrize(
    "said",
    [
        b'{"a": "KEY"}',
        rb'{"a": "\u0073k-canary-7f3a9c51d2e84b60"}',
        '{"a": "KEY"}'.replace("KEY", "".join(f"\\u{ord(one):04X}" for one in KEY)).encode(),
        rb'{"a": "\"sk\u002Dcanary\u002d7f3a9c51d2e84b60\\"}',
    ],
)
def test_a_key_is_hidden_in_json_whatever_of_it_is_escaped(said):
    said = said.replace(b"KEY", KEY.encode())
    assert KEY in json.loads(said)["a"]
    assert json.loads(SECRET.hide_in_json(said))["a"] == json.loads(said)["a"].replace(KEY, "***")


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_without_the_key_keeps_its_meaning(value):
    for written in (json.dumps(value), json.dumps(value).replace("/", r"\/"), escaped(value)):
        assert json.loads(SECRET.hide_in_json(written.encode())) == value


def escaped(value):
    """JSON with every character of its strings escaped."""
    return re.sub(
        r'"((?:\\.|[^"\\])*)"',
        lambda found: (
            '"' + json.dumps(json.loads(found[0]))[1:-1].translate(_EVERY) + '"'
            if "\\" not in found[0]
            else found[0]
        ),
        json.dumps(value),
    )


_EVERY = {code: f"\\u{code:04x}" for code in range(0x20, 0x7F) if chr(code) != "\\"}


@pytest.mark.parametrize("broken", [b"\\", b'{"a": "\\', rb'{"a": "\u00', rb"\u006", rb"\x"])
def test_what_is_no_json_is_let_be(broken):
    assert SECRET.hide_in_json(broken) == broken
