"""What a batch did: counts, outcomes in the order of the input, and one error for all that went wrong."""

from __future__ import annotations

import asyncio
import copy
import pickle
from pathlib import Path

import pytest

from venice_async import (
    BatchError,
    BatchReport,
    Failed,
    Generated,
    Unconfirmed,
    UnconfirmedError,
    VeniceError,
    VeniceSession,
    gather_generate,
)
from venice_async.errors import AuthenticationError, ServerError
from venice_async.sandbox import Fault, Sandbox
from venice_async.storage.journal import JournalReader
from venice_async.types.response import SavedImages


async def listed(iterator):
    return [entry async for entry in iterator]


@pytest.fixture
def generated(fox):
    def make(index, *names):
        paths = tuple(map(Path, names or (f"{index}.webp",)))
        return Generated(index=index, request=fox, answer=SavedImages(paths=paths, sizes=(1,) * len(paths)))

    return make


@pytest.fixture
def failed(fox):
    return lambda index: Failed(index=index, request=fox, error=ServerError(f"no {index}", status=500))


@pytest.fixture
def unconfirmed(fox):
    return lambda index: Unconfirmed(index=index, request=fox, error=UnconfirmedError(f"lost {index}"))


def report(*outcomes, pending=0, stopped=None):
    counts = {
        name: sum(isinstance(outcome, kind) for outcome in outcomes)
        for name, kind in (("generated", Generated), ("failed", Failed), ("unconfirmed", Unconfirmed))
    }
    errors = tuple(outcome.error for outcome in outcomes if not isinstance(outcome, Generated))
    return BatchReport(
        **counts,
        pending=pending,
        elapsed=1.0,
        stopped=stopped,
        errors=errors[:100],
        journal=JournalReader(Path("nowhere")),
        run=1,
    )


def test_outcomes_paths_and_failures_keep_the_inputs_order(tmp_path):
    """However the answers came in, and with every file of every answer."""

    async def main():
        async with (
            Sandbox(latency=0, rpm=None) as sandbox,
            VeniceSession("key", base_url=sandbox.url) as venice,
        ):
            sandbox.script(Fault(delay=0.3), when=lambda body: body["seed"] == 0)
            sandbox.script(Fault(400), when=lambda body: body["seed"] == 7)
            sandbox.script(Fault(502), when=lambda body: body["seed"] == 2)
            fields = {"model": "fluently-xl", "width": 64, "height": 64, "variants": 2}
            done = await gather_generate(venice, "fox", seeds=range(10), into=tmp_path, **fields)
        outcomes = await listed(done.outcomes())
        assert [outcome.index for outcome in outcomes] == list(range(10))
        assert [outcome.request.seed for outcome in outcomes] == list(range(10))
        assert [failure.index for failure in await listed(done.failures())] == [2, 7]
        paths = await listed(done.paths())
        assert paths == [
            path for outcome in outcomes if isinstance(outcome, Generated) for path in outcome.paths
        ]
        assert len(paths) == 16
        assert all(path.is_file() for path in paths)
        assert list(map(str, await listed(done.outcomes()))) == list(
            map(str, outcomes)
        )  # it can be read again
        return done

    done = asyncio.run(main())
    assert (done.generated, done.failed, done.unconfirmed, done.pending) == (8, 1, 1, 0)


def test_a_whole_batch_raises_nothing(generated):
    """Every request ended as an image."""
    assert report(generated(0), generated(1)).raise_for_failures() is None
    assert report().raise_for_failures() is None


def test_failed_and_unconfirmed_are_raised_together(generated, failed, unconfirmed):
    """As one error that is a group and one of ours."""
    with pytest.raises(BatchError) as caught:
        report(generated(0), failed(1), unconfirmed(2), failed(3)).raise_for_failures()
    error = caught.value
    assert isinstance(error, ExceptionGroup)
    assert isinstance(error, VeniceError)
    assert [str(member) for member in error.exceptions] == ["500: no 1", "lost 2", "500: no 3"]
    assert error.count == 3
    assert "1 generated, 2 failed, 1 unconfirmed" in str(error)


def test_a_batch_that_was_stopped_is_raised_once(generated, failed):
    """The error that stopped it is a member, and not twice where it is an item's own."""
    stopped = AuthenticationError("no", status=401)
    with pytest.raises(BatchError, match="5 not sent") as caught:
        report(generated(0), pending=5, stopped=stopped).raise_for_failures()
    assert caught.value.exceptions == (stopped,)
    outcome = failed(1)
    with pytest.raises(BatchError) as caught:
        report(outcome, pending=5, stopped=outcome.error).raise_for_failures()
    assert caught.value.exceptions == (outcome.error,)


def test_a_batch_that_was_left_is_raised(generated):
    """What was not sent is missing, too."""
    with pytest.raises(BatchError, match="3 not sent"):
        report(generated(0), pending=3).raise_for_failures()


def test_an_endless_batch_that_was_left_raises_nothing(generated):
    """Nobody knows how many there were to be."""
    report(generated(0), pending=None).raise_for_failures()


def test_a_group_carries_a_hundred_and_counts_them_all(failed):
    """So that a job of a million does not become one exception of a gigabyte."""
    with pytest.raises(BatchError) as caught:
        report(*map(failed, range(250))).raise_for_failures()
    assert len(caught.value.exceptions) == 100
    assert caught.value.count == 250


def test_parts_of_a_group_can_be_caught(failed, unconfirmed):
    """`except*` and `split` work as with any group, and a part is of the same type."""
    with pytest.raises(BatchError) as caught:
        report(failed(0), unconfirmed(1)).raise_for_failures()
    lost, rest = caught.value.split(UnconfirmedError)
    assert isinstance(lost, BatchError)
    assert isinstance(rest, BatchError)
    assert (len(lost.exceptions), len(rest.exceptions)) == (1, 1)


@pytest.mark.parametrize(
    "through", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))]
)
def test_a_batch_error_crosses_processes(failed, unconfirmed, through):
    """With its members, its count and its text."""
    with pytest.raises(BatchError) as caught:
        report(*map(failed, range(120)), unconfirmed(120)).raise_for_failures()
    again = through(caught.value)
    assert type(again) is BatchError
    assert again.count == 121
    assert str(again) == str(caught.value)
    assert [str(member) for member in again.exceptions] == [str(member) for member in caught.value.exceptions]


def test_a_report_is_a_value(generated):
    """It cannot be changed, and its repr does not unroll every outcome."""
    done = report(*map(generated, range(1000)))
    with pytest.raises(AttributeError):
        done.generated = 7
    assert len(repr(done)) < 300
