"""Mountains: chains with a bright and a shaded side, snow on top, and air between them."""

from __future__ import annotations

from PIL import Image

from .canvas import Points, Stencil, fill, ramp, ridge
from .dice import Dice
from .palette import Colour, hexed, hue, mix, scaled
from .sky import View

__all__ = ["mist", "mountains"]


def mountains(view: View, dice: Dice, base: float) -> None:
    """Two or three chains, the far ones pale."""
    rock = hue(hexed(dice.choice(("5b6784", "6a5f7d", "4f6b7c"))), dice.between(-0.02, 0.02))
    snow = view.shows("snow") and (view.scene.season != "summer")
    if not view.shows("mountains"):
        return
    _chain(view, dice.child(1), base, dice.between(0.34, 0.46), rock, 0.58, snow=snow)
    mist(view, base - 0.22, base, 0.55)
    _chain(view, dice.child(2), base + 0.02, dice.between(0.2, 0.28), scaled(rock, 0.85), 0.32, snow=False)
    mist(view, base - 0.12, base + 0.03, 0.5)


def _chain(
    view: View, dice: Dice, base: float, tall: float, colour: Colour, distance: float, *, snow: bool
) -> None:
    """Raise a chain of mountains with a bright and a shaded side, and snow on top."""
    image, light = view.image, view.light
    width, height, unit = image.width, image.height, view.unit
    line = ridge(dice, width, height * (base - tall * 0.5), height * tall * 0.5, 0.52)
    near = light.on(colour, distance)
    fill(image, line, near, mix(near, light.horizon, 0.55))
    band = (width, min(y for _, y in line), height * base + 1)
    bright, dim, caps, folds = (Stencil(*band) for _ in range(4))
    for index in range(2, len(line) - 2):
        x, y = line[index]
        if not (y <= line[index - 1][1] and y <= line[index + 1][1] and y < line[index - 2][1]):
            continue
        drop = min(height * tall * 0.9, height * base - y)
        if drop < unit * 0.02:
            continue
        bright.add(_below(_flank(dice, x, y, drop, light.side), line), 0.5)
        dim.add(_below(_flank(dice, x, y, drop, -light.side), line), 0.5)
        if snow and drop > height * tall * 0.55:
            crest, hem = _cap(dice, line, index, drop * 0.34)
            caps.add([*crest, *hem], 0.94)
            folds.add([point for point in [*crest, *hem] if (point[0] - x) * light.side <= 0], 0.6)
    bright.lay(image, mix(near, light.sun, 0.28))
    dim.lay(image, mix(scaled(near, 0.72), light.sky[0], 0.22))
    if snow:
        white = mix(light.on((250, 252, 255), distance * 0.7), light.sun, 0.1)
        caps.lay(image, white)
        folds.lay(image, mix(white, light.sky[0], 0.35))


def _flank(dice: Dice, x: float, y: float, drop: float, side: float) -> Points:
    """One face below a peak, from the crest's zigzag outwards."""
    crest: Points = [(x, y)]
    for step in range(1, 6):
        crest.append((x + drop * (dice.between(-0.1, 0.1) - 0.03 * side), y + drop * step / 5))
    outer = [(x + side * drop * 0.75, y + drop), (x + side * drop * 0.25, y + drop * 0.36)]
    return [*crest, *outer]


def _below(face: Points, line: Points) -> Points:
    """Hold a face below the mountains' line."""
    step = line[1][0] - line[0][0]
    held: Points = []
    for x, y in face:
        index = max(0, min(len(line) - 2, int(x / step)))
        part = min(1.0, max(0.0, x / step - index))
        held.append((x, max(y, line[index][1] * (1 - part) + line[index + 1][1] * part)))
    return held


def _cap(dice: Dice, line: Points, peak: int, depth: float) -> tuple[Points, Points]:
    """Give the crest on which a peak's snow lies, and its ragged hem, back again."""
    middle, top = line[peak]
    left = right = peak
    lowest = top + depth
    while left > 0 and line[left][1] - depth * 0.1 <= line[left - 1][1] < lowest:
        left -= 1
    while right < len(line) - 1 and line[right][1] - depth * 0.1 <= line[right + 1][1] < lowest:
        right += 1
    crest = line[left : right + 1] if right > left + 1 else line[peak - 1 : peak + 2]
    wide = crest[-1][0] - crest[0][0] + 1
    hem = [(x, y + depth * dice.between(0.2, 0.75) * (1 - abs(x - middle) / wide)) for x, y in crest[1:-1]]
    return crest, hem[::-1]


def mist(view: View, top: float, bottom: float, strength: float = 0.5) -> None:
    """Let a band of air lie over the picture, thickest at its lower edge."""
    image = view.image
    first, last = int(top * image.height), int(bottom * image.height)
    if last - first < 1:
        return
    band = (image.width, last - first)
    mask = ramp(band, lambda down: strength * down)
    image.paste(Image.new("RGB", band, mix(view.light.horizon, view.light.sky[2], 0.2)), (0, first), mask)
