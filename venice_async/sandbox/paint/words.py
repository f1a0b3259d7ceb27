"""What the words of a prompt ask for.

1. Pure: text in, a scene out; the dice decide only what the words leave open.
2. What the negative prompt names is not in the scene.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from attrs import frozen

from .animals import ANIMALS
from .dice import Dice
from .palette import COLOURS, Colour, hexed, is_near, mix
from .subject import Subject
from .things import THINGS

__all__ = ["Scene", "is_adult", "scene_of"]

_WORD = re.compile(r"[^\W\d_]+")


def _lexicon(entries: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({word: name for name, words in entries.items() for word in words.split()})


_TIMES = _lexicon(
    {
        "dawn": "dawn sunrise morning daybreak",
        "day": "day noon midday daylight sunny afternoon summer spring",
        "sunset": "sunset evening golden sundown",
        "dusk": "dusk twilight gloaming",
        "night": "night midnight moonlit moonlight starry stars nocturnal moon",
    }
)
_WEATHER = _lexicon(
    {
        "rain": "rain rainy raining drizzle storm stormy thunderstorm",
        "snowfall": "snow snowy snowing winter wintry blizzard snowfall",
        "fog": "fog foggy mist misty haze hazy",
        "clouds": "clouds cloud cloudy overcast",
        "autumn": "autumn fall autumnal october",
    }
)
_SETTINGS = _lexicon(
    {
        "sea": "sea ocean beach coast shore seaside island waves harbor harbour bay cliffs",
        "lake": "lake pond river reflection lagoon fjord",
        "mountains": "mountain mountains alps peak peaks summit range canyon volcano",
        "forest": "forest woods woodland jungle wood trees grove",
        "desert": "desert dune dunes sahara sand",
        "city": "city skyline town street skyscraper skyscrapers downtown metropolis urban cyberpunk",
        "snow": "snow snowy winter arctic ice glacier",
        "field": "field meadow grass garden prairie pasture lawn",
        "hills": "hill hills valley countryside landscape vineyard",
        "space": "space galaxy nebula cosmos planet universe",
        "underwater": "underwater reef aquarium coral",
        "table": "still table kitchen breakfast",
        "room": "room interior studio library",
        "sky": "sky skies heaven clouds",
        "pattern": "pattern abstract geometric mandala texture fractal tessellation wallpaper ornament",
    }
)
_ADULT = frozenset(
    [
        "nude",
        "naked",
        "nsfw",
        "explicit",
        "erotic",
        "porn",
        "pornographic",
        "topless",
        "xxx",
        "hentai",
        "lingerie",
    ]
)
_DISTANCE = 4  # words between a colour and what it belongs to
_DEFAULT_TIMES = ("day", "day", "sunset", "dawn", "dusk")

_SUBJECTS: Mapping[str, Subject] = MappingProxyType(
    {word: subject for subject in (*ANIMALS, *THINGS) for word in (subject.name, *subject.words.split())}
)


@frozen
class Scene:
    """What is to be painted.

    Attributes:
        subject: What it is a picture of; None for a landscape or a pattern.
        colour: The colour that was asked for it, or one of its natural ones.
        several: How many there are of it.
        setting: Where it is.
        time: The time of the day.
        weather: What falls from the sky, or hangs in it.
        tint: A colour that was asked for without belonging to anything, or None.
        without: Words that are not to be seen.
    """

    subject: Subject | None
    colour: Colour
    several: int
    setting: str
    time: str
    weather: frozenset[str]
    tint: Colour | None
    without: frozenset[str]


def is_adult(prompt: str) -> bool:
    """Whether a prompt has a word that safe mode blurs."""
    return not _ADULT.isdisjoint(_words(prompt))


def scene_of(prompt: str, negative: str, dice: Dice) -> Scene:
    """Read a prompt; the dice fill in what it leaves open."""
    without = frozenset(_words(negative))
    words = [word for word in _words(prompt) if word not in without]
    place = _first(words, _SUBJECTS)
    subject = None if place is None else _SUBJECTS[_singular(words[place], _SUBJECTS)]
    if subject is not None and not without.isdisjoint({subject.name, *subject.words.split()}):
        subject = None
    setting = _named(words, _SETTINGS)
    if subject is None and setting is None:
        # Each prompt has a subject of its own, the same for every seed.
        subject = Dice(b"subject").child(*words).choice((*ANIMALS, *THINGS))
    if setting is None or (subject is not None and subject.settings[0] in {"table", "underwater", "moon"}):
        known = () if subject is None else subject.settings
        setting = next((name for name in known if name in words), None) or dice.choice(
            known[:2] or ("hills",)
        )
    colour, tint = _colours(words, place)
    natural = hexed(dice.choice(subject.colours)) if subject is not None else COLOURS["beige"]
    # A red fox is redder than others, not painted.
    colour = natural if colour is None else mix(colour, natural, 0.55 if is_near(colour, natural) else 0.0)
    weather = frozenset(_WEATHER[word] for word in words if word in _WEATHER)
    return Scene(
        subject=subject,
        colour=colour,
        several=_count(words, place),
        setting="snow" if "snowfall" in weather and setting in {"field", "hills"} else setting,
        time=_named(words, _TIMES) or dice.choice(_DEFAULT_TIMES),
        weather=weather - {_WEATHER[word] for word in without if word in _WEATHER},
        tint=tint,
        without=without | {word + "s" for word in without & {"bird", "cloud", "star", "tree"}},
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _singular(word: str, known: Mapping[str, object]) -> str:
    """The word, or its singular, as it is known."""
    candidates = (word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("ies") + "y")
    return next((candidate for candidate in candidates if candidate in known), word)


def _first(words: Iterable[str], known: Mapping[str, object]) -> int | None:
    return next((place for place, word in enumerate(words) if _singular(word, known) in known), None)


def _named(words: Iterable[str], known: Mapping[str, str]) -> str | None:
    return next((known[word] for word in words if word in known), None)


def _colours(words: list[str], place: int | None) -> tuple[Colour | None, Colour | None]:
    """The colour of what stands at a place, and one that belongs to nothing."""
    own = tint = None
    for index, word in enumerate(words):
        if word not in COLOURS:
            continue
        if place is not None and 0 <= place - index <= _DISTANCE and own is None:
            own = COLOURS[word]
        elif tint is None and word != "golden":
            tint = COLOURS[word]
    return own, tint


def _count(words: list[str], place: int | None) -> int:
    """How many of the subject there are: numbers up to three, and plurals."""
    if place is None:
        return 1
    numbers = {"two": 2, "pair": 2, "couple": 2, "three": 3, "several": 3, "many": 3}
    before = words[max(0, place - _DISTANCE) : place]
    plural = words[place] not in _SUBJECTS
    return next((numbers[word] for word in before if word in numbers), 2 if plural else 1)
