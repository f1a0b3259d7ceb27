"""What a prompt and a seed make of a picture."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageStat

from venice_async.sandbox.paint import paint
from venice_async.sandbox.paint.landscape import LANDSCAPES
from venice_async.sandbox.paint.places import PLACES
from venice_async.sandbox.paint.words import SUBJECTS, read

PLACE_NAMES = sorted({*LANDSCAPES, *PLACES})
SEEDS = range(6)


def names(scene):
    return [wanted.subject.name for wanted in scene.subjects]


def test_every_place_and_subject_paints_the_same_in_another_process():
    """No place, subject or weather depends on the process that paints it."""
    prompts = [*(f"{name} {PLACE_NAMES[index % len(PLACE_NAMES)]}" for index, name in enumerate(SUBJECTS))]
    prompts += ["storm over the sea", "fog and snow in a forest", "rain, autumn", "aurora over a lake"]
    bodies = [
        {"model": "chroma", "prompt": prompt, "seed": seed, "width": 96, "height": 64, "format": "png"}
        for seed, prompt in enumerate(prompts)
    ]
    program = (
        "import hashlib, sys, json; from venice_async.sandbox.paint import paint;"
        "print(hashlib.sha256(b''.join(paint(body) for body in json.load(sys.stdin))).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "5", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        input=json.dumps(bodies),
        capture_output=True,
        text=True,
        check=True,
    )
    with ThreadPoolExecutor(4) as threads:
        here = hashlib.sha256(b"".join(threads.map(paint, bodies))).hexdigest()
    assert done.stdout.strip() == here


@given(
    width=st.integers(1, 140),
    height=st.integers(1, 140),
    seed=st.integers(-999_999_999, 999_999_999),
    prompt=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
    | st.lists(
        st.sampled_from([*SUBJECTS, *PLACE_NAMES, "night", "rain", "snow", "fog", "storm", "red", "three"]),
        min_size=1,
        max_size=6,
    ).map(" ".join),
)
@settings(max_examples=60, deadline=None)
def test_any_size_seed_and_prompt_paints_the_same_twice(width, height, seed, prompt):
    """Whatever is asked for, the painter neither fails nor hesitates."""
    body = {"model": "m", "prompt": prompt, "seed": seed, "width": width, "height": height, "format": "png"}
    assert paint(body) == paint(body)


@pytest.mark.parametrize("place", PLACE_NAMES)
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 200), (200, 3), (33, 90)])
def test_every_place_can_be_tiny(pictures, place, size):
    """A place that is too small for its details is painted without them."""
    for seed in range(2):
        assert pictures.paint(prompt=place, seed=seed, width=size[0], height=size[1]).size == size


def test_a_picture_of_4k(pictures):
    """The greatest resolution is as great as it says."""
    fields = {key: value for key, value in pictures.body.items() if key not in {"width", "height"}}
    data = paint({**fields, "format": "jpeg", "resolution": "4K", "aspect_ratio": "21:9"})
    assert pictures.opened(data).size == (4096, 4096 * 9 // 21)


@pytest.mark.parametrize(
    "prompt", ["a lighthouse at dusk", "a red fox in the snow", "city at night", "oranges"]
)
def test_seeds_differ_clearly(pictures, prompt):
    """Another seed is another picture of the same."""
    painted = [pictures.paint(prompt=prompt, seed=seed) for seed in range(4)]
    for index, one in enumerate(painted):
        assert all(pictures.difference(one, other) > 8 for other in painted[:index])


def test_unknown_prompts_differ_clearly(pictures):
    """Words that the painter does not know still decide what it paints."""
    painted = [pictures.paint(prompt=prompt) for prompt in ("qwertz", "zuiop", "asdf ghjk", "yxcv")]
    for index, one in enumerate(painted):
        assert all(pictures.difference(one, other) > 12 for other in painted[:index])
    assert len({tuple(names(read(f"unknown{index}"))) for index in range(40)}) > 15


def test_every_subject_has_a_place_and_a_drawing():
    """Where a subject is found there is something to paint, and it has shapes to be drawn."""
    for subject in SUBJECTS.values():
        assert subject.shapes
        assert set(subject.settings) <= set(PLACE_NAMES)
        left, top, right, bottom = subject.extent
        assert right - left > 10
        assert bottom - top > 10


@pytest.mark.parametrize("name", list(SUBJECTS))
def test_every_subject_is_found_by_its_words(name):
    """Each of a subject's words, and its plural, names it."""
    for word in (name, *SUBJECTS[name].words.split()):
        assert names(read(f"painting with {word}")) == [name]
        assert names(read(f"painting with {word}s")) == [name]


