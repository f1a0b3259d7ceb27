"""The small server in a process of its own: `python -m benchmarks.server FILES CHAIN KEY PORT TLS_PORT`."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from .own import serve_files
from .process import Certificate


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("files", "chain", "key"):
        parser.add_argument(name, type=Path)
    for name in ("plain", "tls"):
        parser.add_argument(name, type=int)
    given = parser.parse_args()
    certificate = Certificate(chain=given.chain, key=given.key)
    asyncio.run(serve_files(given.files, certificate, given.plain, given.tls))


if __name__ == "__main__":
    main()
