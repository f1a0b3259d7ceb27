"""What a batch may cost: never more than its budget, whatever is in flight, fails or comes again."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from functools import partial

import attrs
import pytest

from venice_async import (
    BudgetExceededError,
    ImageRequest,
    StyleReference,
    Unconfirmed,
    VeniceSession,
    gather_generate,
    stream_generate,
)
from venice_async.errors import ConfigurationError, ConnectError, StatusError
from venice_async.policy.retry import RetryPolicy
from venice_async.sandbox import Fault, Sandbox
from venice_async.storage.journal import JournalReader

plain = partial(VeniceSession, rate_limit=None, guard=None)
SMALL = {"model": "fluently-xl", "width": 64, "height": 64}  # $0.01 an image


def batch(body, *, latency=0.0, attempts=1, concurrency=16, resend=False, **options):
    """Run `body(venice, sandbox)` with an open session; what it returns, and the sandbox's account."""

    async def main():
        retry = RetryPolicy(attempts=attempts, wait_initial=0, resend_unconfirmed=resend)
        async with (
            Sandbox(latency=latency, rpm=None, abuse_rule=False, **options) as sandbox,
            plain("key", base_url=sandbox.url, concurrency=concurrency, retry=retry) as venice,
        ):
            return await body(venice, sandbox), sandbox.account

    return asyncio.run(main())


def gathered(into, what="fox", **options):
    """The report of one batch, and the sandbox's account."""
    names = ("latency", "attempts", "faults", "concurrency", "resend")
    outside = {name: options.pop(name) for name in names if name in options}
    return batch(lambda venice, _: gather_generate(venice, what, into=into, **options), **outside)


def seeds(*numbers):
    """Whether a request has one of these seeds."""
    return lambda body: body.get("seed") in numbers


async def listed(iterator):
    return [entry async for entry in iterator]


@pytest.mark.parametrize(("budget", "bought"), [(0.1, 10), (0.109, 10), (0.0, 0), (0.3, 30), (0.55, 50)])
def test_a_budget_is_used_to_its_last_image_and_never_exceeded(tmp_path, budget, bought):
    """With sixteen in flight: what is reserved counts as spent."""
    report, account = gathered(tmp_path, seeds=range(50), budget_usd=budget, **SMALL)
    assert (report.generated, report.failed, report.unconfirmed) == (bought, 0, 0)
    assert report.pending == 50 - bought
    assert account.billed_usd == Decimal("0.01") * bought <= Decimal(str(budget))
    assert report.spent_usd == bought / 100
    if bought < 50:
        assert isinstance(report.stopped, BudgetExceededError)
        assert account.received == bought
    else:
        assert report.stopped is None


def test_an_image_that_is_too_dear_stops_a_batch_before_cheaper_ones(tmp_path):
    """It stays pending, and so does what comes after it."""
    cheap = ImageRequest("fox", model="fluently-xl", width=64, height=64)
    dear = ImageRequest("fox", model="qwen-image", width=64, height=64)
    what = [cheap, cheap, dear, cheap]
    report, account = gathered(tmp_path, what, budget_usd=0.04, concurrency=1)
    assert (report.generated, report.pending, account.billed_usd) == (2, 2, Decimal("0.02"))
    assert "the next request costs $0.03, and $0.02 is left" in str(report.stopped)


def test_all_the_variants_of_a_request_are_paid_for(tmp_path):
    report, account = gathered(tmp_path, seeds=range(5), budget_usd=0.1, variants=4, concurrency=2, **SMALL)
    assert (report.generated, report.spent_usd) == (2, 0.08)
    assert account.billed_images == 8


def test_a_budget_is_the_jobs_and_not_the_runs(tmp_path):
    """What earlier runs have spent counts; a larger one goes on."""
    spent, runs = [], [(0.05, 5), (0.05, 0), (0.08, 3), (0.02, 0), (1, 12)]
    for budget, bought in runs:
        report, account = gathered(tmp_path, seeds=range(20), budget_usd=budget, **SMALL)
        spent.append(account.billed)
        assert report.generated == bought
        assert report.spent_usd == bought / 100
        assert report.skipped + report.generated + report.pending == 20
    assert spent == [bought for _, bought in runs]
    assert JournalReader(tmp_path).status().spent_usd == 0.2


