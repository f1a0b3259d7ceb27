"""Exports that are killed at each of their steps; here nothing knows of the tests.

Called with a job's directory, a folder for the exports, and a layout. For each step there is a process
that dies at it, and a directory with the step's number that holds what it has left.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
from pathlib import Path

import pyarrow.parquet  # noqa: F401 - so that not every process has to import it again
import webdataset  # noqa: F401

from venice_async.storage.dataset import export_dataset


def kill_at(step):
    """Have the process die before the so-manieth call that changes what is on the disk."""
    calls = itertools.count(1)

    def dying(original):
        def call(*args, **options):
            if next(calls) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **options)

        return call

    os.fsync = dying(os.fsync)
    shutil.rmtree = dying(shutil.rmtree)
    for name in ("rename", "replace", "unlink", "mkdir"):
        setattr(Path, name, dying(getattr(Path, name)))


def main(job, into, layout):
    """Kill exports, each one step further, until one comes to its end."""
    for step in itertools.count(1):
        child = os.fork()
        if not child:
            code = os.EX_SOFTWARE
            try:
                kill_at(step)
                export_dataset(Path(job), Path(into, str(step)), layout, shard_size=9)
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            return os.WEXITSTATUS(status)
    raise AssertionError


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
