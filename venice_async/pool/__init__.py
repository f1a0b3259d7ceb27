"""The request pool: places, permits, attempts, and all the waiting there is."""

from .halt import Halt, NotSentError
from .pool import Admission, BeforeSend, Pool, confirmed

__all__ = ["Admission", "BeforeSend", "Halt", "NotSentError", "Pool", "confirmed"]
