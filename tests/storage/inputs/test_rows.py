"""Rows from files of each format."""

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.errors import ConfigurationError
from venice_async.storage.inputs.rows import FORMATS, format_of, rows_in


def rows(data: bytes, row_format: str):
    return [
        (row.where, dict(row.cells) if row.fault is None else str(row.fault))
        for row in rows_in(io.BytesIO(data), row_format)
    ]


def parquet(**columns) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=repr)
def test_text_has_a_prompt_a_line(mark, end):
    data = mark + end.join([b"  a fox ", b"", b"F\xc3\xbcchse"])
    assert rows(data, "text") == [("line 1", {"prompt": "a fox"}), ("line 3", {"prompt": "Füchse"})]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=repr)
@pytest.mark.parametrize(("row_format", "comma"), [("csv", b","), ("tsv", b"\t")])
def test_tables_have_a_header_and_tell_the_line_in_which_a_row_begins(mark, end, row_format, comma):
    lines = [b"prompt,id , steps", b'"a fox, ""red""",7,20', b'"two\nlines",8', b",,", b"a hen,,5"]
    data = mark + end.join(line.replace(b",", comma) for line in lines)
    assert rows(data, row_format) == [
        ("line 2", {"prompt": f'a fox{comma.decode()} "red"', "id": "7", "steps": "20"}),
        ("line 3", {"prompt": "two\nlines", "id": "8"}),
        ("line 6", {"prompt": "a hen", "steps": "5"}),
    ]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1))
def test_what_a_csv_writer_has_written_is_read_back(prompts):
    import csv

    sink = io.StringIO(newline="")
    csv.writer(sink).writerows([["prompt"], *([prompt] for prompt in prompts)])
    assert [cells for _, cells in rows(sink.getvalue().encode(), "csv")] == [
        {"prompt": prompt} for prompt in prompts
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "there is no 'prompt' among: none"),
        (b"promt,id\na,b\n", "there is no 'prompt' among: promt, id"),
        (b"prompt;id\na;b\n", "prompt;id; cells are separated by commas"),
        (b"prompt,id,id\na,b,c\n", "the column 'id' is there more than once"),
        (b'prompt\na\n"b\nc\n', "line 3: unexpected end of data; is a quote left open?"),
        (b'prompt\na\n"b"c\n', "line 3: "),
        (b"prompt\n" + b"x" * 200_000 + b"\n", "line 2: field larger than field limit"),
    ],
)
def test_what_is_no_table_is_refused(data, message):
    with pytest.raises(ConfigurationError) as caught:
        rows(data, "csv")
    assert message in str(caught.value)


def test_a_row_that_is_wider_than_the_header_is_a_fault_and_the_next_one_is_read():
    assert rows(b"prompt,id\na,b,c\nd,e\n", "csv") == [
        ("line 2", "row = '3 cells': expected 2 cells, as the header has"),
        ("line 3", {"prompt": "d", "id": "e"}),
    ]


def test_json_lines_are_objects_and_null_is_nothing():
    data = b'\xef\xbb\xbf{"prompt":"a","seed":7,"id":null,"deep":{"a":[1]}}\r\n\n{"prompt":"b"}'
    assert rows(data, "jsonl") == [
        ("line 1", {"prompt": "a", "seed": 7, "deep": {"a": [1]}}),
        ("line 3", {"prompt": "b"}),
    ]


@pytest.mark.parametrize("line", [b"{", b"[1]", b"7", b'"a"', b"NaN", b'{"prompt": "\xff"}', b"{} {}", b"\0"])
def test_a_line_that_is_no_json_object_is_a_fault_and_the_next_one_is_read(line):
    first, second = rows(line + b'\n{"prompt":"b"}\n', "jsonl")
    assert first[0] == "line 1"
    assert "expected a JSON object" in first[1]
    assert second == ("line 2", {"prompt": "b"})


def test_a_line_without_an_end_is_not_read_into_memory():
    with pytest.raises(ConfigurationError, match="line 2 is longer than 16 MiB"):
        rows(b'{"prompt":"a"}\n"' + b"x" * 17 * 1024 * 1024, "jsonl")


