"""What is measured: groups of rows that are run beside each other.

1. A row is compared with rows of its own group only, or with one of another group by a bar that says so.
2. How many requests a row sends depends on how quick its client is, so that each runs for a second or more;
   what is compared are rates.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

import attrs
from attrs import frozen

from .answers import SIZES, Answer, Form
from .clients import CLIENTS

__all__ = ["Group", "Row", "all_groups", "chosen", "for_quick"]

_PEERS = ("aiohttp", "httpx", "openai", "requests", "veniceresch", "venice-py")
# How much of what the quickest client sends within a second.
_SHARE = {
    "json": dict.fromkeys(_PEERS, 0.2),
    "binary": {"httpx": 0.25, "requests": 0.25, "veniceresch": 0.25},
    "gzip": dict.fromkeys(_PEERS, 0.3),
    "four": {},
}
_MORE_TURNS = 4  # times as many requests, for a loop that turns seldom and is quick
_AT_LEAST = 1.5  # requests for each place
_QUICK = 0.25  # of the requests, but one for each place
_QUICK_MOST = 3_000
_BLOCK = 4096  # bytes that a file takes at least
_RATE = ("images_per_s", "mb_per_s", "cpu_s_per_gb", "peak_mb")
_LAG = ("lag_p99_ms", "lag_p50_ms", "lag_max_ms", "images_per_s")
_TINY = ("us_per_request", "cpu_us_per_request", "images_per_s", "peak_mb")
_IMPORTED = ("aiohttp", "venice_async", "venice_async.session", "venice_async.gather")
_GROWTH = ("cpu_us_per_request", "us_per_request", "peak_mb", "seconds")


@frozen(kw_only=True)
class Row:
    """One client on one kind of answer.

    Attributes:
        group: The key of its group.
        name: Which row of the group it is; mostly its client.
        client: A key of `CLIENTS`, or for a row that imports, the module.
        answer: What the server sends; None for a row that imports.
        requests: How many it sends.
        concurrency: Requests in flight at once.
        tls: Whether the connections are encrypted.
        lag: Whether the event loop's lag is measured, not the throughput.
        compression: What answers may be encoded with.
        quick: Whether it is part of a quick run.
        scales: Whether a quick run sends fewer requests.
        disk: Whether the images have to be on a disk, because what is measured waits for it.
    """

    group: str
    name: str
    client: str
    answer: Answer | None = None
    requests: int = 1
    concurrency: int = 1
    tls: bool = False
    lag: bool = False
    compression: str | None = None
    quick: bool = True
    scales: bool = True
    disk: bool = False

    @property
    def key(self) -> str:
        """The name by which a run is chosen."""
        return f"{self.group}/{self.name}"

    @property
    def title(self) -> str:
        """What the tables call it."""
        if self.answer is None:
            return f"import {self.client}"
        return CLIENTS[self.client].title + ("" if self.name == self.client else f" ({self.name})")

    @property
    def volume(self) -> int:
        """Bytes that the files of one run take, in whole blocks."""
        if self.answer is None or not CLIENTS[self.client].files:
            return 0
        blocks = -(-SIZES[self.answer.size] // self.answer.images // _BLOCK)
        return self.requests * self.answer.images * blocks * _BLOCK


@frozen(kw_only=True)
class Group:
    """Rows that are run in turns.

    Attributes:
        key: The first part of its rows' keys.
        title: What the tables call it.
        figures: The columns, the one that ratios are taken of first.
        reference: The name of the row that the others are compared with.
        rows: In the order of the table.
    """

    key: str
    title: str
    figures: tuple[str, ...]
    reference: str
    rows: tuple[Row, ...]


def _rows(
    group: str,
    form: Form,
    size: str,
    concurrency: int,
    clients: Iterable[str],
    *,
    requests: int,
    tls: bool = False,
    lag: bool = False,
    compression: str | None = None,
    not_quick: Iterable[str] = (),
) -> tuple[Row, ...]:
    """A row for each client."""
    slow = _SHARE[form]
    return tuple(
        Row(
            group=group,
            name=client,
            client=client,
            answer=Answer(form, size),
            requests=max(int(_AT_LEAST * concurrency), int(requests * slow.get(client, 1))),
            concurrency=concurrency,
            tls=tls,
            lag=lag,
            compression=compression,
            quick=client not in not_quick,
        )
        for client in clients
    )


def _against_peers() -> list[Group]:
    ours = ("generate", "save", "save-uvloop", "save-kept", "gather", "gather-uvloop", "gather-kept")
    everybody = ("discard", "limit", *_PEERS, *ours)
    # openai has no way of its own to a binary answer.
    binary = ("discard", "limit", *(name for name in _PEERS if name != "openai"), *ours[1:])
    big = ("discard", *_PEERS, "save", "gather")
    return [
        Group(
            key="json-1500k-c16",
            title="JSON, 1.5 MB, 16 in flight",
            figures=_RATE,
            reference="gather",
            rows=_rows("json-1500k-c16", "json", "1500k", 16, everybody, requests=500),
        ),
        Group(
            key="binary-1500k-c16",
            title="binary, 1.5 MB, 16 in flight",
            figures=_RATE,
            reference="gather",
            rows=_rows("binary-1500k-c16", "binary", "1500k", 16, binary, requests=700),
        ),
        Group(
            key="json-4m-c64",
            title="JSON, 4 MB, 64 in flight",
            figures=("peak_mb", "images_per_s", "mb_per_s", "cpu_s_per_gb"),
            reference="gather",
            rows=_rows(
                "json-4m-c64",
                "json",
                "4m",
                64,
                big,
                requests=200,
                not_quick={"openai", "requests", "veniceresch", "venice-py"},
            ),
        ),
    ]


def _saturated() -> list[Group]:
    ours = ("discard", "limit", "generate", "save", "gather", "gather-uvloop")
    return [
        Group(
            key="json-1500k-c64",
            title="JSON, 1.5 MB, 64 in flight",
            figures=_RATE,
            reference="gather",
            rows=_rows("json-1500k-c64", "json", "1500k", 64, ours, requests=600),
        ),
        _lag(),
        Group(
            key="tls-json-1500k-c64",
            title="TLS, JSON, 1.5 MB, 64 in flight",
            figures=_RATE,
            reference="gather",
            rows=_rows(
                "tls-json-1500k-c64",
                "json",
                "1500k",
                64,
                ("discard", "limit", "aiohttp", "save", "gather"),
                requests=300,
                tls=True,
                not_quick={"aiohttp", "save"},
            ),
        ),
    ]


def _lag() -> Group:
    """How late a loop is that is never idle; its percentiles need many turns of it."""
    clients = ("discard", *_PEERS, "save", "gather", "gather-uvloop")
    slow = {*_PEERS, "save", "gather-uvloop"}
    key = "lag-json-1500k-c64"
    rows = _rows(key, "json", "1500k", 64, clients, requests=600, lag=True, not_quick=slow)
    discard = attrs.evolve(rows[0], requests=rows[0].requests * _MORE_TURNS)
    return Group(
        key=key,
        title="event loop's lag, JSON, 1.5 MB, 64 in flight",
        figures=_LAG,
        reference="gather",
        rows=(discard, *rows[1:]),
    )


def _small() -> list[Group]:
    names = ("discard", "limit", "aiohttp", "save", "gather")
    tiny = ("discard", "limit", *_PEERS, "generate", "save", "gather")
    return [
        Group(
            key="json-200k-c16",
            title="JSON, 200 KB, 16 in flight",
            figures=_RATE,
            reference="save",
            rows=_rows("json-200k-c16", "json", "200k", 16, names, requests=2500),
        ),
        Group(
            key="json-1k-c16",
            title="JSON, 1 KB, 16 in flight",
            figures=_TINY,
            reference="discard",
            rows=_rows("json-1k-c16", "json", "1k", 16, tiny, requests=4000, not_quick=_PEERS),
        ),
    ]


def _other() -> list[Group]:
    one = _rows("variants", "json", "1500k", 16, ("gather", "save"), requests=400)
    four = _rows("variants", "four", "1500k", 16, ("gather", "save"), requests=400)
    rows = [attrs.evolve(row, name=f"{row.client}-1") for row in one]
    rows += [attrs.evolve(row, name=f"{row.client}-4") for row in four]
    gzip = ("aiohttp", "httpx", "save", "gather")
    return [
        Group(
            key="variants",
            title="one image of 1.5 MB in an answer, or four of a quarter each (variants=4), 16 in flight",
            figures=("mb_per_s", "images_per_s", "cpu_s_per_gb", "peak_mb"),
            reference="gather-1",
            rows=tuple(rows),
        ),
        _growth(),
        _durability(),
        Group(
            key="import",
            title="importing, in a fresh process",
            figures=("milliseconds",),
            reference="aiohttp",
            rows=tuple(Row(group="import", name=name, client=name) for name in _IMPORTED),
        ),
        Group(
            key="gzip-1500k-c16",
            title="JSON compressed by gzip, 1.5 MB, 16 in flight",
            figures=_RATE,
            reference="gather",
            rows=_rows("gzip-1500k-c16", "gzip", "1500k", 16, gzip, requests=200, compression="gzip"),
        ),
    ]


def _growth() -> Group:
    """The same with ever more requests."""
    counts = {"10": 10, "1000": 1_000, "most": 100_000}
    (row,) = _rows("growth", "json", "1k", 16, ("gather",), requests=1)
    return Group(
        key="growth",
        title="gather_generate, from few requests to many: JSON, 1 KB, 16 in flight",
        figures=_GROWTH,
        reference="1000",
        rows=tuple(
            attrs.evolve(row, name=name, requests=count, scales=False) for name, count in counts.items()
        ),
    )


def _durability() -> Group:
    """What it costs that purchases survive a power cut, on a disk: in memory there is nothing to wait for."""
    rows = _rows("power-200k-c16", "json", "200k", 16, ("gather", "gather-power"), requests=1000)
    return Group(
        key="power-200k-c16",
        title='durability="process" and "power" on a disk: JSON, 200 KB, 16 in flight',
        figures=_RATE,
        reference="gather",
        rows=tuple(attrs.evolve(row, disk=True) for row in rows),
    )


def all_groups() -> list[Group]:
    """Everything that there is."""
    return [*_against_peers(), *_saturated(), *_small(), *_other()]


def for_quick(groups: Iterable[Group]) -> list[Group]:
    """Fewer rows, and fewer requests in each."""

    def quick(row: Row) -> Row:
        if row.name == "most":
            return attrs.evolve(row, requests=_QUICK_MOST)
        fewer = max(row.concurrency, int(row.requests * _QUICK))
        return attrs.evolve(row, requests=fewer) if row.scales else row

    return [
        attrs.evolve(group, rows=tuple(quick(row) for row in group.rows if row.quick)) for group in groups
    ]


def chosen(groups: Iterable[Group], patterns: Iterable[str]) -> list[Group]:
    """The rows whose key, or whose group's key, one of the patterns fits; all where there are none."""
    patterns = list(patterns)

    def fits(row: Row) -> bool:
        return not patterns or any(
            fnmatchcase(name, pattern) for pattern in patterns for name in (row.key, row.group)
        )

    kept = [attrs.evolve(group, rows=tuple(filter(fits, group.rows))) for group in groups]
    return [group for group in kept if group.rows]
