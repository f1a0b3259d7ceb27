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

from venice_async.sandbox.paint import paint
from venice_async.sandbox.paint.subjects import SUBJECTS
from venice_async.sandbox.paint.words import read

PLACES = ("sea", "lake", "mountains", "forest", "hills", "desert", "snow", "city", "table")
SEEDS = range(6)


def names(scene):
    return [subject.name for subject, _ in scene.subjects]


def test_every_place_and_subject_paints_the_same_in_another_process():
    """No place, subject or weather depends on the process that paints it."""
    prompts = [*(f"{name} {PLACES[index % len(PLACES)]}" for index, name in enumerate(SUBJECTS))]
    prompts += ["storm over the sea", "fog and snow in a forest", "rain, autumn", "a clouded lake"]
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
        st.sampled_from([*SUBJECTS, *PLACES, "night", "rain", "snow", "fog", "storm", "red", "three"]),
        min_size=1,
        max_size=6,
    ).map(" ".join),
)
@settings(max_examples=60, deadline=None)
def test_any_size_seed_and_prompt_paints_the_same_twice(width, height, seed, prompt):
    """Whatever is asked for, the painter neither fails nor hesitates."""
    body = {"model": "m", "prompt": prompt, "seed": seed, "width": width, "height": height, "format": "png"}
    assert paint(body) == paint(body)


@pytest.mark.parametrize("place", PLACES)
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


def test_unknown_prompts_are_landscapes_that_differ_clearly(pictures):
    """Words that the painter does not know still decide what it paints."""
    painted = [pictures.paint(prompt=prompt) for prompt in ("qwertz", "zuiop", "asdf ghjk", "yxcv")]
    for index, one in enumerate(painted):
        assert all(pictures.difference(one, other) > 12 for other in painted[:index])
    scenes = [read(f"unknown{index}") for index in range(40)]
    assert len({(*scene.places, scene.tint) for scene in scenes}) == 40
    assert {place for scene in scenes for place in scene.places} == {*PLACES} - {"city", "table"}


def test_every_subject_has_a_place_and_a_drawing():
    """Where a subject is found there is something to paint, and its shapes are where its box is."""
    for subject in SUBJECTS.values():
        assert subject.places.split()
        assert set(subject.places.split()) <= set(PLACES)
        assert subject.stands in {"ground", "water", "table"}
        points = [point for _, _, outline, _ in subject.shapes() for point in outline]
        assert all(-12 <= x <= float(subject.width) + 12 for x, _ in points)
        assert all(-12 <= y <= 112 for _, y in points)
        assert max(y for _, y in points) > 90
        assert min(y for _, y in points) < 40


@pytest.mark.parametrize("name", list(SUBJECTS))
def test_every_subject_is_found_by_its_words(name):
    """Each of a subject's words, and its plural, names it."""
    for word in (name, *SUBJECTS[name].words.split()):
        assert names(read(f"painting with {word}")) == [name]
        assert names(read(f"painting with {word}s")) == [name]


@pytest.mark.parametrize(
    ("prompt", "subjects", "places", "times"),
    [
        ("a lighthouse at dusk", ["lighthouse"], ["sea"], ["dusk"]),
        ("A red fox in the snow", ["fox"], ["snow"], ["day", "sunset", "dawn", "dusk"]),
        ("a city skyline at night", [], ["city"], ["night"]),
        ("a bowl of oranges, still life", ["bowl"], ["table"], ["day", "dawn"]),
        ("a portrait of a woman at noon", ["person"], ["hills", "city"], ["day"]),
        ("a cat and a car in a forest at dawn", ["cat", "car"], ["forest"], ["dawn"]),
        ("boats on a lake", ["boat"], ["lake"], ["day", "sunset", "dawn", "dusk"]),
    ],
)
def test_words_make_the_scene(prompt, subjects, places, times):
    """Subjects, places and times of the day are those of the prompt."""
    scene = read(prompt)
    assert names(scene) == subjects
    assert scene.places == places
    assert scene.times == times


def test_colours_belong_to_what_follows_them():
    """A colour is that of the next subject; one without a subject tints the picture."""
    (_, fox), (_, cat) = read("a blue fox and a small red cat").subjects
    assert fox[2] > fox[0]
    assert cat[0] > cat[2]
    assert names(read("an orange cat")) == ["cat"]
    assert names(read("an orange")) == ["bowl"]
    assert read("a fox in green").tint == read("a green fox").subjects[0][1]
    assert read("a green fox").tint is None
    lemons, oranges = (read(f"a bowl of {fruit}").subjects[0][1] for fruit in ("lemons", "oranges"))
    assert lemons[1] > oranges[1]


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
    assert (
        pictures.difference(
            pictures.paint(prompt=f"hills at noon, {weather}"), pictures.paint(prompt="hills at noon")
        )
        > 8
    )


@pytest.mark.parametrize(
    "prompt",
    [
        "\u6d77\u8fb9\u7684\u706f\u5854",
        "\U0001f98a \u200d \u0000 fox",
        "Ren\u00e9 \u0141\u00f3d\u017a",
        "w" * 1500,
    ],
)
def test_a_prompt_in_any_script_can_be_painted(pictures, prompt):
    """Words in any script, and prompts of any length, are painted."""
    assert pictures.paint(prompt=prompt, width=256, height=128).size == (256, 128)
