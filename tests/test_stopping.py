"""What stops a batch, a model of it, or makes it wait: judged by the account and the directory."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from functools import partial

import pytest

from venice_async import (
    BatchError,
    ImageRequest,
    RetryPolicy,
    VeniceSession,
    gather_generate,
    stream_generate,
)
from venice_async.errors import (
    ConfigurationError,
    ConnectError,
    LongWaitError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
    StatusError,
    TooManyFailuresError,
)
from venice_async.gather import stream_retry
from venice_async.gather.stops import Stops
from venice_async.sandbox import Fault, Sandbox
from venice_async.storage.journal import JournalReader

ONCE = RetryPolicy(attempts=1)
PRO = "This model is only available to Pro users"
GONE = "The model has been deprecated. Please use 'venice-sd35' instead."

quick = partial(VeniceSession, rate_limit=None, guard=None)


def request(prompt="fox", model="fluently-xl", **fields):
    return ImageRequest(prompt, model=model, width=64, height=64, **fields)


def batch(body, *, concurrency=4, retry=ONCE, **options):
    """Run `body(venice, sandbox)` with an open session; what it returns, and the sandbox."""

    async def main():
        async with (
            Sandbox(latency=0, rpm=None, abuse_rule=False, **options) as sandbox,
            quick("key", base_url=sandbox.url, concurrency=concurrency, retry=retry) as venice,
        ):
            return await body(venice, sandbox), sandbox

    return asyncio.run(main())


def gathered(into, what, fault, *, times=None, when=None, concurrency=4, retry=ONCE, **options):
    """The report of one batch against a sandbox with one fault, and the sandbox."""

    async def body(venice, sandbox):
        sandbox.script(fault, times=times, when=when)
        return await gather_generate(venice, what, into=into, **options)

    return batch(body, concurrency=concurrency, retry=retry)


def of_model(model):
    return lambda body: body["model"] == model


def sent(sandbox):
    """How many requests came for each model."""
    return Counter(record.body["model"] for record in sandbox.requests if record.method == "POST")


# A model


MODELS = [
    (Fault(401, message=PRO, code=""), "pro_only"),
    (Fault(401, message=PRO, code="PRO_ONLY_MODEL"), "pro_only"),
    (Fault(403, message="This model is not available in your region", code=""), "region"),
    (Fault(403, message="The key's privacy setting does not allow this model", code=""), "privacy"),
    (Fault(403, message="Nobody knows this sentence", code=""), None),
    (Fault(404, message="The model does not exist", code=""), None),
    (Fault(404, message=GONE, code=""), "deprecated"),
    (Fault(429, message="The model is currently overloaded. Please try again later.", code=""), "overloaded"),
    (Fault(500), None),
    (Fault(503), None),
    (Fault(521), None),
]


@pytest.mark.parametrize(("fault", "reason"), MODELS, ids=repr)
def test_what_concerns_a_model_stops_that_model_and_no_other(tmp_path, fault, reason):
    """Nothing more is sent for it, its items are neither failed nor done, and the others are all there."""
    what = [request(model=model, seed=seed) for seed in range(20) for model in ("venice-sd35", "fluently-xl")]
    report, sandbox = gathered(tmp_path, what, fault, when=of_model("venice-sd35"))
    assert (report.generated, report.failed, report.pending) == (20, 0, 20)
    assert report.stopped is None
    ((model, error),) = report.stopped_models.items()
    assert (model, error.status, error.reason) == ("venice-sd35", fault.status, reason)
    assert sent(sandbox)["venice-sd35"] <= 4
    with pytest.raises(BatchError) as caught:
        report.raise_for_failures()
    assert caught.value.exceptions == (error,)


def test_a_model_that_others_have_stopped_for_counts_once_an_item_of_it_comes():
    """A batch without one has not stopped for it."""
    error = NotFoundError("gone", status=404)
    stops = Stops({"gone": error})
    assert stops.admits("other")
    assert (stops.models, stops.all_stopped) == ({}, None)
    assert not stops.admits("gone")
    assert (stops.models, stops.all_stopped) == ({"gone": error}, error)


def test_the_items_of_a_stopped_model_are_bought_by_the_next_run(tmp_path):
    """Nothing of them is lost, whether they had been sent or not, and nothing is bought twice."""
    what = [request(model=model, seed=seed) for seed in range(8) for model in ("venice-sd35", "fluently-xl")]

    async def body(venice, sandbox):
        sandbox.script(Fault(401, message=PRO, code=""), times=4, when=of_model("venice-sd35"))
        first = await gather_generate(venice, what, into=tmp_path)
        status = JournalReader(tmp_path).status()
        while sandbox.account.by_status[401] < 4:  # what the first run has not used up
            with pytest.raises(StatusError):
                await venice.generate(request(model="venice-sd35", seed=99))
        return first, status, await gather_generate(venice, what, into=tmp_path)

    (first, status, second), sandbox = batch(body)
    assert (first.generated, first.pending) == (8, 8)
    (group,) = status.failures
    assert (group.outcome, status.failed) == ("pending", 0)
    assert PRO in group.message
    assert (second.skipped, second.generated, second.pending) == (8, 8, 0)
    assert sandbox.account.billed == 16
    second.raise_for_failures()


def test_a_retry_leaves_the_items_of_a_stopped_model_as_they_were(tmp_path):
    """They have failed before, and can be retried again."""

    async def body(venice, sandbox):
        sandbox.script(Fault(400), times=3)
        await gather_generate(venice, "fox", seeds=range(3), into=tmp_path, model="fluently-xl")
        sandbox.script(Fault(403, message=PRO, code=""), times=1)
        async with await stream_retry(venice, tmp_path, concurrency=1) as stream:
            assert [outcome async for outcome in stream] == []
        again = JournalReader(tmp_path).status()
        async with await stream_retry(venice, tmp_path) as last:
            async for _ in last:
                pass
        return stream.report, again, last.report

    (stopped, again, last), _ = batch(body)
    assert (stopped.generated, stopped.pending) == (0, 3)
    assert isinstance(stopped.stopped, PermissionDeniedError)
    assert (again.failed, again.pending) == (3, 0)
    assert (last.generated, last.failed) == (3, 0)


def test_the_end_of_the_input_stops_a_batch_whose_models_are_all_stopped(tmp_path):
    """And not before: what comes next may be another model's."""
    what = [request(model="ghost"), request(model="phantom"), request()]
    report, _ = batch(lambda venice, _: gather_generate(venice, what, into=tmp_path), concurrency=1)
    assert (report.generated, report.pending, report.stopped) == (1, 2, None)
    report, _ = batch(lambda venice, _: gather_generate(venice, what[:2], into=tmp_path / "2"), concurrency=1)
    assert isinstance(report.stopped, NotFoundError)
    assert report.stopped is report.stopped_models["phantom"]


