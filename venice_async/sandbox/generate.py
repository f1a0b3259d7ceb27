"""How an image request becomes an answer, step by step; both image end points come here.

1. The order of the steps: key, abuse rule, content type, size, JSON, fields, model, the model's
   constraints, rate limit, content policy. What is refused before the rate limit takes nothing of it.
2. Then the script has its say: a fault strikes before the money is taken or after it.
3. Once the money is taken the generation goes on, whether or not the client is still there. Nothing
   that is refused is paid for; a better prompt and a web search cost nothing extra here.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

import orjson
from aiohttp import web
from attrs import define, field

from .account import RequestRecord, abbreviate
from .answer import Answer
from .catalogue import DEFAULT_MODEL, MODELS, Deprecation, Model
from .compose import Order, complete_wish, compose
from .fault import Fault
from .limiter import Verdict
from .paint import is_adult, is_blurred
from .refusal import RefusalError, error_body, html_page
from .rules import heeded, suggest_instead, unmet
from .state import State
from .validate import IMAGE_SCHEMAS, OPENAI_SCHEMA, ImageSchema, Issue, Schema, details_of

__all__ = ["Generation"]

# Parsing more than this would hold up the loop.
_LONG_BODY = 256 * 1024
# What a better prompt adds to a generation, as a part of the model's own latency.
_ENHANCING = 0.5

# With every character as four escaped bytes this stays below what clients accept as a header field.
_LONGEST_ECHO = 300

_OPENAI_DEFAULT_SIZE = "1024x1024"


@define
class Generation:
    """One image request on its way through the server.

    Attributes:
        state: What the sandbox's handlers share.
        record: Where it is noted what became of the request.
        key: The API key that it came with; empty if there was none.
        openai: Whether the request speaks OpenAI's words instead of Venice's.
        headers: The answer's header fields as far as they are known yet.
        fault: What the script has for this request.
    """

    state: State
    record: RequestRecord
    key: str = field(repr=False)
    openai: bool
    headers: dict[str, str] = field(factory=dict, init=False)
    fault: Fault | None = field(default=None, init=False)
    _began: float = field(factory=time.monotonic, init=False)

    async def answer(self, request: web.Request) -> Answer:
        """Decide on the answer.

        Raises:
            RefusalError: The request is not one that gets a picture.
        """
        self._look_at_limit()
        self.state.authenticate(self.key, self.record)
        self.headers.update(self.state.balance_headers())
        body = await self._read(request)
        wish = complete_wish(_in_venices_words(body) if self.openai else body)
        model = self._model(wish["model"])
        self._look_at_limit(model.id)
        if issues := list(unmet(model, wish)):
            raise RefusalError(400, extra=_explained(issues))
        wish = heeded(model, wish)
        self._take_permit(model.id)
        self._refuse_content_of(wish["prompt"])
        self.fault = self.state.script.take(body)
        preprocessing = time.monotonic() - self._began
        if self.fault is None or self.fault.billed:
            self._charge(model, wish)
            preprocessing = await self._generate(model, wish)
        if self.fault is not None and self.fault.replaces_body:
            return self._instead(self.fault)
        return await self._picture(body, wish, preprocessing)

    async def _generate(self, model: Model, wish: Mapping[str, Any]) -> float:
        """Take the time of a generation, and tell how long it took to get ready for it."""
        latency = self.state.latency_of(model)
        if wish.get("enhance_prompt"):
            await asyncio.sleep(_ENHANCING * latency)
        preprocessing = time.monotonic() - self._began
        await asyncio.sleep(latency)
        return preprocessing

    async def _read(self, request: web.Request) -> dict[str, Any]:
        """Read, parse and check the body."""
        if request.content_type != "application/json":
            raise RefusalError(415)
        raw = await self._read_raw(request)
        try:
            body = (
                orjson.loads(raw)
                if len(raw) <= _LONG_BODY
                else await self.state.workers.run(orjson.loads, raw)
            )
        except orjson.JSONDecodeError as error:
            raise RefusalError(400, f"Malformed JSON: {error}") from None
        self.record.body = abbreviate(body, len(raw))
        self._refuse_faults_of(body)
        return cast("dict[str, Any]", body)

    async def _read_raw(self, request: web.Request) -> bytearray:
        limit = self.state.max_body
        if request.content_length is not None and request.content_length > limit:
            raise RefusalError(413)
        raw = bytearray()
        try:
            async for chunk in request.content.iter_any():
                raw += chunk
                if len(raw) > limit:
                    raise RefusalError(413)
        except (ConnectionError, web.RequestPayloadError):
            raise RefusalError(400, "The request body ended early") from None
        return raw

    def _refuse_faults_of(self, body: Any) -> None:
        schema: Schema | ImageSchema = OPENAI_SCHEMA if self.openai else IMAGE_SCHEMAS[self.state.profile]
        if issues := list(schema.issues(body)):
            raise RefusalError(400, extra=_explained(issues))

    def _model(self, name: str) -> Model:
        model = MODELS.get(name)
        if model is None:
            raise RefusalError(404, f"Specified model not found: {name[:100]}")
        if model.offline:
            raise RefusalError(503, f"The model {name} is offline", code="MODEL_OFFLINE")
        if model.deprecation is not None:
            self.headers.update(_farewell(model.id, model.deprecation))
        return model

    def _refuse_content_of(self, prompt: str) -> None:
        suggestion = suggest_instead(prompt)
        if suggestion is not None:
            raise RefusalError(422, extra={"suggested_prompt": suggestion} if suggestion else None)

    def _take_permit(self, model_id: str) -> None:
        now = time.monotonic()
        verdict = self.state.limiter.take(self.state.bucket(self.key, model_id), now)
        self._note_limit(verdict)
        if not verdict.allowed:
            wait = max(1, math.ceil(verdict.retry_at - now))
            raise RefusalError(429, headers={"Retry-After": str(wait)})

    def _look_at_limit(self, model_id: str = "") -> None:
        """Note how the limit stands; before the model is known, how it would for one that is unused."""
        bucket = self.state.bucket(self.key, model_id)
        self._note_limit(self.state.limiter.peek(bucket, time.monotonic()))

    def _note_limit(self, verdict: Verdict) -> None:
        self.headers.update(self.state.limit_headers(verdict))

    def _charge(self, model: Model, wish: Mapping[str, Any]) -> None:
        self.headers.update(self.state.balance_headers())
        images = int(wish.get("variants", 1))
        if not self.state.books.charge(self.record, images, images * model.price(wish)):
            raise RefusalError(402)

    def _instead(self, fault: Fault) -> Answer:
        """Answer with what the fault has in place of a picture."""
        status = 200 if fault.status is None else fault.status
        if fault.html:
            self.headers.clear()
            return Answer(status, html_page(status), "text/html; charset=utf-8", compressible=False)
        if fault.body is not None:
            return Answer(status, fault.body, headers=self.headers, compressible=False)
        return Answer(status, error_body(status, fault.message or "", code=fault.code), headers=self.headers)

    async def _picture(self, body: dict[str, Any], wish: dict[str, Any], preprocessing: float) -> Answer:
        began = self._began + preprocessing
        shape = self._shape(body)
        inference = time.monotonic() - began
        order = Order(body, wish, shape, self.state.images, began, preprocessing, inference)
        composed = await self.state.workers.run(compose, order, self.fault)
        self.headers.update(_moderation(wish), **{"x-venice-model-id": wish["model"]})
        if body.get("enhance_prompt"):
            enhanced = f"{body['prompt'][:_LONGEST_ECHO]}, highly detailed, soft light"
            self.headers["x-venice-enhanced-prompt"] = quote(enhanced, safe="")
        status = 200 if self.fault is None or self.fault.status is None else self.fault.status
        if shape == "binary":
            return Answer(status, composed, order.picture_type, self.headers, compressible=False)
        return Answer(status, composed, headers=self.headers)

    def _shape(self, body: Mapping[str, Any]) -> str:
        if self.openai:
            return str(body.get("response_format", "b64_json"))
        return "binary" if body.get("return_binary") else "native"


def _in_venices_words(body: Mapping[str, Any]) -> dict[str, Any]:
    size = body.get("size", _OPENAI_DEFAULT_SIZE)
    width, height = (_OPENAI_DEFAULT_SIZE if size == "auto" else size).split("x")
    model = body.get("model", DEFAULT_MODEL)
    return {
        "model": model if model in MODELS else DEFAULT_MODEL,
        "prompt": body["prompt"],
        "width": int(width),
        "height": int(height),
        "format": body.get("output_format", "png"),
        "safe_mode": body.get("moderation") != "low",
    }


def _farewell(model_id: str, deprecation: Deprecation) -> dict[str, str]:
    warning = f"{model_id} goes on {deprecation.date}. Use {deprecation.replacement} instead."
    return {
        "x-venice-deprecated": "true",
        "x-venice-deprecated-replacement": deprecation.replacement,
        "x-venice-model-deprecation-warning": warning,
        "x-venice-model-deprecation-date": deprecation.date,
    }


def _moderation(wish: Mapping[str, Any]) -> dict[str, str]:
    found = {
        "is-blurred": is_blurred(wish),
        "is-content-violation": False,
        "is-adult-model-content-violation": is_adult(wish["prompt"]),
        "contains-minor": False,
    }
    return {f"x-venice-{name}": str(is_so).lower() for name, is_so in found.items()}


def _explained(issues: list[Issue]) -> dict[str, Any]:
    return {"details": details_of(issues), "issues": [issue.to_json() for issue in issues]}
