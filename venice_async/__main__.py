"""`python -m venice_async`, and where the `venice-async` command begins."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say which extra it needs."""
    try:
        from .cli import run  # noqa: PLC0415 - it needs an extra
    except ModuleNotFoundError as exc:
        sys.exit(f'error: {exc.name} is missing; the command line needs: pip install "venice-async[cli]"')
    sys.exit(run())


if __name__ == "__main__":
    main()
