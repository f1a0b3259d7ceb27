"""An embedded server that answers as the Venice.ai image API does: names, nothing else.

1. It is written from the API's documentation. It imports nothing from the client, so that the two
   cannot share a mistake.
2. It paints for itself, costs nothing, needs no key and listens on this machine only.
"""

from __future__ import annotations

from .account import Account, RequestRecord
from .fault import Fault
from .headers import FromNow
from .server import Sandbox

__all__ = ["Account", "Fault", "FromNow", "RequestRecord", "Sandbox"]
