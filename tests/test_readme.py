"""The README stays true: its programs run, its table is the validators', its commands exist."""

from __future__ import annotations

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

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
ROWS = {
    name: row.split("|")
    for row in README.splitlines()
    if row.startswith("| `")
    for name in re.findall(r"`(\w+)`", row.split("|")[1])
}


@pytest.mark.parametrize("program", PROGRAMS, ids=[f"program{n}" for n in range(len(PROGRAMS))])
def test_every_program_of_the_readme_runs_against_the_sandbox(program, tmp_path):
    """Each Python block is a whole program that ends without an error and without a warning."""
    with Sandbox(rpm=None) as sandbox:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            env={**os.environ, "VENICE_API_KEY": "key", "VENICE_BASE_URL": sandbox.url},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert not done.stderr


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
