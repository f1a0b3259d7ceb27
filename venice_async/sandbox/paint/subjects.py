"""The subjects, drawn in text, and how they are painted: to add one, add a block.

1. A block's first line: name | other words | places, the likeliest first | what carries it (ground, water
   or table) | height in percent of the picture | width of a box 100 high | colours | second colours.
2. Then shapes, apart by slashes, the last on top: tone, kind, points (y grows downwards, 100 is the ground).
3. Kinds: `blob` and `oval` (middle, radii) are round, `slab` is an upright column, all shaded by the light;
   `poly` is flat; `line` has its width first. A "2" adds its mirror image. A point with "!" is a corner.
4. Tones: `base` is the colour that a prompt may name, `dark` and `pale` follow from it, `second` is the
   other colour, `lamp` shines in the dark; all else is a fixed colour.
"""

import math
import re
from collections.abc import Iterator

from attrs import frozen
from PIL import Image, ImageChops, ImageDraw

from .brush import WHITE, Colour, Light, fading, glow, gradient, hexed, lit, mix

__all__ = ["SUBJECTS", "Figure", "Points", "Subject"]

Points = list[tuple[float, float]]
Shape = tuple[str, str, Points, float]  # a tone, a kind, an outline, and the width of a line

_MARGIN = 12
_MIRRORED, _UPSIDE_DOWN = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM
# How far the points of a ball, and of a column, are from a light on the left; what is dark, what is bright.
_BALL = Image.radial_gradient("L").crop((36, 44, 206, 214))
_COLUMN = Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90)
_SHADES = {
    "oval": (_BALL, fading(62, 190, 170), fading(66, 4, 190)),
    "blob": (_BALL, fading(74, 220, 175), fading(64, 0, 125)),
    "slab": (_COLUMN, fading(70, 270, 210), fading(110, -40, 110)),
}

