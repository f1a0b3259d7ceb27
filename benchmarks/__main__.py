"""This library beside every other way to ask for many images: `python -m benchmarks`.

Starts a server of canned answers, runs each client in a fresh process, in turns, checks every file that it
made, and prints medians with their least and most, ratios, and the bars that the library means to clear.
About forty minutes; `--quick` takes about three and says less. Needs `pip install "venice-async[bench]"`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from .bars import BARS, judge
from .machine import describe_machine, versions
from .rows import Group, all_groups, chosen, for_quick
from .run import Runner, answers_of
from .scratch import file_system, open_scratch
from .server import installed, serve
from .summary import Results
from .table import bars_table, group_table, to_json, to_markdown, to_text

_REPETITIONS = 5
_QUICK_REPETITIONS = 2


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


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
        "--repetitions",
        type=_positive,
        help=f"of each row (default {_REPETITIONS}, quick {_QUICK_REPETITIONS})",
    )
    parser.add_argument("--into", type=Path, metavar="DIR", help="write the tables, JSON and a plot there")
    parser.add_argument("--list", action="store_true", help="print the rows and measure nothing")
    parser.add_argument("--server", choices=["nginx", "asyncio"], help="default: nginx if it is installed")
    parser.add_argument(
        "--scratch",
        type=Path,
        metavar="DIR",
        help="where images are written (default: in memory, if it has room)",
    )
    parser.add_argument(
        "--disk", type=Path, metavar="DIR", help="the same for durability's rows (default: temporary files)"
    )
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _report(groups: list[Group], results: Results, about: dict[str, object], into: Path | None) -> None:
    """Print the tables, and write them and all that they were made of."""
    verdicts = [judge(bar, results) for bar in BARS]
    tables = [*(group_table(group, results) for group in groups), bars_table(verdicts)]
    print("\n".join(map(to_text, tables)))
    if into is None:
        return
    into.mkdir(parents=True, exist_ok=True)
    (into / "results.txt").write_text("\n".join(map(to_text, tables)))
    (into / "results.md").write_text("\n".join(map(to_markdown, tables)))
    data = to_json(groups, results, verdicts, about)
    (into / "results.json").write_text(json.dumps(data, indent=1) + "\n")
    if find_spec("matplotlib") is None:
        _say("no plot: matplotlib is not installed")
        return
    # Not imported at the top: it takes a second, and is needed here only.
    plot = importlib.import_module(".plot", __package__).draw(results)
    if plot is not None:
        (into / "results.svg").write_text(plot)


def main() -> None:
    """Measure, print, and end with 1 if a client failed."""
    given = _arguments()
    groups = chosen(for_quick(all_groups()) if given.quick else all_groups(), given.rows)
    if not groups:
        sys.exit("no row has such a name; --list shows them")
    if given.list:
        print("\n".join(row.key for group in groups for row in group.rows))
        return
    if find_spec("trustme") is None:
        sys.exit("trustme is not installed; pip install 'venice-async[bench]'")
    repetitions = given.repetitions or (_QUICK_REPETITIONS if given.quick else _REPETITIONS)
    kind = given.server or installed()
    began = time.monotonic()
    about = {
        "versions": versions(kind),
        "machine": describe_machine(),
        "options": {"quick": given.quick, "rows": given.rows, "repetitions": repetitions, "server": kind},
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        open_scratch(groups, given.scratch, given.disk) as scratch,
        serve(kind, answers_of(groups), Path(folder)) as server,
    ):
        about["file_systems"] = {"images": file_system(scratch.quick), "disk": file_system(scratch.disk)}
        results = Runner(server=server, scratch=scratch, repetitions=repetitions, say=_say).run(groups)
    _report(groups, results, {**about, "seconds": round(time.monotonic() - began)}, given.into)
    if results.failures:
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
