"""A nursery of processes that run a batch and are killed in the middle of it, or lose their disk.

It forks one process for each order that it reads, so that none has to import anything again, and leaves
it to be buried until the next order comes: its id stays its own. Here nothing knows of the tests.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import itertools
import json
import os
import pkgutil
import resource
import signal
import sys
import threading
import traceback
from pathlib import Path

import anyio.lowlevel

from venice_async import ImageRequest, VeniceSession, gather_generate, redo
from venice_async.policy.retry import RetryPolicy
from venice_async.storage.journal import journal
from venice_async.storage.journal.commit import GroupCommit

SMALL = {"model": "fluently-xl", "width": 64, "height": 64}
BROKEN = os.EX_SOFTWARE


def arm(where, side, number=1, match="", act="die"):
    """Have something happen to the process at the so-manieth passing of a function.

    Args:
        where: The function, as `module:name`.
        side: `before` it, `after` it, or `amid`: after the first half of the bytes that it is to write.
        number: Which passing, from 1.
        match: What the path that it is called with has to contain, for it to count.
        act: What happens: one of `ACTS`.
    """
    module, _, name = where.partition(":")
    *holders, attribute = name.split(".")
    owner = pkgutil.resolve_name(f"{module}:{'.'.join(holders)}" if holders else module)
    original = getattr(owner, attribute)
    passings = itertools.count(1)

    def passed(*args, **options):
        counts = match in str(getattr(args[0], "path", args[0])) if match else True
        if side == "after":
            result = original(*args, **options)
            if counts and next(passings) == number:
                ACTS[act]()
            return result
        pieces = args[1] if side == "amid" else [b"there is something to do"]
        if counts and any(pieces) and next(passings) == number:
            if side == "amid":
                data = b"".join(pieces)
                original(args[0], [data[: len(data) // 2]])
            ACTS[act]()
        return original(*args, **options)

    setattr(owner, attribute, passed)


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


def _starve():
    """No file and no socket is opened any more."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def _fill():
    """No file grows beyond so many bytes any more."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))


def _protect():
    """Nothing can be written any more; the files that are open are no exception."""

    def refused(*args, **options):
        path = next((str(arg) for arg in args if isinstance(arg, str | Path)), None)
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    opened, transact = os.open, GroupCommit._transact

    def open_to_read(path, flags, *args, **options):
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        return (refused if writes else opened)(path, flags, *args, **options)

    def read_only(self, records):
        self.connection.execute("PRAGMA query_only = ON")
        return transact(self, records)

    os.open, GroupCommit._transact = open_to_read, read_only
    for name in ("writev", "link", "rename", "replace", "unlink", "mkdir"):
        setattr(os, name, refused)


def _unsettle():
    """No directory can be brought to the disk any more."""

    def failed(directory):
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(directory))

    journal.sync_directory = failed


ACTS = {"die": _die, "starve": _starve, "fill": _fill, "protect": _protect, "unsettle": _unsettle}
LARGEST = 1_000_000


async def batch(order):
    """Carry out a batch; what its report says."""
    what = [
        ImageRequest(prompt, seed=seed, **{**SMALL, **order["fields"]}) for prompt, seed in order["items"]
    ]
    retry = RetryPolicy(attempts=1, resend_unconfirmed=order["resend_unconfirmed"])
    async with VeniceSession(
        order["key"], base_url=order["url"], rate_limit=None, guard=None, retry=retry
    ) as venice:
        if order["redo"] is None:
            report = await gather_generate(venice, what, into=order["into"], **order["options"])
        else:
            report = await redo(venice, order["into"], **order["redo"])
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # to be told, it has to be read
        outcomes = [
            {
                "kind": type(outcome).__name__.lower(),
                "prompt": outcome.request.prompt,
                "seed": outcome.request.seed,
                "billed": getattr(outcome, "billed", None),
                "paths": [str(path) for path in getattr(outcome, "paths", ())],
            }
            async for outcome in report.outcomes()
        ]
        return {
            "counts": {name: getattr(report, name) for name in COUNTS},
            "stopped": report.stopped and [getattr(report.stopped, name, None) for name in OF_THE_DISK],
            "outcomes": outcomes,
        }


OF_THE_DISK = ("errno", "filename")
COUNTS = ("generated", "skipped", "unconfirmed", "failed", "pending")


def _live(order):
    os.dup2(os.open(order["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    code = BROKEN
    try:
        for kill in order["kills"]:
            arm(*kill)
        told = asyncio.run(batch(order))
        Path(order["told"]).write_text(json.dumps(told))
        gc.collect()
        code = 0
    except BaseException:  # noqa: BLE001 - the test reads it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _nursery():
    for name in dir(anyio):  # which it imports when they are asked for
        getattr(anyio, name)
    asyncio.run(anyio.lowlevel.checkpoint())
    assert threading.active_count() == 1  # a fork takes no other one along
    gc.collect()
    gc.freeze()  # what was there before the fork is nothing that a batch could have left
    last = None
    for line in sys.stdin:
        if last is not None:
            os.waitpid(last, 0)
        last = os.fork()
        if not last:
            _live(json.loads(line))
        print(last, flush=True)  # noqa: T201
        ended = os.waitid(os.P_PID, last, os.WEXITED | os.WNOWAIT)
        code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        print(code, flush=True)  # noqa: T201


if __name__ == "__main__":
    _nursery()