def test_a_thousand_items_in_a_row_of_stopped_models_stop_a_batch(tmp_path):
    """An input without end comes to its end."""
    drawn = []

    def endless():
        yield request(model="fluently-xl")
        while True:
            drawn.append(1)
            yield request(model="ghost")

    report, sandbox = batch(
        lambda venice, _: gather_generate(venice, endless(), into=tmp_path), concurrency=1
    )
    assert isinstance(report.stopped, NotFoundError)
    assert (report.generated, len(drawn), sent(sandbox)["ghost"]) == (1, 1001, 1)


def test_what_waits_for_a_stopped_model_waits_no_longer(tmp_path):
    """A retry that would come in an hour ends with the model."""
    wait = {"Retry-After": "3600"}

    async def body(venice, sandbox):
        sandbox.script(Fault(503, headers=wait), times=1, when=lambda body: body["seed"] == 0)
        sandbox.script(Fault(404), times=1, when=lambda body: body["seed"] == 1)
        what = [request(seed=seed) for seed in range(2)]
        return await gather_generate(venice, what, into=tmp_path, max_wait=None)

    report, _ = batch(body, retry=RetryPolicy())
    assert (report.pending, report.stopped_models.keys()) == (2, {"fluently-xl"})


def test_a_retired_model_is_told_with_its_replacement(tmp_path):
    report, _ = gathered(tmp_path, [request()], Fault(404, message=GONE, code=""))
    assert report.stopped_models["fluently-xl"].replacement == "venice-sd35"


