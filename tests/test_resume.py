"""The same call again: nothing is bought twice, nothing that was bought is lost, and the rest is done."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from functools import partial

import attrs
import pytest

from venice_async import (
    Failed,
    Generated,
    ImageRequest,
    Skipped,
    Unconfirmed,
    VeniceSession,
    gather_generate,
    stream_generate,
)
from venice_async.errors import (
    BadRequestError,
    ConfigurationError,
    DecodeError,
    DirectoryLockedError,
    JobChangedError,
    JournalError,
    UnconfirmedError,
)
from venice_async.gather import plan_generate, stream_retry
from venice_async.policy.retry import RetryPolicy
from venice_async.sandbox import Fault, Sandbox
from venice_async.storage.journal import JournalReader
from venice_async.types.response import RateLimitSnapshot

SMALL = {"model": "fluently-xl", "width": 64, "height": 64}
small = partial(ImageRequest, **SMALL)
FAULTS = {3: Fault(400), 4: Fault(502), 5: Fault(damage="base64")}


def batch(body, *, resend=False, concurrency=8, **options):
    """Run `body(venice, sandbox)` with an open session; what it returns."""

    async def main():
        retry = RetryPolicy(attempts=1, resend_unconfirmed=resend)
        session = partial(VeniceSession, rate_limit=None, guard=None, retry=retry, concurrency=concurrency)
        async with (
            Sandbox(latency=0, rpm=None, abuse_rule=False, **options) as sandbox,
            session("key", base_url=sandbox.url) as venice,
        ):
            return await body(venice, sandbox)

    return asyncio.run(main())


def sent(sandbox):
    """What was posted: prompt and seed of each request."""
    return sorted(
        (record.body["prompt"], record.body["seed"]) for record in sandbox.requests if record.method == "POST"
    )


async def listed(iterator):
    return [entry async for entry in iterator]


def counts(report):
    return report.generated, report.skipped, report.failed, report.unconfirmed, report.pending


def once(into, what="fox", *, faults=(), resend=False, concurrency=8, **options):
    """One call; its report and what it has posted."""
    options = {"seeds": range(8), **SMALL, **options}

    async def body(venice, sandbox):
        for seed in faults:
            sandbox.script(FAULTS[seed], times=None, when=lambda body, seed=seed: body["seed"] == seed)
        report = await gather_generate(venice, what, into=into, **options)
        return report, sent(sandbox)

    return batch(body, resend=resend, concurrency=concurrency)


def images(folder):
    found = (str(path.relative_to(folder)) for path in folder.rglob("*.webp"))
    return sorted(name for name in found if not name.startswith("."))


# The same call


def test_the_same_call_again_sends_what_failed_at_no_cost_and_nothing_else(tmp_path):
    """What may have been paid for is held, and comes back as it was."""
    first, _ = once(tmp_path, faults=FAULTS)
    assert counts(first) == (5, 0, 2, 1, 0)
    again, posted = once(tmp_path)
    assert posted == [("fox", 3)]
    assert counts(again) == (1, 5, 1, 1, 0)
    third, posted = once(tmp_path)
    assert (posted, counts(third)) == ([], (0, 6, 1, 1, 0))
    assert [type(outcome) for outcome in asyncio.run(listed(third.outcomes()))] == [
        *(Skipped, Skipped, Skipped, Skipped, Unconfirmed, Failed, Skipped, Skipped)
    ]
    assert len(images(tmp_path)) == 6


def test_what_is_held_says_what_it_once_ended_with(tmp_path):
    """The same error, with its fields and its notes."""
    found = []
    for _ in range(2):
        report, _ = once(tmp_path, faults=FAULTS)
        failures = asyncio.run(listed(report.failures()))
        found.append({failure.index: failure.error for failure in failures})
    before, after = found
    for index, kind in ((4, UnconfirmedError), (5, DecodeError)):
        assert type(before[index]) is type(after[index]) is kind
        assert str(after[index]) == str(before[index])
    assert after[4].__notes__ == before[4].__notes__
    assert after[4].status == 502


def test_unconfirmed_ones_are_sent_again_where_that_is_asked_for(tmp_path):
    """What was refused and billed is not."""
    once(tmp_path, faults=FAULTS)
    again, posted = once(tmp_path, resend=True)
    assert posted == [("fox", 3), ("fox", 4)]
    assert counts(again) == (2, 5, 1, 0, 0)
    (held,) = asyncio.run(listed(again.failures()))
    assert (type(held.error), held.billed) == (DecodeError, True)


def test_a_seed_that_was_left_open_is_drawn_once(tmp_path):
    """An attempt that is made again has the same one, and so has its file's name."""

    async def body(venice, sandbox):
        prompts = [f"fox {number}" for number in range(6)]
        sandbox.script(Fault(500), times=3)
        for _ in range(2):
            report = await gather_generate(venice, prompts, into=tmp_path, name="{prompt}_{seed}", **SMALL)
        return report, sent(sandbox)

    report, posted = batch(body)
    assert counts(report) == (3, 3, 0, 0, 0)
    seeds = dict(posted)
    assert len(posted) == 9
    assert len(set(posted)) == 6
    assert images(tmp_path) == sorted(
        f"{prompt.replace(' ', '-')}_{seed}.webp" for prompt, seed in seeds.items()
    )
    outcomes = asyncio.run(listed(report.outcomes()))
    assert {outcome.request.prompt: outcome.request.seed for outcome in outcomes} == seeds


