"""The pure parts of the benchmarks, and the small server that stands in for nginx."""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import urllib.error
import urllib.request

import attrs
import pytest

from benchmarks.answers import FORMS, SIZES, VARIANTS, Answer
from benchmarks.bars import BARS, Bar, judge
from benchmarks.check import faults
from benchmarks.measure import Reading
from benchmarks.rows import all_groups, chosen, for_quick
from benchmarks.server import serve
from benchmarks.summary import Results, figures_of, paired, spread
from benchmarks.table import Table, bars_table, group_table, to_json, to_markdown, to_text
from venice_async.types.response import MAGIC_BYTES, TAIL_BYTES, detect_format, is_cut_short

GROUPS = all_groups()


def images_of(answer, body):
    """The images of a body, by means of the standard library alone."""
    if answer.form == "binary":
        return [body]
    text = gzip.decompress(body) if answer.form == "gzip" else body
    return [base64.b64decode(image, validate=True) for image in json.loads(text)["images"]]


def results_of(**rows):
    """Results with one figure, `images_per_s`, for each repetition."""
    results = Results()
    for name, values in rows.items():
        for repetition, value in enumerate(values):
            results.add(f"group/{name}", repetition, {"images_per_s": value})
    return results


@pytest.mark.parametrize("size", ["1k", "200k"])
@pytest.mark.parametrize("form", FORMS)
def test_an_answer_holds_whole_images(form, size):
    """Each image has its format's head and end, and all together have the size that is promised."""
    answer = Answer(form, size)
    images = images_of(answer, answer.body())
    assert len(images) == answer.images == (VARIANTS if form == "four" else 1)
    assert sum(map(len, images)) == SIZES[size]
    for image in images:
        kind = detect_format(image[:MAGIC_BYTES])
        assert kind == ("png" if form == "binary" else "webp")
        assert not is_cut_short(kind, image[:MAGIC_BYTES], image[-TAIL_BYTES:], len(image))


def test_images_cannot_be_compressed():
    """No client or server gains by what is in them."""
    image = Answer("binary", "200k").picture
    assert len(gzip.compress(image)) > 0.99 * len(image)


def test_ratios_are_paired_by_repetition():
    """A repetition that one side lacks is left out; the others are divided or subtracted one by one."""
    left, right = {0: 10.0, 1: 30.0, 2: 50.0}, {0: 5.0, 2: 10.0, 3: 1.0}
    assert paired(left, right) == [2, 5]
    assert paired(left, right, ratio=False) == [5, 40]
    assert paired(left, {0: 0.0}) == []


def test_a_spread_is_the_median_with_both_ends():
    """One run is its own median, and an even number of them has its middle between two."""
    assert attrs.astuple(spread([3.0, 1.0, 2.0, 8.0])) == (2.5, 1, 8)
    assert attrs.astuple(spread([7.0])) == (7, 7, 7)


@pytest.mark.parametrize(
    ("bar", "value", "met"),
    [
        ({"at_least": 2}, 2.0, True),
        ({"at_least": 2.1}, 2.0, False),
        ({"at_most": 2}, 2.0, True),
        ({"at_most": 1.9}, 2.0, False),
        ({"how": "difference", "at_most": 20}, 20.0, True),
        ({"against": None, "at_least": 41}, 40.0, False),
    ],
)
def test_a_bar_is_judged_by_the_median_of_pairs(bar, value, met):
    """The median of the pairs decides, not the ratio of the medians, and a bound itself is within."""
    results = results_of(one=[40, 90, 20], other=[20, 10, 20])
    told = {"against": "group/other", **bar}
    verdict = judge(Bar(what="", row="group/one", figure="images_per_s", **told), results)
    assert (verdict.value, verdict.met) == (value, met)


def test_a_bar_without_its_rows_is_not_measured():
    """A row that was left out, or whose client failed, is neither met nor missed."""
    bar = Bar(what="", row="group/one", figure="images_per_s", against="group/other", at_least=1)
    assert judge(bar, results_of(one=[1])).met is None
    failed = results_of(one=[1], other=[1])
    failed.failures["group/other"] = "it left a file"
    assert judge(bar, failed).word == "not measured"


def test_every_bar_names_rows_that_there_are():
    """Whole and quick runs measure all that the bars compare, of figures that the rows have."""
    reading = Reading(seconds=1, processor=1, baseline=0, peak=1, lag_p50=1.0, lag_p99=1.0, lag_max=1.0)
    for groups in (GROUPS, for_quick(GROUPS)):
        rows = {row.key: row for group in groups for row in group.rows}
        for bar in BARS:
            for key in {bar.row, bar.against} - {None}:
                figures = {"milliseconds"} if rows[key].answer is None else figures_of(rows[key], reading)
                assert bar.figure in figures


def test_figures_follow_from_a_reading():
    """Rates count images and their decimal megabytes; memory is above the baseline, and never below 0."""
    (group,) = chosen(GROUPS, ["variants/gather-4"])
    row = attrs.evolve(group.rows[0], requests=10)
    reading = Reading(seconds=2.0, processor=0.3, baseline=50_000_000, peak=40_000_000)
    figures = figures_of(row, reading)
    assert figures["images_per_s"] == 20
    assert figures["mb_per_s"] == pytest.approx(7.5)
    assert figures["cpu_s_per_gb"] == pytest.approx(20)
    assert figures["us_per_request"] == pytest.approx(200_000)
    assert figures["peak_mb"] == 0
    assert "lag_p99_ms" not in figures


