"""This library beside every other way to ask for many images: `python -m benchmarks`.

Starts a server of canned answers, runs each client in a fresh process, in turns, checks every file that it
made, and prints medians with their least and most, ratios, and the bars that the library means to clear.
About forty minutes; `--quick` takes about three and says less. Needs `pip install "venice-async[bench]"`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from .bars import BARS, judge
from .machine import describe_machine, versions
from .rows import Group, all_groups, chosen, for_quick
from .run import Runner, answers_of, fill_page_cache
from .server import installed, serve
from .table import bars_table, group_table, to_json, to_markdown, to_text

_REPETITIONS = 5
_QUICK_REPETITIONS = 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="fewer rows, requests and repetitions")
    parser.add_argument(
        "--rows", nargs="+", default=[], metavar="GLOB", help="these rows or groups only, such as 'json-1*'"
    )
    parser.add_argument(
        "--repetitions", type=int, help=f"of each row (default {_REPETITIONS}, quick {_QUICK_REPETITIONS})"
    )
    parser.add_argument("--into", type=Path, metavar="DIR", help="write the tables, JSON and a plot there")
    parser.add_argument("--list", action="store_true", help="print the rows and measure nothing")
    parser.add_argument("--server", choices=["nginx", "asyncio"], help="default: nginx if it is installed")
    parser.add_argument(
        "--scratch", type=Path, metavar="DIR", help="where images are written (default: temporary files)"
    )
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _report(
    groups: list[Group], runner: Runner, about: dict[str, object], into: Path | None, *, began: float
) -> bool:
    """Run, print and write; whether every client did its work."""
    results = runner.run(groups)
    about["seconds"] = round(time.monotonic() - began)
    verdicts = [judge(bar, results) for bar in BARS]
    tables = [*(group_table(group, results) for group in groups), bars_table(verdicts)]
    print("\n".join(map(to_text, tables)))
    if into is not None:
        into.mkdir(parents=True, exist_ok=True)
        (into / "results.txt").write_text("\n".join(map(to_text, tables)))
        (into / "results.md").write_text("\n".join(map(to_markdown, tables)))
        data = to_json(groups, results, verdicts, about)
        (into / "results.json").write_text(json.dumps(data, indent=1) + "\n")
    return not results.failures


def main() -> None:
    """Measure, print, and end with 1 if a client failed."""
    given = _arguments()
    groups = chosen(for_quick(all_groups()) if given.quick else all_groups(), given.rows)
    if not groups:
        sys.exit("no row has such a name; --list shows them")
    if given.list:
        print("\n".join(row.key for group in groups for row in group.rows))
        return
    repetitions = given.repetitions or (_QUICK_REPETITIONS if given.quick else _REPETITIONS)
    kind = given.server or installed()
    about = {
        "versions": versions(kind),
        "machine": describe_machine(),
        "options": {"quick": given.quick, "repetitions": repetitions, "server": kind},
    }
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
        scratch = Path(folder)
        fill_page_cache(scratch, groups)
        with serve(kind, answers_of(groups), scratch) as server:
            runner = Runner(server=server, scratch=scratch, repetitions=repetitions, say=_say)
            done = _report(groups, runner, about, given.into, began=began)
    if not done:
        sys.exit(1)


if __name__ == "__main__":
    main()