# An item, and the job


@pytest.mark.parametrize("status", [401, 403, 406])
def test_a_page_of_a_firewall_concerns_one_request(tmp_path, status):
    """One prompt that it does not like stops none of the others; its ray id is told."""
    fault = Fault(status, html=True, headers={"CF-RAY": "8f1-FRA"})
    report, _ = gathered(
        tmp_path, "fox", fault, when=lambda body: body["seed"] == 3, seeds=range(12), model="fluently-xl"
    )
    assert (report.generated, report.failed, report.pending) == (11, 1, 0)
    assert "8f1-FRA" in str(report.errors[0])


JOBS = [
    Fault(401),
    Fault(401, body=b"Unauthorized", content_type="text/plain"),
    Fault(401, body=b""),
    Fault(402),
    Fault(403, message="API access disabled", code=""),
    Fault(404, html=True),
    Fault(404, body=b'{"detail": "Not Found"}'),
    Fault(405, body=b""),
    Fault(410, html=True),
    Fault(307, headers={"Location": "/elsewhere"}),
]


@pytest.mark.parametrize("concurrency", [4, 16])
@pytest.mark.parametrize("fault", JOBS, ids=repr)
def test_what_every_request_would_meet_stops_the_job(tmp_path, fault, concurrency):
    """And not its model as well, however many of its requests were in flight."""
    report, sandbox = gathered(
        tmp_path, "fox", fault, seeds=range(50), model="fluently-xl", concurrency=concurrency
    )
    assert isinstance(report.stopped, StatusError)
    assert report.stopped_models == {}
    assert sandbox.account.received <= concurrency
    assert report.failed + report.pending == 50
    if fault.status in {404, 405, 410}:
        assert "check base_url" in str(report.stopped)


# The breaker


AVIF = b"\0\0\0\x1cftypavif" + bytes(200)
IN_VAIN = [
    # what comes, whether it is paid for, what is said
    (Fault(html=True, billed=False), False, "page of HTML"),
    (Fault(html=True, headers={"x-venice-version": "1"}), True, "page of HTML"),
    (Fault(body=AVIF, content_type="image/avif"), True, "image/avif"),
    (Fault(body=b'{"images": [{"url": "https://x/1.png"}], "id": "1"}'), True, "no list of strings"),
    (Fault(body=b'{"error": "Upstream number 7 is gone"}'), True, "Upstream number 7 is gone"),
    (Fault(damage="base64"), True, "invalid base64"),
]


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize(("fault", "paid", "said"), IN_VAIN, ids=repr)
def test_answers_in_vain_stop_a_batch_after_five_and_those_in_flight(
    tmp_path, fault, paid, said, concurrency
):
    """Three hundred items: no more are bought, what came is kept, and it is said what to do."""
    report, sandbox = gathered(
        tmp_path, "fox", fault, seeds=range(300), model="fluently-xl", concurrency=concurrency
    )
    assert isinstance(report.stopped, TooManyFailuresError)
    assert said in str(report.stopped)
    assert ".venice/rejected/" in str(report.stopped)
    assert 5 <= sandbox.account.received <= 5 + concurrency - 1
    assert report.failed == sandbox.account.received == 300 - report.pending
    assert len(list((tmp_path / ".venice" / "rejected").iterdir())) == report.failed
    status = JournalReader(tmp_path).status()
    assert (status.billed, status.failed) == ((report.failed, 0) if paid else (0, report.failed))
    assert report.spent_usd == pytest.approx(0.01 * report.failed if paid else 0)


def test_a_json_answer_without_images_is_kept_as_it_came(tmp_path):
    said = b'{"error": "Upstream is gone"}'
    gathered(tmp_path, [request(seed=7)], Fault(body=said))
    (kept,) = (tmp_path / ".venice" / "rejected").iterdir()
    assert kept.read_bytes() == said


