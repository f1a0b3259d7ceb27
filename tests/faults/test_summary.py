"""The README says what the tables hold, and leads to tests that are there."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from attrs import frozen

from .row import params
from .summary import README, cell, rewritten, tables

TEXT = README.read_text(encoding="utf-8")


@frozen
class _Row:
    name: str


def test_the_readme_lists_the_rows_of_every_table():
    """`python -m tests.faults.summary` writes them anew."""
    assert rewritten(TEXT) == TEXT


def test_every_promise_leads_to_a_test():
    """Each item of what is promised has a link, and every link into the tests a file behind it."""
    promised = TEXT.partition("## Reliability\n")[2].partition("Not promised")[0]
    items = re.split(r"^- ", promised, flags=re.MULTILINE)[1:]
    assert len(items) >= 5
    assert [item for item in items if "](tests/" not in item] == []
    for link in re.findall(r"\]\((tests/[^)]*)\)", TEXT):
        assert (README.parent / link).is_file(), link


def test_rows_are_found_wherever_a_test_has_them():
    """By their names, in the order of the tests; what else a test is parametrised with is no row."""

    @pytest.mark.parametrize("row", **params(_Row("no disk"), _Row("no | road")))
    @pytest.mark.parametrize("binary", argvalues=[False, True])
    def test_all_is_well(row, binary):
        pass

    @pytest.mark.parametrize("row", [_Row("no light")])
    def test_it_is_told(row):
        pass

    module = SimpleNamespace(test_all_is_well=test_all_is_well, test_it_is_told=test_it_is_told, other=params)
    found = tables(module)
    assert found == {"all is well": ["no disk", "no | road"], "it is told": ["no light"]}
    assert cell(found["all is well"]) == r"no disk; no \| road"
