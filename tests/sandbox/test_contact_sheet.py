"""A sheet of pictures, as a person would make one to look at: four prompts, four seeds each."""

from __future__ import annotations

import asyncio

import attrs
from PIL import Image, ImageChops, ImageStat

from venice_async import ImageRequest, VeniceSession, gather_generate, sweep
from venice_async.sandbox import Sandbox

PROMPTS = (
    "a lighthouse at dusk",
    "a red fox in the snow",
    "a city skyline at night",
    "a bowl of oranges, still life",
)
CELL = 256


def apart(one, other):
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def test_sixteen_pictures_of_four_subjects(tmp_path):
    """All different, and those of one prompt nearer to each other than to those of others."""

    async def main():
        base = ImageRequest("?", model="fluently-xl", width=2 * CELL, height=2 * CELL)
        requests = sweep(attrs.evolve(base, hide_watermark=True), prompt=PROMPTS, seed=range(4))
        async with Sandbox(latency=0) as sandbox, VeniceSession("key", base_url=sandbox.url) as venice:
            report = await gather_generate(venice, requests, into=tmp_path / "pictures")
            report.raise_for_failures()
            return [path async for path in report.paths()]

    cells = []
    for path in asyncio.run(main()):
        with Image.open(path) as image:
            cells.append(image.convert("RGB").resize((CELL, CELL), Image.Resampling.LANCZOS))
    sheet = Image.new("RGB", (4 * CELL, 4 * CELL))
    for place, cell in enumerate(cells):
        sheet.paste(cell, (place % 4 * CELL, place // 4 * CELL))
    sheet.save(tmp_path / "sheet.webp", quality=80)

    within = [apart(cells[4 * row], cells[4 * row + place]) for row in range(4) for place in range(1, 4)]
    between = [apart(cells[4 * row], cells[4 * other]) for row in range(4) for other in range(row)]
    assert min(within) > 3
    assert sum(within) / len(within) < sum(between) / len(between)
