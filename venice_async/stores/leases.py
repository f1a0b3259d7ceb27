"""Leases and claims in an SQLite file, each one step of a transaction.

1. A lease's times are on the machine's monotonic clock; one from the future is from before a restart of the
   machine, and has run out.
2. A token is the time of day in microseconds, or one more than the last: so it grows even past a new file.
3. A lease that was given back stays in the file, for the sake of its token.
"""

from __future__ import annotations

import sqlite3
import time

__all__ = ["claim", "lease", "release", "renew"]

_SOON = 1.0  # seconds of a time in the future that are no sign of another clock


def lease(sql: sqlite3.Connection, *, name: str, seconds: float) -> int | None:
    """Take a lease that nobody holds: its token, or None."""
    now = time.monotonic()
    row = sql.execute("SELECT token, at, until FROM leases WHERE name = ?", (name,)).fetchone()
    last, at, until = row or (0, now, now)
    if until > now and at <= now + _SOON:
        return None
    token = max(time.time_ns() // 1000, last + 1)
    _write(sql, name, token, now, seconds)
    return token


def renew(sql: sqlite3.Connection, *, name: str, token: int, seconds: float) -> bool:
    """Hold a lease for longer, unless somebody else has taken it."""
    row = sql.execute("SELECT token FROM leases WHERE name = ?", (name,)).fetchone()
    if row is not None and row[0] != token:
        return False
    _write(sql, name, token, time.monotonic(), seconds)
    return True


def release(sql: sqlite3.Connection, *, name: str, token: int) -> None:
    """Give a lease back, if the token is its last one."""
    sql.execute("UPDATE leases SET until = 0 WHERE name = ? AND token = ?", (name, token))


def claim(sql: sqlite3.Connection, *, job: str, part: str, amount: int, limit: int) -> bool:
    """Let a part of a job hold an amount, if the sum of all parts allows."""
    amounts = "SELECT coalesce(sum(amount), 0) FROM claims WHERE job = ? AND part"
    (held,) = sql.execute(f"{amounts} = ?", (job, part)).fetchone()
    (others,) = sql.execute(f"{amounts} != ?", (job, part)).fetchone()
    if amount > held and others + amount > limit:
        return False
    sql.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", (job, part, amount))
    return True


def _write(sql: sqlite3.Connection, name: str, token: int, now: float, seconds: float) -> None:
    sql.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)", (name, token, now, now + seconds))