@pytest.mark.parametrize(
    ("prompt", "subjects", "settings", "times"),
    [
        ("a lighthouse at dusk", ["lighthouse"], ("sea",), ("dusk",)),
        ("A red fox in the snow", ["fox"], ("snow",), None),
        ("a city skyline at night", [], ("city",), ("night",)),
        ("a bowl of oranges, still life", ["bowl"], ("table",), None),
        ("an astronaut on the moon", ["astronaut"], ("moon", "night"), ("night",)),
        ("a portrait of a woman", ["portrait"], ("room", "hills"), None),
        ("abstract swirls", [], ("pattern",), None),
        ("a cat and a dog in a forest", ["cat", "dog"], ("forest",), None),
    ],
)
def test_words_make_the_scene(prompt, subjects, settings, times):
    """Subjects, places and times of the day are those of the prompt."""
    scene = read(prompt)
    assert names(scene) == subjects
    assert set(scene.settings) <= set(settings)
    assert times is None or scene.times == times


def test_colours_and_numbers_belong_to_what_follows_them():
    """A colour is that of the next subject, as is a number; a colour without one tints the picture."""
    fox, bird = read("three blue foxes and a small red bird").subjects
    assert (fox.count, bird.count) == (3, 1)
    assert fox.colour[2] > fox.colour[0]
    assert bird.colour[0] > bird.colour[2]
    assert read("an orange cat").subjects[0].subject.name == "cat"
    assert read("an orange").subjects[0].subject.name == "orange"
    assert read("a fox in green").tints == (read("green fox").subjects[0].colour,)


def test_colours_show(pictures):
    """A red fox is clearly redder than a blue one, and a red sky than a blue one."""
    for prompt in ("a {} fox", "a mountain in {}"):
        red, blue = (
            [pictures.mean(pictures.paint(prompt=prompt.format(colour), seed=seed)) for seed in SEEDS]
            for colour in ("red", "blue")
        )
        redness = [sum(mean[0] - mean[2] for mean in means) / len(SEEDS) for means in (red, blue)]
        assert redness[0] > redness[1] + 10


def test_night_is_dark(pictures):
    """Night is darker than dusk, and dusk than noon."""
    for place in ("the sea", "a forest", "a city", "mountains"):
        night, dusk, noon = (
            sum(pictures.brightness(pictures.paint(prompt=f"{place} at {time}", seed=seed)) for seed in SEEDS)
            for time in ("night", "dusk", "noon")
        )
        assert night + 5 * len(SEEDS) < dusk < noon - 5 * len(SEEDS)


@pytest.mark.parametrize("weather", ["rain", "snow", "fog", "storm", "autumn", "winter", "clouds"])
def test_weather_and_seasons_show(pictures, weather):
    """A landscape in some weather or season is clearly another than without."""
    scene = read(f"hills in {weather}")
    assert scene.weather | {scene.season} != {""}
    assert (
        pictures.difference(
            pictures.paint(prompt=f"hills at noon, {weather}"), pictures.paint(prompt="hills at noon")
        )
        > 8
    )


def test_the_caption_tells_prompt_and_seed(pictures):
    """Along the lower edge stands what was asked for; where there is no room for it, nothing."""
    image = pictures.paint(width=256, height=256)
    strip = image.crop((0, 240, 200, 256)).convert("L")
    assert ImageStat.Stat(strip).extrema[0][1] > 200
    written = [
        pictures.paint(prompt="x", seed=seed, width=256, height=256).crop((0, 240, 90, 256))
        for seed in (1, 8)
    ]
    assert pictures.difference(*written) > 3
    assert isinstance(pictures.paint(width=40, height=40), Image.Image)


@pytest.mark.parametrize(
    "prompt",
    [
        "\u6d77\u8fb9\u7684\u706f\u5854",
        "\U0001f98a \u200d \u0000 fox",
        "Ren\u00e9 \u0141\u00f3d\u017a",
        "w" * 1500,
    ],
)
def test_a_prompt_in_any_script_can_be_captioned(pictures, prompt):
    """Letters that the font lacks, and prompts that are too long, are written as well as can be."""
    assert pictures.paint(prompt=prompt, width=256, height=128).size == (256, 128)
