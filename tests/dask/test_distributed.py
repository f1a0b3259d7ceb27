"""A job over the workers of a Dask cluster: nothing is lost, nothing is bought twice, one limit for all."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
import json
import sqlite3

import attrs
import pytest

from venice_async import AnswerLimits, ImageRequest, VeniceSession
from venice_async.dask import DistributedJob, SessionSettings, distribute_generate
from venice_async.errors import (
    AuthenticationError,
    BudgetExceededError,
    ConfigurationError,
    JobChangedError,
    TooManyFailuresError,
)
from venice_async.sandbox import Fault, Sandbox
from venice_async.session import catalogue
from venice_async.storage.shards import open_job

from .cluster import SMALL, bought, connected, distributed, prompts

pytestmark = pytest.mark.timeout(180)

PROXY = "http://user:canary-password@127.0.0.1:8080"
NOT_SENT = {"max_waiting", "ssl", "session"}  # what a batch has no use for, and what cannot be pickled


def receipts(into):
    return [json.loads(path.read_bytes()) for path in sorted((into / ".venice/receipts").iterdir())]


def settings_for(url, concurrency=16):
    return SessionSettings(api_key="key", base_url=url, concurrency=concurrency)


def test_shards_become_one_directory_and_the_same_call_again_buys_nothing(workers, tmp_path):
    """The outcomes are those of the input, in its order, with the files in the shards' folders."""

    async def test(client):
        async def generate():
            return await distribute_generate(
                client, prompts(10), into=tmp_path / "out", shard_size=4, api_key="key", base_url=url, **SMALL
            )

        first = await generate()
        outcomes = [outcome async for outcome in first.outcomes()]
        return first, outcomes, await generate()

    with Sandbox(rpm=None, latency=0) as sandbox:
        url = sandbox.url
        first, outcomes, second = connected(test, workers)
        assert sandbox.account.billed == 10
    first.raise_for_failures()
    assert (first.generated, first.pending, second.generated, second.skipped) == (10, 0, 0, 10)
    assert [outcome.index for outcome in outcomes] == list(range(10))
    assert [outcome.request.prompt for outcome in outcomes] == prompts(10)
    folders = [str(outcome.paths[0].relative_to(tmp_path / "out").parent) for outcome in outcomes]
    assert folders == ["00000"] * 4 + ["00001"] * 4 + ["00002"] * 2
    assert [
        (receipt["shard"], receipt["ended"], receipt["items"]) for receipt in receipts(tmp_path / "out")
    ] == [
        (0, True, 4),
        (1, True, 4),
        (2, True, 2),
    ]
    rows = [json.loads(line) for line in (tmp_path / "out/metadata.jsonl").read_text().splitlines()]
    assert [row["index"] for row in rows] == list(range(10))
    assert not list((tmp_path / "out").glob("*/metadata.jsonl"))


def test_another_job_in_the_directory_is_refused(workers, tmp_path):
    """Before anything is sent."""

    async def test(client):
        for model in ("fluently-xl", "venice-sd35"):
            await distribute_generate(
                client,
                prompts(2),
                into=tmp_path / "out",
                api_key="key",
                base_url=url,
                **{**SMALL, "model": model},
            )

    with Sandbox(rpm=None, latency=0) as sandbox:
        url = sandbox.url
        with pytest.raises(JobChangedError, match="model"):
            connected(test, workers)
        assert sandbox.account.received == 2


def test_a_trait_stands_for_one_model_in_all_shards_of_a_job(workers, tmp_path, monkeypatch):
    """Here it moves after the client has asked, and before the first worker does."""

    async def test(client):
        async def generate(number):
            return await distribute_generate(
                client,
                prompts(number),
                into=tmp_path / "out",
                shard_size=2,
                api_key="key",
                base_url=url,
                **{**SMALL, "model": "default"},
            )

        with monkeypatch.context() as patched:
            patched.setattr(catalogue.Catalogue, "models", before_it_moved)
            first = await generate(2)
        return first, await generate(6)

    ask = catalogue.Catalogue.models

    async def before_it_moved(self, *arguments):
        return tuple(
            attrs.evolve(model, traits=("default",) if model.id == "chroma" else ())
            for model in await ask(self, *arguments)
        )

    with Sandbox(rpm=None, latency=0) as sandbox:
        url = sandbox.url
        first, second = connected(test, workers)
        assert {record.body["model"] for record in sandbox.requests if record.body} == {"chroma"}
    assert (first.generated, second.generated, second.skipped) == (2, 4, 2)
    assert second.notes == ("default stays chroma, as when the job began; it is z-image-turbo now",)


