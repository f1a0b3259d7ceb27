"""A key's rate limit, its guard and its money, over real sockets; the sandbox's account is the judge.

A window has to be a few seconds long to be learned: the API's headers tell whole seconds.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from email.utils import formatdate

import pytest
from attrs import frozen
from PIL import Image

from venice_async import (
    BatchReport,
    Failed,
    Generated,
    ImageRequest,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    Timeouts,
    Unconfirmed,
    VeniceSession,
    gather_generate,
)
from venice_async.errors import BadRequestError, ConfigurationError, ServerError
from venice_async.sandbox import Account, Fault, Sandbox

SMALL = {"model": "venice-sd35", "width": 64, "height": 64}
FOX = ImageRequest("a red fox", **SMALL)
OTHER_FOX = ImageRequest("a red fox", **SMALL | {"model": "fluently-xl"})


@frozen
class Run:
    """What became of one batch, in the library's words and in the server's."""

    report: BatchReport
    outcomes: list
    account: Account
    requests: list

    @property
    def seconds(self):
        """From the first request's arrival to the last one's."""
        arrivals = [record.received_at for record in self.requests]
        return max(arrivals) - min(arrivals)

    @property
    def attempts(self):
        """How often each prompt was sent."""
        return Counter(record.body["prompt"] for record in self.requests)


async def gathered(sandbox, into, number, **options):
    """Run a batch of so many prompts, seed i for prompt i."""
    async with sandbox, VeniceSession("key", base_url=sandbox.url, concurrency=10, **options) as venice:
        requests = (ImageRequest(f"fox {i}", seed=i, **SMALL) for i in range(number))
        report = await gather_generate(venice, requests, into=into)
        posts = [record for record in sandbox.requests if record.method == "POST"]
        return Run(report, [outcome async for outcome in report.outcomes()], sandbox.account, posts)


# The limit


@pytest.mark.long
@pytest.mark.timeout(150)
def test_a_limit_of_any_kind_is_used_and_no_prompt_is_lost(long, tmp_path):
    """Forty prompts take as long as the limit dictates and a window, without a refusal.

    A counter that fades lets fewer pass than it says, so it may refuse some; a bucket that refills bit by
    bit never tells how long its window is, so here it has a minute.
    """
    prompts, rpm, window = (40 if long else 12), 5, 6.0
    sandboxes = {
        "fixed": (Sandbox(rpm=rpm, window=window), prompts),
        "log": (Sandbox(rpm=rpm, window=window, algorithm="sliding-log"), prompts),
        "counter": (Sandbox(rpm=rpm, window=window, algorithm="sliding-counter"), prompts),
        "gcra": (Sandbox(rpm=240, algorithm="gcra", burst=20), 80 if long else 36),
    }

    async def side_by_side():
        return await asyncio.gather(
            *(gathered(sandbox, tmp_path / name, number) for name, (sandbox, number) in sandboxes.items())
        )

    runs = dict(zip(sandboxes, asyncio.run(side_by_side()), strict=True))
    for name, run in runs.items():
        assert run.report.generated == sandboxes[name][1]
        assert run.account.refused <= (prompts / 5 if name == "counter" else 0)
    for name in ("fixed", "log"):
        assert runs[name].seconds <= (prompts / rpm + 1) * window


# The guard


@pytest.mark.long
@pytest.mark.timeout(600)
def test_an_outage_is_sat_out_without_one_request_into_a_lock_out(long, tmp_path, monkeypatch):
    """Of requests that fail six times in ten each ends as an image, or stops its model after four."""
    abuse_window = 30.0 if long else 0.5
    if not long:
        monkeypatch.setattr("venice_async.policy.guard.WINDOW", abuse_window + 0.5)

    def outage(attempts):
        lots = random.Random(7)
        sandbox = Sandbox(rpm=None, latency=0, abuse_window=abuse_window)
        sandbox.script(Fault(500), times=None, when=lambda _: lots.random() < 0.6)
        policy = RetryPolicy(attempts=attempts, wait_initial=0.1, wait_max=0.2)
        return gathered(sandbox, tmp_path / str(attempts), 60, retry=policy)

    async def both():
        return await asyncio.gather(outage(4), outage(24))

    four, many = asyncio.run(both())
    for run in (four, many):
        assert run.account.locked_out == 0
        assert run.account.by_status == {200: run.report.generated, 500: run.account.refused}
        assert run.report.generated + run.report.pending == 60
    assert isinstance(four.report.stopped_models["venice-sd35"], ServerError)
    assert max(four.attempts.values()) == 4
    assert many.report.generated == 60


# The money

FAULTS = [
    *(Fault(status) for status in (400, 401, 402, 403, 404, 413, 415, 422, 500, 502, 503, 504, 520, 522)),
    Fault(429, headers={"Retry-After": "1"}),
    Fault(429, code="MODEL_OVERLOADED"),
    Fault(502, billed=True),
    Fault(504, billed=True),
    Fault(html=True, status=502),
    Fault(html=True, status=503, headers={"Retry-After": "1"}),
    Fault(html=True, billed=False),
    Fault(html=True, headers={"x-venice-version": "1"}),
    Fault(reset="before"),
    Fault(reset="before", billed=False),
    Fault(reset="headers"),
    Fault(reset="body"),
    Fault(truncated=True),
    Fault(truncated=True, chunked=True),
    Fault(content_type="text/plain"),
    Fault(content_encoding="gzip"),
    Fault(content_encoding="br"),
    Fault(damage="base64"),
    Fault(damage="magic"),
    Fault(damage="empty"),
    Fault(drop="images"),
    Fault(drop="timing"),
    Fault(drip=0.1),
    Fault(delay=60.0),
    Fault(body=b"{"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_what_was_billed_is_on_disk_or_reported_as_billed(fault, tmp_path):
    """Whatever goes wrong, nothing is billed twice, and each that is paid for and not here is reported."""
    # Only a server that falls silent is waited for in vain; no other answer may be late for it.
    patience = 2.0 if fault.delay or fault.drip else 30.0
    sandbox = Sandbox(rpm=None, latency=0)
    sandbox.script(fault, when=lambda body: body["seed"] == 7)
    sandbox.script(fault, times=None, when=lambda body: body["seed"] in {1, 4})
    run = asyncio.run(
        gathered(
            sandbox,
            tmp_path,
            10,
            retry=RetryPolicy(attempts=2, wait_initial=0),
            timeouts=Timeouts(first_byte=patience, between_bytes=patience),
        )
    )
    times_billed = Counter(record.body["seed"] for record in run.requests if record.billed)
    by_kind = {kind: set() for kind in ("image", "lost", "free")}
    for outcome in run.outcomes:
        lost = isinstance(outcome, Unconfirmed) or (isinstance(outcome, Failed) and outcome.billed)
        kind = "image" if isinstance(outcome, Generated) else "lost" if lost else "free"
        by_kind[kind].add(outcome.request.seed)
    assert max(times_billed.values()) == 1
    assert by_kind["image"] <= set(times_billed)
    assert set(times_billed) - by_kind["image"] <= by_kind["lost"]
    assert by_kind["lost"] <= {1, 4, 7}
    assert by_kind["free"] <= {1, 4, 7}
    assert all(times_billed[seed] == 0 for seed in by_kind["free"])
    assert len(run.outcomes) == 10 or run.report.stopped is not None
    assert on_disk(tmp_path) == sorted(
        path.name for outcome in run.outcomes if isinstance(outcome, Generated) for path in outcome.paths
    )


def on_disk(folder):
    """The names of the pictures that can be opened."""
    paths = sorted(folder.glob("*.webp"))
    for path in paths:
        with Image.open(path) as picture:
            assert picture.size == (64, 64)
    return [path.name for path in paths]


# One call at a time


def interactive(body, *, sandbox=None, **options):
    server = sandbox or Sandbox(rpm=None, latency=0)

    async def main():
        async with (
            server as sandbox,
            VeniceSession("key", base_url=sandbox.url, **options) as venice,
        ):
            return await body(venice, sandbox)

    return asyncio.run(main())


def arrivals(sandbox):
    return [record.received_at for record in sandbox.requests if record.method == "POST"]


@pytest.mark.parametrize("dated", [False, True])
def test_retry_after_is_obeyed_by_everyone_in_the_bucket(dated):
    """After a 429 neither the same call nor another one sends before the server's time is over."""

    async def body(venice, sandbox):
        asked = formatdate(time.time() + 3, usegmt=True) if dated else "2"
        sandbox.script(Fault(429, headers={"Retry-After": asked}))
        with pytest.raises(RateLimitError):
            await venice.generate(FOX)
        await asyncio.gather(*(venice.generate(FOX) for _ in range(4)))
        return arrivals(sandbox)

    first, *others = interactive(body, retry=RetryPolicy(attempts=1))
    assert len(others) == 4
    assert min(others) - first >= (1 if dated else 2)


