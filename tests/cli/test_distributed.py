"""`generate --dask`: a cluster of this machine's, and what is told where there is none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(120)


def generate(settings, folder, *more):
    """Run the command in a process of its own, as a terminal would."""
    command = [
        "generate",
        "a fox",
        "--seeds",
        "0-5",
        "--model",
        "fluently-xl",
        "--width",
        "64",
        "--height",
        "64",
    ]
    return subprocess.run(
        [sys.executable, "-m", "venice_async", *command, "--into", "out", *more],
        env={**os.environ, **settings},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_two_workers_carry_out_a_job_and_the_same_command_buys_nothing(settings, tmp_path):
    """Files are told on the standard output, everything else on the other one."""
    local = ("--dask", "local:2", "--shard-size", "2", "--per-minute", "0")
    first, second = (generate(settings, tmp_path, *local) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    paths = first.stdout.splitlines()
    assert [path.split("/")[-2] for path in paths] == ["00000", "00000", "00001", "00001", "00002", "00002"]
    assert "6 of 6 generated" in first.stderr
    assert "6 skipped" in second.stderr
    assert len(settings.sent) == 6
    status = subprocess.run(
        [sys.executable, "-m", "venice_async", "verify", "out"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert status.returncode == 0


@pytest.mark.parametrize(
    ("cluster", "told"), [("here", "expected tcp://"), ("tcp://127.0.0.1:1", "no scheduler answers")]
)
def test_where_there_is_no_cluster_an_error_says_so(settings, tmp_path, cluster, told):
    """Nothing is sent."""
    settings["DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT"] = "1s"
    done = generate(settings, tmp_path, "--dask", cluster)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert settings.sent == []
