"""An image service under load, beside a bare proxy: `python -m benchmarks.service`.

Two hundred callers ask for images of up to 4 MB, so many a second in all; one in ten of them hangs up, and
one in twenty answers of the API is a fault. Printed are answers, what was lost, memory over time, and how
late the turns of the event loop are, for a service around a `VeniceSession` and for a proxy that only hands
bytes through, under the same load. In the end a SIGTERM comes while calls are under way: each that was
accepted is to be answered. Exits with 1 if something was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

import aiohttp

_SANDBOX = """
import random, sys
from venice_async.sandbox import Fault, Sandbox
sizes = (20_000, 200_000, 1_500_000, 4_000_000)
head, end = b"\\x89PNG\\r\\n\\x1a\\n", b"\\0\\0\\0\\0IEND\\xaeB`\\x82"
pictures = [head + bytes(size - len(head) - len(end)) + end for size in sizes]
lots = random.Random(7)
paint = lambda body: pictures[body["seed"] % 4]
with Sandbox(latency=0.05, rpm=None, abuse_rule=False, images=paint, balance_usd=10**6) as sandbox:
    for fault in (Fault(status=500), Fault(reset="before", billed=False)):
        sandbox.script(fault, times=None, when=lambda _: lots.random() < 0.025)
    print(sandbox.url, flush=True)
    sys.stdin.readline()
    print(sandbox.account, flush=True)
"""
_SIZES = (20_000, 200_000, 1_500_000, 4_000_000)
_CALLERS = 200
_HANG_UP = 0.1


def _port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def _process(*command: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class _Load:
    """The callers, and what became of their calls."""

    def __init__(self, url: str, rate: float) -> None:
        self.url = url
        self.found: Counter[str] = Counter()
        self.probes: list[dict[str, float]] = []
        self.over = False
        self._numbers = count()
        self._interval = 1 / rate
        self._began = time.monotonic()
        self._chance = random.Random(11)

    async def run(self, seconds: float, service: subprocess.Popen[str]) -> None:
        """Call for so long; then tell the service to end, and wait for every call that is under way."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as group:
            for _ in range(_CALLERS):
                group.create_task(self._caller(http))
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                await asyncio.sleep(1)
                with suppress(aiohttp.ClientError):
                    async with http.get(f"{self.url}/probe") as answer:
                        self.probes.append(await answer.json())
            self.over = True
            service.send_signal(signal.SIGTERM)

    async def _caller(self, http: aiohttp.ClientSession) -> None:
        while not self.over:
            number = next(self._numbers)
            # The same load for whoever serves it: a caller that is late is late, and none makes up for it.
            await asyncio.sleep(self._began + number * self._interval - time.monotonic())
            if self.over:
                return
            if self._chance.random() < _HANG_UP:
                with suppress(TimeoutError, aiohttp.ClientError):
                    await asyncio.wait_for(self._call(http, number), self._chance.uniform(0.01, 1))
                    continue
                self.found["hung up"] += 1
            else:
                with suppress(aiohttp.ClientConnectorError):  # it has ended: the call was not accepted
                    await self._call(http, number)

    async def _call(self, http: aiohttp.ClientSession, number: int) -> None:
        params = {"prompt": f"fox {number}", "seed": str(number)}
        late = self.over
        try:
            async with http.get(f"{self.url}/image", params=params) as answer:
                body = await answer.read()
        except aiohttp.ClientConnectorError:
            raise
        except aiohttp.ClientError:
            self.found["late" if late else "lost"] += 1
            return
        if answer.status == 200:
            whole = len(body) == _SIZES[number % 4] or body[:1] == b"{"
            self.found["whole" if whole else "lost"] += 1
        else:
            self.found[str(answer.status)] += 1


def _measure(kind: str, seconds: float, rate: float) -> bool:
    """Measure one of the two; whether nothing was lost."""
    with _process("-c", _SANDBOX) as sandbox:
        assert sandbox.stdout is not None
        assert sandbox.stdin is not None
        url = sandbox.stdout.readline().strip()
        port = _port()
        module = f"benchmarks.services.{'aiohttp_service' if kind == 'service' else 'proxy'}"
        variables = {
            "PORT": str(port),
            "VENICE_BASE_URL": url,
            "VENICE_API_KEY": "key",
            "PROBE": "1",
            "NO_GUARD": "1",
        }
        with _process("-m", module, **variables) as service:
            _wait_for(port)
            load = _Load(f"http://127.0.0.1:{port}", rate)
            asyncio.run(load.run(seconds, service))
            code = service.wait(90)
        sandbox.stdin.write("\n")
        sandbox.stdin.flush()
        account = sandbox.stdout.readline().strip()
    _tell(kind, load, seconds, code, account)
    return code == 0 and not load.found["lost"]


def _wait_for(port: int) -> None:
    for _ in range(500):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise TimeoutError("the service has not started")


def _tell(kind: str, load: _Load, seconds: float, code: int, account: str) -> None:
    found = ", ".join(f"{number} {what}" for what, number in sorted(load.found.items()))
    warm = load.probes[min(10, len(load.probes) // 2) :]
    memory = [probe["rss"] / 1e6 for probe in warm]
    print(f"{kind}: {load.found['whole'] / seconds:.0f} images/s; {found}; exit code {code}")
    change = memory[-1] - memory[0]
    print(f"  memory after ten seconds: {min(memory):.0f} to {max(memory):.0f} MB, {change:+.0f} in the end")
    for name in ("p50", "p99", "most"):
        late = sorted(probe[name] * 1e3 for probe in warm)
        middle = late[len(late) // 2]
        print(f"  loop late, {name} of each second: median {middle:.1f} ms, most {late[-1]:.1f} ms")
    print(f"  {account}")


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=60, help="calls a second")
    given = parser.parse_args()
    whole = [_measure(kind, given.seconds, given.rate) for kind in ("proxy", "service")]
    sys.exit(not whole[-1])


if __name__ == "__main__":
    main()
