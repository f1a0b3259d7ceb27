"""Many requests: what goes in, what comes out, and what is kept when a batch ends before its end."""

from __future__ import annotations

import asyncio
import errno
import itertools
import math
import os
import sys
import threading
from functools import partial

import attrs
import pytest

from venice_async import (
    BatchError,
    Failed,
    Generated,
    ImageRequest,
    RequestLimits,
    Skipped,
    ValidationError,
    VeniceSession,
    gather_generate,
    stream_generate,
    sweep,
)
from venice_async.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    DecodeError,
    NotFoundError,
    OutputExistsError,
    PaymentRequiredError,
    PermissionDeniedError,
    SessionStateError,
    StatusError,
    StorageError,
    TooManyFailuresError,
    UnprocessableEntityError,
)
from venice_async.policy.retry import RetryPolicy
from venice_async.sandbox import Fault, Sandbox

# One attempt, at once: what waits and repeats is tested elsewhere.
plain = partial(VeniceSession, rate_limit=None, retry=RetryPolicy(attempts=1), guard=None)

SMALL = {"model": "fluently-xl", "width": 64, "height": 64}


def batch(body, *, latency=0.0, faults=(), concurrency=16, **options):
    """Run `body(venice, sandbox)` with an open session; what it returns, and the sandbox's account."""

    async def main():
        async with (
            Sandbox(latency=latency, rpm=None, faults=faults, **options) as sandbox,
            plain("key", base_url=sandbox.url, concurrency=concurrency) as venice,
        ):
            result = await body(venice, sandbox)
            assert (venice._pool.in_flight, venice._pool.waiting) == (0, 0)
            return result, sandbox

    return asyncio.run(main())


def gathered(into, what, *, seeds=None, **options):
    """The report of one batch and the sandbox, with the options of both."""
    names = ("latency", "faults", "concurrency", "images")
    outside = {name: options.pop(name) for name in names if name in options}

    async def body(venice, _):
        return await gather_generate(venice, what, into=into, seeds=seeds, **options)

    return batch(body, **outside)


async def listed(iterator):
    return [entry async for entry in iterator]


def outcomes_of(report):
    return asyncio.run(listed(report.outcomes()))


def paths_of(report):
    return asyncio.run(listed(report.paths()))


def posts(sandbox):
    return [record for record in sandbox.requests if record.method == "POST"]


def bodies(sandbox):
    return sorted((record.body["prompt"], record.body.get("seed")) for record in posts(sandbox))


