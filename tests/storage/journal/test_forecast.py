"""What a run would find, counted without beginning it, is what the run then finds."""

import asyncio

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from venice_async.errors import (
    JobChangedError,
    JournalError,
    OutputExistsError,
    ServerError,
    UnconfirmedError,
)
from venice_async.storage.journal import Forecast, State

from .by_hand import JOB, buy, fox, intend, opened

ENDINGS = ("bought", "failed", "billed", "unconfirmed", "nothing")


async def carry_out(directory, seeds, endings, keep):
    """A run in which each item that is still open ends as it is told; what it found of each of them."""
    found = []
    async with opened(directory) as journal:
        for place, (seed, ending) in enumerate(zip(seeds, endings, strict=True)):
            request = attrs.evolve(fox, seed=seed)
            entry = await journal.enter(place, request, keep_duplicates=keep)
            found.append(State.DONE if entry.state == State.RECEIVED else entry.state)
            if entry.state not in {State.PENDING, State.FAILED} or ending == "nothing":
                continue
            if ending == "bought":
                await buy_entered(journal, entry)
                continue
            await intend(journal, entry.item, seed=seed)
            match ending:
                case "unconfirmed":
                    await journal.unconfirm(entry.item, UnconfirmedError("lost"))
                case _:
                    error = ServerError("no", status=500)
                    await journal.fail(entry.item, error, billed=ending == "billed")
    return found


async def buy_entered(journal, entry):
    from .by_hand import whole_answer, write_parts

    await intend(journal, entry.item)
    files = write_parts(journal, entry.item, entry.attempts + 1, b"picture %d" % entry.item)
    await journal.keep(entry.item, whole_answer(), lambda: files)


runs = st.lists(
    st.tuples(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(ENDINGS)), max_size=7), st.booleans()),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(runs=runs)
def test_a_forecast_agrees_with_the_run_that_follows(tmp_path_factory, runs):
    """Whatever the runs before have left, and however often the input repeats itself."""
    directory = tmp_path_factory.mktemp("job")
    for items, keep in runs:
        seeds, endings = [seed for seed, _ in items], [ending for _, ending in items]
        with Forecast(directory, JOB, extend=False) as forecast:
            spent = forecast.spent
            asked = [attrs.evolve(fox, seed=seed) for seed in seeds]
            foreseen = [forecast.state(request, keep_duplicates=keep)[0] for request in asked]
        assert asyncio.run(carry_out(directory, seeds, endings, keep)) == foreseen
        with Forecast(directory, JOB, extend=False) as forecast:
            assert forecast.spent >= spent


def test_nothing_is_made_where_nothing_was_begun(tmp_path):
    with Forecast(tmp_path / "out", JOB, extend=False) as forecast:
        states = [forecast.state(fox, keep_duplicates=keep)[0] for keep in (True, True, False)]
    assert states == [State.PENDING, State.PENDING, State.DUPLICATE]
    assert forecast.spent == 0
    assert not (tmp_path / "out").exists()


def test_what_a_run_would_refuse_a_forecast_refuses(tmp_path):
    """Images without a journal, another job, and a journal that is damaged."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine.png").write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        Forecast(tmp_path / "a", JOB, extend=False)

    async def body():
        async with opened(tmp_path / "b") as journal:
            await buy(journal, 0, fox)

    asyncio.run(body())
    other = {**JOB, "model": "another"}
    with pytest.raises(JobChangedError, match="model was not set, and is another"):
        Forecast(tmp_path / "b", other, extend=False)
    with Forecast(tmp_path / "b", other, extend=True) as forecast:
        assert forecast.state(fox, keep_duplicates=True) == (State.DONE, False)
    (tmp_path / "b" / ".venice" / "journal.sqlite3").write_bytes(b"no journal" * 500)
    with pytest.raises(JournalError):
        Forecast(tmp_path / "b", JOB, extend=False)
