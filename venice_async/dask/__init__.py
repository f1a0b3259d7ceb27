"""Many machines: a job cut into shards, each of them one task of a Dask cluster.

`order` is what workers are told, `worker` carries a shard out, `job` hands shards out and sums up.
"""

try:
    import distributed as _distributed
except ImportError as exc:
    from venice_async.errors import MissingExtraError

    raise MissingExtraError('a distributed job needs Dask: pip install "venice-async[dask]"') from exc

from .job import DistributedJob, distribute_generate

__all__ = ["DistributedJob", "distribute_generate"]

del _distributed
