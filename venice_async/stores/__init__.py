"""What several processes share: sends, failures, pauses, leases, budgets.

1. A store checks and records in one atomic step: two processes never take the same permit.
2. Times that go in and come out are seconds on the machine's monotonic clock.
3. What a process leaves behind when it dies expires by itself.
"""

from .sqlite import SqliteStore
from .store import Leave, Store, open_store

__all__ = ["Leave", "SqliteStore", "Store", "open_store"]
