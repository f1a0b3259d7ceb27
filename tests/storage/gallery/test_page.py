"""The page of a job, in a real browser: headless Chromium, opened from the disk."""

import asyncio
import hashlib
import io
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import orjson
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from venice_async import ImageRequest, VeniceSession, gather_generate, sweep
from venice_async.errors import MissingExtraError, StorageError
from venice_async.sandbox import Fault, Sandbox
from venice_async.storage.gallery import page as module
from venice_async.storage.gallery import write_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror=window.hacked=1> \u2028 ' \" $(ls)"


def picture(color):
    sink = io.BytesIO()
    Image.new("RGB", (48, 48), color).save(sink, "WEBP")
    return sink.getvalue()


def colored(body):
    """A picture of a color of its own for each request."""
    red, green, blue = hashlib.sha256(repr(sorted(body.items())).encode()).digest()[:3]
    return picture((red, green, blue))


def job(folder, requests, **options):
    async def main(url):
        async with VeniceSession("key", base_url=url, rate_limit=None, guard=None) as venice:
            return await gather_generate(venice, requests, into=folder, durability="process")

    with Sandbox(latency=0, rpm=None, images=colored, **options) as sandbox:
        # Playwright's loop runs in this thread.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, main(sandbox.url)).result()


BASE = ImageRequest("?", model="fluently-xl")
PROMPTS = [*(f"fox number {n}" for n in range(49)), HOSTILE]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Five hundred images: fifty prompts, one of them hostile, with ten seeds each."""
    folder = tmp_path_factory.mktemp("page") / "out"
    report = job(folder, sweep(BASE, prompt=PROMPTS, seed=range(10)))
    assert report.generated == 500
    write_page(folder)
    return folder


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.fail("the page is tested in Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser):
    """Open the page of a directory; it must stay without an error, and ask for nothing elsewhere."""
    wrong, contexts = [], []

    def open_page(folder, **options):
        context = browser.new_context(viewport={"width": 1200, "height": 800}, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda request: wrong.append(request.url))
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto((folder / "index.html").as_uri())
        page.home = folder.as_uri()
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            assert all(url.startswith((page.home, "data:")) for url in page.asked)
        context.close()
    assert wrong == []


def count(page):
    return page.locator("#count").inner_text()


def expect_current(page, title):
    page.locator(f'.cell.current[title="{title}"]').wait_for()


def test_five_hundred_images_are_a_grid_of_prompts_and_seeds(opened, directory):
    page = opened(directory)
    assert count(page) == "500 images"
    assert (page.locator("#rows").input_value(), page.locator("#columns").input_value()) == ("prompt", "seed")
    assert page.locator(".column").all_inner_texts() == [str(seed) for seed in range(10)]
    assert page.locator(".row").first.inner_text() == PROMPTS[0]
    page.wait_for_function("[...document.images].some(i => i.complete && i.naturalWidth > 0)")


def test_only_what_can_be_seen_is_in_the_document_and_is_asked_for(opened, directory):
    page = opened(directory)
    assert page.locator(".cell").count() < 150
    page.locator("#view").evaluate("view => view.scrollTo(0, view.scrollHeight)")
    page.wait_for_function(
        "[...document.querySelectorAll('.row')].some(r => r.textContent.includes('window.hacked'))"
    )
    assert page.locator(".cell").count() < 150
    assert len([url for url in page.asked if "thumbnails" in url]) < 350


def test_a_hostile_prompt_stays_text(opened, directory):
    page = opened(directory)
    page.locator("#text").fill("window.hacked")
    assert count(page) == "10 of 500 images"
    assert page.locator(".row").count() == 1
    page.locator(".cell").first.click()
    assert page.locator("#prompt").evaluate("one => one.textContent") == HOSTILE
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0


def test_the_filter_takes_words_of_any_field(opened, directory):
    page = opened(directory)
    page.keyboard.press("/")
    page.keyboard.type("number 7")
    assert count(page) == "94 of 500 images"  # the seed 7 of each fox, and the others of 7, 17, 27, 37 and 47
    page.locator("#text").fill("no such word")
    assert (count(page), page.locator(".cell").count()) == ("0 of 500 images", 0)
    page.locator("#text").fill("")
    assert count(page) == "500 images"


def test_the_keyboard_moves_opens_turns_and_closes(opened, directory):
    page = opened(directory)
    page.locator("#view").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect_current(page, "fox number 1, seed 2")
    page.keyboard.press("Enter")
    assert page.locator("#prompt").inner_text() == "fox number 1"
    page.wait_for_function("document.getElementById('large').naturalWidth === 48")
    page.keyboard.press("ArrowRight")
    assert "3" in page.locator("#facts").inner_text().split("seed")[1][:4]
    page.keyboard.press("Escape")
    assert not page.locator("#dialog").is_visible()
    expect_current(page, "fox number 1, seed 3")
    page.keyboard.press("End")
    page.locator('.cell.current[title$="seed 9"]').wait_for()
    page.keyboard.press("Home")
    expect_current(page, "fox number 0, seed 0")


def test_an_open_image_shows_the_file_that_the_journal_tells_of(opened, directory):
    page = opened(directory)
    page.locator(".cell").first.click()
    name = page.locator("#facts tr", has_text="file").locator("td").first.inner_text()
    digest = page.locator("#facts tr", has_text="sha256").locator("td").inner_text()
    assert hashlib.sha256((directory / name).read_bytes()).hexdigest() == digest
    assert page.locator("#large").get_attribute("src") == name


def test_rows_and_columns_can_be_chosen(opened, directory):
    page = opened(directory)
    page.locator("#rows").select_option("seed")
    page.locator("#columns").select_option("prompt")
    assert page.locator(".row").first.inner_text() == "0"
    page.locator("#rows").select_option("")
    page.locator("#columns").select_option("")
    assert page.locator(".row, .column").count() == 0
    assert count(page) == "500 images"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_follow_the_system_and_can_be_changed(opened, directory, scheme):
    page = opened(directory, color_scheme=scheme)
    paper = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(paper)
    page.locator("#theme").click()
    assert page.evaluate(paper) != before


def test_the_command_makes_that_very_image_again(opened, tmp_path):
    """It is read by a shell's own rules and by the command line's, and sends the same request."""
    request = ImageRequest(
        '--it\'s "quoted" $HOME\nand `two` lines',
        model="fluently-xl",
        seed=-5,
        width=64,
        height=64,
        steps=7,
        cfg_scale=4.5,
        safe_mode=False,
        hide_watermark=True,
        negative_prompt="*.txt; rm -rf",
        format="png",
    )
    job(tmp_path / "out", [request])
    write_page(tmp_path / "out")
    page = opened(tmp_path / "out")
    page.locator(".cell").first.click()
    words = shlex.split(page.locator("#command").evaluate("one => one.textContent"))
    assert words.pop(0) == "venice-async"
    with Sandbox(latency=0, rpm=None) as sandbox:
        done = subprocess.run(  # noqa: PLW1510 - its exit code is looked at below
            [sys.executable, "-m", "venice_async.cli", *words],
            env={**os.environ, "VENICE_API_KEY": "key", "VENICE_BASE_URL": sandbox.url},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        (body,) = [record.body for record in sandbox.requests if record.method == "POST"]
    wanted = {name: getattr(request, name) for name in module._FIELDS}
    assert body == {name: value for name, value in wanted.items() if value is not None}


def test_metadata_moderation_variants_and_broken_images_are_shown(opened, tmp_path):
    headers = {"x-venice-is-blurred": "true"}
    requests = [
        ImageRequest(
            "a fox", model="fluently-xl", seed=1, variants=2, metadata={"caption": "of a <b>fox</b>"}
        ),
        ImageRequest("a hen", model="venice-sd35", seed=2, metadata={"caption": "of a hen"}),
    ]
    folder = tmp_path / "out"
    job(folder, requests, faults=[Fault(headers=headers)])
    broken = next(folder.glob("*hen*"))
    broken.write_bytes(b"no image")
    report = write_page(folder)
    assert (report.images, report.broken) == (3, 1)
    page = opened(folder)
    assert page.locator(".none").count() == 1
    assert page.locator(".flag").count() >= 1
    page.locator("#flag").select_option("is_blurred")
    blurred = count(page)
    page.locator("#flag").select_option("none")
    assert {blurred, count(page)} in ({"2 of 3 images", "1 of 3 images"}, {"1 of 3 images", "2 of 3 images"})
    page.locator("#flag").select_option("")
    page.locator("#model").select_option("fluently-xl")
    assert count(page) == "2 of 3 images"
    page.locator(".cell:not(.empty)").first.click()
    assert "a <b>fox</b>" in page.locator("#facts").inner_text()
    assert "# image" not in page.locator("#command").inner_text()
    page.keyboard.press("ArrowRight")
    assert "seed" not in page.locator("#facts").inner_text()
    command = page.locator("#command").inner_text()
    assert "--seed=1" in command
    assert "# image 2 of its answer: only the first has the seed" in command


def test_the_report_tells_what_went_wrong(opened, tmp_path):
    folder = tmp_path / "out"
    job(folder, [ImageRequest(f"fox {n}", model="fluently-xl") for n in range(4)], faults=[Fault(status=400)])
    write_page(folder)
    page = opened(folder)
    page.locator("#report summary").click()
    told = page.locator("#report").inner_text()
    assert "3 (3 images" in told
    assert "1 failed" in told
    assert "BadRequestError 400" in told
    assert "nine of ten" in told
    assert page.locator("#report svg rect").count() > 1


def test_a_job_without_an_image_has_a_page_all_the_same(opened, tmp_path):
    folder = tmp_path / "out"
    job(folder, [ImageRequest("a fox", model="fluently-xl")], faults=[Fault(status=400)])
    write_page(folder)
    assert count(opened(folder)) == "0 images"


@pytest.mark.long
def test_ten_thousand_images_open_and_scroll(long, opened, directory, tmp_path):
    """Only what is looked at is in the document; the rows of the journal are copied by hand."""
    folder = tmp_path / "out"
    shutil.copytree(directory, folder)
    with closing(sqlite3.connect(folder / ".venice" / "journal.sqlite3")) as journal, journal:
        names = [name for _, name, *_ in journal.execute("PRAGMA table_info(items)")]
        for number in range(1, 20 if long else 5):
            changed = {
                "id": "NULL",
                "fingerprint": "randomblob(16)",
                "seed": f"seed + {10 * number}",
                "place": f"place + {500 * number}",
            }
            columns = ", ".join(changed.get(name, name) for name in names)
            journal.execute(f"INSERT INTO items SELECT {columns} FROM items WHERE id <= 500")
    images = 10_000 if long else 2500
    assert write_page(folder).images == images
    page = opened(folder)
    assert count(page) == f"{images} images"
    for share in (0.3, 0.6, 1):
        page.locator("#view").evaluate(
            f"view => view.scrollTo(view.scrollWidth * {share}, view.scrollHeight * {share})"
        )
        page.wait_for_function("document.querySelectorAll('.cell').length > 20")
        assert page.locator(".cell").count() < 300
    page.keyboard.press("/")
    page.keyboard.type("number 7")
    assert page.locator(".cell").count() < 300
    assert page.evaluate("document.querySelectorAll('*').length") < 1500


# Without a browser


def test_thumbnails_are_made_once(tmp_path):
    folder = tmp_path / "out"
    job(folder, sweep(BASE, prompt=["a", "b"], seed=range(3)))
    assert write_page(folder).thumbnails == 6
    assert write_page(folder).thumbnails == 0
    shutil.rmtree(folder / ".venice" / "gallery")
    assert write_page(folder).thumbnails == 6
    assert not list(folder.rglob("*.part"))


def test_neither_verify_nor_a_next_run_stumbles_over_the_page(tmp_path):
    from venice_async.storage.journal import audit

    folder = tmp_path / "out"
    requests = [ImageRequest(f"fox {n}", model="fluently-xl", seed=n) for n in range(3)]
    job(folder, requests)
    write_page(folder)
    assert [finding.verdict for finding in audit(folder)] == ["intact"] * 3
    assert job(folder, requests).skipped == 3


def test_the_data_is_a_script_that_no_text_can_leave(directory):
    data = (directory / ".venice" / "gallery" / "data.js").read_bytes()
    assert b"<" not in data
    assert "\u2028".encode() not in data
    lines = data.splitlines()
    assert orjson.loads(lines[2].removesuffix(b","))["request"]["prompt"] == PROMPTS[0]


def test_a_directory_without_a_journal_is_refused(tmp_path):
    with pytest.raises(StorageError, match="no batch was begun here"):
        write_page(tmp_path)


@pytest.mark.parametrize("library", ["jinja2", "PIL"])
def test_a_missing_library_is_named_with_its_extra(tmp_path, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r"pip install \"venice-async\[pictures\]\""):
        write_page(tmp_path)
