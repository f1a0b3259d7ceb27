"""Jobs for datasets, and what their rows have to say, told independently of the library's own rows."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from venice_async import ImageRequest, Inpaint, VeniceSession, gather_generate
from venice_async.storage.journal import JournalReader

SMALL = {"model": "fluently-xl", "width": 64, "height": 64}
SOURCE = (Path(__file__).parents[3] / ".images" / "contact-sheet.webp").read_bytes()
HOSTILE = [
    "a train for a test",
    'first line\nsecond "line"\r\n\ttab',
    "=cmd|' /C calc'!A0",
    "\u202eright to left\u202c \u2028 \u2029 \x85 \x7f",
    "\N{FOX FACE} \N{ZERO WIDTH JOINER} e\u0301 \U0010ffff",
    "<script>alert('{}')</script> \\u0000 %s {index}",
    "2024-01-01",
]


def varied():
    """Requests of which hardly two tell the same things."""
    plain = [ImageRequest(prompt, seed=seed, **SMALL) for seed, prompt in enumerate(HOSTILE)]
    fox = ImageRequest("a fox", seed=7, cfg_scale=4, **SMALL)
    return [
        *plain,
        fox,
        fox,
        ImageRequest(
            "a fox", seed=8, variants=4, metadata={"n": 1, "mixed": 1, "when": "2024-01-01"}, **SMALL
        ),
        ImageRequest("a nude fox", seed=9, cfg_scale=7.5, metadata={"n": 2.5, "mixed": "one"}, **SMALL),
        ImageRequest(
            "a fox",
            seed=10,
            negative_prompt="hounds",
            inpaint=Inpaint.from_bytes(SOURCE, strength=50),
            metadata={"flag": True, "deep": {"a": [1, {"b": None}]}, "when": "soon", "long": 2**70},
            **SMALL,
        ),
        ImageRequest(
            "a fox",
            seed=11,
            metadata={"prompt": "mine", "image": "i", "mask_file_name": "m.png", "": "nameless", "n": None},
            **SMALL,
        ),
    ]


def bought(sandbox, directory, what, **options):
    """Buy a job's images."""

    async def body():
        async with VeniceSession("key", base_url=sandbox.url, rate_limit=None, guard=None) as venice:
            return await gather_generate(venice, what, into=directory, durability="process", **options)

    return asyncio.run(body())


def recorded(directory):
    """The images of a job, as the journal has them."""
    return list(JournalReader(directory).images())


def told(image):
    """What a row has to say of an image, in part."""
    request, answer = image.request, image.answer
    return {
        "prompt": request.prompt,
        "model": request.model,
        "seed": None if image.image else request.seed,
        "cfg_scale": request.cfg_scale,
        "negative_prompt": request.negative_prompt,
        "variants": request.variants,
        "index": image.index,
        "image_index": image.image,
        "id": answer.id,
        "request_id": answer.request_id,
        "sha256": image.file.sha256,
        "size": image.file.size,
        "timing_total": answer.timing.total,
        "is_blurred": answer.moderation.is_blurred,
        "contains_minor": answer.moderation.contains_minor,
        "spent_usd": image.spent_usd,
        **{f"meta_{name}": request.metadata.get(name) for name in ("prompt", "image", "")},
        **{name: request.metadata.get(name) for name in ("n", "flag", "when")},
        "mask_file_name_": request.metadata.get("mask_file_name"),
    }


def check(rows, images):
    """Each image is there once, in order, with its own bytes and its own row."""
    assert len(rows) == len(images)
    for row, image in zip(rows, images, strict=True):
        held = row["image"]
        data = Path(held["path"]).read_bytes() if held["bytes"] is None else held["bytes"]
        assert hashlib.sha256(data).hexdigest() == image.file.sha256
        expected = told(image)
        assert {name: row[name] for name in expected} == expected


def content(folder):
    """Every file of an export but its lock, by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }
