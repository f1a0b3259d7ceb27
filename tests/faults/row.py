"""A row of the tables: what goes wrong, and what has to come of it.

1. A row is judged by the server's account and by the directory; what the client says is held against both.
2. The requests of a row go out one after the other, seed i for request i. Only request 1 meets the fault,
   unless the row says otherwise: its neighbours have to come through.
3. Whatever a row expects, this holds for each: a file is the very picture that was painted for its seed, what
   was billed is a file or told as paid, nothing is left in flight, and the key is nowhere.
"""

from __future__ import annotations

import asyncio
import io
import pickle
import traceback
from collections import Counter
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from venice_async import (
    Failed,
    Generated,
    ImageRequest,
    RetryPolicy,
    Skipped,
    Timeouts,
    Unconfirmed,
    VeniceSession,
    stream_generate,
)

from .places import How, Place, picture

KEY = "sk-canary-7f3a9c51d2e84b60"
"""Long enough to be taken for a secret, in lower case as some headers are read, and like no other text."""

USUAL = {
    "rate_limit": None,
    "guard": None,
    "concurrency": 1,
    "retry": RetryPolicy(attempts=3, wait_initial=0),
    # Only a server that never answers is waited for in vain: no other answer may be late for it.
    "timeouts": Timeouts(connect=30, first_byte=30, between_bytes=30),
}


@frozen
class Row:
    """One thing that goes wrong.

    Attributes:
        name: What it is called.
        how: What the server or the network does.
        ends: What each request ends as: `image`, `unconfirmed`, `unsent`, or an error's name, with `+paid`
            where it is told as billed.
        received: Requests that reach the server whole.
        billed: Requests that it charges for.
        files: Pictures in the directory.
        kept: Files under `.venice/rejected/`.
        says: What each error's text has in it.
        fields: Of the requests.
        options: Of the session.
        max_wait: Seconds that the batch waits at most.
        stops: What stops the batch, if that is told: the error's name.
    """

    name: str
    how: How
    ends: str
    received: int = field(kw_only=True)
    billed: int = field(kw_only=True)
    files: int = field(kw_only=True)
    kept: int = field(default=0, kw_only=True)
    says: str = field(default="", kw_only=True)
    fields: Mapping[str, Any] = field(factory=dict, kw_only=True)
    options: Mapping[str, Any] = field(factory=dict, kw_only=True)
    max_wait: float = field(default=600.0, kw_only=True)
    stops: str = field(default="", kw_only=True)

    def requests(self):
        """One request for each word of `ends`."""
        for seed in range(len(self.ends.split())):
            yield ImageRequest(
                f"fox {seed}",
                **{"model": "venice-sd35", "width": 64, "height": 64, "seed": seed} | self.fields,
            )


def params(*rows):
    """The rows as arguments and names of a parametrised test."""
    return {"argvalues": rows, "ids": [row.name.replace(" ", "-") for row in rows]}


@frozen
class Found:
    """What came of a row, in the words of its expectations."""

    ends: str
    received: int
    billed: int
    files: int
    kept: int


@frozen
class Carried:
    """A row that was carried out.

    Attributes:
        place: Where, with its account.
        outcomes: In the order of the requests.
        counts: What the report counts, by the words of `ends`, errors as `failed`.
        shown: Everything that shows itself, as text.
        stopped: What has stopped the batch, or None.
    """

    place: Place
    outcomes: list[Any]
    counts: Mapping[str, int]
    shown: str
    stopped: Any


async def _batch(row, folder, raw_server):
    async with row.how.open(raw_server) as place:
        options = {**USUAL, **place.options, **row.options}
        async with VeniceSession(KEY, base_url=place.url, **options) as venice:
            async with stream_generate(venice, row.requests(), into=folder, max_wait=row.max_wait) as stream:
                outcomes = [outcome async for outcome in stream]
            assert (venice._pool.in_flight, venice._pool.waiting) == (0, 0)
            report = stream.report
            told = [outcome async for outcome in report.outcomes()]
            shown = f"{venice!r} {venice.statistics()!r} {report!r} {told!r} {report.stopped!r}"
        counts = {"image": report.generated, "unconfirmed": report.unconfirmed, "failed": report.failed}
        return Carried(
            place, sorted(outcomes, key=lambda outcome: outcome.index), counts, shown, report.stopped
        )