def test_without_a_breaker_every_answer_is_bought(tmp_path):
    report, sandbox = gathered(
        tmp_path, "fox", Fault(damage="base64"), seeds=range(12), model="fluently-xl", max_unusable=0
    )
    assert (report.failed, report.stopped, sandbox.account.billed) == (12, None, 12)


@pytest.mark.parametrize("concurrency", [1, 8])
def test_refusals_alike_stop_a_model_that_has_never_answered(tmp_path, concurrency):
    """The width is wrong for one model: ten of its items, and those in flight, find it out for all."""
    fault = Fault(400, message="width 510 must be a multiple of 8", code="")
    what = [request(model=model, seed=seed) for seed in range(40) for model in ("venice-sd35", "fluently-xl")]
    report, sandbox = gathered(tmp_path, what, fault, when=of_model("venice-sd35"), concurrency=concurrency)
    assert report.generated == 40
    assert 10 <= report.failed == sent(sandbox)["venice-sd35"] <= 10 + concurrency - 1
    assert report.pending == 40 - report.failed
    assert report.stopped is None
    error = report.stopped_models["venice-sd35"]
    assert isinstance(error, TooManyFailuresError)
    assert "width 510 must be a multiple of 8" in str(error)


def test_a_model_that_has_answered_once_is_bound_by_max_failures_alone(tmp_path):
    report, _ = gathered(
        tmp_path,
        "fox",
        Fault(422),
        when=lambda body: body["seed"] > 0,
        seeds=range(40),
        model="fluently-xl",
        concurrency=1,
    )
    assert (report.generated, report.failed, report.stopped) == (1, 39, None)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("max_unusable", value) for value in (-1, 1.5, True, None)),
        *(("max_refusals", value) for value in (-1, 1.5, True, None)),
        *(("max_wait", value) for value in (-1, True, "10m", float("nan"))),
    ],
)
def test_an_option_outside_its_range_is_refused(tmp_path, option, value):
    with pytest.raises(ConfigurationError, match=option):
        batch(lambda venice, _: gather_generate(venice, [request()], into=tmp_path, **{option: value}))


# Waits


def test_a_wait_that_is_too_long_stops_a_batch_which_resumes_later(tmp_path):
    """It says until when; nothing is failed, nothing was bought, and nobody has waited for it."""
    fault = Fault(503, headers={"Retry-After": "7200"})
    before = time.time()
    report, sandbox = gathered(
        tmp_path, "fox", fault, retry=RetryPolicy(), seeds=range(40), model="fluently-xl", max_wait=3600
    )
    assert isinstance(report.stopped, LongWaitError)
    assert before + 7200 <= report.stopped.until <= time.time() + 7201
    moment = time.localtime(report.stopped.until)
    assert time.strftime("%H:%M", moment) in str(report.stopped)
    assert (report.generated, report.failed, report.pending) == (0, 0, 40)
    assert sandbox.account.received <= 4
    status = JournalReader(tmp_path).status()
    assert (status.failed, status.billed, status.spent_usd) == (0, 0, 0)


def test_a_long_wait_of_one_model_stops_that_model_alone(tmp_path):
    fault = Fault(429, message="The model is currently overloaded.", headers={"Retry-After": "7200"})
    what = [request(model=model, seed=seed) for seed in range(9) for model in ("venice-sd35", "fluently-xl")]
    report, _ = gathered(tmp_path, what, fault, when=of_model("venice-sd35"), retry=RetryPolicy())
    assert (report.generated, report.pending, report.stopped) == (9, 9, None)
    assert isinstance(report.stopped_models["venice-sd35"], LongWaitError)


