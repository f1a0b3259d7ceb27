"""A blocked image: it is no picture, it was not billed, and nobody takes it for either."""

from __future__ import annotations

import asyncio
from contextlib import closing
from decimal import Decimal
from functools import partial

import pytest

from venice_async import (
    Blocked,
    ContentBlockedError,
    Generated,
    ImageRequest,
    VeniceSession,
    gather_generate,
)
from venice_async.errors import BatchError
from venice_async.gather import plan_generate, stream_retry
from venice_async.policy.guard import Guard
from venice_async.sandbox import Fault, Sandbox
from venice_async.storage.dataset import export_dataset
from venice_async.storage.journal import JournalReader, State
from venice_async.storage.journal.schema import connect_to_read

plain = partial(VeniceSession, "key", rate_limit=None)
SMALL = {"model": "fluently-xl", "width": 64, "height": 64}  # $0.01 an image
BLOCKED = Fault(headers={"x-venice-is-content-violation": "true"}, billed=False)
PROMPTS = ["a red fox", "what nobody may see", "a hen"]


def forbidden(body):
    return "nobody" in body["prompt"]


def with_session(body, *, fault=BLOCKED, **options):
    """Run `body(venice, sandbox)`; what it returns, and the sandbox's account."""

    async def main():
        async with Sandbox(latency=0, rpm=None) as sandbox, plain(base_url=sandbox.url, **options) as venice:
            sandbox.script(fault, times=None, when=forbidden)
            return await body(venice, sandbox), sandbox.account

    return asyncio.run(main())


def gathered(into, *, what=PROMPTS, **options):
    return with_session(lambda venice, _: gather_generate(venice, what, into=into, **SMALL, **options))


def rejected(folder):
    return sorted(path.name for path in (folder / ".venice" / "rejected").iterdir())


async def listed(iterator):
    return [entry async for entry in iterator]


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
@pytest.mark.parametrize("way", ["generate", "save", "stream"])
def test_a_single_call_raises_and_hands_nothing_out(tmp_path, way, binary):
    request = ImageRequest("what nobody may see", return_binary=binary, **SMALL)
    chunks = []

    async def ask(venice):
        if way == "generate":
            await venice.generate(request)
        elif way == "save":
            await venice.save(request, tmp_path / "a.webp")
        else:
            async with venice.stream(request) as image:
                chunks.extend([chunk async for chunk in image])

    async def body(venice, _):
        with pytest.raises(ContentBlockedError, match="was not billed") as caught:
            await ask(venice)
        assert caught.value.moderation.is_content_violation
        assert caught.value.request_id
        return venice.statistics()

    statistics, account = with_session(body)
    assert (account.billed, chunks) == (0, [])
    assert (statistics.blocked, statistics.unconfirmed, dict(statistics.by_status)) == (1, 0, {200: 1})
    assert [path.name for path in tmp_path.iterdir()] == ([".venice"] if way == "save" else [])
    assert (rejected(tmp_path) if way == "save" else []) == (["a.webp"] if way == "save" else [])


def test_a_batch_tells_it_apart_and_gives_its_cost_back(tmp_path):
    """Of a budget for two, two are bought."""
    report, account = gathered(tmp_path, budget_usd=0.02, concurrency=1)
    assert (report.generated, report.blocked, report.failed, report.unconfirmed) == (2, 1, 0, 0)
    assert (report.pending, report.stopped, report.spent_usd) == (0, None, 0.02)
    assert account.billed_usd == Decimal("0.02")
    (error,) = report.errors
    with pytest.raises(BatchError, match="2 generated, 1 blocked") as caught:
        report.raise_for_failures()
    assert caught.value.exceptions == (error,)
    outcomes = asyncio.run(listed(report.outcomes()))
    assert [type(outcome) for outcome in outcomes] == [Generated, Blocked, Generated]
    assert outcomes[1].moderation.is_content_violation
    assert [outcome.index for outcome in asyncio.run(listed(report.failures()))] == [1]


