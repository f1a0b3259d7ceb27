"""What the tests of stores share: a Redis server."""

import pytest

from ..redis_server import RedisServer


@pytest.fixture(scope="module")
def running_redis():
    """A Redis server for a module's tests."""
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def redis_server(running_redis):
    """A Redis server that runs and is empty."""
    if running_redis.process is None:
        running_redis.start()
    running_redis.command("FLUSHALL")
    return running_redis
