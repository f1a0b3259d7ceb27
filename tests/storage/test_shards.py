"""A job in shards: its mark, its receipts, and its directory as readers see it."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import re
import sqlite3
import threading
import time
import tracemalloc
from collections import Counter
from contextlib import closing

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from venice_async import VeniceSession
from venice_async.errors import ConfigurationError, JobChangedError, JournalError, OutputExistsError
from venice_async.gather import plan_generate, stream_retry
from venice_async.sandbox import Fault, Sandbox
from venice_async.storage.gallery.figures import read_figures
from venice_async.storage.journal import JournalReader, State
from venice_async.storage.journal.lock import DirectoryLock
from venice_async.storage.journal.schema import create
from venice_async.storage.shards import (
    Mark,
    Receipt,
    ShardedReader,
    audit_job,
    mark_sharded,
    open_job,
    read_mark,
    read_receipt,
    read_receipts,
    receipt_of,
    shard_directory,
    write_receipt,
)
from venice_async.storage.shards.layout import shard_name, shard_number
from venice_async.storage.shards.totals import seconds_at_work

from ..jobs import content, gathered
from ..killing import SMALL
from ..sharded import SIZE, WORKER, job_in_shards, receipt, recorded, requests_of, work

JOB = {"model": "fluently-xl", "name": "{index}"}
BEGUN = Receipt(shard=12, ended=False, began_at=5.0, worker=WORKER, host="here")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(latency=0, rpm=None) as running:
        yield running


@pytest.fixture(scope="module")
def job(sandbox, tmp_path_factory):
    """A job of five shards, of which three have ended; tests leave it as it is."""
    into = tmp_path_factory.mktemp("job") / "out"
    job_in_shards(sandbox, into)
    return into


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


# The mark


def test_a_mark_is_written_once_and_read_as_it_was(tmp_path):
    into = tmp_path / "deep" / "out"
    mark_sharded(into, 500, JOB)
    path = into / ".venice" / "shards.json"
    assert json.loads(path.read_bytes()) == {"version": 1, "shard_size": 500, "job": JOB}
    before = path.stat()
    mark_sharded(into, 500, JOB)
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert read_mark(into) == Mark(500, JOB)
    assert names_in(path.parent) == ["shards.json"]


def test_a_mark_keeps_what_traits_stood_for_at_first(tmp_path):
    """Also that they stood for nothing; a mark that was written before traits were kept has none."""
    first = {"default": "chroma"}
    for traits in (first, {"default": "venice-sd35"}, {}, None):
        assert mark_sharded(tmp_path / "out", 500, JOB, traits) == Mark(500, JOB, first)
    assert mark_sharded(tmp_path / "none", 500, JOB, {}).traits == {}
    mark_sharded(tmp_path / "old", 500, JOB)
    assert mark_sharded(tmp_path / "old", 500, JOB, first).traits is None


def test_another_job_or_another_size_is_told_with_what_differs(tmp_path):
    mark_sharded(tmp_path, 500, JOB)
    with pytest.raises(JobChangedError, match=r"shard_size was 500, and is 100\. Nothing was sent"):
        mark_sharded(tmp_path, 100, JOB)
    with pytest.raises(
        JobChangedError, match="model was fluently-xl, and is flux-dev; seeds was not set, and is 0-3"
    ):
        mark_sharded(tmp_path, 500, {**JOB, "model": "flux-dev", "seeds": "0-3"})
    assert read_mark(tmp_path) == Mark(500, JOB)


@pytest.mark.parametrize("size", [0, -1, True, 2.0, "500"])
def test_a_shard_holds_one_item_at_least(tmp_path, size):
    with pytest.raises(ConfigurationError, match="shard_size="):
        mark_sharded(tmp_path / "out", size, JOB)
    assert not (tmp_path / "out").exists()


def test_a_directory_that_holds_something_else_is_not_marked(sandbox, tmp_path):
    """Neither a job that is not in shards, nor images that nobody knows."""
    gathered(sandbox, tmp_path / "job", requests_of(0))
    with pytest.raises(ConfigurationError, match="holds a job that is not in shards"):
        mark_sharded(tmp_path / "job", 500, JOB)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "mine.png").write_bytes(b"mine")
    with pytest.raises(OutputExistsError, match="holds images already"):
        mark_sharded(tmp_path / "mine", 500, JOB)
    assert read_mark(tmp_path / "job") is read_mark(tmp_path / "mine") is None


def test_of_two_that_mark_a_directory_at_once_one_wins(tmp_path):
    """And the other one is told, unless it is of the same job."""
    for attempt in range(20):
        into = tmp_path / str(attempt)
        told = []
        gate = threading.Barrier(3)

        def mark(size, into=into, told=told, gate=gate):
            gate.wait()
            try:
                mark_sharded(into, size, JOB)
            except JobChangedError:
                told.append("changed")
            else:
                told.append(size)

        threads = [threading.Thread(target=mark, args=(size,)) for size in (7, 8, 7)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winner = read_mark(into).shard_size
        assert Counter(told) == {7: {winner: 2, "changed": 1}, 8: {winner: 1, "changed": 2}}[winner]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "damaged"),
        (b'{"version": 1, "shard_size": 5', "damaged"),
        (b"[]", "damaged"),
        (b'{"version": 1, "shard_size": 0, "job": {}}', "damaged"),
        (b'{"version": 1, "shard_size": true, "job": {}}', "damaged"),
        (b'{"version": 1, "shard_size": 5, "job": []}', "damaged"),
        (b'{"version": "1", "shard_size": 5, "job": {}}', "damaged"),
        (b'{"shard_size": 5, "job": {}}', "damaged"),
        (b'{"version": 1, "shard_size": 5, "job": {"a": 1}}', "damaged"),
        (b'{"version": 1, "shard_size": 5, "job": {}, "traits": []}', "damaged"),
        (b'{"version": 1, "shard_size": 5, "job": {}, "traits": {"default": 1}}', "damaged"),
        (b'{"version": 2}', "newer venice-async"),
    ],
)
def test_a_mark_that_cannot_be_read_is_an_error_that_names_it(tmp_path, content, error):
    """And never taken for none: its directory would be taken for another kind."""
    path = tmp_path / ".venice" / "shards.json"
    path.parent.mkdir()
    path.write_bytes(content)
    for read in (read_mark, open_job, lambda directory: mark_sharded(directory, 5, {})):
        with pytest.raises(JournalError, match=error) as caught:
            read(tmp_path)
        assert caught.value.filename == str(path)


# Where shards are


@given(st.integers(0, 10**7))
def test_a_shards_name_tells_its_number(number):
    """Five digits or more, one name for each."""
    assert re.fullmatch(r"\d{5}|[1-9]\d{5,}", shard_name(number))
    assert shard_number(shard_name(number)) == number


@pytest.mark.parametrize(
    "name",
    ["1", "0001", "000001", "-0001", "0000a", "00001.json", "\N{ARABIC-INDIC DIGIT ONE}" * 5, "", "00001\n"],
)
def test_what_is_no_shards_name_is_none(name):
    assert shard_number(name) is None


# Receipts


def test_a_receipt_is_read_as_it_was_written(tmp_path):
    """And one that is written anew takes the place of the one before."""
    full = attrs.evolve(
        BEGUN,
        ended=True,
        items=4,
        generated=2,
        skipped=1,
        failed=1,
        pending=0,
        images=3,
        bytes=3000,
        spent_usd=None,
        digest="ab" * 32,
        ended_at=6.5,
        stopped="402: \N{FOX FACE}",
    )
    for written in (BEGUN, full):
        write_receipt(tmp_path, written)
        assert read_receipt(tmp_path, 12) == written
    folder = tmp_path / ".venice" / "receipts"
    assert names_in(folder) == ["00012.json"]
    assert json.loads((folder / "00012.json").read_bytes()) == {"version": 1, **attrs.asdict(full)}
    assert read_receipt(tmp_path, 13) is None


def test_receipts_come_in_the_order_of_their_shards(tmp_path):
    """As numbers, beyond five digits as well; unfinished ones are nobody's."""
    assert list(read_receipts(tmp_path)) == []
    numbers = [100_000, 99_999, 0, 3]
    for number in numbers:
        write_receipt(tmp_path, attrs.evolve(BEGUN, shard=number))
    unfinished = tmp_path / ".venice" / "receipts" / ".00001.part"
    unfinished.write_bytes(b"{")
    assert [found.shard for found in read_receipts(tmp_path)] == sorted(numbers)
    unfinished.unlink()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("00012.json", lambda told: told[: len(told) // 2]),
        ("00012.json", lambda told: b""),
        ("00012.json", lambda told: b"[]"),
        ("00012.json", lambda told: b"\xff\xfe"),
        ("00012.json", lambda told: told.replace(b'"failed": 0', b'"failed": -1')),
        ("00012.json", lambda told: told.replace(b'"failed": 0', b'"failed": true')),
        ("00012.json", lambda told: told.replace(b'"ended": false', b'"ended": 0')),
        ("00012.json", lambda told: told.replace(b'"began_at": 5.0', b'"began_at": "5"')),
        ("00012.json", lambda told: told.replace(b'"spent_usd": 0.0', b'"spent_usd": -1')),
        ("00012.json", lambda told: told.replace(b'"failed": 0', b'"fail": 0')),
        ("00012.json", lambda told: told.replace(b'"worker": "worker-1"', b'"worker": 7')),
        ("00012.json", lambda told: told.replace(b'"version": 1', b'"version": 2')),
        ("00012.json", lambda told: told.replace(b'"version": 1,', b"")),
        ("00013.json", lambda told: told),
        ("12.json", lambda told: told),
        ("notes.txt", lambda told: told),
    ],
)
def test_a_receipt_that_is_torn_or_foreign_is_an_error_that_names_it(tmp_path, name, change):
    write_receipt(tmp_path, BEGUN)
    folder = tmp_path / ".venice" / "receipts"
    told = change((folder / "00012.json").read_bytes())
    (folder / "00012.json").unlink()
    (folder / name).write_bytes(told)
    mark_sharded(tmp_path, SIZE, JOB)
    reads = (
        lambda: list(read_receipts(tmp_path)),
        open_job(tmp_path).status,
        lambda: list(audit_job(tmp_path)),
    )
    for read in reads:
        with pytest.raises(JournalError) as caught:
            read()
        assert caught.value.filename == str(folder / name)


