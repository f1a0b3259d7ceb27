"""`venice-async report` and `venice-async sheet`."""

import json

import pytest
from PIL import Image

SMALL = ["--model", "fluently-xl", "--width", "64", "--height", "64", "--into", "out", "--no-gallery"]


@pytest.fixture
def job(called, settings):
    called("generate", "a fox", "--seeds", "0-3", *SMALL, **settings)


def test_a_report_is_a_table_for_a_person(called, job):
    code, out, err = called("report", "out")
    assert (code, err) == (0, "")
    first, latency, queue, inference, images, spent = out.splitlines()
    assert first.split() == ["p50", "p90", "p99", "most"]
    assert [line.split()[0] for line in (latency, queue, inference)] == ["latency", "queue", "inference"]
    assert images.startswith("images  4 in 4 answers, ")
    assert spent == "spent   $0.04"


def test_a_report_is_a_line_for_a_program(called, job):
    code, out, _ = called("report", "out", "--json")
    told = json.loads(out)
    assert (code, told["images"], told["answers"], told["failures"]) == (0, 4, 4, [])
    assert 0 < told["latency"]["p50"] <= told["latency"]["most"]
    assert told["queue"]["p50"] >= 0


def test_a_report_tells_what_went_wrong(called, settings):
    called("generate", "a fox", "--model", "no-such-model", "--no-check-models", "--into", "out", **settings)
    code, out, _ = called("report", "out")
    assert code == 0
    assert "images  0 in 0 answers" in out
    assert "1 pending: 404" in out


def test_a_sheet_is_one_picture(called, job, tmp_path):
    code, out, err = called("sheet", "out", "--to", "sheet.webp", "--cell", "64")
    assert (code, out) == (0, "sheet.webp\n")
    with Image.open(tmp_path / "sheet.webp") as sheet:
        assert f"{sheet.width} x {sheet.height} pixels" in err
    code, _, err = called("sheet", "out", "--to", "sheet.webp")
    assert code == 1
    assert "or --force" in err
    assert called("sheet", "out", "--to", "sheet.webp", "--cell", "64", "--force")[0] == 0


@pytest.mark.parametrize("command", [["report", "nowhere"], ["sheet", "nowhere", "--to", "a.png"]])
def test_a_directory_without_a_job_is_one_readable_error(called, command):
    code, out, err = called(*command)
    assert (code, out) == (1, "")
    assert "no batch was begun here" in err