def test_a_batch_that_stopped_goes_on(tmp_path):
    async def body(venice, sandbox):
        sandbox.script(Fault(402), when=lambda body: body["seed"] == 5)
        reports = [
            await gather_generate(venice, "fox", seeds=range(20), into=tmp_path, **SMALL) for _ in range(2)
        ]
        return reports, sent(sandbox)

    (first, second), posted = batch(body, concurrency=1)
    assert counts(first) == (5, 0, 1, 0, 14)
    assert counts(second) == (15, 5, 0, 0, 0)
    assert Counter(posted) == {**{("fox", seed): 1 for seed in range(20)}, ("fox", 5): 2}


# Another input


def test_an_input_may_change_its_order_and_grow(tmp_path):
    """Each request is known by what it asks for, and comes at its new place."""
    requests = [small(f"fox {number}", seed=number) for number in range(10)]

    async def body(venice, sandbox):
        await gather_generate(venice, requests, into=tmp_path)
        shuffled = [*requests, small("new", seed=1), small("newer", seed=2)]
        random.Random(7).shuffle(shuffled)
        report = await gather_generate(venice, shuffled, into=tmp_path)
        return shuffled, report, sent(sandbox)

    shuffled, report, posted = batch(body)
    assert counts(report) == (2, 10, 0, 0, 0)
    assert Counter(posted).most_common(1)[0][1] == 1
    outcomes = asyncio.run(listed(report.outcomes()))
    assert [outcome.request for outcome in outcomes] == shuffled
    assert [outcome.index for outcome in outcomes] == list(range(12))


def test_repetitions_are_bought_each_of_them_once(tmp_path):
    """The third of three equal requests is another item than the second."""
    fox = small("fox", seed=7)

    async def body(venice, sandbox):
        reports = [await gather_generate(venice, [fox] * number, into=tmp_path) for number in (2, 3, 1, 3)]
        return reports, len(sent(sandbox))

    reports, posted = batch(body)
    assert [counts(report)[:2] for report in reports] == [(2, 0), (1, 2), (0, 1), (0, 3)]
    assert posted == len(images(tmp_path)) == 3


def test_repetitions_are_left_out_where_that_is_asked_for(tmp_path):
    fox, other = small("fox", seed=7), small("other", seed=7)

    async def body(venice, sandbox):
        what, options = [fox, other, fox, fox], {"into": tmp_path, "duplicates": "skip"}
        first = await gather_generate(venice, what, **options)
        outcomes = await listed(first.outcomes())
        second = await gather_generate(venice, what, **options)
        return first, outcomes, second, sent(sandbox)

    first, outcomes, second, posted = batch(body)
    assert posted == [("fox", 7), ("other", 7)]
    assert (counts(first), counts(second)) == ((2, 2, 0, 0, 0), (0, 4, 0, 0, 0))
    assert [type(outcome) for outcome in outcomes] == [Generated, Generated, Skipped, Skipped]
    assert [outcome.request for outcome in outcomes] == [fox, other, fox, fox]
    assert outcomes[2].paths == ()


def test_another_job_is_refused_or_added(tmp_path):
    once(tmp_path)
    with pytest.raises(JobChangedError, match="steps was not set, and is 7"):
        once(tmp_path, steps=7)
    report, posted = once(tmp_path, steps=7, extend=True)
    assert (counts(report), len(posted)) == ((8, 0, 0, 0, 0), 8)
    assert len(images(tmp_path)) == 16


