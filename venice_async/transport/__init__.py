"""HTTP through aiohttp: the only client room that imports it."""

from .exchange import Exchange
from .transport import Transport

__all__ = ["Exchange", "Transport"]
