"""What the server has seen, and what it has charged.

1. `Account` is a snapshot and never changes; `Books` holds what changes, under one lock, because
   a sandbox in its own thread is read from another.
2. Only POSTs to the two image end points count in an `Account`; every request has a record.
3. received == answered + refused + broken + in_flight, at any moment.
4. Memory is bounded: the latest records only, and long bodies are abbreviated.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import define, field, frozen

__all__ = ["Account", "Books", "RequestRecord", "abbreviate"]

_LONG_STRING = 2_048
_LONG_BODY = 4_096
_MOST_ENTRIES = 32
_DEEPEST = 6


@frozen
class Account:
    """How many image requests came, and how each of them ended.

    A request whose client left is billed if its generation had begun.

    Attributes:
        received: Requests whose head arrived.
        answered: Requests that got a whole answer with a status below 400, damaged or not.
        refused: Requests that got a whole answer with a status of 400 or above.
        broken: Requests that got no whole answer: reset, cut short, or the client had left.
        locked_out: Requests that came while the abuse rule had locked their key out.
        in_flight: Requests that are still being answered.
        peak_in_flight: The most that were in flight at once.
        billed: Requests that were charged for, whatever became of their answer.
        billed_images: Images that were charged for; one request may hold several.
        billed_rewrites: Prompts whose rewriting was charged for.
        blocked: Requests whose pictures were blocked.
        billed_usd: What was charged in all, in US dollars.
        balance_usd: What is left, in US dollars.
        by_status: Requests by the status of the answer's head; one that got no head is in none.
    """

    received: int
    answered: int
    refused: int
    broken: int
    locked_out: int
    in_flight: int
    peak_in_flight: int
    billed: int
    billed_images: int
    billed_rewrites: int
    blocked: int
    billed_usd: Decimal
    balance_usd: Decimal
    by_status: Mapping[int, int]


@define(eq=False)
class RequestRecord:
    """One request as it was received; `status`, `billed` and `complete` follow as it is answered.

    Attributes:
        method: The HTTP method.
        path: The path, without the query.
        headers: The header fields, names in lower case, without Authorization.
        received_at: Unix time in seconds.
        body: The parsed JSON body, abbreviated where it is long; None if there was none to parse.
        status: The status of the answer's head; None as long as no head has been sent.
        billed: Whether it was charged for.
        billed_images: Images that it was charged for.
        billed_usd: What was charged for it in all, in US dollars.
        blocked: Whether its pictures were blocked.
        complete: Whether the whole answer was sent.
        locked_out: Whether it came while the abuse rule had locked its key out.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    received_at: float
    body: Any = None
    status: int | None = None
    billed: bool = False
    billed_images: int = 0
    billed_usd: Decimal = Decimal(0)
    blocked: bool = False
    complete: bool = False
    locked_out: bool = False


@define
class Books:
    """The records and the running totals.

    Args:
        balance: US dollars to begin with.
        keep: Records that are kept, the latest; at least 0.
    """

    _balance: Decimal
    _keep: int
    _records: deque[RequestRecord] = field(init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)
    _open: set[RequestRecord] = field(factory=set, init=False)
    _count: Counter[str] = field(factory=Counter, init=False)
    _by_status: Counter[int] = field(factory=Counter, init=False)
    _billed_usd: Decimal = field(default=Decimal(0), init=False)

    def __attrs_post_init__(self) -> None:
        self._records = deque(maxlen=self._keep)

    def receive(self, method: str, path: str, headers: Mapping[str, str], *, counts: bool) -> RequestRecord:
        """Open the record of a request; `counts` says whether it is an image request."""
        kept = {name.lower(): value for name, value in headers.items() if name.lower() != "authorization"}
        record = RequestRecord(method, path, kept, time.time())
        with self._lock:
            self._records.append(record)
            if counts:
                self._count["received"] += 1
                self._open.add(record)
                self._count["peak"] = max(self._count["peak"], len(self._open))
        return record

    def charge(self, record: RequestRecord, images: int, price: Decimal, *, rewritten: bool) -> bool:
        """Charge `price` for `images` images; False, and nothing done, if the balance is too low.

        `rewritten` says whether the rewriting of a prompt is part of it.
        """
        with self._lock:
            if price > self._balance:
                return False
            self._balance -= price
            self._billed_usd += price
            self._count["billed"] += 1
            self._count["images"] += images
            self._count["rewrites"] += rewritten
            record.billed, record.billed_images, record.billed_usd = True, images, price
        return True

    def settle(self, record: RequestRecord) -> None:
        """Count a request by what its record says, unless that is done or it does not count."""
        with self._lock:
            if record not in self._open:
                return
            self._open.remove(record)
            self._count["locked_out"] += record.locked_out
            self._count["blocked"] += record.blocked
            if record.status is not None:
                self._by_status[record.status] += 1
            if record.status is None or not record.complete:
                self._count["broken"] += 1
            else:
                self._count["answered" if record.status < 400 else "refused"] += 1

    @property
    def balance(self) -> Decimal:
        """What is left, in US dollars."""
        with self._lock:
            return self._balance

    def account(self) -> Account:
        """Take a snapshot of the totals."""
        with self._lock:
            return Account(
                received=self._count["received"],
                answered=self._count["answered"],
                refused=self._count["refused"],
                broken=self._count["broken"],
                locked_out=self._count["locked_out"],
                in_flight=len(self._open),
                peak_in_flight=self._count["peak"],
                billed=self._count["billed"],
                billed_images=self._count["images"],
                billed_rewrites=self._count["rewrites"],
                blocked=self._count["blocked"],
                billed_usd=self._billed_usd,
                balance_usd=self._balance,
                by_status=dict(self._by_status),
            )

    def records(self) -> list[RequestRecord]:
        """List the records that are kept, oldest first."""
        with self._lock:
            return list(self._records)


def abbreviate(body: Any, size: int) -> Any:
    """Cut the long parts of a parsed body of `size` bytes; a short one stays as it is."""
    return body if size <= _LONG_BODY else _cut(body, _DEEPEST)


def _cut(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONG_STRING else f"{value[:64]}... ({len(value)} characters)"
    if isinstance(value, dict | list) and depth == 0:
        return "..."
    if isinstance(value, list):
        return [_cut(entry, depth - 1) for entry in value[:_MOST_ENTRIES]]
    if isinstance(value, dict):
        entries = list(value.items())[:_MOST_ENTRIES]
        return {_cut(name, 1): _cut(entry, depth - 1) for name, entry in entries}
    return value
