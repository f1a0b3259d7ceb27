"""The runner: `python -m tests.fuzz --seconds 60 [--seed 0] [target ...]`.

1. One process; each input follows from the seed, the target and its number alone.
2. An input that breaks a promise, takes more than `_SECONDS` or holds more than `_HELD` is kept as a file.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from .targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
_SECONDS = 10  # for one input
_HELD = 4 * 1024 * 1024  # bytes; inputs are a few KiB
_LONGEST = 8 * 1024
_FAILURES = 20  # of one target, after which it is left
_MEASURED = 16  # one input of so many has its memory counted, which is slow
_WORDS = [
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"=", b"\n", b"\0", b"\xff", b"null", b"-1", b"1e999"),
    *(
        b'"images":',
        b'"images":[""]',
        b"\\u002f",
        b"\\ud800",
        b"\\/",
        b"RIFF",
        b"\xff\xd9",
        b"IEND\xaeB`\x82",
    ),
    *(b"canary-0123456789-venice", b"canary-", b"nan", b"99999999999999999999", b"%63", b"&#10;"),
]


def mutated(rng: random.Random, seeds: list[bytes]) -> bytes:
    """A seed with a few changes: bytes, words, pieces left out, repeated, or of another seed."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at = rng.randint(0, len(data))
        to = min(len(data), at + rng.choice((1, 2, 4, 16, 128)))
        match rng.randrange(6):
            case 0:
                data[at:to] = rng.randbytes(to - at)
            case 1:
                data[at:at] = rng.choice(_WORDS)
            case 2:
                del data[at:to]
            case 3:
                data[at:at] = data[at:to] * rng.choice((1, 2, 40))
            case 4:
                other = rng.choice(seeds)
                start = rng.randint(0, len(other))
                data[at:to] = other[start : start + rng.choice((4, 32, 256))]
            case _:
                del data[at:]
    return bytes(data[:_LONGEST])


def _late(*_: object) -> None:
    raise AssertionError(f"it took more than {_SECONDS} s")


def broken(name: str, data: bytes, *, measure: bool) -> str | None:
    """What promise the input breaks."""
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    if measure:
        tracemalloc.start()
    try:
        TARGETS[name](data)
        held = tracemalloc.get_traced_memory()[1] if measure else 0
    except Exception as exc:  # noqa: BLE001
        return f"{type(exc).__name__}: {exc}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        tracemalloc.stop()
    return f"it held {held} bytes" if held > _HELD else None


def fuzz(name: str, seconds: float, seed: int, folder: Path) -> int:
    """Run one target; the number of its failures."""
    seeds = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    failures = number = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end and failures < _FAILURES:
        data = mutated(random.Random(f"{seed} {name} {number}"), seeds)
        if said := broken(name, data, measure=number % _MEASURED == 0):
            failures += 1
            path = folder / f"{name}-{seed}-{number}"
            path.write_bytes(data)
            print(f"{name}: {said}\n  again: python -m tests.fuzz {name} --input {path}")  # noqa: T201
        number += 1
    print(f"{name}: {number} inputs, {failures} failures")  # noqa: T201
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", nargs="*", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=float, default=60, help="for all targets together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--input", type=Path, help="one input to run again")
    options = parser.parse_args()
    names = options.target or list(TARGETS)
    if unknown := set(names) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGALRM, _late)
    if options.input:
        for name in names:
            TARGETS[name](options.input.read_bytes())
        return 0
    folder = Path(tempfile.mkdtemp(prefix="venice-fuzz-"))
    failures = sum(fuzz(name, options.seconds / len(names), options.seed, folder) for name in names)
    if failures:
        print(f"what failed is in {folder}")  # noqa: T201
    else:
        folder.rmdir()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
