"""A store in a Redis server: sends, failures, pauses, leases and budgets of processes on many machines."""

from .store import RedisStore

__all__ = ["RedisStore"]
