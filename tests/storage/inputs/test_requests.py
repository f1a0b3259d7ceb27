"""Requests from a file's rows, and what is wrong with them."""

import asyncio
import gzip
import io
import json
import os
import threading

import pytest

from venice_async import (
    ImageRequest,
    Inpaint,
    RequestLimits,
    StyleReference,
    ValidationError,
    VeniceSession,
    gather_generate,
    read_requests,
)
from venice_async.errors import ConfigurationError, JobChangedError, StorageError
from venice_async.sandbox import Sandbox
from venice_async.storage.inputs import typed_cell
from venice_async.storage.journal import JournalReader


@pytest.fixture
def file(tmp_path):
    def write(name: str, data: bytes | str) -> str:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return str(path)

    return write


@pytest.fixture
def stdin(monkeypatch):
    def fill(data: bytes) -> str:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        return "-"

    return fill


def faults(path, **options) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        read_requests(path, **{"model": "m", **options})
    return [str(fault) for fault in caught.value.faults]


ROW = {"prompt": "a fox", "steps": 20, "cfg_scale": 7.5, "safe_mode": True, "seed": -3, "note": "x"}
WANTED = ImageRequest("a fox", model="m", steps=20, cfg_scale=7.5, safe_mode=True, seed=-3)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", f"{','.join(ROW)}\n{','.join(map(str, ROW.values()))}\n"),
        ("a.tsv", "\t".join(ROW) + "\n" + "\t".join(map(str, ROW.values())) + "\n"),
        ("a.jsonl", json.dumps(ROW)),
        ("a", json.dumps(ROW)),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_every_format_gives_the_same_request(file, name, text, zipped):
    path = file(f"{name}.gz", gzip.compress(text.encode())) if zipped else file(name, text)
    (request,) = read_requests(path, model="m")
    assert request == WANTED
    assert request.metadata == {"note": "x"}


@pytest.mark.parametrize("zipped", [False, True])
def test_parquet_gives_the_same_request(file, zipped):
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([ROW]), sink)
    data = gzip.compress(sink.getvalue()) if zipped else sink.getvalue()
    (request,) = read_requests(file("a.parquet.gz" if zipped else "a.parquet", data), model="m")
    assert (request, request.metadata) == (WANTED, {"note": "x"})


def test_a_rows_own_fields_come_before_the_common_ones(file):
    path = file("a.csv", "prompt,steps,model\na fox,,\na hen,30,other\n")
    assert list(read_requests(path, model="m", steps=20)) == [
        ImageRequest("a fox", model="m", steps=20),
        ImageRequest("a hen", model="other", steps=30),
    ]


def test_common_fields_may_hold_pictures_metadata_and_newer_fields(file):
    path = file("a.jsonl", '{"prompt":"a","id":1}\n{"prompt":"b","extra":{"new":2}}')
    common = {
        "style_references": [StyleReference(image="QUJD", strength=0.3)],
        "inpaint": Inpaint(strength=5, source_image_base64="QUJD"),
        "extra": {"newer": 1},
        "metadata": {"id": 0, "job": "j"},
    }
    first, second = read_requests(path, model="m", **common)
    assert first == ImageRequest("a", model="m", **common)
    assert second == ImageRequest("b", model="m", **{**common, "extra": {"new": 2}})
    assert first.metadata == {"id": 1, "job": "j"}
    assert second.metadata == {"id": 0, "job": "j"}


def test_structures_in_a_table_are_json(file):
    cell = json.dumps([{"image": "QUJD", "strength": 0.3}]).replace('"', '""')
    path = file("a.csv", f'prompt,style_references,extra\na,"{cell}","{{""new"": 1}}"\n')
    (request,) = read_requests(path, model="m")
    assert request.style_references == (StyleReference(image="QUJD", strength=0.3),)
    assert request.extra == {"new": 1}


def test_limits_of_the_rows_are_those_that_were_given(file):
    path = file("a.csv", "prompt,steps\na,50\n")
    assert "admit it" in faults(path)[0]
    (request,) = read_requests(path, model="m", limits=RequestLimits.SCHEMA)
    assert request.steps == 50


def test_axes_multiply_each_row_and_are_counted(file):
    path = file("a.csv", "prompt,steps\na,20\nb,\n")
    requests = read_requests(path, model="m", axes={"cfg_scale": [4, 7.5], "seed": iter(range(3))})
    found = [(r.prompt, r.steps, r.cfg_scale, r.seed) for r in requests]
    assert len(requests) == len(found) == 12
    assert found[:4] == [("a", 20, 4, 0), ("a", 20, 4, 1), ("a", 20, 4, 2), ("a", 20, 7.5, 0)]
    assert found[-1] == ("b", None, 7.5, 2)
    assert list(requests) == list(requests)


def test_what_an_axis_brings_is_not_missing_in_the_rows(file):
    requests = read_requests(file("a.txt", "a\n"), axes={"model": ["m", "n"]})
    assert [request.model for request in requests] == ["m", "n"]


