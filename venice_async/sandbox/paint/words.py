"""What a prompt asks for: its words, read into a `Scene`; what the negative prompt names is not in it."""

import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from .brush import Colour, dice, hexed
from .subjects import SUBJECTS, Subject

__all__ = ["Scene", "is_adult", "is_blurred", "read"]

_WORD = re.compile(r"[^\W\d_]+")
_ADULT = r"\b(nudes?|naked|nudity|nsfw|explicit|erotica?|porn(ographic)?|topless|hentai|sexual|xxx)\b"


def _names(text: str) -> dict[str, str]:
    """Read "name: word word / name: word": each word with the name of what it stands for."""
    parts = (part.split(":") for part in text.split("/"))
    return {word: name.strip() for name, words in parts for word in words.split()}


_PLACES = _names("""
sea: sea ocean coast coastline shore seaside beach wave harbour harbor island bay cliff reef /
lake: lake river pond stream fjord waterfall / mountains: mountain alps alpine peak summit volcano canyon /
forest: forest wood jungle woodland grove rainforest / hills: hill valley landscape tuscany highlands
field meadow prairie garden park countryside / desert: desert dune sand sahara oasis mars /
snow: snow snowy winter arctic ice tundra frozen / city: city cityscape town skyline street urban downtown /
table: table still kitchen breakfast dessert food""")
_TIMES = _names("""
dawn: dawn sunrise morning / day: day noon midday afternoon daylight sunny / sunset: sunset sundown /
dusk: dusk twilight evening / night: night midnight moonlit moonlight starry star moon space""")
_WEATHER = _names("""
rain: rain rainy raining / snow: snow snowy snowing snowfall blizzard winter / fog: fog foggy mist misty /
storm: storm stormy thunderstorm lightning tempest / clouds: cloud cloudy overcast""")
_PARTS = _names("sun: sun moon / stars: star / trees: tree pine fir forest / buildings: building skyscraper")
_SUBJECTS = {word: one.name for one in SUBJECTS.values() for word in (one.name, *one.words.split())}
_HEX = """
red=cf2a27 crimson=b5152e orange=f6921e amber=f0a020 gold=e3ae2e golden=e8b33c yellow=f2cb2e green=3f9142
lime=93c83d olive=7b8236 mint=9fdcbf teal=1b8a8f turquoise=30b7b4 cyan=2fc3dd blue=2763c9 navy=1c2f6b
indigo=45389c violet=7a45bd purple=7d3aa6 lavender=ad9bdc magenta=cb2f8f pink=ee86ae rose=dd6c86 coral=f2775d
brown=80502f copper=b56a3a beige=d9c6a0 white=f3f2ee silver=b9c1c9 grey=8a9097 gray=8a9097 black=24262b
lemon=f2d53c apple=c8312b pear=b9b53a cherry=b01f3a peach=f2a06a autumn=e08a3c autumnal=e08a3c fall=e08a3c
"""
_COLOURS = {name: hexed(value) for name, value in (pair.split("=") for pair in _HEX.split())}
_KNOWN = {*_COLOURS, *_PLACES, *_TIMES, *_WEATHER, *_PARTS, *_SUBJECTS}


@frozen
class Scene:
    """What is to be seen; of places and times the dice pick one each."""

    subjects: list[tuple[Subject, Colour | None]]  # with the colours that were said; the chief one first
    places: list[str]
    times: list[str]
    weather: frozenset[str]
    tint: Colour | None  # lies over everything
    without: frozenset[str]  # names of subjects, weathers and parts


def is_adult(prompt: str) -> bool:
    """Tell whether the prompt asks for adult content."""
    return re.search(_ADULT, prompt, re.IGNORECASE) is not None


def is_blurred(body: Mapping[str, Any]) -> bool:
    """Tell whether the picture for a valid body is blurred: adult content, and safe mode is not off."""
    return bool(body.get("safe_mode", True)) and is_adult(body["prompt"])


def read(prompt: str, negative: str = "") -> Scene:
    """Read a scene out of a prompt; what the negative prompt names is left out."""
    words, refused = _words(prompt), _words(negative)
    tables = (_PLACES, _WEATHER, _PARTS, _SUBJECTS)
    without = frozenset(table[word] for table in tables for word in refused if word in table)

    def found(table: dict[str, str]) -> list[str]:
        return [table[word] for word in words if word in table and table[word] not in without]

    wanted = _wanted(words)
    loose = [word for at, word in enumerate(words) if not _SUBJECTS.keys() & words[at : at + 3]]
    tint = next((_COLOURS[word] for word in loose if word in _COLOURS and word not in refused), None)
    places = found(_PLACES)[:1] or [place for subject, _ in wanted for place in subject.places.split()]
    if not places:
        # Words that are not known still count: they choose a landscape and its colours.
        throw = dice("prompt", prompt)
        places = [throw.choice(sorted({*_PLACES.values()} - {"city", "table"}))]
        tint = tint or tuple(throw.choices(range(40, 256), k=3))
    usual = {"city": ["dusk", "night"], "table": ["day", "dawn"]}
    times = found(_TIMES)[:1] or usual.get(places[0]) or ["day", "sunset", "dawn", "dusk"]
    subjects = [(subject, colour) for subject, colour in wanted if subject.name not in without]
    return Scene(subjects, places, times, frozenset(found(_WEATHER)), tint, without)


def _words(text: str) -> list[str]:
    """Give the words, those that are known in the singular."""
    found = ((word, word.removesuffix("s"), word.removesuffix("es")) for word in _WORD.findall(text.lower()))
    return [next((stem for stem in stems if stem in _KNOWN), stems[0]) for stems in found]


def _wanted(words: list[str]) -> list[tuple[Subject, Colour | None]]:
    """Give up to three subjects, each with the colour that stands shortly before it."""
    wanted = dict[str, tuple[Subject, Colour | None]]()
    for at, word in enumerate(words):
        # An orange cat is not a fruit, and a bowl of oranges is orange.
        if word in _SUBJECTS and not (word in _COLOURS and _SUBJECTS.keys() & words[at + 1 : at + 3]):
            close = [*(one for one in words[at : at + 3] if one in _SUBJECTS), *words[max(0, at - 2) : at]]
            colour = next((_COLOURS[one] for one in close if one in _COLOURS), None)
            wanted.setdefault(_SUBJECTS[word], (SUBJECTS[_SUBJECTS[word]], colour))
    return list(wanted.values())[:3]
