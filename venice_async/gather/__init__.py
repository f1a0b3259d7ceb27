"""Many requests to outcomes."""

from .batch import OutcomeStream, gather_generate, stream_generate
from .source import What

__all__ = ["OutcomeStream", "What", "gather_generate", "stream_generate"]
