"""The sink of a purchase: parts that grow, are checked, and get their names from the journal."""

import asyncio
import io
from contextlib import asynccontextmanager

import pytest

from venice_async.errors import DecodeError, StorageError
from venice_async.gather import gather_generate
from venice_async.sandbox import Sandbox
from venice_async.session import VeniceSession
from venice_async.storage import files as storage_files
from venice_async.storage.journal import JournalReader, PurchaseSink, State, check_verification
from venice_async.storage.writer import WriterThread
from venice_async.wire.images import ImageBegins

from .by_hand import PRICE, fox, names, opened, rows, whole_answer


def namer(answer_id, image, images, image_format):
    return f"{answer_id}-{image}.{image_format}"


@asynccontextmanager
async def buying(directory, check=None):
    """A journal, and the sink of an attempt that is in flight."""
    writer = WriterThread()
    try:
        async with opened(directory) as journal:
            entry = await journal.enter(0, fox, keep_duplicates=True)
            _, descriptor = await journal.intend(entry.item, 7, PRICE, lost=False)
            yield journal, PurchaseSink(writer, journal, entry.item, 1, descriptor, namer, check)
    finally:
        await writer.close()


async def pour(sink, *contents, image_format="png"):
    for image, content in enumerate(contents):
        await sink.begin(ImageBegins(image, image_format))
        for start in range(0, len(content), 1000):
            await sink.write(content[start : start + 1000])


def parts(journal):
    return sorted(path.name for path in journal.parts.iterdir())


def run(body):
    return asyncio.run(body())


def test_images_are_parts_until_they_are_recorded_under_their_names(tmp_path, png_of):
    pictures = [png_of(5000), png_of(700_000)]

    async def body():
        async with buying(tmp_path) as (journal, sink):
            assert parts(journal) == ["1-1-0.part"]
            await pour(sink, *pictures)
            assert parts(journal) == ["1-1-0.part", "1-1-1.part"]
            assert names(tmp_path / "nowhere") == []
            saved = await sink.commit({**whole_answer(), "id": "a"})
            assert [path.name for path in saved.paths] == ["a-0.png", "a-1.png"]
            assert saved.sizes == (5000, 700_000)
            assert parts(journal) == []
            assert sink.whole

    run(body)
    assert [(tmp_path / name).read_bytes() for name in names(tmp_path)] == pictures
    assert [file.size for file in JournalReader(tmp_path).files()] == [5000, 700_000]


@pytest.mark.parametrize("begun", [False, True])
def test_what_is_discarded_leaves_no_part(tmp_path, png_of, begun):
    """Also where the first image had not begun: its part is there before it."""

    async def body():
        async with buying(tmp_path) as (journal, sink):
            if begun:
                await pour(sink, png_of(5000), png_of(300_000)[:280_000])
            await sink.discard()
            assert parts(journal) == []

    run(body)
    assert names(tmp_path) == []


@pytest.mark.parametrize("begun", [False, True])
def test_what_is_rejected_is_kept_apart(tmp_path, png_of, begun):
    async def body():
        async with buying(tmp_path) as (journal, sink):
            if begun:
                await pour(sink, png_of(5000)[:4000])
            kept = await sink.reject()
            assert [path.name for path in kept] == (["None-0.png"] if begun else [])
            assert parts(journal) == []

    run(body)
    assert names(tmp_path) == ([".venice/rejected/None-0.png"] if begun else [])


def test_a_whole_answer_stays_for_the_next_run_whatever_became_of_its_record(tmp_path, png_of):
    """Neither rejecting nor discarding touches it."""

    async def body():
        async with buying(tmp_path) as (journal, sink):
            await pour(sink, png_of(5000))

            async def refuse(_, __, complete, ___):
                complete()
                raise StorageError(28, "No space left on device")

            journal.keep = refuse
            with pytest.raises(StorageError):
                await sink.commit(whole_answer())
            assert sink.whole
            assert await sink.reject() == (journal.parts / "1-1-0.png",)
            await sink.discard()
            assert parts(journal) == ["1-1-0.png"]
        async with opened(tmp_path):
            pass

    run(body)
    assert rows(tmp_path, "state, spent") == [(State.DONE, PRICE)]
    assert names(tmp_path) == ["0.png"]


