"""What a subject is: a drawing in a few closed lines, and where in the world it belongs.

1. A drawing is text, one shape a line, the last on top: tone, kind, numbers. It stands in a box 100
   high (y grows downwards, the ground is at 100) and as wide as it says.
2. Kinds: `blob` (a closed curve; a point with "!" is a corner), `poly` (straight lines), `oval` (the
   middle, the radii), `line` (the width, then a curve). With a "2" it is drawn again, mirrored.
3. Tones: `base` is the colour that a prompt may name, `dark`, `deep`, `light` and `pale` follow from
   it, `second` is the subject's other colour, `lamp` shines in the dark; all else is a fixed colour.
"""

from __future__ import annotations

from functools import cache

from attrs import field, frozen

from .palette import Colour, hexed, mix, scaled

__all__ = ["Outline", "Shape", "Subject", "curve"]

Point = tuple[float, float]
Outline = tuple[Point, ...]

_FIXED = {"black": "1d1b20", "white": "f6f1e6", "grey": "8b8f96", "lamp": "ffd98a"}
_STEPS = 5


def _words(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.split()) if isinstance(text, str) else text


@frozen
class Shape:
    """One closed outline, or one stroke, in one tone.

    Attributes:
        tone: The tone's name.
        outline: Its points, in the box of the drawing.
        width: The stroke's width; 0 for a closed outline.
        oval: Whether the outline is only the two opposite corners of an oval's box.
    """

    tone: str
    outline: Outline
    width: float = 0.0
    oval: bool = False


@frozen
class Subject:
    """Something that can be painted.

    Attributes:
        name: Its own word.
        words: Other words for it, apart by spaces.
        drawing: The shapes, as text.
        colours: Natural colours in hexadecimal, apart by spaces; a throw of the dice picks one.
        second: The other colour.
        height: How high it is painted, as a part of the picture's shorter side.
        width: The width of its box, where the height is 100.
        settings: Where it is found, apart by spaces; the first is the likeliest.
        stands: "ground", "water", "air" or "table": what carries it.
    """

    name: str
    words: str
    drawing: str = field(repr=False)
    colours: tuple[str, ...] = field(converter=_words)
    settings: tuple[str, ...] = field(converter=_words)
    second: str = field(default="f2e6cf", kw_only=True)
    height: float = field(default=0.55, kw_only=True)
    width: float = field(default=100.0, kw_only=True)
    stands: str = field(default="ground", kw_only=True)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The drawing, read."""
        return _read(self.drawing, self.width)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """The left, top, right and bottom end of what is drawn, in the drawing's own measure."""
        return _extent(self.shapes)

    def tone(self, name: str, base: Colour) -> Colour:
        """Give the colour that a tone stands for."""
        match name:
            case "base":
                return base
            case "dark":
                return mix(scaled(base, 0.72), (46, 30, 66), 0.1)
            case "deep":
                return mix(scaled(base, 0.45), (36, 26, 56), 0.2)
            case "light":
                return mix(base, (255, 244, 220), 0.28)
            case "pale":
                return mix(base, (255, 248, 236), 0.65)
            case "second-dark":
                return mix(scaled(hexed(self.second), 0.72), (120, 30, 30), 0.2)
            case "second-light":
                return mix(hexed(self.second), (255, 246, 220), 0.45)
            case "second":
                return hexed(self.second)
            case _:
                return hexed(_FIXED.get(name, name))


@cache
def _read(drawing: str, width: float) -> tuple[Shape, ...]:
    shapes: list[Shape] = []
    for line in drawing.strip().splitlines():
        tone, kind, *numbers = line.split()
        twice = kind.endswith("2")
        found = _shape(tone, kind.removesuffix("2"), numbers)
        shapes.append(found)
        if twice:
            mirrored = tuple((width - x, y) for x, y in found.outline)
            if found.oval:
                (right, top), (left, bottom) = mirrored
                mirrored = ((left, top), (right, bottom))
            shapes.append(Shape(tone, mirrored, found.width, found.oval))
    return tuple(shapes)


@cache
def _extent(shapes: tuple[Shape, ...]) -> tuple[float, float, float, float]:
    reach = [(x, y, shape.width) for shape in shapes for x, y in shape.outline]
    return (
        min(x - width for x, _, width in reach),
        min(y - width for _, y, width in reach),
        max(x + width for x, _, width in reach),
        max(y + width for _, y, width in reach),
    )


def _shape(tone: str, kind: str, numbers: list[str]) -> Shape:
    if kind == "line":
        return Shape(tone, curve(_points(numbers[1:]), closed=False), float(numbers[0]))
    points = _points(numbers)
    if kind == "oval":
        ((x, y), (across, down)) = points
        return Shape(tone, ((x - across, y - down), (x + across, y + down)), oval=True)
    return Shape(tone, points if kind == "poly" else curve(points, closed=True))


def _points(texts: list[str]) -> Outline:
    points: list[Point] = []
    for text in texts:
        x, y = text.removeprefix("!").split(",")
        # A point that stands twice pulls the curve into a corner.
        points += [(float(x), float(y))] * (2 if text.startswith("!") else 1)
    return tuple(points)


def curve(points: Outline, *, closed: bool) -> Outline:
    """Lay a smooth curve (Catmull and Rom's) through the points."""
    ring = (points[-1], *points, *points[:2]) if closed else (points[0], *points, points[-1])
    smooth: list[Point] = []
    for (ax, ay), (bx, by), (cx, cy), (dx, dy) in zip(ring, ring[1:], ring[2:], ring[3:], strict=False):
        if (bx, by) == (cx, cy):
            continue
        for step in range(_STEPS):
            t = step / _STEPS
            a, b, c = -t * (1 - t) ** 2, 2 - 5 * t * t + 3 * t**3, t + 4 * t * t - 3 * t**3
            d = (t - 1) * t * t
            smooth.append(((a * ax + b * bx + c * cx + d * dx) / 2, (a * ay + b * by + c * cy + d * dy) / 2))
    if not closed:
        smooth.append(points[-1])
    return tuple(smooth)