def test_parquet_rows_are_numbered_and_null_is_nothing():
    data = parquet(prompt=["a", "b"], seed=[7, None], deep=[{"a": 1}, {"a": None}])
    assert rows(data, "parquet") == [
        ("row 1", {"prompt": "a", "seed": 7, "deep": {"a": 1}}),
        ("row 2", {"prompt": "b", "deep": {"a": None}}),
    ]


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"prompt\na\n"])
def test_what_is_no_parquet_is_refused(data):
    with pytest.raises(ConfigurationError, match="after row 0: "):
        rows(data, "parquet")


@pytest.mark.parametrize(
    ("data", "row_format"),
    [
        (b"a f\xf6x\nok\n", "text"),
        (b"prompt\na f\xf6x\nok\n", "csv"),
        (b"prompt\na f\xf6x\nok\n", "tsv"),
        (b'{"prompt":"a f\xf6x"}\n{"prompt":"ok"}\n', "jsonl"),
    ],
)
def test_a_row_that_is_no_utf8_is_a_fault_and_the_next_one_is_read(data, row_format):
    bad, good = rows(data, row_format)
    assert "UTF-8" in bad[1] or "JSON" in bad[1]
    assert good[1] == {"prompt": "ok"}


@pytest.mark.parametrize(
    ("data", "row_format"),
    [
        (b"a\0b\nok\n", "text"),
        (b"prompt\na\0b\nok\n", "csv"),
        (b'{"prompt":"a\\u0000b"}\n{"prompt":"ok"}\n', "jsonl"),
        (parquet(prompt=["a\0b", "ok"]), "parquet"),
    ],
)
def test_a_nul_is_a_fault_and_the_next_row_is_read(data, row_format):
    bad, good = rows(data, row_format)
    assert bad[1].endswith("expected text without a NUL")
    assert good[1] == {"prompt": "ok"}


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("a.txt", b'{"prompt"', "text"),
        ("a.csv", b"PAR1", "csv"),
        ("a.CSV.gz", b"", "csv"),
        ("a.tsv", b"", "tsv"),
        ("a.tab", b"", "tsv"),
        ("a.jsonl", b"", "jsonl"),
        ("a.ndjson.gz", b"", "jsonl"),
        ("a.parquet", b"", "parquet"),
        ("a.pq", b"", "parquet"),
        ("-", b"PAR1....", "parquet"),
        ("-", b'\xef\xbb\xbf {"prompt"', "jsonl"),
        ("prompts", b"a fox", "text"),
        ("prompts.gz", b"prompt,steps\n", "text"),
        ("", b"", "text"),
    ],
)
def test_the_format_is_told_by_the_name_or_else_by_the_first_bytes(name, data, found):
    assert format_of(name, io.BytesIO(data)) == found
    assert found in FORMATS


@pytest.mark.parametrize(("name", "data"), [("a.json", b"{}"), ("-", b' [{"prompt"'), ("a.json.gz", b"")])
def test_json_in_one_piece_is_refused_with_the_way_out(name, data):
    with pytest.raises(ConfigurationError, match=r"one object a line \(jq -c"):
        format_of(name, io.BytesIO(data))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_named(encoding):
    with pytest.raises(ConfigurationError, match=r"a\.csv is UTF-16; save it as UTF-8"):
        format_of("a.csv", io.BytesIO("\ufeffprompt\na\n".encode(encoding)))


def test_a_readers_memory_does_not_grow_with_the_file(tmp_path):
    """The rows of a gzipped file that is larger than all that is allowed for it."""
    import tracemalloc

    line = json.dumps({"prompt": "a fox " * 200}).encode() + b"\n"
    with gzip.open(tmp_path / "a.jsonl.gz", "wb", 1) as file:
        for _ in range(20_000):
            file.write(line)
    tracemalloc.start()
    try:
        with gzip.open(tmp_path / "a.jsonl.gz") as file:
            assert sum(1 for _ in rows_in(file, "jsonl")) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * 1024 * 1024