def check(row, folder, raw_server):
    """Carry a row out, and compare what came of it with what it expects."""
    carried = asyncio.run(_batch(row, folder, raw_server))
    place, outcomes = carried.place, carried.outcomes
    words = {outcome.index: word(outcome) for outcome in outcomes}
    number = len(row.ends.split())
    found = Found(
        ends=" ".join(words.get(index, "unsent") for index in range(number)),
        received=place.received,
        billed=sum(place.billed.values()),
        files=len(pictures(folder)),
        kept=len(list(folder.glob(".venice/rejected/*"))),
    )
    expected = Found(row.ends, row.received, row.billed, row.files, row.kept)
    assert found == expected, [getattr(outcome, "error", None) for outcome in outcomes]
    kinds = Counter(word if word in carried.counts else "failed" for word in words.values())
    assert {kind: kinds[kind] for kind in carried.counts} == carried.counts
    assert not row.stops or type(carried.stopped).__name__ == row.stops, carried.stopped
    _check_money(place, outcomes)
    _check_pictures(folder, outcomes)
    _check_errors(outcomes, row.says)
    assert not place.strangers
    assert not mentions_key(carried.shown, set())
    assert not files_with_key(folder)


def word(outcome):
    """What an outcome is called in the expectations."""
    match outcome:
        case Generated():
            return "image"
        case Skipped():
            return "there"
        case Unconfirmed():
            return "unconfirmed"
        case Failed(error=error, billed=billed):
            return type(error).__name__ + "+paid" * billed


def pictures(folder):
    """The pictures in a directory."""
    return [path for path in folder.iterdir() if path.suffix in {".png", ".webp", ".jpg", ".jpeg"}]


def _check_money(place, outcomes):
    """Nothing is billed twice unseen, and each that is paid for and not here is told."""
    lost = Counter()
    for outcome in outcomes:
        if isinstance(outcome, Unconfirmed) or (isinstance(outcome, Failed) and outcome.billed):
            lost[outcome.index] += 1
        elif isinstance(outcome, Generated):
            assert place.billed[outcome.index] == 1
    for seed, times in place.billed.items():
        assert times == 1
        assert seed in lost or any(
            isinstance(outcome, Generated) and outcome.index == seed for outcome in outcomes
        )


def _check_pictures(folder, outcomes):
    """A file is what was painted for its seed, and there is nothing that was not told."""
    told = [outcome for outcome in outcomes if isinstance(outcome, Generated)]
    assert sorted(path for outcome in told for path in outcome.paths) == sorted(pictures(folder))
    assert {path.name for path in folder.iterdir()} - {path.name for path in pictures(folder)} <= {
        ".venice",
        "metadata.jsonl",
    }
    for outcome in told:
        for path in outcome.paths:
            kind = {".jpg": "jpeg"}.get(path.suffix, path.suffix[1:])
            assert path.read_bytes() == picture(outcome.request.seed, kind)


def _check_errors(outcomes, says):
    """Each error says what it has to, and none shows the key: no text, note, cause or pickle of it."""
    for outcome in outcomes:
        error = getattr(outcome, "error", None)
        if error is None:
            continue
        assert says in str(error)
        shown = [str(error), repr(error), repr(outcome), *traceback.format_exception(error)]
        assert not any(KEY in text for text in shown)
        assert not mentions_key(error, set())
        assert KEY.encode() not in _pickled(error)
        assert str(pickle.loads(_pickled(error))) == str(error)


def _pickled(error):
    """As pickle does it by itself: Dask's tblib has it take along an error's causes, whatever they hold."""
    to = io.BytesIO()
    pickler = pickle.Pickler(to)
    pickler.dispatch_table = {}
    pickler.dump(error)
    return to.getvalue()


def files_with_key(folder):
    """The files of a directory that the key stands in, in any form that a reader would know it by."""
    return [path for path in folder.rglob("*") if path.is_file() and _holds_key(path)]


def _holds_key(path):
    """Whether a file, however large, has the key in it; never held whole."""
    end = b""
    with path.open("rb") as file:
        while piece := file.read(1_000_000):
            if KEY.encode() in end + piece:
                return True
            end = piece[-len(KEY) :]
    return False


def mentions_key(value, seen, depth=0):
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
    return any(mentions_key(part, seen, depth + 1) for part in parts)
