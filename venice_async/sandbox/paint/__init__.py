"""Pictures: procedural, real, quick, and the same for the same request on every run.

1. The only part of the package that knows Pillow.
2. A request walks down: `words` reads the prompt into a scene, `scenery` paints it (`sky`,
   `landscape`, `places`, `figure` with the drawings in `animals` and `things`), `finish`, `style`
   and `source` do what the other fields say, `picture` puts it all together and encodes it.
"""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("PIL") is None:
    raise ImportError('the sandbox needs Pillow: pip install "venice-async[sandbox]"') from None

from .picture import CONTENT_TYPES, paint, size_of
from .words import is_adult, is_blurred

__all__ = ["CONTENT_TYPES", "is_adult", "is_blurred", "paint", "size_of"]
