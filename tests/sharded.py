"""Jobs in shards, as workers on several machines leave them."""

from __future__ import annotations

import attrs

from venice_async import ImageRequest
from venice_async.sandbox import Fault
from venice_async.storage.journal import JournalReader
from venice_async.storage.shards import mark_sharded, receipt_of, shard_directory, write_receipt

from .jobs import gathered
from .killing import SMALL

SIZE = 4
WORKER = "worker-1"


def requests_of(number, **fields):
    """The part of the input that a shard has."""
    seeds = range(number * SIZE, (number + 1) * SIZE)
    return [ImageRequest("a fox", seed=seed, metadata={"row": seed}, **{**SMALL, **fields}) for seed in seeds]


def work(sandbox, into, number, **fields):
    """Work on one shard, and leave no receipt."""
    return gathered(sandbox, shard_directory(into, number), requests_of(number, **fields))


def receipt(into, number, **changes):
    """The receipt of a shard, written."""
    told = receipt_of(shard_directory(into, number), worker=WORKER, host="here")
    write_receipt(into, attrs.evolve(told, **changes))
    return told


def job_in_shards(sandbox, into):
    """A job of three shards that have ended, of four images each, but for one item that failed.

    Two more are worked on elsewhere: 3 says so itself, and of 4 there is only what it has on the disk.
    """
    mark_sharded(into, SIZE, {"model": "fluently-xl", "name": "{index:05d}_{seed}_{prompt}"})
    sandbox.script(Fault(422), when=lambda body: body["seed"] == 6, times=1)
    for number in range(5):
        work(sandbox, into, number)
        if number < 3:
            receipt(into, number)
    receipt(into, 3, ended=False, ended_at=None, generated=3, images=3)
    for number in (3, 4):  # nobody else may open them
        (shard_directory(into, number) / ".venice" / "journal.sqlite3").write_bytes(b"in the making")


def recorded(into):
    """Each image of a job with its shard's name, told by the shards' own journals."""
    return [
        (f"{number:05d}/{image.file.name}", image)
        for number in range(3)
        for image in JournalReader(into / f"{number:05d}").images()
    ]