def test_a_reader_never_sees_half_a_receipt(tmp_path):
    """However often workers replace it meanwhile, and two of them at once."""
    write_receipt(tmp_path, BEGUN)
    over = threading.Event()

    def rewrite(worker):
        while not over.is_set():
            write_receipt(tmp_path, attrs.evolve(BEGUN, worker=worker * 500))

    threads = [threading.Thread(target=rewrite, args=(worker,)) for worker in "ab"]
    for thread in threads:
        thread.start()
    try:
        seen = {read_receipt(tmp_path, 12).worker for _ in range(500)}
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert seen <= {WORKER, "a" * 500, "b" * 500}
    assert names_in(tmp_path / ".venice" / "receipts") == ["00012.json"]


def test_a_receipt_is_made_from_a_shards_journal(job, tmp_path):
    """Its digest is over the images' own, in the order of the input."""
    told = receipt_of(shard_directory(job, 1), worker=WORKER, pending=0, host="here")
    images = list(JournalReader(job / "00001").images())
    digest = hashlib.sha256("".join(image.file.sha256 for image in images).encode()).hexdigest()
    expected = Receipt(
        shard=1,
        ended=True,
        items=4,
        generated=3,
        failed=1,
        pending=0,
        images=3,
        bytes=sum(image.file.size for image in images),
        spent_usd=0.03,
        digest=digest,
        began_at=told.began_at,
        ended_at=told.ended_at,
        worker=WORKER,
        host="here",
    )
    assert told == expected
    assert time.time() - 3600 < told.began_at < told.ended_at < time.time() + 1
    with pytest.raises(JournalError, match="such a name"):
        receipt_of(job, worker=WORKER)