def test_a_job_marked_before_traits_were_kept_goes_on(workers, tmp_path):
    """Its shards that have begun keep their model; those that begin agree on one."""

    async def test(client):
        async def generate(number, default_model):
            return await distribute_generate(
                client,
                prompts(number),
                into=tmp_path / "out",
                shard_size=2,
                api_key="key",
                base_url=url,
                default_model=default_model,
                **{**SMALL, "model": "default"},
            )

        first = await generate(2, "chroma")
        mark = tmp_path / "out/.venice/shards.json"
        told = json.loads(mark.read_bytes())
        assert told.pop("traits")["default"] == "chroma"
        mark.write_text(json.dumps(told))
        return first, await generate(6, "venice-sd35")

    with Sandbox(rpm=None, latency=0) as sandbox:
        url = sandbox.url
        first, second = connected(test, workers)
        models = [record.body["model"] for record in sandbox.requests if record.body]
    assert (first.generated, second.generated, second.skipped) == (2, 4, 2)
    assert models == ["chroma"] * 2 + ["venice-sd35"] * 4


def test_what_every_shard_would_meet_stops_the_job(workers, tmp_path):
    """A key that is refused is refused once a shard that is under way, and no further shard is begun."""

    async def test(client):
        return await distribute_generate(
            client, prompts(40), into=tmp_path / "out", shard_size=2, api_key="key", base_url=url, **SMALL
        )

    with Sandbox(rpm=None, latency=0) as sandbox:
        url = sandbox.url
        sandbox.script(Fault(status=401), times=None)
        report = connected(test, workers)
        assert sandbox.account.received <= 2 * 4
    assert isinstance(report.stopped, AuthenticationError)
    assert report.generated == 0


PRO_ONLY = Fault.parse("pro-only")[0]
FIRST = set(prompts(2 * 4))  # of the two shards that one worker is given at first


def for_two_models(number):
    """For each prompt a request to a model that is for Pro users, and one to another."""
    sizes = {"width": 64, "height": 64}
    return [
        ImageRequest(prompt, model=model, **sizes)
        for prompt in prompts(number)
        for model in ("venice-sd35", "fluently-xl")
    ]


def of_pro_only(body):
    return body["model"] == "venice-sd35"


@pytest.mark.parametrize("others", [True, False])
def test_a_model_that_one_shard_has_stopped_for_is_asked_for_by_no_later_one(tmp_path, others):
    """Its items stay pending; those of the other model are all there, and without one the job has stopped."""
    number, size = 20, 4 * (1 + others)
    what = [request for request in for_two_models(number) if others or request.model == "venice-sd35"]

    async def test(client):
        async def generate():
            return await distribute_generate(
                client,
                what,
                into=tmp_path / "out",
                shard_size=size,
                concurrency=2,
                api_key="key",
                base_url=url,
                durability="process",
            )

        sandbox.script(PRO_ONLY, times=None, when=lambda body: of_pro_only(body) and refusing)
        first = await generate()
        asked = [record.body["prompt"] for record in sandbox.requests if record.status == 401]
        refusing.clear()
        return first, asked, await generate()

    refusing = [True]
    with Sandbox(rpm=None, latency=0) as sandbox:
        url = sandbox.url
        first, asked, second = distributed(test, workers=1)
        assert sandbox.account.billed == len(what)
    ((model, error),) = first.stopped_models.items()
    assert (model, error.reason) == ("venice-sd35", "pro_only")
    assert (first.generated, first.failed, first.pending) == (number * others, 0, number)
    assert (first.stopped is None) == others
    assert asked
    assert set(asked) <= FIRST
    assert len(asked) <= 2 * 2
    assert (second.generated, second.skipped, second.stopped_models) == (number, number * others, {})


