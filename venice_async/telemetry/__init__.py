"""What a session tells of itself: numbers, log records, spans and metrics.

`calls` follows each call and each of its attempts, `meter` counts, `tracing` speaks to OpenTelemetry.
"""

from .calls import Attempt, Call, Telemetry

__all__ = ["Attempt", "Call", "Telemetry"]
