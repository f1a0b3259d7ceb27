"""Images as files: pieces to the writer thread, names never overwritten, and a disk that is full."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from venice_async import VeniceSession, gather_generate
from venice_async.errors import OutputExistsError, StorageError
from venice_async.sandbox import Sandbox
from venice_async.storage.files import (
    FileSink,
    check_goal,
    check_no_images,
    name_for,
    prepare_directory,
)
from venice_async.storage.published import Published
from venice_async.storage.writer import WriterThread
from venice_async.wire.images import ImageBegins


def with_writer(main):
    """Run a coroutine function with a writer thread, which is closed in the end."""

    async def whole():
        writer = WriterThread()
        try:
            return await main(writer)
        finally:
            await writer.close()

    return asyncio.run(whole())


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# One answer's images


@pytest.mark.parametrize(
    "pieces",
    [[b"a"], [b"x" * 100_000] * 40, [b"y"] * 3000, [b"z" * 5_000_000], [b"", b"a", b""]],
    ids=["byte", "usual", "crumbs", "lump", "empty"],
)
def test_pieces_of_any_size_make_the_same_file(tmp_path, pieces):
    """In their order, whole, and with the size that is reported."""

    async def main(writer):
        sink = FileSink(writer, Published(tmp_path), partial(name_for, Path("a.png")))
        await sink.begin(ImageBegins(0, "png"))
        for piece in pieces:
            await sink.write(piece)
        assert [name for name in names(tmp_path) if not name.startswith(".")] == []
        return await sink.commit({"id": "x", "request": {"prompt": "long"}})

    saved = with_writer(main)
    assert saved.path.read_bytes() == b"".join(pieces)
    assert saved.sizes == (len(b"".join(pieces)),)
    assert (saved.id, saved.request) == ("x", None)
    assert names(tmp_path) == ["a.png"]


def test_a_writer_that_writes_less_than_asked_is_asked_again(tmp_path, monkeypatch):
    """As a disk may: nothing is lost and nothing doubled."""
    real = os.writev
    monkeypatch.setattr(os, "writev", lambda descriptor, pieces: real(descriptor, [bytes(pieces[0])[:7]]))

    async def main(writer):
        sink = FileSink(writer, Published(tmp_path), partial(name_for, Path("a.png")))
        await sink.begin(ImageBegins(0, "png"))
        for number in range(50):
            await sink.write(b"%d " % number * 5)
        return await sink.commit({})

    expected = b"".join(b"%d " % number * 5 for number in range(50))
    assert with_writer(main).path.read_bytes() == expected


@pytest.mark.parametrize(("jobs", "pieces"), [(1, 2), (8, 1)])
def test_only_one_piece_of_an_answer_is_on_its_way(tmp_path, jobs, pieces):
    """A slow disk holds the reader back: it collects one more piece, and none behind many others."""
    go = threading.Event()

    async def main(writer):
        blocked = asyncio.gather(*(writer.submit(go.wait) for _ in range(jobs)))
        sink = FileSink(writer, Published(tmp_path), partial(name_for, Path("a.png")), 4 * 65536)
        await sink.begin(ImageBegins(0, "png"))
        taken = 0

        async def pour():
            nonlocal taken
            for _ in range(200):
                await sink.write(b"x" * 65536)
                taken += 65536

        pouring = asyncio.create_task(pour())
        for _ in range(1000):
            await asyncio.sleep(0)
        held = taken
        go.set()
        await asyncio.gather(blocked, pouring)
        await sink.commit({})
        return held

    assert pieces * 4 * 65536 - 65536 <= with_writer(main) <= pieces * 4 * 65536
    assert (tmp_path / "a.png").stat().st_size == 200 * 65536


@pytest.mark.parametrize("pieces", [0, 1, 100])
def test_what_is_discarded_leaves_nothing(tmp_path, pieces):
    """Whether or not the file had been begun on the disk."""

    async def main(writer):
        sink = FileSink(writer, Published(tmp_path), partial(name_for, Path("a.png")))
        for image in range(2):
            await sink.begin(ImageBegins(image, "png"))
            for _ in range(pieces):
                await sink.write(b"x" * 65536)
        await sink.discard()

    with_writer(main)
    assert names(tmp_path) == []


def test_what_is_rejected_is_kept_apart(tmp_path):
    """Under .venice/rejected, an unknown format as .bin, and no name is used twice."""

    async def main(writer):
        kept = []
        for _ in range(2):
            sink = FileSink(writer, Published(tmp_path), partial(name_for, Path("a")))
            for image, image_format in enumerate(("png", None)):
                await sink.begin(ImageBegins(image, image_format))
                await sink.write(b"x" * 10)
            kept += await sink.reject()
        return kept

    kept = with_writer(main)
    assert names(tmp_path) == [
        f".venice/rejected/{name}" for name in ("a-0-2.png", "a-0.png", "a-1-2.bin", "a-1.bin")
    ]
    assert sorted(map(str, kept)) == sorted(str(tmp_path / name) for name in names(tmp_path))


def test_a_failing_disk_is_a_storage_error_and_leaves_nothing(tmp_path):
    """The operating system's number and path are in it."""
    place = tmp_path / "gone"

    async def main(writer):
        sink = FileSink(writer, Published(place), partial(name_for, Path("a.png")))
        await sink.begin(ImageBegins(0, "png"))
        await sink.write(b"x" * 1_000_000)
        with pytest.raises(StorageError) as caught:
            await sink.write(b"x" * 1_000_000)
        await sink.discard()
        return caught.value

    error = with_writer(main)
    assert error.errno == errno.ENOENT
    assert str(place) in str(error)
    assert isinstance(error, OSError)


# Directories


