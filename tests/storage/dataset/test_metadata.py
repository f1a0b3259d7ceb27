"""`metadata.jsonl` beside a job's images: every image with its row, and nothing else."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

import attrs
import pytest

from venice_async import ImageRequest
from venice_async.errors import StorageError
from venice_async.sandbox import Fault, Sandbox
from venice_async.storage import names
from venice_async.storage.dataset import metadata, rows, write_metadata
from venice_async.storage.journal import audit
from venice_async.storage.shards import mark_sharded

from ...jobs import Job, Painter
from ...sharded import SIZE, job_in_shards, receipt, work
from ...sharded import recorded as recorded_in_shards
from .readers import SMALL, SOURCE, bought, check, recorded, varied


@pytest.fixture
def sandbox():
    with Sandbox(latency=0, rpm=None) as running:
        yield running


def lines(directory):
    return [json.loads(line) for line in (directory / "metadata.jsonl").read_bytes().splitlines()]


def test_datasets_opens_a_jobs_directory_with_every_image_and_every_row(job, load):
    """At the first try, whatever the prompts are and whatever the names of files look like."""
    check(load("imagefolder", job), recorded(job))


def test_every_row_has_the_same_columns_in_the_same_order(job):
    """Request fields under their own names, pictures as their digests, and what the input brought along."""
    found = lines(job)
    assert len({tuple(row) for row in found}) == 1
    fields = [field.name for field in attrs.fields(ImageRequest)]
    assert list(found[0])[: len(fields) - 1] == ["file_name", *fields[:-2]]
    assert list(found[0])[-10:] == [
        *("n", "mixed", "when", "flag", "deep", "long", "meta_prompt", "meta_image", "mask_file_name_"),
        "meta_",
    ]
    (row,) = (row for row in found if row["seed"] == 10)
    digest = hashlib.sha256(SOURCE).hexdigest()
    assert json.loads(row["inpaint"]) == {"strength": 50, "source_image_base64": f"sha256:{digest}"}
    assert (json.loads(row["deep"]), json.loads(row["long"])) == ({"a": [1, {"b": None}]}, 2**70)
    assert [row["mixed"] for row in found if row["mixed"]] == ["1"] * 4 + ['"one"']
    assert {type(row["n"]) for row in found} == {float, type(None)}
    assert {type(row["cfg_scale"]) for row in found} == {float, type(None)}


def test_every_field_of_a_request_has_a_type():
    """One that is added has to be given one, unless it is text."""
    kinds = {"int": "int", "float": "float", "bool": "bool"}
    for field in attrs.fields(ImageRequest):
        kind = kinds.get(str(field.type).removesuffix(" | None"), "text")
        if field.name in rows._OURS:
            assert rows._OURS[field.name] == kind, field.name


def test_a_run_that_changes_nothing_leaves_the_file_as_it_is(sandbox, tmp_path):
    """And one that adds images brings it up to them."""
    out = tmp_path / "out"
    bought(sandbox, out, varied()[:3])
    before = (out / "metadata.jsonl").stat()
    bought(sandbox, out, varied()[:3])
    after = (out / "metadata.jsonl").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    bought(sandbox, out, varied()[:5])
    assert [row["prompt"] for row in lines(out)] == [request.prompt for request in varied()[:5]]
    assert {finding.verdict for finding in audit(out)} == {"intact"}


def test_only_images_that_are_there_are_named(sandbox, tmp_path):
    """What failed never is, what was deleted or cut no longer; without any there is no file."""
    out = tmp_path / "out"
    sandbox.script(Fault(422), when=lambda body: body["seed"] == 1, times=1)
    bought(sandbox, out, varied()[:4])
    first, second, third = (out / row["file_name"] for row in lines(out))
    first.unlink()
    second.write_bytes(b"cut")
    write_metadata(out)
    assert [row["file_name"] for row in lines(out)] == [third.name]
    third.unlink()
    write_metadata(out)
    assert not (out / "metadata.jsonl").exists()


def test_a_disk_that_refuses_the_file_stops_no_batch_and_is_told(sandbox, tmp_path, monkeypatch):
    """The images are there, the report says what is not, and the next run makes up for it."""
    out = tmp_path / "out"

    def refused(*args, **options):
        raise OSError(28, "No space left on device", str(out / "metadata.jsonl"))

    with monkeypatch.context() as patch:
        patch.setattr(metadata, "put_in_place", refused)
        report = bought(sandbox, out, varied()[:2])
    assert (report.generated, report.failed, report.pending) == (2, 0, 0)
    assert isinstance(report.stopped, StorageError)
    assert report.stopped.errno == 28
    report = bought(sandbox, out, varied()[:2])
    assert (report.skipped, report.stopped) == (2, None)
    assert len(lines(out)) == 2


def test_readers_find_the_types_of_columns_that_begin_late(sandbox, tmp_path, monkeypatch):
    """A column that is null, or looks like a date, for longer than readers look."""
    monkeypatch.setattr(rows, "_NEAR", 2)
    out = tmp_path / "out"
    what = [ImageRequest("a fox", seed=seed, metadata={"when": "2024-01-01"}, **SMALL) for seed in range(6)]
    what += [ImageRequest("a fox", seed=6, metadata={"when": "soon", "late": 1.5}, **SMALL)]
    bought(sandbox, out, what)
    assert [row["seed"] for row in lines(out)] == [6, 0, 1, 2, 3, 4, 5]


def test_a_column_of_dates_alone_is_one(sandbox, tmp_path, load):
    """As `datasets` reads JSON Lines; in the file it is text."""
    out = tmp_path / "out"
    bought(sandbox, out, [ImageRequest("a fox", seed=1, metadata={"when": "2024-01-01"}, **SMALL)])
    assert lines(out)[0]["when"] == "2024-01-01"
    assert load("imagefolder", out)[0]["when"] == dt.datetime(2024, 1, 1)  # noqa: DTZ001


def test_a_directory_with_numbered_folders_opens_as_well(sandbox, tmp_path, load, monkeypatch):
    """As it gets them beyond the images that fit into one."""
    monkeypatch.setattr(names, "_IN_A_FOLDER", 3)
    out = tmp_path / "out"
    bought(sandbox, out, varied()[:8])
    assert {Path(row["file_name"]).parent.name for row in lines(out)} == {"", "00001", "00002"}
    write_metadata(out)
    rows_found = load("imagefolder", out)
    assert [row["sha256"] for row in rows_found] == [image.file.sha256 for image in recorded(out)]


def test_a_job_in_shards_opens_as_one(sandbox, tmp_path, load):
    """With one file at the top for all of them, and none in a shard."""
    out = tmp_path / "out"
    mark_sharded(out, SIZE, {})
    sandbox.script(Fault(422), when=lambda body: body["seed"] == 6, times=1)
    for number in range(3):
        work(sandbox, out, number)
        receipt(out, number)
    assert len(list(out.rglob("metadata.jsonl"))) == 3
    for _ in range(2):
        write_metadata(out)
        assert list(out.rglob("metadata.jsonl")) == [out / "metadata.jsonl"]
    expected = recorded_in_shards(out)
    assert [row["file_name"] for row in lines(out)] == [name for name, _ in expected]
    assert [row["index"] for row in lines(out)] == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]
    found = load("imagefolder", out)
    assert len(found) == 11
    for row, (name, image) in zip(found, expected, strict=True):
        assert row["sha256"] == hashlib.sha256((out / name).read_bytes()).hexdigest() == image.file.sha256
        assert Path(row["image"]["path"]).name == Path(name).name
        assert row["row"] == row["seed"] == row["index"]


def test_a_job_in_shards_opens_while_some_have_not_ended(sandbox, tmp_path, load):
    """Their images have no rows yet, and stay out."""
    out = tmp_path / "out"
    job_in_shards(sandbox, out)
    write_metadata(out)
    assert len(lines(out)) == 11
    assert list(out.rglob("metadata.jsonl")) == [out / "metadata.jsonl"]
    assert [row["seed"] for row in load("imagefolder", out)] == [row["seed"] for row in lines(out)]


def test_a_shard_may_write_its_rows_while_the_whole_takes_them_away(sandbox, tmp_path, monkeypatch):
    """Neither is in the other's way."""
    out = tmp_path / "out"
    mark_sharded(out, SIZE, {})
    work(sandbox, out, 0)
    receipt(out, 0)
    seen = []

    def compared(*args, compare=metadata.filecmp.cmp, **options):
        if not seen:
            seen.append(args)
            write_metadata(out)
        return compare(*args, **options)

    monkeypatch.setattr(metadata.filecmp, "cmp", compared)
    assert work(sandbox, out, 0).stopped is None
    assert (out / "00000" / "metadata.jsonl").exists()
    write_metadata(out)
    assert list(out.rglob("metadata.jsonl")) == [out / "metadata.jsonl"]


def test_a_job_that_was_killed_has_its_rows_after_the_next_run(nursery, tmp_path, load):
    """Also where it was killed while the rows were written; until then the directory is as it was."""
    painter = Painter()
    items = [(f"fox {number}", number) for number in range(4)]
    with Sandbox(latency=0, rpm=None, images=painter) as sandbox:
        job = Job(nursery, sandbox, painter, tmp_path / "out", items, options={"concurrency": 1})
        job.killed_at("os:link", "after", 2)
        assert not (job.into / "metadata.jsonl").exists()
        job.killed_at("pathlib:Path.replace", "before", 1, "metadata")
        assert not (job.into / "metadata.jsonl").exists()
        job.check(job.resumed(), lost=0)
        found = load("imagefolder", job.into)
        assert [row["sha256"] for row in found] == [image.file.sha256 for image in recorded(job.into)]
        assert [row["prompt"] for row in found] == [prompt for prompt, _ in items]
    assert not list(job.into.glob(".*.part"))
