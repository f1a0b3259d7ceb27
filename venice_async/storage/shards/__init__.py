"""A job in shards: one directory that many machines fill, each shard an ordinary job directory in it.

    into/.venice/shards.json            marks it: how large shards are, and what the job is
    into/.venice/receipts/00012.json    what became of a shard, as its worker tells it
    into/00012/                         the shard: its images, and a journal of its own

1. A journal is for one host at a time. While a shard is worked on nobody else opens its journal: what
   there is to know of it is in its receipt, and its worker says there first that it has begun.
2. Once its receipt says that its batch has ended, its journal is what counts.
3. This stands above the journal, which knows of one directory, and below datasets and galleries: whoever
   reads a job's directory opens it with `open_job`, and need not know which kind it is.
"""

from .layout import Mark, mark_sharded, read_mark, shard_directory
from .reading import JobReader, ShardedReader, ShardedStatus, audit_job, images_there, open_job
from .receipts import Receipt, read_receipt, read_receipts, receipt_of, write_receipt

__all__ = [
    "JobReader",
    "Mark",
    "Receipt",
    "ShardedReader",
    "ShardedStatus",
    "audit_job",
    "images_there",
    "mark_sharded",
    "open_job",
    "read_mark",
    "read_receipt",
    "read_receipts",
    "receipt_of",
    "shard_directory",
    "write_receipt",
]
