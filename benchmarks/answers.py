"""The canned answers: valid images of random bytes, in every form in which the API sends them.

1. An answer is a file below its own base URL, such as `json/1500k/api/v1/image/generate`, so that a
   client chooses by its base URL alone and any server of files can answer.
2. The bytes are the same in every run of every machine: an image is known by its size.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
from pathlib import Path
from typing import Any, Literal

from attrs import frozen

__all__ = ["API", "FORMS", "MODEL", "SIZES", "VARIANTS", "Answer", "Form", "picture", "write_answers"]

Form = Literal["json", "gzip", "binary", "four"]

API = "api/v1"
MODEL = "stub"
SIZES = {"1k": 1_000, "200k": 200_000, "1500k": 1_500_000, "4m": 4_000_000}  # bytes of an answer's images
FORMS: tuple[Form, ...] = ("json", "gzip", "binary", "four")
VARIANTS = 4

_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_TIMING = {
    "inferenceDuration": 2000,
    "inferencePreprocessingTime": 10,
    "inferenceQueueTime": 5,
    "total": 2015,
}
_MODELS: dict[str, Any] = {
    "data": [
        {
            "id": MODEL,
            "type": "image",
            "created": 1,
            "owned_by": "venice.ai",
            "object": "model",
            "model_spec": {"pricing": {"generation": {"usd": 0.01, "diem": 0.1}}},
        }
    ],
    "object": "list",
    "type": "image",
}
_RATE_LIMITS: dict[str, Any] = {"data": {"rateLimits": [], "balances": {"USD": 100, "DIEM": 0}}}


def picture(kind: Literal["png", "webp"], size: int) -> bytes:
    """An image by its marks at both ends, of exactly so many bytes that cannot be compressed."""
    noise = random.Random(size).randbytes(size)  # the same in every run
    if kind == "png":
        head, end = b"\x89PNG\r\n\x1a\n", _PNG_END
    else:
        head, end = b"RIFF" + (size - 8).to_bytes(4, "little") + b"WEBPVP8 ", b""
    return head + noise[: size - len(head) - len(end)] + end


@frozen
class Answer:
    """One canned answer.

    Attributes:
        form: `json` holds one image in base64, `four` four of them, `gzip` is `json` compressed, and
            `binary` is the image itself.
        size: A key of `SIZES`.
    """

    form: Form
    size: str

    @property
    def prefix(self) -> str:
        """The base URL's path, without the server and without slashes at its ends."""
        return f"{self.form}/{self.size}/{API}"

    @property
    def images(self) -> int:
        """How many images it holds."""
        return VARIANTS if self.form == "four" else 1

    @property
    def content_type(self) -> str:
        """What the server says it is."""
        return "image/png" if self.form == "binary" else "application/json"

    @property
    def picture(self) -> bytes:
        """The image that it holds once or several times."""
        return picture("png" if self.form == "binary" else "webp", SIZES[self.size] // self.images)

    def digest(self) -> str:
        """The SHA-256 of each of its images."""
        return hashlib.sha256(self.picture).hexdigest()

    def body(self) -> bytes:
        """What goes over the wire."""
        if self.form == "binary":
            return self.picture
        encoded = base64.b64encode(self.picture).decode()
        fields = {
            "id": "generate-image-1",
            "images": [encoded] * self.images,
            "request": {"model": MODEL, "prompt": "a fox"},
            "timing": _TIMING,
        }
        text = json.dumps(fields, separators=(",", ":")).encode()
        # The level of nginx, and of most proxies in front of an API.
        return gzip.compress(text, 1, mtime=0) if self.form == "gzip" else text


def write_answers(folder: Path, answers: set[Answer]) -> None:
    """Put these answers, and the small end points beside each, where a server of files finds them."""
    for answer in answers:
        root = folder / answer.prefix
        for path, body in (
            ("image/generate", answer.body()),
            ("models", json.dumps(_MODELS).encode()),
            ("api_keys/rate_limits", json.dumps(_RATE_LIMITS).encode()),
        ):
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)
