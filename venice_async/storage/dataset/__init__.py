"""A job's images as a dataset: `metadata.jsonl` beside them, and exports to what training tools read."""

from .export import ExportReport, export_dataset
from .metadata import write_metadata
from .shards import LAYOUTS, LayoutName

__all__ = ["LAYOUTS", "ExportReport", "LayoutName", "export_dataset", "write_metadata"]
