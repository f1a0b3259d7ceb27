"""What a prompt asks for: its words, read into a `Scene`.

1. Pure. Words that are not known here still count: they decide what the dice throw.
2. What the negative prompt names is not in the scene.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from attrs import evolve, field, frozen

from .animals import ANIMALS
from .buildings import BUILDINGS
from .dice import Dice
from .palette import COLOURS, Colour
from .people import PEOPLE
from .subject import Subject
from .things import THINGS

__all__ = ["SUBJECTS", "Scene", "Wanted", "is_adult", "is_blurred", "read"]

SUBJECTS: Mapping[str, Subject] = MappingProxyType(
    {subject.name: subject for subject in ANIMALS + PEOPLE + BUILDINGS + THINGS}
)

_WORD = re.compile(r"[^\W\d_]+")
_ADULT = frozenset(
    [
        "nude",
        "nudes",
        "naked",
        "nudity",
        "nsfw",
        "explicit",
        "erotic",
        "erotica",
        "porn",
        "pornographic",
        "topless",
        "hentai",
        "sexual",
        "xxx",
    ]
)


def _table(text: str) -> Mapping[str, str]:
    """Read lines of `name: word word`, and give each word its name."""
    lines = (line.split(":") for line in text.strip().splitlines())
    return MappingProxyType({word: name.strip() for name, words in lines for word in words.split()})


_SUBJECT_WORDS = _table("\n".join(f"{one.name}: {one.name} {one.words}" for one in SUBJECTS.values()))

_SETTINGS = _table("""
underwater: underwater reef coral aquarium undersea
sea: sea ocean coast coastline shore seaside beach wave waves harbour harbor island bay cliff cliffs seascape
lake: lake river pond stream fjord lagoon waterfall
city: city cityscape town skyline street metropolis urban downtown skyscraper cyberpunk village alley
mountains: mountain mountains alps alpine peak peaks summit volcano glacier canyon mountainous
forest: forest wood woods jungle woodland grove rainforest
desert: desert dune dunes sand sahara oasis mesa
table: table still kitchen breakfast dessert food
room: room indoor indoors interior window studio library sofa
space: space galaxy cosmos cosmic nebula universe planet planets saturn orbit interstellar
moon: lunar mars martian crater
field: field fields meadow prairie garden park countryside pasture grassland lawn
hills: hill hills valley landscape tuscany vineyard highlands
snow: snow snowy winter arctic ice tundra frozen
sky: sky skies cloud clouds heaven heavens
pattern: abstract pattern patterns geometric fractal mandala swirl swirls texture ornament gradient
""")

_TIMES = _table("""
dawn: dawn sunrise daybreak morning
day: day noon midday afternoon daylight sunny
sunset: sunset sundown
dusk: dusk twilight evening gloaming
night: night midnight moonlit moonlight starry nocturnal aurora stars moon nighttime
""")

_WEATHER = _table("""
rain: rain rainy raining drizzle rainfall
snow: snow snowy snowing snowfall blizzard
fog: fog foggy mist misty haze hazy
storm: storm stormy thunder thunderstorm lightning tempest
clouds: cloud clouds cloudy overcast
aurora: aurora
""")

_SEASONS = _table("""
autumn: autumn fall autumnal october november
winter: winter wintry december january
spring: spring blossom blossoms april may
summer: summer july
""")

# Parts of landscapes that a negative prompt can take out.
_PARTS = _table("""
clouds: cloud clouds cloudy overcast
birds: bird birds seagulls
trees: tree trees pines forest
stars: star stars
sun: sun sunlight moon moonlight
grass: grass flowers flower plants
snow: snow snowy
rain: rain rainy
fog: fog mist haze
storm: storm lightning thunder
buildings: building buildings houses skyscrapers
mountains: mountains hills
""")

_NUMBERS: Mapping[str, int] = MappingProxyType(
    {"two": 2, "pair": 2, "couple": 2, "three": 3, "many": 3, "several": 3, "four": 3, "five": 3, "group": 3}
)

_IN_A_BOWL: Mapping[str, str] = MappingProxyType(
    dict(
        pair.split("=")
        for pair in [
            "orange=ee8b22",
            "lemon=f2d53c",
            "apple=c8312b",
            "pear=b9b53a",
            "lime=8fbf3a",
            "plum=6b3a6f",
            "cherry=b01f3a",
            "peach=f2a06a",
            "strawberry=d2303a",
            "tomato=d43a26",
        ]
    )
)


# What enlivens a place that nobody asked to put anything into.
_ENLIVENED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sea": ("boat", "ship"),
        "lake": ("boat", "swan"),
        "forest": ("deer",),
        "field": ("house", "windmill", "tree"),
        "hills": ("house", "castle", "tree"),
        "snow": ("house",),
        "desert": ("cactus",),
        "underwater": ("fish", "turtle"),
        "mountains": ("tent",),
        "room": ("cat",),
        "table": ("vase", "bowl", "cup"),
    }
)


@frozen
class Wanted:
    """A subject that a prompt names: its colour, if one was said, how many of it, and how much smaller."""

    subject: Subject
    colour: Colour | None = None
    count: int = 1
    scale: float = 1.0


@frozen
class Scene:
    """What is to be seen.

    Attributes:
        subjects: What stands in the picture, the chief one first; none in a mere landscape.
        settings: Where it may be; the dice pick one.
        times: Times of the day that it may be.
        weather: "rain", "snow", "fog", "storm", "clouds", "aurora".
        season: "autumn", "winter", "spring" or "summer"; empty where none was said.
        tints: Colours that were named for nothing in particular.
        without: What must not be seen, by the names of subjects and of parts of landscapes.
    """

    subjects: tuple[Wanted, ...]
    settings: tuple[str, ...]
    times: tuple[str, ...]
    weather: frozenset[str] = frozenset()
    season: str = ""
    tints: tuple[Colour, ...] = ()
    without: frozenset[str] = field(default=frozenset(), kw_only=True)


def is_adult(prompt: str) -> bool:
    """Tell whether the prompt asks for adult content."""
    return not _ADULT.isdisjoint(_WORD.findall(prompt.lower()))


def is_blurred(body: Mapping[str, Any]) -> bool:
    """Tell whether the picture for a valid body is blurred: adult content, and safe mode is not off."""
    return bool(body.get("safe_mode", True)) and is_adult(body["prompt"])


def read(prompt: str, negative: str = "") -> Scene:
    """Read a scene out of a prompt; what the negative prompt names is left out."""
    words = _WORD.findall(prompt.lower())
    refused = _WORD.findall(negative.lower())
    without = frozenset(_names(refused))
    wanted = _alone(tuple(_wanted(words)))
    found = frozenset(_every(_WEATHER, words)) - without
    scene = Scene(
        subjects=tuple(one for one in wanted if one.subject.name not in without)[:3],
        settings=tuple(name for name in dict.fromkeys(_places(words)) if name not in without),
        times=tuple(dict.fromkeys(_every(_TIMES, words))),
        weather=found,
        season=next(_every(_SEASONS, words), ""),
        tints=tuple(COLOURS[word] for word in _loose(words) if word not in refused),
        without=without,
    )
    return _completed(scene, prompt, named=bool(wanted))


def _alone(wanted: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    """Leave out of a portrait the person that it is a portrait of."""
    names = {one.subject.name for one in wanted}
    return tuple(
        one for one in wanted if "portrait" not in names or one.subject.name not in {"person", "woman"}
    )


def _places(words: list[str]) -> Iterator[str]:
    if "on the moon" in " ".join(words):
        yield "moon"
    yield from _every(_SETTINGS, words)


def _every(table: Mapping[str, str], words: list[str]) -> Iterator[str]:
    return (table[word] for word in words if word in table)


def _names(words: list[str]) -> Iterator[str]:
    for word in words:
        if (subject := _subject(word)) is not None:
            yield subject.name
        for table in (_PARTS, _WEATHER):
            if word in table:
                yield table[word]
        if word in {"people", "person", "human", "humans", "persons"}:
            yield from ("person", "woman", "knight", "portrait")


def _subject(word: str) -> Subject | None:
    """Find the subject of a word, in the singular or the plural."""
    for stem in (word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("ies") + "y"):
        if stem in _SUBJECT_WORDS:
            return SUBJECTS[_SUBJECT_WORDS[stem]]
    return None


def _wanted(words: list[str]) -> Iterator[Wanted]:
    """Yield the subjects, each once, with the colour and the number that stand before it."""
    seen: set[str] = set()
    colour, count, since = None, 1, 0
    for index, word in enumerate(words):
        since += 1
        if since > 3:
            colour, count = None, 1
        subject = _subject(word)
        if word in COLOURS and (subject is None or _followed(words, index)):
            colour, since = COLOURS[word], 0
        elif word in _NUMBERS:
            count, since = _NUMBERS[word], 0
        elif subject is not None:
            plural = word.endswith("s") and word not in _SUBJECT_WORDS
            if subject.name not in seen and not ("bowl" in seen and subject.stands == "table"):
                seen.add(subject.name)
                if subject.name == "bowl":
                    subject = _filled(subject, words)
                yield Wanted(subject, colour, max(count, 3 if plural else 1))
            colour, count = None, 1


def _followed(words: list[str], index: int) -> bool:
    """Tell whether a word that may be a colour or a thing is the colour of a thing that follows."""
    return any(_subject(word) is not None for word in words[index + 1 : index + 3])


def _filled(bowl: Subject, words: list[str]) -> Subject:
    stems = [stem for word in words for stem in (word, word.removesuffix("s"), word.removesuffix("es"))]
    fruit = next((_IN_A_BOWL[stem] for stem in stems if stem in _IN_A_BOWL), bowl.second)
    return evolve(bowl, second=fruit)


def _loose(words: list[str]) -> Iterator[str]:
    """Yield the colour words that belong to no subject."""
    for index, word in enumerate(words):
        if word in COLOURS and _subject(word) is None and not _followed([*words[: index + 4]], index):
            yield word


def _completed(scene: Scene, prompt: str, *, named: bool) -> Scene:
    """Fill in by the prompt's own dice what it does not say."""
    dice = Dice(b"prompt").child(prompt)
    subjects, settings, times = scene.subjects, scene.settings, scene.times
    if settings and settings[0] == "pattern" and not subjects:
        return evolve(scene, settings=("pattern",), times=times or ("day", "sunset", "dusk", "night"))
    if not subjects and not settings and not named:
        among = [one for one in SUBJECTS.values() if one.name not in scene.without]
        subjects = (Wanted(dice.choice(among)),) if among else ()
    # A table or a room is said more often than meant; a place outside is meant.
    settings = settings[:1] or (subjects[0].subject.settings if subjects else ("hills", "mountains", "sea"))
    if settings == ("snow",) and subjects and subjects[0].subject.stands in {"air", "table"}:
        settings = subjects[0].subject.settings
    if not subjects and not named:
        among = [SUBJECTS[name] for name in _ENLIVENED.get(settings[0], ()) if name not in scene.without]
        small = 1.0 if settings[0] in {"room", "table"} else 0.55
        subjects = (Wanted(dice.choice(among), scale=small),) if among else ()
    usual = ("day", "day", "sunset", "dawn", "dusk")
    if not times:
        times = ("day", "dusk", "night", "sunset") if settings[0] == "city" else usual
    return evolve(scene, subjects=subjects, settings=settings, times=times[:1] if scene.times else times)
