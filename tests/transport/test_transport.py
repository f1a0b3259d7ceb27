"""The transport on real sockets: what is sent, what comes back, and what a broken wire means for money."""

from __future__ import annotations

import asyncio
import base64
import gzip
import logging
import pickle
import socket
import threading
import traceback
from collections.abc import Mapping
from functools import partial

import aiohttp
import attrs
import brotli
import pytest

import venice_async
from venice_async import (
    ImageRequest,
    Inpaint,
    RequestTimeoutError,
    StatusError,
    Timeouts,
    UnconfirmedError,
    VeniceError,
    VeniceSession,
)
from venice_async.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConnectError,
    DecodeError,
    NotFoundError,
    PayloadTooLargeError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    ServerError,
    SessionStateError,
    TransportError,
    UnconfirmedTimeoutError,
    UnprocessableEntityError,
    UnsupportedMediaTypeError,
)
from venice_async.policy.retry import RetryPolicy
from venice_async.sandbox import Fault, Sandbox
from venice_async.session import reception
from venice_async.transport import sending
from venice_async.wire.inflate import make_inflater

# One attempt, at once: what waits and repeats is tested elsewhere.
plain = partial(VeniceSession, rate_limit=None, retry=RetryPolicy(attempts=1), guard=None)

KEY = "sk-Lighthouse-0042"


def pictures(json_answer, image):
    """A handler that answers every request of a connection with a picture."""

    async def handle(connection):
        while True:
            await connection.read_request()
            await connection.answer(json_answer(image), "application/json")

    return handle


async def silent(connection):
    """A handler that takes a request and never answers."""
    await connection.read_request()
    await connection.hang()


# What is sent


def test_a_request_says_who_asks_and_wants_no_compression(fox):
    """A purchase carries our User-Agent, JSON, and asks for an answer that is not compressed."""

    async def main():
        async with Sandbox(latency=0) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            await venice.generate(fox)
        return sandbox.requests[0]

    record = asyncio.run(main())
    assert record.method == "POST"
    assert record.path == "/api/v1/image/generate"
    assert record.headers["accept-encoding"] == "identity"
    assert record.headers["content-type"] == "application/json"
    assert record.headers["user-agent"].startswith(f"venice_async/{venice_async.__version__} ")


def test_the_key_goes_as_a_bearer_token(raw_server, json_answer, png, fox):
    """The key stands in one header and nowhere else in the request."""

    async def main():
        async with raw_server(pictures(json_answer, png)) as server:
            async with plain(KEY, base_url=server.url) as venice:
                await venice.generate(fox)
            return bytes(server.received[0])

    sent = asyncio.run(main())
    assert f"\r\nAuthorization: Bearer {KEY}\r\n".encode() in sent
    assert sent.count(KEY.encode()) == 1


def test_the_catalogue_may_be_compressed():
    """GET requests accept gzip, and what comes is understood."""

    async def main():
        async with Sandbox() as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            assert await venice.styles()
        return sandbox.requests[0]

    assert asyncio.run(main()).headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("compression", ["gzip", "br"])
def test_an_answer_is_compressed_if_that_was_chosen(fox, png, compression):
    """It is asked for and inflated, in a thread that is not the loop's; a picture comes as it is."""
    threads = set()

    def watched(encoding):
        inflater = make_inflater(encoding)
        real, name = inflater.inflate, encoding

        def inflate(data, limit):
            threads.add((name, threading.current_thread() is threading.main_thread()))
            return real(data, limit)

        inflater.inflate = inflate
        return inflater

    async def main(monkeypatch):
        monkeypatch.setattr("venice_async.transport.exchange.make_inflater", watched)
        async with (
            Sandbox(latency=0, images=png) as sandbox,
            plain(KEY, base_url=sandbox.url, compression=compression) as venice,
        ):
            answer = await venice.generate(fox)
            picture = await venice.generate(attrs.evolve(fox, return_binary=True))
        return sandbox.requests, answer, picture

    with pytest.MonkeyPatch.context() as monkeypatch:
        requests, answer, picture = asyncio.run(main(monkeypatch))
    assert {record.headers["accept-encoding"] for record in requests} == {compression}
    assert answer.image.data == picture.image.data == png
    assert threads == {(compression, False)}


