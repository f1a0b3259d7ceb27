"""A job's images as a dataset: `metadata.jsonl` beside them, and exports to what training tools read."""

from .metadata import write_metadata

__all__ = ["write_metadata"]
