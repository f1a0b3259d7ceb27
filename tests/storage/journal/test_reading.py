"""A journal as its readers see it, while somebody writes and after."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import attrs
import pytest

from venice_async import Failed, Generated, Skipped, Unconfirmed
from venice_async.errors import (
    BadRequestError,
    BudgetExceededError,
    DecodeError,
    JournalError,
    ServerError,
    StorageError,
    UnconfirmedError,
)
from venice_async.storage.journal import FailureGroup, JournalReader, State

from .by_hand import JOB, PRICE, begun, buy, die, fox, foxes, intend, opened, whole_answer, write_parts


async def listed(iterator):
    return [entry async for entry in iterator]


def outcomes(directory, run=1, **options):
    return asyncio.run(listed(JournalReader(directory).outcomes(run, **options)))


async def failed(journal, place, request, error, *, billed=False):
    entry = await journal.enter(place, request, keep_duplicates=True)
    await intend(journal, entry.item, seed=request.seed)
    if isinstance(error, UnconfirmedError):
        await journal.unconfirm(entry.item, error)
    else:
        await journal.fail(entry.item, error, billed=billed)
    return entry.item


def test_outcomes_come_in_the_order_of_the_input_over_all_pages(tmp_path):
    """Whatever the order in which they were recorded, and more of them than are read at once."""
    number = 256 * 2 + 17

    async def body():
        async with opened(tmp_path) as journal:
            order = [(place * 7 + 3) % number for place in range(number)]
            await asyncio.gather(
                *(
                    failed(
                        journal, place, attrs.evolve(fox, seed=place), ServerError(f"no {place}", status=500)
                    )
                    for place in order
                )
            )

    asyncio.run(body())
    found = outcomes(tmp_path)
    assert [outcome.index for outcome in found] == list(range(number))
    assert [str(outcome.error) for outcome in found] == [f"500: no {place}" for place in range(number)]
    assert [outcome.request.seed for outcome in found] == list(range(number))


def test_items_that_share_a_place_are_all_read(tmp_path):
    """As those that are sent again from the inputs of several runs."""

    async def body():
        for part in range(3):
            async with opened(tmp_path) as journal:
                entries = await asyncio.gather(
                    *(
                        journal.enter(
                            place, attrs.evolve(fox, seed=1000 * part + place), keep_duplicates=True
                        )
                        for place in range(200)
                    )
                )
                await asyncio.gather(
                    *(
                        journal.fail(entry.item, ServerError("no", status=500), billed=False)
                        for entry in entries
                    )
                )
        async with opened(tmp_path) as journal:
            after, seen = 0, 0
            while (found := await journal.enter_again(after, [State.FAILED])) is not None:
                after, seen = found[0].item, seen + 1
        assert seen == 600

    asyncio.run(body())
    found = outcomes(tmp_path, 4)
    assert len(found) == len({outcome.request.seed for outcome in found}) == 600
    assert [outcome.index for outcome in found] == sorted(outcome.index for outcome in found)


def every_kind(tmp_path):
    """A run with one of each."""

    async def body():
        async with opened(tmp_path) as journal:
            await buy(journal, 0, foxes(1)[0])
        async with opened(tmp_path) as journal:
            await journal.enter(0, foxes(1)[0], keep_duplicates=True)
            await buy(journal, 1, attrs.evolve(fox, seed=1), b"one", b"two")
            await failed(journal, 2, attrs.evolve(fox, seed=2), BadRequestError("no", status=400))
            await failed(journal, 3, attrs.evolve(fox, seed=3), DecodeError("broken"), billed=True)
            await failed(journal, 4, attrs.evolve(fox, seed=4), UnconfirmedError("lost"))
            await journal.enter_invalid(5, BadRequestError("no request", status=400))
            entry = await journal.enter(6, attrs.evolve(fox, seed=6), keep_duplicates=True)
            await intend(journal, entry.item, seed=6)
            await journal.enter(7, attrs.evolve(fox, seed=7), keep_duplicates=True)
            await journal.enter(8, attrs.evolve(fox, seed=7), keep_duplicates=False)

    asyncio.run(body())


def test_every_state_is_an_outcome_of_its_own(tmp_path):
    """What was not sent has none."""
    every_kind(tmp_path)
    found = outcomes(tmp_path, 2)
    assert [type(outcome) for outcome in found] == [
        *(Skipped, Generated, Failed, Failed, Unconfirmed, Failed, Unconfirmed, Skipped),
    ]
    assert [outcome.index for outcome in found] == [0, 1, 2, 3, 4, 5, 6, 8]
    assert [outcome.billed for outcome in found if isinstance(outcome, Failed)] == [False, True, False]
    assert found[0].paths == (tmp_path / "1.webp",)
    assert found[1].paths == (tmp_path / "2-0.webp", tmp_path / "2-1.webp")
    assert found[1].answer.balance_usd == 4.5
    assert found[5].request is None
    assert found[7].paths == ()
    assert found[7].request.seed == 7


def test_only_what_failed_is_read_where_that_is_asked_for(tmp_path):
    every_kind(tmp_path)
    assert [outcome.index for outcome in outcomes(tmp_path, 2, lost=True)] == [2, 3, 4, 5, 6]


def test_a_seed_that_was_given_is_read_back_where_nothing_was_sent(tmp_path):
    async def body():
        async with opened(tmp_path) as journal:
            entry = await journal.enter(0, fox, keep_duplicates=True)
            await journal.fail(entry.item, BadRequestError("not sent", status=404), billed=False)

    asyncio.run(body())
    assert outcomes(tmp_path)[0].request == fox


def test_what_is_sent_again_is_in_flight_and_not_what_it_was(tmp_path):
    """Its earlier failure is over; how this attempt ends nobody knows."""

    async def body():
        async with opened(tmp_path) as journal:
            item = await failed(journal, 0, fox, BadRequestError("no", status=400))
        async with opened(tmp_path) as journal:
            await journal.enter(0, fox, keep_duplicates=True)
            await intend(journal, item)
            (outcome,) = await listed(JournalReader(tmp_path).outcomes(2))
            assert isinstance(outcome, Unconfirmed)
            status = JournalReader(tmp_path).status()
            assert (status.in_flight, status.failed, status.failures) == (1, 0, ())

    asyncio.run(body())


def test_an_image_that_could_not_be_recorded_has_failed_and_is_paid_for(tmp_path):
    """Until the next run takes it over."""

    async def body():
        async with opened(tmp_path) as journal:
            entry = await journal.enter(0, fox, keep_duplicates=True)
            await intend(journal, entry.item)
            await journal.fail(entry.item, StorageError("full"), billed=True, adoptable=True)

    asyncio.run(body())
    (outcome,) = outcomes(tmp_path)
    assert (type(outcome.error), outcome.billed) == (StorageError, True)
    assert [group.outcome for group in JournalReader(tmp_path).status().failures] == ["billed"]


# Figures


def test_the_figures_of_a_job(tmp_path):
    every_kind(tmp_path)
    status = JournalReader(tmp_path).status()
    assert (status.runs, status.running, status.stopped, status.job) == (2, False, None, JOB)
    assert (status.items, status.done, status.failed, status.billed) == (8, 2, 2, 1)
    assert (status.unconfirmed, status.in_flight, status.pending) == (1, 1, 1)
    assert status.spent_usd == 5 * PRICE / 1e6
    assert (status.images, status.bytes) == (3, len(b"picture" + b"one" + b"two"))
    assert status.rate > 0
    assert status.balance_usd == 4.5


def test_failures_are_grouped_by_what_they_are(tmp_path):
    """The most frequent first, each with what the first of them said."""

    async def body():
        async with opened(tmp_path) as journal:
            requests = iter(foxes(20))
            errors = [
                BadRequestError("z, the first", status=400, code="INVALID_REQUEST"),
                DecodeError("broken"),
                *(BadRequestError(f"a {n}", status=400, code="INVALID_REQUEST") for n in range(3)),
                BadRequestError("other", status=400),
                UnconfirmedError("lost", status=502),
                UnconfirmedError("lost again", status=502),
            ]
            for place, error in enumerate(errors):
                await failed(journal, place, next(requests), error, billed=isinstance(error, DecodeError))

    asyncio.run(body())
    assert JournalReader(tmp_path).status().failures == (
        FailureGroup(
            outcome="failed",
            reason="BadRequestError 400 INVALID_REQUEST",
            message="400 INVALID_REQUEST: z, the first",
            count=4,
        ),
        FailureGroup(outcome="unconfirmed", reason="UnconfirmedError 502", message="lost", count=2),
        FailureGroup(outcome="billed", reason="DecodeError", message="broken", count=1),
        FailureGroup(outcome="failed", reason="BadRequestError 400", message="400: other", count=1),
    )


def test_a_price_that_is_not_known_leaves_the_spending_unknown(tmp_path):
    async def body(cost):
        async with opened(tmp_path / str(cost)) as journal:
            await buy(journal, 0, fox, cost=cost)
            await journal.enter(1, attrs.evolve(fox, seed=99), keep_duplicates=True)

    for cost, spent in ((0, None), (PRICE, PRICE / 1e6)):
        asyncio.run(body(cost))
        assert JournalReader(tmp_path / str(cost)).status().spent_usd == spent


def test_a_rate_over_a_clock_that_went_back_is_none(tmp_path, monkeypatch):
    async def body():
        async with opened(tmp_path) as journal:
            monkeypatch.setattr(time, "time", lambda: 1e9)
            await buy(journal, 0, fox)

    asyncio.run(body())
    assert JournalReader(tmp_path).status().rate == 0.0


def test_the_balance_is_that_of_the_last_answer(tmp_path):
    async def body():
        async with opened(tmp_path) as journal:
            for place, balance in enumerate((9.0, 8.5)):
                answer = whole_answer(balance_usd=balance)
                await buy(journal, place, attrs.evolve(fox, seed=place), answer=answer)

    asyncio.run(body())
    assert JournalReader(tmp_path).status().balance_usd == 8.5


def test_a_run_is_running_until_it_ends_and_says_what_stopped_it(tmp_path):
    """One whose process has died was cut off."""

    async def body():
        reader = JournalReader(tmp_path)
        journal = await begun(tmp_path)
        assert (reader.status().running, reader.status().rate) == (True, 0.0)
        await journal.close(BudgetExceededError("nothing is left"))
        assert (reader.status().running, reader.status().stopped) == (False, "nothing is left")
        assert not reader.status().cut_off
        journal = await begun(tmp_path)
        assert (reader.status().running, reader.status().stopped) == (True, None)
        await die(journal)
        assert (reader.status().running, reader.status().cut_off) == (False, True)
        assert reader.status().runs == 2

    asyncio.run(body())


def test_states_are_counted(tmp_path):
    every_kind(tmp_path)
    reader = JournalReader(tmp_path)
    assert reader.count(State.FAILED) == 1  # what was no request cannot be sent
    assert reader.count(State.FAILED, State.BILLED, State.UNCONFIRMED, State.SENT) == 4
    assert reader.job() == JOB


# Reading


def test_a_journal_is_read_while_somebody_writes(tmp_path):
    """Each time what is committed by then; neither waits for the other."""

    async def body():
        async with opened(tmp_path) as journal:
            reader = JournalReader(tmp_path)
            for place in range(20):
                await buy(journal, place, attrs.evolve(fox, seed=place), b"picture %d" % place)
                assert len(await listed(reader.outcomes(1))) == place + 1
                assert (reader.status().done, reader.status().images) == (place + 1, place + 1)
                assert len(list(reader.files())) == place + 1

    asyncio.run(body())


_ELSEWHERE = """
import asyncio, os, sys
from pathlib import Path
from venice_async.storage.journal.audit import audit
from venice_async.storage.journal.reading import JournalReader
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
place = Path(sys.argv[1])
async def main():
    reader = JournalReader(place)
    assert not os.access(place / ".venice", os.W_OK)
    found = reader.status()
    print(found.done, found.failed, len([outcome async for outcome in reader.outcomes(2)]))
    print(*sorted(finding.verdict for finding in audit(place)))