@pytest.mark.parametrize("name", ["a.png", "deep/b.JPG", "deep/er/c.webp", "d.jpeg"])
def test_a_directory_with_images_is_refused(tmp_path, name):
    """With the first that was found in the message."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"mine")
    with pytest.raises(OutputExistsError, match=path.name):
        check_no_images(tmp_path)


def test_a_directory_with_other_files_is_taken(tmp_path):
    """Notes, our own hidden folder, and hidden files do not matter."""
    (tmp_path / "notes.txt").write_bytes(b"mine")
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / ".venice" / "rejected").mkdir(parents=True)
    (tmp_path / ".venice" / "rejected" / "a.png").write_bytes(b"")
    prepare_directory(tmp_path)
    check_no_images(tmp_path)
    prepare_directory(tmp_path / "new" / "one")
    assert (tmp_path / "new" / "one").is_dir()


def test_a_directory_that_cannot_be_made_is_a_storage_error(tmp_path):
    """Because it is a file, or lies below one."""
    (tmp_path / "file").write_bytes(b"")
    for place in ("file", "file/deeper"):
        with pytest.raises(StorageError):
            prepare_directory(tmp_path / place)


def test_a_free_goal_is_accepted(tmp_path):
    """And nothing is made of it yet."""
    check_goal(tmp_path / "a.webp")
    check_goal(tmp_path / "a")
    assert names(tmp_path) == []


# The writer thread


def test_jobs_run_in_order_and_off_the_loop():
    """In one thread, which starts with the first of them and ends with the closing."""
    order = []

    async def main(writer):
        assert "venice-async-writer" not in {thread.name for thread in threading.enumerate()}
        jobs = [writer.submit(partial(order.append, number)) for number in range(500)]
        found = await writer.submit(threading.current_thread)
        await asyncio.gather(*jobs)
        assert found.name == "venice-async-writer"
        assert found is not threading.current_thread()
        assert await writer.submit(threading.current_thread) is found

    with_writer(main)
    assert order == list(range(500))


def test_a_job_that_fails_fails_alone():
    """Its exception goes to whoever waits for it, and the thread goes on."""

    async def main(writer):
        broken = writer.submit(lambda: 1 / 0)
        after = writer.submit(lambda: 7)
        with pytest.raises(ZeroDivisionError):
            await broken
        assert await after == 7

    with_writer(main)


def test_a_job_that_nobody_waits_for_runs_all_the_same():
    """What was submitted is done before the thread ends."""
    done = []

    async def main(writer):
        writer.submit(partial(done.append, 1)).cancel()
        writer.submit(partial(done.append, 2))

    with_writer(main)
    assert done == [1, 2]


def test_after_the_thread_has_ended_cleaning_up_still_works(tmp_path):
    """A call that the closing cut off can delete its file."""
    path = tmp_path / "x.part"
    path.write_bytes(b"x")

    async def main():
        writer = WriterThread()
        assert await writer.submit(lambda: 1) == 1
        await writer.close()
        await writer.submit(path.unlink)
        await writer.close()

    asyncio.run(main())
    assert not path.exists()


# A full disk

_FULL = """
import asyncio, resource, signal, sys
from venice_async import ImageRequest, VeniceSession, gather_generate
from venice_async.errors import StorageError

async def main(url, into, limit):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    async with VeniceSession("key", base_url=url, concurrency=2) as venice:
        try:
            await venice.save(ImageRequest("a fox", model="fluently-xl"), f"{into}/a.png")
        except StorageError as exc:
            print("save", exc.errno)
        request = ImageRequest("a fox", model="fluently-xl")
        report = await gather_generate(venice, request, seeds=range(50), into=f"{into}/b")
        print("stopped", type(report.stopped).__name__, report.stopped.errno)
        print("counts", report.generated, report.failed >= 1, report.pending > 40)
        async for outcome in report.failures():
            print("billed", outcome.billed)
        print("in flight", venice._pool.in_flight)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@pytest.mark.parametrize(
    ("size", "limit"), [(3_000_000, 1_000_000), (240_000, 230_000)], ids=["while-coming", "at-the-end"]
)
def test_a_full_disk_is_a_storage_error_and_stops_a_batch(tmp_path, size, limit, png_of):
    """Whether it is met while the image comes in or with its last piece: no part of a file stays."""
    with Sandbox(latency=0, rpm=None, images=png_of(size)) as sandbox:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", _FULL, sandbox.url, str(tmp_path), str(limit)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[:3] == [
        f"save {errno.EFBIG}",
        f"stopped StorageError {errno.EFBIG}",
        "counts 0 True True",
    ]
    assert set(lines[3:-1]) == {"billed True"}
    assert lines[-1] == "in flight 0"
    assert [
        name for name in names(tmp_path) if not name.startswith(("b/.venice/journal", "b/.venice/lock"))
    ] == []


def test_an_image_whose_name_cannot_be_made_is_kept(tmp_path):
    """A file stands where a folder of the name should go: the picture was paid for, and stays."""
    (tmp_path / "out" / "fox").parent.mkdir()
    (tmp_path / "out" / "fox").write_bytes(b"mine")

    async def main():
        async with Sandbox(latency=0) as sandbox, VeniceSession("key", base_url=sandbox.url) as venice:
            return await gather_generate(
                venice, "fox", seeds=[7], into=tmp_path / "out", name="{prompt}/{seed}", model="fluently-xl"
            )

    report = asyncio.run(main())
    assert (report.generated, report.failed) == (0, 1)
    assert report.stopped is None
    (error,) = report.errors
    assert isinstance(error, StorageError)
    (kept,) = (tmp_path / "out" / ".venice" / "parts").iterdir()
    assert str(kept) in "".join(error.__notes__)
    assert kept.read_bytes().startswith(b"RIFF")
    assert (tmp_path / "out" / "fox").read_bytes() == b"mine"
