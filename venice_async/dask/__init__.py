"""Many machines: a job cut into shards, each of them one task of a Dask cluster.

`order` is what workers are told, `worker` carries a shard out, `job` hands shards out and sums up, `generate`
is the call.
"""

try:
    import distributed as _distributed
except ImportError as exc:
    from venice_async.errors import MissingExtraError

    raise MissingExtraError('a distributed job needs Dask: pip install "venice-async[dask]"') from exc

from .generate import distribute_generate
from .job import DistributedJob
from .order import SessionSettings

__all__ = ["DistributedJob", "SessionSettings", "distribute_generate"]

del _distributed
