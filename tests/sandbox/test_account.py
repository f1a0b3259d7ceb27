"""What is counted, what is charged, and what is kept of the requests."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from decimal import Decimal
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import aiohttp
import pytest

from venice_async.sandbox import Fault, Sandbox
from venice_async.sandbox.account import abbreviate


def totals(account):
    return (
        account.received,
        account.answered,
        account.refused,
        account.broken,
        account.in_flight,
        account.billed,
    )


async def until(condition):
    while not condition():  # noqa: ASYNC110  # an account has no event to wait for
        await asyncio.sleep(0.005)


def test_each_outcome_is_counted_once(sandbox, call, listen, small):
    """Good, refused and broken answers add up to what was received; the statuses are those of the heads."""
    call(sandbox, small)
    call(sandbox, {**small, "width": 0})
    call(sandbox, small, key=None)
    for fault in ("503", "reset:before", "reset:headers", "reset:body", "truncated", "damage:base64"):
        sandbox.script(Fault.parse(fault)[0])
    call(sandbox, small)
    for _ in range(4):
        listen(sandbox, small)
    call(sandbox, small)
    call(sandbox, None, path="/models")
    account = sandbox.account
    assert totals(account) == (9, 2, 3, 4, 0, 6)
    assert account.by_status == {200: 5, 400: 1, 402: 1, 503: 1}


@pytest.mark.parametrize(
    ("fields", "usd"),
    [
        ({}, "0.01"),
        ({"variants": 3}, "0.03"),
        ({"model": "hunyuan-image-v3"}, "0.09"),
        ({"model": "nano-banana-pro"}, "0.18"),
        ({"model": "nano-banana-pro", "resolution": "4K", "variants": 2}, "0.70"),
        ({"model": "chroma", "resolution": "4K"}, "0.01"),
        ({"model": "gpt-image-2"}, "0.26"),
        ({"model": "gpt-image-2", "quality": "low", "variants": 3}, "0.06"),
        ({"model": "gpt-image-2", "resolution": "4K", "quality": "medium"}, "0.21"),
        ({"model": "gpt-image-2", "resolution": "2K"}, "0.50"),
        ({"model": "grok-imagine-image-2-0"}, "0.07"),
        ({"model": "grok-imagine-image-2-0", "quality": "low", "resolution": "2K"}, "0.07"),
        ({"model": "wan-2-7-text-to-image", "variants": 2}, "0.075"),
        ({"model": "nano-banana-2", "enable_web_search": True}, "0.1"),
    ],
)
def test_prices(call, small, fields, usd):
    """Each image costs what its model costs at its resolution and quality."""
    with Sandbox(latency=0, images=b"RIFF") as sandbox:
        reply = call(sandbox, {**small, **fields})
        told = call(sandbox, None, path="/models?type=image").json["data"]
    assert (reply.status, reply.headers["x-venice-balance-usd"]) == (200, "100")
    assert Decimal(usd) == fields.get("variants", 1) * _listed_price(told, {**small, **fields})
    account = sandbox.account
    assert account.billed_usd == Decimal(usd)
    assert account.balance_usd == 100 - Decimal(usd)
    assert (account.billed, account.billed_images) == (1, fields.get("variants", 1))


def _listed_price(models, body):
    (spec,) = [model["model_spec"] for model in models if model["id"] == body["model"]]
    pricing, constraints = spec["pricing"], spec.get("constraints", {})
    if "generation" in pricing:
        return Decimal(str(pricing["generation"]["usd"]))
    resolution = body.get("resolution", constraints["defaultResolution"])
    if "quality" in pricing:
        quality = body.get("quality", constraints["defaultQuality"])
        return Decimal(str(pricing["quality"][resolution][quality]["usd"]))
    return Decimal(str(pricing["resolutions"][resolution]["usd"]))


@pytest.mark.parametrize("path", ["/image/generate", "/images/generations"])
def test_a_trait_is_billed_as_its_model(call, path):
    """`default` costs what the default model costs, and the answer names that model."""
    with Sandbox(latency=0, images=b"RIFF") as sandbox:
        reply = call(sandbox, {"model": "highest_quality", "prompt": "a fox"}, path=path)
    assert reply.headers["x-venice-model-id"] == "qwen-image"
    assert sandbox.account.billed_usd == Decimal("0.03")


def test_a_rewritten_prompt_costs_once_and_only_if_it_came(call, small):
    """Whatever the variants; not for a prompt that has all the detail, a violation or an error."""
    with Sandbox(latency=0, images=b"RIFF") as sandbox:
        sandbox.script(Fault(500), when=lambda body: body.get("seed") == 5)
        enhanced = {**small, "enhance_prompt": True}
        replies = [
            call(sandbox, {**enhanced, **fields})
            for fields in (
                {},
                {"variants": 4},
                {"prompt": "a fox, highly detailed, soft light"},
                {"prompt": "a beheading"},
                {"seed": 5},
                {"enhance_prompt": False},
            )
        ]
        records = sandbox.requests
    came = ["x-venice-enhanced-prompt" in reply.headers for reply in replies]
    assert came == [True, True, False, False, False, False]
    assert [str(record.billed_usd) for record in records] == ["0.05", "0.08", "0.01", "0", "0", "0.01"]
    assert [record.billed_images for record in records] == [1, 4, 1, 0, 0, 1]
    account = sandbox.account
    assert account.billed_usd == sum(record.billed_usd for record in records)
    assert (account.billed, account.billed_images, account.billed_rewrites) == (4, 7, 2)


def test_the_money_must_suffice_for_the_rewrite_too(call, small):
    """Five cents are enough for a picture and a rewrite, four are not."""
    with Sandbox(latency=0, balance_usd="0.04", images=b"RIFF") as sandbox:
        assert call(sandbox, {**small, "enhance_prompt": True}).status == 402
        assert call(sandbox, small).status == 200


def test_a_blocked_picture_is_counted_and_costs_nothing(sandbox, call, small):
    """Whether its prompt was forbidden or a fault says so, with all its variants."""
    sandbox.script(Fault(blocked=True), when=lambda body: body.get("seed") == 1)
    for fields in ({"prompt": "a beheading", "variants": 3}, {"seed": 1}, {}):
        assert call(sandbox, {**small, **fields}).status == 200
    account = sandbox.account
    assert totals(account) == (3, 3, 0, 0, 0, 1)
    assert (account.blocked, account.billed_images, account.billed_usd) == (2, 1, Decimal("0.01"))
    assert [record.blocked for record in sandbox.requests] == [True, True, False]


def test_balance_that_does_not_suffice(call, small):
    """Money is spent to the last cent; then the answer is 402 and nothing is charged."""
    with Sandbox(balance_usd=0.03, latency=0) as sandbox:
        assert call(sandbox, {**small, "variants": 4}).status == 402
        assert [call(sandbox, small).status for _ in range(4)] == [200, 200, 200, 402]
        refused = call(sandbox, small)
        assert refused.json["error"].startswith("Insufficient USD or Diem balance")
        assert "code" not in refused.json
        assert refused.headers["x-venice-balance-usd"] == "0.00"
        assert sandbox.account.billed == 3
        assert sandbox.account.balance_usd == 0


@pytest.mark.parametrize("billed", [False, True])
@pytest.mark.parametrize("arguments", [{"status": 504}, {"status": 200, "body": b"xx"}, {"html": True}])
def test_a_fault_is_billed_as_it_says(sandbox, call, small, arguments, billed):
    """Whether the money is taken before a fault strikes is the fault's to say."""
    sandbox.script(Fault(**arguments, billed=billed))
    call(sandbox, small)
    assert sandbox.account.billed == billed
    assert sandbox.requests[-1].billed is billed