def test_two_batches_in_one_directory_exclude_each_other(tmp_path):
    async def body(venice, sandbox):
        async with stream_generate(venice, "fox", into=tmp_path, **SMALL) as stream:
            with pytest.raises(DirectoryLockedError):
                await gather_generate(venice, "fox", into=tmp_path, **SMALL)
            await listed(stream)
        return await gather_generate(venice, "fox", into=tmp_path, **SMALL)

    assert counts(batch(body)) == (0, 1, 0, 0, 0)


def test_whole_numbers_of_any_size_make_a_job(tmp_path):
    """A field that is newer than the library may hold one beyond 64 bits; the server refuses it here."""
    report, posted = once(tmp_path, seeds=[7], extra={"new": 2**64})
    assert (counts(report), posted) == ((0, 0, 1, 0, 0), [("fox", 7)])
    with pytest.raises(JobChangedError, match="new"):
        once(tmp_path, seeds=[7], extra={"new": 2**64 + 1})


# What is read back


def told(outcome):
    """An outcome as it can be compared: errors by their type and text, without the sender's rate limit."""
    if isinstance(outcome, Generated):
        return attrs.evolve(outcome, answer=attrs.evolve(outcome.answer, rate_limit=RateLimitSnapshot()))
    if isinstance(outcome, Skipped):
        return outcome
    billed = getattr(outcome, "billed", None)
    error = outcome.error
    return type(outcome), outcome.index, outcome.request, billed, type(error), str(error)


def test_what_is_read_back_is_what_was_streamed(tmp_path):
    """Outcome by outcome, in both runs, also after the session was closed."""
    what = [
        *(small("fox", seed=seed, variants=1 + seed % 2) for seed in range(8)),
        small("fox", seed=0),
        "",
        small("an open seed"),
        small("fox", seed=0),
        attrs.evolve(small("fox", seed=7), model="ghost"),
    ]

    async def body(venice, sandbox):
        for seed, fault in FAULTS.items():
            sandbox.script(fault, times=None, when=lambda body, seed=seed: body["seed"] == seed)
        found = []
        for _ in range(2):
            stream = stream_generate(venice, what, into=tmp_path, duplicates="skip")
            async with stream:
                streamed = await listed(stream)
            found.append((sorted(streamed, key=lambda outcome: outcome.index), stream.report))
            assert list(map(told, await listed(stream.report.outcomes()))) == list(map(told, found[-1][0]))
        return found

    streamed, report = batch(body)[-1]
    assert list(map(told, asyncio.run(listed(report.outcomes())))) == list(map(told, streamed))
    assert len(streamed) == len(what) - 1  # the item whose model is not there has no outcome
    assert report.stopped_models.keys() == {"ghost"}


# Again, without the input


async def retried(venice, into, **options):
    async with await stream_retry(venice, into, **options) as stream:
        outcomes = await listed(stream)
    return stream.report, sorted(outcome.request.seed for outcome in outcomes)


@pytest.mark.parametrize(
    ("options", "seeds"),
    [
        ({}, [3]),
        ({"unconfirmed": True}, [3, 4]),
        ({"billed": True}, [3, 5]),
        ({"unconfirmed": True, "billed": True}, [3, 4, 5]),
    ],
    ids=str,
)
def test_failures_are_sent_again_without_their_input(tmp_path, options, seeds):
    """Those that cost nothing; the others where that is asked for."""
    once(tmp_path, faults=FAULTS)

    async def body(venice, sandbox):
        report, found = await retried(venice, tmp_path, **options)
        return report, found, sent(sandbox)

    report, found, posted = batch(body)
    assert found == [seed for _, seed in posted] == seeds
    assert counts(report) == (len(seeds), 0, 0, 0, 0)
    again, posted = once(tmp_path)
    assert counts(again)[1] == 5 + len(seeds)


def test_what_fails_again_is_sent_once_in_a_run(tmp_path):
    once(tmp_path, faults=FAULTS)

    async def body(venice, sandbox):
        sandbox.script(Fault(400), times=None)
        report, _ = await retried(venice, tmp_path)
        return report, sent(sandbox)

    report, posted = batch(body)
    assert (counts(report), posted) == ((0, 0, 1, 0, 0), [("fox", 3)])
    (failure,) = asyncio.run(listed(report.failures()))
    assert isinstance(failure.error, BadRequestError)


def test_failures_of_several_inputs_are_told_apart(tmp_path):
    """Of two jobs in one directory, each with its own item at a place."""
    for steps in (5, 6):
        once(tmp_path, faults=[3], steps=steps, extend=True)

    async def body(venice, _):
        return await retried(venice, tmp_path)

    report, _ = batch(body)
    outcomes = asyncio.run(listed(report.outcomes()))
    assert [(outcome.index, outcome.request.steps) for outcome in outcomes] == [(3, 5), (3, 6)]


