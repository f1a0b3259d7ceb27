"""The command line: a thin edge that parses, calls and draws.

1. Nothing is decided here that a program could not ask of the library.
2. Results go to standard output, everything else to standard error.
3. The exit code is 0 only if every image is there; 1 if not, 2 for a wrong call, 130 after Ctrl-C.
"""

from .app import app, run

__all__ = ["app", "run"]
