"""Requests, prompts and source pictures from files."""

import errno
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.errors import ConfigurationError, StorageError
from venice_async.storage.inputs import read_bytes, read_json, read_prompts

READERS = [read_bytes, read_json, read_prompts]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "input.txt"

    def write(data: bytes) -> str:
        path.write_bytes(data)
        return str(path)

    return write


@pytest.fixture
def stdin(monkeypatch):
    def fill(data: bytes) -> str:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        return "-"

    return fill


def test_each_line_is_a_prompt_and_blank_ones_are_passed_over(file):
    assert read_prompts(file(b"a fox\n\n   \n  a red hen  \r\n\ta cat")) == ["a fox", "a red hen", "a cat"]


def test_prompts_are_utf8_with_or_without_a_mark_at_the_start(file):
    assert read_prompts(file("\ufeffFüchse\n北京 \N{FOX FACE}".encode())) == ["Füchse", "北京 \N{FOX FACE}"]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1), min_size=1))
def test_prompts_come_back_in_their_order(tmp_path_factory, prompts):
    path = tmp_path_factory.mktemp("prompts") / "prompts.txt"
    path.write_bytes("\n".join([*prompts, "last"]).encode())
    assert read_prompts(str(path)) == [prompt.strip() for prompt in prompts if prompt.strip()] + ["last"]


@pytest.mark.parametrize("inside", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"], ids=ascii)
def test_only_the_end_of_a_line_ends_a_prompt(file, inside):
    """A character that some editors show as a break does not make two purchases of one prompt."""
    assert len(read_prompts(file(f"a fox{inside}at dusk\na cat\n".encode()))) == 2


@pytest.mark.parametrize("data", [b"", b"\n \n\t\n", b"\xef\xbb\xbf"])
def test_a_file_without_a_prompt_is_refused_by_its_name(file, data):
    path = file(data)
    with pytest.raises(ConfigurationError) as caught:
        read_prompts(path)
    assert str(caught.value) == f"{path} holds no prompt"


@pytest.mark.parametrize("read", [read_prompts, read_json])
def test_bytes_that_are_no_utf8_are_refused_with_their_place(file, read):
    path = file(b"a f\xf6x")
    with pytest.raises(ConfigurationError) as caught:
        read(path)
    assert str(caught.value) == f"{path} is no UTF-8 (byte 3)"


@pytest.mark.parametrize("value", [{"prompt": "é", "seed": 7}, [1, None], "text", 5, None])
def test_a_json_value_is_read_with_or_without_a_mark_at_the_start(file, value):
    assert read_json(file(json.dumps(value).encode())) == value
    assert read_json(file(b"\xef\xbb\xbf" + json.dumps(value).encode())) == value


@pytest.mark.parametrize("data", [b"", b"{", b"{'a': 1}", b"NaN", b"{} {}", b"prompt"])
def test_what_is_no_json_is_refused_by_the_files_name(file, data):
    path = file(data)
    with pytest.raises(ConfigurationError) as caught:
        read_json(path)
    assert str(caught.value).startswith(f"{path} is no JSON: ")


def test_bytes_are_read_as_they_are(file):
    assert read_bytes(file(bytes(range(256)))) == bytes(range(256))


@pytest.mark.parametrize("read", READERS)
def test_a_file_that_is_not_there_is_a_storage_error_with_its_path(tmp_path, read):
    path = str(tmp_path / "absent")
    with pytest.raises(StorageError) as caught:
        read(path)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, path)
    assert isinstance(caught.value.__cause__, FileNotFoundError)


@pytest.mark.parametrize("read", READERS)
def test_a_directory_is_a_storage_error(tmp_path, read):
    with pytest.raises(StorageError) as caught:
        read(str(tmp_path))
    assert caught.value.errno == errno.EISDIR


def test_a_hyphen_is_standard_input(stdin):
    assert read_prompts(stdin(b"a fox\na cat\n")) == ["a fox", "a cat"]
    assert read_json(stdin(b'{"seed":7}')) == {"seed": 7}
    assert read_bytes(stdin(b"\xff\0")) == b"\xff\0"


@pytest.mark.parametrize(
    ("read", "data", "message"),
    [
        (read_prompts, b"", "standard input holds no prompt"),
        (read_prompts, b"\xff", "standard input is no UTF-8 (byte 0)"),
        (read_json, b"{", "standard input is no JSON: "),
    ],
)
def test_faults_in_standard_input_are_called_so(stdin, read, data, message):
    with pytest.raises(ConfigurationError) as caught:
        read(stdin(data))
    assert str(caught.value).startswith(message)