_DRAWINGS = """
lighthouse | beacon | sea | water | 70 | 150 | c23a32 b5452f 2f5f92 | f1e9da
5d534f blob -8,104 4,95 18,92 30,87 60,85 92,88 112,92 132,97 158,104 75,110
7a6e68 blob 18,98 26,89 50,83 78,86 86,94 72,103 40,104
6f645f blob 70,100 82,89 106,88 122,95 124,104 92,106
5f7a48 blob 30,89 48,83 70,82 100,86 108,90 90,91 60,91 / second slab 84,70 104,70 104,88 84,88
base slab 80,71 94,60 108,71 / lamp poly 91,75 97,75 97,81 91,81 / second slab 58,20 76,20 83,87 51,87
base slab 56.6,31 77.4,31 78.7,42 55.3,42 / base slab 54,53 80,53 81.2,65 52.8,65
base slab 51.8,76 82.2,76 83,87 51,87 / 3a3340 blob 66,24 68.5,24 68.5,28.5 66,28.5
4a3a36 blob !62.5,87 62.5,79 67,76 71.5,79 !71.5,87 / 3a3340 slab 51,16 83,16 80,21 54,21
3a3340 line 0.6 51,12 83,12 / lamp poly 59.5,6 74.5,6 74.5,16 59.5,16 / 3a3340 line 0.7 64.5,6 64.5,16
3a3340 line 0.7 69.5,6 69.5,16 / base blob !57,6.5 60,1 67,-3 74,1 !77,6.5 / 3a3340 line 0.8 67,-3 67,-9
fox | vixen | snow forest | ground | 55 | 100 | c9601f b5512a c9703a | fbf3e6
base blob 56,97 74,94 83,80 83,64 90,53 98,58 99,74 92,90 78,100 62,101
second blob 83,68 84,59 90,52 98,57 99,70 93,71 88,66
base blob 36,48 48,44 60,56 70,70 74,88 68,100 34,100 28,86 30,66
base blob 55,78 66,72 74,84 73,100 52,101 52,88 / second blob 33,54 41,52 50,57 50,72 44,86 37,86 32,70
base blob 29,76 38,78 39,92 38,100 28,100 28,88 / base blob 42,78 51,76 51,90 50,100 41,100 41,90
3b2320 blob 28,91 39,91 39.5,97 37,101 27,101 / 3b2320 blob 41,91 51,91 51.5,97 50,101 40,101
base blob !16,3 25,10 36,22 31,30 !20,33 16,18 / base blob !64,3 55,10 44,22 49,30 !60,33 64,18
3b2320 blob !19.5,10 26,17 30,24 !22.5,29 / 3b2320 blob !60.5,10 54,17 50,24 !57.5,29
base blob 20,28 29,21 40,19 51,21 60,28 62,35 !69,44 55,50 46,57 !40,61 34,57 25,50 !11,44 18,35
second blob !12,44 24,41 33,45 37,53 !40,61 34,57 25,50
second blob !68,44 56,41 47,45 43,53 !40,61 46,57 55,50 / 17151a oval 40,59 3.6,2.8
17151a oval 30.5,39 2.7,3.3 / 17151a oval 49.5,39 2.7,3.3 / fbf6ec oval 31.4,38 1,1 / fbf6ec oval 50.4,38 1,1
bowl | fruit orange lemon apple pear cherry peach | table | table | 42 | 140 | f6921e | 3f6f8f e8ddc8 8a5a44
base oval 51,23 17,16.5 / base oval 85,19 17,16.5 / 4a8f45 blob !86,4 96,-6 112,-6 !120,-2 108,6 96,8
5a3f2d line 1.4 85,7 87,2 / base oval 33,41 18,17 / base oval 107,41 18,17 / base oval 70,39 19,18
second blob !5,46 38,51 70,52.5 102,51 !135,46 131,64 114,82 94,94 46,94 26,82 9,64
fbf6ec line 1.2 5,46 38,51 70,52.5 102,51 135,46 / second slab 48,93 92,93 97,100 43,100
house | cottage cabin home hut farm | hills snow | ground | 44 | 120 | a8452f 7a5a48 5a6b7d | efe3cb
8a5a48 slab 82,14 91,14 91,40 82,40 / second slab 16,50 104,50 104,100 16,100
base slab 4,54 28,20 92,20 116,54 / second slab 30,54 48,32 66,54 66,58 30,58
base poly 22,58 48,25 74,58 67,58 48,34 29,58 / lamp poly 43,44 53,44 53,54 43,54
6b4030 slab 40,70 56,70 56,100 40,100 / lamp poly 22,66 34,66 34,80 22,80 / lamp poly 64,66 76,66 76,80 64,80
lamp poly 86,66 98,66 98,80 86,80 / 4f7a45 blob 62,101 68,92 80,89 92,91 104,87 114,93 114,101
tree | oak maple birch willow | hills forest | ground | 66 | 100 | 4f7d3a 6b8a3a 3f7048 | 5a3f2d
second blob 43,101 47,80 46,56 54,56 54,80 59,101 / second line 3 50,68 38,54 32,46
second line 3 51,66 62,54 70,44 / base oval 24,50 17,13 / base oval 76,48 17,14 / base oval 50,54 22,12
base oval 34,34 21,17 / base oval 66,32 21,17 / base oval 50,18 22,18 / base oval 50,42 20,14
boat | sailboat yacht sail canoe ship sailing | sea lake | water | 48 | 110 | a8452f 2f5f92 35706b | e8a04a
6b4a35 line 1.6 56,2 56,84 / f6efdf blob !54,5 46,28 34,52 !12,73 34,75 !54,74
second blob !59,12 66,32 78,54 !96,71 78,74 !59,73
base blob !2,79 30,83 70,83 !108,75 101,89 90,99 24,99 11,92 / pale line 1.4 4,80.5 30,84.5 70,84.5 106,77
cat | kitten | forest | ground | 50 | 100 | 8a7a6c d0853c 4a4a55 e4d8c4 | f6efe4
base line 8 66,96 84,95 92,84 88,70 80,64 / base blob 36,46 50,42 62,48 70,66 73,86 68,100 32,100 27,86 30,66
base blob2 60,76 70,78 74,92 70,101 56,101 55,88 / second blob 43,54 50,52 57,54 58,72 50,84 42,72
base blob2 42,76 49,78 49,94 48,100 39,100 40,90 / pale oval2 44,98.5 5,2.4
base blob2 !27,5 34,10 44,20 38,30 !27,30 26,18 / ef9d94 blob2 !30,12 35,16 38,22 !31,26
base blob 28,30 34,20 50,17 66,20 72,30 72,40 64,50 50,54 36,50 28,40 / dark line2 1.6 46,20 47,27
dark line 1.6 50,19 50,26 / second blob 40,43 50,41 60,43 59,49 50,53 41,49 / d8b23c oval2 39,36 4.4,4.6
17151a oval2 39,36 1.5,4 / fbf6ec oval2 40.4,34 1,1.2 / d97a72 poly 47.4,42 52.6,42 50,45
17151a line2 0.7 50,45 50,47 46,48.5
person | portrait woman man girl boy people | hills city | ground | 92 | 100 | 35706b a8452f 4a5a8a | 4a2f24
second blob 25,32 31,8 50,0 69,8 75,32 79,60 73,84 27,84 21,60
dbaa86 blob 41,56 59,56 60,74 70,80 50,92 30,80 40,74 / base blob 2,106 9,86 31,77 50,93 69,77 91,86 98,106
e6bb98 blob 33,32 37,17 50,13 63,17 67,32 65,50 57,63 50,66 43,63 35,50
second blob 31,42 30,20 43,7 58,8 70,20 69,42 64,27 54,20 42,24 35,30 / second line2 1.5 37.5,34 42,32 47,33.6
fbf6ec oval2 42.6,39.4 3.8,2.3 / 4a3428 oval2 42.6,39.4 2,2.2 / 17151a oval2 42.6,39.4 1,1.1
c98a6c line 0.9 50.5,42 49,50 51.6,51 / b4504a blob 44,56 48,54.8 50,55.4 52,54.8 56,56 50,59.4
flower | rose tulip daisy sunflower poppy | hills | ground | 62 | 100 | d2456a e3a32e b04a9f | e8b43a
3f7a3c line 2.6 50,44 52,70 48,101 / 4a8f45 blob !50,82 62,68 76,63 !86,65 75,78 62,85
4a8f45 blob !49,92 38,78 24,73 !14,75 25,88 38,93 / base blob2 50,38 34,34 16,20 17,6 33,6 46,20
base blob 50,38 38,18 40,0 50,-5 60,0 62,18 / base blob2 50,36 30,46 11,40 8,28 22,21 42,28
base blob2 50,36 46,56 33,68 21,63 24,47 40,36 / base blob 50,36 41,52 42,67 50,74 58,67 59,52
second oval 50,35 11,10.4 / 8a5a1d oval 50,36 6,5.4
car | automobile truck taxi bus | city hills desert | ground | 34 | 170 | b8322c 2f5f92 d9a62e | a9cfe0
1d1b20 blob 10,82 160,82 158,95 12,95
base blob !4,82 6,66 18,58 44,54 60,36 84,30 112,32 132,52 156,60 !166,68 166,84 150,89 20,89
second slab 53,54 65,40 86,36 86,55 / second slab 91,36 110,37 126,54 91,55
pale line 1.4 20,62 46,58 90,57 132,57 156,64 / lamp blob 158,64 167,66 167,73 159,72
17151a oval 40,86 16,16 / 17151a oval 130,86 16,16 / b9c1c9 oval 40,86 9.4,9.4 / b9c1c9 oval 130,86 9.4,9.4
"""


