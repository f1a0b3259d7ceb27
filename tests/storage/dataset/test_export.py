"""Exports: what real readers make of them, and what is left of one that is cut off."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import datasets
import orjson
import pyarrow.parquet as pq
import pytest
import webdataset

from venice_async import ImageRequest
from venice_async.errors import (
    ConfigurationError,
    DirectoryLockedError,
    JournalError,
    MissingExtraError,
    OutputExistsError,
)
from venice_async.sandbox import Sandbox
from venice_async.storage.dataset import LAYOUTS, export_dataset
from venice_async.storage.journal import Finding
from venice_async.storage.journal.lock import DirectoryLock

from .readers import SMALL, bought, check, content, recorded, varied


def manifest(directory):
    return orjson.loads((directory / ".manifest.json").read_bytes())


def restored(row):
    """A row of a tar with its nulls: gaps are empty text or JSON, empty columns are not there."""
    found = {**dict.fromkeys(("contains_minor", "when", "mask_file_name_")), **row["json"]}
    for name in ("cfg_scale", "seed", "variants", "n", "flag"):
        found[name] = json.loads(found[name])
    for name, value in found.items():
        found[name] = None if value == "" else value
    return {**found, "image": row["image"]}


def test_datasets_reads_the_tars(job, tmp_path, load):
    """Though the first samples have no value where later ones do."""
    export_dataset(job, tmp_path / "to", "webdataset", shard_size=6)
    found = load("webdataset", tmp_path / "to")
    check([restored(row) for row in found], recorded(job))
    assert [row["__key__"] for row in found] == [f"{n:09d}" for n in range(len(found))]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # it leaves the last tar to the collector
def test_webdataset_reads_the_tars(job, tmp_path):
    """Without torch."""
    export_dataset(job, tmp_path / "to", "webdataset", shard_size=6)
    tars = sorted(map(str, (tmp_path / "to").glob("*.tar")))
    samples = list(webdataset.WebDataset(tars, shardshuffle=False, empty_check=False))
    rows = [
        restored({"json": json.loads(sample["json"]), "image": {"bytes": sample["webp"], "path": None}})
        for sample in samples
    ]
    check(rows, recorded(job))


def test_datasets_reads_the_parquet_files(job, tmp_path, load):
    """With a column of images."""
    export_dataset(job, tmp_path / "to", "parquet", shard_size=6)
    check(load("parquet", tmp_path / "to"), recorded(job))


def test_pyarrow_reads_the_parquet_files(job, tmp_path, monkeypatch):
    """Typed, the images as they are, and in groups of rows that fit into memory."""
    monkeypatch.setattr("venice_async.storage.dataset.shards._GROUP_ROWS", 4)
    export_dataset(job, tmp_path / "to", "parquet")
    file = pq.ParquetFile(tmp_path / "to" / "000000.parquet")
    check(file.read().to_pylist(), recorded(job))
    assert file.num_row_groups == -(-len(recorded(job)) // 4)
    assert file.metadata.row_group(0).column(0).compression == "UNCOMPRESSED"
    types = {
        name: str(file.schema_arrow.field(name).type) for name in ("seed", "n", "flag", "mixed", "extra")
    }
    assert types == {"seed": "int64", "n": "double", "flag": "bool", "mixed": "string", "extra": "string"}


def test_datasets_reads_the_image_folder(job, tmp_path, load):
    """In numbered folders, with one file of rows."""
    export_dataset(job, tmp_path / "to", "imagefolder", shard_size=6)
    check(load("imagefolder", tmp_path / "to"), recorded(job))
    assert sorted(path.name for path in (tmp_path / "to").iterdir() if path.is_dir()) == [
        *("000000", "000001", "000002"),
    ]


@pytest.mark.long
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_export_that_is_killed_at_any_step_is_gone_on_with(long, job, tmp_path, layout):
    """What has its name is whole and as it is in the end; rows of a folder are there before its images."""
    into = tmp_path / "exports"
    into.mkdir()
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("dying.py")), job, into, layout],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *killed, whole = sorted(into.iterdir(), key=lambda path: int(path.name))
    assert len(killed) > 15
    expected = content(whole)
    assert manifest(whole)["complete"]
    for number, directory in enumerate(killed):
        left = {name: data for name, data in content(directory).items() if not name.startswith(".")}
        assert left.items() <= expected.items()
        if layout == "imagefolder" and left:
            assert "metadata.jsonl" in left
        if long or number % 3 == 0:
            export_dataset(job, directory, layout, shard_size=9)
            assert content(directory) == expected
        else:
            shutil.rmtree(directory)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_export_again_keeps_whole_shards_and_makes_the_others(job, tmp_path, layout):
    """Those that are gone, that were cut, and those of another size of the job."""
    to = tmp_path / "to"
    export_dataset(job, to, layout, shard_size=6)
    expected = content(to)
    first, second, third = sorted(path for path in to.iterdir() if path.name.startswith("0000"))
    kept = first.stat()
    shutil.rmtree(second) if second.is_dir() else second.unlink()
    victim = next(third.iterdir()) if third.is_dir() else third
    victim.write_bytes(victim.read_bytes()[:-1])
    surplus = to / f"000007{LAYOUTS[layout].suffix}"
    surplus.mkdir() if layout == "imagefolder" else surplus.write_bytes(b"old")
    report = export_dataset(job, to, layout, shard_size=6)
    assert (report.images, report.shards, report.left_out) == (len(recorded(job)), 3, ())
    assert content(to) == expected
    assert not surplus.exists()
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (kept.st_ino, kept.st_mtime_ns)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_missing_or_altered_is_left_out_and_told(job, tmp_path, layout, load):
    """Until it is back; the others are there."""
    source, to = tmp_path / "job", tmp_path / "to"
    shutil.copytree(job, source)
    images = recorded(source)
    gone, altered = (source / images[n].file.name for n in (1, 8))
    saved = {path: path.read_bytes() for path in (gone, altered)}
    gone.unlink()
    altered.write_bytes(bytes(len(saved[altered])))
    for _ in range(2):
        report = export_dataset(source, to, layout, shard_size=6)
        assert report.left_out == (Finding(gone.name, "missing"), Finding(altered.name, "altered"))
        found = [row.get("json", row)["sha256"] for row in load(layout, to)]
        assert found == [image.file.sha256 for n, image in enumerate(images) if n not in {1, 8}]
        assert report.images == manifest(to)["images"] == len(found)
        shutil.rmtree(tmp_path / "cache")
    for path, data in saved.items():
        path.write_bytes(data)
    assert export_dataset(source, to, layout, shard_size=6).left_out == ()
    export_dataset(job, tmp_path / "whole", layout, shard_size=6)
    assert content(to) == content(tmp_path / "whole")


def test_a_shard_without_a_single_image_is_not_there(job, tmp_path):
    """An empty tar is none."""
    source = tmp_path / "job"
    shutil.copytree(job, source)
    (source / recorded(source)[0].file.name).unlink()
    report = export_dataset(source, tmp_path / "to", "webdataset", shard_size=1)
    assert report.shards == len(recorded(source)) - 1
    assert not (tmp_path / "to" / "000000.tar").exists()


def test_what_was_flagged_is_dropped_if_that_is_asked_for(job, tmp_path):
    """Else it is kept, and marked."""
    report = export_dataset(job, tmp_path / "to", "parquet", drop_flagged=True)
    flags = pq.read_table(tmp_path / "to" / "000000.parquet").column("is_blurred").to_pylist()
    assert report.images == len(flags) == len(recorded(job)) - 1
    assert not any(flags)


def test_an_export_is_of_one_format(tmp_path):
    """The error counts them."""
    source = tmp_path / "job"
    what = [
        ImageRequest("a fox", seed=seed, format=name, **SMALL)
        for seed, name in enumerate(("webp", "png", "png", "jpeg"))
    ]
    with Sandbox(latency=0, rpm=None) as sandbox:
        bought(sandbox, source, what)
    with pytest.raises(ConfigurationError, match="1 jpeg, 2 png, 1 webp: choose image_format"):
        export_dataset(source, tmp_path / "to", "webdataset")
    for image_format, number in (("png", 2), ("jpeg", 1)):
        to = tmp_path / image_format
        assert export_dataset(source, to, "webdataset", image_format=image_format).images == number
        extension = {"png": "png", "jpeg": "jpg"}[image_format]
        with tarfile.open(to / "000000.tar") as tar:
            assert set(tar.getnames()[:2]) == {f"000000000.{extension}", "000000000.json"}


def test_a_directory_with_another_export_or_other_files_is_refused(job, tmp_path):
    """Whatever is there stays."""
    to = tmp_path / "to"
    export_dataset(job, to, "parquet", shard_size=6)
    before = content(to)
    with pytest.raises(ConfigurationError, match="shard_size was 6, and is 7"):
        export_dataset(job, to, "parquet", shard_size=7)
    with pytest.raises(ConfigurationError, match="layout was parquet"):
        export_dataset(job, to, "webdataset", shard_size=6)
    (to / "notes.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"notes\.txt"):
        export_dataset(job, to, "parquet", shard_size=6)
    assert content(to) == {**before, "notes.txt": b"mine"}
    mine = tmp_path / "mine"
    (mine / "000000").mkdir(parents=True)
    with pytest.raises(OutputExistsError, match="000000"):
        export_dataset(job, mine, "imagefolder")
    export_dataset(job, tmp_path / "folder", "imagefolder")
    (tmp_path / "folder" / "000000" / "caption.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"caption\.txt"):
        export_dataset(job, tmp_path / "folder", "imagefolder")


def test_another_jobs_export_is_another_one(job, tmp_path):
    """However alike the options are."""
    with Sandbox(latency=0, rpm=None) as sandbox:
        bought(sandbox, tmp_path / "other", varied()[:2])
    export_dataset(tmp_path / "other", tmp_path / "to", "parquet")
    with pytest.raises(ConfigurationError, match="job was"):
        export_dataset(job, tmp_path / "to", "parquet")


def test_arguments_that_make_no_sense_are_refused(job, tmp_path):
    """Before anything is written."""
    with pytest.raises(ConfigurationError, match="own directory"):
        export_dataset(job, job / "export", "parquet")
    with pytest.raises(ConfigurationError, match="shard_size=0"):
        export_dataset(job, tmp_path / "to", "parquet", shard_size=0)
    with pytest.raises(ConfigurationError, match="layout='zip'"):
        export_dataset(job, tmp_path / "to", "zip")
    with pytest.raises(ConfigurationError, match="no image that is wanted"):
        export_dataset(job, tmp_path / "to", "parquet", image_format="png")
    with pytest.raises(JournalError):
        export_dataset(tmp_path, tmp_path.parent / "to", "parquet")
    assert not (tmp_path / "to").exists()


def test_a_job_that_is_at_work_is_not_exported(job, tmp_path):
    """Nor is an export disturbed by another one."""
    lock = DirectoryLock(job / ".venice" / "lock", job)
    lock.take()
    with pytest.raises(DirectoryLockedError, match="once it has ended"):
        export_dataset(job, tmp_path / "to", "parquet")
    lock.release()
    (tmp_path / "to").mkdir()
    lock = DirectoryLock(tmp_path / "to" / ".lock", tmp_path / "to")
    lock.take()
    with pytest.raises(DirectoryLockedError):
        export_dataset(job, tmp_path / "to", "parquet")
    lock.release()


@pytest.mark.parametrize(("layout", "library"), [("webdataset", "webdataset"), ("parquet", "pyarrow")])
def test_a_missing_library_is_named_with_its_extra(job, tmp_path, monkeypatch, layout, library):
    """Before anything is written."""
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"{library}.*venice-async\[dataset\]"):
        export_dataset(job, tmp_path / "to", layout)
    assert not (tmp_path / "to").exists()


def test_the_features_of_a_parquet_file_are_those_that_datasets_reads(job, tmp_path):
    """Its metadata says so, not a guess."""
    export_dataset(job, tmp_path / "to", "parquet")
    features = datasets.Features.from_arrow_schema(pq.read_schema(tmp_path / "to" / "000000.parquet"))
    assert isinstance(features["image"], datasets.Image)
    assert features["negative_prompt"].dtype == "string"
