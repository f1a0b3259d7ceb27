"""The abuse rule, by a clock that is moved by hand and as a client meets it."""

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
from venice_async.sandbox.abuse import MOST_FAILURES, AbuseRule

MESSAGE = (
    "Too many failed attempts (> 20) resulting in a non-success status code. Please wait 30s and try again."
)
HOUR = 3600


def fail(call, sandbox, times=MOST_FAILURES, **options):
    """Fail so often as is allowed, or as is said."""
    sandbox.script(Fault(500), times=times)
    assert [call(sandbox, **options).status for _ in range(times)] == [500] * times


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 120), min_size=60, max_size=100))
def test_against_a_count_of_the_past(gaps):
    """A failure with more than 20 in the window that ends with it locks out, unless that is so already."""
    rule, now, failures, locked_until = AbuseRule(30.0), 0.0, [], -math.inf
    for gap in gaps:
        now += gap / 64
        assert rule.locks_out("key", now) == (now < locked_until)
        rule.fail("key", now)
        failures.append(now)
        recent = [then for then in failures if then >= now - 30]
        if len(recent) > 20 and now >= locked_until:
            locked_until = now + 30
        assert rule.locks_out("key", now) == (now < locked_until)


def test_a_lock_out_begins_and_ends_sharp():
    """Twenty failures are borne, the one after them locks out for 30 s, and then a success is let in."""
    rule = AbuseRule(30.0)
    for second in range(20):
        rule.fail("key", float(second))
    assert not rule.locks_out("key", 19.0)
    rule.fail("key", 30.0)
    assert rule.locks_out("key", 30.0)
    assert not rule.locks_out("another", 30.0)
    assert rule.locks_out("key", 59.999)
    assert not rule.locks_out("key", 60.0)


def test_failures_that_are_far_apart_are_borne():
    """The window is what counts, not the number alone."""
    rule = AbuseRule(30.0)
    for number in range(100):
        rule.fail("key", number * 1.51)
        assert not rule.locks_out("key", number * 1.51)


def test_the_message_is_the_apis(call):
    """The failure after the twentieth is answered as itself; what follows is refused in the API's words."""
    with Sandbox(latency=0) as sandbox:
        fail(call, sandbox, 21)
        refused = call(sandbox)
    assert (refused.status, refused.json) == (429, {"error": MESSAGE})
    assert AbuseRule(30.0).message == MESSAGE


def test_a_lock_out_is_of_the_key_and_of_all_that_it_asks_for(call, small):
    """Whatever needs the key is refused, nothing is billed, and other keys notice nothing."""
    with Sandbox(latency=0, abuse_window=HOUR) as sandbox:
        fail(call, sandbox, 21)
        images = [
            call(sandbox, {**small, "model": "qwen-image"}),
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
    assert {reply.json["error"] for reply in (*images, *tables)} == {MESSAGE.replace("30s", "3600s")}
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
def test_every_status_but_2xx_is_a_failure(call, small, options, fault, body, status):
    """Whoever is to blame for it, and whether or not it was billed."""
    with Sandbox(latency=0, abuse_window=HOUR, **options) as sandbox:
        if fault is not None:
            sandbox.script(fault, times=None)
        statuses = [call(sandbox, {**small, **body}).status for _ in range(22)]
    assert statuses == [status] * 21 + [429]
    assert sandbox.account.locked_out == 1


def test_refusals_of_the_rate_limit_are_failures(call):
    """A client that does not wait for the reset is soon locked out."""
    with Sandbox(latency=0, rpm=1, window=HOUR, abuse_window=HOUR) as sandbox:
        codes = [call(sandbox).json.get("code") for _ in range(23)]
    assert codes[1:] == ["RATE_LIMIT_EXCEEDED"] * 21 + [None]


@pytest.mark.parametrize("fault", [Fault(reset="before"), Fault(truncated=True), Fault(damage="empty")])
def test_what_has_no_status_or_a_good_one_is_no_failure(sandbox, listen, call, fault):
    """A broken connection and a damaged picture are not what the rule is about."""
    sandbox.script(fault, times=25)
    for _ in range(25):
        (call if fault.damage else listen)(sandbox)
    assert sandbox.account.broken + sandbox.account.answered == 25
    assert call(sandbox).status == 200


def test_other_end_points_do_not_count(sandbox, call):
    """Looking for what is not there is no abuse."""
    for path in ("/nope", "/models"):
        for _ in range(25):
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
        async with Sandbox(latency=0, images=lambda body: painting.wait() and b"RIFF") as sandbox:
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
    with Sandbox(latency=0, rpm=None, abuse_window=window) as sandbox:
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
        assert sandbox.account.by_status[500] > MOST_FAILURES
        assert [call(sandbox, {**small, "seed": seed}).status for seed in (1, 2)] == [500, 200]


def test_the_rule_can_be_switched_off(call):
    """Then failures are only failures."""
    with Sandbox(latency=0, abuse_rule=False) as sandbox:
        fail(call, sandbox, 25)
        assert call(sandbox).status == 200


@pytest.mark.parametrize("window", [0, -1, True, math.inf, "30"])
def test_a_bad_window_is_refused(window):
    """Seconds above 0 are needed."""
    with pytest.raises(ValueError, match="abuse_window="):
        Sandbox(abuse_window=window)