def test_a_call_that_is_refused_for_its_rate_tries_again_by_itself():
    """One 429 with `Retry-After` costs the caller nothing but the time."""

    async def body(venice, sandbox):
        sandbox.script(Fault(429, headers={"Retry-After": "1"}))
        await venice.generate(FOX)
        return arrivals(sandbox), sandbox.account

    (first, second), account = interactive(body)
    assert second - first >= 1
    assert (account.refused, account.billed) == (1, 1)


@pytest.mark.parametrize("fault", [Fault(429, code="MODEL_OVERLOADED"), Fault(503)], ids=repr)
def test_an_overloaded_model_is_left_alone_and_no_other(fault, until):
    """While one model's calls wait for its load to pass, those of another one go on."""

    async def body(venice, sandbox):
        long_wait = Fault(fault.status, code=fault.code, headers={"Retry-After": "3000"})
        sandbox.script(long_wait, when=lambda body: body["model"] == FOX.model)
        waiting = asyncio.create_task(venice.generate(FOX))
        await until(lambda: sandbox.account.refused == 1)
        for _ in range(10):
            await venice.generate(OTHER_FOX)
        with pytest.raises(RequestTimeoutError):
            await venice.generate(FOX, timeout=0.3)
        waiting.cancel()
        return Counter(record.body["model"] for record in sandbox.requests if record.body)

    assert interactive(body) == {FOX.model: 1, OTHER_FOX.model: 10}


