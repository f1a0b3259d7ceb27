"""The commands on the directory of a job in shards: as on any other."""

from __future__ import annotations

import json
import shutil

import pytest
from PIL import Image

from venice_async.storage.journal.lock import DirectoryLock

from ..jobs import content
from ..sharded import job_in_shards, recorded

SMALL = ("--model", "fluently-xl", "--width", "64", "--height", "64")
LEFT_OUT = "2 of its shards have not ended, and what is there is left out\n"


@pytest.fixture(scope="module")
def made(sandbox, tmp_path_factory):
    into = tmp_path_factory.mktemp("made") / "out"
    job_in_shards(sandbox, into)
    return into


@pytest.fixture
def job(made, tmp_path):
    """A directory of five shards: three have ended, with eleven images and a failure, two have not."""
    return shutil.copytree(made, tmp_path / "out")


def test_status_sums_up_the_shards(called, job):
    code, out, err = called("status", "out")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "job     model fluently-xl, name {index:05d}_{seed}_{prompt}"
    assert lines[1] == "run     1, cut off"
    assert lines[2] == "shards  5 of 4 items each begun, 3 ended"
    assert lines[3].startswith("items   16: 14 done (14 images, ")
    assert lines[3].endswith("), 1 failed")
    assert lines[4].startswith("spent   $0.15; the balance was $")
    assert lines[5].startswith("rate    ")
    assert lines[6].startswith("      1 failed: 422")
    assert len(lines) == 7


def test_status_is_a_line_for_a_program(called, job):
    code, out, _ = called("status", "out", "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["items"], told["done"], told["failed"], told["images"]) == (16, 14, 1, 14)
    assert (told["shards"], told["shards_ended"], told["shard_size"]) == (5, 3, 4)
    assert [group["count"] for group in told["failures"]] == [1]


def test_verify_hashes_what_has_ended_and_says_what_has_not(called, job):
    assert called("verify", "out") == (0, "", f"11 intact, 0 missing, 0 altered, 0 foreign\n{LEFT_OUT}")
    (first, _), (second, _), *_ = recorded(job)
    (job / first).unlink()
    (job / second).write_bytes(b"another")
    (job / "mine.png").write_bytes(b"mine")
    code, out, err = called("verify", "out")
    assert (code, err) == (1, f"9 intact, 1 missing, 1 altered, 1 foreign\n{LEFT_OUT}")
    assert sorted(out.splitlines()) == [f"altered  {second}", "foreign  mine.png", f"missing  {first}"]


def test_the_page_shows_the_images_of_all_shards(called, job):
    """From where they are."""
    code, out, err = called("gallery", "out")
    assert (code, out, err) == (0, "out/index.html\n", f"11 images, 11 new\n{LEFT_OUT}")
    data = (job / ".venice" / "gallery" / "data.js").read_text()
    shown = [json.loads(line.rstrip(",")) for line in data.splitlines() if line.startswith('{"file"')]
    assert [image["file"] for image in shown] == [name for name, _ in recorded(job)]
    assert [image["index"] for image in shown] == [image["request"]["seed"] for image in shown]
    page = (job / "index.html").read_text()
    assert "14 (14 images, " in page
    assert "1 failed" in page


def test_a_sheet_holds_the_images_of_all_shards(called, job, tmp_path):
    code, out, err = called("sheet", "out", "--to", "sheet.png", "--cell", "64", "--columns", "seed")
    assert (code, out) == (0, "sheet.png\n")
    assert err.endswith(LEFT_OUT)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 11 * 64


def test_a_report_is_of_all_shards(called, job):
    code, out, err = called("report", "out")
    assert (code, err) == (0, LEFT_OUT)
    lines = out.splitlines()
    assert lines[4].startswith("images  14 in 11 answers, ")
    assert lines[5] == "spent   $0.15"
    assert lines[6].startswith("      1 failed: 422")
    told = json.loads(called("report", "out", "--json")[1])
    assert (told["answers"], told["latency"]["count"]) == (11, 11)


@pytest.mark.parametrize("layout", ["webdataset", "parquet", "imagefolder"])
def test_an_export_holds_the_images_of_all_shards(called, job, tmp_path, layout):
    """And tells what is missing by its path in the job's directory."""
    arguments = ("export", "out", "--format", layout, "--to", "data", "--shard-size", "5")
    assert called(*arguments) == (0, "", f"11 images in 3 shards in data\n{LEFT_OUT}")
    first, _ = recorded(job)[0]
    (job / first).unlink()
    code, out, err = called("export", "out", "--format", layout, "--to", "more")
    assert (code, out) == (1, f"missing  {first}\n")
    assert err == f"10 images in 1 shard in more; 1 left out\n{LEFT_OUT}"


def test_what_is_worked_on_is_not_exported_yet(called, job, tmp_path):
    """As far as its lock can be seen from here."""
    lock = DirectoryLock(job / "00003" / ".venice" / "lock", job)
    lock.take()
    try:
        code, _, err = called("export", "out", "--format", "parquet", "--to", "data")
    finally:
        lock.release()
    assert (code, err) == (1, "error: out: A batch is at work here; export it once it has ended\n")
    assert not (tmp_path / "data").exists()


def test_an_image_folder_of_a_job_in_shards_has_its_rows(called, job, tmp_path):
    assert called("export", "out", "--format", "imagefolder", "--to", "data")[0] == 0
    rows = [json.loads(line) for line in (tmp_path / "data" / "metadata.jsonl").read_text().splitlines()]
    assert [row["sha256"] for row in rows] == [image.file.sha256 for _, image in recorded(job)]
    assert [row["index"] for row in rows] == [row["seed"] for row in rows]


@pytest.mark.parametrize(
    "command",
    [
        ("generate", "a fox", *SMALL, "--into", "out"),
        ("generate", "a fox", *SMALL, "--into", "out", "--extend"),
        ("generate", "a fox", *SMALL, "--into", "out", "--dry-run"),
        ("retry", "out"),
        ("redo", "out", "--missing"),
        ("redo", "out", "--missing", "--forget"),
    ],
)
def test_no_batch_begins_there(called, job, settings, command):
    """The message says what to do; nothing is sent, and nothing changes."""
    before = content(job)
    code, out, err = called(*command, **settings)
    assert (code, out) == (2, "")
    assert err == (
        "error: out holds a job in shards. Nothing was sent; use --dask, or a shard's own directory,"
        " such as out/00000\n"
    )
    assert content(job) == before
    assert settings.sent == []


def test_a_shard_is_worked_on_in_its_own_directory(called, job, settings):
    """After which the whole knows of it."""
    code, _, err = called("retry", "out/00001", **settings)
    assert (code, err.splitlines()[-1][:18]) == (0, "1 of 1 generated f")
    assert called("verify", "out")[2].startswith("12 intact, 0 missing")
    assert json.loads(called("status", "out", "--json")[1])["failed"] == 0


def test_a_torn_receipt_is_one_readable_error(called, job):
    """That names the file."""
    (job / ".venice" / "receipts" / "00001.json").write_bytes(b"{")
    for command in ("status", "verify", "report", "gallery"):
        code, out, err = called(command, "out")
        assert (code, out) == (1, "")
        assert err.startswith("error: out/.venice/receipts/00001.json: This is no receipt of a shard")
        assert len(err.splitlines()) == 1
