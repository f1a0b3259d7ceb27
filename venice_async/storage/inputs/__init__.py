"""Prompts, requests and pictures from files.

1. Files are read through before anything is bought: a fault in them costs nothing.
2. However large a file is, a row of it at a time is in memory.

`files` opens them, `rows` takes them apart, `requests` makes requests of their rows.
"""

from .files import read_bytes, read_json, read_prompts
from .requests import RequestFile, read_requests, typed_cell
from .rows import FORMATS, RowFormat

__all__ = [
    "FORMATS",
    "RequestFile",
    "RowFormat",
    "read_bytes",
    "read_json",
    "read_prompts",
    "read_requests",
    "typed_cell",
]