@frozen
class Subject:
    """Something that can be painted; the attributes are the parts of a block."""

    drawing: str
    name: str
    words: str
    places: str
    stands: str
    height: str
    width: str
    colours: str
    seconds: str

    def shapes(self) -> Iterator[Shape]:
        """Read the drawing."""
        for text in self.drawing.replace("\n", " / ").split(" / "):
            tone, kind, *numbers = text.split()
            width = float(numbers.pop(0)) if kind.startswith("line") else 0.0
            # A point that stands twice pulls the curve into a corner.
            doubled = [number for number in numbers for _ in range(1 + number.startswith("!"))]
            pairs = [number.removeprefix("!").split(",") for number in doubled]
            points = _outline(kind.removesuffix("2"), [(float(x), float(y)) for x, y in pairs])
            yield tone, kind.removesuffix("2"), points, width
            if kind.endswith("2"):
                yield tone, kind.removesuffix("2"), [(float(self.width) - x, y) for x, y in points], width


def _outline(kind: str, points: Points) -> Points:
    """Lay a smooth curve (Catmull and Rom's) through the points of a blob or a line; make an oval round."""
    if kind == "oval":
        (x, y), (across, down) = points
        turns = [turn * math.tau / 40 for turn in range(40)]
        return [(x + across * math.cos(turn), y + down * math.sin(turn)) for turn in turns]
    if kind not in {"blob", "line"}:
        return points
    before, after = (points[-1:], points[:2]) if kind == "blob" else (points[:1], points[-1:])
    ring, smooth = [*before, *points, *after], Points()
    for a, b, c, d in zip(ring, ring[1:], ring[2:], ring[3:], strict=False):
        for t in (0.0, 0.2, 0.4, 0.6, 0.8) if b != c else ():
            parts = (-t * (1 - t) ** 2, 2 - 5 * t * t + 3 * t**3, t + 4 * t * t - 3 * t**3, (t - 1) * t * t)
            weighed = [(p * x / 2, p * y / 2) for p, (x, y) in zip(parts, (a, b, c, d), strict=True)]
            smooth.append((sum(x for x, _ in weighed), sum(y for _, y in weighed)))
    return [*smooth, ring[-2]]


