"""One key's rate limit in the hands of three clients: `python -m benchmarks.rate_limit [--quick] [--json]`.

40 prompts at 5 images per 6 s, on one sandbox, one client after the other, each with a key (and so a limit)
of its own. This library runs as it comes; so do `openai` and `venice-py`, and once more tuned: with ten
retries of what was refused, and the best (fewest lost, then quickest) of several numbers of requests at
once.

Prints a Markdown table, judged by the sandbox's account: refusals are its 429s, a prompt is lost that
ended without an image, and utilisation is images over what the limit admits in the time that they took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable

import attrs
import openai
import venice_ai
from attrs import frozen
from venice_ai.rate_limiting import SimpleRateLimiter

from venice_async import VeniceSession, gather_generate
from venice_async.sandbox import Sandbox

_RPM = 5
_WINDOW = 6.0  # seconds
_LATENCY = 1.0  # seconds that an image takes: a sixth of the window, as 10 s are of a minute
_SIDE_BY_SIDE = (1, 2, 5)  # requests at once, of which the best is shown
_RETRIES = 10
_MODEL = "venice-sd35"

Client = Callable[[str, list[str], int, int], Awaitable[int]]


@frozen(kw_only=True)
class Result:
    """What one client made of the limit."""

    client: str
    at_once: int
    images: int
    lost: int
    refusals: int
    seconds: float

    @property
    def utilisation(self) -> float:
        """Images over what the limit admits: so many for each window that has begun."""
        return self.images / (_RPM * math.ceil(self.seconds / _WINDOW))

    def row(self) -> str:
        """A line of the table."""
        return (
            f"| {self.client} | {self.at_once} | {self.images} | {self.lost} | {self.refusals}"
            f" | {self.seconds:.1f} | {self.utilisation:.0%} |"
        )


async def _venice_async(url: str, prompts: list[str], at_once: int, _: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        async with VeniceSession("venice-async", base_url=url, concurrency=at_once) as venice:
            report = await gather_generate(venice, prompts, into=folder, model=_MODEL, width=256, height=256)
    return report.generated


async def _openai(url: str, prompts: list[str], at_once: int, retries: int) -> int:
    key = f"openai-{at_once}-{retries}"
    async with openai.AsyncOpenAI(api_key=key, base_url=url, max_retries=retries) as client:
        return await _images(
            lambda prompt: client.images.generate(model=_MODEL, prompt=prompt, size="256x256"),
            prompts,
            at_once,
            openai.OpenAIError,
        )


async def _venice_py(url: str, prompts: list[str], at_once: int, retries: int) -> int:
    limiter = SimpleRateLimiter(max_retries=retries)
    key = f"venice-py-{at_once}-{retries}".ljust(20, "-")
    client = venice_ai.VeniceClient(api_key=key, base_url=url, rate_limiter=limiter)
    async with client:
        return await _images(
            lambda prompt: client.image.create(model=_MODEL, prompt=prompt, width=256, height=256),
            prompts,
            at_once,
            venice_ai.exceptions.VeniceError,
        )


async def _images(
    ask: Callable[[str], Awaitable[object]], prompts: list[str], at_once: int, errors: type[Exception]
) -> int:
    """Ask for every prompt, so many at once; the number of images that came."""
    places = asyncio.Semaphore(at_once)

    async def one(prompt: str) -> bool:
        async with places:
            try:
                await ask(prompt)
            except errors:
                return False
            return True

    return sum(await asyncio.gather(*map(one, prompts)))


async def _measured(
    sandbox: Sandbox, name: str, client: Client, prompts: list[str], at_once: int, retries: int = _RETRIES
) -> Result:
    refused = sandbox.account.by_status.get(429, 0)
    began = time.perf_counter()
    images = await client(sandbox.url, prompts, at_once, retries)
    return Result(
        client=name,
        at_once=at_once,
        images=images,
        lost=len(prompts) - images,
        refusals=sandbox.account.by_status.get(429, 0) - refused,
        seconds=time.perf_counter() - began,
    )


async def _compare(number: int, side_by_side: tuple[int, ...]) -> list[Result]:
    prompts = [f"a lighthouse, number {index}" for index in range(number)]
    async with Sandbox(rpm=_RPM, window=_WINDOW, latency=lambda _: _LATENCY) as sandbox:
        shown = [await _measured(sandbox, "venice-async", _venice_async, prompts, 10)]
        others: tuple[tuple[str, Client, int], ...] = (
            ("openai", _openai, openai.DEFAULT_MAX_RETRIES),
            ("venice-py", _venice_py, SimpleRateLimiter().max_retries),
        )
        for name, client, usual in others:
            runs = [
                await _measured(sandbox, f"{name}, tuned", client, prompts, at_once)
                for at_once in side_by_side
            ]
            shown.append(await _measured(sandbox, name, client, prompts, 10, usual))
            shown.append(min(runs, key=lambda run: (run.lost, run.seconds)))
    return shown


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="15 prompts, and one setting of each client")
    parser.add_argument("--json", action="store_true", help="print JSON after the table")
    options = parser.parse_args()
    # It says that it reads no settings from the environment.
    warnings.filterwarnings("ignore", "pydantic-settings is not installed")
    results = asyncio.run(_compare(15, (5,)) if options.quick else _compare(40, _SIDE_BY_SIDE))
    print("| client | at once | images | lost | refusals (429) | seconds | utilisation |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for result in results:
        print(result.row())
    if options.json:
        print(json.dumps([{**attrs.asdict(run), "utilisation": run.utilisation} for run in results]))


if __name__ == "__main__":
    main()
