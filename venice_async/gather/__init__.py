"""Many requests to outcomes."""

from .again import stream_retry
from .batch import gather_generate, stream_generate
from .job import Duplicates
from .plan import Plan, plan_generate
from .redoing import redo, stream_redo
from .source import What
from .stream import OutcomeStream

__all__ = [
    "Duplicates",
    "OutcomeStream",
    "Plan",
    "What",
    "gather_generate",
    "plan_generate",
    "redo",
    "stream_generate",
    "stream_redo",
    "stream_retry",
]
