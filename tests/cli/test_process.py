"""The command line's own process: its event loop, and the memory that it keeps."""

import os
import subprocess
import sys

import uvloop

from venice_async.cli.process import new_event_loop

FAULTS = """
import resource
from venice_async.cli.process import keep_memory
if {kept}:
    keep_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    piece = bytes(1_000_000), bytes(1_000_000)
    del piece
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, kept):
    """How many pages the kernel had to map for 200 MB of short-lived pieces."""
    # A local Dask cluster of another test leaves settings of the allocator in the environment.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", FAULTS.format(kept=kept)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
    return int(done.stdout)


def test_pieces_of_answers_are_not_mapped_again_and_again():
    assert faults(kept=True) < faults(kept=False) / 2


def test_the_loop_is_uvloops_where_it_is_installed():
    loop = new_event_loop()
    try:
        assert isinstance(loop, uvloop.Loop)
    finally:
        loop.close()


def test_without_uvloop_it_is_asyncios(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    loop = new_event_loop()
    try:
        assert not isinstance(loop, uvloop.Loop)
    finally:
        loop.close()
