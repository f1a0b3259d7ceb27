"""A redo that is killed between any two of its steps: nothing is lost, and nothing is bought twice."""

from __future__ import annotations

import asyncio
import hashlib
import time

import pytest

from venice_async import Generated, VeniceSession
from venice_async.gather import stream_retry
from venice_async.sandbox import Sandbox
from venice_async.storage.journal import JournalReader, State, audit

from .jobs import Job, Painter

JOURNAL = "venice_async.storage.journal"
RUN = f"{JOURNAL}.journal"
FILES = "venice_async.storage.files"
PROMPTS = [f"fox {number}" for number in range(3)]
ITEMS = [(prompt, 100 + number) for number, prompt in enumerate(PROMPTS)]
SECOND = PROMPTS[1]
PART = "/4-1-"  # the new purchase comes after the three items
FIRST, LAST = "/4-1-0", "/4-1-1"

AGAIN = ("generated", 2)  # nothing was bought before it was killed
HELD = ("unconfirmed", 1)  # never sent, but nobody can know that
LOST = ("unconfirmed", 2)  # sent, and not whole on the disk
DONE = ("skipped", 2)  # bought before it was killed, and not again

STEPS = [
    ("before-it-is-entered", f"{RUN}:enter_redo", "before", 1, "", AGAIN),
    ("before-the-intent", f"{JOURNAL}.steps:intend", "before", 1, "", AGAIN),
    ("before-the-intents-commit", f"{JOURNAL}.steps:intend", "after", 1, "", AGAIN),
    ("after-the-intents-commit", f"{RUN}:Journal._open_part", "before", 1, "", HELD),
    ("before-its-part-is-written", f"{FILES}:TemporaryFile.write", "before", 1, PART, LOST),
    ("amid-writing-its-part", f"{FILES}:TemporaryFile.write", "amid", 1, PART, LOST),
    ("before-its-part-is-whole", "os:rename", "before", 1, PART, LOST),
    ("after-its-part-is-whole", "os:rename", "after", 1, PART, DONE),
    ("before-receiveds-commit", f"{JOURNAL}.steps:receive", "after", 1, "", DONE),
    ("before-the-old-one-is-set-aside", f"{RUN}:set_aside", "before", 1, "", DONE),
    ("amid-setting-the-old-one-aside", "os:link", "after", 1, "", DONE),
    ("after-the-old-one-is-set-aside", f"{RUN}:set_aside", "after", 1, "", DONE),
    ("before-its-link", "os:link", "before", 1, PART, DONE),
    ("after-its-link", "os:link", "after", 1, PART, DONE),
    ("before-it-is-marked-done", f"{JOURNAL}.steps:mark_done", "before", 1, "", DONE),
    ("before-it-takes-over", f"{RUN}:merge", "before", 1, "", DONE),
    ("before-the-takeovers-commit", f"{RUN}:merge", "after", 1, "", DONE),
]
_MOVING = "amid-setting-the-old-one-aside"  # where there is one
OF_TWO = [
    ("between-their-renames", "os:rename", "after", 1, FIRST, DONE),
    ("between-setting-the-old-ones-aside", "os:link", "after", 1, "", DONE),
    ("after-the-firsts-link", "os:link", "after", 1, FIRST, DONE),
    ("between-their-links", "os:link", "before", 1, LAST, DONE),
    ("after-the-lasts-link", "os:link", "after", 1, LAST, DONE),
]


@pytest.fixture
def alike():
    """Whether all images are the same, as those of one seed may be."""
    return False


@pytest.fixture
def job(nursery, tmp_path, alike):
    """Three items, one after the other, all of them bought."""
    painter = Painter(alike=alike)
    with Sandbox(latency=0, rpm=None, images=painter) as sandbox:
        yield Job(nursery, sandbox, painter, tmp_path / "out", ITEMS, options={"concurrency": 1})


def digests(paths):
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)


def second(job):
    """The files of the second item, as the journal has them."""
    (image, *more) = [image for image in JournalReader(job.into).images() if image.index == 1]
    return [job.into / one.file.name for one in (image, *more)]


