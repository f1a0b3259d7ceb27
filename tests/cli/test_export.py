"""The `export` command."""

from __future__ import annotations

import json
import sys

import pytest

SMALL = ("--model", "fluently-xl", "--width", "64", "--height", "64")


@pytest.fixture
def export(called, settings):
    """Buy five images, and call the command on their directory."""
    assert called("generate", "a fox", *SMALL, "--seeds", "0-4", "--into", "out", **settings)[0] == 0
    return lambda *arguments: called("export", "out", *arguments)


def test_an_export_ends_with_a_line_for_a_person(export, tmp_path):
    """And the same command again says the same."""
    for _ in range(2):
        assert export("--format", "webdataset", "--to", "tars", "--shard-size", "2") == (
            *(0, ""),
            "5 images in 3 shards in tars\n",
        )
    assert len(list((tmp_path / "tars").glob("*.tar"))) == 3


def test_what_is_left_out_is_told_and_fails_the_command(export, tmp_path):
    """A line for each, or one object with all of them."""
    first, second, *_ = sorted((tmp_path / "out").glob("*.webp"))
    first.unlink()
    second.write_bytes(b"another")
    code, out, err = export("--format", "parquet", "--to", "data")
    assert (code, err) == (1, "3 images in 1 shard in data; 2 left out\n")
    assert out.splitlines() == [f"missing  {first.name}", f"altered  {second.name}"]
    code, out, _ = export("--format", "parquet", "--to", "data", "--json")
    assert code == 1
    assert json.loads(out) == {
        "images": 3,
        "shards": 1,
        "left_out": [
            {"path": first.name, "verdict": "missing"},
            {"path": second.name, "verdict": "altered"},
        ],
        "to": "data",
    }


def test_what_cannot_be_exported_is_one_readable_error(export, called, settings, tmp_path, monkeypatch):
    """In the words of the command line."""
    more = ("generate", "a fox", *SMALL, "--seeds", "0-4", "--format", "png", "--into", "out", "--extend")
    assert called(*more, **settings)[0] == 0
    code, out, err = export("--format", "parquet", "--to", "data")
    assert (code, out) == (2, "")
    assert (
        err
        == "error: an export is of one format, and there are 5 png, 5 webp: choose one with --image-format\n"
    )
    assert export("--format", "parquet", "--to", "data", "--image-format", "png")[0] == 0
    monkeypatch.setitem(sys.modules, "webdataset", None)
    code, out, err = export("--format", "webdataset", "--to", "tars")
    assert (code, out) == (1, "")
    assert 'pip install "venice-async[dataset]"' in err
    assert len(err.splitlines()) == 1