def test_a_breaker_counts_in_each_shard(tmp_path):
    """What one shard's requests were refused for may be no fault of another's."""

    async def test(client):
        return await distribute_generate(
            client,
            prompts(12),
            into=tmp_path / "out",
            shard_size=4,
            max_refusals=4,
            concurrency=1,
            api_key="key",
            base_url=url,
            **SMALL,
        )

    with Sandbox(rpm=None, latency=0) as sandbox:
        url = sandbox.url
        sandbox.script(Fault(status=422), times=None, when=lambda body: body["prompt"] in FIRST)
        report = distributed(test, workers=1)
    assert (report.generated, report.failed, report.stopped) == (4, 8, None)
    assert isinstance(report.stopped_models["fluently-xl"], TooManyFailuresError)


def test_what_the_workers_wait_for_is_told_in_progress_and_status(workers, tmp_path):
    """While they wait, and no outcome comes; once for all shards."""

    async def test(client):
        settings = settings_for(url)
        job = DistributedJob(
            client, prompts(4), into=tmp_path / "out", shard_size=2, settings=settings, **SMALL
        )
        running = asyncio.create_task(job.run())
        seen, status = (), None
        while not (running.done() or (seen and status and status.waiting)):
            await asyncio.sleep(0.05)
            seen = seen or job.progress.waiting
            if seen:
                status = await asyncio.to_thread(open_job(tmp_path / "out").status)
        return seen, status, await running, job.progress.waiting

    with Sandbox(rpm=None, latency=0) as sandbox:
        url = sandbox.url
        sandbox.script(Fault.parse("overloaded:12")[0], times=2)
        seen, status, report, after = connected(test, workers)
    assert [wait.what for wait in seen] == ["fluently-xl is overloaded"]
    assert [wait.what for wait in status.waiting] == ["fluently-xl is overloaded"]
    assert (report.generated, after) == (4, ())


def test_failures_are_counted_over_all_shards(workers, tmp_path):
    """No shard has as many as stop the job; together they have."""

    async def test(client):
        return await distribute_generate(
            client,
            prompts(40),
            into=tmp_path / "out",
            shard_size=4,
            max_failures=5,
            api_key="key",
            base_url=url,
            **SMALL,
        )

    with Sandbox(rpm=None, latency=0) as sandbox:
        url = sandbox.url
        sandbox.script(
            Fault(status=422), times=None, when=lambda body: int(body["prompt"].split()[-1]) % 4 == 0
        )
        report = connected(test, workers)
    assert isinstance(report.stopped, TooManyFailuresError)
    assert 5 < report.failed < 10


def test_one_budget_holds_for_all_shards(workers, tmp_path):
    """What all of them have spent is never more than the job may."""

    async def test(client):
        return await distribute_generate(
            client,
            prompts(40),
            into=tmp_path / "out",
            shard_size=4,
            budget_usd=0.15,
            api_key="key",
            base_url=url,
            **SMALL,
        )

    with Sandbox(rpm=None, latency=0) as sandbox:
        url = sandbox.url
        report = connected(test, workers)
        assert 10 <= sandbox.account.billed <= 15
    assert isinstance(report.stopped, BudgetExceededError)
    assert report.spent_usd == pytest.approx(0.01 * report.generated)


