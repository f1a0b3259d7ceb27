"""A batch that is killed at any instruction: nothing is lost, and nothing is bought twice."""

from __future__ import annotations

import random

import pytest

from venice_async.sandbox import Fault, Sandbox
from venice_async.storage.journal import State

from .jobs import Job, Painter

JOURNAL = "venice_async.storage.journal"
STEPS = f"{JOURNAL}.steps"
OPENING = f"{JOURNAL}.opening"
RUN = f"{JOURNAL}.journal"
FILES = "venice_async.storage.files"
NAMES = "venice_async.storage.published"

PROMPTS = [f"fox {number}" for number in range(4)]
ITEMS = [(prompt, 100 + number) for number, prompt in enumerate(PROMPTS)]
SECOND = PROMPTS[1]
ITS_PART = "/2-1-"  # the second item's, of its first attempt


@pytest.fixture
def job(nursery, tmp_path):
    """Four items, one after the other; the second is the one that is killed."""
    painter = Painter()
    with Sandbox(latency=0, rpm=None, images=painter) as sandbox:
        yield Job(nursery, sandbox, painter, tmp_path / "out", ITEMS, options={"concurrency": 1})


# At each step of a purchase

BOUGHT = ("generated", 1)  # by the second process
HELD = ("unconfirmed", 0)  # never sent, but nobody can know that
LOST = ("unconfirmed", 1)  # sent, and not whole on the disk
THERE = ("skipped", 1)  # bought by the first process, and not again

WRITING = [
    ("before-it-is-entered", f"{STEPS}:enter", "before", 2, "", None, BOUGHT),
    ("before-the-intent", f"{STEPS}:intend", "before", 2, "", None, BOUGHT),
    ("before-the-intents-commit", f"{STEPS}:intend", "after", 2, "", None, BOUGHT),
    ("after-the-intents-commit", f"{RUN}:Journal._open_part", "before", 2, "", State.SENT, HELD),
    ("after-its-part-is-opened", f"{RUN}:Journal._open_part", "after", 2, "", State.SENT, HELD),
    ("before-its-part-is-written", f"{FILES}:TemporaryFile.write", "before", 1, ITS_PART, State.SENT, LOST),
    ("amid-writing-its-part", f"{FILES}:TemporaryFile.write", "amid", 1, ITS_PART, State.SENT, LOST),
    ("after-its-part-is-written", f"{FILES}:TemporaryFile.write", "after", 1, ITS_PART, State.SENT, LOST),
    ("after-its-parts-fsync", f"{FILES}:TemporaryFile.finish", "after", 1, ITS_PART, State.SENT, LOST),
    ("before-its-part-is-whole", "os:rename", "before", 1, ITS_PART, State.SENT, LOST),
    ("after-its-part-is-whole", "os:rename", "after", 1, ITS_PART, State.SENT, THERE),
    ("before-it-is-received", f"{STEPS}:receive", "before", 2, "", State.SENT, THERE),
    ("before-receiveds-commit", f"{STEPS}:receive", "after", 2, "", State.SENT, THERE),
    ("after-receiveds-commit", f"{RUN}:Journal._put_in_place", "before", 2, "", State.RECEIVED, THERE),
    ("before-its-link", "os:link", "before", 1, ITS_PART, State.RECEIVED, THERE),
    ("after-its-link", "os:link", "after", 1, ITS_PART, State.RECEIVED, THERE),
    (
        "after-its-unlink",
        f"{NAMES}:move_without_overwriting",
        "after",
        2,
        "",
        State.RECEIVED,
        THERE,
    ),
    ("after-it-is-put-in-place", f"{RUN}:Journal._put_in_place", "after", 2, "", State.RECEIVED, THERE),
    ("before-it-is-marked-done", f"{STEPS}:mark_done", "before", 2, "", State.RECEIVED, THERE),
    ("before-dones-commit", f"{STEPS}:mark_done", "after", 2, "", State.RECEIVED, THERE),
]


WITHOUT_SYNC = {
    "after-its-part-is-written",
    "after-its-part-is-whole",
    "after-receiveds-commit",
    "after-its-link",
    "before-dones-commit",
}


@pytest.mark.parametrize(
    ("where", "side", "number", "match", "state", "end", "durability"),
    [
        *(pytest.param(*row[1:], "power", id=row[0]) for row in WRITING),
        *(
            pytest.param(*row[1:], "process", id=f"{row[0]}-unsynced")
            for row in WRITING
            if row[0] in WITHOUT_SYNC
        ),
    ],
)
def test_a_purchase_that_is_killed_at_any_step(job, where, side, number, match, state, end, durability):
    """The journal tells how far it came, and the same call again brings it to the end that this allows."""
    job.options["durability"] = durability
    job.killed_at(where, side, number, match)
    assert job.state(SECOND) == state
    assert job.billed()[SECOND] == (end in {LOST, THERE})
    told = job.resumed()
    job.check(told, lost=int(end in {LOST, HELD}))
    assert (told.kind(SECOND), job.billed()[SECOND]) == end
    assert [told.kind(prompt) for prompt in PROMPTS if prompt != SECOND] == [
        "skipped",
        "generated",
        "generated",
    ]


