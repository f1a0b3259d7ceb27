"""The session: one request, its pictures in memory, on disk or as a stream, and the session's life."""

from __future__ import annotations

import asyncio
import gc
import random
import ssl
import threading
import warnings
from functools import partial

import aiohttp
import anyio
import attrs
import psutil
import pytest

from venice_async import (
    ImageRequest,
    RequestLimits,
    RequestTimeoutError,
    StatusError,
    UnconfirmedError,
    VeniceSession,
)
from venice_async.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    OutputExistsError,
    SessionStateError,
    StorageError,
)
from venice_async.policy.retry import RetryPolicy
from venice_async.sandbox import Fault, Sandbox
from venice_async.session import DEFAULT_BASE_URL
from venice_async.wire.codec import structure_request

# One attempt, at once: what waits and repeats is tested elsewhere.
plain = partial(VeniceSession, rate_limit=None, retry=RetryPolicy(attempts=1), guard=None)

KEY = "sk-Lighthouse-0042"


# The reference page's own example


def test_the_reference_pages_example_brings_a_picture(curl_body):
    """Its body, inpainting included, goes out exactly as it stands there, and a picture comes back."""

    async def main():
        async with (
            Sandbox(latency=0, profile="2025") as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            answer = await venice.generate(structure_request(curl_body))
        return answer, sandbox.requests[-1].body

    answer, sent = asyncio.run(main())
    assert sent == curl_body
    assert list(sent)
    assert answer.image.format == "webp"
    assert answer.id.startswith("generate-image-")
    assert answer.request == curl_body
    assert answer.timing.total >= answer.timing.inference_duration >= 0
    assert answer.moderation.is_blurred is False
    assert answer.rate_limit.limit == 600
    assert answer.balance_usd == 100
    assert answer.request_id.endswith("-SBX")
    assert answer.model == "fluently-xl"


def test_only_what_was_set_is_sent():
    """A prompt and a model are a whole request."""

    async def main():
        async with Sandbox(latency=0) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            await venice.generate(ImageRequest("a fox", model="fluently-xl"))
        return sandbox.requests[-1].body

    assert asyncio.run(main()) == {"prompt": "a fox", "model": "fluently-xl"}


@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_every_format_comes_either_way(image_format, binary):
    """The picture's own bytes say what it is, as JSON or raw."""

    async def main():
        async with Sandbox(latency=0) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            request = ImageRequest(
                "a fox", model="fluently-xl", width=64, height=64, format=image_format, return_binary=binary
            )
            return await venice.generate(request)

    answer = asyncio.run(main())
    assert answer.image.format == image_format
    assert (answer.id is None) == (answer.timing is None) == binary


def test_a_seed_gives_the_same_picture_again(fox):
    """The seed is sent as it was set."""

    async def main():
        async with Sandbox(latency=0) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            seven = attrs.evolve(fox, seed=7)
            return [(await venice.generate(request)).image.data for request in (seven, seven, fox)]

    first, second, other = asyncio.run(main())
    assert first == second != other


def test_variants_come_in_one_answer(fox):
    """As many images as were asked for, each a picture of its own."""

    async def main():
        async with Sandbox(latency=0) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            return await venice.generate(attrs.evolve(fox, variants=3))

    answer = asyncio.run(main())
    assert len({image.data for image in answer.images}) == 3
    assert answer.image is answer.images[0]


def test_json_where_raw_bytes_were_asked_for_is_understood(fox, json_answer, png):
    """The answer's own content type decides, not the request."""

    async def main():
        async with (
            Sandbox(latency=0, faults=[Fault(body=json_answer(png))]) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            return await venice.generate(attrs.evolve(fox, return_binary=True))

    answer = asyncio.run(main())
    assert answer.image.data == png
    assert answer.id == "generate-image-1"


def test_raw_bytes_where_json_was_asked_for_are_understood(fox, png):
    """And the format is the image's, whatever the content type calls it."""

    async def main():
        async with (
            Sandbox(latency=0, faults=[Fault(body=png, content_type="image/webp")]) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            return await venice.generate(fox)

    answer = asyncio.run(main())
    assert (answer.image.data, answer.image.format) == (png, "png")


BAD_ANSWERS = {
    "html": Fault(html=True, billed=True),
    "base64": Fault(damage="base64"),
    "magic": Fault(damage="magic"),
    "empty": Fault(damage="empty"),
    "no-images": Fault(drop="images"),
    "no-json": Fault(body=b"{]"),
    "no-object": Fault(body=b"[]"),
    "nothing": Fault(body=b""),
    "half": Fault(body=b'{"images": ["'),
}


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "image/webp"])
@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_a_picture_under_a_wrong_content_type_is_a_picture_all_the_same(fox, content_type, binary):
    """It was paid for, and is all there."""

    async def main():
        async with (
            Sandbox(latency=0, faults=[Fault(content_type=content_type)]) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            return await venice.generate(attrs.evolve(fox, return_binary=binary))

    assert asyncio.run(main()).image.format == "webp"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("text/html", b"<h1>a proxy at its best</h1>"), ("application/json", b"[1, 2, 3, 4, 5]")],
)
def test_an_answer_that_is_no_answer_is_kept_as_it_came(fox, tmp_path, content_type, body):
    """It was most likely paid for: a person may want to look at it."""
    fault = Fault(body=body, content_type=content_type)
    with pytest.raises(DecodeError, match="neither a JSON object nor an image"):
        save(fox, tmp_path / "a.webp", faults=[fault])
    (kept,) = (tmp_path / ".venice" / "rejected").iterdir()
    assert kept.suffix == ".bin"
    assert kept.read_bytes() == body


