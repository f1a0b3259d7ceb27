"""Pictures: procedural, real, quick, and the same for the same request on every run.

1. The only part of the package that knows Pillow.
2. `words` reads a prompt into a scene, `places` and `subjects` paint it, `finish` does what other fields say.
"""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("PIL") is None:
    raise ImportError('the sandbox needs Pillow: pip install "venice-async[sandbox]"') from None

from .finish import CONTENT_TYPES, paint, size_of
from .words import is_adult, is_blurred

__all__ = ["CONTENT_TYPES", "is_adult", "is_blurred", "paint", "size_of"]