# An answer of two images

FIRST_OF_TWO, SECOND_OF_TWO = "/2-1-0", "/2-1-1"

WRITING_TWO = [
    ("after-the-first-is-written", f"{FILES}:TemporaryFile.finish", "after", FIRST_OF_TWO, State.SENT, LOST),
    ("amid-writing-the-second", f"{FILES}:TemporaryFile.write", "amid", SECOND_OF_TWO, State.SENT, LOST),
    ("after-both-are-written", f"{FILES}:TemporaryFile.finish", "after", SECOND_OF_TWO, State.SENT, LOST),
    ("between-their-renames", "os:rename", "after", FIRST_OF_TWO, State.SENT, THERE),
    ("after-both-are-whole", "os:rename", "after", SECOND_OF_TWO, State.SENT, THERE),
    ("after-the-firsts-link", "os:link", "after", FIRST_OF_TWO, State.RECEIVED, THERE),
    ("between-their-links", "os:link", "before", SECOND_OF_TWO, State.RECEIVED, THERE),
    ("after-the-seconds-link", "os:link", "after", SECOND_OF_TWO, State.RECEIVED, THERE),
]


@pytest.mark.parametrize(
    ("where", "side", "match", "state", "end"), [pytest.param(*row[1:], id=row[0]) for row in WRITING_TWO]
)
def test_a_purchase_of_two_images_is_whole_or_not_there(job, where, side, match, state, end):
    """What is between the first image and the second loses neither of them."""
    job.fields["variants"] = 2
    job.killed_at(where, side, 1, match)
    assert job.state(SECOND) == state
    told = job.resumed()
    job.check(told, lost=int(end == LOST))
    assert (told.kind(SECOND), job.billed()[SECOND]) == end


NAMING = [row for row in WRITING if row[0] in WITHOUT_SYNC or "link" in row[0]][1:]


@pytest.mark.parametrize(
    ("where", "side", "number", "match"), [pytest.param(*row[1:5], id=row[0]) for row in NAMING]
)
def test_images_of_one_name_and_one_content_are_not_mistaken_for_each_other(
    nursery, tmp_path, where, side, number, match
):
    """Each purchase has a file of its own, though the file before it looks as if it were the one."""
    painter = Painter(alike=True)
    options = {"concurrency": 1, "name": "{model}"}
    with Sandbox(latency=0, rpm=None, images=painter) as sandbox:
        job = Job(nursery, sandbox, painter, tmp_path / "out", ITEMS, options=options)
        job.killed_at(where, side, number, match)
        told = job.resumed()
        job.check(told, lost=0)
    assert (told.kind(SECOND), job.billed()[SECOND]) == THERE


# Before the first purchase and after the last

OPENED = [
    ("while-it-looks-whether-it-can-write", "pathlib:Path.unlink", "before", 1, "out/.venice-probe"),
    ("before-the-journal-is-made", f"{OPENING}:create", "before"),
    ("before-the-journal-has-its-name", "pathlib:Path.replace", "before"),
    ("after-the-journal-is-made", f"{OPENING}:create", "after"),
    ("before-the-lock", f"{RUN}:DirectoryLock.take", "before"),
    ("after-the-lock", f"{RUN}:DirectoryLock.take", "after"),
    ("before-the-connection", f"{OPENING}:connect_to_write", "before"),
    ("after-the-connection", f"{OPENING}:connect_to_write", "after"),
    ("before-the-recovery", f"{OPENING}:settle", "before"),
    ("after-the-recovery", f"{OPENING}:settle", "after"),
    ("after-the-opening", f"{RUN}:Journal._open", "after"),
]


@pytest.mark.parametrize("kill", [pytest.param(row[1:], id=row[0]) for row in OPENED])
def test_a_batch_that_is_killed_before_its_first_purchase_is_begun_anew(job, kill):
    """Whatever there is of its journal is in nobody's way."""
    job.killed_at(*kill)
    assert job.sandbox.account.received == 0
    told = job.resumed()
    job.check(told, lost=0)
    assert told.counts["generated"] == len(ITEMS)


CLOSED = [
    ("before-the-end-is-recorded", f"{STEPS}:end_run", "before"),
    ("before-the-ends-commit", f"{STEPS}:mark_done", "after", len(ITEMS)),
    ("before-the-lock-is-released", f"{RUN}:DirectoryLock.release", "before"),
    ("after-the-lock-is-released", f"{RUN}:DirectoryLock.release", "after"),
]


@pytest.mark.parametrize("kill", [pytest.param(row[1:], id=row[0]) for row in CLOSED])
def test_a_batch_that_is_killed_after_its_last_purchase_is_complete(job, kill):
    """Everything is there, and is skipped."""
    job.killed_at(*kill)
    told = job.resumed()
    job.check(told, lost=0)
    assert told.counts["skipped"] == job.sandbox.account.received == len(ITEMS)


# During the recovery

RECOVERY = f"{JOURNAL}.recovery"
FIRST_ITEM = "/1-1-"

