"""How the waiting of many calls is ended at once."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import anyio

__all__ = ["Halt", "NotSentError"]


class NotSentError(Exception):
    """The wait for an attempt was ended by a halt."""


class Halt:
    """Ends the waiting of the calls that were given it; what is in flight goes on."""

    def __init__(self) -> None:
        self.called = False
        self._scopes: set[anyio.CancelScope] = set()

    def call(self) -> None:
        """End it, now and from now on."""
        self.called = True
        for scope in self._scopes:
            scope.cancel()

    def check(self) -> None:
        """Raise a `NotSentError` if it was called."""
        if self.called:
            raise NotSentError

    @contextmanager
    def ending(self) -> Generator[None, None, None]:
        """End the block when the halt is called.

        Raises:
            NotSentError: It was.
        """
        if not self.called:
            with anyio.CancelScope() as scope:
                self._scopes.add(scope)
                try:
                    yield
                finally:
                    self._scopes.discard(scope)
            if not scope.cancelled_caught:
                return
        raise NotSentError