def images(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.webp"))


def bad_seeds(*seeds):
    """Whether a request has one of these seeds."""
    return lambda body: body.get("seed") in seeds


# What goes in


def test_a_prompt_with_seeds(tmp_path):
    """One prompt, generated once for each seed; the directory is made."""
    report, sandbox = gathered(tmp_path / "deep" / "out", "a red fox", seeds=range(8), **SMALL)
    assert (report.generated, report.failed, report.unconfirmed, report.pending) == (8, 0, 0, 0)
    assert report.stopped is None
    assert report.elapsed > 0
    report.raise_for_failures()
    assert bodies(sandbox) == [("a red fox", seed) for seed in range(8)]
    assert images(tmp_path / "deep" / "out") == [f"{seed:05d}_{seed}_a-red-fox.webp" for seed in range(8)]
    assert all(
        record.body.keys() == {"prompt", "seed", "model", "width", "height"} for record in posts(sandbox)
    )


def prompts():
    return ["a", "b", "c"]


async def asynchronously(items):
    for item in items:
        await asyncio.sleep(0)
        yield item


@pytest.mark.parametrize(
    ("what", "total"),
    [
        (prompts, 3),
        (lambda: tuple(prompts()), 3),
        (lambda: iter(prompts()), None),
        (lambda: (prompt for prompt in prompts()), None),
        (lambda: asynchronously(prompts()), None),
        (lambda: dict.fromkeys(prompts()), 3),
    ],
    ids=["list", "tuple", "iterator", "generator", "async-generator", "dict"],
)
@pytest.mark.parametrize("seeds", [None, (4, 9)], ids=["no-seeds", "seeds"])
def test_any_iterable_of_prompts(tmp_path, what, total, seeds):
    """Each item in its turn, and each once for each seed."""
    totals = []

    async def body(venice, _):
        async with stream_generate(venice, what(), into=tmp_path, seeds=seeds, **SMALL) as outcomes:
            totals.append(outcomes.progress.total)
            return await listed(outcomes)

    outcomes, sandbox = batch(body)
    expected = list(itertools.product(prompts(), seeds or (None,)))
    drawn = None if seeds is None else seeds
    assert [(prompt, drawn and seed) for prompt, seed in bodies(sandbox)] == sorted(expected, key=str)
    found = {outcome.index: (outcome.request.prompt, drawn and outcome.request.seed) for outcome in outcomes}
    assert [found[index] for index in range(len(expected))] == expected
    assert totals == [None if total is None else total * len(seeds or (None,))]


def test_requests_and_prompts_may_be_mixed(tmp_path):
    """A request goes as it is, a prompt gets the fields; a seed is drawn for both."""
    request = ImageRequest("mine", model="venice-sd35", steps=5)
    report, sandbox = gathered(tmp_path, ["theirs", request], concurrency=1, **SMALL)
    assert report.generated == 2
    sent = [dict(record.body) for record in posts(sandbox)]
    assert all(0 <= body.pop("seed") < 999_999_999 for body in sent)
    assert sent == [{"prompt": "theirs", **SMALL}, {"prompt": "mine", "model": "venice-sd35", "steps": 5}]


def test_one_request_with_seeds(tmp_path, fox):
    """Each seed replaces the request's own."""
    report, sandbox = gathered(tmp_path, attrs.evolve(fox, seed=1), seeds=[5, 6, 7])
    assert report.generated == 3
    assert bodies(sandbox) == [("a red fox", seed) for seed in (5, 6, 7)]


def test_a_sweep(tmp_path, fox):
    """Every combination, the last field's values varying fastest, with a total that is known."""
    what = sweep(fox, prompt=["a", "b"], seed=range(2), steps=[5, 6])
    report, sandbox = gathered(tmp_path, what, concurrency=1)
    assert report.generated == len(what) == 8
    sent = [(record.body["prompt"], record.body["seed"], record.body["steps"]) for record in posts(sandbox)]
    assert sent == list(itertools.product("ab", range(2), (5, 6)))


def test_an_empty_input_is_an_empty_report(tmp_path):
    """Nothing to do is no error."""
    for number, what in enumerate(([], iter(()), asynchronously([]))):
        report, sandbox = gathered(tmp_path / str(number), what, **SMALL)
        assert (report.generated, report.pending) == (0, 0)
        report.raise_for_failures()
        assert sandbox.account.received == 0


def test_an_endless_input_can_be_left(tmp_path):
    """What was in flight is on disk, the rest was never asked for, and nobody can say how much that is."""

    async def body(venice, sandbox):
        endless = (f"fox {number}" for number in itertools.count())
        stream = stream_generate(venice, endless, into=tmp_path, **SMALL)
        async with stream as outcomes:
            async for _ in outcomes:
                if outcomes.progress.done >= 10:
                    break
        return stream.report, sandbox.account

    (report, account), sandbox = batch(body, concurrency=4)
    assert report.pending is None
    assert report.generated == account.received == len(images(tmp_path)) == sandbox.account.received
    assert 10 <= report.generated <= 10 + 4 + 4


def test_concurrency_is_the_sessions_or_the_batchs_own(tmp_path):
    """The smaller of the two counts."""
    for own, expected in ((None, 5), (2, 2), (50, 5)):
        _, sandbox = (
            gathered(tmp_path / str(own), "fox", seeds=range(20), latency=0.02, concurrency=5, **SMALL)
            if own is None
            else batch(
                lambda venice, _, own=own: gather_generate(
                    venice, "fox", seeds=range(20), into=tmp_path / str(own), concurrency=own, **SMALL
                ),
                latency=0.02,
                concurrency=5,
            )
        )
        assert sandbox.account.peak_in_flight == expected


# What is refused before anything is sent


@pytest.mark.parametrize(
    ("what", "options", "kind"),
    [
        ("fox", {"model": "m", "steps": 999}, ValidationError),
        ("fox", {"model": "m", "width": "64"}, ValidationError),
        (["fox"], {"model": "m", "cfg_scale": math.nan}, ValidationError),
        ("", {"model": "m"}, ValidationError),
        ("fox", {"model": "m", "seeds": []}, ConfigurationError),
        ("fox", {"model": "m", "seed": 3, "seeds": [1]}, ConfigurationError),
        ("fox", {"model": "m", "name": "{nope}"}, ConfigurationError),
        ("fox", {"model": "m", "name": "../{index}"}, ConfigurationError),
        ("fox", {"model": "m", "name": ""}, ConfigurationError),
        ("fox", {"model": "m", "concurrency": 0}, ConfigurationError),
        ("fox", {"model": "m", "concurrency": True}, ConfigurationError),
        (7, {"model": "m"}, ConfigurationError),
        (None, {"model": "m"}, ConfigurationError),
        (b"fox", {"model": "m"}, ConfigurationError),
        (ImageRequest("fox", model="m"), {"steps": 5}, ConfigurationError),
        ("fox", {"model": "m", "seeds": 5}, ConfigurationError),
        ("fox", {"model": "m", "seeds": "0-15"}, ConfigurationError),
        ("fox", {"model": "m", "drain_timeout": -1}, ConfigurationError),
        ("fox", {"model": "m", "drain_timeout": "long"}, ConfigurationError),
    ],
    ids=str,
)
def test_what_cannot_be_right_is_refused_before_anything_is_sent(tmp_path, what, options, kind):
    """And no directory is made for it."""

    async def body(venice, _):
        with pytest.raises(kind):
            (await gather_generate(venice, what, into=tmp_path / "out", **options)).raise_for_failures()

    _, sandbox = batch(body)
    assert sandbox.account.received == 0


def test_the_same_call_again_skips_what_is_there(tmp_path):
    """Nothing is bought twice."""
    gathered(tmp_path, "fox", seeds=range(2), **SMALL)
    report, sandbox = gathered(tmp_path, "fox", seeds=range(2), **SMALL)
    assert (report.generated, report.skipped, report.pending, report.spent_usd) == (0, 2, 0, 0)
    assert sandbox.account.received == 0
    report.raise_for_failures()
    assert [(type(outcome), outcome.index) for outcome in outcomes_of(report)] == [(Skipped, 0), (Skipped, 1)]
    assert [path.name for path in paths_of(report)] == images(tmp_path)


def test_images_without_a_journal_are_not_added_to(tmp_path):
    """Nobody can tell what they are; the message says what to do."""
    (tmp_path / "mine.png").write_bytes(b"mine")
    with pytest.raises(OutputExistsError, match="choose another") as caught:
        gathered(tmp_path, "fox", seeds=range(2), **SMALL)
    assert str(tmp_path) in str(caught.value)


def test_a_closed_session_is_refused(tmp_path):
    """On entering, before the directory is made."""

    async def main():
        async with plain("key") as venice:
            pass
        for session in (venice, plain("key")):
            with pytest.raises(SessionStateError):
                await gather_generate(session, "fox", into=tmp_path / "out", **SMALL)
        assert not (tmp_path / "out").exists()

    asyncio.run(main())


def test_a_stream_is_entered_once_and_read_inside_of_its_block(tmp_path):
    """Anything else is an error of ours, or the plain end of the iteration."""

    async def body(venice, _):
        stream = stream_generate(venice, "fox", into=tmp_path, **SMALL)
        with pytest.raises(SessionStateError):
            await anext(stream)
        async with stream:
            with pytest.raises(SessionStateError):
                await stream.__aenter__()
            assert len(await listed(stream)) == 1
            assert await listed(stream) == []
        with pytest.raises(SessionStateError):
            await stream.__aenter__()
        with pytest.raises((SessionStateError, StopAsyncIteration)):
            await anext(stream)

    batch(body)


def test_a_stream_that_is_never_entered_does_nothing(tmp_path):
    """No directory, no task, no warning."""

    async def body(venice, _):
        stream = stream_generate(venice, "fox", into=tmp_path / "out", **SMALL)
        assert stream.report.generated == 0
        assert stream.progress.rate == 0

    _, sandbox = batch(body)
    assert sandbox.account.received == 0
    assert not (tmp_path / "out").exists()


# Failures


def test_an_invalid_item_fails_alone(tmp_path):
    """It has no request, cost nothing, and the others go on."""
    what = ["a", "", "b", "x" * 2000, 7, "c"]
    report, sandbox = gathered(tmp_path, what, **SMALL)
    assert (report.generated, report.failed) == (3, 3)
    outcomes = outcomes_of(report)
    assert [type(outcome).__name__ for outcome in outcomes] == [
        *("Generated", "Failed", "Generated"),
        *("Failed", "Failed", "Generated"),
    ]
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            assert outcome.request is None
            assert isinstance(outcome.error, ValidationError)
            assert not outcome.billed
    assert sandbox.account.received == 3


@pytest.mark.parametrize("seeds", [[1, 10**12, 2], range(10**12), [1, "2"], {1.5}])
def test_an_invalid_seed_is_refused_before_the_first_request(tmp_path, seeds):
    """Out of its range or no integer, among others that are fine; a long range is not gone through."""

    async def body(venice, _):
        with pytest.raises(ValidationError, match="seeds = "):
            await gather_generate(venice, "fox", into=tmp_path, seeds=seeds, **SMALL)

    _, sandbox = batch(body)
    assert sandbox.account.received == 0


def test_an_invalid_seed_of_an_endless_input_fails_alone(tmp_path):
    """It is met when its turn comes."""
    report, _ = gathered(tmp_path, "fox", seeds=iter([1, 10**12, 2]), **SMALL)
    assert (report.generated, report.failed, report.pending) == (2, 1, 0)


def test_endless_seeds_are_read_as_places_come_free(tmp_path):
    """With a single prompt they make an endless batch."""

    async def body(venice, _):
        outcomes = stream_generate(venice, "fox", into=tmp_path, seeds=itertools.count(), **SMALL)
        async with outcomes:
            assert outcomes.progress.total is None
            async for outcome in outcomes:
                if outcome.index >= 40:
                    break
        return outcomes.report

    report, _ = batch(body, concurrency=4)
    assert report.generated >= 41
    assert report.pending is None


def test_a_long_range_of_seeds_is_not_unrolled(tmp_path):
    """A range of two billion begins at once, and is counted."""

    async def body(venice, _):
        what = [ImageRequest("fox", model="m", limits=RequestLimits.SCHEMA)]
        seeds = range(-999_999_999, 1_000_000_000)
        async with stream_generate(venice, what, into=tmp_path, seeds=seeds) as outcomes:
            return outcomes.progress.total

    assert batch(body)[0] == 1_999_999_999


@pytest.mark.parametrize(
    ("fault", "kind", "billed"),
    [
        (Fault(400), BadRequestError, False),
        (Fault(403, html=True), PermissionDeniedError, False),
        (Fault(422), UnprocessableEntityError, False),
        (Fault(damage="base64"), DecodeError, True),
        (Fault(html=True), DecodeError, False),
    ],
    ids=repr,
)
def test_an_item_that_fails_does_not_stop_the_others(tmp_path, fault, kind, billed):
    """It is Failed, with its request, its error, and whether it was billed."""

    async def body(venice, sandbox):
        sandbox.script(fault, times=None, when=bad_seeds(3, 5))
        return await gather_generate(venice, "fox", seeds=range(8), into=tmp_path, **SMALL)

    report, _ = batch(body)
    assert (report.generated, report.failed, report.unconfirmed, report.pending) == (6, 2, 0, 0)
    failures = asyncio.run(listed(report.failures()))
    assert [failure.index for failure in failures] == [3, 5]
    for failure in failures:
        assert type(failure.error) is kind
        assert failure.request.seed == failure.index
        assert failure.billed is billed
        assert f"request {failure.index}: 'fox'" in failure.error.__notes__


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, AuthenticationError), (402, PaymentRequiredError), (405, StatusError), (410, StatusError)],
)
def test_what_every_further_request_would_meet_stops_the_batch(tmp_path, status, kind):
    """The report says what stopped it and how many were not sent; what is in flight is seen through."""

    async def body(venice, sandbox):
        sandbox.script(Fault(status), times=None, when=bad_seeds(10))
        return await gather_generate(venice, "fox", seeds=range(200), into=tmp_path, **SMALL)

    report, sandbox = batch(body, concurrency=4)
    assert type(report.stopped) is kind
    assert report.failed == 1
    assert 4 <= report.generated <= 10 + 8
    assert report.generated + report.failed + report.pending == 200
    assert sandbox.account.received == report.generated + report.failed
    assert len(images(tmp_path)) == report.generated


