"""A store in an SQLite file, for the processes of one machine.

1. Every step is one immediate transaction, in a thread: the file's lock makes it atomic.
2. A flight counts as long as its process lives, and never for longer than an answer may take.
3. After a restart of the machine its clock begins anew: what lies in the future is forgotten.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from venice_async.errors import StoreError
from venice_async.policy.guard import WINDOW, Caution
from venice_async.policy.pace import Pace
from venice_async.storage.writer import WriterThread

from . import leases
from .store import Leave

__all__ = ["SqliteStore"]

T = TypeVar("T")

_BUSY = 5.0  # seconds to wait for the file's lock
_TURN = 0.01
_LONGEST_FLIGHT = 600.0  # seconds
_MISSED_AT_MOST = 10_000  # sends
_SOON = 1.0  # seconds of a time in the future that are no sign of another clock

_TABLES = """
CREATE TABLE IF NOT EXISTS sends (
    id INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, at REAL NOT NULL, pid INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS sends_by_time ON sends (bucket, at);
CREATE TABLE IF NOT EXISTS failures (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, pid INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS flights (id INTEGER PRIMARY KEY, at REAL NOT NULL, pid INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS pauses (bucket TEXT PRIMARY KEY, until REAL NOT NULL);
CREATE TABLE IF NOT EXISTS leases (
    name TEXT PRIMARY KEY, token INTEGER NOT NULL, at REAL NOT NULL, until REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS claims (
    job TEXT NOT NULL, part TEXT NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (job, part)
);
"""
_EVERY_BUCKET = ""


class SqliteStore:
    """A store in an SQLite file, which is made if need be.

    Args:
        path: The file, in a directory that exists.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = WriterThread()
        self._connection: sqlite3.Connection | None = None
        self._broken: StoreError | None = None
        self._pid = os.getpid()
        self._seen_sends: dict[str, int] = {}
        self._seen_failures = 0
        self._missed_sends: deque[tuple[str, float, int]] = deque(maxlen=_MISSED_AT_MOST)
        self._missed_ends: list[tuple[int]] = []

    async def open(self) -> None:
        """Connect.

        Raises:
            StoreError: The file cannot be opened, or is no such store.
        """
        try:
            await self._thread.submit(self._open)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go; what this process has recorded stays until it expires."""
        try:
            # In its turn: an opening that was cancelled may still be running.
            await self._thread.submit(self._close)
        finally:
            await self._thread.close()

    async def take(self, bucket: str, pace: Pace, caution: Caution, units: int = 1) -> Leave:
        """Ask to send from a bucket, and record the sends if they may go: all of them, or none.

        Args:
            bucket: A model's id, or what stands for the whole key.
            pace: What this process knows of the bucket.
            caution: How careful this process is.
            units: Images that the request asks for: each is a send.

        Raises:
            StoreError: The store cannot be used.
        """
        return await self._step(partial(self._take, bucket=bucket, pace=pace, caution=caution, units=units))

    async def ended(self, flight: int, *, failed: bool) -> None:
        """A send is over.

        Raises:
            StoreError: The store cannot be used.
        """
        await self._step(partial(self._ended, flight=flight, failed=failed))

    async def pause(self, bucket: str | None, until: float) -> None:
        """Let nobody send from a bucket (None: from any) before a time.

        Raises:
            StoreError: The store cannot be used.
        """
        await self._step(partial(self._pause, bucket=bucket or _EVERY_BUCKET, until=until))

    def missed_send(self, bucket: str, at: float, units: int = 1) -> None:
        """Note sends of one request that was made while the store could not be asked."""
        self._missed_sends.extend([(bucket, at, self._pid)] * units)

    def missed_end(self, flight: int) -> None:
        """Note the end of a send that the store could not be told."""
        self._missed_ends.append((flight,))

    async def resume(self) -> bool:
        """Whether a store that failed can be used again; it has recorded then what it missed."""
        sends, ends = list(self._missed_sends), list(self._missed_ends)
        self._broken = None
        try:
            await self._step(partial(self._record, sends=sends, ends=ends))
        except StoreError:
            return False
        for _ in sends:
            self._missed_sends.popleft()
        del self._missed_ends[: len(ends)]
        return True

    async def lease(self, name: str, seconds: float) -> int | None:
        """Take a lease that nobody holds.

        Args:
            name: The lease's.
            seconds: For how long.

        Returns:
            Its token, larger than every earlier one of the name; None while somebody holds it.

        Raises:
            StoreError: The store cannot be used.
        """
        return await self._step(partial(leases.lease, name=name, seconds=seconds))

    async def renew(self, name: str, token: int, seconds: float) -> bool:
        """Hold a lease for so long from now, also one that ran out or was forgotten.

        Returns:
            False where somebody else has taken it since.

        Raises:
            StoreError: The store cannot be used.
        """
        return await self._step(partial(leases.renew, name=name, token=token, seconds=seconds))

    async def release(self, name: str, token: int) -> None:
        """Give a lease back; a token that somebody else's has followed has no effect.

        Raises:
            StoreError: The store cannot be used.
        """
        await self._step(partial(leases.release, name=name, token=token))

    async def claim(self, job: str, part: str, amount: int, limit: int) -> bool:
        """Let a part of a job hold an amount in all, in millionths of a US dollar.

        Args:
            job: The job's name.
            part: The part's.
            amount: What it has spent and set aside, instead of what it held.
            limit: What all parts may hold together.

        Returns:
            False where that would be more than the limit, and more than the part held: nothing changed.

        Raises:
            StoreError: The store cannot be used.
        """
        return await self._step(partial(leases.claim, job=job, part=part, amount=amount, limit=limit))

    async def _step(self, step: Callable[[sqlite3.Connection], T]) -> T:
        return await self._thread.submit(partial(self._transact, step))

    def _open(self) -> None:
        with _store_errors(self._path):
            connection = sqlite3.connect(
                self._path, timeout=_BUSY, isolation_level=None, check_same_thread=False
            )
            try:
                _turn_to_wal(connection)
                # After a power cut nothing of this is true any more.
                connection.execute("PRAGMA synchronous = OFF")
                connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
            except BaseException:
                connection.close()
                raise
            self._connection = connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _transact(self, step: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            raise StoreError(f"{self._path}: the store is closed")
        if self._broken is not None:
            raise self._broken  # what is queued behind a step that failed would wait as long for nothing
        try:
            return self._transaction(self._connection, step)
        except StoreError as exc:
            self._broken = exc
            raise

    def _transaction(self, connection: sqlite3.Connection, step: Callable[[sqlite3.Connection], T]) -> T:
        with _store_errors(self._path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = step(connection)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            return result

    def _take(
        self, sql: sqlite3.Connection, *, bucket: str, pace: Pace, caution: Caution, units: int
    ) -> Leave:
        now = time.monotonic()
        self._forget(sql, bucket, now, pace)
        sends, failures = self._news(sql, bucket)
        seconds = self._seconds(sql, bucket, pace, caution, units, now)
        flight = None
        if seconds == 0:
            rows = [(bucket, now, self._pid)] * units
            sql.executemany("INSERT INTO sends (bucket, at, pid) VALUES (?, ?, ?)", rows)
            flight = sql.execute("INSERT INTO flights (at, pid) VALUES (?, ?)", (now, self._pid)).lastrowid
        (processes,) = sql.execute(
            "SELECT count(DISTINCT pid) FROM sends WHERE bucket = ?", (bucket,)
        ).fetchone()
        return Leave(
            seconds=seconds, flight=flight, sends=sends, failures=failures, processes=max(1, processes)
        )

    def _seconds(
        self, sql: sqlite3.Connection, bucket: str, pace: Pace, caution: Caution, units: int, now: float
    ) -> float | None:
        (in_flight,) = sql.execute("SELECT count(*) FROM flights").fetchone()
        failures = _Times(sql, "failures", "1", ())
        leave = caution.wait(now, failures, in_flight)
        if leave is None:
            return None
        (until,) = sql.execute(
            "SELECT coalesce(max(until), 0) FROM pauses WHERE bucket IN (?, ?)", (bucket, _EVERY_BUCKET)
        ).fetchone()
        sends = _Times(sql, "sends", "bucket = ?", (bucket,))
        return max(leave, pace.wait(sends, now, units), float(until) - now, 0.0)

    def _news(self, sql: sqlite3.Connection, bucket: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """What other processes did since the last look."""
        sends = sql.execute(
            "SELECT id, at FROM sends WHERE bucket = ? AND id > ? AND pid != ? ORDER BY at",
            (bucket, self._seen_sends.get(bucket, 0), self._pid),
        ).fetchall()
        failures = sql.execute(
            "SELECT id, at FROM failures WHERE id > ? AND pid != ? ORDER BY at",
            (self._seen_failures, self._pid),
        ).fetchall()
        if sends:
            self._seen_sends[bucket] = max(identifier for identifier, _ in sends)
        if failures:
            self._seen_failures = max(identifier for identifier, _ in failures)
        return tuple(at for _, at in sends), tuple(at for _, at in failures)

    def _forget(self, sql: sqlite3.Connection, bucket: str, now: float, pace: Pace) -> None:
        future = now + _SOON
        sql.execute(
            "DELETE FROM sends WHERE (bucket = ? AND at < ?) OR at > ?", (bucket, now - 2 * pace.span, future)
        )
        sql.execute("DELETE FROM failures WHERE at < ? OR at > ?", (now - WINDOW, future))
        sql.execute("DELETE FROM flights WHERE at < ? OR at > ?", (now - _LONGEST_FLIGHT, future))
        sql.execute("DELETE FROM pauses WHERE until < ? OR until > ?", (now, now + _LONGEST_FLIGHT * 6))
        for (pid,) in sql.execute("SELECT DISTINCT pid FROM flights").fetchall():
            if not _is_alive(pid):
                sql.execute("DELETE FROM flights WHERE pid = ?", (pid,))

    def _ended(self, sql: sqlite3.Connection, *, flight: int, failed: bool) -> None:
        sql.execute("DELETE FROM flights WHERE id = ?", (flight,))
        if failed:
            sql.execute("INSERT INTO failures (at, pid) VALUES (?, ?)", (time.monotonic(), self._pid))

    def _record(
        self, sql: sqlite3.Connection, *, sends: list[tuple[str, float, int]], ends: list[tuple[int]]
    ) -> None:
        """Catch up with what was missed; fails where a step of any kind would."""
        sql.executemany("INSERT INTO sends (bucket, at, pid) VALUES (?, ?, ?)", sends)
        sql.executemany("DELETE FROM flights WHERE id = ?", ends)
        for table in ("failures", "pauses"):
            sql.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - the names stand here

    def _pause(self, sql: sqlite3.Connection, *, bucket: str, until: float) -> None:
        sql.execute(
            "INSERT INTO pauses VALUES (?, ?)"
            " ON CONFLICT (bucket) DO UPDATE SET until = max(until, excluded.until)",
            (bucket, until),
        )


@frozen
class _Times:
    """Times in the file, asked as `Sends` is."""

    sql: sqlite3.Connection
    table: str
    where: str
    values: tuple[str, ...]

    def newest(self, nth: int) -> float:
        """When the `nth` newest was, from 1; minus infinity where there are not that many."""
        query = f"SELECT at FROM {self.table} WHERE {self.where} ORDER BY at DESC LIMIT 1 OFFSET ?"  # noqa: S608
        row = self.sql.execute(query, (*self.values, nth - 1)).fetchone()
        return -float("inf") if row is None else float(row[0])

    def count(self, after: float) -> int:
        """How many there were later than `after`."""
        query = f"SELECT count(*) FROM {self.table} WHERE {self.where} AND at > ?"  # noqa: S608
        (number,) = self.sql.execute(query, (*self.values, after)).fetchone()
        return int(number)


def _turn_to_wal(connection: sqlite3.Connection) -> None:
    """Have readers not wait for writers; the one step for which SQLite itself does not wait its turn."""
    end = time.monotonic() + _BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_TURN)
        else:
            return


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _store_errors(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except (sqlite3.Error, ValueError, OverflowError) as exc:
        raise StoreError(f"{path}: the shared store cannot be used: {exc}") from exc
