"""What can be wrong with the input, and what comes of it: a row each.

1. A row is judged by the sandbox's account and by the directory.
2. What is wrong is told with its place before anything is bought, or the job goes on without it.
3. Nothing is written outside of the job's directory, and nothing is bought twice.
"""

from __future__ import annotations

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from attrs import field, frozen

from venice_async import RequestLimits, read_requests
from venice_async.errors import VeniceError

from .places import picture, pictures
from .row import params


def _as_bytes(data):
    return data.encode() if isinstance(data, str) else data


@frozen
class File:
    """A file of requests.

    Attributes:
        name: What is wrong with it.
        data: What it holds.
        told: What is said of it, and of where; nothing if it is taken as it is.
        good: How many of its rows are bought, without the bad ones.
        called: The file's name.
        schema: Whether the vendor's ranges are asked for.
    """

    name: str
    data: bytes = field(converter=_as_bytes, repr=False)
    told: str = ""
    good: int = field(default=0, kw_only=True)
    called: str = field(default="a.txt", kw_only=True)
    schema: bool = field(default=False, kw_only=True)

    @property
    def options(self):
        """Of the command line."""
        return ("--from", self.called, "--into", "out", *(("--limits", "schema") if self.schema else ()))

    def read(self, folder, **options):
        """As a program does it."""
        limits = RequestLimits.SCHEMA if self.schema else RequestLimits.DOCUMENTED
        return read_requests(folder / self.called, model="venice-sd35", limits=limits, **options)


def _csv(name, data, told="", **expected):
    return File(name, data, told, called="a.csv", **expected)


def _tsv(name, data, told="", **expected):
    return File(name, data, told, called="a.tsv", **expected)


def _lines(name, data, told="", **expected):
    return File(name, data, told, called="a.jsonl", **expected)


def _between(name, bad, told):
    """A bad line between two good ones."""
    good = '{"prompt":"a fox"}'
    return _lines(name, f"{good}\n{bad}\n{good}\n", f"line 2, {told}", good=2)


def _seed(name, seed, expected="", **options):
    told = f"line 1, seed = {seed}: expected {expected}" if expected else ""
    return _lines(name, json.dumps({"prompt": "a fox", "seed": seed}), told, **options)


def _zipped(name, data, told="", **expected):
    return File(name, data, told, called="a.csv.gz", **expected)


def _table(**columns):
    sink = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), sink)
    return sink.getvalue()


def _parquet(name, data, told="", **expected):
    return File(name, data, told, called="a.parquet", **expected)


_PACKED = gzip.compress(b"prompt\n" + b"".join(b"a fox %d\n" % n for n in range(5000)))
_DEEP = '{"prompt":"a hen","id":' + "[" * 120 + "]" * 120 + "}"
_DAY = pa.array([1], pa.timestamp("s"))

_SCRIPTS = {
    "Latin": "x",
    "Cyrillic": "ж",
    "Arabic": "ش",
    "Devanagari": "क",
    "Chinese": "狐",
    "emoji": "\N{FOX FACE}",
    "combining": "e\u0301",
    "joined emoji": "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}\u200d",
}


def _long(script, length):
    """A prompt of so many code points, which is how the API's reference counts characters."""
    return (_SCRIPTS[script] * length)[:length]


