"""The key, and how it is kept out of what a server repeats."""

from __future__ import annotations

import pytest

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