def answering(body, encoding, status="200 OK"):
    """A handler that says its JSON is encoded in some way."""

    async def handle(connection):
        await connection.read_request()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Encoding: {encoding}\r\n"
        await connection.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await connection.hang()

    return handle


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_compressed_answer_that_ends_early_is_unconfirmed(raw_server, json_answer, png, fox, encoding):
    """Though the body is as long as its head says."""
    body = {"gzip": gzip.compress, "br": brotli.compress}[encoding](json_answer(png))

    async def main():
        async with (
            raw_server(answering(body[:-20], encoding)) as server,
            plain(KEY, base_url=server.url, compression=encoding) as venice,
        ):
            with pytest.raises(UnconfirmedError, match="ends early"):
                await venice.generate(fox)

    asyncio.run(main())


def test_a_refusal_counts_however_it_is_encoded(raw_server, fox):
    """A body that nobody can read changes nothing about the status."""

    async def main():
        async with (
            raw_server(answering(b"whatever", "zstd", "402 Payment Required")) as server,
            plain(KEY, base_url=server.url) as venice,
        ):
            with pytest.raises(StatusError) as caught:
                await venice.generate(fox)
        return caught.value.status

    assert asyncio.run(main()) == 402


def test_a_compression_that_the_api_does_not_know_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="compression='zstd': expected gzip or br"):
        plain(KEY, compression="zstd")


@pytest.mark.parametrize("tail", ["", "/", "//"])
def test_a_slash_at_the_end_of_the_base_url_changes_nothing(tail, fox):
    """The path is the same with and without it."""

    async def main():
        async with Sandbox(latency=0) as sandbox, plain(KEY, base_url=sandbox.url + tail) as venice:
            await venice.generate(fox)
        return sandbox.requests[0].path

    assert asyncio.run(main()) == "/api/v1/image/generate"


@pytest.mark.parametrize(
    "url",
    [
        *("api.venice.ai", "ftp://api.venice.ai/v1", "http://", "http://[::1", "http://host:99999/", "//x/y"),
        *("/", "http://a..b/", f"http://{'a' * 64}.ai/"),
    ],
)
def test_a_base_url_that_is_none_is_refused(url):
    """Before anything is opened, with the URL in the message."""
    with pytest.raises(ConfigurationError, match="base_url"):
        plain(KEY, base_url=url)


# What comes back


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_a_picture_comes_back(run, binary):
    """The same over asyncio's own loop and uvloop, as JSON and as raw bytes."""

    async def main():
        async with Sandbox(latency=0) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            request = ImageRequest("a fox", model="fluently-xl", width=64, height=64, return_binary=binary)
            return await venice.generate(request)

    answer = run(main())
    assert answer.image.format == "webp"
    assert answer.image.data[8:12] == b"WEBP"


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("size", [1, 7, 4096, 300_000])
def test_pieces_of_any_size_give_the_same_picture(raw_server, json_answer, png, fox, size, chunked):
    """However the answer is cut on its way, the image is whole."""
    image = png * (1 if size == 1 else 200)
    body = json_answer(image)

    async def handle(connection):
        await connection.read_request()
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
        await connection.send(
            f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{length}\r\n\r\n".encode()
        )
        for start in range(0, min(len(body), 3000 * size), size):
            piece = body[start : start + size] if start + size < 3000 * size else body[start:]
            await connection.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        await connection.send(b"0\r\n\r\n" if chunked else b"")
        await connection.hang()

    async def main():
        async with raw_server(handle) as server, plain(KEY, base_url=server.url) as venice:
            return await venice.generate(fox)

    assert asyncio.run(main()).image.data == image


STATUSES = [
    (400, BadRequestError, None),
    (401, AuthenticationError, None),
    (402, PaymentRequiredError, None),
    (403, PermissionDeniedError, None),
    (404, NotFoundError, None),
    (413, PayloadTooLargeError, None),
    (415, UnsupportedMediaTypeError, None),
    (418, StatusError, None),
    (422, UnprocessableEntityError, None),
    (429, RateLimitError, None),
    (500, ServerError, "INFERENCE_FAILED"),
    (503, ServerError, "MODEL_AT_CAPACITY"),
    (521, ServerError, None),
]


