"""Style presets: each a way of making a picture over again.

1. Every preset of the catalogue has a line in `_LINES`: a treatment, its strength, and colours of its
   own (saturation, contrast, a tone). Presets that share a treatment differ by the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from attrs import frozen
from PIL import Image

from . import cameras, crafts
from .dice import Dice
from .finish import Grade, graded
from .palette import hexed

__all__ = ["styled"]

# Takes the picture, a strength from 0 to 1 and dice.
Treatment = Callable[[Image.Image, float, Dice], Image.Image]


@frozen
class _Preset:
    treatment: Treatment
    strength: float
    grade: Grade


def _preset(treatment: Treatment, strength: float, saturation: float, contrast: float, tone: str) -> _Preset:
    red, green, blue = hexed(tone)
    return _Preset(treatment, strength, Grade(saturation, contrast, (red / 128, green / 128, blue / 128)))


_TREATMENTS: Mapping[str, Treatment] = MappingProxyType(
    {
        "photo": cameras.photo,
        "film": cameras.film,
        "hdr": cameras.hdr,
        "swept": cameras.swept,
        "tilted": cameras.tilted,
        "grey": cameras.grey,
        "silhouette": cameras.silhouette,
        "pixels": cameras.pixels,
        "blocks": cameras.blocks,
        "scanned": cameras.scanned,
        "lines": crafts.lines,
        "hatched": crafts.hatched,
        "wash": crafts.wash,
        "dream": cameras.dream,
        "strokes": crafts.strokes,
        "dots": crafts.dots,
        "neon": cameras.neon,
        "solar": cameras.solar,
        "facets": crafts.facets,
        "glass": crafts.glass,
        "comic": cameras.comic,
        "popped": cameras.popped,
        "paper": crafts.paper,
        "worn": crafts.worn,
        "moulded": crafts.moulded,
        "minimal": crafts.minimal,
        "pieces": crafts.pieces,
    }
)


# Name: treatment, strength, saturation, contrast, tone (808080 changes nothing).
_LINES = """
3D Model: moulded 0.7 1.1 1.05 828080
Analog Film: photo 0.9 0.85 0.94 8a8274
Anime: comic 0.2 1.2 1.0 828084
Cinematic: film 0.9 0.95 1.12 80828a
Comic Book: comic 0.9 1.2 1.05 848078
Craft Clay: moulded 1.0 1.15 1.0 8c8078
Digital Art: hdr 0.5 1.25 1.05 7e8088
Enhance: hdr 0.8 1.08 1.06 808080
Fantasy Art: dream 0.8 1.25 1.05 867e8c
Isometric Style: blocks 0.35 1.1 1.0 828282
Line Art: lines 1.0 0.2 1.1 808080
Lowpoly: facets 0.45 1.15 1.05 808080
Neon Punk: neon 0.9 1.4 1.1 8a7a90
Origami: facets 0.8 0.95 1.0 868280
Photographic: photo 0.4 1.0 1.04 828080
Pixel Art: pixels 0.7 1.15 1.05 808080
Texture: worn 0.5 1.0 1.1 84807a
Advertising: hdr 0.4 1.3 1.1 868482
Food Photography: tilted 0.8 1.2 1.04 8c8276
Real Estate: hdr 0.3 1.05 0.96 888888
Abstract: facets 1.0 1.4 1.1 887c88
Cubist: facets 0.95 0.75 1.05 8a8068
Graffiti: comic 0.6 1.6 1.2 8a7e86
Hyperrealism: hdr 1.0 1.1 1.1 828080
Impressionist: strokes 1.0 1.15 0.98 848280
Pointillism: dots 1.0 1.3 1.0 848280
Pop Art: popped 1.0 1.2 1.0 808080
Psychedelic: solar 0.9 1.6 1.1 888088
Renaissance: worn 0.45 0.8 1.05 8e7e62
Steampunk: worn 0.6 0.65 1.08 94805c
Surrealist: solar 0.25 1.0 1.05 807c90
Typography: hatched 1.0 0.3 1.0 808080
Watercolor: wash 0.8 1.15 1.0 808284
Fighting Game: comic 0.45 1.35 1.25 8c7c78
GTA: comic 0.3 1.1 1.2 8e8270
Super Mario: pixels 0.55 1.6 1.1 8a8088
Minecraft: blocks 0.75 1.15 1.05 7e847e
Pokemon: pixels 0.45 1.35 1.0 7e868a
Retro Arcade: scanned 0.6 1.5 1.2 807c90
Retro Game: scanned 0.75 0.6 1.05 7c8a72
RPG Fantasy Game: strokes 0.6 1.15 1.1 887e76
Strategy Game: blocks 0.2 0.9 1.05 848476
Street Fighter: comic 0.7 1.45 1.3 90807a
Legend of Zelda: pixels 0.35 1.15 1.0 7c8a78
Architectural: lines 0.35 0.5 1.0 7e8286
Disco: neon 0.6 1.7 1.0 907c88
Dreamscape: dream 1.0 1.1 0.92 867e90
Dystopian: worn 0.7 0.45 1.1 7c8078
Fairy Tale: wash 0.35 1.3 0.98 8c8084
Gothic: worn 0.8 0.4 1.2 74748a
Grunge: worn 0.95 0.6 1.15 848072
Horror: grey 0.75 0.5 1.2 8a6464
Minimalist: minimal 0.8 0.7 0.95 848484
Monochrome: grey 0.35 0.0 1.0 808080
Nautical: wash 0.5 0.9 1.0 70849a
Space: neon 0.35 1.2 1.1 747c98
Stained Glass: glass 0.6 1.3 1.05 808080
Techwear Fashion: hdr 0.9 0.35 1.2 787e86
Tribal: hatched 0.75 1.2 1.1 947a5e
Zentangle: hatched 0.95 0.0 1.1 808080
Collage: pieces 0.9 1.05 1.0 848078
Flat Papercut: paper 0.2 1.15 1.0 828080
Kirigami: paper 0.55 0.7 1.0 8a8482
Paper Mache: moulded 0.85 0.7 1.0 8c867a
Paper Quilling: dots 0.7 1.5 1.0 868082
Papercut Collage: pieces 0.5 1.3 1.0 868280
Papercut Shadow Box: paper 0.9 0.95 1.05 7c7c8e
Stacked Papercut: paper 0.7 1.25 1.0 808486
Thick Layered Papercut: paper 1.0 1.15 1.05 8a807c
Alien: solar 0.5 1.3 1.05 6c9078
Film Noir: grey 1.0 0.0 1.15 7e8086
HDR: hdr 1.3 1.25 1.1 808080
Long Exposure: swept 1.0 1.1 1.04 7e8088
Neon Noir: neon 1.0 0.9 1.2 787c92
Silhouette: silhouette 1.0 1.2 1.05 867c78
Tilt-Shift: tilted 1.0 1.35 1.06 828280
"""


def _read(lines: str) -> Mapping[str, _Preset]:
    presets: dict[str, _Preset] = {}
    for line in lines.strip().splitlines():
        name, told = line.split(": ")
        treatment, strength, saturation, contrast, tone = told.split()
        presets[name] = _preset(
            _TREATMENTS[treatment], float(strength), float(saturation), float(contrast), tone
        )
    return MappingProxyType(presets)


_PRESETS = _read(_LINES)


def styled(image: Image.Image, preset: str, dice: Dice) -> Image.Image:
    """Make the picture over again in a preset of the catalogue."""
    found = _PRESETS[preset]
    return graded(found.treatment(image, found.strength, dice), found.grade)