def test_a_check_that_fails_leaves_nothing_whole(tmp_path, png_of):
    """Where one image of an answer is refused, all of them are, and are kept apart."""
    seen = []

    def check(path):
        seen.append(path.name)
        if len(seen) == 2:
            raise DecodeError("no picture")

    async def body():
        async with buying(tmp_path, check) as (journal, sink):
            await pour(sink, png_of(5000), png_of(6000))
            with pytest.raises(DecodeError):
                await sink.commit(whole_answer())
            assert not sink.whole
            assert len(await sink.reject()) == 2
            assert parts(journal) == []

    run(body)
    assert seen == ["1-1-0.part", "1-1-1.part"]
    assert names(tmp_path) == [".venice/rejected/None-0.png", ".venice/rejected/None-1.png"]


def picture(image_format="webp"):
    """A picture with content."""
    image = pytest.importorskip("PIL.Image")
    made = io.BytesIO()
    image.radial_gradient("L").save(made, image_format)
    return made.getvalue()


def undecodable():
    """A picture with every mark of a PNG, whose pixels are damaged."""
    whole = bytearray(picture("png"))
    middle = whole.index(b"IDAT") + 8
    whole[middle : middle + 40] = bytes(40)
    return bytes(whole)


def gathered(into, content, **options):
    async def main():
        async with (
            Sandbox(latency=0, rpm=None, images=lambda _: content) as sandbox,
            VeniceSession("key", base_url=sandbox.url) as venice,
        ):
            report = await gather_generate(
                venice, "fox", seeds=[7], into=into, model="fluently-xl", **options
            )
            return report, [outcome async for outcome in report.failures()], sandbox.account

    return asyncio.run(main())


def test_a_picture_that_cannot_be_decoded_fails_is_billed_and_is_kept(tmp_path):
    """Its marks are whole, so that only `verify="decode"` sees it; it is not sent again."""
    for _ in range(2):
        report, (failure,), account = gathered(tmp_path, undecodable(), verify="decode")
        assert (report.generated, report.failed) == (0, 1)
        assert isinstance(failure.error, DecodeError)
        assert failure.billed
    assert account.received == 0
    assert names(tmp_path) == [".venice/rejected/00000_7_fox.png"]
    report, *_ = gathered(tmp_path / "trusting", undecodable())
    assert report.generated == 1


@pytest.mark.parametrize("image_format", ["webp", "png", "jpeg"])
def test_a_picture_that_can_be_decoded_is_taken(tmp_path, image_format):
    report, *_ = gathered(tmp_path, picture(image_format), verify="decode")
    report.raise_for_failures()


def test_checking_by_the_header_needs_no_check():
    assert check_verification("header") is None


def test_a_part_is_on_the_disk_before_it_is_called_whole(tmp_path, png_of, monkeypatch):
    """With a durability that survives a power cut; counted by the descriptors that are synced."""
    synced = []
    monkeypatch.setattr(storage_files.os, "fsync", synced.append)

    async def body(durability):
        writer = WriterThread()
        try:
            async with opened(tmp_path / durability, durability=durability) as journal:
                entry = await journal.enter(0, fox, keep_duplicates=True)
                _, descriptor = await journal.intend(entry.item, 7, PRICE, lost=False)
                sink = PurchaseSink(writer, journal, entry.item, 1, descriptor, namer, None)
                await pour(sink, png_of(5000))
                synced.clear()
                await sink.commit(whole_answer())
                return descriptor in synced
        finally:
            await writer.close()

    assert asyncio.run(body("power"))
    assert not asyncio.run(body("process"))