@pytest.mark.parametrize(("status", "kind", "code"), STATUSES)
def test_an_error_status_is_its_error(status, kind, code, fox):
    """With the status, the API's code where it has one, and the id that support asks for."""

    async def main():
        async with Sandbox(latency=0, faults=[(Fault(status), 1)]) as sandbox:
            async with plain(KEY, base_url=sandbox.url) as venice:
                with pytest.raises(StatusError) as caught:
                    await venice.generate(fox)
                await venice.generate(fox)  # the connection and the place are free again
            return caught.value

    error = asyncio.run(main())
    assert type(error) is kind
    assert (error.status, error.code) == (status, code)
    assert error.request_id.endswith("-SBX")


@pytest.mark.parametrize("status", [502, 504, 505, 520, 524, 599])
@pytest.mark.parametrize("html", [False, True], ids=["json", "html"])
def test_a_proxys_error_leaves_the_purchase_unconfirmed(status, html, fox):
    """The origin may have done the work: the error says so, and keeps what the proxy said."""

    async def main():
        async with Sandbox(latency=0, faults=[Fault(status, html=html)]) as sandbox:
            async with plain(KEY, base_url=sandbox.url) as venice:
                with pytest.raises(UnconfirmedError) as caught:
                    await venice.generate(fox)
            return caught.value

    error = asyncio.run(main())
    assert error.status == status
    assert isinstance(error.__cause__, ServerError)
    assert html or error.request_id.endswith("-SBX")


def test_an_error_whose_body_breaks_off_is_still_that_error(raw_server, fox):
    """The status alone says what became of the request."""

    async def handle(connection):
        await connection.read_request()
        head = (
            b"HTTP/1.1 402 Payment Required\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
        )
        await connection.send(head + b'{"error":')

    async def main():
        async with raw_server(handle) as server, plain(KEY, base_url=server.url) as venice:
            with pytest.raises(PaymentRequiredError):
                await venice.generate(fox)

    asyncio.run(main())


def test_an_endless_error_body_is_read_to_a_bound(raw_server, fox):
    """A page of error that never ends does not hold the call."""

    async def handle(connection):
        await connection.read_request()
        await connection.send(b"HTTP/1.1 503 Down\r\nContent-Type: text/html\r\n\r\n")
        while True:
            await connection.send(b"<p>down</p>" * 1000)

    async def main():
        async with raw_server(handle) as server, plain(KEY, base_url=server.url) as venice:
            with pytest.raises(ServerError, match="503"):
                await venice.generate(fox)

    asyncio.run(main())


def test_an_error_body_that_drips_does_not_hold_the_call(raw_server, fox, monkeypatch):
    """What came of it in a few seconds is taken for the whole."""
    monkeypatch.setattr(reception, "_ERROR_SECONDS", 0.3)

    async def handle(connection):
        await connection.read_request()
        head = b"HTTP/1.1 500 Oh\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\nwait"
        await connection.send(head)
        while True:
            await connection.send(b".")
            await asyncio.sleep(0.02)

    async def main():
        async with raw_server(handle) as server, plain(KEY, base_url=server.url) as venice:
            with pytest.raises(ServerError, match=r"wait\.*"):
                await venice.generate(fox)

    asyncio.run(main())


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
)
def test_a_redirect_is_not_followed(raw_server, fox, status):
    """Neither the purchase nor a look at the catalogue, nor the key, goes to another server."""

    async def main():
        async with raw_server(silent) as other:

            async def handle(connection):
                while True:
                    await connection.read_request()
                    await connection.answer(
                        b"", status=status, headers=f"Location: {other.url}/image/generate\r\n"
                    )

            async with raw_server(handle) as server, plain(KEY, base_url=server.url) as venice:
                with pytest.raises(RedirectError) as caught:
                    await venice.generate(fox)
                with pytest.raises(RedirectError):
                    await venice.models()
            assert other.connections == 0
            return caught.value

    assert asyncio.run(main()).status == int(status[:3])


# Broken wires


def test_a_refused_connection_is_a_connect_error(fox):
    """Nothing was sent, and the error is an OSError of its kind, too."""

    async def main():
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening
            url = f"http://127.0.0.1:{taken.getsockname()[1]}/api/v1"
            async with plain(KEY, base_url=url) as venice:
                for call in (venice.generate(fox), venice.styles()):
                    with pytest.raises(ConnectError) as caught:
                        await call
                    assert isinstance(caught.value, ConnectionError)

    asyncio.run(main())


