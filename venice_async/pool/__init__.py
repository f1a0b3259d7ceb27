"""The request pool: places, permits, attempts, and all the waiting there is."""

from .admission import Admission
from .halt import Halt, NotSentError
from .pool import AfterFailure, BeforeSend, Pool, Retries, confirmed

__all__ = ["Admission", "AfterFailure", "BeforeSend", "Halt", "NotSentError", "Pool", "Retries", "confirmed"]
