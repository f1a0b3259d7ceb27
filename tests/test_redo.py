"""A picture that is gone, or not wanted as it is, can be had again."""

from __future__ import annotations

import asyncio
import json
from functools import partial

import pytest

from venice_async import Blocked, Generated, Skipped, Unconfirmed, VeniceSession, gather_generate, redo
from venice_async.errors import BatchError, ConfigurationError
from venice_async.gather import stream_redo
from venice_async.sandbox import Fault, Sandbox
from venice_async.storage.dataset import export_dataset
from venice_async.storage.journal import JournalReader, find_redos, forget

from .jobs import Painter, digests_of

plain = partial(VeniceSession, "key", rate_limit=None)
JOB = {"model": "fluently-xl", "width": 64, "height": 64, "seeds": range(5), "name": "{seed}_{prompt}"}


def with_session(body, **options):
    """Run `body(venice, sandbox)`; what it returns, and the sandbox's account."""

    async def main():
        painter = Painter(1000)
        async with (
            Sandbox(latency=0, rpm=None, images=painter) as sandbox,
            plain(base_url=sandbox.url, **options) as venice,
        ):
            return await body(venice, sandbox), sandbox.account

    return asyncio.run(main())


async def listed(iterator):
    return [entry async for entry in iterator]


def images(folder):
    return sorted(path.name for path in folder.glob("*.png"))


def superseded(folder):
    return sorted(path.name for path in folder.glob(".venice/superseded/*"))


async def bought(venice, into, **options):
    return await gather_generate(venice, "fox", into=into, **{**JOB, **options})


def test_what_is_gone_is_missing_until_it_is_bought_again(tmp_path):
    async def body(venice, _):
        await bought(venice, tmp_path)
        (tmp_path / "1_fox.png").unlink()
        (tmp_path / "3_fox.png").unlink()
        second = await bought(venice, tmp_path)
        outcomes, paths = await listed(second.outcomes()), await listed(second.paths())
        status = JournalReader(tmp_path).status()
        third = await redo(venice, tmp_path, missing=True)
        return second, outcomes, paths, status, third, await bought(venice, tmp_path)

    (second, outcomes, paths, status, third, last), account = with_session(body)
    assert (second.skipped, second.missing, second.generated, second.stopped) == (5, 2, 0, None)
    with pytest.raises(BatchError, match="2 missing"):
        second.raise_for_failures()
    assert [outcome.missing for outcome in outcomes] == [
        (),
        (tmp_path / "1_fox.png",),
        (),
        (tmp_path / "3_fox.png",),
        (),
    ]
    assert [path.name for path in paths] == ["0_fox.png", "2_fox.png", "4_fox.png"]
    assert (status.done, status.missing, status.images, status.bytes) == (5, 2, 3, 3036)
    assert (third.generated, third.spent_usd, account.billed) == (2, 0.02, 7)
    third.raise_for_failures()
    assert (last.skipped, last.missing) == (5, 0)
    last.raise_for_failures()
    assert (len(images(tmp_path)), superseded(tmp_path)) == (5, [])
    assert JournalReader(tmp_path).status().spent_usd == pytest.approx(0.07)


def test_metadata_and_export_go_by_what_is_there(tmp_path):
    async def body(venice, _):
        await bought(venice, tmp_path / "out")
        (tmp_path / "out" / "1_fox.png").unlink()
        await bought(venice, tmp_path / "out")

    with_session(body)
    rows = (tmp_path / "out" / "metadata.jsonl").read_text().splitlines()
    assert [json.loads(row)["seed"] for row in rows] == [0, 2, 3, 4]
    assert export_dataset(tmp_path / "out", tmp_path / "to", "imagefolder").images == 4