def test_a_wait_is_announced_in_a_log_line_in_the_progress_and_to_other_processes(tmp_path, caplog, until):
    """Until when, too; once it is over nothing of it is left."""

    async def body(venice, sandbox):
        sandbox.script(Fault(503, headers={"Retry-After": "3"}), times=1)
        stream = stream_generate(venice, [request()], into=tmp_path)
        async with stream:
            await until(lambda: stream.progress.waiting)
            found = stream.progress.waiting
            await until(lambda: JournalReader(tmp_path).status().waiting)
            told = JournalReader(tmp_path).status().waiting
            outcomes = [outcome async for outcome in stream]
        assert stream.progress.waiting == ()
        return found, told, outcomes

    with caplog.at_level(logging.INFO, "venice_async"):
        (found, told, outcomes), _ = batch(body, retry=RetryPolicy(wait_initial=0))
    assert found == told
    assert "fluently-xl" in found[0].what
    assert len(outcomes) == 1
    assert JournalReader(tmp_path).status().waiting == ()
    assert not (tmp_path / ".venice" / "waiting.json").exists()
    (line,) = (text for text in caplog.messages if text.startswith("waiting until"))
    assert time.strftime("%H:%M:%S", time.localtime(found[0].until)) in line


def test_many_items_that_wait_for_one_model_are_one_line(tmp_path, caplog):
    """However many requests it has refused, each with an id of its own."""
    fault = Fault(503, headers={"Retry-After": "3"})
    report, sandbox = gathered(
        tmp_path,
        "fox",
        fault,
        times=4,
        retry=RetryPolicy(wait_initial=0),
        seeds=range(4),
        model="fluently-xl",
    )
    assert (report.generated, sandbox.account.by_status[503]) == (4, 4)
    assert len([text for text in caplog.messages if text.startswith("waiting until")]) == 1


# A server that cannot be reached


def test_a_server_that_was_never_reached_is_announced_and_given_up_with_nothing_failed(
    tmp_path, unused_port, caplog
):
    async def main():
        async with quick("key", base_url=f"http://127.0.0.1:{unused_port}/api/v1") as venice:
            return await gather_generate(
                venice, "fox", seeds=range(40), into=tmp_path, model="m", max_wait=0.7
            )

    report = asyncio.run(main())
    assert isinstance(report.stopped, ConnectError)
    assert (report.generated, report.failed, report.pending) == (0, 0, 40)
    (line,) = (text for text in caplog.messages if text.startswith("waiting until"))
    assert f"127.0.0.1:{unused_port}" in line
    status = JournalReader(tmp_path).status()
    assert (status.failed, status.unconfirmed, status.spent_usd) == (0, 0, 0)


def test_a_server_that_comes_back_finds_every_item_with_all_its_attempts(tmp_path, unused_port, until):
    """Each item could not connect, more often than it has attempts, and each is bought."""

    async def main():
        url = f"http://127.0.0.1:{unused_port}/api/v1"
        async with quick("key", base_url=url, concurrency=4, retry=ONCE) as venice:
            stream = stream_generate(venice, "fox", seeds=range(8), into=tmp_path, model="fluently-xl")
            async with stream:
                await until(lambda: stream.progress.waiting)
                waits = stream.progress.waiting
                async with Sandbox(port=unused_port, latency=0, rpm=None) as sandbox:
                    outcomes = [outcome async for outcome in stream]
                    return waits, outcomes, stream.report, sandbox.account.billed

    waits, outcomes, report, billed = asyncio.run(main())
    assert str(unused_port) in waits[0].what
    assert len(outcomes) == report.generated == billed == 8
    report.raise_for_failures()


def test_a_single_call_keeps_to_its_own_attempts(unused_port):
    async def main():
        url = f"http://127.0.0.1:{unused_port}/api/v1"
        async with quick("key", base_url=url, retry=RetryPolicy(attempts=2, wait_initial=0)) as venice:
            await venice.generate(request())

    with pytest.raises(ConnectError) as caught:
        asyncio.run(main())
    assert caught.value.__notes__ == ["after 2 attempts"]


def test_a_500_of_all_attempts_is_the_models(tmp_path):
    retry = RetryPolicy(attempts=3, wait_initial=0)
    report, sandbox = gathered(
        tmp_path, "fox", Fault(500), retry=retry, seeds=range(20), model="fluently-xl", concurrency=1
    )
    assert isinstance(report.stopped, ServerError)
    assert (report.failed, report.pending, sandbox.account.received) == (0, 20, 3)
