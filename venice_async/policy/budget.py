"""What a job may still spend.

1. Money is whole millionths of a US dollar, rounded up: sums are exact, and never too small.
2. The price of a purchase is reserved before it is sent. It stays spent if it was billed or may have
   been, and comes back otherwise: what is in flight can never exceed the budget.
3. The rewrite of a prompt is reserved with it, and comes back where the answer shows that none was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

from attrs import define, field

from venice_async.errors import BudgetExceededError, ConfigurationError
from venice_async.types.catalogue import ENHANCE_PROMPT_USD, ImageModel
from venice_async.types.request import ImageRequest

__all__ = ["Budget", "cost_of", "micro_usd", "refund_of", "usd"]

_MICRO = 1_000_000


def micro_usd(amount: float) -> int:
    """Millionths of a US dollar, rounded up."""
    return int((Decimal(str(amount)) * _MICRO).to_integral_value(ROUND_CEILING))


def usd(micro: int) -> float:
    """US dollars."""
    return micro / _MICRO


def cost_of(request: ImageRequest, models: Mapping[str, ImageModel]) -> int | None:
    """What a request costs at most, in millionths of a US dollar; None where that is not known.

    Args:
        request: With all its variants.
        models: By id.
    """
    model = models.get(request.model)
    price = None if model is None else model.price_usd(request)
    return None if price is None else micro_usd(price) * request.units + _rewriting(request)


def refund_of(request: ImageRequest, answer: Mapping[str, Any]) -> int:
    """What of a request's cost an answer shows not to have been billed, in millionths of a US dollar.

    Args:
        request: What was sent.
        answer: What its headers say, as keyword arguments of `Answer`; empty where no answer came.
    """
    return _rewriting(request) if answer and answer.get("enhanced_prompt") is None else 0


def _rewriting(request: ImageRequest) -> int:
    return micro_usd(ENHANCE_PROMPT_USD) if request.enhance_prompt else 0


@define
class Budget:
    """What a job may spend, and what it has spent.

    Attributes:
        limit: Millionths of a US dollar; None for no limit.
        spent: Of them, what was billed or may have been, in every run of the job.
        reserved: Of them, what is in flight.
        unpriced: Whether something was billed, or may have been, whose price is not known.
    """

    limit: int | None = None
    spent: int = 0
    reserved: int = field(init=False, default=0)
    unpriced: bool = field(init=False, default=False)

    def reserve(self, cost: int | None, model: str) -> bool:
        """Set the cost of one purchase aside, unless what is in flight may use up what is left.

        Args:
            cost: Millionths of a US dollar; None where the price is not known.
            model: Whose price it is.

        Returns:
            Whether it was; if not, ask again once something in flight is over.

        Raises:
            BudgetExceededError: It is more than what is left.
            ConfigurationError: There is a budget, and no price.
        """
        if self.limit is not None:
            if cost is None:
                raise ConfigurationError(
                    f"the price of this request for {model!r} is not known, so that no budget can be kept;"
                    " leave budget_usd out, or ask for what `venice-async models` has a price for"
                )
            if self.spent + cost > self.limit:
                left = usd(max(0, self.limit - self.spent))
                raise BudgetExceededError(
                    f"the next request costs ${usd(cost):.2f}, and ${left:.2f} is left of the budget of"
                    f" ${usd(self.limit):.2f}"
                )
            if self.spent + self.reserved + cost > self.limit:
                return False
        self.reserved += cost or 0
        return True

    def settle(self, cost: int | None, *, billed: bool, refund: int = 0) -> None:
        """The purchase is over.

        Args:
            cost: As it was reserved.
            billed: Whether it was billed, or may have been.
            refund: Of the cost, what was not billed all the same.
        """
        self.reserved -= cost or 0
        self.spent += max(0, (cost or 0) - refund) if billed else 0
        self.unpriced |= billed and cost is None
