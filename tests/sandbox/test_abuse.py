"""The rule about failures, by a clock that is moved by hand and as a client meets it, in both profiles."""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.sandbox import Fault, Sandbox
from venice_async.sandbox.abuse import AbuseRule, any_failure, mistakes

MESSAGES = {
    "2025": (
        "Too many failed attempts (> 20) resulting in a non-success status code."
        " Please wait 30s and try again."
    ),
    "today": (
        "Too many failed attempts (> 50) resulting in a non-success status code."
        " Please wait 30 seconds and try again."
    ),
}
MOST = {"2025": 20, "today": 50}
HOUR = 3600


def rule(most=20, counts=any_failure):
    return AbuseRule(30.0, most, counts)


def fail(call, sandbox, times, status=400, **options):
    """Fail so often."""
    sandbox.script(Fault(status), times=times)
    assert [call(sandbox, **options).status for _ in range(times)] == [status] * times


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 120), min_size=60, max_size=100), st.sampled_from([5, 20]))
def test_against_a_count_of_the_past(gaps, most):
    """A failure with too many in the window that ends with it locks out, unless that is so already."""
    judge, now, failures, locked_until = rule(most), 0.0, [], -math.inf
    for gap in gaps:
        now += gap / 64
        assert judge.standing("key", now).locked == (now < locked_until)
        judge.note("key", 500, now)
        failures.append(now)
        recent = [then for then in failures if then >= now - 30]
        if len(recent) > most and now >= locked_until:
            locked_until = now + 30
        standing = judge.standing("key", now)
        assert standing.locked == (now < locked_until)
        assert standing.remaining == (0 if standing.locked else max(0, most - len(recent)))


def test_a_lock_out_begins_and_ends_sharp():
    """Twenty failures are borne, the one after them locks out for 30 s, and then a success is let in."""
    judge = rule()
    for second in range(20):
        judge.note("key", 400, float(second))
    assert not judge.standing("key", 19.0).locked
    judge.note("key", 400, 30.0)
    assert judge.standing("key", 30.0).locked
    assert not judge.standing("another", 30.0).locked
    assert judge.standing("key", 59.999).resets_at == 60.0
    assert judge.standing("key", 59.999).locked
    assert not judge.standing("key", 60.0).locked


def test_failures_that_are_far_apart_are_borne():
    """The window is what counts, not the number alone."""
    judge = rule()
    for number in range(100):
        judge.note("key", 400, number * 1.51)
        assert not judge.standing("key", number * 1.51).locked


def test_the_standing_forgets_one_failure_after_the_other():
    """What remains grows back as failures leave the window, and the reset is when the next one does."""
    judge = rule(most=3)
    assert (judge.standing("key", 5.0).remaining, judge.standing("key", 5.0).resets_at) == (3, 35.0)
    for second in (0.0, 10.0):
        judge.note("key", 400, second)
    assert [judge.standing("key", now).remaining for now in (10.0, 30.0, 30.1, 40.1)] == [1, 1, 2, 3]
    assert [judge.standing("key", now).resets_at for now in (10.0, 30.1)] == [30.0, 40.0]


@pytest.mark.parametrize(
    ("status", "is_a_failure", "is_a_mistake"),
    [
        (200, False, False),
        (302, True, False),
        (400, True, True),
        (404, True, True),
        (429, True, False),
        (499, True, True),
        (500, True, False),
        (503, True, False),
    ],
)
def test_which_answers_count(status, is_a_failure, is_a_mistake):
    """In 2025 whatever is no success; today only 4xx, and not what refuses for the pace."""
    assert (any_failure(status), mistakes(status)) == (is_a_failure, is_a_mistake)


@pytest.mark.parametrize("profile", MESSAGES)
def test_the_message_is_the_apis(call, profile):
    """The first failure too many is answered as itself; what follows is refused in the API's words."""
    with Sandbox(latency=0, profile=profile) as sandbox:
        fail(call, sandbox, MOST[profile] + 1)
        refused = call(sandbox)
    assert (refused.status, refused.json) == (429, {"error": MESSAGES[profile]})


def test_today_the_budget_stands_on_every_answer(call, small):
    """What is left of it and when it is new, in milliseconds: on good answers, on refusals, in a lock-out."""
    with Sandbox(latency=0, abuse_window=HOUR) as sandbox:
        before = time.time()
        good = call(sandbox).headers
        sandbox.script(Fault(500))
        broken = call(sandbox).headers
        wrong = call(sandbox, {**small, "width": 0}).headers
        after_a_mistake = call(sandbox).headers
        fail(call, sandbox, 50)
        refused = call(sandbox)
        later = time.time()
    told = (good, broken, wrong, after_a_mistake, refused.headers)
    assert [one["x-ratelimit-remaining"] for one in told] == ["50", "50", "50", "49", "0"]
    assert refused.status == 429
    for one in told:
        assert (before + HOUR) * 1000 <= int(one["x-ratelimit-resets"]) <= (later + HOUR) * 1000 + 1
    assert int(after_a_mistake["x-ratelimit-resets"]) < int(refused.headers["x-ratelimit-resets"])


