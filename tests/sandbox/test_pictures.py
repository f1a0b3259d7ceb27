"""The pictures: real, of the asked size, and the same for the same request everywhere."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from venice_async.sandbox.paint import paint, size_of

BODY = {"model": "fluently-xl", "prompt": "a red fox", "seed": 7, "width": 200, "height": 120}


def picture(body, variant=0):
    with Image.open(io.BytesIO(paint(body, variant))) as image:
        image.load()
        return image.convert("RGB")


def changed(one, other):
    """The part of the pixels that differ clearly."""
    difference = ImageChops.difference(one, other).convert("L")
    return sum(difference.histogram()[24:]) / (one.width * one.height)


@pytest.mark.parametrize("image_format", ["webp", "png", "jpeg"])
def test_same_request_same_bytes_in_every_process(image_format):
    """Another process with another hash seed paints the same bytes."""
    body = {**BODY, "format": image_format}
    program = (
        "import hashlib, sys; from venice_async.sandbox.paint import paint;"
        f"print(hashlib.sha256(paint({body!r})).hexdigest())"
    )
    digests = {
        hashlib.sha256(paint(body)).hexdigest(),
        hashlib.sha256(paint(dict(reversed(body.items())))).hexdigest(),
    }
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout.strip())
    assert len(digests) == 1


@pytest.mark.parametrize("change", [{"seed": 8}, {"prompt": "a blue boat"}, {"model": "chroma"}])
def test_another_request_is_visibly_another_picture(change):
    """Model, prompt and seed change a good part of it."""
    assert changed(picture(BODY), picture({**BODY, **change})) > 0.2


def test_another_variant_is_visibly_another_picture():
    """Variants of one request differ like pictures of different requests."""
    pictures = [picture(BODY, variant) for variant in range(4)]
    for index, one in enumerate(pictures):
        assert all(changed(one, other) > 0.2 for other in pictures[index + 1 :])


def test_delivery_does_not_change_the_picture():
    """How a picture is delivered has no part in what is on it."""
    assert paint(BODY) == paint({**BODY, "return_binary": True, "format": "webp"})
    assert changed(picture({**BODY, "format": "png"}), picture({**BODY, "format": "jpeg"})) < 0.05


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, (1024, 1024)),
        ({"width": 640}, (640, 1024)),
        ({"width": 1, "height": 1280}, (1, 1280)),
        ({"width": 512.0, "height": 256}, (512, 256)),
        ({"aspect_ratio": "16:9"}, (1024, 576)),
        ({"aspect_ratio": "1:999"}, (1, 1024)),
        ({"aspect_ratio": "auto"}, (1024, 1024)),
        ({"resolution": "2K"}, (2048, 2048)),
        ({"resolution": "2K", "aspect_ratio": "3:4"}, (1536, 2048)),
        ({"aspect_ratio": "16:9", "width": 100, "height": 200}, (100, 200)),
    ],
)
def test_size(fields, size):
    """Width and height come first, then resolution and aspect ratio, then 1024 by 1024."""
    assert size_of({"prompt": "x", **fields}) == size


@pytest.mark.parametrize("size", [(1, 1), (1, 1280), (1280, 1), (7, 13), (23, 24), (1280, 1280)])
def test_any_size_can_be_painted(size):
    """The picture has the asked size, be it one pixel."""
    assert picture({**BODY, "width": size[0], "height": size[1]}).size == size


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=100))
def test_any_prompt_can_be_painted(prompt):
    """No text that JSON can carry keeps the painter from painting."""
    assert picture({**BODY, "prompt": prompt}).size == (200, 120)


def test_without_a_seed_every_picture_is_another(sandbox, call, small):
    """Who gives no seed gets a random one; who gives one gets the same picture again."""
    assert call(sandbox, small).json["images"] != call(sandbox, small).json["images"]
    seeded = {**small, "seed": 0}
    assert call(sandbox, seeded).json["images"] == call(sandbox, seeded).json["images"]
    assert call(sandbox, seeded).json["request"]["data"]["seed"] == 0


def test_without_pillow_the_extra_is_named():
    """Without Pillow the import fails with one line that says what to install."""
    program = (
        "import sys; sys.modules['PIL'] = None\n"
        "try:\n import venice_async.sandbox\n"
        "except ImportError as error:\n print(error, error.__suppress_context__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == 'the sandbox needs Pillow: pip install "venice-async[sandbox]" True'
