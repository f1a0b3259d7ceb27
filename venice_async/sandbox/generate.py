"""How an image request becomes an answer, step by step; both image end points come here.

1. The order of the steps: key, rule about failures, content type, size, JSON, fields, model, the model's
   constraints, rate limit, content policy. What is refused before the rate limit takes nothing of it.
2. Then the script has its say: a fault strikes before the money is taken or after it.
3. Once the money is taken the generation goes on, whether or not the client is still there. What is
   refused or blocked is not paid for. A web search costs nothing extra.
"""

from __future__ import annotations

import asyncio
import difflib
import math
import time
from collections.abc import Hashable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from aiohttp import web
from attrs import define, field

from .account import RequestRecord
from .answer import Answer
from .catalogue import MODELS, RETIRED, TRAITS
from .compose import Order, compose, random_seed
from .fault import Fault
from .limiter import Verdict
from .model import Deprecation, Model
from .paint import is_adult, is_blurred
from .profile import explained
from .reading import in_venices_words, read_json
from .refusal import PRO_ONLY, REGION, RefusalError, html_page, retired
from .rules import heeded, suggest_instead, unmet
from .schemas import OPENAI
from .state import State

__all__ = ["Generation"]

# What a better prompt adds to a generation, as a part of the model's own latency; and what it costs.
_ENHANCING = 0.5
_REWRITE_USD = Decimal("0.04")
_DETAIL = "highly detailed, soft light"

# With every character as four escaped bytes this stays below what clients accept as a header field.
_LONGEST_ECHO = 300


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
        failing: Whose failure it is if it is one; None as long as nobody is known.
    """

    state: State
    record: RequestRecord
    key: str = field(repr=False)
    openai: bool
    headers: dict[str, str] = field(factory=dict, init=False)
    fault: Fault | None = field(default=None, init=False)
    failing: Hashable | None = field(default=None, init=False)
    _began: float = field(factory=time.monotonic, init=False)

    async def answer(self, request: web.Request) -> Answer:
        """Decide on the answer.

        Raises:
            RefusalError: The request is not one that gets a picture.
        """
        self._look_at_limit()
        self.state.require_key(self.key, str(request.url))
        body = await self._read(request)
        wish: dict[str, Any] = in_venices_words(body) if self.openai else body
        model = self._model(wish["model"])
        self._look_at_limit(model.id)
        if not self.openai:
            self._refuse_what_the_model_lacks(model, body)
        wish = {"seed": random_seed(), **heeded(model, wish), "model": model.id}
        self._take_permits(model.id, int(wish.get("variants", 1)))
        forbidden = self._is_forbidden(wish["prompt"])
        self.fault = None if forbidden else self.state.script.take(body)
        self.record.blocked = forbidden or (self.fault is not None and self.fault.blocked)
        wish["enhance_prompt"] = not self.record.blocked and _can_be_better(wish)
        preprocessing = time.monotonic() - self._began
        paid = not forbidden and (self.fault is None or self.fault.billed)
        if paid:
            self._charge(model, wish)
        if paid or forbidden:
            preprocessing = await self._generate(model, wish)
        if self.fault is not None and self.fault.replaces_body:
            return self._instead(self.fault)
        return await self._picture(body, wish, model, preprocessing)

    async def _read(self, request: web.Request) -> dict[str, Any]:
        """Read the body, and refuse who is locked out, has a wrong key, or asks for what there is not.

        Whose failure it would be stands in the body: it is read first, and complained about last.
        """
        body: Any = {}
        unreadable: RefusalError | None = None
        try:
            body = await read_json(self.state, request, self.record)
        except RefusalError as refusal:
            unreadable = refusal
        profile = self.state.profile
        self.failing = profile.failure_bucket(self.key, body if isinstance(body, dict) else {})
        self.headers.update(self.state.failure_headers(self.failing))
        self.state.refuse_locked_out(self.failing, self.record)
        self.state.check_key(self.key)
        self.headers.update(self.state.balance_headers())
        if unreadable is not None:
            raise unreadable
        issues = list((OPENAI if self.openai else profile.schema).issues(body))
        if issues and self.openai:
            raise RefusalError(400, "; ".join(issue.sentence for issue in issues))
        if issues:
            raise RefusalError(400, extra=explained(issues))
        fields: dict[str, Any] = body
        return fields

    def _model(self, asked: str) -> Model:
        name = TRAITS.get(asked, asked)
        if name in RETIRED:
            raise RefusalError(404, retired(name, RETIRED[name]))
        model = MODELS.get(name)
        if model is None:
            near = difflib.get_close_matches(name, MODELS, n=1)
            hint = f". Did you mean {near[0]}?" if near else ""
            raise RefusalError(404, f"Specified model not found: {name[:100]}{hint}")
        if not model.generates:
            raise RefusalError(400, f"The model {name} does not generate images from prompts")
        if model.pro:
            raise RefusalError(401, PRO_ONLY, code="PRO_ONLY_MODEL")
        if model.blocked_in:
            raise RefusalError(403, REGION)
        if model.offline:
            raise RefusalError(503, f"The model {name} is offline", code="MODEL_OFFLINE")
        if model.deprecation is not None:
            self.headers.update(_farewell(model.id, model.deprecation))
        return model

    def _refuse_what_the_model_lacks(self, model: Model, body: Mapping[str, Any]) -> None:
        profile = self.state.profile
        if issues := list(unmet(profile.checks(model), body)):
            raise RefusalError(400, extra=profile.explain(issues))

    def _is_forbidden(self, prompt: str) -> bool:
        """Whether the picture of this prompt is blocked; a profile that blocks none refuses it instead."""
        suggestion = suggest_instead(prompt)
        if suggestion is None or self.state.profile.blocks:
            return suggestion is not None
        raise RefusalError(422, extra={"suggested_prompt": suggestion} if suggestion else None)

    def _take_permits(self, model_id: str, images: int) -> None:
        verdict = self.state.take_permits(self.state.bucket(self.key, model_id), images)
        self._note_limit(verdict)
        if verdict.allowed:
            return
        headers: dict[str, str] = {}
        if self.state.profile.tells_wait and math.isfinite(verdict.retry_at):
            headers["Retry-After"] = str(max(1, math.ceil(verdict.retry_at - time.monotonic())))
        raise RefusalError(429, headers=headers)

    def _look_at_limit(self, model_id: str = "") -> None:
        """Note how the limit stands; before the model is known, how it would for one that is unused."""
        bucket = self.state.bucket(self.key, model_id)
        self._note_limit(self.state.limiter.peek(bucket, time.monotonic()))

    def _note_limit(self, verdict: Verdict) -> None:
        self.headers.update(self.state.limit_headers(verdict))

    def _charge(self, model: Model, wish: Mapping[str, Any]) -> None:
        self.headers.update(self.state.balance_headers())
        images, rewritten = int(wish.get("variants", 1)), bool(wish["enhance_prompt"])
        price = images * model.price(wish) + rewritten * _REWRITE_USD
        if not self.state.books.charge(self.record, images, price, rewritten=rewritten):
            raise RefusalError(402)

    async def _generate(self, model: Model, wish: Mapping[str, Any]) -> float:
        """Take the time of a generation, and tell how long it took to get ready for it."""
        latency = self.state.latency_of(model)
        if wish["enhance_prompt"]:
            await asyncio.sleep(_ENHANCING * latency)
        preprocessing = time.monotonic() - self._began
        await asyncio.sleep(latency)
        return preprocessing

    def _instead(self, fault: Fault) -> Answer:
        """Answer with what the fault has in place of a picture."""
        status = 200 if fault.status is None else fault.status
        if fault.html:
            ray = self.headers["CF-RAY"]
            page = html_page(status, ray)
            return Answer(status, page, "text/html; charset=utf-8", {"CF-RAY": ray}, compressible=False)
        if fault.body is not None:
            return Answer(status, fault.body, headers=self.headers, compressible=False)
        body = self.state.profile.words.body(status, fault.message or "", code=fault.code)
        return Answer(status, body, headers=self.headers)

    async def _picture(
        self, body: dict[str, Any], wish: dict[str, Any], model: Model, preprocessing: float
    ) -> Answer:
        began = self._began + preprocessing
        order = Order(
            received=body,
            echo=self.state.profile.echo(body, model, wish["seed"]),
            wish=wish,
            shape=self._shape(body),
            blocked=self.record.blocked,
            painter=self.state.images,
            began=began,
            preprocessing=preprocessing,
            inference=time.monotonic() - began,
        )
        composed = await self.state.workers.run(compose, order, self.fault)
        self.headers.update(_moderation(wish, blocked=self.record.blocked))
        self.headers.update({"x-venice-model-id": model.id, "x-venice-model-name": model.name})
        if wish["enhance_prompt"]:
            enhanced = f"{wish['prompt'][:_LONGEST_ECHO]}, {_DETAIL}"
            self.headers["x-venice-enhanced-prompt"] = quote(enhanced, safe="")
        status = 200 if self.fault is None or self.fault.status is None else self.fault.status
        if order.shape == "binary":
            return Answer(status, composed, order.picture_type, self.headers, compressible=False)
        return Answer(status, composed, headers=self.headers)

    def _shape(self, body: Mapping[str, Any]) -> str:
        if self.openai:
            return str(body.get("response_format") or "b64_json")
        return "binary" if body.get("return_binary") else "native"


def _can_be_better(wish: Mapping[str, Any]) -> bool:
    """Whether a rewrite comes of the prompt, where one is asked for: not if it has all the detail."""
    return bool(wish.get("enhance_prompt")) and not wish["prompt"].endswith(_DETAIL)


def _farewell(model_id: str, deprecation: Deprecation) -> dict[str, str]:
    warning = f"{model_id} goes on {deprecation.date}. Use {deprecation.replacement} instead."
    return {
        "x-venice-deprecated": "true",
        "x-venice-deprecated-replacement": deprecation.replacement,
        "x-venice-model-deprecation-warning": warning,
        "x-venice-model-deprecation-date": deprecation.date,
    }


def _moderation(wish: Mapping[str, Any], *, blocked: bool) -> dict[str, str]:
    found = {
        "is-blurred": not blocked and is_blurred(wish),
        "is-content-violation": blocked,
        "is-adult-model-content-violation": not blocked and is_adult(wish["prompt"]),
        "contains-minor": False,
    }
    return {f"x-venice-{name}": str(is_so).lower() for name, is_so in found.items()}