def test_in_2025_nothing_is_told_of_it(call):
    """No header says how many failures are left."""
    with Sandbox(latency=0, profile="2025") as sandbox:
        assert not {"x-ratelimit-remaining", "x-ratelimit-resets"} & call(sandbox).headers.keys()


def test_today_a_lock_out_is_of_key_model_and_user(call, small):
    """Another model, another key and another user of the same key notice nothing; nor do the tables."""
    openai = {"prompt": "a fox", "size": "256x256", "model": "fluently-xl"}
    with Sandbox(latency=0, abuse_window=HOUR) as sandbox:
        fail(call, sandbox, 51)
        refused = [
            call(sandbox),
            call(sandbox, {**small, "width": 0}),
            call(sandbox, openai, path="/images/generations"),
        ]
        free = [
            call(sandbox, {**small, "model": "chroma"}),
            call(sandbox, key="another"),
            call(sandbox, {**openai, "user": "somebody"}, path="/images/generations"),
            call(sandbox, None, path="/models"),
            call(sandbox, None, path="/api_keys/rate_limits"),
        ]
    assert [reply.status for reply in (*refused, *free)] == [429] * 3 + [200] * 5
    assert sandbox.account.locked_out == 3


def test_a_trait_and_its_model_share_one_budget(call, small):
    """Who fails by the trait's name is locked out by the model's."""
    with Sandbox(latency=0, abuse_window=HOUR) as sandbox:
        fail(call, sandbox, 51, body={**small, "model": "default"})
        assert call(sandbox, {**small, "model": "z-image-turbo"}).status == 429


def test_in_2025_a_lock_out_is_of_the_key_and_of_all_that_it_asks_for(call, small):
    """Whatever needs the key is refused, nothing is billed, and other keys notice nothing."""
    with Sandbox(latency=0, abuse_window=HOUR, profile="2025") as sandbox:
        fail(call, sandbox, 21)
        images = [
            call(sandbox, {**small, "model": "chroma"}),
            call(sandbox, {**small, "width": 0}),
            call(sandbox, {"prompt": "x"}, path="/images/generations"),
        ]
        tables = [call(sandbox, None, path=path) for path in ("/models", "/api_keys/rate_limits")]
        free = [
            call(sandbox, None, path="/image/styles"),
            call(sandbox, key="another"),
            call(sandbox, key=None),
        ]
        account, records = sandbox.account, sandbox.requests
    assert [reply.status for reply in (*images, *tables)] == [429] * 5
    assert [reply.status for reply in free] == [200, 200, 401]
    assert {reply.json["error"] for reply in (*images, *tables)} == {MESSAGES["2025"].replace("30s", "3600s")}
    assert (account.locked_out, account.refused, account.billed) == (3, 25, 1)
    assert sum(record.locked_out for record in records) == 5


@pytest.mark.parametrize(
    ("options", "fault", "body", "status"),
    [
        ({}, Fault(502, html=True), {}, 502),
        ({}, Fault(504, billed=True), {}, 504),
        ({}, Fault(302), {}, 302),
        ({}, None, {"width": 0}, 400),
        ({}, None, {"model": "no-such"}, 404),
        ({}, None, {"prompt": "a beheading"}, 422),
        ({"balance_usd": 0}, None, {}, 402),
        ({"api_key": "right"}, None, {}, 401),
    ],
)
def test_in_2025_every_status_but_2xx_is_a_failure(call, small, options, fault, body, status):
    """Whoever is to blame for it, and whether or not it was billed."""
    with Sandbox(latency=0, abuse_window=HOUR, profile="2025", **options) as sandbox:
        if fault is not None:
            sandbox.script(fault, times=None)
        statuses = [call(sandbox, {**small, **body}).status for _ in range(22)]
    assert statuses == [status] * 21 + [429]
    assert sandbox.account.locked_out == 1


@pytest.mark.parametrize(
    ("options", "fault", "body", "status"),
    [
        ({}, Fault(403), {}, 403),
        ({}, None, {"width": 0}, 400),
        ({}, None, {"model": "no-such"}, 404),
        ({}, None, {"model": "imagineart-1.5-pro"}, 401),
        ({"balance_usd": 0}, None, {}, 402),
        ({"api_key": "right"}, None, {}, 401),
        ({}, None, b"{", 400),
    ],
)
def test_today_every_mistake_is_a_failure(call, small, options, fault, body, status):
    """Whatever is wrong with the request, and when it cannot be read as well."""
    body = body if isinstance(body, bytes) else {**small, **body}
    with Sandbox(latency=0, abuse_window=HOUR, **options) as sandbox:
        if fault is not None:
            sandbox.script(fault, times=None)
        statuses = [call(sandbox, body).status for _ in range(52)]
    assert statuses == [status] * 51 + [429]
    assert sandbox.account.locked_out == 1


