"""A job that is held against its models and the styles before anything of it is sent."""

import pytest

from venice_async.errors import ServerError
from venice_async.session import catalogue as module

SMALL = ["--width", "64", "--height", "64", "--into", "out"]
SD35 = ["--model", "venice-sd35", "--into", "out"]


@pytest.fixture
def generated(called, settings):
    """Call `generate`: its code, its messages, and the bodies that it has sent."""

    def call(*arguments, **variables):
        code, _, err = called("generate", *arguments, "--no-gallery", **settings, **variables)
        return code, err, settings.sent

    return call


@pytest.mark.parametrize(
    ("options", "variables", "model"),
    [
        ([], {}, "z-image-turbo"),
        ([], {"VENICE_MODEL": "venice-sd35"}, "venice-sd35"),
        (["--model", "fastest"], {"VENICE_MODEL": "venice-sd35"}, "z-image-turbo"),
        (["--model", "chroma"], {"VENICE_MODEL": "venice-sd35"}, "chroma"),
    ],
)
def test_a_model_may_be_left_out_or_be_a_trait(generated, options, variables, model):
    code, err, sent = generated("a fox", *SMALL, *options, **variables)
    assert code == 0, err
    assert [body["model"] for body in sent] == [model]


def test_a_request_from_a_file_may_leave_its_model_out(generated, tmp_path):
    (tmp_path / "body.json").write_text('{"prompt": "a fox"}')
    code, err, sent = generated("--request", "body.json", *SMALL)
    assert code == 0, err
    assert [body["model"] for body in sent] == ["z-image-turbo"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["a fox", "--width", "510", *SD35], "width = 510: expected a multiple of 16 (512 is the nearest)"),
        (["a fox", "--style-preset", "3d model", *SD35], "(did you mean '3D Model'?)"),
        (["a fox", "--model", "venice-sd3", "--into", "out"], "did you mean 'venice-sd35'"),
        (["a fox", "--model", "bria-bg-remover", "--into", "out"], "a model that generates images"),
        (["a fox", "--model", "ideogram-v4", "--into", "out"], "a model that is in service"),
        (["a fox", "--set", "model=chroma,venice-sd35", "--width", "520", "--into", "out"], "multiple of 16"),
        (["a fox", "--set", "width=512,520", *SD35], "width = 520: expected a multiple of 16"),
        (["a fox", "x" * 1501, "a hen", "--limits", "model", *SD35], "1 to 1500 characters, not 1501"),
        (["a fox", "--steps", "31", *SD35], "steps = 31: expected 0 < x <= 30"),
        (["a fox", "--width", "510", "--dry-run", *SD35], "512 is the nearest"),
        (["a fox", "--width", "510", "--seeds", "0-999", *SD35], "512 is the nearest"),
    ],
)
def test_what_a_model_does_not_take_is_told_before_anything_is_sent(generated, tmp_path, options, told):
    code, err, sent = generated(*options)
    assert code == 2
    assert told in err
    assert "nothing was sent; --no-check-models sends such requests all the same" in err
    assert sent == []
    assert not (tmp_path / "out").exists()


def test_every_row_of_a_file_is_looked_at_and_told_with_its_line(generated, tmp_path):
    rows = ["prompt,model,width", *["a fox,chroma,512"] * 300, "a hen,venice-sd35,520", "a cow,chroma,100"]
    (tmp_path / "rows.csv").write_text("\n".join(rows))
    code, err, sent = generated("--from", "rows.csv", "--set", "seed=0..99", "--into", "out")
    assert (code, sent) == (2, [])
    assert "line 302, width = 520: expected a multiple of 16" in err
    assert "line 303, width = 100: expected a multiple of 8" in err


def test_a_fault_of_many_rows_is_told_once(generated, tmp_path):
    (tmp_path / "rows.csv").write_text("prompt,width\n" + "a fox,510\n" * 50)
    code, err, _ = generated("--from", "rows.csv", *SD35)
    assert code == 2
    assert err.count("width = 510") == 1


def test_every_prompt_that_is_too_long_is_told(generated, tmp_path):
    rows = ["prompt", "x" * 1600, "a fox", "x" * 1502, "x" * 1500]
    (tmp_path / "rows.csv").write_text("\n".join(rows))
    code, err, _ = generated("--from", "rows.csv", "--limits", "model", *SD35)
    assert code == 2
    assert [line.split(",")[0] for line in err.splitlines() if "characters, not" in line] == [
        "  line 2",
        "  line 4",
    ]


def test_bad_rows_that_are_left_out_are_not_looked_at(generated, tmp_path):
    (tmp_path / "rows.csv").write_text("prompt,steps\na fox,99\na hen,5\n")
    code, err, sent = generated("--from", "rows.csv", "--skip-bad-rows", *SMALL, "--model", "venice-sd35")
    assert code == 0, err
    assert [body["prompt"] for body in sent] == ["a hen"]