@pytest.mark.parametrize(
    "fault",
    [
        Fault(reset="before"),
        Fault(reset="headers"),
        Fault(reset="body"),
        Fault(truncated=True),
        Fault(truncated=True, chunked=True),
        Fault(reset="body", chunked=True),
    ],
    ids=repr,
)
@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_an_answer_that_breaks_off_is_unconfirmed(run, fault, binary):
    """The request was sent and billed: no break may be taken for a failure."""

    async def main():
        async with Sandbox(latency=0, faults=[fault]) as sandbox:
            async with plain(KEY, base_url=sandbox.url) as venice:
                with pytest.raises(UnconfirmedError) as caught:
                    await venice.generate(
                        ImageRequest("x", model="fluently-xl", width=64, return_binary=binary)
                    )
                assert sandbox.account.received == sandbox.account.billed == 1
                await venice.generate(ImageRequest("x", model="fluently-xl", width=64))
            return caught.value

    error = run(main())
    assert isinstance(error, TransportError)
    assert not isinstance(error, RequestTimeoutError | ConnectError)


def test_a_catalogue_that_breaks_off_is_a_transport_error(raw_server):
    """What costs nothing cannot be unconfirmed."""

    async def handle(connection):
        await connection.read_request()
        await connection.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )

    async def main():
        async with raw_server(handle) as server, plain(KEY, base_url=server.url) as venice:
            with pytest.raises(TransportError) as caught:
                await venice.styles()
            return caught.value

    assert type(asyncio.run(main())) is TransportError


def large_request(size=12 * 1024 * 1024):
    inpaint = Inpaint(strength=50, source_image_base64=base64.b64encode(bytes(size)).decode())
    return ImageRequest("a fox", model="fluently-xl", inpaint=inpaint)


def test_a_request_cut_while_it_was_sent_is_not_unconfirmed(run, raw_server):
    """A body whose last byte was not handed over cannot have been carried out."""

    async def handle(connection):
        came = 0
        while came < 100_000:
            came += len(await connection.read_some())
        connection.reset()

    async def main():
        async with (
            raw_server(handle, receive_buffer=65536) as server,
            plain(KEY, base_url=server.url) as venice,
        ):
            with pytest.raises(ConnectError):
                await venice.generate(large_request())
            assert venice._pool.in_flight == 0

    run(main())


def test_a_server_that_takes_no_more_of_a_request_is_a_timeout(raw_server):
    """Each step of sending is bounded by `connect`, and nothing was carried out."""

    async def handle(connection):
        await connection.read_some()
        await asyncio.sleep(3600)

    async def main():
        async with (
            raw_server(handle, receive_buffer=65536) as server,
            plain(KEY, base_url=server.url, timeouts=Timeouts(connect=0.5)) as venice,
        ):
            with pytest.raises(RequestTimeoutError):
                await venice.generate(large_request())

    asyncio.run(main())


