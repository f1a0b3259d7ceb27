"""The request pool: places, permits, attempts, and all the waiting there is."""

from .admission import Admission
from .halt import Halt, NotSentError
from .pool import BeforeSend, Pool, confirmed

__all__ = ["Admission", "BeforeSend", "Halt", "NotSentError", "Pool", "confirmed"]
