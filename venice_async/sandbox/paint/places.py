"""Scenes: the light is chosen, a place painted, the figures put into it, the weather last.

1. What is far is painted first, in the sky's colours; what is near is dark and clear.
2. A place returns where a figure's foot may be: across and down, in parts of the picture.
"""

from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .brush import WHITE, Colour, Light, dice, fading, glow, gradient, hexed, lit, mix, noise
from .subjects import Figure, Points
from .words import Scene

__all__ = ["Painting"]

# Ground colours; how high the far ridges rise, and how rough they are; how dense the firs stand.
_LANDS = {
    "sea": ("d9c08f", 0.05, 5, 0.0),
    "lake": ("4f6a48 5a6a3f", 0.4, 6, 0.8),
    "mountains": ("5a7250 4a6a58", 0.48, 6, 0.5),
    "forest": ("4a6040 5a6238", 0.12, 4, 2.2),
    "hills": ("6f9450 86964a 587f52 b59a4a", 0.12, 3, 0.3),
    "desert": ("d9a566 cf8f58 e3bd84", 0.12, 4, 0.0),
    "snow": ("f0f4fa", 0.14, 4, 0.7),
}


class Painting:
    """A scene's picture (`image`), and the outline of what stands in it (`cut`).

    Key and turn (among the times) decide what is left open; faith is how much named colours count, usually 1.
    """

    def __init__(self, scene: Scene, size: tuple[int, int], key: object, turn: int, faith: float) -> None:
        self._scene, self._without, self._key = scene, scene.without, key
        self._clear = not scene.weather & {"storm", "rain", "fog", "snow", "clouds"}
        tint = mix(WHITE, scene.tint or WHITE, min(0.6, 0.4 * faith))
        self._light = Light.of(scene.times[turn % len(scene.times)], scene.weather, tint, dice(key, "light"))
        self.image, self.cut = Image.new("RGB", size, self._light.sky[3]), Image.new("L", size)
        self._draw = ImageDraw.Draw(self.image, "RGBA")
        place = dice(key, "place").choice((scene.places[0], *scene.places))
        x, y = self._city() if place == "city" else self._table() if place == "table" else self._land(place)
        if any(subject.name == "person" for subject, _ in scene.subjects):
            self.image.paste(self.image.filter(ImageFilter.BoxBlur(min(size) // 40)))
        for order in reversed(range(len(scene.subjects))):
            self._stand(order, x, y, 0.3 if place == "table" else 0.0, faith)
        if place != "table":
            self._weather()

    def _kit(self, *part: object) -> tuple[Random, Light, tuple[int, int], int]:
        """Give what a part is painted with: dice of its own, so that it moves no other; the light; sizes."""
        return dice(self._key, *part), self._light, self.image.size, min(self.image.size)

    def _stand(self, order: int, x: float, y: float, mirror: float, faith: float) -> None:
        """Put a subject into the picture; the chief one, of order 0, in the middle and before the others."""
        throw, light, (width, height), unit = self._kit("figure", order)
        subject, named = self._scene.subjects[order]
        colour = lit(hexed(throw.choice(subject.colours.split())), throw.uniform(0.92, 1.06))
        colour = mix(colour, named, min(1.0, 0.3 + 0.5 * faith)) if named else colour
        tall = float(subject.height) / 100 * unit * throw.uniform(0.88, 1.12) * 0.75**order
        tall = min(tall, width * 84 / float(subject.width), height * 0.8)
        x += throw.uniform(-0.12, 0.12) + (0.0, 0.3, -0.3)[order] * self._kit("side")[0].choice((-1, 1))
        y = 1.02 if subject.name == "person" else y - 0.025 * order + throw.uniform(-0.01, 0.01)
        second, flipped = hexed(throw.choice(subject.seconds.split())), throw.random() < 0.5
        figure = Figure(subject, colour, second, x * width, y * height, tall, flipped)
        figure.paint(self.image, self.cut, light, 0.5 if subject.stands == "water" else mirror)
        if subject.name == "lighthouse" and light.dark > 0.3:
            self._beam(figure.x - 0.08 * tall * (1 - 2 * flipped), figure.y - 0.89 * tall)

    def _beam(self, x: float, y: float) -> None:
        _, light, (width, _), unit = self._kit()
        beam, far = Image.new("L", (width // 8 + 1, unit // 20 + 1)), width if x < width / 2 else 0
        for spread in (0.16, 0.13, 0.1, 0.07, 0.04):
            fan = [(x / 8, unit / 25), *((far / 8, unit * (0.2 + wide) / 8) for wide in (-spread, spread))]
            ImageDraw.Draw(beam).polygon(fan, round((1 - 5 * spread) * 260 * light.dark))
        beam = beam.filter(ImageFilter.GaussianBlur(2)).resize((8 * beam.width, 8 * beam.height))
        self.image.paste((255, 236, 184), (0, round(y - unit * 0.32)), beam)
        glow(self.image, x, y, unit * 0.2, (255, 230, 160), 0.9)

    def _sky(self, horizon: float) -> None:
        throw, light, (width, height), unit = self._kit("sky")
        edge, sun = round(height * horizon) + 1, self._clear and "sun" not in self._without
        size, x, y = (width // 4 + 1, edge // 4 + 1), light.x * width, light.y * edge
        soft = gradient(size, light.sky)
        glow(soft, x / 4, y / 4, unit * (0.32 - 0.13 * light.dark), mix(light.sun, light.sky[2], 0.45), 0.6)
        glow(soft, x / 4, y / 4, unit * 0.1, light.sun, 0.8 * sun)
        if "clouds" not in self._without:
            low = throw.uniform(118, 138) if self._clear else throw.uniform(92, 108)
            clouds = noise(throw, size, (throw.randint(1, 2), throw.randint(4, 7)), 5)
            body = clouds.point(fading(low, low + 50, 215))
            body = ImageChops.multiply(body, gradient(size, (90, 240, 160)))
            bright = ImageChops.offset(clouds, -2 * light.side, -2).point(fading(low + 12, low + 70, 230))
            soft.paste(mix(light.sky[1], light.sky[2], 0.5), (0, 0), body)
            soft.paste(mix(light.tone, light.sky[3], 0.6), (0, 0), ImageChops.multiply(body, bright))
        self.image.paste(soft.resize((width, edge), Image.Resampling.BILINEAR))
        for _ in range(130 if light.dark > 0.6 and self._clear and "stars" not in self._without else 0):
            at, big = (throw.uniform(0, width), throw.random() ** 1.6 * edge), throw.random() ** 3
            self._draw.circle(at, unit * 0.003 * big, (*WHITE, throw.randint(0, 255)))
        if sun:
            glow(self.image, x, y, unit * 0.11, light.sun, 0.9)
            self._draw.circle((x, y), unit * 0.045, mix(light.sun, WHITE, 0.4))

    def _hill(self, name: object, base: float, swing: float, rough: int, shades: list[Colour]) -> Points:
        """Fill what is below a line from edge to edge, and give it; `rough` is 3 for hills, 6 for rock."""
        throw, _, (width, height), _ = self._kit("hill", name)
        heights = enumerate(noise(throw, (193, 1), (4, 1), rough).tobytes())
        line = [(x * width / 192, base + (y - 128) / 70 * swing) for x, y in heights]
        top, bottom = max(0, int(min(y for _, y in line))), round(base + 2 * swing + 0.2 * height)
        mask = Image.new("L", (2 * width, 2 * max(1, min(height, bottom) - top)))
        edge = [*((2 * x, 2 * (y - top)) for x, y in line), (2 * width, mask.height), (0, mask.height)]
        ImageDraw.Draw(mask).polygon(edge, fill=255)
        self.image.paste(gradient((width, mask.height // 2), shades), (0, top), mask.reduce(2))
        return line

    def _land(self, place: str) -> tuple[float, float]:
        throw, light, (_, height), unit = self._kit("land")
        colours, tall, rough, density = _LANDS[place]
        white = place == "snow" or ("snow" in self._scene.weather and "snow" not in self._without)
        ground = mix(hexed(throw.choice(colours.split())), (240, 244, 250), 0.85 * white)
        horizon, wet = throw.uniform(0.54, 0.64), place in {"sea", "lake"}
        ashore = not wet or any(subject.stands != "water" for subject, _ in self._scene.subjects)
        self._sky(horizon)
        for layer in range(3):
            depth, swing = 0.78 - 0.2 * layer - tall / 3, unit * tall * 0.4
            tone = light.on((150, 80, 60) if place == "desert" else (58, 74, 112), depth)
            peak = light.on((250, 250, 255), depth * 0.6) if rough == 6 and layer < 2 else tone
            base = height * (horizon + 0.01) - swing * (1.5 - 0.5 * layer)
            self._hill(layer, base, swing, rough, [peak, tone, mix(tone, light.sky[3], 0.4)])
        if wet:
            self._water(horizon)
        for layer in range(0 if not wet else 2 if ashore else 4, 4):
            near, base = layer / 3, height * (horizon + 0.02 + 0.08 * layer)
            tone = light.on(lit(ground, 1.02 - (0.02 if white else 0.34) * near), 0.42 * (1 - near))
            shades = [mix(tone, light.sun, 0.18), lit(tone, 0.78 if white else 0.6)]
            line = self._hill(("near", layer), base, unit * 0.045, 3, shades)
            if layer < 3 and "trees" not in self._without:
                high = unit * (0.1 + (0.2 if density > 1 else 0.08) * near)
                self._trees(line, high, 0.5 - 0.45 * near, density, white=white)
        return 0.5, 0.9 if ashore else horizon + 0.2

    def _trees(self, line: Points, tall: float, depth: float, density: float, *, white: bool) -> None:
        """Let firs grow along a line, bright on the side of the light."""
        (throw, light, _, _), draw = self._kit("trees", depth), self._draw
        for _ in range(round(density * 40 * (0.5 + depth))):
            (x, y), high = throw.choice(line), tall * throw.uniform(0.5, 1.15)
            x, y = x + throw.uniform(-0.6, 0.6) * high, y + 0.04 * high
            tone = light.on(lit((40, 78, 66), throw.uniform(0.75, 1.1)), depth)
            bright = mix(tone, light.on(WHITE), 0.6) if white else mix(tone, light.sun, 0.2)
            for part in range(5):
                half, base = high * (0.2 - 0.034 * part), y - high * (0.08 + 0.17 * part)
                top, side = (x, y - high * (0.4 + 0.15 * part)), light.side * half
                draw.polygon([(x - half, base), top, (x + half, base), (x, base - half * 0.25)], tone)
                draw.polygon([(x + side, base), top, (x + side * 0.2, base - half * 0.35)], bright)

    def _water(self, horizon: float) -> None:
        """Lay water from the horizon down: it mirrors what is above, ripples, and glitters below the sun."""
        throw, light, (width, height), unit = self._kit("water")
        first, sun = round(height * horizon), self._clear and "sun" not in self._without
        deep, size = height - first, (width // 3 + 1, (height - first) // 3 + 1)
        above = self.image.crop((0, max(0, first - deep), width, first + 1)).resize(size)
        still = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        mirror = still.copy()
        for y in range(size[1]):
            reach = unit * 0.006 * (0.3 + y / size[1])
            row = round(max(0, min(size[1] - 1, y + throw.uniform(-reach, reach))))
            mirror.paste(still.crop((0, row, size[0], row + 1)), (round(throw.uniform(-reach, reach)), y))
        mirror.paste(light.on((42, 96, 128)), (0, 0), gradient(size, (40, 100, 165)))
        self.image.paste(mirror.resize((width, deep), Image.Resampling.BILINEAR), (0, first))
        for index in range(170):
            near, path, shine = throw.random() ** 1.5, sun and index % 5 < 3, throw.uniform(0.4, 1)
            spread = unit * (0.04 + 0.2 * near) * (throw.random() + throw.random() - 1)
            x, y = light.x * width + spread if path else throw.uniform(0, width), first + near * deep
            long, thick = unit * (0.006 + 0.04 * near) * shine, unit * (0.0007 + 0.0024 * near)
            fill = (*mix(light.sun, WHITE, 0.2), round(shine * (220 if path else 50)))
            self._draw.ellipse((x - long, y - thick, x + long, y + thick), fill)

    def _city(self) -> tuple[float, float]:
        throw, light, (width, height), unit = self._kit("city")
        base, tone = throw.uniform(0.68, 0.76), hexed(throw.choice(("4a5478", "5a4f74")))
        self._sky(base)
        glow(self.image, width / 2, height * (base - 0.1), unit * 0.6, (255, 150, 96), light.dark / 2, 0.5)
        for depth in (0.62, 0.36, 0.08) if "buildings" not in self._without else ():
            centre, x = throw.uniform(0.3, 0.7), -unit * throw.uniform(0, 0.06)
            while x < width:
                wide = unit * throw.uniform(0.045, 0.1) * (1.25 - depth)
                bump = max(0.0, 1 - abs(x / width - centre) * 2.2) * throw.uniform(0.5, 1.1)
                tall = height * (0.28 + 0.1 * depth) * (0.35 + bump + 0.3 * throw.random())
                shade = mix(light.on(tone, depth), light.sky[0], throw.uniform(0, 0.35))
                self._house(x, height * base - tall, wide, tall, depth, shade)
                x += wide * throw.uniform(0.9, 1.15)
        self._water(base)
        return 0.5, 0.93

    def _house(self, x: float, y: float, wide: float, tall: float, depth: float, shade: Colour) -> None:
        (throw, light, _, unit), draw = self._kit("house", x, depth), self._draw
        body = gradient((round(wide) + 1, round(tall) + 1), (shade, shade, mix(shade, light.sky[3], 0.35)))
        self.image.paste(body, (round(x), round(y)))
        edge, rise, flat = x + wide * (0.9 * (light.side > 0)), throw.random(), throw.choice((0, 0.3, 0.5))
        draw.rectangle((edge, y, edge + wide * 0.1, y + tall), mix(shade, light.sun, 0.2))
        roof = [(x + wide * part, y - wide * rise * flat) for part in (flat, 1 - flat)]
        draw.polygon([(x, y), *roof, (x + wide, y)], shade)
        draw.line((x + wide / 2, y - wide * rise, x + wide / 2, y), shade, max(1, unit // 300))
        step, warm = max(3.0, unit * 0.011 * (1.4 - depth)), mix((255, 208, 122), light.sky[3], depth / 2)
        columns, panes = int(wide * 0.8 / step), ((190, 220, 240), warm, warm, warm)
        for index in range(columns * (int(tall / step / 1.3) - 1)):
            if throw.random() < 0.1 + 0.4 * light.dark:
                row, column = divmod(index, columns)
                left, top = x + wide * 0.14 + column * step, y + (row + 0.7) * step * 1.3
                fill = mix(throw.choice(panes), shade, throw.uniform(0, 0.4))
                draw.rectangle((left, top, left + step * 0.5, top + step * 0.65), fill)

    def _table(self) -> tuple[float, float]:
        throw, light, (width, height), _ = self._kit("table")
        size, warm = (width // 4 + 1, height // 4 + 1), mix(light.tone, (255, 236, 214), 0.5)
        wall = lit(hexed(throw.choice(("c8b48f", "9fb0ae", "b79a94", "8f9aa8", "a8a07f", "c9a58a"))), warm)
        soft, panes, unit = gradient(size, (lit(wall, 0.62), wall)), Image.new("L", size), min(size)
        glow(soft, (0.5 + 0.3 * light.side) * size[0], unit / 4, unit * 1.2, mix(light.sun, wall, 0.3), 0.6)
        long, lean = unit * throw.uniform(0.15, 0.19), -0.08 * light.side * unit
        for across, down in ((0.0, 0.0), (1.14, 0.0), (0.0, 1.2), (1.14, 1.2)):
            x, y = size[0] * (0.38 - 0.22 * light.side) + across * long + lean * down, (0.4 + down) * long
            corners = [(x, y), (x + long, y), (x + long + lean, y + long * 1.1), (x + lean, y + long * 1.1)]
            ImageDraw.Draw(panes).polygon(corners, 110)
        soft.paste(mix(light.sun, WHITE, 0.3), (0, 0), panes.filter(ImageFilter.BoxBlur(unit / 120)))
        self.image.paste(soft.resize((width, height), Image.Resampling.BILINEAR))
        wood, first = lit(hexed(throw.choice(("8a5a3a", "a87848", "6f4a3a"))), warm), round(0.63 * height)
        board = gradient((width, height - first), (mix(wood, light.sun, 0.3), wood, lit(wood, 0.6)))
        grain = noise(throw, (width // 4 + 1, board.height), (1, 24), 4).point(fading(100, 220, 190))
        board.paste(lit(wood, 0.55), (0, 0, *board.size), grain.resize(board.size))
        self.image.paste(board, (0, first))
        return 0.5, 0.83

    def _weather(self) -> None:
        throw, light, (width, height), unit = self._kit("weather")
        pale, weather = mix(light.sky[3], (240, 246, 255), 0.5), self._scene.weather
        if "fog" in weather:
            self.image.paste(pale, (0, 0, width, height), gradient((width, height), (60, 130, 220, 160)))
        for _ in range(260 if weather & {"rain", "storm", "snow"} else 0):
            x, y, near = throw.uniform(0, width), throw.uniform(0, height), throw.random() ** 5
            if "snow" in weather:
                self._draw.circle((x, y), unit * (0.0016 + 0.009 * near), (*WHITE, round(225 - 130 * near)))
            else:
                end = (x - unit * (0.006 + 0.01 * near), y + unit * (0.03 + 0.05 * near))
                self._draw.line((x, y, *end), (*pale, 100), max(1, unit // 500))