def test_a_wrong_key_costs_one_round_of_requests(tmp_path):
    """Of a thousand, no more are sent than there are places."""
    report, sandbox = batch(
        lambda venice, _: gather_generate(venice, "fox", seeds=range(1000), into=tmp_path, **SMALL),
        api_key="another",
        concurrency=8,
    )
    assert isinstance(report.stopped, AuthenticationError)
    assert sandbox.account.received <= 8
    assert report.pending == 1000 - report.failed


# An input that breaks


def test_an_input_that_raises_still_hands_over_what_came_before(tmp_path):
    """A reader of the stream sees every outcome, and then the exception."""

    def source():
        yield from ("a", "b", "c")
        raise KeyError("mine")

    async def body(venice, _):
        seen = []
        with pytest.raises(KeyError):  # noqa: PT012
            async with stream_generate(venice, source(), into=tmp_path, **SMALL) as outcomes:
                async for outcome in outcomes:
                    seen.append(outcome.index)  # noqa: PERF401
        return seen

    seen, _ = batch(body)
    assert sorted(seen) == [0, 1, 2]


def test_a_sweeps_value_out_of_range_costs_nothing(tmp_path, fox):
    """It is a ValidationError before anything was sent, or that item's failure alone."""

    async def body(venice, sandbox):
        try:
            report = await gather_generate(venice, sweep(fox, steps=[5, 999, 6]), into=tmp_path)
        except ValidationError:
            assert sandbox.account.received == 0
        else:
            assert (report.generated, report.failed) == (2, 1)

    batch(body, concurrency=1)


