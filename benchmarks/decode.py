"""The streaming decoder beside the whole-body way: `python -m benchmarks.decode`.

Both turn the same JSON answers into image bytes; the streaming decoder is fed 64 KB at a time, as the
transport feeds it, the other is given the whole body at once (`json.loads` and `base64.b64decode`).
Prints the median of interleaved runs, and what each holds at its peak besides the body.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import statistics
import time
import tracemalloc
from collections.abc import Callable

from venice_async.wire.decode import JsonDecoder

_CHUNK = 64 * 1024


def _body(size: int) -> bytes:
    image = b"\x89PNG\r\n\x1a\n" + os.urandom(size - 20) + b"\0\0\0\0IEND\xaeB`\x82"
    timing = dict.fromkeys(
        ("inferenceDuration", "inferencePreprocessingTime", "inferenceQueueTime", "total"), 1
    )
    encoded = base64.b64encode(image).decode()
    return json.dumps({"id": "generate-image-1", "images": [encoded], "timing": timing}).encode()


def _streaming(chunks: list[bytes]) -> None:
    decoder = JsonDecoder()
    for chunk in chunks:
        decoder.feed(chunk)
    decoder.close()


def _whole(chunks: list[bytes]) -> None:
    for text in json.loads(b"".join(chunks))["images"]:
        base64.b64decode(text, validate=True)


def _seconds(work: Callable[[list[bytes]], None], chunks: list[bytes]) -> float:
    began = time.perf_counter()
    work(chunks)
    return time.perf_counter() - began


def _peak(work: Callable[[list[bytes]], None], chunks: list[bytes]) -> int:
    tracemalloc.start()
    work(chunks)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=9, help="counted runs of each (default 9)")
    runs = parser.parse_args().runs
    print(f"{'image':>8}  {'streaming':>11}  {'whole':>11}  {'ratio':>6}  {'peak held':>20}")
    for size in (200_000, 1_500_000, 4_000_000):
        body = _body(size)
        chunks = [body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)]
        pairs = [(_seconds(_streaming, chunks), _seconds(_whole, chunks)) for _ in range(runs + 1)][1:]
        ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(whole / streaming for streaming, whole in pairs)
        peaks = f"{_peak(_streaming, chunks) / 1e6:.2f} / {_peak(_whole, chunks) / 1e6:.2f} MB"
        speeds = [f"{len(body) / seconds / 1e9:>6.2f} GB/s" for seconds in (ours, theirs)]
        print(f"{size / 1e6:>5.1f} MB", *speeds, f"{ratio:>6.1f}", f"{peaks:>20}", sep="  ")


if __name__ == "__main__":
    main()
