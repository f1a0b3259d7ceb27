"""The session: the one place that puts the parts together."""

from .reception import ImageStream, Sink
from .session import DEFAULT_BASE_URL, VeniceSession

__all__ = ["DEFAULT_BASE_URL", "ImageStream", "Sink", "VeniceSession"]
