"""The command line: a thin edge that parses, calls and draws.

1. Nothing is decided here that a program could not ask of the library.
2. Results go to standard output, everything else to standard error.
3. The exit code is 0 only if every image is there; 1 if not, 2 for a wrong call, 75 where the same command
   later resumes, 130 after Ctrl-C, SIGTERM or SIGHUP: see `stops`.
"""

from __future__ import annotations

import sys

from .process import occupy_standard_streams

__all__ = ["main"]


def main() -> None:
    """Run the command line, or say which extra it needs."""
    occupy_standard_streams()
    try:
        from .app import run  # noqa: PLC0415 - it needs an extra
    except ModuleNotFoundError as exc:
        sys.exit(f'error: {exc.name} is missing; the command line needs: pip install "venice-async[cli]"')
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(run())
