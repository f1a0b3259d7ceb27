"""Which fields of a request each model ignores: facts of the API that its catalogue does not tell.

1. Values only: patterns of model ids. `ImageModel.ignores` starts out from them, and may be replaced.
2. A field that is ignored is neither refused nor charged for: what it asks for does not happen.
3. A model that no pattern names is taken for one of those to come: it uses the seed, and neither `steps`
   nor `negative_prompt`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType

__all__ = ["generates", "refuses_pixels", "unused_by"]

# `fluently-xl` is the reference page's model, and has all that the page describes.
_WITH_STEPS = ("venice-sd35", "lustify-*", "wai-Illustrious", "fluently-xl")

_ONLY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "steps": _WITH_STEPS,
        "negative_prompt": (*_WITH_STEPS, "qwen-image-2*", "qwen-image-3*", "wan-2-7-*"),
    }
)
_ALL_BUT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "seed": (
            *("gpt-image-*", "muse-*", "luma-*", "recraft-*", "imagineart-*", "seedream-v5-pro*"),
            *("nano-banana-pro*", "grok-imagine-*"),
        )
    }
)
_NO_PIXELS = ("qwen-image", "qwen-image-3", "qwen-image-3-pro")
_NO_GENERATORS = ("bria-bg-remover",)


def unused_by(model: str) -> frozenset[str]:
    """The fields that a model ignores, as far as its id tells."""
    unused = {name for name, users in _ONLY.items() if not _is_one_of(model, users)}
    return frozenset(unused | {name for name, others in _ALL_BUT.items() if _is_one_of(model, others)})


def generates(model: str) -> bool:
    """Whether a model that is listed among the image models makes images from prompts."""
    return model not in _NO_GENERATORS


def refuses_pixels(model: str) -> bool:
    """Whether a model answers `width` and `height` with an error."""
    return model in _NO_PIXELS


def _is_one_of(model: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(model, pattern) for pattern in patterns)
