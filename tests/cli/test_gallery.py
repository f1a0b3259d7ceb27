"""`venice-async gallery`, and the page that a batch ends with."""

import sys

import pytest

SMALL = ["--model", "fluently-xl", "--width", "64", "--height", "64", "--into", "out"]


def test_a_batch_ends_with_a_page_and_says_where_it_is(called, settings, tmp_path):
    code, out, err = called("generate", "a fox", "--seeds", "0-2", *SMALL, **settings)
    assert code == 0
    assert "to look at them: out/index.html" in err
    assert "index.html" not in out
    assert (tmp_path / "out" / "index.html").exists()


def test_a_page_can_be_left_out_and_made_later(called, settings, tmp_path):
    called("generate", "a fox", "--seeds", "0-2", "--no-gallery", *SMALL, **settings)
    assert not (tmp_path / "out" / "index.html").exists()
    code, out, err = called("gallery", "out")
    assert (code, out) == (0, "out/index.html\n")
    assert "3 images, 3 new" in err
    assert "3 images, 0 new" in called("gallery", "out")[2]


def test_a_plan_and_a_job_without_an_image_have_none(called, settings, tmp_path):
    called("generate", "a fox", "--dry-run", *SMALL, **settings)
    assert not (tmp_path / "out").exists()
    code, _, err = called(
        "generate", "a fox", "--model", "no-such-model", "--no-check-models", "--into", "out", **settings
    )
    assert code == 1
    assert "to look at them" not in err


@pytest.mark.parametrize("asked", [[], ["--gallery"]])
def test_where_a_library_is_missing_only_who_asked_is_told(called, settings, tmp_path, monkeypatch, asked):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    code, _, err = called("generate", "a fox", *asked, *SMALL, **settings)
    assert code == 0
    assert ("venice-async[pictures]" in err) is bool(asked)


def test_a_page_that_cannot_be_made_fails_no_batch(called, settings, tmp_path):
    (tmp_path / "out" / "index.html").mkdir(parents=True)
    code, _, err = called("generate", "a fox", *SMALL, **settings)
    assert code == 0
    assert "no page was made: " in err


def test_a_directory_without_a_job_is_one_readable_error(called):
    code, out, err = called("gallery", "nowhere")
    assert (code, out) == (1, "")
    assert "no batch was begun here" in err
