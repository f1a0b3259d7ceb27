"""Which path leads where, and the one place where a refusal becomes an answer.

1. Every request is recorded; POSTs to the image end points count in the account.
2. Whatever happens, the client gets an answer in the API's shape, and the books are settled.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from aiohttp import web
from attrs import define, field

from .account import RequestRecord
from .answer import Answer, Delivery
from .catalogue import COMPATIBILITY, MODELS, STYLES, TRAITS
from .fault import Fault
from .generate import Generation
from .limiter import Unlimited
from .refusal import RefusalError
from .state import State, key_of

__all__ = ["BASE_PATH", "Routes"]

BASE_PATH = "/api/v1"

_IMAGE_PATHS: Mapping[str, bool] = {
    f"{BASE_PATH}/image/generate": False,
    f"{BASE_PATH}/images/generations": True,
}

_logger = logging.getLogger(__name__)


@define
class Routes:
    """The server's handlers; `handle` is the one that the HTTP server calls."""

    state: State
    tasks: set[asyncio.Task[Any]] = field(factory=set, init=False)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, whatever it is."""
        task = asyncio.current_task()
        if task is not None:
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        counts = request.method == "POST" and request.path in _IMAGE_PATHS
        record = self.state.books.receive(request.method, request.path, request.headers, counts=counts)
        key = key_of(request.headers.get("Authorization", ""))
        delivery = Delivery(self.state, request, record)
        try:
            if counts:
                generation = Generation(self.state, record, key, openai=_IMAGE_PATHS[request.path])
                answer, delivery.fault = await self._generated(request, generation)
                delivery.failing = generation.failing
            else:
                answer = self._looked_up(request, key, record)
            return await delivery.send(answer)
        except Exception:
            _logger.exception("the sandbox could not send its answer to %s", request.path)
            raise
        finally:
            self.state.books.settle(record)

    async def _generated(self, request: web.Request, generation: Generation) -> tuple[Answer, Fault | None]:
        """Answer an image request; only an answer that is not a refusal has a fault."""
        headers = generation.headers
        headers.update(self.state.general_headers())
        try:
            return await generation.answer(request), generation.fault
        except RefusalError as refusal:
            return self._refused(refusal, headers), None
        except Exception:
            _logger.exception("the sandbox could not answer %s", request.path)
            return self._refused(RefusalError(500, code="UNKNOWN_ERROR"), headers), None

    def _refused(self, refusal: RefusalError, headers: Mapping[str, str]) -> Answer:
        body = refusal.body(self.state.profile.words)
        return Answer(refusal.status, body, headers={**headers, **refusal.headers})

    def _looked_up(self, request: web.Request, key: str, record: RequestRecord) -> Answer:
        """Answer what is no generation: a table, or no such thing."""
        headers = self.state.general_headers()
        verdict = Unlimited(window=60.0).peek("", time.monotonic())
        headers |= self.state.limit_headers(verdict)
        try:
            return Answer(200, orjson.dumps(self._table(request, key, record)), headers=headers)
        except RefusalError as refusal:
            return self._refused(refusal, headers)

    def _table(self, request: web.Request, key: str, record: RequestRecord) -> Mapping[str, Any]:
        path = request.path
        tables: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
            f"{BASE_PATH}/image/styles": lambda _: {"data": STYLES, "object": "list"},
            f"{BASE_PATH}/models": lambda kind: _list(
                kind, [model.to_json() for model in MODELS.values()], []
            ),
            f"{BASE_PATH}/models/traits": lambda kind: _list(kind, dict(TRAITS), {}),
            f"{BASE_PATH}/models/compatibility_mapping": lambda kind: _list(kind, dict(COMPATIBILITY), {}),
            f"{BASE_PATH}/api_keys/rate_limits": lambda _: self._rate_limits(),
        }
        if path not in tables and path not in _IMAGE_PATHS:
            raise RefusalError(404, f"No such end point: {path[:200]}", code="")
        allowed = "POST" if path in _IMAGE_PATHS else "GET"
        if request.method != allowed:
            raise RefusalError(
                405, f"{request.method} is not allowed here", code="", headers={"Allow": allowed}
            )
        self._authenticate(path, key, record)
        return tables[path](request.query.get("type", "image"))

    def _authenticate(self, path: str, key: str, record: RequestRecord) -> None:
        profile = self.state.profile
        if path.removeprefix(BASE_PATH) not in profile.open_tables:
            self.state.refuse_locked_out(profile.failure_bucket(key, None), record)
        elif not key:
            return
        self.state.check_key(key)

    def _rate_limits(self) -> Mapping[str, Any]:
        limiters = {"RPM": self.state.limiter, "RPD": self.state.day_limiter}
        now = time.monotonic()
        amounts = [{"amount": one.peek("", now).limit, "type": word} for word, one in limiters.items()]
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return {
            "data": {
                "accessPermitted": True,
                "apiTier": {"id": "paid", "isCharged": True},
                "balances": {"USD": float(self.state.books.balance), "DIEM": 0, "BUNDLED_CREDITS": 0},
                "keyExpiration": None,
                "nextEpochBegins": midnight.isoformat().replace("+00:00", "Z"),
                "rateLimits": [{"apiModelId": model, "rateLimits": amounts} for model in MODELS],
            }
        }


def _list(kind: str, image: Iterable[Any], nothing: Iterable[Any]) -> Mapping[str, Any]:
    """Wrap a table as the API does; only the tables of image models hold anything."""
    return {"data": image if kind in {"image", "all"} else nothing, "object": "list", "type": kind}