def test_a_binary_answer_that_ends_early_unnoticed_is_no_picture(raw_server, fox, tmp_path, webp):
    """Where neither a length nor chunks tell its end, the image itself does."""

    async def handle(connection):
        await connection.read_request()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: image/webp\r\nConnection: close\r\n\r\n"
        await connection.send(head + webp[: len(webp) // 2])

    async def main():
        async with raw_server(handle) as server, plain(KEY, base_url=server.url) as venice:
            with pytest.raises(DecodeError, match="cut short"):
                await venice.save(fox, tmp_path / "a.webp")

    asyncio.run(main())
    assert [path.name for path in tmp_path.iterdir()] == [".venice"]


@pytest.mark.parametrize("fault", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_a_good_status_with_a_bad_answer_is_a_decode_error(fault, fox):
    """It was most likely billed, and is not sent again."""

    async def main():
        async with (
            Sandbox(latency=0, faults=[fault]) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            with pytest.raises(DecodeError):
                await venice.generate(fox)
            assert sandbox.account.received == sandbox.account.billed == 1
            await venice.generate(fox)

    asyncio.run(main())


def test_fewer_images_than_asked_for_is_a_decode_error(fox, json_answer, png):
    """Two of three were paid for, and something is wrong."""

    async def main():
        async with (
            Sandbox(latency=0, faults=[Fault(body=json_answer(png, png))]) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            with pytest.raises(DecodeError, match="3 images were asked for, and 2 came"):
                await venice.generate(attrs.evolve(fox, variants=3))

    asyncio.run(main())


@pytest.mark.parametrize("status", [201, 202])
def test_every_success_is_one(fox, status):
    """Another status below 300 changes nothing."""

    async def main():
        async with (
            Sandbox(latency=0, faults=[Fault(status)]) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            return await venice.generate(fox)

    assert asyncio.run(main()).image.data


# The catalogue


def test_the_catalogue():
    """Styles, models with prices and constraints, and the key's rate limits."""

    async def main():
        async with Sandbox(rpm=123) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            return await venice.styles(), await venice.models(), await venice.rate_limits()

    styles, models, limits = asyncio.run(main())
    assert "Analog Film" in styles
    model = next(model for model in models if model.id == "fluently-xl")
    assert model.prices
    assert isinstance(model.limits, RequestLimits)
    assert limits.balance_usd == 100
    assert limits.models["fluently-xl"]["RPM"] == 123


def test_the_catalogue_refuses_a_wrong_key():
    """As a purchase does."""

    async def main():
        async with Sandbox(api_key="right") as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            for call in (venice.styles, venice.models, venice.rate_limits):
                with pytest.raises(AuthenticationError):
                    await call()

    asyncio.run(main())


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": 5}', b'{"data": [5]}', b"<html>"])
def test_a_catalogue_that_is_none_is_a_decode_error(raw_server, body):
    """Not an AttributeError of somebody's."""

    async def handle(connection):
        while True:
            await connection.read_request()
            await connection.answer(body, "application/json")

    async def main():
        async with raw_server(handle) as server, plain(KEY, base_url=server.url) as venice:
            with pytest.raises(DecodeError):
                await venice.styles()
            with pytest.raises(DecodeError):
                await venice.rate_limits()

    asyncio.run(main())


# Settings


def test_the_key_and_the_address_come_from_the_environment(monkeypatch, fox):
    """Where no argument says otherwise."""

    async def main():
        async with Sandbox(latency=0, api_key=KEY) as sandbox:
            monkeypatch.setenv("VENICE_API_KEY", KEY)
            monkeypatch.setenv("VENICE_BASE_URL", sandbox.url)
            async with plain() as venice:
                assert venice.base_url == sandbox.url
                await venice.generate(fox)

    asyncio.run(main())


def test_arguments_win_over_the_environment(monkeypatch, fox):
    """Both the key and the address."""
    monkeypatch.setenv("VENICE_API_KEY", "another")
    monkeypatch.setenv("VENICE_BASE_URL", "http://127.0.0.1:9/api/v1")

    async def main():
        async with (
            Sandbox(latency=0, api_key=KEY) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            await venice.generate(fox)

    asyncio.run(main())


def test_without_an_address_it_is_the_real_one():
    """Version included."""
    assert plain(KEY).base_url == DEFAULT_BASE_URL == "https://api.venice.ai/api/v1"


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_there_is_no_session(key):
    """Refused where it is made, before there is anything to close; the message names the variable."""
    with pytest.raises(ConfigurationError, match="VENICE_API_KEY"):
        plain(key)


@pytest.mark.parametrize("key", ["a b", "a\nb", "key\r\nX-Evil: 1", "schlüssel", "a\tb", " "])
def test_a_key_that_cannot_be_one_is_refused(key):
    """Without showing it."""
    with pytest.raises(ConfigurationError) as caught:
        plain(key)
    assert key.strip() == "" or key not in str(caught.value)


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, "4", True, None])
def test_concurrency_is_a_whole_number_from_one(concurrency):
    """Anything else is refused."""
    with pytest.raises(ConfigurationError, match="concurrency"):
        plain(KEY, concurrency=concurrency)


@pytest.mark.parametrize("waiting", [-1, 1.5, "4", True])
def test_a_number_of_waiting_calls_is_a_whole_number_or_none(waiting):
    """Anything else is refused."""
    with pytest.raises(
        ConfigurationError, match=f"max_waiting={waiting!r}: expected an integer of at least 0"
    ):
        plain(KEY, max_waiting=waiting)


@pytest.mark.parametrize("limits", [None, 5, {"images": 1}])
def test_limits_of_an_answer_are_nothing_but_answer_limits(limits):
    """Anything else is refused where the session is made."""
    with pytest.raises(ConfigurationError, match=r"answer_limits=.*: expected an AnswerLimits"):
        plain(KEY, answer_limits=limits)


def test_the_key_is_not_shown():
    """Neither by repr nor by str."""
    venice = plain(KEY, ssl=ssl.create_default_context())
    assert KEY not in repr(venice) + str(venice) + f"{venice}"
    assert DEFAULT_BASE_URL in repr(venice)


# Life


def test_a_session_is_used_inside_of_its_block(fox, tmp_path):
    """Before and after it every call is a SessionStateError that says what to do."""

    async def check(venice, says):
        for call in (
            venice.generate(fox),
            venice.save(fox, tmp_path / "a.webp"),
            venice.styles(),
            venice.models(),
            venice.rate_limits(),
        ):
            with pytest.raises(SessionStateError, match=says):
                await call
        with pytest.raises(SessionStateError, match=says):
            async with venice.stream(fox):
                pass

    async def main():
        async with Sandbox(latency=0) as sandbox:
            venice = plain(KEY, base_url=sandbox.url)
            await check(venice, "async with")
            async with venice:
                pass
            await check(venice, "closed")
            assert sandbox.account.received == 0

    asyncio.run(main())


def test_a_session_is_entered_once():
    """Neither a second time while it is open nor after it was closed."""

    async def main():
        async with plain(KEY) as venice:
            with pytest.raises(SessionStateError, match="open already"):
                await venice.__aenter__()
        with pytest.raises(SessionStateError, match="closed already"):
            await venice.__aenter__()

    asyncio.run(main())


def test_forgetting_to_close_warns():
    """With the session's name; one that was never opened, or was closed, does not."""

    async def main():
        venice = plain(KEY)
        await venice.__aenter__()
        owned = venice._transport._owned
        with pytest.warns(ResourceWarning, match=r"VeniceSession.*never closed"):
            del venice
        await owned.close()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            plain(KEY)
            async with plain(KEY):
                pass
            gc.collect()

    asyncio.run(main())


def test_entering_and_leaving_may_happen_in_different_tasks(fox):
    """As fixtures and frameworks do it."""

    async def main():
        async with Sandbox(latency=0) as sandbox:
            venice = plain(KEY, base_url=sandbox.url)
            await asyncio.create_task(venice.__aenter__())
            await asyncio.create_task(venice.generate(fox))
            await asyncio.create_task(venice.__aexit__(None, None, None))

    asyncio.run(main())


def test_an_exception_of_the_body_leaves_unchanged():
    """The session puts nothing around it."""

    async def main():
        error = KeyError("mine")
        with pytest.raises(KeyError) as caught:
            async with plain(KEY):
                raise error
        assert caught.value is error

    asyncio.run(main())


def test_several_sessions_live_side_by_side(fox, run):
    """None knows of the other, and one loop after the other may be used."""

    async def main():
        async with (
            Sandbox(latency=0) as sandbox,
            plain(KEY, base_url=sandbox.url) as one,
            plain(KEY, base_url=sandbox.url) as other,
        ):
            await asyncio.gather(one.generate(fox), other.generate(fox))
        return sandbox.account.answered

    assert run(main()) == run(main()) == 2


# Places


@pytest.mark.parametrize("concurrency", [1, 3, 16])
def test_there_are_never_more_in_flight_than_places(fox, concurrency):
    """And all places are used."""

    async def main():
        async with Sandbox(latency=0.02, rpm=None) as sandbox:
            async with plain(KEY, base_url=sandbox.url, concurrency=concurrency) as venice:
                await asyncio.gather(*(venice.generate(fox) for _ in range(3 * concurrency)))
                assert (venice._pool.in_flight, venice._pool.waiting) == (0, 0)
            return sandbox.account

    account = asyncio.run(main())
    assert account.peak_in_flight == concurrency
    assert account.answered == 3 * concurrency


def test_calls_are_served_in_the_order_in_which_they_came(fox):
    """A call that waits is overtaken by none."""
    count = 12

    async def main():
        async with Sandbox(latency=0, rpm=None) as sandbox:
            async with plain(KEY, base_url=sandbox.url, concurrency=1) as venice:
                await asyncio.gather(
                    *(venice.generate(attrs.evolve(fox, seed=seed)) for seed in range(count))
                )
            return [record.body["seed"] for record in sandbox.requests]

    assert asyncio.run(main()) == list(range(count))


def test_a_cancelled_call_gives_back_its_place_and_its_connection(fox, tmp_path, run, png_of):
    """At whatever point it is cancelled: waiting, sending, receiving or writing its file."""
    dice = random.Random(20250213)

    async def call(venice, number):
        kind = number % 3
        if kind == 0:
            await venice.generate(fox)
        elif kind == 1:
            await venice.save(fox, tmp_path / f"{number}.webp")
        else:
            async with venice.stream(fox) as image:
                async for _ in image:
                    pass

    async def main():
        picture = png_of(50_000)
        async with Sandbox(latency=0.001, rpm=None, images=picture) as sandbox:
            async with plain(KEY, base_url=sandbox.url, concurrency=4) as venice:
                for start in range(0, 300, 6):
                    tasks = [asyncio.create_task(call(venice, start + place)) for place in range(6)]
                    for task in dice.sample(tasks, 6):
                        for _ in range(dice.randrange(25)):
                            await asyncio.sleep(0)
                        await asyncio.sleep(dice.choice((0, 0, 0.001, 0.003)))
                        task.cancel()
                    results = await asyncio.gather(*tasks, return_exceptions=True)
                    assert {type(result) for result in results} <= {type(None), asyncio.CancelledError}
                    assert (venice._pool.in_flight, venice._pool.waiting) == (0, 0)
                port = int(sandbox.url.split(":")[2].split("/")[0])
                connected = [
                    connection
                    for connection in psutil.Process().net_connections("tcp4")
                    if connection.status == "ESTABLISHED" and connection.raddr.port == port
                ]
                assert len(connected) <= 4
                assert (await venice.generate(fox)).image.data == picture
            return sandbox.account

    account = run(main())
    assert account.peak_in_flight >= 4  # the server notices late that somebody has left
    assert account.received > account.answered > 0
    assert not list(tmp_path.glob("**/.*"))


def test_a_cancelled_wait_hands_its_place_on(fox, until):
    """The next in line is served, though the one before it went away in the moment of its turn."""

    async def main():
        async with Sandbox(latency=0.05, rpm=None) as sandbox:
            async with plain(KEY, base_url=sandbox.url, concurrency=1) as venice:
                tasks = [asyncio.create_task(venice.generate(fox)) for _ in range(4)]
                await until(lambda: venice._pool.waiting == 3)
                tasks[0].cancel()
                tasks[1].cancel()
                done = await asyncio.gather(*tasks, return_exceptions=True)
            return [type(result).__name__ for result in done]

    assert asyncio.run(main()) == ["CancelledError"] * 2 + ["ImageResponse"] * 2


def test_a_time_limit_works_from_outside_too(fox):
    """asyncio.timeout around a call leaves nothing behind."""

    async def main():
        async with Sandbox(latency=3600) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            with pytest.raises(TimeoutError) as caught:
                async with asyncio.timeout(0.1):
                    await venice.generate(fox)
            assert not isinstance(caught.value, RequestTimeoutError)
            assert venice._pool.in_flight == 0

    asyncio.run(main())


def test_leaving_the_block_ends_what_is_still_running(fox, tmp_path, until):
    """A call that outlives its session gets an error of ours, and leaves no file behind."""

    async def main():
        async with Sandbox(latency=3600) as sandbox:
            async with plain(KEY, base_url=sandbox.url) as venice:
                task = asyncio.create_task(venice.save(fox, tmp_path / "a.webp"))
                await until(lambda: sandbox.account.in_flight == 1)
            with pytest.raises(UnconfirmedError):
                await task

    asyncio.run(main())


# To disk


def save(fox, path, *, faults=(), images=None, latency=0, **changes):
    """Save one picture; what came back and what the sandbox has seen."""

    async def main():
        async with (
            Sandbox(latency=latency, faults=faults, images=images) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            try:
                return await venice.save(attrs.evolve(fox, **changes), path), sandbox.account
            except Exception as exc:
                exc.account = sandbox.account
                raise

    return asyncio.run(main())


def test_a_saved_picture_is_the_generated_one(fox, tmp_path):
    """Byte for byte, with the answer's fields beside it, and nothing else in the directory."""
    request = attrs.evolve(fox, seed=7)

    async def main():
        async with Sandbox(latency=0) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            return await venice.save(request, tmp_path / "a.webp"), await venice.generate(request)

    saved, answer = asyncio.run(main())
    assert saved.path == tmp_path / "a.webp"
    assert saved.path.read_bytes() == answer.image.data
    assert saved.sizes == (len(answer.image.data),)
    assert saved.id.startswith("generate-image-")
    assert saved.timing is not None
    assert [path.name for path in tmp_path.iterdir()] == ["a.webp"]


@pytest.mark.parametrize(
    ("asked", "came", "name"),
    [
        ("a.webp", "webp", "a.webp"),
        ("a.png", "webp", "a.webp"),
        ("a.jpg", "jpeg", "a.jpg"),
        ("a.jpeg", "jpeg", "a.jpeg"),
        ("a.JPG", "jpeg", "a.JPG"),
        ("a.jpeg", "png", "a.png"),
        ("a", "png", "a.png"),
        ("v1.5", "png", "v1.5.png"),
        ("a.b.png", "jpeg", "a.b.jpg"),
        (".hidden", "webp", ".hidden.webp"),
        ("zwei Füchse.webp", "webp", "zwei Füchse.webp"),
    ],
)
def test_the_extension_follows_the_real_format(fox, tmp_path, asked, came, name):
    """Whatever was asked for; a suffix that is no image's stays part of the name."""
    saved, _ = save(fox, tmp_path / asked, format=came)
    assert saved.path == tmp_path / name
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_path_may_be_a_string_and_relative(fox, tmp_path, monkeypatch):
    """The current directory is the one that counts."""
    monkeypatch.chdir(tmp_path)
    saved, _ = save(fox, "a.webp")
    assert str(saved.path) == "a.webp"
    assert (tmp_path / "a.webp").read_bytes()


def test_variants_are_numbered(fox, tmp_path):
    """From zero, in the order of the answer."""
    saved, _ = save(fox, tmp_path / "a.png", variants=3)
    assert [path.name for path in saved.paths] == ["a-0.webp", "a-1.webp", "a-2.webp"]
    assert len({path.read_bytes() for path in saved.paths}) == 3
    assert saved.sizes == tuple(path.stat().st_size for path in saved.paths)


@pytest.mark.parametrize("taken", ["a.webp", "a.png", "a"])
def test_a_path_that_is_taken_is_refused_before_anything_is_sent(fox, tmp_path, taken):
    """Nothing is bought, and nothing is overwritten."""
    (tmp_path / taken).write_bytes(b"mine")
    with pytest.raises(OutputExistsError) as caught:
        save(fox, tmp_path / taken)
    assert isinstance(caught.value, FileExistsError)
    assert caught.value.filename == str(tmp_path / taken)
    assert caught.value.account.received == 0
    assert (tmp_path / taken).read_bytes() == b"mine"


def test_a_name_without_a_suffix_is_taken_by_any_picture(fox, tmp_path):
    """Since its extension is not known yet."""
    (tmp_path / "a.jpg").write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        save(fox, tmp_path / "a")


@pytest.mark.parametrize("place", ["missing/a.webp", "file/a.webp", "file/deeper/a.webp"])
def test_a_place_where_nothing_can_be_put_is_refused_before_anything_is_sent(fox, tmp_path, place):
    """A directory that is not there, or is a file, with its name in the error."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        save(fox, tmp_path / place)
    assert caught.value.account.received == 0
    assert str((tmp_path / place).parent) in str(caught.value)


@pytest.mark.parametrize(
    "path",
    ["", ".", "/", "..", "a\0b.webp", "x" * 300 + ".webp", "x" * 300],
    ids=["empty", "dot", "root", "up", "null", "long", "long-without-suffix"],
)
def test_a_path_that_can_name_no_file_is_refused_before_anything_is_sent(fox, tmp_path, monkeypatch, path):
    """With an error of ours."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises((StorageError, ConfigurationError)) as caught:
        save(fox, path)
    assert caught.value.account.received == 0


def test_a_name_that_just_fits_takes_any_extension_or_is_refused_before(fox, tmp_path):
    """A longer extension than the one asked for must not cost the picture that was paid for."""
    path = tmp_path / ("x" * 251 + ".jpg")
    try:
        saved, _ = save(fox, path, format="webp")
    except StorageError as exc:
        assert exc.account.received == 0  # noqa: PT017
    else:
        assert saved.path.read_bytes()


def test_a_name_that_is_taken_meanwhile_is_passed_over(fox, tmp_path, until):
    """The picture was paid for: it gets the next free number, and what is there stays."""

    async def main():
        async with Sandbox(latency=0.2) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            task = asyncio.create_task(venice.save(fox, tmp_path / "a.webp"))
            await until(lambda: sandbox.account.in_flight == 1)
            (tmp_path / "a.webp").write_bytes(b"mine")
            (tmp_path / "a-2.webp").symlink_to("nowhere")
            return await task

    saved = asyncio.run(main())
    assert saved.path == tmp_path / "a-3.webp"
    assert (tmp_path / "a.webp").read_bytes() == b"mine"


def test_many_calls_to_one_path_overwrite_nothing(fox, tmp_path):
    """Each picture has a file of its own."""

    async def main():
        async with (
            Sandbox(latency=0.05, rpm=None) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            calls = (venice.save(attrs.evolve(fox, seed=seed), tmp_path / "a.webp") for seed in range(8))
            return await asyncio.gather(*calls)

    paths = {saved.path for saved in asyncio.run(main())}
    assert {path.name for path in paths} == {"a.webp", *(f"a-{number}.webp" for number in range(2, 9))}
    assert len({path.read_bytes() for path in paths}) == 8


@pytest.mark.parametrize("fault", ["base64", "magic"])
@pytest.mark.parametrize("size", [100, 2_000_000], ids=["small", "large"])
def test_a_bad_answers_images_are_kept_and_the_error_says_where(fox, tmp_path, webp, fault, size):
    """They were paid for: a person may want to look at what came, however it was cut into chunks."""
    with pytest.raises(DecodeError) as caught:
        save(fox, tmp_path / "a.webp", faults=[BAD_ANSWERS[fault]], images=webp + bytes(size))
    kept = list((tmp_path / ".venice" / "rejected").iterdir())
    assert len(kept) == 1
    assert caught.value.__notes__ == [f"what came is kept in {kept[0]}"]
    assert kept[0].suffix == (".bin" if fault == "magic" else ".webp")
    assert kept[0].stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == [".venice"]


def test_the_images_that_came_of_too_few_are_kept(fox, tmp_path, json_answer, png):
    """Each of them, whole."""
    with pytest.raises(DecodeError) as caught:
        save(fox, tmp_path / "a", faults=[Fault(body=json_answer(png, png))], variants=3)
    kept = sorted((tmp_path / ".venice" / "rejected").iterdir())
    assert [path.read_bytes() for path in kept] == [png, png]
    assert all(str(path) in caught.value.__notes__[0] for path in kept)


def test_the_whole_images_beside_a_bad_one_are_kept(fox, tmp_path, json_answer, png):
    """One of two is damaged: the other is a picture that was paid for."""
    body = json_answer(png, png)
    body = body[:-200] + b"!" + body[-199:]
    with pytest.raises(DecodeError):
        save(fox, tmp_path / "a", faults=[Fault(body=body)], variants=2)
    kept = [path.read_bytes() for path in (tmp_path / ".venice").rglob("*.png")]
    assert png in kept


@pytest.mark.parametrize("fault", ["html", "no-json", "nothing", "empty"])
def test_a_bad_answer_without_an_image_leaves_no_file(fox, tmp_path, fault):
    """There is nothing to look at."""
    with pytest.raises(DecodeError):
        save(fox, tmp_path / "a.webp", faults=[BAD_ANSWERS[fault]])
    assert not list(tmp_path.rglob("*.webp"))


@pytest.mark.parametrize(
    "fault", ["400", "429", "502", "reset:before", "reset:headers", "reset:body", "truncated"]
)
def test_a_failure_leaves_no_file(fox, tmp_path, fault, png_of):
    """Neither a part of it nor an empty one."""
    with pytest.raises((StatusError, UnconfirmedError)):
        save(fox, tmp_path / "a.webp", faults=[fault], images=png_of(3_000_000))
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_disappears_meanwhile_is_made_again_or_a_storage_error(fox, tmp_path, until):
    """Never an error of another kind."""
    place = tmp_path / "place"
    place.mkdir()

    async def main():
        async with Sandbox(latency=0.2) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            task = asyncio.create_task(venice.save(fox, place / "a.webp"))
            await until(lambda: sandbox.account.in_flight == 1)
            place.rmdir()
            try:
                await task
            except StorageError:
                return
            assert (place / "a.webp").exists()

    asyncio.run(main())


# As a stream


async def read(venice, request):
    """Read a stream of a PNG to its end."""
    async with venice.stream(request) as image:
        assert image.format == "png"
        async for _ in image:
            pass


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_a_streams_chunks_are_the_generated_picture(fox, run, binary):
    """The format is known on entering, the answer at the end."""
    request = attrs.evolve(fox, seed=7, return_binary=binary)

    async def main():
        async with Sandbox(latency=0) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            whole = await venice.generate(request)
            async with venice.stream(request) as image:
                assert image.format == "webp"
                with pytest.raises(SessionStateError):
                    _ = image.answer
                chunks = [chunk async for chunk in image]
                assert [chunk async for chunk in image] == []
                assert (image.answer.timing is None) == binary
                assert image.answer.balance_usd is not None
            return whole.image.data, b"".join(chunks)

    whole, streamed = run(main())
    assert whole == streamed


def test_a_stream_gives_its_place_back_at_the_end_of_the_image(fox):
    """What is done with the image afterwards keeps nobody waiting."""

    async def main():
        async with (
            Sandbox(latency=0) as sandbox,
            plain(KEY, base_url=sandbox.url, concurrency=1) as venice,
        ):
            async with venice.stream(fox) as image:
                assert [chunk async for chunk in image]
                assert venice._pool.in_flight == 0
                await venice.generate(fox)
                async with venice.stream(fox):
                    assert venice._pool.in_flight == 1
            assert venice._pool.in_flight == 0

    asyncio.run(main())


def test_a_stream_may_be_left_early(fox, png_of):
    """Its place and its connection come back, and nothing is raised."""

    async def main():
        picture = png_of(20_000_000)
        async with (
            Sandbox(latency=0, images=picture) as sandbox,
            plain(KEY, base_url=sandbox.url, concurrency=1) as venice,
        ):
            for _ in range(3):
                async with venice.stream(fox) as image:
                    async for chunk in image:
                        assert chunk
                        break
                assert venice._pool.in_flight == 0
            error = KeyError("mine")
            with pytest.raises(KeyError) as caught:
                async with venice.stream(fox) as image:
                    raise error
            assert caught.value is error

    asyncio.run(main())


@pytest.mark.parametrize(("fault", "kind"), [("401", AuthenticationError), ("502", UnconfirmedError)])
def test_a_refusal_is_raised_on_entering_a_stream(fox, fault, kind):
    """The block does not run."""

    async def main():
        async with (
            Sandbox(latency=0, faults=[fault]) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            with pytest.raises(kind):
                async with venice.stream(fox):
                    pytest.fail("the block ran")
            assert venice._pool.in_flight == 0

    asyncio.run(main())


@pytest.mark.parametrize("fault", ["html", "magic", "empty", "no-images", "nothing"])
def test_an_answer_without_a_picture_is_raised_on_entering_a_stream(fox, fault):
    """As a DecodeError, not as an empty stream."""

    async def main():
        async with (
            Sandbox(latency=0, faults=[BAD_ANSWERS[fault]]) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            with pytest.raises(DecodeError):
                async with venice.stream(fox):
                    pytest.fail("the block ran")
            assert venice._pool.in_flight == 0

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(Fault(reset="body"), UnconfirmedError), (Fault(damage="base64"), DecodeError)],
    ids=repr,
)
def test_a_picture_that_goes_wrong_on_its_way_is_raised_while_iterating(fox, fault, kind, png_of):
    """The chunks that came before are not to be trusted, and the error says so."""

    async def main():
        picture = png_of(1_000_000)
        async with (
            Sandbox(latency=0, images=picture, faults=[fault]) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            with pytest.raises(kind):
                await read(venice, fox)

    asyncio.run(main())


def test_more_pictures_than_one_in_a_stream_is_a_decode_error(fox, json_answer, png):
    """The second is not handed on as a part of the first."""

    async def main():
        async with (
            Sandbox(latency=0, faults=[Fault(body=json_answer(png, png))]) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            with pytest.raises(DecodeError, match="more images"):
                await read(venice, fox)

    asyncio.run(main())


def test_a_stream_carries_no_variants(fox):
    """It is refused before anything is sent."""

    async def main():
        async with Sandbox(latency=0) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            with pytest.raises(ConfigurationError, match="variants"):
                async with venice.stream(attrs.evolve(fox, variants=2)):
                    pass
            async with venice.stream(attrs.evolve(fox, variants=1)) as image:
                assert [chunk async for chunk in image]
            assert sandbox.account.received == 1

    asyncio.run(main())


@pytest.mark.parametrize("how", ["task", "scope"])
def test_a_session_that_is_cancelled_while_it_closes_leaves_no_thread(fox, tmp_path, how):
    """Neither by a task's cancellation nor by a cancel scope around the block."""

    async def used(sandbox, cancel):
        async with plain(KEY, base_url=sandbox.url) as venice:
            await venice.save(fox, tmp_path / "a.webp")
            cancel()

    async def main():
        async with Sandbox(latency=0) as sandbox:
            if how == "scope":
                with anyio.CancelScope() as scope:
                    await used(sandbox, scope.cancel)
            else:
                task = asyncio.create_task(used(sandbox, lambda: asyncio.current_task().cancel()))
                await asyncio.wait([task])
        return [thread.name for thread in threading.enumerate() if thread.name.startswith("venice-async-")]

    assert asyncio.run(main()) == []


def test_a_call_that_waits_while_the_session_closes_is_not_sent(fox, until):
    """Not through a caller's own HTTP session either, which stays open."""

    async def main():
        async with (
            Sandbox(latency=0.2) as sandbox,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as theirs,
        ):
            async with plain(KEY, base_url=sandbox.url, concurrency=1, session=theirs) as venice:
                calls = [asyncio.create_task(venice.generate(fox)) for _ in range(3)]
                await until(lambda: sandbox.account.received)
            results = await asyncio.gather(*calls, return_exceptions=True)
            return [type(result) for result in results[1:]], sandbox.account.received

    assert asyncio.run(main()) == ([SessionStateError] * 2, 1)