@pytest.mark.parametrize("seeds", [None, [1, 2]], ids=["no-seeds", "seeds"])
def test_an_async_inputs_clean_up_runs_inside_of_the_block(tmp_path, seeds):
    """Its `finally` has run when the block ends, however the block ends."""
    closed = []

    async def source():
        try:
            for number in itertools.count():
                yield f"fox {number}"
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async def body(venice, _):
        async with stream_generate(venice, source(), into=tmp_path, seeds=seeds, **SMALL) as outcomes:
            async for _ in outcomes:
                break
        assert closed == [True]

    batch(body, concurrency=2)


# Leaving early


def test_leaving_early_saves_what_is_in_flight_and_sends_nothing_more(tmp_path, until):
    """What was bought is on disk, and the account stands still."""

    async def body(venice, sandbox):
        stream = stream_generate(venice, "fox", seeds=range(100), into=tmp_path, **SMALL)
        async with stream as outcomes:
            await anext(outcomes)
            await until(lambda: sandbox.account.in_flight == 4)
        received = sandbox.account.received
        await asyncio.sleep(0.3)
        assert sandbox.account.received == received
        return stream.report

    report, sandbox = batch(body, latency=0.1, concurrency=4)
    account = sandbox.account
    assert account.received == account.answered == report.generated == len(images(tmp_path))
    assert report.pending == 100 - report.generated > 80
    assert report.unconfirmed == report.failed == 0