def test_a_receipt_tells_what_came_in_the_last_run_from_what_came_before(sandbox, tmp_path):
    sandbox.script(Fault(422), when=lambda body: body["seed"] == 1, times=1)
    work(sandbox, tmp_path, 0)
    first = receipt(tmp_path, 0)
    work(sandbox, tmp_path, 0)
    second = receipt(tmp_path, 0)
    assert (first.generated, first.skipped, first.failed) == (3, 0, 1)
    assert (second.generated, second.skipped, second.failed) == (1, 3, 0)
    assert (second.items, second.images, second.spent_usd) == (4, 4, 0.04)
    assert second.began_at >= first.ended_at
    assert second.digest != first.digest


def test_a_shard_whose_worker_has_died_has_not_ended(sandbox, tmp_path):
    """Before its first run was recorded, or in the middle of it."""
    folder = tmp_path / "00000" / ".venice"
    folder.mkdir(parents=True)
    create(folder / "journal.sqlite3", JOB)
    told = receipt_of(folder.parent, worker=WORKER)
    assert (told.ended, told.items, told.began_at, told.ended_at) == (False, 0, 0.0, None)
    work(sandbox, tmp_path, 1)
    with (
        closing(sqlite3.connect(tmp_path / "00001" / ".venice" / "journal.sqlite3")) as connection,
        connection,
    ):
        connection.execute("UPDATE runs SET ended_at = NULL")
    told = receipt_of(tmp_path / "00001", worker=WORKER)
    assert (told.ended, told.items, told.generated, told.ended_at) == (False, 4, 4, None)