def test_a_job_that_is_cancelled_keeps_what_is_in_flight_and_goes_on_later(workers, tmp_path):
    """The input has no end; each image that was billed is there, and is not bought again."""

    async def test(client):
        endless = (f"a fox, number {n}" for n in itertools.count())
        job = DistributedJob(
            client, endless, into=tmp_path / "out", settings=settings_for(url), shard_size=5, **SMALL
        )
        running = asyncio.create_task(job.run())
        while job.progress.done < 15:
            assert not running.done()
            await asyncio.sleep(0.05)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        there = len(list((tmp_path / "out").rglob("*.webp")))
        assert there == sandbox.account.billed == job.report.generated
        return await distribute_generate(
            client, prompts(60), into=tmp_path / "out", shard_size=5, api_key="key", base_url=url, **SMALL
        )

    with Sandbox(rpm=None, latency=0.05) as sandbox:
        url = sandbox.url
        report = connected(test, workers)
        assert max(bought(sandbox).values()) == 1
    assert (report.generated + report.skipped, report.pending) == (60, 0)


def test_workers_take_what_a_session_takes():
    """Each argument that can travel is one of the call, with the same default."""
    of_a_session = parameters(VeniceSession)
    told = {name: of_a_session[name] for name in of_a_session.keys() - NOT_SENT}
    called = parameters(distribute_generate)
    assert {name: called[name] for name in told} == told
    assert {field.name for field in attrs.fields(SessionSettings)} == told.keys()


def parameters(function):
    return {name: found.default for name, found in inspect.signature(function).parameters.items()}


def test_the_settings_of_the_call_are_those_of_the_workers(workers, tmp_path):
    """Here, that no image may have more than ten bytes."""

    async def test(client):
        return await distribute_generate(
            client,
            prompts(4),
            into=tmp_path / "out",
            shard_size=2,
            api_key="key",
            base_url=url,
            answer_limits=AnswerLimits(image_bytes=10),
            **SMALL,
        )

    with Sandbox(rpm=None, latency=0) as sandbox:
        url = sandbox.url
        report = connected(test, workers)
    assert (report.generated, report.failed) == (0, 4)
    assert "AnswerLimits.image_bytes" in str(report.errors[0])


def test_a_synchronous_client_is_refused(tmp_path):
    """It would wait for itself."""
    with pytest.raises(ConfigurationError, match="asynchronous=True"):
        DistributedJob(None, "a fox", into=tmp_path, settings=settings_for(None), **SMALL)


def test_the_key_is_in_no_representation():
    """What Dask shows of a task or a plug-in does not hold it."""

    async def main():
        request = ImageRequest("a fox", model="fluently-xl")
        return DistributedJob(
            Asynchronous(), request, into="x", settings=SessionSettings(api_key="canary-key", proxy=PROXY)
        )

    shown = repr(asyncio.run(main())._order)
    assert "canary-key" not in shown
    assert "canary-password" not in shown


class Asynchronous:
    """What a client looks like before it is used."""

    asynchronous = True


def test_a_worker_whose_shard_was_taken_over_buys_nothing_more(workers, tmp_path):
    """As one that was paused for longer than its lease: what is in flight is kept, and the holder goes on."""
    number, concurrency = 40, 2

    async def test(client):
        job = DistributedJob(
            client,
            prompts(number),
            into=tmp_path / "out",
            settings=settings_for(url, concurrency=concurrency),
            shard_size=number,
            lease=60.0,
            **SMALL,
        )
        running = asyncio.create_task(job.run())
        while job.progress.done < 8:
            assert not running.done()
            await asyncio.sleep(0.05)
        with taken_over(tmp_path / "out"):
            before = len(bought(sandbox))
            while not receipts(tmp_path / "out")[0]["ended"]:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.05)
            await asyncio.sleep(1)
            after = len(bought(sandbox))
            assert not running.done()
        return await running, after - before

    with Sandbox(rpm=None, latency=0.1) as sandbox:
        url = sandbox.url
        report, more = connected(test, workers)
        times = bought(sandbox)
    assert more <= concurrency
    assert (report.generated + report.skipped, report.stopped) == (number, None)
    assert max(times.values()) == 1


@contextlib.contextmanager
def taken_over(into):
    """Hold every shard's lease as somebody else would."""
    path = into / ".venice/store.sqlite3"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as connection:
        connection.execute("UPDATE leases SET token = token + 1")
        yield
        connection.execute("UPDATE leases SET until = 0")
