"""The settings there are.

1. Every backdrop fills the picture and says where its ground is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from .canvas import Backdrop, Ground
from .land import desert, field, forest, hills, mountains, snow
from .places import city, moon, open_sky, pattern, room, space, table, underwater
from .water import lake, sea

__all__ = ["paint_backdrop"]


def paint_backdrop(setting: str, backdrop: Backdrop) -> Ground:
    """Paint a setting; where its ground is."""
    return _SETTINGS.get(setting, hills)(backdrop)


_SETTINGS: Mapping[str, Callable[[Backdrop], Ground]] = MappingProxyType(
    {
        "sea": sea,
        "lake": lake,
        "mountains": mountains,
        "castle": mountains,
        "forest": forest,
        "desert": desert,
        "city": city,
        "snow": snow,
        "field": field,
        "hills": hills,
        "space": space,
        "moon": moon,
        "underwater": underwater,
        "table": table,
        "room": room,
        "sky": open_sky,
        "pattern": pattern,
    }
)
