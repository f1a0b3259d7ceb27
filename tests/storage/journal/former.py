"""A directory as the first version of the journal left it: images, and a journal in every state."""

import base64
import sqlite3
from contextlib import closing
from pathlib import Path

from venice_async import Inpaint
from venice_async.storage.journal.records import load_files

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 2 + b"\0\0\0\0IEND\xaeB`\x82"
PROMPTS = ["done", "failed", "billed", "unconfirmed", "done", "done too", "pending"]
JOB = {
    "model": "fluently-xl",
    "variants": 2,
    "duplicates": "skip",
    "inpaint": Inpaint(strength=50, source_image_base64=base64.b64encode(b"hello").decode()),
}
"""What the job was begun with, but for its prompts."""

NEWER = {"transparent_background": "yes", "anon_user_id": 7}
"""What the request of an item, `newer`, has among its fields; nobody knew either of them then."""

_DUMP = Path(__file__).parents[2] / "journals" / "version-1.sql"


def leave_behind(directory):
    """Make the directory as the first version left it."""
    private = directory / ".venice"
    (private / "parts").mkdir(parents=True)
    (private / "lock").touch()
    with closing(sqlite3.connect(private / "journal.sqlite3")) as connection:
        connection.executescript(_DUMP.read_text())
        for (files,) in connection.execute("SELECT files FROM items WHERE files IS NOT NULL"):
            for file in load_files(files):
                (directory / file.name).write_bytes(PICTURE)