def test_rows_are_chosen_by_their_names():
    """A pattern fits a row or a whole group, and a group without rows is left out."""
    groups = chosen(GROUPS, ["import", "json-1500k-c16/ht*"])
    keys = [row.key for group in groups for row in group.rows]
    imports = [
        f"import/{name}"
        for name in ("aiohttp", "venice_async", "venice_async.session", "venice_async.gather")
    ]
    assert keys == ["json-1500k-c16/httpx", *imports]


def test_a_quick_run_sends_less():
    """It has all groups, fewer bytes in each that sends any, and enough to fill every place."""
    for whole, quick in zip(GROUPS, for_quick(GROUPS), strict=True):
        assert sum(row.volume for row in quick.rows) <= sum(row.volume for row in whole.rows)
        assert all(row.requests >= row.concurrency or row.name == "10" for row in quick.rows)


def test_tables_have_a_line_for_each_row():
    """Medians stand with their least and most, ratios are against the reference, failures are noted."""
    (group,) = chosen(GROUPS, ["json-200k-c16/save", "json-200k-c16/gather", "json-200k-c16/limit"])
    group = attrs.evolve(group, figures=("images_per_s",))
    results = Results()
    for repetition, (save, gather) in enumerate([(100, 80), (200, 180), (300, 300)]):
        results.add("json-200k-c16/save", repetition, {"images_per_s": save})
        results.add("json-200k-c16/gather", repetition, {"images_per_s": gather})
    results.failures["json-200k-c16/limit"] = "it is not installed"
    table = group_table(group, results)
    assert [line[1:] for line in table.lines] == [("200 (100-300)", "1"), ("180 (80-300)", "0.90")]
    assert "it is not installed" in table.notes[0]
    data = to_json([group], results, [], {"machine": {}})
    assert data["rows"][0]["summary"]["images_per_s"] == {"median": 200, "least": 100, "most": 300}


def test_tables_are_text_and_markdown():
    """The same cells stand in columns of one width, and between bars."""
    table = Table("Title", ("client", "n"), (("a", "1"), ("longer", "10")), ("a note",))
    assert to_text(table) == "Title\n\nclient   n\na        1\nlonger  10\n(a note)\n"
    assert "| client | n |\n|---|--:|\n| a | 1 |\n| longer | 10 |\n\na note" in to_markdown(table)


def test_the_bars_table_counts_what_is_missing():
    """Bars that were not measured are a note, not lines."""
    bar = Bar(what="one / other", row="group/one", figure="images_per_s", at_least=4)
    verdicts = [judge(bar, results_of(one=[1])), judge(bar, Results())]
    table = bars_table(verdicts)
    assert table.lines == (("one / other", ">= 4", "1.00 (1.00-1.00)", "MISSED"),)
    assert table.notes == ("1 of 2 bars were not measured",)


def test_a_directory_is_checked_for_what_should_be_there(tmp_path):
    """Each image is whole and no other; the journal's folder may stay, a temporary file may not."""
    answer = Answer("json", "1k")
    (tmp_path / "0.webp").write_bytes(answer.picture)
    (tmp_path / ".venice").mkdir()
    (tmp_path / ".venice" / "journal.sqlite3").touch()
    (tmp_path / "metadata.jsonl").write_text("{}")
    assert faults(tmp_path, answer, 1, files=True) == []
    assert faults(tmp_path, answer, 2, files=True) == ["1 images instead of 2"]
    assert faults(tmp_path, answer, 1, files=False) == ["1 images instead of 0"]
    (tmp_path / "1.webp").write_bytes(answer.picture[:-1])
    (tmp_path / "2.webp").write_bytes(answer.picture[:-1] + b"!")
    for left in (".hidden", "3.part", ".venice/4.part"):
        (tmp_path / left).touch()
    found = faults(tmp_path, answer, 1, files=True)
    for left in (tmp_path / "3.part", tmp_path / ".venice" / "4.part"):
        left.unlink()
    assert found == [
        "left over: .hidden",
        "left over: .venice/4.part",
        "1.webp has 999 bytes instead of 1000",
        "2.webp is another image",
        "left over: 3.part",
    ]


def test_the_small_server_answers(tmp_path):
    """It speaks plain HTTP and TLS, answers a POST with what its path names, and knows what it has not."""
    answers = {Answer(form, "1k") for form in FORMS}
    with serve("asyncio", answers, tmp_path) as server:
        trust = ssl.create_default_context(cafile=str(server.authority))
        for tls in (False, True):
            context = trust if tls else None
            for answer in answers:
                url = f"{server.base_url(answer, tls=tls)}/image/generate"
                request = urllib.request.Request(url, data=b"{}", method="POST")
                with urllib.request.urlopen(request, context=context) as response:
                    assert response.read() == answer.body()
                    assert response.headers["Content-Type"] == answer.content_type
                    assert response.headers["Content-Encoding"] == ("gzip" if answer.form == "gzip" else None)
        base = server.base_url(Answer("json", "1k"), tls=False)
        with urllib.request.urlopen(f"{base}/models?type=image") as response:
            assert json.load(response)["data"][0]["id"] == "stub"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{base}/nothing")
        refused.value.close()
        assert refused.value.code == 404
