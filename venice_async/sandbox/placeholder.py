"""Pictures that stand in for others: the black one of a blocked answer, and one in a foreign format.

Imported after `paint`, which says what to install where Pillow is missing.
"""

from __future__ import annotations

import io

import pybase64
from PIL import Image

__all__ = ["AVIF", "black"]

# 8 x 8 pixels.
AVIF = pybase64.b64decode(
    b"AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAA"
    b"AAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAIwAAAChpaW5mAAAAAAABAAAA"
    b"GmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAACAAAAAgAAAAQcGl4aQAA"
    b"AAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAAK21kYXQS"
    b"AAoIGAi/aICGg0IyFR7Hh4VZ3///4sAAAJA1jjwuU4lYYA=="
)


def black(size: tuple[int, int], image_format: str) -> bytes:
    """Write a black picture in one of the API's formats."""
    encoded = io.BytesIO()
    Image.new("RGB", size).save(encoded, image_format.upper())
    return encoded.getvalue()
