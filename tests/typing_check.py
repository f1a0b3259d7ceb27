"""Never run: mypy and pyright read it, so that the types of the public face stay what they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import assert_type

import attrs

from venice_async import (
    BatchReport,
    Blocked,
    ContentBlockedError,
    Failed,
    Generated,
    ImageData,
    ImageModel,
    ImageRequest,
    ImageResponse,
    Outcome,
    Progress,
    RequestLimits,
    Skipped,
    Timeouts,
    Unconfirmed,
    UnconfirmedError,
    VeniceError,
    VeniceSession,
    gather_generate,
    stream_generate,
    sweep,
)
from venice_async.types.response import SavedImages


async def session_calls(venice: VeniceSession, request: ImageRequest) -> None:
    answer = await venice.generate(request, timeout=30)
    assert_type(answer, ImageResponse)
    assert_type(answer.image, ImageData)
    assert_type(answer.image.data, bytes)
    saved = await venice.save(request, "a.webp", timeout=Timeouts(total=30))
    assert_type(saved, SavedImages)
    assert_type(saved.paths, tuple[Path, ...])
    async with venice.stream(request) as image:
        async for chunk in image:
            assert_type(chunk, bytes)
    models = await venice.models()
    assert_type(models, tuple[ImageModel, ...])
    assert_type(models[0].ignored(request), tuple[str, ...])
    assert_type(await venice.styles(), tuple[str, ...])


async def batches(venice: VeniceSession, prompts: AsyncIterator[str]) -> None:
    report = await gather_generate(venice, prompts, seeds=range(4), into="out", model="m", cfg_scale=4)
    assert_type(report, BatchReport)
    assert_type(report.pending, int | None)
    assert_type(report.notes, tuple[str, ...])
    assert_type(report.spent_usd, float | None)
    async for path in report.paths():
        assert_type(path, Path)
    async with stream_generate(venice, ["a", "b"], into=Path("out"), model="m") as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, Generated | Skipped | Failed | Unconfirmed | Blocked)
            kept: Outcome = outcome
            match kept:
                case Generated(paths=paths):
                    assert_type(paths, tuple[Path, ...])
                case Failed(error=error):
                    assert_type(error, VeniceError)
                case Unconfirmed(error=unknown):
                    assert_type(unknown, UnconfirmedError)
                case Blocked(error=blocked):
                    assert_type(blocked, ContentBlockedError)
                case Skipped(paths=there, missing=gone):
                    assert_type(there, tuple[Path, ...])
                    assert_type(gone, tuple[Path, ...])
        assert_type(outcomes.progress, Progress)


def requests() -> Iterator[ImageRequest]:
    base = ImageRequest("a fox", model="m", seed=7, limits=RequestLimits.SCHEMA)
    yield attrs.evolve(base, seed=8)
    yield ImageRequest("a fox", model=None, transparent_background=True, anon_user_id="user 7")
    yield from sweep(base, prompt=["a", "b"], seed=range(3))


async def refused_by_type_checkers(venice: VeniceSession) -> None:
    await venice.generate("a prompt")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    ImageRequest("a", model="m", seed="7")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    ImageRequest("a", "m")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    await gather_generate(venice, "a", into="out", model="m", sed=1)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