def test_a_refusal_while_a_large_request_is_being_sent_is_that_refusal():
    """A 413 that comes before the body has been read is a PayloadTooLargeError."""

    async def main():
        async with (
            Sandbox(latency=0, max_body=1000) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            with pytest.raises(PayloadTooLargeError):
                await venice.generate(large_request())

    asyncio.run(main())


def test_a_large_request_arrives_whole(png_of):
    """Sixteen megabytes of body come out at the other end as they went in."""
    sizes = []

    def paint(body):
        sizes.append(len(body["inpaint"]["source_image_base64"]))
        return png_of(100)

    async def main():
        async with (
            Sandbox(latency=0, profile="2025", images=paint) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            await venice.generate(large_request())

    asyncio.run(main())
    assert sizes == [16 * 1024 * 1024]


# Time


def test_connecting_has_a_time_limit(raw_server, fox):
    """A handshake that does not end: nothing was sent."""

    async def handle(connection):
        await connection.hang()

    async def main():
        async with raw_server(handle) as server:
            url = server.url.replace("http:", "https:")
            async with plain(KEY, base_url=url, timeouts=Timeouts(connect=0.1)) as venice:
                with pytest.raises(RequestTimeoutError) as caught:
                    await venice.generate(fox)
                assert isinstance(caught.value, TimeoutError)

    asyncio.run(main())


async def stops_in_the_middle(connection):
    await connection.read_request()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
    await connection.send(head + b'{"images": ["')
    await connection.hang()


async def never_ends(connection):
    await connection.read_request()
    await connection.send(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"images": [')
    while True:
        await connection.send(b" ")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("way", ["generate", "stream"])
@pytest.mark.parametrize(
    ("handle", "timeouts"),
    [
        (silent, Timeouts(first_byte=0.1)),
        (silent, Timeouts(first_byte=3600, total=0.3)),
        (stops_in_the_middle, Timeouts(first_byte=3600, between_bytes=0.1)),
        (stops_in_the_middle, Timeouts(first_byte=3600, between_bytes=3600, total=0.3)),
        (never_ends, Timeouts(first_byte=3600, total=1)),
    ],
    ids=["first_byte", "total before the head", "between_bytes", "total in the body", "total, always more"],
)
def test_a_time_out_after_sending_is_unconfirmed_and_a_time_out(run, raw_server, fox, handle, timeouts, way):
    """Whichever limit it is: the purchase may have been carried out."""

    async def main():
        async with raw_server(handle) as server, plain(KEY, base_url=server.url, timeouts=timeouts) as venice:
            if way == "generate":
                await venice.generate(fox)
            async with venice.stream(fox) as image:
                async for _ in image:
                    pass

    with pytest.raises(UnconfirmedTimeoutError) as caught:
        run(main())
    assert isinstance(caught.value, UnconfirmedError)
    assert isinstance(caught.value, TimeoutError)


def test_what_is_lost_after_sending_for_another_reason_is_no_time_out(run, raw_server, fox):
    async def handle(connection):
        await connection.read_request()

    async def main():
        async with raw_server(handle) as server, plain(KEY, base_url=server.url) as venice:
            await venice.generate(fox)

    with pytest.raises(UnconfirmedError) as caught:
        run(main())
    assert not isinstance(caught.value, TimeoutError)


def test_an_answer_in_drops_is_not_cut_by_the_gap_limit(raw_server, json_answer, png, fox):
    """Only the gap counts, not the whole: slow and steady arrives."""
    body = json_answer(png)

    async def handle(connection):
        await connection.read_request()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        await connection.send(head.encode())
        for start in range(0, len(body), 100):
            await asyncio.sleep(0.05)
            await connection.send(body[start : start + 100])
        await connection.hang()

    async def main():
        timeouts = Timeouts(first_byte=1, between_bytes=1)
        async with (
            raw_server(handle) as server,
            plain(KEY, base_url=server.url, timeouts=timeouts) as venice,
        ):
            return await venice.generate(fox)

    assert len(body) > 20 * 100  # longer in all than either limit
    assert asyncio.run(main()).image.data == png


def test_a_reader_that_pauses_is_not_the_servers_silence(fox, png_of):
    """While the consumer of a stream does something else, the gap's clock does not run."""
    image = png_of(8_000_000)

    async def main():
        async with Sandbox(latency=0, images=image) as sandbox:
            timeouts = Timeouts(between_bytes=0.3)
            async with (
                plain(KEY, base_url=sandbox.url, timeouts=timeouts) as venice,
                venice.stream(fox) as stream,
            ):
                size = len(await anext(stream))
                await asyncio.sleep(1)
                async for chunk in stream:
                    size += len(chunk)
        return size

    assert asyncio.run(main()) == len(image)


def test_the_whole_call_has_a_time_limit_while_it_waits_for_a_place(fox, until):
    """Time that runs out in the queue is a RequestTimeoutError, and the server has seen nothing."""

    async def main():
        async with Sandbox(latency=3600) as sandbox:
            async with plain(KEY, base_url=sandbox.url, concurrency=1) as venice:
                first = asyncio.create_task(venice.generate(fox))
                await until(lambda: sandbox.account.received == 1)
                with pytest.raises(RequestTimeoutError) as caught:
                    await venice.generate(fox, timeout=0.05)
                assert sandbox.account.received == 1
                assert venice._pool.waiting == 0
                first.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await first
            return caught.value

    assert "nothing was sent" in str(asyncio.run(main()))


@pytest.mark.parametrize("timeout", [0.2, Timeouts(first_byte=0.1), Timeouts(total=0.2)], ids=repr)
def test_a_call_may_have_time_limits_of_its_own(raw_server, fox, timeout):
    """Seconds or `Timeouts`, for this call alone."""

    async def main():
        async with raw_server(silent) as server, plain(KEY, base_url=server.url) as venice:
            with pytest.raises(TransportError):
                await venice.generate(fox, timeout=timeout)
            assert venice.timeouts == Timeouts()

    asyncio.run(main())


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5", True])
def test_a_time_limit_that_is_none_is_refused(fox, timeout):
    """Before anything is sent."""

    async def main():
        async with Sandbox(latency=0) as sandbox, plain(KEY, base_url=sandbox.url) as venice:
            with pytest.raises(ConfigurationError):
                await venice.generate(fox, timeout=timeout)
        assert sandbox.account.received == 0

    asyncio.run(main())


# The key


def mentions(value, seen, depth=0):
    """Whether the key can be reached from a value."""
    if id(value) in seen or depth > 8:
        return False
    seen.add(id(value))
    if isinstance(value, str):
        return KEY in value
    if isinstance(value, bytes | bytearray):
        return KEY.encode() in value
    parts = []
    if isinstance(value, Mapping):
        parts += [part for pair in value.items() for part in pair]
    elif isinstance(value, list | tuple | set | frozenset):
        parts += value
    if isinstance(value, BaseException):
        parts += [value.__cause__, value.__context__, value.args]
    parts += list(getattr(value, "__dict__", {}).values())
    return any(mentions(part, seen, depth + 1) for part in parts)


def check_no_key(error):
    """The key is in no text, in no attribute and in no link of an exception's chain."""
    shown = [str(error), repr(error), *traceback.format_exception(error)]
    assert not any(KEY in text for text in shown)
    assert not mentions(error, set())
    assert KEY.encode() not in pickle.dumps(error)


GARBAGE = {
    "nothing": b"",
    "words": b"what do you want?\r\n\r\n",
    "status": b"HTTP/1.1 999999 Huh\r\n\r\n",
    "header": b"HTTP/1.1 200 OK\r\nthis is no header\r\n\r\n",
    "long": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: minus one\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    b"Content-Length: 4\r\n\r\nnope",
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_no_error_shows_the_key_to_whoever_reads_it(raw_server, fox, garbage):
    """A server that answers garbage gives errors of ours, unconfirmed, and the key is in none of them."""

    async def handle(connection):
        await connection.read_request()
        await connection.send(garbage)

    async def main():
        async with raw_server(handle) as server, plain(KEY, base_url=server.url) as venice:
            with pytest.raises((UnconfirmedError, DecodeError)) as purchase:
                await venice.generate(fox)
            with pytest.raises(VeniceError) as look:
                await venice.models()
            assert venice._pool.in_flight == 0
            return purchase.value, look.value

    for error in asyncio.run(main()):
        check_no_key(error)


def test_a_server_that_repeats_the_key_does_not_bring_it_into_the_error(raw_server, fox):
    """Neither into its text nor into the body that it carries."""

    async def handle(connection):
        await connection.read_request()
        body = f'{{"error": "no such key: {KEY}", "code": "AUTHENTICATION_FAILED"}}'
        await connection.answer(body.encode(), "application/json", "401 Unauthorized")

    async def main():
        async with raw_server(handle) as server, plain(KEY, base_url=server.url) as venice:
            with pytest.raises(AuthenticationError, match=r"no such key: \*\*\*") as caught:
                await venice.generate(fox)
        return caught.value

    check_no_key(asyncio.run(main()))


def test_a_proxys_password_is_not_in_the_error(raw_server, fox):
    """A proxy that refuses is named without it."""

    async def handle(connection):
        await connection.read_request()
        await connection.answer(b"", "text/plain", "407 Proxy Authentication Required")

    async def main():
        async with raw_server(handle) as server:
            proxy = f"http://user:canary@127.0.0.1:{server.port}"
            async with plain(KEY, base_url="https://api.invalid/v1", proxy=proxy) as venice:
                with pytest.raises(ConnectError, match="407") as caught:
                    await venice.generate(fox)
        return caught.value

    error = asyncio.run(main())
    assert "canary" not in str(error)
    check_no_key(error)


def test_the_key_is_in_no_log(raw_server, fox, caplog):
    """With every logger at DEBUG and asyncio in its debug mode, over good and bad answers."""
    caplog.set_level(logging.DEBUG)

    async def garbage(connection):
        await connection.read_request()
        await connection.send(b"garbage\r\n\r\n")

    async def main():
        async with (
            Sandbox(latency=0, faults=["401"]) as sandbox,
            plain(KEY, base_url=sandbox.url) as venice,
        ):
            with pytest.raises(AuthenticationError):
                await venice.generate(fox)
            await venice.generate(fox)
        async with raw_server(garbage) as server, plain(KEY, base_url=server.url) as venice:
            with pytest.raises(UnconfirmedError):
                await venice.generate(fox)

    asyncio.run(main(), debug=True)
    assert KEY not in caplog.text
    assert not any(mentions(record, set()) for record in caplog.records)


# Connections


def test_a_fresh_connection_is_used_again(raw_server, json_answer, png, fox, monkeypatch):
    """Calls one after the other need one connection."""
    monkeypatch.setattr(sending, "MAX_IDLE", 60.0)

    async def main():
        async with raw_server(pictures(json_answer, png)) as server:
            async with plain(KEY, base_url=server.url) as venice:
                for _ in range(5):
                    await venice.generate(fox)
            return server.connections

    assert asyncio.run(main()) == 1


def test_a_stale_connection_of_ours_is_not_used_again(raw_server, json_answer, png, fox, monkeypatch):
    """A connection that idled for longer than MAX_IDLE carries no purchase."""
    monkeypatch.setattr(sending, "MAX_IDLE", 0.2)

    async def main():
        async with raw_server(pictures(json_answer, png)) as server:
            async with plain(KEY, base_url=server.url) as venice:
                await venice.generate(fox)
                await asyncio.sleep(0.5)
                await venice.generate(fox)
            assert server.connections == 2
            assert all(bytes(sent).count(b"POST") == 1 for sent in server.received)

    asyncio.run(main())


def test_a_stale_connection_of_the_callers_is_not_used_again(
    run, raw_server, json_answer, png, fox, monkeypatch
):
    """However long the caller's own session keeps connections: each stale one is passed over unused."""
    monkeypatch.setattr(sending, "MAX_IDLE", 0.2)

    async def main():
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3600)
        async with (
            raw_server(pictures(json_answer, png)) as server,
            aiohttp.ClientSession(connector=connector) as theirs,
            plain(KEY, base_url=server.url, session=theirs, concurrency=4) as venice,
        ):
            await asyncio.gather(*(venice.generate(fox) for _ in range(4)))
            used = server.connections
            await asyncio.sleep(0.5)
            await venice.generate(fox)
            assert server.connections == used + 1
            assert [bytes(sent).count(b"POST") for sent in server.received[used:]] == [1]
            assert sum(bytes(sent).count(b"POST") for sent in server.received) == 5

    run(main())


def test_a_stream_whose_block_goes_on_after_its_end_leaves_no_stale_connection_behind(
    raw_server, json_answer, png, fox, monkeypatch
):
    """A connection idles from the end of its answer, not from the end of the block."""
    monkeypatch.setattr(sending, "MAX_IDLE", 0.2)

    async def main():
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3600)
        async with (
            raw_server(pictures(json_answer, png)) as server,
            aiohttp.ClientSession(connector=connector) as theirs,
            plain(KEY, base_url=server.url, session=theirs) as venice,
        ):
            async with venice.stream(fox) as image:
                async for _ in image:
                    pass
                await asyncio.sleep(0.5)
            await venice.generate(fox)
            return [bytes(sent).count(b"POST") for sent in server.received]

    assert asyncio.run(main()) == [1, 1]


def test_a_connection_that_idled_after_another_kind_of_request_is_stale_too(
    raw_server, json_answer, png, fox, monkeypatch
):
    """A look at the catalogue leaves no connection that a purchase could find too old."""
    monkeypatch.setattr(sending, "MAX_IDLE", 0.2)

    async def handle(connection):
        while True:
            head, _ = await connection.read_request()
            body = b'{"data": ["Anime"]}' if head.startswith(b"GET") else json_answer(png)
            await connection.answer(body, "application/json")

    async def main():
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3600)
        async with (
            raw_server(handle) as server,
            aiohttp.ClientSession(connector=connector) as theirs,
            plain(KEY, base_url=server.url, session=theirs) as venice,
        ):
            await venice.styles()
            await asyncio.sleep(0.5)
            await venice.generate(fox)
            return [bytes(sent).count(b"POST") for sent in server.received]

    assert asyncio.run(main()) == [0, 1]


def test_a_connection_that_the_server_closes_while_idle_costs_nothing(raw_server, json_answer, png, fox):
    """The next purchase goes out on a new one, and is not unconfirmed."""

    async def once(connection):
        await connection.read_request()
        await connection.answer(json_answer(png), "application/json")

    async def main():
        async with raw_server(once) as server, plain(KEY, base_url=server.url) as venice:
            for _ in range(3):
                await venice.generate(fox)
                await asyncio.sleep(0.1)
            return server.connections

    assert asyncio.run(main()) == 3


# A session of the caller's own


def test_the_callers_session_stays_open(fox):
    """It is the caller's to close."""

    async def main():
        async with Sandbox(latency=0) as sandbox:
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=connector) as theirs:
                async with plain(KEY, base_url=sandbox.url, session=theirs) as venice:
                    await venice.generate(fox)
                assert not theirs.closed
                async with theirs.get(f"{sandbox.url}/image/styles") as response:
                    assert response.status == 200

    asyncio.run(main())


@pytest.mark.parametrize("limits", [{"limit": 15}, {"limit": 0, "limit_per_host": 15}], ids=repr)
def test_a_session_that_carries_fewer_requests_than_places_is_refused(limits):
    """Requests would wait in it unseen; the message names the limit."""

    async def main():
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(**limits)) as theirs:
            with pytest.raises(ConfigurationError, match=r"15.*concurrency=16"):
                async with plain(KEY, session=theirs, base_url="http://127.0.0.1:9/"):
                    pass
            async with plain(KEY, session=theirs, base_url="http://127.0.0.1:9/", concurrency=15):
                pass

    asyncio.run(main())


