"""The connection to a Redis server: scripts go out, replies come back, and short outages are ridden out.

1. Foreign exceptions end here, and so does the password: no error shows it.
2. A call is tried again until the server has been away for `OUTAGE` seconds; from then on once each,
   and for a second after such a try nobody tries, so that no line of calls waits for one time-out after
   the other.
3. Scripts are made for that: one that ran, and whose answer was lost, changes nothing when it runs again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from attrs import frozen

from venice_async.errors import ConfigurationError, MissingExtraError, StoreError
from venice_async.policy.address import veiled

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["Link", "Reply"]

OUTAGE = 10.0  # seconds
_FIRST_DELAY = 0.02  # seconds, doubled with every try
_LONGEST_DELAY = 0.5
_ANSWER = 3.0  # seconds for a connection, and for one answer
_AFTER_ALL = 1.0  # seconds without a try, after the last of several
_AT_ONCE = 8  # calls, and so connections
_DEFAULT_SPACE = "default"


@frozen
class Reply:
    """A script's answer.

    Attributes:
        values: What it returned; the first is the server's time in microseconds.
        asked: When it was asked, on our clock.
        answered: When the answer was there.
    """

    values: list[Any]
    asked: float
    answered: float


class Link:
    """A connection to a Redis server, which is made when it is needed.

    Args:
        address: As `redis.asyncio.from_url` takes it; a fragment names the space of the keys.
        clock: Seconds on our clock.

    Raises:
        ConfigurationError: It is no such address.
        MissingExtraError: redis is not installed.
    """

    def __init__(self, address: str, clock: Callable[[], float]) -> None:
        self.name = veiled(address)
        self.prefix = _prefix(address, self.name)
        self._client, self._longest, self._secrets = _client(address, self.name)
        self._clock = clock
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._away_since: float | None = None
        self._lost: tuple[float, StoreError] | None = None
        self._open = False
        self._patient = True

    def open(self) -> None:
        """Let calls through."""
        self._open = True

    def give_up(self) -> None:
        """Try no call again from now on."""
        self._patient = False

    async def close(self) -> None:
        """End the connections."""
        self._open = self._patient = False
        await self._client.aclose()

    async def run(self, script: str, *arguments: str | int) -> Reply:
        """Run a script on the server.

        Raises:
            StoreError: The server cannot be reached, or refuses.
        """
        from redis import exceptions as redis  # noqa: PLC0415 - an extra

        again = (
            redis.ConnectionError,
            redis.TimeoutError,
            redis.ReadOnlyError,
            redis.ClusterDownError,
            OSError,
        )
        never = (redis.AuthenticationError, redis.AuthorizationError)
        delay = _FIRST_DELAY
        async with self._at_once:
            while True:
                self._check()
                asked = self._clock()
                try:
                    values = await self._ask(script, arguments)
                except never as exc:
                    raise self._error(exc) from self._shown(exc)
                except again as exc:
                    if self._is_over():
                        error = self._error(exc)
                        self._lost = asyncio.get_running_loop().time() + _AFTER_ALL, error
                        raise error from self._shown(exc)
                except (redis.RedisError, ValueError, TypeError) as exc:
                    raise self._error(exc) from self._shown(exc)
                else:
                    self._away_since = self._lost = None
                    return Reply(values, asked, self._clock())
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LONGEST_DELAY)

    async def _ask(self, script: str, arguments: tuple[str | int, ...]) -> list[Any]:
        try:
            async with asyncio.timeout(self._longest):
                values: list[Any] = await self._client.register_script(script)([self.prefix], list(arguments))
        except TimeoutError as exc:
            raise TimeoutError(f"no answer for {self._longest:g} s") from exc
        return values

    def _check(self) -> None:
        """Raise what a try would raise."""
        if not self._open:
            raise StoreError(f"{self.name}: the store is closed")
        if self._lost is not None and asyncio.get_running_loop().time() < self._lost[0]:
            raise StoreError(*self._lost[1].args)

    def _is_over(self) -> bool:
        """Whether the server has been away for too long; asked after a failure."""
        now = asyncio.get_running_loop().time()
        if self._away_since is None:
            self._away_since = now
        return not self._patient or now - self._away_since >= OUTAGE

    def _shown(self, exc: Exception) -> Exception | None:
        """What may be shown as an error's cause."""
        return None if any(secret in str(exc) for secret in self._secrets) else exc

    def _error(self, exc: Exception) -> StoreError:
        text = str(exc)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return StoreError(f"{self.name}: the shared store cannot be used: {text or type(exc).__name__}")


def _prefix(address: str, name: str) -> str:
    try:
        space = unquote(urlsplit(address).fragment)
    except ValueError:
        space = None
    if space is None:  # outside of the handler: what it caught may show the password
        raise ConfigurationError(f"shared={name!r}: this is no address of a Redis server")
    return f"venice_async:{space or _DEFAULT_SPACE}:"


def _client(address: str, name: str) -> tuple[Redis, float | None, list[str]]:
    """A client, the seconds that a call of it may take, and what no error may show."""
    try:
        from redis.asyncio import ConnectionPool, Redis  # noqa: PLC0415 - an extra
        from redis.asyncio.connection import parse_url  # noqa: PLC0415
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
    except ImportError as exc:
        raise MissingExtraError(f'{name} needs redis: pip install "venice-async[redis]"') from exc
    # An address may say how long to wait, not in what form answers come or who tries again. The wait for
    # an answer is ours: redis sends under `asyncio.wait_for`, which loses cancellations before Python 3.12.
    ours: dict[str, Any] = {
        "decode_responses": False,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": None,
    }
    client, longest = None, None
    with suppress(ValueError, TypeError):
        asked: dict[str, Any] = {"socket_connect_timeout": _ANSWER, **parse_url(address.partition("#")[0])}
        longest = asked.get("socket_timeout", _ANSWER) + asked["socket_connect_timeout"]
        client = Redis.from_pool(ConnectionPool(**{**asked, **ours}))
    if client is None:
        raise ConfigurationError(f"shared={name!r}: this is no address of a Redis server")
    settings = client.connection_pool.connection_kwargs
    secrets = [settings.get(key) for key in ("password", "ssl_password")]
    return client, longest, [secret for secret in secrets if secret]
