"""A job whose rows are as unlike each other as rows can be, and how readers find it."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the library is imported

import datasets
import pytest

from venice_async.sandbox import Sandbox

from .readers import bought, varied


@pytest.fixture(scope="session")
def job(tmp_path_factory):
    """The directory of a job with every kind of row."""
    directory = tmp_path_factory.mktemp("job") / "out"
    with Sandbox(latency=0, rpm=None, profile="2025") as sandbox:  # one of the rows has an `inpaint`
        bought(sandbox, directory, varied()).raise_for_failures()
    return directory


@pytest.fixture
def load(tmp_path):
    """What `datasets` makes of a directory, its images as they are in the files."""
    datasets.disable_progress_bars()

    def loaded(kind, directory):
        found = datasets.load_dataset(
            kind, data_dir=str(directory), cache_dir=str(tmp_path / "cache"), keep_in_memory=True
        )
        assert list(found) == ["train"]
        (column,) = [
            name for name, feature in found["train"].features.items() if isinstance(feature, datasets.Image)
        ]
        rows = found["train"].cast_column(column, datasets.Image(decode=False))
        return [{**row, "image": row[column]} for row in rows]

    return loaded