def test_records(sandbox, call, small):
    """A record has what was received, without the key, and what became of it."""
    call(sandbox, small, key="secret-key", headers={"X-Mine": "1"})
    call(sandbox, None, path="/models?type=image")
    call(sandbox, {**small, "width": 0})
    call(sandbox, b"{", method="POST")
    good, table, bad, broken = sandbox.requests
    assert (good.method, good.path, good.body) == ("POST", "/api/v1/image/generate", small)
    assert (good.status, good.billed, good.complete) == (200, True, True)
    assert good.headers["x-mine"] == "1"
    assert "authorization" not in good.headers
    assert "secret-key" not in repr(sandbox.requests)
    assert (table.method, table.path, table.body, table.status) == ("GET", "/api/v1/models", None, 200)
    assert (bad.status, bad.billed, bad.body["width"]) == (400, False, 0)
    assert (broken.status, broken.body) == (400, None)


def test_only_the_latest_records_are_kept(call, small):
    """Old records make room for new ones; the counts go on."""
    with Sandbox(keep_requests=2, latency=0) as sandbox:
        for seed in range(5):
            call(sandbox, {**small, "seed": seed})
        assert [record.body["seed"] for record in sandbox.requests] == [3, 4]
        assert sandbox.account.received == 5


def test_long_bodies_are_abbreviated():
    """Of a long body the shape and the short values are kept."""
    body = {"prompt": "x", "inpaint": {"source": "A" * 1_000_000}, "list": ["B" * 5000] * 1000}
    kept = abbreviate(body, 7_000_000)
    assert kept["prompt"] == "x"
    assert kept["inpaint"]["source"] == "A" * 64 + "... (1000000 characters)"
    assert len(json.dumps(kept)) < 10_000
    deep = []
    for _ in range(500):
        deep = [deep]
    assert len(json.dumps(abbreviate(deep, 7_000_000))) < 100
    many = {f"{index}" * 3000: index for index in range(1000)}
    assert len(json.dumps(abbreviate(many, 7_000_000))) < 10_000