def test_every_bad_row_is_told_with_its_line_and_field_before_anything_is_sent(file):
    path = file("a.csv", "prompt,steps,seed\na,99,x\nok,1,2\n,5,5\n")
    assert faults(path) == [
        "line 2, steps = 99: expected 0 < x < 50 (limits=RequestLimits.CURRENT would admit it)",
        "line 2, seed = 'x': expected an integer, -999999999 < x < 999999999",
        "line 4, prompt = None: expected a value; it is required",
    ]
    with pytest.raises(ValidationError) as caught:
        read_requests(path, model="m")
    assert caught.value.__notes__[0].startswith(f"2 of 3 rows of {path} are bad; nothing was sent.")


def test_bad_rows_can_be_left_out_and_are_counted(file):
    path = file("a.jsonl", '{"prompt":"a"}\n{"prompt":7}\n{\n{"prompt":"b"}')
    requests = read_requests(path, model="m", skip_bad_rows=True)
    assert [request.prompt for request in requests] == ["a", "b"]
    assert (requests.rows, requests.bad_rows, len(requests)) == (2, 2, 2)
    assert [fault.field for fault in requests.faults] == ["line 2, prompt", "line 3, row"]


def test_only_the_first_faults_are_kept(file):
    path = file("a.csv", "prompt,steps\n" + "a,99\n" * 5000)
    assert len(faults(path)) == 20


def test_a_common_field_that_is_wrong_is_no_rows_fault(file):
    with pytest.raises(ValidationError) as caught:
        read_requests(file("a.txt", "a\n"), model="m", steps=99)
    assert (
        str(caught.value) == "steps = 99: expected 0 < x < 50 (limits=RequestLimits.CURRENT would admit it)"
    )


@pytest.mark.parametrize(
    ("axes", "text"), [({"stepps": [1]}, "no field 'stepps'"), ({"steps": []}, "no values")]
)
def test_axes_that_are_none_are_refused(file, axes, text):
    with pytest.raises(ConfigurationError, match=text):
        read_requests(file("a.txt", "a\n"), model="m", axes=axes)


def test_a_file_that_is_not_there_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        read_requests(tmp_path / "absent.csv", model="m")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_read_once_and_gone_through_as_often_as_need_be(stdin, pack):
    requests = read_requests(stdin(pack(b'{"prompt":"a"}\n{"prompt":"b"}')), model="m")
    assert requests.format == "jsonl"
    assert [request.prompt for request in requests] == ["a", "b"]
    assert [request.prompt for request in requests] == ["a", "b"]


def test_a_pipe_is_read_once_and_gone_through_as_often_as_need_be(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"a fox\na hen\n",))
    writer.start()
    requests = read_requests(path, model="m")
    writer.join()
    assert len(list(requests)) == len(list(requests)) == 2


def test_a_closed_standard_input_is_told(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ConfigurationError, match="standard input is closed"):
        read_requests("-", model="m")


@pytest.mark.parametrize(
    ("name", "cell", "value"),
    [
        ("steps", "20", 20),
        ("steps", " 20", 20),
        ("steps", "20.5", "20.5"),
        ("cfg_scale", "4", 4.0),
        ("cfg_scale", "x", "x"),
        ("safe_mode", "TRUE", True),
        ("safe_mode", "no", False),
        ("safe_mode", "maybe", "maybe"),
        ("format", "png", "png"),
        ("prompt", "7", "7"),
        ("extra", '{"a":1}', {"a": 1}),
        ("extra", "{", "{"),
    ],
)
def test_text_becomes_what_the_field_takes(name, cell, value):
    found = typed_cell(name, cell)
    assert (type(found), found) == (type(value), value)


# In a batch


def ids(directory):
    return [image.request.metadata["id"] for image in JournalReader(directory).images()]


def test_a_batch_takes_a_file_and_finds_its_columns_again(file, tmp_path):
    """The file is read in a thread; a second run skips what is there, and takes the columns as they are."""
    path = file("a.csv", "prompt,id\na fox,7\na fox,8\na hen,9\n")
    into = tmp_path / "out"

    async def run(model="fluently-xl"):
        async with VeniceSession("key", base_url=sandbox.url, rate_limit=None) as session:
            rows = await asyncio.to_thread(read_requests, path, model=model, width=64, height=64)
            return await gather_generate(session, rows, into=into, seeds=[1, 2])

    with Sandbox(latency=0, rpm=None) as sandbox:
        report = asyncio.run(run())
        assert (report.generated, report.pending) == (6, 0)
        assert ids(into) == ["7", "7", "8", "8", "9", "9"]
        file("a.csv", "prompt,id\na fox,70\na fox,80\na hen,90\n")
        again = asyncio.run(run())
        assert (again.generated, again.skipped) == (0, 6)
        assert ids(into) == ["70", "70", "80", "80", "90", "90"]
        with pytest.raises(JobChangedError, match="model was fluently-xl, and is flux-dev"):
            asyncio.run(run("flux-dev"))
        assert sandbox.account.billed == 6


def test_a_file_that_changes_for_the_worse_meanwhile_ends_the_batch_with_its_line(file):
    path = file("a.csv", "prompt,steps\na,1\nb,2\n")
    requests = read_requests(path, model="m")
    file("a.csv", "prompt,steps\na,1\nb,99\n")
    with pytest.raises(ValidationError, match="line 3, steps"):
        list(requests)
