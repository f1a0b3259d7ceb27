"""The record of a job's purchases: what was asked for, what was sent, and what is paid for.

A purchase is recorded in three steps, each of them committed before the next begins:

1. *intent*: the item, the number of the attempt, its seed and its cost, before anything is sent;
2. *received*: the images are whole, checked and on the disk in `.venice/parts`, and what the answer
   said is written beside their hashes. From here on they are never bought again;
3. *done*: they have their names.

A journal that finds a purchase between two steps brings it to its end, see `recovery`. One process at
a time writes, in one thread; anybody may read.
"""

from .audit import Finding, audit, audit_files
from .forecast import Forecast
from .journal import DURABILITIES, Costs, Durability, Entry, Journal, Standing
from .reading import JournalReader, RecordedFile, RecordedImage, RecordedRun
from .records import load_error
from .redo import find_redos, forget
from .schema import PRIVATE, State, check_no_shards
from .sink import VERIFICATIONS, PurchaseSink, Verification, check_verification
from .status import FailureGroup, JournalStatus
from .waiting import write_waits

__all__ = [
    "DURABILITIES",
    "PRIVATE",
    "VERIFICATIONS",
    "Costs",
    "Durability",
    "Entry",
    "FailureGroup",
    "Finding",
    "Forecast",
    "Journal",
    "JournalReader",
    "JournalStatus",
    "PurchaseSink",
    "RecordedFile",
    "RecordedImage",
    "RecordedRun",
    "Standing",
    "State",
    "Verification",
    "audit",
    "audit_files",
    "check_no_shards",
    "check_verification",
    "find_redos",
    "forget",
    "load_error",
    "write_waits",
]
