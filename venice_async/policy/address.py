"""The address of what processes share, as it may be shown.

1. Pure text: an address that is wrong is shown as safely as one that is right.
"""

from __future__ import annotations

__all__ = ["veiled"]

_SQLITE = "sqlite:///"


def veiled(address: object) -> str:
    """An address without its user, its password and its settings.

    Args:
        address: What was given for one, of whatever type.
    """
    if not isinstance(address, str):
        address = repr(address)
    if address.startswith(_SQLITE):
        return address
    scheme, mark, rest = address.partition("://")
    if not mark:
        scheme, rest = "", address
    before, at, place = rest.rpartition("@")
    if "?" in before:  # where the password ends cannot be told
        return f"{scheme}{mark}***"
    place, settings, _ = place.partition("?")
    return f"{scheme}{mark}{'***@' if at else ''}{place}{'?***' if settings else ''}"
