"""The README stays true: its programs run, its table is the validators', its commands exist."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from venice_async import AnswerLimits, ImageRequest, RequestLimits
from venice_async.sandbox import Sandbox
from venice_async.types.request import NEVER_SENT

from .types.test_prices import PRICES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line
    for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if re.match(r"(zcat \S+ \| )?venice-async ", line)
]
ROWS = {
    name: row.split("|")
    for row in README.splitlines()
    if row.startswith("| `")
    for name in re.findall(r"`(\w+)`", row.split("|")[1])
}


def models_asked_for(sandbox):
    """The models of all requests that came."""
    return {record.body["model"] for record in sandbox.requests if record.method == "POST"}


def settings(sandbox):
    """The environment of a user whose key and server are the sandbox's."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "VENICE_API_KEY": "key", "VENICE_BASE_URL": sandbox.url}


@pytest.mark.parametrize("program", PROGRAMS, ids=[f"program{n}" for n in range(len(PROGRAMS))])
def test_every_program_of_the_readme_runs_against_the_sandbox(program, tmp_path):
    """Each Python block is a whole program that ends without an error and without a warning.

    What it asks the server for is in today's catalogue, which the sandbox's own model is not.
    """
    with Sandbox(rpm=None) as sandbox:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            env=settings(sandbox),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert models_asked_for(sandbox) <= PRICES.keys()


@pytest.mark.timeout(600)
def test_the_commands_of_the_readme_run_in_their_order(tmp_path):
    """As they stand there, in one directory; each ends with 0, and asks for models of today's catalogue."""
    (tmp_path / "prompts.txt").write_text("a red fox\na blue fox\n")
    (tmp_path / "rows.csv").write_text("prompt,seed,caption_id\na red fox,7,12\na blue fox,,13\n")
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(b'{"prompt": "a red fox", "caption_id": 12}\n'))
    assert len(COMMANDS) >= 15
    with Sandbox(rpm=None, latency=0) as sandbox:
        done = subprocess.run(
            ["bash", "-euxo", "pipefail", "-c", "\n".join(COMMANDS)],
            env=settings(sandbox),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert models_asked_for(sandbox) <= PRICES.keys()
    assert len([*tmp_path.glob("*/*.webp")]) >= sandbox.account.billed_images > 0


def test_the_readme_has_programs():
    """The parametrised test above has something to run."""
    assert len(PROGRAMS) >= 4


def test_the_table_names_every_field_of_a_request():
    """The table of fields and ranges has a row for each field that is sent but `extra`."""
    fields = {field.name for field in attrs.fields(ImageRequest)} - NEVER_SENT - {"extra"}
    assert fields <= set(ROWS)


@pytest.mark.parametrize("name", ["width", "height", "steps", "cfg_scale", "seed", "lora_strength"])
def test_the_table_prints_the_ranges_that_the_validators_enforce(name):
    """The columns of ranges are those of the profiles, word for word."""
    assert ROWS[name][3].strip() == str(getattr(RequestLimits.DOCUMENTED, name))
    assert ROWS[name][4].strip() == str(getattr(RequestLimits.SCHEMA, name))
    assert ROWS[name][5].strip() == str(getattr(RequestLimits.CURRENT, name))


def test_the_two_commands_are_where_the_ci_looks_for_them():
    """`.ci/run` reads the commands behind these marks."""
    for name in ("try", "test"):
        assert f"<!-- command: {name} -->\n```bash\n" in README


def test_the_performance_tables_are_those_of_the_committed_run():
    """Each quoted table is in the results, line by line, under the title that it is quoted with."""
    results = (ROOT / "benchmarks/results/results.md").read_text(encoding="utf-8")
    quoted = re.findall(r"<!-- results: (.*?) -->\n\n(.*?)\n<!-- end of results -->", README, re.DOTALL)
    assert len(quoted) == 2
    for title, table in quoted:
        assert f"### {title}\n\n{table}" in results


def test_the_limits_of_an_answer_are_the_ones_in_force():
    for each in attrs.fields(AnswerLimits):
        assert ROWS[each.name][2].strip() == f"{each.default:,}"