def test_a_shard_at_work_has_not_ended(sandbox, tmp_path):
    work(sandbox, tmp_path, 0)
    lock = DirectoryLock(tmp_path / "00000" / ".venice" / "lock", tmp_path)
    lock.take()
    try:
        told = receipt_of(tmp_path / "00000", worker=WORKER)
    finally:
        lock.release()
    assert (told.ended, told.ended_at, told.images) == (False, None, 4)


# What readers see


def test_what_is_no_job_in_shards_is_read_as_ever(sandbox, tmp_path):
    assert isinstance(open_job(tmp_path), JournalReader)
    with pytest.raises(JournalError, match="no batch was begun here"):
        open_job(tmp_path).status()


def test_counts_are_sums_over_the_shards(job):
    """Of those that have ended by their journals, of the others by their receipts."""
    status = open_job(job).status()
    assert (status.shard_size, status.shards, status.shards_ended) == (SIZE, 5, 3)
    assert (status.items, status.done, status.failed) == (16, 14, 1)
    assert (status.billed, status.unconfirmed, status.in_flight, status.pending) == (0, 0, 0, 0)
    assert (status.images, status.spent_usd, status.runs) == (14, 0.15, 1)
    assert (status.running, status.cut_off, status.stopped) == (False, True, None)
    assert status.job == read_mark(job).job == open_job(job).job()
    assert [(group.outcome, group.count) for group in status.failures] == [("failed", 1)]
    assert status.balance_usd < 100
    assert status.rate > 0


def test_items_are_counted_by_how_they_ended(job):
    reader = open_job(job)
    assert reader.count(State.DONE) == 14
    assert reader.count(State.FAILED, State.BILLED) == 1
    assert reader.count(State.UNCONFIRMED, State.SENT, State.PENDING) == 0


def test_images_come_in_the_order_of_the_whole_input(job):
    """With their shard's folder before their names, and their places in the whole."""
    images = list(open_job(job).images())
    expected = recorded(job)
    assert [image.file.name for image in images] == [name for name, _ in expected]
    assert [image.index for image in images] == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]
    assert [image.index for image in images] == [image.request.metadata["row"] for image in images]
    for image, (name, own) in zip(images, expected, strict=True):
        assert hashlib.sha256((job / name).read_bytes()).hexdigest() == image.file.sha256
        assert attrs.evolve(image, file=own.file, index=own.index) == own
        assert image.answer.paths == (job / name,)
    assert sorted(file.path for file in open_job(job).files()) == sorted(job / name for name, _ in expected)


def test_figures_are_those_of_all_shards(job):
    figures = read_figures(open_job(job))
    assert (figures.answers, figures.images, figures.spent_usd) == (11, 14, 0.15)
    assert figures.latency.count == figures.inference.count == 11
    assert [group.count for group in figures.failures] == [1]