def test_it_is_in_no_file_but_the_quarantine(tmp_path):
    gathered(tmp_path / "out")
    out = tmp_path / "out"
    assert len([path for path in out.iterdir() if path.suffix == ".webp"]) == 2
    assert len(rejected(out)) == 1
    assert len((out / "metadata.jsonl").read_text().splitlines()) == 2
    assert export_dataset(out, tmp_path / "export", "imagefolder").images == 2
    status = JournalReader(out).status()
    assert (status.done, status.blocked, status.images, status.spent_usd) == (2, 1, 2, 0.02)
    assert [(group.outcome, group.count) for group in status.failures] == [("blocked", 1)]


def test_all_variants_of_a_blocked_answer_are_kept_apart(tmp_path):
    report, _ = gathered(tmp_path, variants=3)
    assert (report.generated, report.blocked) == (2, 1)
    assert len(rejected(tmp_path)) == 3


@pytest.mark.parametrize(
    "damage",
    [
        {"damage": "base64"},
        {"damage": "empty"},
        {"drop": "images"},
        {"truncated": True},
        {"reset": "body"},
        {"body": b"<h1>"},
    ],
    ids=str,
)
def test_it_is_blocked_whatever_else_is_wrong_with_the_answer(tmp_path, damage):
    """The head has said that it costs nothing, so nothing of it may be reported as paid."""
    fault = Fault(headers={"x-venice-is-content-violation": "true"}, billed=False, **damage)

    async def body(venice, _):
        return await gather_generate(venice, PROMPTS, into=tmp_path, **SMALL)

    report, _ = with_session(body, fault=fault)
    assert (report.generated, report.blocked, report.spent_usd) == (2, 1, 0.02)


@pytest.mark.parametrize("said", ["false", "", "perhaps"])
def test_only_true_is_blocked(tmp_path, said):
    fault = Fault(headers={"x-venice-is-content-violation": said})

    async def body(venice, _):
        return await gather_generate(venice, PROMPTS, into=tmp_path, **SMALL)

    report, _ = with_session(body, fault=fault)
    assert (report.generated, report.blocked) == (3, 0)


def test_the_same_call_sends_it_again_no_more(tmp_path):
    """It comes back as it was; a plan says so, too."""

    async def body(venice, _):
        options = {"into": tmp_path, **SMALL}
        await gather_generate(venice, PROMPTS, **options)
        plan = await plan_generate(venice, PROMPTS, **options)
        return plan, await gather_generate(venice, PROMPTS, max_failures=0, **options)

    (plan, report), account = with_session(body)
    assert (plan.new, plan.skipped, plan.held, plan.blocked) == (0, 2, 0, 1)
    assert (report.skipped, report.blocked, report.stopped, report.spent_usd) == (2, 1, None, 0.0)
    assert account.received == 3


@pytest.mark.parametrize("blocked", [False, True])
def test_it_is_sent_again_by_a_retry_that_is_asked_to(tmp_path, blocked):
    async def main():
        async with Sandbox(latency=0, rpm=None) as sandbox, plain(base_url=sandbox.url) as venice:
            sandbox.script(BLOCKED, when=forbidden)
            await gather_generate(venice, PROMPTS, into=tmp_path, **SMALL)
            stream = await stream_retry(venice, tmp_path, blocked=blocked)
            async with stream:
                await listed(stream)
            return stream.report, sandbox.account

    report, account = asyncio.run(main())
    assert (report.generated, account.billed) == (int(blocked), 2 + blocked)
    assert JournalReader(tmp_path).count(State.BLOCKED) == 1 - blocked


def test_a_journal_keeps_what_the_moderation_said(tmp_path):
    gathered(tmp_path)
    with closing(connect_to_read(JournalReader(tmp_path).path)) as connection:
        rows = connection.execute("SELECT state, spent, reserved FROM items ORDER BY place").fetchall()
    assert rows == [(State.DONE, 10_000, 0), (State.BLOCKED, 0, 0), (State.DONE, 10_000, 0)]


def test_it_is_no_failure_to_the_guard_nor_to_max_failures(tmp_path):
    """Forty of them in a row are sent as fast as anything."""

    async def body(venice, _):
        what = [f"{number} that nobody may see" for number in range(40)]
        return await gather_generate(venice, what, into=tmp_path, max_failures=0, **SMALL)

    report, account = with_session(body, guard=Guard(strict=True))
    assert (report.blocked, report.stopped, report.spent_usd) == (40, None, 0.0)
    assert (account.received, account.billed) == (40, 0)
