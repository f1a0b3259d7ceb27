"""A Redis server of a test's own, which forgets everything when it is started anew."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time

import pytest


class RedisServer:
    """A Redis server on a free port of this machine.

    Attributes:
        port: The port; it stays the same after a restart.
        process: The running process, or None.
    """

    def __init__(self, *, password=None):
        program = shutil.which("redis-server")
        if program is None:
            pytest.fail("there is no redis-server: apt-get update && apt-get install -y redis-server")
        self._folder = tempfile.TemporaryDirectory()
        self.password = password
        self.port = _free_port()
        self._command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self._folder.name]
        self._command += ["--unixsocket", f"{self._folder.name}/redis.sock"]
        self._command += ["--save", "", "--appendonly", "no", "--loglevel", "warning"]
        if password is not None:
            self._command += ["--requirepass", password]
        self.process = None

    @property
    def url(self):
        """The server's address, without a space."""
        secret = "" if self.password is None else f":{self.password}@"
        return f"redis://{secret}127.0.0.1:{self.port}/0"

    @property
    def unix_url(self):
        """The address of its Unix socket."""
        return f"unix://{self._folder.name}/redis.sock"

    def start(self):
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > until:
                pytest.fail("redis-server did not start")
            time.sleep(0.01)

    def stop(self):
        """End it at once, as a crash would; nothing was written down."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
            self.process = None

    def restart(self):
        """End it, and start it with nothing in it."""
        self.stop()
        self.start()

    def command(self, *words):
        """Send one command, and return what comes back, as text."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            lines = [f"*{len(words)}\r\n", *(f"${len(word.encode())}\r\n{word}\r\n" for word in words)]
            if self.password is not None:
                lines.insert(0, f"*2\r\n$4\r\nAUTH\r\n${len(self.password)}\r\n{self.password}\r\n")
            connection.sendall("".join(lines).encode())
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while data := connection.recv(65536):
                answer += data
        return answer.decode()

    def close(self):
        """End it, and remove its folder."""
        self.stop()
        self._folder.cleanup()

    def _answers(self):
        try:
            return "PONG" in self.command("PING")
        except OSError:
            return False


def _free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]