def test_failures_of_several_shards_that_are_alike_are_one_group(sandbox, tmp_path):
    """The most frequent first; what stopped a shard is told with its name."""
    mark_sharded(tmp_path, SIZE, JOB)
    for number in range(3):
        work(sandbox, tmp_path, number, model="no-such-model" if number else "fluently-xl")
        receipt(tmp_path, number)
    write_receipt(
        tmp_path, Receipt(shard=3, ended=False, began_at=1.0, worker=WORKER, stopped="402: no credit")
    )
    status = open_job(tmp_path).status()
    (group,) = status.failures
    assert group.outcome == "pending"
    assert 2 <= group.count <= 8  # of each of the two shards, those that met the refusal
    assert status.failed == 0
    assert group.reason.startswith("NotFoundError 404")
    assert status.stopped.startswith("shard 00001: 404: ")


def test_what_a_stopped_shard_did_not_ask_for_is_pending(sandbox, tmp_path):
    """Until its batch is gone on with in its own directory, whatever its receipt says then."""
    mark_sharded(tmp_path, SIZE, JOB)
    gathered(sandbox, tmp_path / "00000", requests_of(0)[:1])
    receipt(tmp_path, 0, pending=3)
    status = open_job(tmp_path).status()
    assert (status.items, status.done, status.pending) == (1, 1, 3)
    work(sandbox, tmp_path, 0)
    status = open_job(tmp_path).status()
    assert (status.items, status.done, status.pending, status.runs) == (4, 4, 0, 2)


def test_spending_is_known_only_where_it_is_of_every_shard(job, sandbox, tmp_path):
    mark_sharded(tmp_path, SIZE, JOB)
    assert open_job(tmp_path).status().spent_usd == 0
    for number, spent in enumerate([0.1, 0.2, None]):
        write_receipt(tmp_path, attrs.evolve(BEGUN, shard=number, spent_usd=spent))
        assert open_job(tmp_path).status().spent_usd == [0.1, 0.3, None][number]


def test_the_rate_is_that_of_all_who_worked_at_once(sandbox, tmp_path):
    """And takes no account of the time in which nobody did."""
    mark_sharded(tmp_path, SIZE, JOB)
    for number, (began, ended) in enumerate([(0, 60), (30, 90), (10_000, 10_030)]):
        work(sandbox, tmp_path, number)
        receipt(tmp_path, number, began_at=began, ended_at=ended)
    assert open_job(tmp_path).status().rate == 12 / 2


def test_a_job_without_a_shard_has_nothing(tmp_path):
    mark_sharded(tmp_path, SIZE, JOB)
    reader = open_job(tmp_path)
    status = reader.status()
    assert (status.items, status.runs, status.shards, status.rate, status.balance_usd) == (0, 0, 0, 0.0, None)
    assert (status.running, status.cut_off) == (False, False)
    assert list(reader.images()) == list(reader.files()) == list(audit_job(tmp_path)) == []


def test_a_shard_whose_lock_is_held_is_at_work(sandbox, tmp_path):
    mark_sharded(tmp_path, SIZE, JOB)
    (tmp_path / "00002" / ".venice").mkdir(parents=True)
    reader = open_job(tmp_path)
    assert (reader.status().running, reader.status().cut_off) == (False, True)
    lock = DirectoryLock(tmp_path / "00002" / ".venice" / "lock", tmp_path)
    lock.take()
    try:
        assert (reader.status().running, reader.status().cut_off) == (True, False)
    finally:
        lock.release()


def test_the_age_of_a_job_tells_it_from_every_other(job, sandbox, tmp_path):
    """And does not change with the shards that end."""
    mark_sharded(tmp_path, SIZE, JOB)
    began = open_job(tmp_path).began_at()
    work(sandbox, tmp_path, 0)
    receipt(tmp_path, 0)
    assert open_job(tmp_path).began_at() == began != open_job(job).began_at()


def test_a_shard_that_has_ended_and_is_gone_is_an_error_that_names_it(sandbox, tmp_path):
    mark_sharded(tmp_path, SIZE, JOB)
    write_receipt(tmp_path, attrs.evolve(BEGUN, ended=True, ended_at=6.0))
    reader = open_job(tmp_path)
    for read in (reader.status, lambda: list(reader.images()), lambda: list(reader.files())):
        with pytest.raises(JournalError) as caught:
            read()
        assert caught.value.filename == str(tmp_path / "00012" / ".venice" / "journal.sqlite3")


