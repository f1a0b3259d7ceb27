"""Records that queue while one group is committed share the next commit, and none suffers from another."""

import asyncio
import sqlite3
import threading
from functools import partial

import pytest

from venice_async.storage.journal.commit import GroupCommit, Record

PATIENCE = 10  # seconds until a test that hangs is called one that hangs


class Disk(GroupCommit):
    """A group commit over a table of numbers, which notes what SQLite was told."""

    def __init__(self, path, *, synced=True):
        self.told = []
        self.finished = 0
        super().__init__(synced=synced, before=self.note_before, after=self.note_after)
        self.befores = []
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("CREATE TABLE numbers (number INTEGER)")
        self.connection.set_trace_callback(self.told.append)

    def note_before(self, connection, synced):
        assert connection.in_transaction
        self.befores.append(synced)

    def note_after(self):
        assert not self.connection.in_transaction
        self.finished += 1

    def count(self, statement):
        return sum(told.startswith(statement) for told in self.told)

    def numbers(self):
        return [number for (number,) in self.connection.execute("SELECT number FROM numbers ORDER BY rowid")]


def run(path, body, **options):
    """Run a test's coroutine with a group commit, whose thread is gone when it returns."""

    async def whole():
        disk = Disk(path / "numbers.sqlite3", **options)
        try:
            return await asyncio.wait_for(body(disk), PATIENCE)
        finally:
            await disk.close()
            disk.connection.close()

    return asyncio.run(whole())


def put(number, connection):
    connection.execute("INSERT INTO numbers VALUES (?)", (number,))
    return number


def fail(number, connection):
    connection.execute("INSERT INTO numbers VALUES (?)", (number,))
    raise KeyError(number)


def held(disk):
    """A record that holds its commit until it is let go."""
    began, go = threading.Event(), threading.Event()

    def hold(_):
        began.set()
        assert go.wait(PATIENCE)

    future = disk.record(Record(hold))
    assert began.wait(PATIENCE)
    return future, go


def test_what_queues_while_a_commit_is_held_shares_the_next(tmp_path):
    """Sixty-four records, one further commit, and each of them its own result."""

    async def body(disk):
        first, go = held(disk)
        futures = [disk.record(Record(partial(put, number), lambda n: n * n)) for number in range(64)]
        go.set()
        await first
        assert await asyncio.gather(*futures) == [n * n for n in range(64)]
        assert (disk.commits, disk.count("COMMIT"), disk.count("BEGIN")) == (2, 2, 2)
        assert disk.numbers() == list(range(64))

    run(tmp_path, body)


def test_a_record_that_finds_the_thread_idle_is_committed_by_itself(tmp_path):
    async def body(disk):
        for number in range(5):
            await disk.record(Record(partial(put, number)))
            assert disk.commits == number + 1

    run(tmp_path, body)


@pytest.mark.parametrize("failing", [{0}, {31}, {63}, {3, 4, 40}, set(range(64))], ids=str)
def test_a_record_that_fails_takes_no_other_with_it(tmp_path, failing):
    """Its neighbours are committed, each of them once, in their order; nothing stays of itself."""

    async def body(disk):
        first, go = held(disk)
        futures = [
            disk.record(Record(partial(fail if number in failing else put, number))) for number in range(64)
        ]
        go.set()
        await first
        results = await asyncio.gather(*futures, return_exceptions=True)
        kept = [number for number in range(64) if number not in failing]
        assert disk.numbers() == kept
        assert [result for result in results if not isinstance(result, KeyError)] == kept
        assert disk.commits == 1 + len(kept)
        assert not disk.connection.in_transaction

    run(tmp_path, body)


def test_a_commit_that_fails_is_a_failure_of_each_record_that_still_fails_alone(tmp_path):
    """What is added before the commit may fail as well."""

    async def body(disk):
        first, go = held(disk)
        broken = iter([False, True, False, True, False])

        def before(connection, synced):
            if next(broken):
                raise OSError(28, "full")

        disk._before = before
        futures = [disk.record(Record(partial(put, number))) for number in range(3)]
        go.set()
        await first
        results = await asyncio.gather(*futures, return_exceptions=True)
        assert [type(result) for result in results] == [int, OSError, int]
        assert disk.numbers() == [0, 2]

    run(tmp_path, body)