def kill_and_redo(job, step, variants, *, gone):
    where, side, number, match, end = step
    job.fields["variants"] = variants
    job.resumed()
    former = second(job)
    if gone:
        former[-1].unlink()
    redo = {"missing": True} if gone else {"files": [str(former[0])]}
    job.killed_at(where, side, number, match, redo=redo)
    told = job.resumed(redo=redo)
    while job.sandbox.account.in_flight:  # whose client is gone
        time.sleep(0.001)
    kinds = [outcome["kind"] for outcome in told.outcomes]
    # What is done is not missing any more, and is found by its name only.
    assert kinds == ([] if gone and end == DONE else [end[0]])
    assert job.billed()[SECOND] == end[1]
    assert job.billed().total() == end[1] + 2
    return former, end


def check(job, former, end, variants, *, gone):
    """Hold directory, journal and the server's account against each other."""
    sent = job.painter.sent[SECOND]
    replaced = end in {AGAIN, DONE}
    kept = former[:-1] if gone else former
    files = [path for path in second(job) if path.exists()]
    aside = [*(job.into / ".venice").glob("superseded/*")]
    assert digests(files) == sorted(sent[-variants:] if replaced else sent[: len(kept)])
    assert digests(aside) == (sorted(sent[: len(kept)]) if replaced else [])
    verdicts = {finding.verdict for finding in audit(job.into)}
    assert verdicts == ({"intact", "missing"} if gone and not replaced else {"intact"})
    assert not list((job.into / ".venice" / "parts").iterdir())
    status = JournalReader(job.into).status()
    assert (status.items, status.done, status.in_flight, status.pending) == (3, 3, 0, 0)
    assert status.unconfirmed == (0 if replaced else 1)
    assert status.spent_usd == pytest.approx(0.01 * variants * 4)
    before = job.sandbox.account.received
    told = job.resumed()
    assert [outcome["kind"] for outcome in told.outcomes] == ["skipped"] * 3
    assert job.sandbox.account.received == before


@pytest.mark.parametrize(
    ("step", "gone"),
    [
        *(pytest.param(row[1:], False, id=f"{row[0]}-there") for row in STEPS),
        *(pytest.param(row[1:], True, id=f"{row[0]}-gone") for row in STEPS if row[0] != _MOVING),
    ],
)
def test_a_redo_that_is_killed_at_any_step(job, step, gone):
    """The same call again brings it to the end that this allows, and the old image is never lost."""
    former, end = kill_and_redo(job, step, 1, gone=gone)
    check(job, former, end, 1, gone=gone)


@pytest.mark.parametrize("step", [pytest.param(row[1:], id=row[0]) for row in OF_TWO])
def test_a_redo_of_two_variants_that_is_killed_at_any_step(job, step):
    former, end = kill_and_redo(job, step, 2, gone=False)
    check(job, former, end, 2, gone=False)


@pytest.mark.parametrize("alike", [True])
@pytest.mark.parametrize(
    "step", [pytest.param(row[1:], id=row[0]) for row in STEPS if row[5] == DONE and row[1] != "os:rename"]
)
def test_a_redo_that_brings_the_same_image_again_is_killed_at_any_step(job, step):
    """The content does not tell which one is the old one."""
    former, end = kill_and_redo(job, step, 1, gone=False)
    check(job, former, end, 1, gone=False)


def test_a_redo_that_was_held_is_sent_by_a_retry_and_takes_the_place(job):
    """In the meantime the item is what it was."""
    former, _ = kill_and_redo(job, ("os:rename", "before", 1, PART, LOST), 1, gone=False)
    assert former == second(job)
    assert job.state(SECOND) == State.DONE

    async def retried():
        async with VeniceSession("key", base_url=job.sandbox.url, rate_limit=None) as venice:
            async with await stream_retry(venice, job.into, unconfirmed=True) as stream:
                return [type(outcome) async for outcome in stream]

    assert asyncio.run(retried()) == [Generated]
    assert job.billed()[SECOND] == 3
    assert digests(second(job)) == [job.painter.sent[SECOND][-1]]
    status = JournalReader(job.into).status()
    assert (status.unconfirmed, status.spent_usd) == (0, pytest.approx(0.05))