_BLOCKS = [block.split("\n", 1) for block in re.split(r"\n(?=\w+ \|)", _DRAWINGS.strip())]
SUBJECTS = {head.split()[0]: Subject(drawing, *head.split(" | ")) for head, drawing in _BLOCKS}


@frozen
class Figure:
    """A subject with a place in the picture: the middle of its foot, and its height, in pixels."""

    subject: Subject
    colour: Colour
    second: Colour
    x: float
    y: float
    tall: float
    flipped: bool

    def paint(self, image: Image.Image, cut: Image.Image, light: Light, mirror: float) -> None:
        """Paint the figure; `cut` gets its outline, `mirror` is how much its ground reflects, 0 to 1."""
        scale = self.tall / 100
        wide = float(self.subject.width) + 2 * _MARGIN
        size = (round(wide * scale), round((100 + 1.2 * _MARGIN) * scale))
        body, mask, lamps = Image.new("RGB", size), Image.new("L", size), Points()
        for tone, kind, points, width in self.subject.shapes():
            outline = [((x + _MARGIN) * scale, (y + _MARGIN) * scale) for x, y in points]
            self._draw(body, mask, light, (tone, kind, outline, width * scale))
            lamps += outline[:1] if tone == "lamp" and light.dark > 0.3 else []
        if self.flipped:
            body, mask = body.transpose(_MIRRORED), mask.transpose(_MIRRORED)
        left, top = round(self.x - size[0] / 2), round(self.y - self.tall - _MARGIN * scale)
        if mirror:
            # Upside down below its foot.
            foot = round(self.tall + _MARGIN * scale)
            box = (0, foot // 3, size[0], foot)
            fade = gradient((size[0], foot - foot // 3), (round(255 * mirror), round(110 * mirror), 0))
            below = ImageChops.multiply(mask.crop(box).transpose(_UPSIDE_DOWN), fade)
            upside_down = body.crop(box).transpose(_UPSIDE_DOWN)
            image.paste(upside_down, (left, round(self.y - 0.02 * self.tall)), below)
        if self.subject.stands != "water":
            glow(image, self.x - 0.08 * light.side * size[0], self.y, 0.6 * size[0], (20, 18, 30), 0.85, 0.16)
        image.paste(body, (left, top), mask)
        cut.paste(255, (left, top, left + size[0], top + size[1]), mask)
        for x, y in lamps:
            at = left + (size[0] - x if self.flipped else x)
            glow(image, at, top + y, self.tall / 6, (255, 206, 120), 0.6 * light.dark)

    def _draw(self, body: Image.Image, mask: Image.Image, light: Light, shape: Shape) -> None:
        tone, kind, points, wide = shape
        left, top = int(min(x for x, _ in points) - wide), int(min(y for _, y in points) - wide)
        right, bottom = int(max(x for x, _ in points) + wide) + 2, int(max(y for _, y in points) + wide) + 2
        own, box = Image.new("L", (2 * (right - left), 2 * (bottom - top))), (left, top, right, bottom)
        draw, inside = ImageDraw.Draw(own), [(2 * (x - left), 2 * (y - top)) for x, y in points]
        if kind == "line":
            draw.line(inside, 255, max(1, round(2 * wide)), joint="curve")
            draw.circle(inside[0], wide, 255)
            draw.circle(inside[-1], wide, 255)
        else:
            draw.polygon(inside, 255)
        own = own.reduce(2)
        mask.paste(255, box, own)
        colour = self._colour(tone, light)
        body.paste(colour if tone == "lamp" else light.on(colour), box, own)
        if kind in _SHADES and tone != "lamp":
            far, dark, bright = _SHADES[kind]
            far = far.transpose(_MIRRORED) if (light.side < 0) == self.flipped else far
            far = far.resize(own.size, Image.Resampling.BILINEAR)
            shade = mix(lit(colour, 0.42), mix(light.sky[0], (50, 30, 60), 0.5), 0.22)
            body.paste(light.on(shade), box, ImageChops.multiply(own, far.point(dark)))
            gleam = mix(light.on(mix(colour, mix(WHITE, light.sun, 0.6), 0.48)), light.sun, 0.12)
            body.paste(gleam, box, ImageChops.multiply(own, far.point(bright)))

    def _colour(self, tone: str, light: Light) -> Colour:
        own = {"base": self.colour, "second": self.second, "pale": mix(self.colour, WHITE, 0.6)}
        own["dark"] = mix(lit(self.colour, 0.68), (46, 30, 66), 0.1)
        own["lamp"] = mix((96, 124, 144), (255, 222, 150), min(1.0, 0.2 + 1.3 * light.dark))
        return own.get(tone) or hexed(tone)
