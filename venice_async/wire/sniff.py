"""Which decoder an answer gets: decided by its first bytes.

1. An answer of status 200 was paid for: what its content type says about it costs nobody an image.
2. What is neither JSON nor an image is handed on as it came, to be kept, and refused at its end.
3. A page of HTML without any header of the API's own was not paid for: somebody else has answered.
"""

from __future__ import annotations

from typing import Any

from venice_async.errors import DecodeError
from venice_async.types.options import AnswerLimits
from venice_async.types.response import MAGIC_BYTES, detect_format

from .decode import AnswerDecoder, BinaryDecoder, JsonDecoder
from .images import Event
from .secret import Secret, SecretFilter
from .words import is_html, said_on

__all__ = ["SniffingDecoder"]

_WHITE_SPACE = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SHOWN = 4096  # bytes of a page, which begins with its title


class SniffingDecoder:
    """Looks at the first bytes of a body, and leaves the rest to the decoder that fits.

    Args:
        content_type: What the answer says it is, without parameters; for the error.
        limits: Bounds on the answer.
        secret: What neither the fields nor a body of no known kind may show.
        from_api: Whether the answer has a header of the API's own.
    """

    def __init__(
        self,
        content_type: str,
        limits: AnswerLimits = AnswerLimits(),
        secret: Secret = Secret(),
        *,
        from_api: bool = True,
    ) -> None:
        self._content_type = content_type
        self._limits = limits
        self._secret = secret
        self._from_api = from_api
        self._filter = SecretFilter(secret)
        self._head = b""
        self._decoder: AnswerDecoder | None = None
        self._refused = False
        self._page = b""  # the beginning of a body that is refused

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next chunk of the body and return what it completes.

        Raises:
            DecodeError: Invalid base64, or a bound was passed.
        """
        if self._decoder is None:
            chunk = self._head = self._head + chunk
            self._decoder = self._choose()
            if self._decoder is None:
                return []
            self._head = b""
            if isinstance(self._decoder, JsonDecoder):
                chunk = chunk.removeprefix(_BYTE_ORDER_MARK)
        if self._refused:
            chunk = self._filter.feed(chunk)
            self._page += chunk[: _SHOWN - len(self._page)]
        return self._decoder.feed(chunk)

    @property
    def images(self) -> int:
        """How many images have begun."""
        return 0 if self._decoder is None else self._decoder.images

    @property
    def text(self) -> bytes:
        """What of a JSON body is no image, as far as it has come; empty where the body is none."""
        return self._decoder.text if isinstance(self._decoder, JsonDecoder) else b""

    def close(self) -> dict[str, Any] | None:
        """Take the end of the body; its fields without the images, None where it has no fields.

        Raises:
            DecodeError: The body is neither JSON nor an image, or not whole.
        """
        if is_html(self._page or self._head):
            text = f"the answer is a page of HTML: {said_on(self._page or self._head)!r:.200}"
            raise DecodeError(text, billed=self._from_api)
        if self._refused or (self._decoder is None and self._head.strip(_WHITE_SPACE)):
            raise DecodeError(f"the answer ({self._content_type}) is neither a JSON object nor an image")
        if self._decoder is None:
            raise DecodeError("the answer is empty")
        return self._decoder.close()

    def _choose(self) -> AnswerDecoder | None:
        """The decoder, once enough of the body is known."""
        # No more than these bytes decide, however many came with them.
        text = self._head[:MAGIC_BYTES].removeprefix(_BYTE_ORDER_MARK).lstrip(_WHITE_SPACE)
        if text.startswith(b"{"):
            return JsonDecoder(self._limits, self._secret)
        if len(self._head) < MAGIC_BYTES:
            return None
        if not text:
            return JsonDecoder(self._limits, self._secret)
        self._refused = detect_format(self._head) is None
        return BinaryDecoder(self._limits)