def test_what_was_unconfirmed_in_an_earlier_run_is_spent(tmp_path):
    """It may have been billed, and the budget says so for good."""

    async def body(venice, sandbox):
        sandbox.script(Fault(502), times=None, when=seeds(0, 1))
        options = {"seeds": range(10), "into": tmp_path, "budget_usd": 0.05, **SMALL}
        first = await gather_generate(venice, "fox", **options)
        return first, await gather_generate(venice, "fox", **options)

    (first, second), account = batch(body, concurrency=1)
    assert (first.generated, first.unconfirmed, first.spent_usd) == (3, 2, 0.05)
    assert (second.generated, second.unconfirmed, second.skipped, second.spent_usd) == (0, 2, 3, 0.0)
    assert account.received == 5


@pytest.mark.parametrize(
    ("fault", "counts"),
    [
        ("400", False),
        ("422", False),
        ("413", False),
        ("502", True),
        ("reset:body", True),
        ("truncated", True),
        ("damage:base64", True),
    ],
)
def test_what_was_or_may_have_been_billed_is_spent(tmp_path, fault, counts):
    """A refusal costs nothing, and its money buys another image."""

    async def body(venice, sandbox):
        sandbox.script(Fault.parse(fault)[0], times=None, when=seeds(0, 1))
        return await gather_generate(venice, "fox", seeds=range(10), into=tmp_path, budget_usd=0.04, **SMALL)

    report, account = batch(body, concurrency=2)
    assert report.generated == (2 if counts else 4)
    assert report.spent_usd == 0.04
    assert account.billed_usd <= Decimal("0.04")
    status = JournalReader(tmp_path).status()
    assert status.spent_usd == 0.04


def test_attempts_that_cost_nothing_are_not_counted(tmp_path):
    """Three in four of them are refused, and the budget buys as many as ever."""

    async def body(venice, sandbox):
        sandbox.script(Fault(500), times=30)
        return await gather_generate(venice, "fox", seeds=range(20), into=tmp_path, budget_usd=0.1, **SMALL)

    report, account = batch(body, attempts=40, concurrency=1)
    assert (report.generated, report.spent_usd, account.billed) == (10, 0.1, 10)


def test_an_attempt_that_may_have_been_billed_is_paid_for_when_it_is_made_again(tmp_path):
    """Sending it again costs a second image."""

    async def body(venice, sandbox):
        sandbox.script(Fault(502), times=2)
        return await gather_generate(venice, "fox", seeds=range(9), into=tmp_path, budget_usd=0.06, **SMALL)

    report, account = batch(body, attempts=3, resend=True, concurrency=1)
    assert (report.generated, report.spent_usd) == (4, 0.06)
    assert account.billed_usd <= Decimal("0.06")
    assert JournalReader(tmp_path).status().spent_usd == 0.06


@pytest.mark.parametrize(
    "request_",
    [
        {"model": "unlisted"},
        {"model": "unlisted", "enhance_prompt": True},
    ],
    ids=str,
)
def test_a_price_that_is_not_known_stops_a_batch_with_a_budget(tmp_path, request_):
    """Before anything is sent for it."""
    fields = {"width": 64, "height": 64, **request_}
    report, account = gathered(tmp_path, seeds=range(5), budget_usd=1, **fields)
    assert isinstance(report.stopped, ConfigurationError)
    assert (report.pending, report.spent_usd, account.received) == (5, 0.0, 0)


def test_without_a_budget_a_price_that_is_not_known_does_not_matter(tmp_path):
    """The spending is unknown then."""
    reference = StyleReference(image="https://example.org/style.png")  # whose surcharge nobody tells
    fields = {**SMALL, "model": "krea-v2-large", "style_references": [reference]}
    report, account = gathered(tmp_path, seeds=range(3), **fields)
    assert (report.generated, report.stopped, account.billed) == (3, None, 3)
    assert report.spent_usd is None
    assert JournalReader(tmp_path).status().spent_usd is None


@pytest.fixture
def no_prices(raw_server, json_answer, webp):
    """A server that generates, and fails whoever asks it for its models."""

    async def handle(connection):
        while True:
            head, _ = await connection.read_request()
            if head.startswith(b"POST"):
                await connection.answer(json_answer(webp), "application/json")
            else:
                await connection.answer(b"{}", "application/json", "500 Internal Server Error")

    return lambda: raw_server(handle)


