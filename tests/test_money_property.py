"""Whatever becomes of a job's requests: what was spent, and where each image is that was billed."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from attrs import frozen
from hypothesis import example, given, settings
from hypothesis import strategies as st

from venice_async import ImageRequest, VeniceSession, gather_generate, redo
from venice_async.gather import stream_retry
from venice_async.policy.retry import RetryPolicy
from venice_async.sandbox import Fault, Sandbox
from venice_async.storage.journal import JournalReader, State, forget
from venice_async.storage.journal.records import load_request
from venice_async.storage.journal.schema import connect_to_read

from .jobs import Painter

PRICES = {"fluently-xl": Decimal("0.01"), "qwen-image": Decimal("0.03")}
REWRITE = Decimal("0.04")
DETAILED = ", highly detailed, soft light"  # no rewrite comes of such a prompt
FAULTS = {
    "good": None,
    "odd": Fault(drop=("id", "timing", "request")),
    "blocked": Fault(blocked=True),
    "refused": Fault(400),
    "lost": Fault(502),
    "lost and billed": Fault(502, billed=True),
    "cut": Fault(reset="body"),
    "damaged": Fault(damage="magic"),
    "garbled": Fault(damage="base64"),
}


@frozen
class Item:
    """One item of a job, and what becomes of it.

    Attributes:
        kind: What the server does to its first request.
        later: What is done to its files, if it has any.
        again: What the server does to the next request, if there is one.
        rewrite: Whether the prompt is to be rewritten, and can be.
    """

    kind: str
    later: str
    again: str
    model: str
    variants: int | None
    rewrite: str

    def request(self, number):
        """What is asked for; the prompt begins with the item's number."""
        return ImageRequest(
            f"{number} fox{DETAILED if self.rewrite == 'in vain' else ''}",
            model=self.model,
            variants=self.variants,
            seed=number,
            enhance_prompt=True if self.rewrite != "none" else None,
        )


kinds = st.sampled_from(sorted(FAULTS))
jobs = st.lists(
    st.builds(
        Item,
        kind=st.one_of(st.just("good"), kinds),
        later=st.sampled_from(["kept", "deleted", "forgotten", "redone", "deleted and redone"]),
        again=st.one_of(st.just("good"), kinds),
        model=st.sampled_from(sorted(PRICES)),
        variants=st.sampled_from([None, 2]),
        rewrite=st.sampled_from(["none", "made", "in vain"]),
    ),
    min_size=1,
    max_size=4,
)


def script(sandbox, number, kind):
    """Let the next request of an item go wrong."""
    if (fault := FAULTS[kind]) is not None:
        sandbox.script(fault, when=lambda body: body["prompt"].startswith(f"{number} "))


async def bought(venice, into, items):
    what = [item.request(number) for number, item in enumerate(items)]
    await gather_generate(venice, what, into=into, name="{index}/{seed}", durability="process")


async def had_again(venice, sandbox, into, items):
    """Delete, forget and redo files; how many were deleted."""
    files = {}
    for image in JournalReader(into).images():
        files.setdefault(image.index, []).append(into / image.file.name)
    deleted, wanted = 0, []
    for number, paths in files.items():
        if items[number].later in {"deleted", "forgotten", "deleted and redone"}:
            paths[-1].unlink()
            deleted += 1
        if items[number].later == "forgotten":
            forget(into, [paths[-1]])
        if "redone" in items[number].later:
            script(sandbox, number, items[number].again)
            wanted.append(paths[0])
    if wanted:
        await redo(venice, into, files=wanted, durability="process")
    return deleted


def billed_as_known(record):
    """What the client can know to have been billed, or has to take for billed."""
    if is_lost(record):
        body = record.body
        rewrite = REWRITE if body.get("enhance_prompt") else 0
        return PRICES[body["model"]] * body.get("variants", 1) + rewrite
    return record.billed_usd


def is_lost(record):
    """Whether the client cannot know what became of it."""
    return record.status == 502 or not record.complete


def images_of(reader, state):
    """How many images the items in a state have asked for."""
    with closing(connect_to_read(reader.path)) as connection:
        rows = connection.execute("SELECT request FROM items WHERE state = ?", (state,)).fetchall()
    return sum(load_request(body, None).units for (body,) in rows)


def check(sandbox, into, deleted, *, rejected=0):
    """Hold the journal and the directory against the server's account."""
    reader = JournalReader(into)
    records = [record for record in sandbox.requests if record.method == "POST"]
    assert sandbox.account.billed_usd == sum(record.billed_usd for record in records)
    spent = sum(map(billed_as_known, records))
    status = reader.status()
    assert Decimal(str(round(status.spent_usd, 6))) == spent

    private = into / ".venice"
    named = [path for path in into.rglob("*.png") if private not in path.parents]
    superseded = [*private.glob("superseded/**/*.png")]
    refused = [*private.glob("parts/*.png")]  # whole, and the disk gave them no name
    rejected += images_of(reader, State.BILLED)
    lost = sum(record.billed_images for record in records if is_lost(record))
    kept = len(named) + len(superseded) + len(refused) + deleted + rejected
    assert sandbox.account.billed_images == kept + lost
    assert (rejected > 0) <= any(private.glob("rejected/**/*"))
    assert status.images == len(named)
    assert status.missing <= deleted


def carried_out(items, obstacle):
    """Carry a job out, with all that is done to it afterwards, and check it after each step."""

    async def main(into):
        retry = RetryPolicy(attempts=1)
        async with (
            Sandbox(latency=0, rpm=None, abuse_rule=False, images=Painter(200)) as sandbox,
            VeniceSession("key", base_url=sandbox.url, rate_limit=None, guard=None, retry=retry) as venice,
        ):
            for number, item in enumerate(items):
                script(sandbox, number, item.kind)
            if obstacle:
                into.mkdir()
                (into / "0").touch()  # where a folder would have to be
            await bought(venice, into, items)
            check(sandbox, into, 0)
            if obstacle:
                return
            deleted = await had_again(venice, sandbox, into, items)
            check(sandbox, into, deleted)
            await bought(venice, into, items)
            check(sandbox, into, deleted)
            rejected = images_of(JournalReader(into), State.BILLED)
            everything = {"unconfirmed": True, "billed": True, "blocked": True}
            async with await stream_retry(venice, into, durability="process", **everything) as outcomes:
                async for _ in outcomes:
                    pass
            check(sandbox, into, deleted, rejected=rejected)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder, "out")))


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(items=jobs, obstacle=st.sampled_from([False, False, False, True]))
@example(items=[Item(kind, "kept", "good", "fluently-xl", 2, "made") for kind in FAULTS], obstacle=False)
@example(items=[Item("good", "redone", kind, "qwen-image", 2, "in vain") for kind in FAULTS], obstacle=False)
@example(items=[Item("good", "kept", "good", "qwen-image", 2, "made")] * 2, obstacle=True)
def test_what_was_spent_is_what_was_billed_or_may_have_been_and_every_image_is_somewhere(items, obstacle):
    carried_out(items, obstacle)