LEFT = {
    "half": ("os:rename", "after", 1, THERE),
    "whole": ("os:rename", "after", 2, THERE),
    "received": (f"{RUN}:Journal._put_in_place", "before", 1, THERE),
    "linked": ("os:link", "after", 1, THERE),
    "sent": (f"{RUN}:Journal._open_part", "after", 1, HELD),
}
RECOVERING = [
    ("before-it", f"{OPENING}:settle", "before", 1, "", ["half"]),
    ("after-a-rename", "os:rename", "after", 1, FIRST_ITEM, ["half"]),
    ("before-it-is-received", f"{RECOVERY}:_take_over", "before", 1, "", ["half", "whole", "sent"]),
    ("before-receiveds-commit", f"{RECOVERY}:_take_over", "after", 1, "", ["half", "whole", "sent"]),
    ("after-receiveds-commit", f"{RECOVERY}:_finish_all", "before", 1, "", ["half", "whole", "sent"]),
    ("after-the-first-link", "os:link", "after", 1, FIRST_ITEM, ["whole", "received"]),
    (
        "after-the-first-unlink",
        "os:unlink",
        "after",
        1,
        FIRST_ITEM,
        ["whole", "received", "linked"],
    ),
    ("after-the-second-link", "os:link", "after", 2, FIRST_ITEM, ["whole", "received"]),
    ("before-dones-commit", f"{RECOVERY}:_finish_all", "after", 1, "", ["whole", "received", "linked"]),
    ("after-a-deletion", "pathlib:Path.unlink", "after", 1, FIRST_ITEM, ["sent"]),
]


@pytest.mark.parametrize(
    ("left", "kill"),
    [pytest.param(left, row[1:5], id=f"{left}-{row[0]}") for row in RECOVERING for left in row[5]],
)
def test_a_recovery_that_is_killed_is_gone_on_with(job, left, kill):
    """A second crash, while the first one is being settled, changes nothing of what is settled."""
    job.fields["variants"] = 2
    *first, (kind, billed) = LEFT[left]
    job.killed_at(*first)
    job.killed_at(*kill)
    assert job.sandbox.account.received == billed  # it was killed before it bought anything
    told = job.resumed()
    job.check(told, lost=int(kind == "unconfirmed"))
    assert (told.kind(PROMPTS[0]), job.billed()[PROMPTS[0]]) == (kind, billed)


# At any instant


def some_items(chance, first, count):
    """Prompts, some of them twice, with seeds that are given or open."""
    items = [(f"fox {number}", chance.choice([None, number])) for number in range(first, first + count)]
    return items + chance.sample(items, count // 8)


def check_seeds(job):
    """A seed is drawn once for each item, however often that is sent."""
    sent = job.sent_seeds()
    for prompt, seed in job.items:
        times = job.items.count((prompt, seed))
        assert len(set(sent[prompt])) <= times
        assert seed is None or set(sent[prompt]) <= {seed}


def kill_at_random(nursery, folder, chance, *, kills, items):
    """Kill a batch, with other inputs in between, and hold it to every promise."""
    painter = Painter(alike=chance.random() < 0.2)
    pace = random.Random(chance.random())
    with Sandbox(
        latency=lambda _: pace.uniform(0.01, 0.03), rpm=None, images=painter, abuse_rule=False
    ) as sandbox:
        job = Job(nursery, sandbox, painter, folder / "out", some_items(chance, 0, items))
        job.fields["variants"] = chance.choice([1, 1, 2])
        job.options.update(
            concurrency=CONCURRENCY,
            durability=chance.choice(["power", "process"]),
            name=chance.choice(["{index:05d}_{seed}_{prompt}", "{prompt}", "{model}/{seed}"]),
        )
        sandbox.script(Fault(500), times=6, when=lambda _: pace.random() < 0.1)
        for kill in range(kills):
            job.killed_after(chance.uniform(0.05, 0.4))
            if chance.random() < 0.5:
                chance.shuffle(job.items)
            if chance.random() < 0.5:
                job.items += some_items(chance, 100 * (kill + 1), 8)
        told = completed(job)
        job.check(told, lost=kills * CONCURRENCY)
        check_seeds(job)
        done = told.counts["generated"] + told.counts["skipped"]
        assert job.resumed().counts == {**told.counts, "generated": 0, "skipped": done}
        job.check(completed(job, resend_unconfirmed=True), lost=0, resent=True)
        check_seeds(job)


def completed(job, **options):
    """Run until nothing fails or is left any more at no cost; what the last process told."""
    while True:
        told = job.resumed(**options)
        if not told.counts["failed"] + told.counts["pending"]:
            return told


CONCURRENCY = 8


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("block", range(4))
def test_a_batch_that_is_killed_at_any_instant(long, nursery, tmp_path, block):
    """After up to four kills, and with what was added and moved meanwhile, everything is bought once."""
    for seed in range(block, 200 if long else 12, 4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        chance = random.Random(seed)
        try:
            kills = chance.randint(1, 4 if long else 2)
            kill_at_random(nursery, folder, chance, kills=kills, items=36 if long else 18)
        except BaseException as exc:
            exc.add_note(f"with the seed {seed}")
            raise