def test_an_exception_of_the_body_leaves_unchanged(tmp_path, until):
    """Not as a group, not as a cause of another; and what was in flight is on disk."""
    error = KeyError("mine")

    async def body(venice, sandbox):
        with pytest.raises(KeyError) as caught:  # noqa: PT012
            async with stream_generate(venice, "fox", seeds=range(100), into=tmp_path, **SMALL):
                await until(lambda: sandbox.account.in_flight == 4)
                raise error
        assert caught.value is error
        assert error.__cause__ is None

    _, sandbox = batch(body, latency=0.05, concurrency=4)
    assert sandbox.account.received == sandbox.account.answered == len(images(tmp_path)) == 4


def test_without_time_to_drain_what_is_in_flight_is_unconfirmed(tmp_path, until):
    """It was sent and is given up: it may have been billed, and the report says so."""

    async def body(venice, sandbox):
        stream = stream_generate(venice, "fox", seeds=range(100), into=tmp_path, drain_timeout=0, **SMALL)
        async with stream:
            await until(lambda: sandbox.account.in_flight == 4)
        return stream.report

    report, sandbox = batch(body, latency=3600, concurrency=4)
    assert (report.generated, report.unconfirmed, report.pending) == (0, 4, 96)
    assert sandbox.account.received == 4
    assert {outcome.request.seed for outcome in outcomes_of(report)} == set(range(4))
    assert images(tmp_path) == []
    assert list((tmp_path / ".venice" / "parts").iterdir()) == []


def test_the_drain_has_a_time_limit(tmp_path, until):
    """After it what is still in flight is given up."""

    async def body(venice, sandbox):
        stream = stream_generate(venice, "fox", seeds=range(9), into=tmp_path, drain_timeout=0.2, **SMALL)
        async with stream:
            await until(lambda: sandbox.account.in_flight == 4)
        return stream.report

    report, _ = batch(body, latency=3600, concurrency=4)
    assert (report.unconfirmed, report.pending) == (4, 5)


@pytest.mark.parametrize("how", ["task", "timeout"])
def test_a_cancelled_batch_drains_and_then_is_cancelled(tmp_path, until, how):
    """What was in flight is on disk by the time the cancellation arrives."""

    async def body(venice, sandbox):
        call = gather_generate(venice, "fox", seeds=range(100), into=tmp_path, **SMALL)
        if how == "timeout":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await call
        else:
            task = asyncio.create_task(call)
            await until(lambda: sandbox.account.in_flight == 4)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert task.cancelled()

    _, sandbox = batch(body, latency=0.1, concurrency=4)
    account = sandbox.account
    assert 4 <= account.received == account.answered == len(images(tmp_path)) < 100


def test_a_second_cancellation_aborts_the_drain(tmp_path, until):
    """Whoever asks twice does not want to wait; no part of a file stays."""

    async def body(venice, sandbox):
        stream = stream_generate(venice, "fox", seeds=range(9), into=tmp_path, drain_timeout=3600, **SMALL)

        async def read():
            async with stream as outcomes:
                async for _ in outcomes:
                    pass

        task = asyncio.create_task(read())
        await until(lambda: sandbox.account.in_flight == 4)
        task.cancel()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return stream.report

    report, _ = batch(body, latency=3600, concurrency=4)
    assert (report.unconfirmed, report.pending) == (4, 5)
    assert images(tmp_path) == []
    assert list((tmp_path / ".venice" / "parts").iterdir()) == []


def test_two_batches_share_a_session(tmp_path):
    """They take turns for its places, and each has its own report."""

    async def body(venice, _):
        return await asyncio.gather(
            *(gather_generate(venice, "fox", seeds=range(20), into=tmp_path / n, **SMALL) for n in "ab")
        )

    (one, other), sandbox = batch(body, latency=0.005, concurrency=4)
    assert one.generated == other.generated == 20
    assert sandbox.account.peak_in_flight == 4


