"""What the tables hold, as Markdown; `python -m tests.faults.summary` writes it into the README.

1. A row is what a test of this folder is parametrised with and has a name: a new module is found by itself.
2. What comes of a row is what its test is called.
"""

from __future__ import annotations

import importlib
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
START, END = "<!-- faults -->\n", "<!-- end of faults -->"


def tables(module):
    """By what comes of it, what goes wrong: the names of the rows of a module."""
    found = {}
    for name, test in vars(module).items():
        for mark in getattr(test, "pytestmark", ()):
            given = dict(zip(("argnames", "argvalues"), mark.args, strict=False)) | mark.kwargs
            if names := [row.name for row in given.get("argvalues", ()) if hasattr(row, "name")]:
                found[name.removeprefix("test_").replace("_", " ")] = names
    return found


def modules():
    """The modules of this folder that have tables, each with them."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        found = tables(importlib.import_module(f"{__package__}.{path.stem}"))
        if found:
            yield path, found


def summary():
    """A line for each module, which opens to its rows."""
    parts = []
    for path, found in modules():
        where = path.relative_to(README.parent).as_posix()
        counted = sum(map(len, found.values()))
        parts.append(
            f"<details><summary>{path.stem.removeprefix('test_')}: {counted}</summary>\n\n"
            f"[{where}]({where})\n\n| what comes of it | what goes wrong |\n|---|---|\n"
            + "".join(f"| {end} | {cell(names)} |\n" for end, names in found.items())
            + "\n</details>\n"
        )
    return "".join(parts)


def cell(names):
    """As one cell of a table."""
    return "; ".join(names).replace("|", "\\|").replace("<", "&lt;")


def rewritten(text):
    """A README with the block as it should be."""
    before, _, rest = text.partition(START)
    _, end, after = rest.partition(END)
    return before + START + summary() + end + after


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