@pytest.mark.parametrize("given", ["name", "path"])
def test_a_named_image_is_bought_again_and_the_old_one_set_aside(tmp_path, given):
    async def body(venice, _):
        await bought(venice, tmp_path)
        old = (tmp_path / "2_fox.png").read_bytes()
        file = "2_fox.png" if given == "name" else tmp_path / "2_fox.png"
        report = await redo(venice, tmp_path, files=[file])
        return old, report, await listed(report.outcomes())

    (old, report, outcomes), account = with_session(body)
    assert (report.generated, report.spent_usd, account.billed) == (1, 0.01, 6)
    ((path,),) = [outcome.paths for outcome in outcomes if isinstance(outcome, Generated)]
    assert path == tmp_path / "2_fox.png"
    assert path.read_bytes() != old
    assert superseded(tmp_path) == ["2_fox.png"]
    assert (tmp_path / ".venice" / "superseded" / "2_fox.png").read_bytes() == old


def test_a_new_seed_is_sent_recorded_and_named_and_the_item_stays_the_same(tmp_path):
    async def body(venice, sandbox):
        await bought(venice, tmp_path)
        await redo(venice, tmp_path, files=["2_fox.png"], new_seed=True)
        seed = sandbox.requests[-1].body["seed"]
        report = await bought(venice, tmp_path)
        return seed, report, await listed(report.outcomes())

    (seed, report, outcomes), account = with_session(body)
    assert seed != 2
    assert (report.skipped, report.missing, account.received) == (5, 0, 6)
    assert isinstance(outcomes[2], Skipped)
    assert (outcomes[2].request.seed, outcomes[2].paths[0].name) == (seed, f"{seed}_fox.png")
    seeds = [image.request.seed for image in JournalReader(tmp_path).images()]
    assert seeds == [0, 1, seed, 3, 4]


def test_each_redo_keeps_the_one_before(tmp_path):
    async def body(venice, _):
        await bought(venice, tmp_path)
        for _ in range(3):
            await redo(venice, tmp_path, files=["2_fox.png"])

    with_session(body)
    assert superseded(tmp_path) == ["2_fox-2.png", "2_fox-3.png", "2_fox.png"]
    assert len(digests_of(tmp_path.glob(".venice/superseded/*"))) == 3
    assert len(images(tmp_path)) == 5


@pytest.mark.parametrize("new_seed", [False, True])
@pytest.mark.parametrize("between", [False, True], ids=["at-once", "after-another-run"])
def test_a_redo_that_was_stopped_is_resumed_by_the_same_call(tmp_path, new_seed, between):
    """What it had bought is not bought again; once it is complete, the same call buys all of them anew."""

    async def body(venice, sandbox):
        await bought(venice, tmp_path)
        call = {"files": images(tmp_path), "new_seed": new_seed, "concurrency": 1}
        before, counts = sandbox.account.received, []
        async with await stream_redo(venice, tmp_path, **call) as outcomes:
            async for _ in outcomes:
                break
        for _ in range(2):
            counts.append(sandbox.account.received - before)
            if between:
                await bought(venice, tmp_path)
            report = await redo(venice, tmp_path, **call)
            assert report.stopped is None
            call["files"] = images(tmp_path)
        return [*counts, sandbox.account.received - before]

    (first, second, third), _ = with_session(body)
    assert 0 < first < 5
    assert (second, third) == (5, 10)


def test_a_redo_some_of_which_failed_sends_only_those_again(tmp_path):
    async def body(venice, sandbox):
        await bought(venice, tmp_path)
        sandbox.script(Fault(400), times=1)
        names = images(tmp_path)
        return [await redo(venice, tmp_path, files=names) for _ in range(3)]

    reports, account = with_session(body)
    told = [(report.generated, report.skipped, report.failed) for report in reports]
    assert told == [(4, 0, 1), (1, 4, 0), (5, 0, 0)]
    assert account.billed == 15