def test_a_session_that_is_closed_under_a_batch_ends_it(tmp_path, until):
    """With errors of ours, no hang and no file left behind."""

    async def main():
        async with Sandbox(latency=3600, rpm=None) as sandbox:
            async with plain("key", base_url=sandbox.url, concurrency=2) as venice:
                call = gather_generate(venice, "fox", seeds=range(4), into=tmp_path, **SMALL)
                task = asyncio.create_task(call)
                await until(lambda: sandbox.account.in_flight == 2)
            try:
                report = await task
            except SessionStateError:
                return
            assert report.generated == 0

    asyncio.run(main())


# Names


def test_names_follow_the_template(tmp_path):
    """Its folders are made, and a name that is given twice gets a number."""
    report, _ = gathered(
        tmp_path, ["a", "b"], seeds=[1, 2], name="{model}/{seed:03d}", concurrency=1, **SMALL
    )
    assert set(images(tmp_path)) == {f"fluently-xl/{name}.webp" for name in ("001", "001-2", "002", "002-2")}
    assert [str(path.relative_to(tmp_path)) for path in paths_of(report)] == [
        f"fluently-xl/{name}.webp" for name in ("001", "002", "001-2", "002-2")
    ]


def test_equal_names_are_numbered(tmp_path):
    """Each picture has a file of its own, in whatever order they come."""
    report, _ = gathered(tmp_path, "fox", seeds=range(30), name="{model}", **SMALL)
    expected = {"fluently-xl.webp", *(f"fluently-xl-{number}.webp" for number in range(2, 31))}
    assert set(images(tmp_path)) == {path.name for path in paths_of(report)} == expected
    assert len({path.read_bytes() for path in paths_of(report)}) == 30


def test_variants_are_numbered_from_zero(tmp_path):
    """In one outcome, with the paths in the order of the answer."""
    report, _ = gathered(tmp_path, "fox", seeds=[7], variants=3, **SMALL)
    assert [path.name for path in paths_of(report)] == [f"00000_7_fox-{image}.webp" for image in range(3)]


# Watching


def test_progress_counts(tmp_path):
    """Done, failed, unconfirmed and total, with a rate and an estimate that follow from them."""
    seen = []

    async def body(venice, sandbox):
        sandbox.script(Fault(400), times=None, when=bad_seeds(1))
        sandbox.script(Fault(502), times=None, when=bad_seeds(2))
        async with stream_generate(venice, "fox", seeds=range(10), into=tmp_path, **SMALL) as outcomes:
            seen.append(outcomes.progress)
            async for _ in outcomes:
                seen.append(outcomes.progress)  # noqa: PERF401
            seen.append(outcomes.progress)

    batch(body, concurrency=2, latency=0.01)
    first, last = seen[0], seen[-1]
    assert (first.finished, first.total, first.eta) == (0, 10, None)
    assert (last.done, last.failed, last.unconfirmed, last.total) == (8, 1, 1, 10)
    assert last.eta == 0
    assert last.rate == pytest.approx(10 / last.elapsed)
    assert [progress.finished for progress in seen] == sorted(progress.finished for progress in seen)
    middle = seen[5]
    assert middle.eta == pytest.approx((10 - middle.finished) / middle.rate)


def test_progress_without_a_known_total(tmp_path):
    """An iterator does not tell its length: no total, no estimate."""

    async def body(venice, _):
        async with stream_generate(venice, iter(["a", "b"]), into=tmp_path, **SMALL) as outcomes:
            await listed(outcomes)
            return outcomes.progress

    progress, _ = batch(body)
    assert (progress.done, progress.total, progress.eta) == (2, None, None)
    assert progress.rate > 0


def test_the_report_can_be_read_while_the_batch_runs(tmp_path):
    """It says where the batch stands."""

    async def body(venice, _):
        stream = stream_generate(venice, "fox", seeds=range(6), into=tmp_path, **SMALL)
        async with stream as outcomes:
            await anext(outcomes)
            report = stream.report
            assert report.generated >= 1
            assert report.generated + report.pending == 6
            await listed(outcomes)
        assert stream.report.generated == 6
        elapsed = stream.report.elapsed
        await asyncio.sleep(0.05)
        assert stream.report.elapsed == elapsed

    batch(body, concurrency=1)


def test_outcomes_come_as_they_finish(tmp_path):
    """A slow one does not hold back the others."""

    async def body(venice, sandbox):
        sandbox.script(Fault(delay=1), when=bad_seeds(0))
        async with stream_generate(venice, "fox", seeds=range(6), into=tmp_path, **SMALL) as outcomes:
            return [outcome.index async for outcome in outcomes]

    order, _ = batch(body)
    assert sorted(order) == list(range(6))
    assert order[-1] == 0


