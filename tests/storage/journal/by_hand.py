"""A journal driven by hand: parts lie where a sink would have put them."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import asynccontextmanager, closing

import attrs

from venice_async import ImageRequest
from venice_async.storage.journal.journal import Journal, WholeFile
from venice_async.storage.journal.recovery import part_name
from venice_async.types.response import Timing

JOB = {"name": "{index}", "duplicates": "keep"}
PRICE = 10_000

fox = ImageRequest("a red fox", model="fluently-xl", seed=7)


def foxes(number):
    """So many requests that differ."""
    return [attrs.evolve(fox, seed=seed) for seed in range(number)]


def whole_answer(**fields):
    """What an answer says besides its images."""
    timing = Timing(inference_duration=1, inference_preprocessing_time=2.5, inference_queue_time=3, total=6.5)
    return {"id": "generate-image-1", "timing": timing, "balance_usd": 4.5, **fields}


async def begun(directory, job=JOB, *, durability="process", extend=False):
    """An open journal."""
    journal = Journal(directory, durability)
    await journal.open(job, extend=extend)
    return journal


@asynccontextmanager
async def opened(directory, job=JOB, *, durability="process", extend=False):
    """A journal that is closed at the end of the block."""
    journal = await begun(directory, job, durability=durability, extend=extend)
    try:
        yield journal
    finally:
        await journal.close()


async def die(journal):
    """End as a process does that is killed: connection and lock are gone, nothing else is done."""
    with closing(sqlite3.connect(f"{journal.path.as_uri()}?mode=ro", uri=True)) as other:
        other.execute("SELECT count(*) FROM items").fetchall()  # while it looks, the log stays where it is
        journal._orderly = False
        journal._thread.submit(journal._let_go)
        await journal._thread.close()


async def intend(journal, item, *, seed=7, cost=PRICE, lost=False):
    """Record an intent, without the sink that would take over the first part."""
    _, descriptor = await journal.intend(item, seed, cost, lost=lost)
    os.close(descriptor)
    for path in journal.parts.glob(f"{item}-*-0.part"):
        path.unlink()


def write_parts(journal, item, attempt, *contents, suffix=".webp"):
    """The parts of an attempt, whole."""
    files = []
    for image, content in enumerate(contents):
        growing = journal.parts / f"{part_name(item, attempt, image)}.part"
        growing.write_bytes(content)
        path = growing.rename(growing.with_suffix(suffix))
        name = f"{item}{f'-{image}' if len(contents) > 1 else ''}{suffix}"
        files.append(WholeFile(str(path), name, hashlib.sha256(content).hexdigest(), len(content)))
    return files


async def buy(journal, place, request, *contents, cost=PRICE, answer=None):
    """One purchase from its beginning to its end; the item's number."""
    entry = await journal.enter(place, request, keep_duplicates=True)
    await intend(journal, entry.item, seed=request.seed, cost=cost)
    files = write_parts(journal, entry.item, entry.attempts + 1, *(contents or (b"picture",)))
    await journal.keep(entry.item, whole_answer() if answer is None else answer, lambda: files)
    return entry.item


def rows(journal_or_directory, columns="*", **where):
    """What the table of items holds, read by a connection of its own."""
    directory = getattr(journal_or_directory, "directory", journal_or_directory)
    path = directory / ".venice" / "journal.sqlite3"
    clause = " AND ".join(f"{name} = :{name}" for name in where) or "1"
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT {columns} FROM items WHERE {clause} ORDER BY id", where).fetchall()


def names(folder):
    """Every file, relative, but the journal's own."""
    found = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if not name.startswith((".venice/journal", ".venice/lock")))