def test_what_is_not_checked_is_sent_all_the_same(generated):
    """The server has the last word: it does not mind a divisor."""
    code, err, sent = generated("a fox", "--width", "510", "--no-check-models", *SD35)
    assert code == 0, err
    assert [body["width"] for body in sent] == [510]


def test_a_catalogue_that_cannot_be_had_is_told_and_stops_nobody(generated, monkeypatch):
    async def unreachable(*_):
        raise ServerError("500", status=500)

    monkeypatch.setattr(module.Catalogue, "models", unreachable)
    code, err, sent = generated("a fox", "--width", "510", *SD35)
    assert code == 0, err
    assert "the models cannot be had: requests are not held against them" in err
    assert len(sent) == 1


def test_styles_that_cannot_be_had_are_told_and_stop_nobody(generated, monkeypatch):
    async def unreachable(*_):
        raise ServerError("500", status=500)

    monkeypatch.setattr(module.Catalogue, "styles", unreachable)
    code, err, sent = generated("a fox", "--style-preset", "3D Model", *SMALL)
    assert code == 0, err
    assert "the styles cannot be had" in err
    assert len(sent) == 1


# The profiles


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        (["--width", "1280"], "schema"),
        (["--steps", "60"], "current"),
        (["--negative-prompt", "x" * 1501], "current"),
    ],
)
def test_the_narrowest_wider_profile_is_named_and_admits_it(generated, options, limits):
    command = ["a fox", *options, "--model", "nano-banana-pro", "--into", "out"]
    code, err, sent = generated(*command)
    assert (code, sent) == (2, [])
    assert f"(--limits {limits} would admit it)" in err
    code, err, sent = generated(*command, "--limits", limits)
    assert code == 0, err
    assert len(sent) == 1


def test_inpaint_is_refused_by_the_limits_of_today_which_name_those_of_2025(generated, tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    inpaint = ["--inpaint", "a.png", "--inpaint-strength", "5", "--limits", "current"]
    code, err, sent = generated("a fox", *inpaint, *SMALL)
    assert (code, sent) == (2, [])
    assert "inpaint" in err
    assert "--limits schema, the profile of 2025, would admit it" in err


def test_the_limits_of_a_model_are_its_own(generated):
    code, err, sent = generated("x" * 7500, *SMALL, "--model", "z-image-turbo", "--limits", "model")
    assert code == 0, err
    assert len(sent) == 1


# Fields without effect


def test_a_sweep_over_what_the_model_ignores_is_refused_unless_forced(generated):
    sweep = ["a fox", "--set", "steps=10,20", "--seeds", "0-1", "--model", "z-image-turbo", *SMALL]
    code, err, sent = generated(*sweep)
    assert (code, sent) == (2, [])
    assert "z-image-turbo ignores steps" in err
    assert "Leave --set steps out, or add --force" in err
    code, err, sent = generated(*sweep, "--force")
    assert code == 0, err
    assert sorted((body["steps"], body["seed"]) for body in sent) == [(10, 0), (10, 1), (20, 0), (20, 1)]


@pytest.mark.parametrize(
    "options",
    [
        ["--set", "steps=10,20", "--set", "cfg_scale=4,7", "--model", "z-image-turbo"],
        ["--set", "steps=10,20", "--set", "model=z-image-turbo,venice-sd35"],
        ["--set", "steps=10", "--model", "z-image-turbo"],
        ["--set", "steps=10,20", "--model", "venice-sd35"],
    ],
)
def test_a_sweep_that_changes_something_is_not_refused(generated, options):
    code, err, _ = generated("a fox", *options, *SMALL)
    assert code == 0, err
    assert ("z-image-turbo ignores steps" in err) == ("venice-sd35" not in options)


@pytest.mark.parametrize("seeds", [["--seeds", "0-1"], ["--set", "seed=0,1"]])
def test_a_sweep_over_seeds_is_told_that_they_do_not_reproduce_and_never_refused(generated, seeds):
    code, err, sent = generated("a fox", *seeds, "--model", "gpt-image-2", "--into", "out")
    assert code == 0, err
    assert [body["seed"] for body in sent] == [0, 1]
    assert "note: gpt-image-2 ignores seed: the same seed does not make the same image again" in err


def test_a_transparent_background_and_a_users_name_are_sent(generated):
    options = ["--transparent-background", "--anon-user-id", "user 7", "--format", "png"]
    code, err, sent = generated("a fox", *options, "--model", "gpt-image-2", "--into", "out")
    assert code == 0, err
    assert (sent[0]["transparent_background"], sent[0]["anon_user_id"]) == (True, "user 7")


def test_a_transparent_background_is_refused_where_a_model_has_none(generated):
    code, err, sent = generated("a fox", "--transparent-background", *SD35)
    assert (code, sent) == (2, [])
    assert "venice-sd35 has no transparency" in err
