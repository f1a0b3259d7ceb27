"""What a batch makes of a server that cannot be reached.

1. Pure: `now` is seconds on a monotonic clock and is passed in.
2. Nothing was sent, so no item is to blame: all of them pause, with growing waits.
3. What was never reached in a run is given up sooner than what was.
"""

from __future__ import annotations

import math

from attrs import define, field

from venice_async.errors import ConnectError, VeniceError

from .retry import RetryPolicy

__all__ = ["ItemRetries", "Outage", "asks_too_long", "unreached"]

_NEVER_REACHED = 120.0  # seconds, after which an address is taken for a wrong one
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 30.0


def unreached(error: VeniceError) -> bool:
    """Whether no connection was made at all, so that the error concerns every request."""
    return isinstance(error, ConnectError) and not error.connected


@define
class Outage:
    """Whether the server can be reached.

    Args:
        max_wait: Seconds for which it may not be, once it was; None for any time.

    Attributes:
        until: When the pause is over.
    """

    max_wait: float | None
    until: float = field(init=False, default=-math.inf)
    _reached: bool = field(init=False, default=False)
    _since: float | None = field(init=False, default=None)
    _pauses: int = field(init=False, default=0)

    def failed(self, now: float) -> None:
        """An attempt could not connect; those that were under way when a pause began belong to it."""
        if self._since is None:
            self._since = now
        if now >= self.until:
            wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(self._pauses, 10))
            self._pauses += 1
            self.until = min(now + wait, max(now, self.gives_up_at))

    def reached(self) -> None:
        """An answer came."""
        self._reached = True
        self._since, self._pauses, self.until = None, 0, -math.inf

    @property
    def gives_up_at(self) -> float:
        """When to wait no longer; infinity for never, or where nothing is waited for."""
        if self._since is None:
            return math.inf
        patience = math.inf if self.max_wait is None else self.max_wait
        return self._since + (patience if self._reached else min(_NEVER_REACHED, patience))

    def lasted(self, now: float) -> float:
        """Seconds since the first attempt that could not connect."""
        return 0.0 if self._since is None else now - self._since

    def is_over(self, now: float) -> bool:
        """Whether it has lasted for as long as it may."""
        return now >= self.gives_up_at


@define
class ItemRetries:
    """The attempts at one item of a batch: those that could not connect do not count.

    Args:
        policy: For all others.
        max_wait: Seconds that are waited for at most; None for any time.
    """

    policy: RetryPolicy
    max_wait: float | None = None
    _attempts: int = field(init=False, default=0)

    def wait(self, error: VeniceError, _: int, /, *, random: float) -> float | None:
        """As `RetryPolicy.wait`; the item's own attempts count, over all calls."""
        if unreached(error):
            return None
        self._attempts += 1
        wait = self.policy.wait(error, self._attempts, random=random)
        return None if asks_too_long(error, self.max_wait) else wait


def asks_too_long(error: VeniceError, max_wait: float | None) -> bool:
    """Whether the server asks to wait for longer than is waited for."""
    asked = getattr(error, "retry_after", None)
    return max_wait is not None and asked is not None and asked > max_wait