# Images, and the day


def test_requests_for_several_images_take_as_many_permits_and_none_is_refused(tmp_path):
    """Three requests for two images each, at four in six seconds: the third waits for the next window."""
    sandbox = Sandbox(rpm=4, window=6, latency=0)

    async def main():
        async with sandbox, VeniceSession("key", base_url=sandbox.url) as venice:
            requests = (ImageRequest(f"fox {i}", variants=2, seed=i, **SMALL) for i in range(3))
            report = await gather_generate(venice, requests, into=tmp_path)
            return report, arrivals(sandbox)

    report, times = asyncio.run(main())
    assert (report.generated, len(on_disk(tmp_path))) == (3, 6)
    assert sandbox.account.refused == 0
    assert times[2] - times[0] >= 5


def test_a_request_for_more_images_than_the_limit_holds_is_an_error_before_it_is_sent():
    async def body(venice, sandbox):
        with pytest.raises(ConfigurationError, match=r"variants=4: .*never holds more than 3"):
            await venice.generate(ImageRequest("a red fox", variants=4, **SMALL))
        assert len((await venice.generate(ImageRequest("a red fox", variants=3, **SMALL))).images) == 3
        return arrivals(sandbox)

    assert len(interactive(body, sandbox=Sandbox(rpm=3, latency=0))) == 1


def test_the_limit_of_a_day_is_waited_for_told_and_not_tried(until):
    async def body(venice, sandbox):
        for _ in range(2):
            await venice.generate(FOX)
        assert venice.waits() == ()
        with pytest.raises(RequestTimeoutError, match="nothing was sent"):
            await venice.generate(FOX, timeout=3600)
        waiting = asyncio.create_task(venice.generate(FOX))
        await until(venice.waits)
        (wait,) = venice.waits()
        assert venice.statistics().waits[0].what == wait.what == "the daily limit of venice-sd35"
        assert wait.until - time.time() == pytest.approx(86_400, rel=0.01)
        await venice.generate(OTHER_FOX)
        waiting.cancel()
        return sandbox.account.refused, len(arrivals(sandbox))

    assert interactive(body, sandbox=Sandbox(rpm=600, rpd=2, latency=0)) == (0, 3)


# The three kinds of 429, and the error budget


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("overloaded:3", "venice-sd35 is overloaded"),
        ("ratelimit:3", "the rate limit of venice-sd35"),
        ("locked-out:3", "the error budget of the key"),
        ("503:MODEL_AT_CAPACITY", "venice-sd35 is overloaded"),
    ],
)
def test_a_refusal_is_waited_for_as_long_as_it_says_and_by_its_model_alone(fault, what, until):
    async def body(venice, sandbox):
        asked = Fault.parse(fault)[0] if fault[0] != "5" else Fault(503, headers={"Retry-After": "3"})
        sandbox.script(asked, when=lambda body: body["model"] == FOX.model)
        call = asyncio.create_task(venice.generate(FOX))
        await until(lambda: sandbox.account.refused == 1 and venice.waits())
        waits = [(wait.what, wait.model) for wait in venice.waits()]
        await venice.generate(OTHER_FOX)
        await call
        return waits, [
            (record.body["model"], record.received_at) for record in sandbox.requests if record.body
        ]

    waits, requests = interactive(body)
    assert waits == [(what, FOX.model)]
    assert [model for model, _ in requests] == [FOX.model, OTHER_FOX.model, FOX.model]
    assert requests[2][1] - requests[0][1] >= 2


def test_fifty_mistakes_are_borne_for_each_model_once_the_server_has_said_so():
    """The 51st is not sent, and the other model's requests are."""

    async def body(venice, sandbox):
        sandbox.script(Fault(400), times=None, when=lambda body: body["model"] == FOX.model)
        for _ in range(50):
            with pytest.raises(BadRequestError):
                await venice.generate(FOX)
        with pytest.raises(RequestTimeoutError):
            await venice.generate(FOX, timeout=0.5)
        await venice.generate(OTHER_FOX)
        return sandbox.account.locked_out, Counter(
            record.body["model"] for record in sandbox.requests if record.body
        )

    assert interactive(body, retry=RetryPolicy(attempts=1)) == (0, {FOX.model: 50, OTHER_FOX.model: 1})


def test_the_rule_of_twenty_holds_with_a_server_that_says_nothing_of_its_budget():
    async def body(venice, sandbox):
        sandbox.script(Fault(500), times=None)
        for _ in range(20):
            with pytest.raises(ServerError):
                await venice.generate(FOX)
        with pytest.raises(RequestTimeoutError):
            await venice.generate(OTHER_FOX, timeout=0.5)
        return len(arrivals(sandbox)), sandbox.account.locked_out

    server = Sandbox(rpm=None, latency=0, profile="2025")
    assert interactive(body, sandbox=server, retry=RetryPolicy(attempts=1)) == (20, 0)