def test_reading_changes_nothing(job):
    def everything():
        # What SQLite puts beside a journal that is read stays until the next one writes.
        return {name: data for name, data in content(job).items() if "sqlite3-" not in name}

    before = everything()
    reader = open_job(job)
    reader.status()
    list(reader.images())
    list(audit_job(job))
    assert everything() == before


def test_memory_does_not_grow_with_the_number_of_images(sandbox, tmp_path):
    """With the last of forty shards in hand no more is held than with the last of four."""
    mark_sharded(tmp_path, SIZE, JOB)
    work(sandbox, tmp_path, 0)
    receipt(tmp_path, 0)
    held = []
    for shards in (4, 40):
        for number in range(1, shards):
            (tmp_path / shard_name(number)).unlink(missing_ok=True)
            (tmp_path / shard_name(number)).symlink_to("00000")
            write_receipt(tmp_path, attrs.evolve(read_receipt(tmp_path, 0), shard=number))
        reader = open_job(tmp_path)
        tracemalloc.start()
        try:
            for image in reader.images():
                if image.index == shards * SIZE - 1:
                    gc.collect()
                    held.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
    assert held[1] < held[0] + 20_000


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 10)).map(lambda pair: (pair[0], sum(pair)))))
def test_time_at_work_counts_once_however_many_work(spans):
    """Against every moment by itself."""
    assert seconds_at_work(spans) == len({moment for span in spans for moment in range(*span)})


# Audits


def found(directory):
    return {finding.path: finding.verdict for finding in audit_job(directory)}


def test_an_audit_hashes_every_file_of_every_shard_that_has_ended(job):
    """With paths from the job's directory."""
    assert found(job) == {name: "intact" for name, _ in recorded(job)}


def test_an_audit_tells_what_is_wrong(sandbox, tmp_path):
    """Images at the top and in folders that are no shard's are foreign, those of shards at work are not."""
    job_in_shards(sandbox, tmp_path)
    intact = found(tmp_path)
    first, second, *_ = intact
    (tmp_path / first).unlink()
    (tmp_path / second).write_bytes(b"another")
    for name in ("mine.png", "00001/mine.png", "00007/mine.png", "pictures/mine.webp", "00003/new.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"mine")
    assert found(tmp_path) == {
        **intact,
        first: "missing",
        second: "altered",
        **dict.fromkeys(("mine.png", "00001/mine.png", "00007/mine.png", "pictures/mine.webp"), "foreign"),
    }


# What is not begun there


def test_no_batch_begins_where_shards_are(job, sandbox):
    """Nothing is sent, and nothing is left there."""
    before, received = content(job), sandbox.account.received
    told = "holds a job in shards. Nothing was sent; use venice_async.dask, or a shard's own directory"
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        gathered(sandbox, job, requests_of(0))

    async def others():
        async with VeniceSession("key", base_url=sandbox.url) as venice:
            with pytest.raises(ConfigurationError, match=re.escape(told)):
                await stream_retry(venice, job)
            with pytest.raises(ConfigurationError, match=re.escape(told)):
                await plan_generate(venice, "a fox", into=job, **SMALL)

    asyncio.run(others())
    assert content(job) == before
    assert sandbox.account.received == received


def test_a_shard_is_an_ordinary_directory(sandbox, tmp_path):
    """What failed in one is sent again there, and the whole knows of it."""
    job_in_shards(sandbox, tmp_path)
    assert open_job(tmp_path).status().failed == 1

    async def again():
        async with VeniceSession("key", base_url=sandbox.url) as venice:
            async with await stream_retry(venice, tmp_path / "00001") as outcomes:
                return [type(outcome).__name__ async for outcome in outcomes]

    assert asyncio.run(again()) == ["Generated"]
    reader = open_job(tmp_path)
    assert isinstance(reader, ShardedReader)
    assert (reader.status().failed, reader.status().done) == (0, 15)
    assert len(list(reader.images())) == 12
