"""What the API offers and what a key may use, as text and as JSON."""

from __future__ import annotations

import asyncio
import json

import pytest

from venice_async import VeniceSession
from venice_async.sandbox import Sandbox


def asked(url, method):
    async def main():
        async with VeniceSession("key", base_url=url) as venice:
            return await method(venice)

    return asyncio.run(main())


def test_models_are_listed_with_their_prices(called, settings):
    """A line each, with tabs between the columns where no terminal reads them."""
    code, out, err = called("models", **settings)
    rows = [line.split("\t") for line in out.splitlines()]
    models = asked(settings["VENICE_BASE_URL"], VeniceSession.models)
    assert (code, err) == (0, "")
    assert [row[0] for row in rows] == [model.id for model in models]
    by_id = {row[0]: row for row in rows}
    assert by_id["venice-sd35"][1:] == ["0.01", "steps to 30, sides by 16", "eliza-default"]
    assert by_id["z-image-turbo"][1:] == ["0.01", "sides by 8", "default; fastest"]
    assert by_id["nano-banana-pro"][1:] == [
        "1K 0.18, 2K 0.23, 4K 0.35",
        "10 aspect ratios, 4 style references",
        "seed ignored",
    ]
    assert by_id["bria-bg-remover"][2] == "nothing: it generates no images"
    assert by_id["ideogram-v4"][3] == "offline"
    assert by_id["lustify-sdxl"][3] == "goes on 2030-01-01, use lustify-v8 instead"
    assert by_id["wan-2-7-pro-text-to-image"][3] == "blocked in US"


def test_models_as_json_are_whole(called, settings):
    """An object a line."""
    code, out, _ = called("models", "--json", **settings)
    found = [json.loads(line) for line in out.splitlines()]
    models = asked(settings["VENICE_BASE_URL"], VeniceSession.models)
    assert code == 0
    assert [(entry["id"], entry["steps_max"]) for entry in found] == [
        (model.id, model.steps_max) for model in models
    ]
    by_id = {entry["id"]: entry for entry in found}
    assert by_id["wan-2-7-pro-text-to-image"]["region_restrictions"] == ["US"]
    assert by_id["lustify-sdxl"]["deprecation"]["replacement"] == "lustify-v8"
    assert [name for name, entry in by_id.items() if not entry["generates"]] == ["bria-bg-remover"]
    assert "seed" in by_id["gpt-image-2"]["ignores"]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_styles_are_listed(called, settings, options):
    """Their names as they are, or as JSON strings."""
    code, out, _ = called("styles", *options, **settings)
    lines = [json.loads(line) for line in out.splitlines()] if options else out.splitlines()
    assert code == 0
    assert tuple(lines) == asked(settings["VENICE_BASE_URL"], VeniceSession.styles)


def test_rate_limits_are_listed_with_the_balance(called):
    """What the key may use, a model and a kind a line."""
    with Sandbox(latency=0, rpm=60) as sandbox:
        code, out, _ = called("rate-limits", VENICE_API_KEY="key", VENICE_BASE_URL=sandbox.url)
    assert code == 0
    assert "fluently-xl\tRPM\t60" in out.splitlines()
    assert "balance: 100 USD" in out.splitlines()


def test_rate_limits_as_json(called):
    """The balances first, then an object for each model and kind."""
    with Sandbox(latency=0, rpm=60) as sandbox:
        code, out, _ = called("rate-limits", "--json", VENICE_API_KEY="key", VENICE_BASE_URL=sandbox.url)
    first, *rest = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert first["balances"]["usd"] == 100
    assert {"model": "fluently-xl", "type": "RPM", "amount": 60} in rest


@pytest.mark.parametrize("command", ["models", "styles", "rate-limits"])
def test_they_work_on_the_embedded_server_without_a_key(called, command):
    """So that a newcomer can look."""
    code, out, err = called(command, "--sandbox")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) > 5


def test_a_refused_key_is_one_readable_line(called):
    """As it is for pictures."""
    with Sandbox(latency=0, faults=["401"]) as sandbox:
        code, out, err = called("rate-limits", VENICE_API_KEY="key", VENICE_BASE_URL=sandbox.url + "/none")
    assert (code, out) == (1, "")
    assert err.startswith("error: 404")
    assert len(err.splitlines()) == 1