asyncio.run(main())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not write")
def test_a_directory_that_cannot_be_written_to_is_read():
    """And stays as it is."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        every_kind(place)
        before = sorted(path.name for path in (place / ".venice").iterdir())
        for path in (place, place / ".venice"):
            path.chmod(0o555)
        command = [sys.executable, "-c", _ELSEWHERE, name]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (found.stderr, found.stdout) == ("", "2 2 8\nintact intact intact\n")
        assert sorted(path.name for path in (place / ".venice").iterdir()) == before


def test_where_no_batch_was_begun_there_is_nothing_to_read(tmp_path):
    reader = JournalReader(tmp_path)
    for read in (reader.status, reader.job, reader.count, lambda: list(reader.files())):
        with pytest.raises(JournalError, match="no batch was begun here"):
            read()
    with pytest.raises(JournalError):
        outcomes(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_of_every_purchase_are_told(tmp_path):
    async def body():
        async with opened(tmp_path) as journal:
            await buy(journal, 0, fox, b"one", b"two")
            item = await failed(journal, 1, attrs.evolve(fox, seed=8), DecodeError("broken"), billed=True)
            os.unlink(write_parts(journal, item, 1, b"left")[0].path)  # noqa: PTH108

    asyncio.run(body())
    files = list(JournalReader(tmp_path).files())
    assert [(file.path.name, file.size) for file in files] == [("1-0.webp", 3), ("1-1.webp", 3)]
