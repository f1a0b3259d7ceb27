"""The server that answers the clients, in a process of its own.

nginx where it is installed: it takes a small, steady share of the machine. Otherwise a small one of our own,
which costs more of the second core and so shows smaller differences between quick clients.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Literal

from attrs import frozen

from benchmarks.answers import Answer, write_answers

from .nginx import run_nginx
from .own import run_own
from .process import Addresses, Certificate

__all__ = ["Kind", "Server", "installed", "serve"]

Kind = Literal["nginx", "asyncio"]


@frozen(kw_only=True)
class Server:
    """A running server.

    Attributes:
        kind: Which one it is.
        addresses: Where it listens.
        authority: The certificate to trust, for TLS.
    """

    kind: Kind
    addresses: Addresses
    authority: Path

    def base_url(self, answer: Answer, *, tls: bool) -> str:
        """The base URL whose images are this answer's."""
        root = self.addresses.tls if tls else self.addresses.plain
        return f"{root}/{answer.prefix}"


def installed() -> Kind:
    """The best server of this machine."""
    return "nginx" if shutil.which("nginx") else "asyncio"


@contextmanager
def serve(kind: Kind, answers: set[Answer], folder: Path) -> Iterator[Server]:
    """Serve these answers from files in this folder, until the block ends."""
    files = folder / "answers"
    write_answers(files, answers)
    certificate, authority = _certify(folder)
    run = run_nginx if kind == "nginx" else run_own
    running: AbstractContextManager[Addresses] = run(folder, files, certificate)
    with running as addresses:
        yield Server(kind=kind, addresses=addresses, authority=authority)


def _certify(folder: Path) -> tuple[Certificate, Path]:
    import trustme  # noqa: PLC0415 - where it is not installed, the command says so itself

    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    chain, key, root = folder / "chain.pem", folder / "key.pem", folder / "authority.pem"
    issued.private_key_pem.write_to_path(str(key))
    chain.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    authority.cert_pem.write_to_path(str(root))
    return Certificate(chain=chain, key=key), root
