"""What can be wrong with the iterable that prompts come from, and what comes of it: a row each.

1. It is read as places come free: no more is drawn than can be bought and handed over.
2. What it had given before it broke is bought, kept and told; its own error reaches the caller.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from attrs import field, frozen

from venice_async import ImageRequest, VeniceSession, gather_generate, stream_generate
from venice_async.errors import ConfigurationError, ValidationError

from .places import pictures
from .row import params

_SMALL = {"model": "venice-sd35", "width": 64, "height": 64}
_WORKERS = 4


def session(sandbox):
    return VeniceSession("key", base_url=sandbox.url, rate_limit=None, guard=None, concurrency=_WORKERS)


@frozen
class Given:
    """An input with an end.

    Attributes:
        name: What is wrong with it.
        what: Makes it.
        bought: How many of its requests are.
        repeated: How many others are skipped, because they are there already.
        failed: How many are refused here, each alone.
        raises: What the caller gets instead of a report: an exception, or its type.
        options: Of the batch.
    """

    name: str
    what: Callable[[], Any]
    bought: int
    repeated: int = field(default=0, kw_only=True)
    failed: int = field(default=0, kw_only=True)
    raises: Any = field(default=None, kw_only=True)
    options: Mapping[str, Any] = field(factory=dict, kw_only=True)


class _Liar(list):
    """A list that is wrong about its length."""

    def __init__(self, items, length):
        super().__init__(items)
        self._length = length

    def __len__(self):
        return self._length


def _then(error):
    """Five prompts, and then an exception."""
    yield from _foxes(5)
    raise error


def _foxes(number):
    return [f"fox {n}" for n in range(number)]


async def _asynchronous(items):
    for item in items:
        yield item


_MINE = KeyError("mine")
_GROUP = ExceptionGroup("mine", [KeyError(1)])
_SAME = ImageRequest("a fox", seed=7, **_SMALL)
_SKIP = {"duplicates": "skip"}

GIVEN = [
    Given("nothing", list, 0),
    Given("items of the wrong kind", lambda: ["a", 7, None, b"b", ["c"], "d"], 2, failed=4),
    Given("prompts out of range", lambda: ["a", "", "x" * 1501, "b", "a\ud800"], 2, failed=3),
    Given("bytes instead of a prompt", lambda: b"a fox", 0, raises=ConfigurationError),
    Given("a number instead of a prompt", lambda: 7, 0, raises=ConfigurationError),
    Given("a request three times", lambda: [_SAME] * 3, 3),
    Given("a request three times, once wanted", lambda: [_SAME] * 3, 1, repeated=2, options=_SKIP),
    Given("a prompt three times", lambda: ["a fox"] * 3, 3),
    Given("a prompt three times, once wanted", lambda: ["a fox"] * 3, 1, repeated=2, options=_SKIP),
    Given("a seed three times", lambda: "a fox", 3, options={"seeds": [7] * 3}),
    Given("a seed three times, once wanted", lambda: "a fox", 1, repeated=2,
          options={"seeds": [7] * 3} | _SKIP),
    Given("seeds at both ends", lambda: "a fox", 2, options={"seeds": [-999999998, 999999998]}),
    Given("a seed below the lower end", lambda: "a fox", 0, raises=ValidationError,
          options={"seeds": [1, -999999999]}),
    Given("a seed above the upper end", lambda: "a fox", 0, raises=ValidationError,
          options={"seeds": range(999999990, 1000000000)}),
    Given("no seeds", lambda: "a fox", 0, raises=ConfigurationError, options={"seeds": []}),
    Given("a length that is too large", lambda: _Liar(_foxes(5), 100), 5),
    Given("a length that is too small", lambda: _Liar(_foxes(5), 1), 5),
    Given("a length of nothing", lambda: _Liar(_foxes(5), 0), 5),
    Given("an input that raises in the middle", lambda: _then(_MINE), 5, raises=_MINE),
    Given("an input that raises at once", lambda: (1 / 0 for _ in "a"), 0, raises=ZeroDivisionError),
    Given("an input that raises a group", lambda: _then(_GROUP), 5, raises=_GROUP),
    Given("an input that raises an error of ours", lambda: _then(ConfigurationError("mine")), 5,
          raises=ConfigurationError),
    Given("an input that raises the end of another", lambda: _then(StopIteration()), 5, raises=RuntimeError),
    Given("an async input that raises", lambda: _asynchronous(_then(_MINE)), 5, raises=_MINE),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*GIVEN))
def test_what_an_input_gave_is_bought_once_and_its_error_is_the_callers(row, tmp_path, sandbox, bought):
    """The same call again buys nothing, and ends in the same way."""
    into = tmp_path / "out"

    async def once(venice):
        report = await gather_generate(
            venice, row.what(), into=into, **{"durability": "process"} | _SMALL | row.options
        )
        return report.generated + report.skipped, report.failed, report.pending

    async def main():
        async with session(sandbox) as venice:
            if row.raises is None:
                total = row.bought + row.repeated
                assert await once(venice) == (total, row.failed, 0)
                return
            kind = row.raises if isinstance(row.raises, type) else type(row.raises)
            with pytest.raises(kind) as caught:
                await once(venice)
            assert row.raises in {kind, caught.value}

    for _ in range(2):
        asyncio.run(main())
        assert len(bought()) == row.bought
        assert len(pictures(tmp_path)) == row.bought


# Without end


@frozen
class Endless:
    """An input that is left before its end.

    Attributes:
        name: What it is.
        what: Makes it, and options of the batch, of a counter that it draws from.
    """

    name: str
    what: Callable[[Any], Any]


ENDLESS = [
    Endless("a million prompts", lambda count: ((f"fox {n}" for n in count if n < 1_000_000), {})),
    Endless("prompts without end", lambda count: ((f"fox {n}" for n in count), {})),
    Endless(
        "requests without end", lambda count: ((ImageRequest("fox", seed=n, **_SMALL) for n in count), {})
    ),
    Endless("async prompts without end", lambda count: (_asynchronous(f"fox {n}" for n in count), {})),
    Endless("seeds without end", lambda count: ("a fox", {"seeds": count})),
]


@pytest.mark.parametrize("row", **params(*ENDLESS))
def test_no_more_is_drawn_than_can_be_bought_and_handed_over(row, tmp_path, sandbox, bought, until):
    """Beside the one that was taken: one for each worker, and one more for each that waits to be taken."""
    drawn = []

    def counted():
        for number in itertools.count():
            drawn.append(number)
            yield number

    async def main():
        what, options = row.what(counted())
        fields = {} if "requests" in row.name else _SMALL
        async with session(sandbox) as venice:
            stream = stream_generate(venice, what, into=tmp_path / "out", **fields, **options)
            async with stream as outcomes:
                await anext(outcomes)
                await until(lambda: len(pictures(tmp_path)) == 1 + 2 * _WORKERS)
                assert len(drawn) == 1 + 2 * _WORKERS
            assert stream.report.pending is None

    asyncio.run(main())
    assert len(drawn) == len(bought()) == len(pictures(tmp_path)) == 1 + 2 * _WORKERS


# That waits


def test_an_async_input_that_waits_holds_nobody_up(tmp_path, sandbox, bought):
    """What it gave before is bought and handed over meanwhile, and leaving does not wait for more."""

    async def source():
        for prompt in _foxes(3):
            yield prompt
        await asyncio.Event().wait()

    async def main():
        async with session(sandbox) as venice:
            stream = stream_generate(venice, source(), into=tmp_path / "out", drain_timeout=3600, **_SMALL)
            async with stream as outcomes:
                for _ in range(3):
                    await anext(outcomes)
            assert (stream.report.generated, stream.report.pending) == (3, None)

    asyncio.run(main())
    assert len(bought()) == len(pictures(tmp_path)) == 3


def test_a_plain_input_is_asked_in_the_thread_of_the_event_loop(tmp_path, sandbox):
    """So it may touch what belongs to that thread, and must not wait: what waits is an async one."""
    threads = set()

    def source():
        for prompt in _foxes(3):
            threads.add(threading.get_ident())
            yield prompt

    async def main():
        async with session(sandbox) as venice:
            await gather_generate(venice, source(), into=tmp_path / "out", **_SMALL)

    asyncio.run(main())
    assert threads == {threading.get_ident()}