def test_an_outcomes_files_are_there_when_it_is_handed_over(tmp_path):
    """Whole, under their names, with the sizes that the answer tells."""

    async def body(venice, _):
        async with stream_generate(venice, "fox", seeds=range(20), into=tmp_path, **SMALL) as outcomes:
            async for outcome in outcomes:
                assert isinstance(outcome, Generated)
                assert outcome.paths == outcome.answer.paths
                assert [path.stat().st_size for path in outcome.paths] == list(outcome.answer.sizes)

    batch(body)


# An input that misbehaves


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_input_that_raises_a_cancellation_does_not_end_the_batch_as_if_it_were_complete(tmp_path, kind):
    """Nobody cancelled the batch; what came before is there."""

    def prompts():
        yield "fox"
        raise asyncio.CancelledError

    async def slow_prompts():
        yield "fox"
        raise asyncio.CancelledError

    async def body(venice, _):
        what = prompts() if kind == "sync" else slow_prompts()
        with pytest.raises(RuntimeError, match="the input raised CancelledError"):
            await gather_generate(venice, what, into=tmp_path, **SMALL)

    _, sandbox = batch(body)
    assert sandbox.account.billed == len(images(tmp_path)) == 1


@pytest.mark.filterwarnings("error")
def test_an_input_that_exits_the_program_does_so_in_the_callers_task(tmp_path):
    """The exit is no member of a group, and what was in flight is on disk."""

    def prompts():
        yield from ["fox"] * 3
        sys.exit(7)

    async def body(venice, _):
        with pytest.raises(SystemExit) as caught:
            await gather_generate(venice, prompts(), into=tmp_path, **SMALL)
        return caught.value.code

    code, sandbox = batch(body)
    assert code == 7
    assert sandbox.account.billed == len(images(tmp_path)) == 3


class _Unclosable:
    """An async input whose closing fails."""

    def __aiter__(self):
        return self

    async def __anext__(self):
        return "fox"

    async def aclose(self):
        raise KeyError("closing")


def test_an_input_that_cannot_be_closed_does_not_hide_the_callers_exception(tmp_path):
    """It becomes a note on it."""

    async def body(venice, _):
        with pytest.raises(ValueError, match="mine") as caught:
            async with stream_generate(venice, _Unclosable(), into=tmp_path, **SMALL):
                raise ValueError("mine")
        return caught.value.__notes__

    assert "KeyError('closing')" in batch(body)[0][0]


def test_an_input_that_cannot_be_closed_is_told_to_a_caller_who_leaves(tmp_path):
    """Nothing of it is swallowed."""

    async def body(venice, _):
        async def leave_early():
            async with stream_generate(venice, _Unclosable(), into=tmp_path, **SMALL) as outcomes:
                await anext(outcomes)

        with pytest.raises(KeyError, match="closing"):
            await leave_early()

    batch(body)


# Endings


