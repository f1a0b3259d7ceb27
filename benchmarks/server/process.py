"""Starting a server, waiting until it listens, and ending that very process."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

__all__ = ["Addresses", "Certificate", "await_port", "free_ports", "running"]

_START = 10.0  # seconds that a server may take until it listens
_END = 10.0


@frozen(kw_only=True)
class Addresses:
    """Where a server listens, without a slash at the end."""

    plain: str
    tls: str


@frozen(kw_only=True)
class Certificate:
    """What a server needs to speak TLS, as PEM files."""

    chain: Path
    key: Path


def free_ports(count: int) -> list[int]:
    """Ports of the loopback device that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until somebody listens.

    Raises:
        RuntimeError: The process ended, or it took too long.
    """
    until = time.monotonic() + _START
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"the server does not listen on port {port} (exit status {process.poll()})")


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the block ends."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