def test_only_durable_records_wait_for_the_disk(tmp_path):
    """Where several share a commit, one that is durable is enough."""

    async def body(disk):
        await disk.record(Record(partial(put, 0), durable=False))
        assert (disk.befores, disk.count("PRAGMA synchronous = FULL")) == ([False], 0)
        assert disk.count("PRAGMA synchronous = NORMAL") == 1
        await disk.record(Record(partial(put, 1)))
        assert (disk.befores[-1], disk.count("PRAGMA synchronous = FULL")) == (True, 1)
        await disk.record(Record(partial(put, 2)))
        assert disk.count("PRAGMA synchronous") == 2  # it was told already
        first, go = held(disk)
        futures = [disk.record(Record(partial(put, n), durable=n == 5)) for n in range(3, 9)]
        go.set()
        await asyncio.gather(first, *futures)
        assert disk.befores[-1] is True
        await disk.record(Record(partial(put, 9), durable=False))
        assert disk.told[-4:-2] == ["PRAGMA synchronous = NORMAL", "BEGIN IMMEDIATE"]

    run(tmp_path, body)


def test_without_durability_nothing_waits_for_the_disk(tmp_path):
    async def body(disk):
        for number in range(5):
            await disk.record(Record(partial(put, number)))
        assert set(disk.befores) == {False}
        assert disk.count("PRAGMA synchronous = FULL") == 0

    run(tmp_path, body, synced=False)


def test_results_arrive_after_the_commit_and_in_their_order(tmp_path):
    """What follows a record finds the transaction over, and so does whoever waits for it."""
    known = []

    async def body(disk):
        def then(number):
            assert not disk.connection.in_transaction
            with sqlite3.connect(tmp_path / "numbers.sqlite3") as other:
                (count,) = other.execute("SELECT count(*) FROM numbers").fetchone()
            other.close()
            return count, number

        first, go = held(disk)
        futures = [disk.record(Record(partial(put, number), then)) for number in range(8)]
        for number, future in enumerate(futures):
            future.add_done_callback(lambda _, number=number: known.append(number))
        go.set()
        await first
        assert await asyncio.gather(*futures) == [(8, number) for number in range(8)]

    run(tmp_path, body)
    assert known == list(range(8))


def test_what_follows_a_record_fails_alone_and_undoes_nothing(tmp_path):
    async def body(disk):
        first, go = held(disk)
        broken = disk.record(Record(partial(put, 0), lambda _: 1 / 0))
        whole = disk.record(Record(partial(put, 1)))
        go.set()
        await first
        with pytest.raises(ZeroDivisionError):
            await broken
        assert await whole == 1
        assert disk.numbers() == [0, 1]
        assert disk.finished == disk.commits == 2

    run(tmp_path, body)


def test_jobs_and_records_keep_their_order(tmp_path):
    """A job that was queued between two records runs between their commits."""
    order = []

    async def body(disk):
        first, go = held(disk)
        futures = [first]
        for number in range(6):
            futures.append(disk.record(Record(partial(put, number), lambda n: order.append(f"record {n}"))))
            if number in {1, 4}:
                futures.append(disk.submit(lambda number=number: order.append(f"job {number}")))
        go.set()
        await asyncio.gather(*futures)

    run(tmp_path, body)
    assert order == [
        "record 0",
        "record 1",
        "job 1",
        *(f"record {n}" for n in (2, 3, 4)),
        "job 4",
        "record 5",
    ]


def test_a_record_whose_caller_has_gone_is_committed_all_the_same(tmp_path):
    async def body(disk):
        first, go = held(disk)
        disk.record(Record(partial(put, 1))).cancel()
        go.set()
        await first
        await disk.record(Record(partial(put, 2)))
        assert disk.numbers() == [1, 2]

    run(tmp_path, body)


def test_a_record_is_no_job():
    """It is carried out in a transaction or not at all."""
    with pytest.raises(TypeError):
        Record(partial(put, 1))()
