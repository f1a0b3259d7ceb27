"""`venice-async generate --from`: rows of a file, and what is wrong with them."""

import io
import json

import pytest

SMALL = ["--model", "fluently-xl", "--width", "64", "--height", "64", "--into", "out"]


def test_rows_of_a_table_become_images_with_the_options_as_their_common_fields(called, settings, tmp_path):
    (tmp_path / "a.csv").write_text("prompt,steps,id\na fox,7,x\na hen,,y\n")
    code, out, _ = called("generate", "--from", "a.csv", "--steps", "9", *SMALL, **settings)
    assert code == 0
    assert len(out.splitlines()) == 2
    sent = {body["prompt"]: body["steps"] for body in settings.sent}
    assert sent == {"a fox": 7, "a hen": 9}
    assert all("id" not in body for body in settings.sent)


def test_set_multiplies_rows_and_prompts(called, settings, tmp_path):
    (tmp_path / "a.txt").write_text("a fox\na hen\n")
    several = ["--set", "cfg_scale=4,7.5", "--set", "steps=5..10:5"]
    assert called("generate", "--from", "a.txt", *several, *SMALL, **settings)[0] == 0
    assert len(settings.sent) == 8
    assert called("generate", "a cat", *several, *SMALL, "--into", "cat", **settings)[0] == 0
    found = {(body["prompt"], body["cfg_scale"], body["steps"]) for body in settings.sent[8:]}
    assert found == {("a cat", scale, steps) for scale in (4, 7.5) for steps in (5, 10)}


def test_models_can_come_from_set_alone(called, settings):
    several = ["--set", "model=fluently-xl,chroma", "--width", "64", "--height", "64"]
    assert called("generate", "a fox", *several, "--into", "out", **settings)[0] == 0
    assert [body["model"] for body in settings.sent] == ["fluently-xl", "chroma"]


def test_standard_input_may_hold_rows(called, settings, monkeypatch):
    lines = b'{"prompt": "a fox", "seed": 3}\n{"prompt": "a hen"}\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
    assert called("generate", "--from", "-", *SMALL, **settings)[0] == 0
    assert sorted(body["prompt"] for body in settings.sent) == ["a fox", "a hen"]


def test_bad_rows_are_told_before_anything_is_sent(called, settings, tmp_path):
    (tmp_path / "a.csv").write_text("prompt,steps\na fox,99\na hen,5\n")
    code, _, err = called("generate", "--from", "a.csv", *SMALL, **settings)
    assert code == 2
    assert "line 2, steps = 99: expected 0 < x < 50 (--limits current would admit it)" in err
    assert "1 of 2 rows of a.csv are bad; nothing was sent" in err
    assert "leave them out with --skip-bad-rows" in err
    assert settings.sent == []
    assert not (tmp_path / "out").exists()


def test_bad_rows_are_left_out_on_demand_and_counted(called, settings, tmp_path):
    (tmp_path / "a.csv").write_text("prompt,steps\na fox,99\na hen,5\n")
    code, _, err = called("generate", "--from", "a.csv", "--skip-bad-rows", *SMALL, **settings)
    assert code == 0
    assert "1 bad rows are left out; the first: line 2, steps = 99" in err
    assert len(settings.sent) == 1


def test_a_column_that_is_nearly_a_field_is_told(called, settings, tmp_path):
    (tmp_path / "a.csv").write_text("prompt,stepps,id\na fox,20,1\n")
    _, _, err = called("generate", "--from", "a.csv", *SMALL, **settings)
    assert "the column 'stepps' is carried along as metadata; did you mean 'steps'?" in err
    assert "'id'" not in err


def test_a_dry_run_counts_the_rows(called, settings, tmp_path):
    (tmp_path / "a.txt").write_text("a fox\na hen\n")
    options = ["--seeds", "0-2", "--set", "steps=5,6", "--dry-run", "--json"]
    code, out, _ = called("generate", "--from", "a.txt", *options, *SMALL, **settings)
    assert (code, json.loads(out)["items"]) == (0, 12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a fox", "--from", "a.csv"], "--from FILE brings the prompts"),
        (["--from", "a.csv", "--prompts", "b.txt"], "--from FILE brings the prompts"),
        (["--from", "a.csv", "--seeds", "0-3"], "--seeds and the column 'seed' of a.csv exclude each other"),
        (["a fox", "--seeds", "0-3", "--set", "seed=1,2"], "--seeds and --set seed exclude each other"),
        (["a fox", "a hen", "--set", "prompt=b,c"], "--set prompt goes with one prompt"),
        (["a fox", "--skip-bad-rows"], "go with --from FILE"),
        (["a fox", "--input-format", "csv"], "go with --from FILE"),
        (["a fox", "--set", "steps=99"], "steps = 99: expected 0 < x < 50"),
        (["--from", "absent.csv"], "No such file"),
    ],
)
def test_contradictions_are_told_and_nothing_is_sent(called, settings, tmp_path, arguments, message):
    (tmp_path / "a.csv").write_text("prompt,seed\na fox,3\n")
    code, _, err = called("generate", *arguments, *SMALL, **settings)
    assert code == (1 if message == "No such file" else 2)
    assert message in " ".join(err.split())
    assert settings.sent == []