@pytest.mark.parametrize("text", ["500*60", "503:MODEL_OFFLINE*60", "504*60", "302*60", "overloaded*60"])
def test_today_the_servers_own_failures_and_refusals_for_the_pace_never_count(call, text):
    """However many there are."""
    with Sandbox(latency=0, abuse_window=HOUR, faults=[text]) as sandbox:
        statuses = {call(sandbox).status for _ in range(60)}
        assert len(statuses) == 1
        reply = call(sandbox)
    assert (reply.status, reply.headers["x-ratelimit-remaining"]) == (200, "50")


def test_refusals_of_the_rate_limit_are_failures_in_2025(call):
    """A client that does not wait for the reset is soon locked out; today it is not."""
    with Sandbox(latency=0, rpm=1, window=HOUR, abuse_window=HOUR, profile="2025") as sandbox:
        codes = [call(sandbox).json.get("code") for _ in range(23)]
    assert codes[1:] == ["RATE_LIMIT_EXCEEDED"] * 21 + [None]
    with Sandbox(latency=0, rpm=1, window=HOUR, abuse_window=HOUR) as sandbox:
        said = [call(sandbox).json.get("error") for _ in range(60)]
    assert said[1:] == ["Rate limit exceeded"] * 59


@pytest.mark.parametrize("profile", MOST)
@pytest.mark.parametrize("fault", [Fault(reset="before"), Fault(truncated=True), Fault(damage="empty")])
def test_what_has_no_status_or_a_good_one_is_no_failure(listen, call, fault, profile):
    """A broken connection and a damaged picture are not what the rule is about."""
    times = MOST[profile] + 5
    with Sandbox(latency=0, rpm=None, profile=profile) as sandbox:
        sandbox.script(fault, times=times)
        for _ in range(times):
            (call if fault.damage else listen)(sandbox)
        assert sandbox.account.broken + sandbox.account.answered == times
        assert call(sandbox).status == 200


@pytest.mark.parametrize("profile", MOST)
def test_other_end_points_do_not_count(call, profile):
    """Looking for what is not there is no abuse."""
    with Sandbox(latency=0, profile=profile) as sandbox:
        for path in ("/nope", "/models"):
            for _ in range(MOST[profile] + 5):
                call(sandbox, None, path=path, method="DELETE")
        assert call(sandbox).status == 200


def test_an_answer_that_nobody_got_is_no_failure(small):
    """A client that leaves before the head of its answer has not been told of a failure."""
    painting = threading.Event()

    async def send(url):
        data = json.dumps(small).encode()
        head = (
            f"POST {url.path}/image/generate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        _, writer = await asyncio.open_connection(url.hostname, url.port)
        writer.write(head.encode() + data)
        return writer

    async def main():
        async with Sandbox(
            latency=0, profile="2025", images=lambda body: painting.wait() and b"RIFF"
        ) as sandbox:
            sandbox.script(Fault(302), times=25)
            writers = [await send(urlsplit(sandbox.url)) for _ in range(25)]
            while sandbox.account.in_flight < 25:  # noqa: ASYNC110  # an account has no event to wait for
                await asyncio.sleep(0.005)
            for writer in writers:
                writer.transport.abort()
                await writer.wait_closed()
            painting.set()
            while sandbox.account.in_flight:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            writer = await send(urlsplit(sandbox.url))
            while not sandbox.account.answered:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            writer.transport.abort()
            return sandbox.account

    account = asyncio.run(main())
    assert (account.broken, account.answered, account.locked_out) == (25, 1, 0)


def test_a_lock_out_ends_though_one_keeps_asking(call, small):
    """Refusals do not prolong it, nor count towards the next one: who asks all the time is let in in time."""
    window = 1.0
    with Sandbox(latency=0, rpm=None, abuse_window=window, profile="2025") as sandbox:
        sandbox.script(Fault(500), times=None, when=lambda body: body.get("seed") == 1)
        sent, status = math.nan, 500
        while status == 500:  # so often as a slow machine needs for 21 within the window
            before, sent = sent, time.monotonic()
            status = call(sandbox, {**small, "seed": 1}).status
        refusals = 1
        while call(sandbox, small).status == 429:
            refusals += 1
        assert time.monotonic() >= before + window
        assert sandbox.account.locked_out == refusals
        assert sandbox.account.by_status[500] > 20
        assert [call(sandbox, {**small, "seed": seed}).status for seed in (1, 2)] == [500, 200]


def test_the_rule_can_be_switched_off(call):
    """Then failures are only failures."""
    with Sandbox(latency=0, abuse_rule=False) as sandbox:
        fail(call, sandbox, 55)
        reply = call(sandbox)
    assert reply.status == 200
    assert "x-ratelimit-remaining" not in reply.headers


@pytest.mark.parametrize("window", [0, -1, True, math.inf, "30"])
def test_a_bad_window_is_refused(window):
    """Seconds above 0 are needed."""
    with pytest.raises(ValueError, match="abuse_window="):
        Sandbox(abuse_window=window)