BAD_FILES = [
    File("text with bytes that are no UTF-8", b"a fox\na f\xf6x\n",
         "line 2, prompt = 'a f\ufffdx': expected UTF-8", good=1),
    File("text with a NUL", b"a\0b\na fox\n", "line 1, prompt = 'a\\x00b': expected text without a NUL",
         good=1),
    File("text in UTF-16", "a fox".encode("utf-16"), "a.txt is UTF-16; save it as UTF-8"),
    File("text in UTF-16 without a mark", "a fox\n".encode("utf-16-le"), "line 1, prompt", good=0),
    File("text in UTF-32", b"\0\0\xfe\xff" + "a fox".encode("utf-32-be"), "a.txt is no text"),
    File("a picture", picture(1, "png"), "a.txt is no text"),
    _csv("a picture that is called a table", picture(1), "a.csv is no text"),
    File("no text", b"", "a.txt holds no prompt"),
    File("a mark and no text", b"\xef\xbb\xbf", "a.txt holds no prompt"),
    File("blank lines", b"\n \n\t\n", "a.txt holds no prompt"),
    File("a prompt that is too long", "a fox\n" + "x" * 1501, "line 2, prompt = ", good=1),
    File("a line without end", gzip.compress(b"x" * 40_000_000), "line 1 is longer than 16 MiB"),
    _csv("no table", b"", "there is no 'prompt' among: none"),
    _csv("a header and no row", b"prompt,steps\n", "a.csv holds no prompt"),
    _csv("a table without prompts", b"promt,steps\na fox,5\n", "there is no 'prompt' among: promt, steps"),
    _csv("a row without its prompt", b"prompt,steps\n,5\na fox,6\n",
         "line 2, prompt = None: expected a value", good=1),
    _csv("semicolons", b"prompt;steps\na fox;5\n", "cells are separated by commas"),
    _csv("a row that is too wide", b"prompt,steps\na,fox,5\na hen,6\n",
         "line 2, row = '3 cells': expected 2 cells", good=1),
    _csv("a column that is there twice", b"prompt,id,id\na fox,1,2\n",
         "the column 'id' is there more than once"),
    _csv("a quote that is left open", b'prompt\na fox\n"a hen\na cat\n', "is a quote left open?"),
    _csv("a number that is none", b"prompt,steps\na fox,many\na hen,5\n",
         "line 2, steps = 'many': expected an integer", good=1),
    _csv("a number out of range", b"prompt,steps\na fox,50\na hen,5\n",
         "line 2, steps = 50: expected 0 < x < 50", good=1),
    _csv("a fraction where none goes", b"prompt,width\na fox,64.5\n",
         "line 2, width = '64.5': expected an integer"),
    _csv("an infinite number", b"prompt,cfg_scale\na fox,inf\na hen,nan\n",
         "line 2, cfg_scale = inf: expected 0 < x < 20"),
    _csv("a flag that is none", b"prompt,safe_mode\na fox,maybe\n",
         "line 2, safe_mode = 'maybe': expected True or False"),
    _csv("a format that is none", b"prompt,format\na fox,gif\n",
         "line 2, format = 'gif': expected one of jpeg, png, webp"),
    _csv("a header that is no UTF-8", b"prompt,caf\xe9\na fox,1\n",
         "line 1: the column 'caf\ufffd' is no UTF-8"),
    _csv("a cell that is no UTF-8", b"prompt,id\na fox,caf\xe9\na hen,1\n",
         "line 2, id = 'caf\ufffd': expected UTF-8", good=1),
    _csv("a line without end in a table", gzip.compress(b"prompt\n" + b"x" * 40_000_000),
         "line 2 is longer than 16 MiB"),
    _tsv("commas where tabs should be", b"prompt,steps\na fox,5\n",
         "there is no 'prompt' among: prompt,steps"),
    _tsv("a bad row between tabs", b"prompt\tsteps\na fox\t99\na hen\t5\n", "line 2, steps = 99", good=1),
    _lines("no JSON Lines", b"", "a.jsonl holds no prompt"),
    _between("half an object", '{"prompt":', "row = "),
    _between("an array", '["a hen"]', "row = ['a hen']: expected a JSON object"),
    _between("two objects", '{"prompt":"a"} {"prompt":"b"}', "row = "),
    _between("quotes of another kind", "{'prompt': 'a hen'}", "row = "),
    _between("an object without its prompt", '{"seed":7}', "prompt = None: expected a value"),
    _between("a prompt that is null", '{"prompt":null}', "prompt = None: expected a value"),
    _between("a prompt that is a number", '{"prompt":7}', "prompt = 7: expected a string"),
    _between("a prompt that is empty", '{"prompt":""}', "prompt = '': expected 1 to 1500 characters, not 0"),
    _between("a prompt with a NUL", r'{"prompt":"a\u0000b"}',
         "prompt = 'a\\x00b': expected text without a NUL"),
    _between("half of a surrogate pair", r'{"prompt":"a\ud800b"}', "row = "),
    _between("a number as text", '{"prompt":"a hen","steps":"20"}', "steps = '20': expected an integer"),
    _between("a number that is true", '{"prompt":"a hen","seed":true}', "seed = True: expected an integer"),
    _between("NaN", '{"prompt":"a hen","cfg_scale":NaN}', "row = "),
    _between("a number beyond all", '{"prompt":"a hen","seed":' + "9" * 40 + "}", "seed = "),
    _between("a structure that is none", '{"prompt":"a hen","inpaint":7}', "inpaint = 7: expected "),
    _between("a column without a bottom", _DEEP, ""),
    File("JSON in one piece", b'[{"prompt":"a fox"}]', "write JSON Lines, one object a line",
         called="a.json"),
    _zipped("gzip that is cut short", _PACKED[:-1000], "a.csv.gz is no whole gzip file"),
    _zipped("gzip with a broken middle", _PACKED[:900] + b"?????" + _PACKED[905:],
         "a.csv.gz is no whole gzip file"),
    _parquet("Parquet that is none", b"a fox\n", "a.parquet"),
    _parquet("Parquet that is cut short", _table(prompt=("a",) * 9)[:-20], "a.parquet"),
    _parquet("Parquet without a row", _table(prompt=pa.array([], pa.string())), "a.parquet holds no prompt"),
    _parquet("Parquet without prompts", _table(text=("a fox",)), "row 1, prompt = None: expected a value"),
    _parquet("prompts that are numbers", _table(prompt=(7, 8)), "row 1, prompt = 7: expected a string"),
    _parquet("a fraction that is NaN", _table(prompt=("a", "b"), cfg_scale=(float("nan"), 5.0)),
         "row 1, cfg_scale = nan", good=1),
    _parquet("a column of bytes", _table(prompt=("a",), raw=(b"\0",)), "row 1, metadata.raw = "),
    _parquet("a column of days", _table(prompt=("a",), day=_DAY), "row 1, metadata.day = "),
    _seed("a seed at the lower end", -999999999, "-999999999 < x < 999999999"),
    _seed("a seed at the upper end", 999999999, "-999999999 < x < 999999999"),
    _seed("a seed below the vendor's lower end", -1000000000, "-999999999 <= x <= 999999999", schema=True),
    _seed("a seed above the vendor's upper end", 1000000000, "-999999999 <= x <= 999999999", schema=True),
    *(
        File(f"1,501 characters, {script}", "a fox\n" + _long(script, 1501),
             "expected 1 to 1500 characters, not 1501", good=1)
        for script in _SCRIPTS
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", **params(*BAD_FILES))
def test_a_bad_file_is_told_with_its_place_before_anything_is_bought(row, tmp_path, generate, bought):
    (tmp_path / row.called).write_bytes(row.data)
    with pytest.raises(VeniceError) as caught:
        row.read(tmp_path)
    assert row.told in str(caught.value)
    code, _, err = generate(*row.options)
    assert (code, bought()) == (2, [])
    assert row.told in err
    assert {path.name for path in tmp_path.iterdir()} == {row.called}
    code, _, err = generate(*row.options, "--skip-bad-rows")
    assert len(bought()) == row.good
    assert code == 0 if row.good else code in {1, 2}
    assert len(pictures(tmp_path)) == 1 + row.good


GOOD_FILES = [
    File("a mark before the text", b"\xef\xbb\xbfa fox\n", good=1),
    File("ends of lines of every kind", b"a fox\r\na hen\ra cat\n\n\n  a cow", good=4),
    File("separators that end no line", "a\u2028fox\x0bat\x0cdusk\x85now\n", good=1),
    File("lines that are there twice", b"a fox\na fox\n", good=2),
    _csv("a mark before a table", b"\xef\xbb\xbfprompt,steps\na fox,5\n", good=1),
    _csv("rows that are too short", b"prompt,steps,id\na fox\na hen,5\n", good=2),
    _csv("rows of nothing", b"prompt,steps\n,,\n\na fox,5\n,\n", good=1),
    _csv("a column that nobody knows", b"prompt,stepps,=1+1\na fox,99,x\n", good=1),
    _csv("a column without a name", b"prompt,\na fox,1\n", good=1),
    _csv("lines within a cell", b'prompt\n"a fox\r\nat dusk"\n', good=1),
    _lines("a mark before JSON Lines", b'\xef\xbb\xbf{"prompt":"a fox"}\r\n\n', good=1),
    _lines("a key that is there twice", b'{"prompt":"a hen","prompt":"a fox"}', good=1),
    _lines("a NUL deep in a column", b'{"prompt":"a fox","id":{"deep":["\\u0000"]}}', good=1),
    _zipped("gzip in gzip", gzip.compress(gzip.compress(b"prompt\na fox\n")), good=1),
    _zipped("a table that is not zipped", b"prompt\na fox\n", good=1),
    _parquet("a column of structures", _table(prompt=("a",), deep=({"a": [1, None]},)), good=1),
    _seed("a seed within the lower end", -999999998, good=1),
    _seed("a seed within the upper end", 999999998, good=1),
    _seed("the vendor's lower end", -999999999, good=1, schema=True),
    _seed("the vendor's upper end", 999999999, good=1, schema=True),
    *(File(f"1,500 characters, {script}", _long(script, 1500), good=1) for script in _SCRIPTS),
]


@pytest.mark.parametrize("row", **params(*GOOD_FILES))
def test_a_file_that_is_only_odd_is_bought_once(row, tmp_path, generate, bought):
    """Its prompts come to the server as the file has them, and the same command again buys nothing."""
    (tmp_path / row.called).write_bytes(row.data)
    prompts = sorted(request.prompt for request in row.read(tmp_path))
    assert len(prompts) == row.good
    for _ in range(2):
        code, _, err = generate(*row.options)
        assert (code, "bad rows" in err) == (0, False)
        assert sorted(body["prompt"] for body in bought()) == prompts
        assert len(pictures(tmp_path)) == 1 + row.good
    assert {path.name for path in tmp_path.iterdir()} == {row.called, "out"}