def test_a_closed_session_is_refused():
    """On entering, before anything is sent."""

    async def main():
        theirs = aiohttp.ClientSession()
        await theirs.close()
        with pytest.raises(ConfigurationError, match="closed"):
            async with plain(KEY, session=theirs):
                pass

    asyncio.run(main())


@pytest.mark.parametrize("theirs", [True, False])
def test_whether_the_callers_session_decompresses_does_not_matter(fox, theirs):
    """Compressed answers are inflated here, whatever the caller's own requests are used to."""

    async def main():
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            Sandbox(latency=0) as sandbox,
            aiohttp.ClientSession(connector=connector, auto_decompress=theirs) as session,
            plain(KEY, base_url=sandbox.url, session=session, compression="gzip") as venice,
        ):
            assert (await venice.models())[0].id
            return await venice.generate(fox)

    assert asyncio.run(main()).image.format == "webp"


def test_a_request_that_the_callers_session_cannot_make_is_a_configuration_error(fox):
    """Such as one with a header that holds a line break; nothing is sent."""

    async def main():
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            Sandbox(latency=0) as sandbox,
            aiohttp.ClientSession(connector=connector, headers={"X-Note": "a\r\nb"}) as theirs,
            plain(KEY, base_url=sandbox.url, session=theirs) as venice,
        ):
            with pytest.raises(ConfigurationError, match="the request cannot be made"):
                await venice.generate(fox)
            assert sandbox.account.received == 0

    asyncio.run(main())


@pytest.mark.parametrize("ssl", ["x", None, 1])
def test_tls_settings_that_are_none_are_refused(ssl):
    """Before anything is opened."""
    with pytest.raises(ConfigurationError, match="ssl="):
        plain(KEY, ssl=ssl)


def test_a_session_closed_meanwhile_is_a_state_error(fox):
    """Whoever closes the caller's session under the library gets a plain answer."""

    async def main():
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as theirs,
            plain(KEY, session=theirs, base_url="http://127.0.0.1:9/") as venice,
        ):
            await theirs.close()
            with pytest.raises(SessionStateError):
                await venice.generate(fox)

    asyncio.run(main())


@pytest.mark.parametrize(
    "url", ["http://user:canary@127.0.0.1/x", "http://127.0.0.1/x?a=1", "http://127.0.0.1/x#a"]
)
def test_a_base_url_with_more_than_a_place_is_refused(url):
    """And what may be a password is not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        plain(KEY, base_url=url)
    assert "canary" not in str(caught.value)