def test_prices_that_cannot_be_had_are_raised_on_entering_where_there_is_a_budget(tmp_path, no_prices):
    """And nothing is sent; the directory is as it was."""

    async def main():
        async with no_prices() as server, plain("key", base_url=server.url) as venice:
            with pytest.raises(StatusError):
                await gather_generate(venice, "fox", into=tmp_path / "out", budget_usd=1, **SMALL)
            assert not any(b"POST" in bytes(received) for received in server.received)
        async with plain("key", base_url=server.url) as venice:
            with pytest.raises(ConnectError):
                await gather_generate(venice, "fox", into=tmp_path / "out", budget_usd=1, **SMALL)
        assert not (tmp_path / "out").exists()

    asyncio.run(main())


def test_prices_that_cannot_be_had_do_not_matter_without_a_budget(tmp_path, no_prices):
    """The spending is unknown."""

    async def main():
        async with no_prices() as server, plain("key", base_url=server.url) as venice:
            async with stream_generate(venice, "fox", seeds=range(3), into=tmp_path, **SMALL) as stream:
                assert stream.progress.spent_usd is None
                await listed(stream)
                assert stream.progress.spent_usd is None
            return stream.report

    report = asyncio.run(main())
    assert (report.generated, report.spent_usd) == (3, None)


def test_the_spending_is_told_while_it_grows(tmp_path):
    """What is in flight is not spent yet."""
    spent = []

    async def body(venice, _):
        nonlocal spent
        async with stream_generate(venice, "fox", seeds=range(6), into=tmp_path, **SMALL) as stream:
            spent.append(stream.progress.spent_usd)
            spent += [(stream.progress.done, stream.progress.spent_usd) async for _ in stream]
        return stream.report

    report, _ = batch(body, concurrency=1)
    assert spent[0] == 0.0
    for done, usd in spent[1:]:
        assert done / 100 <= usd <= (done + 1) / 100
    assert report.spent_usd == 0.06


def test_what_is_given_up_in_flight_is_spent(tmp_path, until):
    async def body(venice, sandbox):
        stream = stream_generate(
            venice, "fox", seeds=range(9), into=tmp_path, budget_usd=0.05, drain_timeout=0, **SMALL
        )
        async with stream:
            await until(lambda: sandbox.account.in_flight == 4)
        return stream.report

    report, _ = batch(body, latency=3600, concurrency=4)
    assert (report.unconfirmed, report.spent_usd, report.pending) == (4, 0.04, 5)
    report, account = gathered(tmp_path, seeds=range(9), budget_usd=0.05, **SMALL)
    assert (report.generated, report.unconfirmed, account.received) == (1, 4, 1)


def test_a_budget_stops_what_is_held_from_nothing(tmp_path):
    """Items that come back as they were cost nothing, whatever is left."""

    async def body(venice, sandbox):
        sandbox.script(Fault(502), times=1)
        options = {"into": tmp_path, "seeds": range(3), **SMALL}
        await gather_generate(venice, "fox", **options)
        report = await gather_generate(venice, "fox", budget_usd=0, **options)
        return report, [type(outcome) for outcome in await listed(report.failures())]

    (report, failures), account = batch(body, concurrency=1)
    assert (report.skipped, report.unconfirmed, report.stopped, report.pending) == (2, 1, None, 0)
    assert failures == [Unconfirmed]
    assert account.received == 3


def test_an_attempt_that_was_refused_after_a_lost_one_is_not_paid_for(tmp_path):
    """Of two attempts one may have been billed."""

    async def body(venice, sandbox):
        sandbox.script(Fault(502))
        sandbox.script(Fault(500))
        return await gather_generate(venice, "fox", into=tmp_path, seeds=[1], **SMALL)

    report, _ = batch(body, attempts=2, resend=True)
    assert (report.unconfirmed, report.spent_usd) == (1, 0.01)
    assert JournalReader(tmp_path).status().spent_usd == 0.01


def test_what_comes_back_at_no_cost_is_spent_again(tmp_path):
    """Refusals in flight do not end a job that has spent nothing yet."""

    async def body(venice, sandbox):
        sandbox.script(Fault(500), times=5)
        return await gather_generate(
            venice, "fox", into=tmp_path, seeds=range(20), budget_usd=0.05, concurrency=16, **SMALL
        )

    report, account = batch(body, attempts=4)
    assert (report.generated, report.pending, account.billed) == (5, 15, 5)
    assert isinstance(report.stopped, BudgetExceededError)


def test_requests_of_a_budget_need_not_have_seeds(tmp_path):
    request = attrs.evolve(ImageRequest("fox", model="fluently-xl"), width=64, height=64)
    report, account = gathered(tmp_path, [request] * 8, budget_usd=0.03)
    assert (report.generated, account.billed_usd) == (3, Decimal("0.03"))