def test_where_no_batch_was_begun_nothing_can_be_sent_again(tmp_path):
    async def body(venice, sandbox):
        with pytest.raises(JournalError):
            await retried(venice, tmp_path)
        await gather_generate(venice, "fox", into=tmp_path, **SMALL)
        with pytest.raises(ConfigurationError):
            await retried(venice, tmp_path, concurrency=0)
        assert len(sent(sandbox)) == 1

    batch(body)


# A plan


def test_a_plan_is_what_the_batch_then_does(tmp_path):
    """At first, after failures, and with more of the input."""
    figures = []

    async def body(venice, sandbox):
        sandbox.script(Fault(400), when=lambda body: body["seed"] == 3)
        sandbox.script(Fault(502), when=lambda body: body["seed"] == 4)
        for number in (6, 6, 9):
            what = [*(small("fox", seed=seed, variants=2) for seed in range(number)), ""]
            plan = await plan_generate(venice, what, into=tmp_path)
            report = await gather_generate(venice, what, into=tmp_path)
            figures.append((plan, report))
            assert plan.items == number + 1
            assert plan.invalid == 1
            assert plan.new == report.generated + report.failed - 1 + report.unconfirmed - plan.held
            assert plan.skipped == report.skipped
            assert plan.images == 2 * plan.new
            assert plan.cost_usd == 0.02 * plan.new

    batch(body)
    assert [(plan.new, plan.held, plan.spent_usd) for plan, _ in figures] == [
        (6, 0, 0.0),
        (1, 1, 0.1),
        (3, 1, 0.12),
    ]


def test_a_plan_sends_and_makes_nothing(tmp_path):
    async def body(venice, sandbox):
        plan = await plan_generate(venice, "fox", seeds=range(30), into=tmp_path / "out", **SMALL)
        return plan, sent(sandbox)

    plan, posted = batch(body)
    assert (plan.items, plan.new, plan.cost_usd, plan.spent_usd, posted) == (30, 30, 0.3, 0.0, [])
    assert plan.seconds is not None
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("rpm", "rpd", "requests", "seconds"),
    [
        (60, None, 50, 100),
        (60, 1000, 50, 100),
        (60, 100, 50, 100),
        (60, 100, 125, 2 * 86_400 + 50),
        (60, 100, 51, 86_400 + 2),
    ],
)
def test_a_plan_takes_as_long_as_the_limits_of_a_minute_and_of_a_day_allow(
    tmp_path, rpm, rpd, requests, seconds
):
    """Two images a request; a day ends with as many as it holds, the next one begins with a minute's pace."""

    async def main():
        async with Sandbox(rpm=rpm, rpd=rpd) as sandbox, VeniceSession("key", base_url=sandbox.url) as venice:
            fields = {**SMALL, "variants": 2}
            return await plan_generate(venice, "fox", seeds=range(requests), into=tmp_path / "out", **fields)

    plan = asyncio.run(main())
    assert (plan.new, plan.images) == (requests, 2 * requests)
    assert plan.seconds == seconds


def test_a_plan_knows_what_would_be_sent_again(tmp_path):
    once(tmp_path, faults=FAULTS)

    async def body(venice, _):
        return await plan_generate(venice, "fox", seeds=range(8), into=tmp_path, **SMALL)

    assert [(plan.new, plan.held) for plan in (batch(body), batch(body, resend=True))] == [(1, 2), (2, 1)]


# A standing


def test_a_jobs_standing(tmp_path):
    once(tmp_path, faults=FAULTS)
    status = JournalReader(tmp_path).status()
    assert (status.items, status.done, status.failed, status.billed, status.unconfirmed) == (8, 5, 1, 1, 1)
    assert (status.in_flight, status.pending, status.runs, status.running) == (0, 0, 1, False)
    assert (status.images, status.spent_usd) == (5, 0.07)
    assert status.bytes == sum((tmp_path / name).stat().st_size for name in images(tmp_path))
    assert status.rate > 0
    assert 99 < status.balance_usd <= 100
    assert {(group.outcome, group.count) for group in status.failures} == {
        ("failed", 1),
        ("billed", 1),
        ("unconfirmed", 1),
    }
    assert {group.reason.split()[0] for group in status.failures} == {
        *("BadRequestError", "DecodeError", "UnconfirmedError")
    }