def test_peak_in_flight(small):
    """The most requests that were in flight at once are remembered."""
    together = 5

    async def main():
        async with (
            Sandbox(latency=0) as sandbox,
            aiohttp.ClientSession(headers={"Authorization": "Bearer k"}) as http,
        ):
            sandbox.script(Fault(delay=3600), times=together)

            async def ask():
                async with http.post(f"{sandbox.url}/image/generate", json=small) as answer:
                    return answer.status

            tasks = [asyncio.ensure_future(ask()) for _ in range(together)]
            await until(lambda: sandbox.account.in_flight == together)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert await ask() == 200
            return sandbox.account.peak_in_flight

    assert asyncio.run(main()) >= together


def test_a_client_that_left_is_billed_once_its_generation_has_begun(small, capfd):
    """The generation goes on without the client; it is paid for, broken, and reported nowhere."""

    async def main():
        async with Sandbox(latency=0.2) as sandbox:
            url = urlsplit(sandbox.url)
            data = json.dumps(small).encode()
            head = (
                f"POST {url.path}/image/generate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
            )
            _, writer = await asyncio.open_connection(url.hostname, url.port)
            writer.write(head.encode() + data)
            await until(lambda: sandbox.account.billed == 1)
            writer.transport.abort()
            await until(lambda: sandbox.account.in_flight == 0)
            return sandbox.account, sandbox.requests

    account, (record,) = asyncio.run(main())
    assert totals(account) == (1, 0, 0, 1, 0, 1)
    assert (record.status, record.billed, record.complete) == (None, True, False)
    assert account.by_status == {}
    assert capfd.readouterr() == ("", "")


def test_a_client_that_left_before_its_body_is_not_billed(sandbox, capfd):
    """Half a request is received, broken, and costs nothing."""
    url = urlsplit(sandbox.url)
    with socket.create_connection((url.hostname, url.port)) as connection:
        head = f"POST {url.path}/image/generate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
        connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
        while sandbox.account.in_flight == 0:
            time.sleep(0.005)
    while sandbox.account.in_flight:
        time.sleep(0.005)
    assert totals(sandbox.account) == (1, 0, 0, 1, 0, 0)
    assert capfd.readouterr() == ("", "")


def test_figures_are_there_when_the_answer_is(small):
    """Whoever has read an answer finds it in the account, however long it was."""
    with Sandbox(images=bytes(2_000_000), latency=0, rpm=None) as sandbox:
        for count in range(1, 21):
            answer = _post(sandbox, small)
            assert len(answer) > 2_000_000
            assert totals(sandbox.account) == (count, count, 0, 0, 0, count)


def _post(sandbox, body):
    headers = {"Authorization": "Bearer k", "Content-Type": "application/json"}
    request = Request(f"{sandbox.url}/image/generate", json.dumps(body).encode(), headers)
    with urlopen(request, timeout=30) as answer:
        return answer.read()


def test_a_sandbox_shows_how_it_stands(call, small):
    """The repr tells the state, the URL and the main figures."""
    sandbox = Sandbox(latency=0)
    assert repr(sandbox) == "<Sandbox not started: 0 received, 0 billed>"
    with sandbox:
        call(sandbox, small)
        assert repr(sandbox) == f"<Sandbox {sandbox.url}: 1 received, 1 billed>"
    assert repr(sandbox) == "<Sandbox closed: 1 received, 1 billed>"
    assert sandbox.account.answered == len(sandbox.requests) == 1