@pytest.mark.parametrize(
    ("fault", "kind", "spent"),
    [
        (Fault(400), None, 0.05),
        (Fault(blocked=True), Blocked, 0.05),
        (Fault(502), Unconfirmed, 0.06),
        (Fault(damage="magic"), None, 0.06),
    ],
    ids=["failed", "blocked", "unconfirmed", "billed"],
)
def test_a_redo_that_brings_nothing_takes_nothing_away(tmp_path, fault, kind, spent):
    """And what may have been paid for is not bought once more by the same call."""

    async def body(venice, sandbox):
        await bought(venice, tmp_path)
        before = digests_of(tmp_path.glob("*.png"))
        sandbox.script(fault, times=1)
        report = await redo(venice, tmp_path, files=["2_fox.png"])
        (outcome,) = await listed(report.outcomes())
        sent = sandbox.account.received
        status = JournalReader(tmp_path).status()
        after = digests_of(tmp_path.glob("*.png"))
        again = await redo(venice, tmp_path, files=["2_fox.png"])
        return before == after, outcome, status, again, sandbox.account.received - sent

    (same, outcome, status, again, sent), _ = with_session(body)
    assert same
    assert kind is None or isinstance(outcome, kind)
    assert (status.items, status.done, status.missing) == (5, 5, 0)
    assert status.spent_usd == pytest.approx(spent)
    held = spent == 0.06
    assert (again.generated, sent) == (0, 0) if held else (1, 1)


def test_an_answer_of_several_variants_is_bought_again_as_a_whole(tmp_path):
    async def body(venice, _):
        await bought(venice, tmp_path, seeds=[7], variants=3)
        (tmp_path / "7_fox-1.png").unlink()
        return await redo(venice, tmp_path, missing=True)

    report, account = with_session(body)
    assert (report.generated, account.billed_images, report.spent_usd) == (1, 6, 0.03)
    assert images(tmp_path) == ["7_fox-0.png", "7_fox-1.png", "7_fox-2.png"]
    assert superseded(tmp_path) == ["7_fox-0.png", "7_fox-2.png"]


def test_what_is_forgotten_is_missed_no_more(tmp_path):
    async def body(venice, _):
        await bought(venice, tmp_path, seeds=range(2), variants=2)
        (tmp_path / "0_fox-0.png").unlink()
        (tmp_path / "1_fox-1.png").unlink()
        one = forget(tmp_path, ["0_fox-0.png"])
        first = await bought(venice, tmp_path, seeds=range(2), variants=2)
        two = forget(tmp_path, [], missing=True)
        return one, first, two, await bought(venice, tmp_path, seeds=range(2), variants=2)

    (one, first, two, second), account = with_session(body)
    assert (one, two) == (["0_fox-0.png"], ["1_fox-1.png"])
    assert (first.missing, second.missing, second.skipped, account.received) == (1, 0, 2, 2)
    second.raise_for_failures()
    status = JournalReader(tmp_path).status()
    assert (status.done, status.missing, status.images) == (2, 0, 2)
    assert find_redos(tmp_path, [], missing=True) == {}
    assert find_redos(tmp_path, ["0_fox-0.png"], missing=False) == {1: True}


def test_what_cannot_be_done_is_refused_before_anything_is_sent(tmp_path):
    async def body(venice, sandbox):
        await bought(venice, tmp_path)
        for files, missing, text in (
            ([], False, "say which images"),
            (["9_fox.png"], False, "9_fox.png is not an image of the job"),
            (["9_fox.png"], True, "9_fox.png is not an image of the job"),
        ):
            with pytest.raises(ConfigurationError, match=text):
                await redo(venice, tmp_path, files=files, missing=missing)
            with pytest.raises(ConfigurationError, match=text):
                forget(tmp_path, files, missing=missing)
        with pytest.raises(ConfigurationError, match="is there; only what is gone"):
            forget(tmp_path, ["2_fox.png"])
        return sandbox.account.received

    received, _ = with_session(body)
    assert received == 5


def test_a_budget_holds_for_what_is_bought_again(tmp_path):
    async def body(venice, _):
        await bought(venice, tmp_path)
        for path in tmp_path.glob("*.png"):
            path.unlink()
        return await redo(venice, tmp_path, missing=True, budget_usd=0.07)

    report, account = with_session(body)
    assert (report.generated, report.pending, account.billed) == (2, 3, 7)