def test_a_directory_that_cannot_be_written_to_is_found_out_before_anything_is_sent(tmp_path, monkeypatch):
    """As on a read-only file system: making it is not enough."""
    real = os.open

    def read_only(path, flags, *rest, **named):
        if str(path).endswith(".part"):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        return real(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", read_only)

    async def body(venice, _):
        with pytest.raises(StorageError, match="Read-only"):
            await gather_generate(venice, "fox", into=tmp_path / "out", **SMALL)

    _, sandbox = batch(body)
    assert sandbox.account.received == 0


@pytest.mark.parametrize("into", ["a\0b", "a\ud800b"])
def test_a_directory_with_an_impossible_name_is_a_storage_error(tmp_path, into):
    """Before anything is sent."""

    async def body(venice, _):
        with pytest.raises(StorageError):
            await gather_generate(venice, "fox", into=tmp_path / into, **SMALL)

    _, sandbox = batch(body)
    assert sandbox.account.received == 0


def test_a_cancellation_while_a_batch_ends_is_passed_on(tmp_path, until):
    """The caller asked for it, and gets it, once the batch is over."""

    async def body(venice, sandbox):
        started = asyncio.Event()

        async def caller():
            async with stream_generate(venice, "fox", into=tmp_path, seeds=range(4), **SMALL):
                await until(lambda: sandbox.account.received >= 4)
                started.set()

        task = asyncio.create_task(caller())
        await started.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    _, sandbox = batch(body, latency=0.2)
    assert sandbox.account.received == 4


def test_an_image_that_is_being_renamed_when_the_batch_is_aborted_is_generated(tmp_path, monkeypatch, until):
    """A file under its name that the report calls unconfirmed would be bought again."""
    renaming, go = threading.Event(), threading.Event()
    real = os.link

    def slow(source, goal):
        renaming.set()
        assert go.wait(20)
        real(source, goal)

    monkeypatch.setattr(os, "link", slow)

    async def body(venice, _):
        stream = stream_generate(venice, "fox", into=tmp_path, drain_timeout=0, **SMALL)

        async def caller():
            async with stream:
                await asyncio.Event().wait()

        task = asyncio.create_task(caller())
        await until(renaming.is_set)
        task.cancel()
        await asyncio.sleep(0.05)
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return stream.report

    report, _ = batch(body)
    assert (report.generated, report.unconfirmed) == (1, 0)
    assert len(images(tmp_path)) == 1


# A batch that goes wrong


def test_a_model_that_is_not_there_stops_its_items_and_no_others(tmp_path):
    """What is in flight meets the refusal, what comes after is not sent; none of it has an outcome."""
    ghost = ImageRequest("fox", model="ghost", width=64, height=64)
    fox = attrs.evolve(ghost, model="fluently-xl")
    report, sandbox = gathered(tmp_path, [ghost, fox] * 50, concurrency=4)
    assert (report.generated, report.failed, report.pending, report.stopped) == (50, 0, 50, None)
    assert sandbox.account.by_status[404] <= 4
    assert {model: type(error) for model, error in report.stopped_models.items()} == {"ghost": NotFoundError}
    assert len(outcomes_of(report)) == 50
    with pytest.raises(BatchError) as caught:
        report.raise_for_failures()
    assert caught.value.exceptions == (report.stopped_models["ghost"],)


@pytest.mark.parametrize(("allowed", "failed"), [(0, 1), (5, 6), (0.1, 3)])
def test_too_many_failures_stop_a_batch(tmp_path, allowed, failed):
    """A number of them, or a share of at least twenty; the report says so, and what is left."""

    async def body(venice, sandbox):
        sandbox.script(Fault(422), times=None, when=lambda body: body["seed"] % 5 == 0)
        return await gather_generate(
            venice, "fox", seeds=range(1, 200), into=tmp_path, max_failures=allowed, **SMALL
        )

    report, _ = batch(body, concurrency=1)
    assert isinstance(report.stopped, TooManyFailuresError)
    assert f"max_failures={allowed}" in str(report.stopped)
    assert report.failed in {failed, failed + 1}
    assert report.pending == 199 - report.generated - report.failed > 100
    with pytest.raises(BatchError):
        report.raise_for_failures()


def test_as_many_failures_as_are_allowed_stop_nothing(tmp_path):
    """Nor does a large share of a few."""

    async def body(venice, sandbox):
        sandbox.script(Fault(422), times=3)
        for allowed in (3, 0.5):
            into = tmp_path / str(allowed)
            report = await gather_generate(
                venice, "fox", seeds=range(5), into=into, max_failures=allowed, **SMALL
            )
            assert report.stopped is None

    batch(body)


@pytest.mark.parametrize("given", [-1, True, 1.5, "3", float("nan")])
def test_a_limit_of_failures_that_is_none_is_refused(tmp_path, given):
    """Before anything is sent."""

    async def body(venice, _):
        with pytest.raises(ConfigurationError, match="max_failures="):
            await gather_generate(venice, "fox", into=tmp_path, max_failures=given, **SMALL)

    batch(body)


def test_stopping_does_not_wait_for_what_waits(tmp_path, until):
    """For a permit of the rate limit, or for a retry: only what is in flight is seen through."""

    async def body(_, sandbox):
        sandbox.script(Fault(500), times=None, when=bad_seeds(1))
        retry = RetryPolicy(wait_initial=3600, wait_max=3600)
        async with VeniceSession("key", base_url=sandbox.url, retry=retry, guard=None) as venice:
            stream = stream_generate(venice, "fox", seeds=range(8), into=tmp_path, **SMALL)
            async with stream as outcomes:
                async for outcome in outcomes:
                    assert isinstance(outcome, Generated)
                    if outcomes.progress.done == 7:
                        break
        return stream.report

    report, _ = batch(body)
    assert (report.generated, report.failed, report.pending) == (7, 0, 1)


def test_a_failed_attempt_leaves_nothing_in_the_next(tmp_path):
    """The image that came in the second one is whole, and the only file."""

    async def body(_, sandbox):
        sandbox.script(Fault(500), times=3)
        retry = RetryPolicy(wait_initial=0)
        async with VeniceSession("key", base_url=sandbox.url, retry=retry) as venice:
            return await gather_generate(venice, "fox", seeds=range(4), into=tmp_path, **SMALL)

    report, sandbox = batch(body)
    report.raise_for_failures()
    assert len(images(tmp_path)) == sandbox.account.billed == 4
    assert sandbox.account.received == 7
