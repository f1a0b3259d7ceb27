"""Contact sheets: what is where on them, and what they refuse."""

import asyncio

import pytest
from PIL import Image, ImageDraw, ImageFont

from venice_async import ImageRequest, VeniceSession, gather_generate, sweep
from venice_async.errors import ConfigurationError, OutputExistsError
from venice_async.sandbox import Sandbox
from venice_async.storage.gallery.sheet import _wrapped, write_sheet

COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
TILE = (239, 236, 230)


def painted(body):
    import io

    sink = io.BytesIO()
    Image.new("RGB", (96, 48), COLORS[body["prompt"].split()[0]]).save(sink, "PNG")
    return sink.getvalue()


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sheet") / "out"
    base = ImageRequest("?", model="fluently-xl")

    async def main(url):
        async with VeniceSession("key", base_url=url, rate_limit=None) as venice:
            requests = sweep(
                base, prompt=["red fox", "green fox", "blue \u72d0 <b>" + "x" * 300], seed=range(2)
            )
            await gather_generate(venice, requests, into=folder)

    with Sandbox(latency=0, rpm=None, images=painted) as sandbox:
        asyncio.run(main(sandbox.url))
    return folder


def colors(path):
    """The colors of the sheet that are those of pictures, by how far down they first come."""
    with Image.open(path) as sheet:
        picture = sheet.convert("RGB")
    found = {}
    for y in range(picture.height):
        for x in range(0, picture.width, 4):
            color = picture.getpixel((x, y))
            if color in COLORS.values():
                found.setdefault(color, y)
    return [color for color, _ in sorted(found.items(), key=lambda entry: entry[1])]


def test_rows_are_prompts_and_columns_are_seeds(job, tmp_path):
    size = write_sheet(job, tmp_path / "sheet.png", cell=64)
    assert colors(tmp_path / "sheet.png") == list(COLORS.values())
    assert size[1] > size[0] - 64  # three rows of two


@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg", ".JPEG"])
def test_the_name_tells_the_format(job, tmp_path, suffix):
    goal = tmp_path / f"sheet{suffix}"
    size = write_sheet(job, goal)
    with Image.open(goal) as sheet:
        assert (sheet.size, sheet.format) == (size, {".png": "PNG", ".webp": "WEBP"}.get(suffix, "JPEG"))


def test_rows_and_columns_can_be_chosen(job, tmp_path):
    across = write_sheet(job, tmp_path / "a.png", rows="seed", columns="prompt", cell=64)
    down = write_sheet(job, tmp_path / "b.png", rows="prompt", columns="seed", cell=64)
    assert across[0] > down[0]
    assert across[1] < down[1]


def test_a_file_that_is_there_is_replaced_only_on_demand(job, tmp_path):
    goal = tmp_path / "sheet.png"
    write_sheet(job, goal, cell=64)
    with pytest.raises(OutputExistsError, match="The file is there"):
        write_sheet(job, goal, cell=32)
    assert write_sheet(job, goal, cell=32, force=True)[0] < 400
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


def test_a_broken_image_is_an_empty_cell(job, tmp_path):
    import shutil

    folder = tmp_path / "out"
    shutil.copytree(job, folder)
    for path in folder.glob("*red*"):
        path.write_bytes(b"no image")
    write_sheet(folder, tmp_path / "sheet.png", cell=64)
    assert colors(tmp_path / "sheet.png") == [COLORS["green"], COLORS["blue"]]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sheet.gif", {}, "a sheet is one of .png"),
        ("sheet", {}, "a sheet is one of .png"),
        ("sheet.png", {"cell": 8}, "expected 32 to 1024 pixels"),
        ("sheet.png", {"rows": "steps"}, "'steps' does not vary"),
    ],
)
def test_arguments_that_make_no_sheet_are_refused(job, tmp_path, name, options, message):
    with pytest.raises(ConfigurationError, match=message):
        write_sheet(job, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_sheet_that_would_be_too_large_is_refused_before_an_image_is_opened(job, tmp_path, monkeypatch):
    import venice_async.storage.gallery.sheet as module

    monkeypatch.setattr(module, "_PIXELS", 10_000)
    monkeypatch.setattr(module, "_scaled", None)
    with pytest.raises(ConfigurationError, match="too large for PNG: choose a smaller cell="):
        write_sheet(job, tmp_path / "sheet.png")


def test_a_job_without_an_image_is_refused(tmp_path):
    async def main(url):
        async with VeniceSession("key", base_url=url, rate_limit=None) as venice:
            await gather_generate(venice, "a fox", into=tmp_path / "out", model="no-such-model")

    with Sandbox(latency=0, rpm=None) as sandbox:
        asyncio.run(main(sandbox.url))
    with pytest.raises(ConfigurationError, match="holds no image"):
        write_sheet(tmp_path / "out", tmp_path / "sheet.png")


@pytest.mark.parametrize("text", ["a fox", "word " * 50, "x" * 500, "", "ab " + "y" * 80 + " cd"])
@pytest.mark.parametrize("most", [1, 3])
def test_labels_fit_and_what_is_left_out_is_told(text, most):
    draw, font = ImageDraw.Draw(Image.new("RGB", (1, 1))), ImageFont.load_default(12)
    lines = _wrapped(draw, text, font, 100, most).split("\n")
    assert len(lines) <= most
    assert all(draw.textlength(line, font=font) <= 100 for line in lines)
    whole = "".join(text.split()) == "".join("".join(lines).split())
    assert whole or lines[-1].endswith("…")
