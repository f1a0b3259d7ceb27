"""Money: exact sums, and a budget that nothing in flight can exceed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venice_async.errors import BudgetExceededError, ConfigurationError
from venice_async.policy.budget import Budget, cost_of, micro_usd, refund_of, usd
from venice_async.types.catalogue import ImageModel, Prices
from venice_async.types.request import ImageRequest


@pytest.mark.parametrize(
    ("amount", "micro"),
    [
        (0, 0),
        (0.01, 10_000),
        (0.1, 100_000),
        (1e-6, 1),
        (1e-7, 1),
        (1.0000001, 1_000_001),
        (5e-324, 1),
        (7, 7_000_000),
    ],
)
def test_money_is_whole_millionths_rounded_up(amount, micro):
    assert micro_usd(amount) == micro


def test_sums_are_exact():
    """0.1 + 0.2 is 0.3, and a tenth a thousand times is a hundred."""
    assert micro_usd(0.1) + micro_usd(0.2) == micro_usd(0.3)
    budget = Budget(micro_usd(0.3))
    for price in (0.1, 0.2):
        budget.reserve(micro_usd(price), "m")
        budget.settle(micro_usd(price), billed=True)
    assert usd(budget.spent) == 0.3
    assert usd(sum(micro_usd(0.1) for _ in range(1000))) == 100.0


@given(st.floats(0, 1e9))
def test_an_amount_is_never_rounded_down(amount):
    exact = Decimal(str(amount)) * 1_000_000
    assert micro_usd(amount) - 1 < exact <= micro_usd(amount)


@given(
    st.integers(0, 50),
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["reserve", "billed", "free"])), max_size=40),
)
def test_what_is_in_flight_and_spent_never_exceeds_the_budget(limit, moves):
    """It is refused exactly if what is spent leaves no room, and waits where what is in flight may."""
    budget, flying, spent = Budget(limit), [], 0
    for cost, move in moves:
        if move == "reserve":
            if spent + cost > limit:
                with pytest.raises(BudgetExceededError):
                    budget.reserve(cost, "m")
            elif budget.reserve(cost, "m"):
                flying.append(cost)
            else:
                assert spent + sum(flying) + cost > limit
        elif flying:
            over = flying.pop(cost % len(flying))
            budget.settle(over, billed=move == "billed")
            spent += over * (move == "billed")
        assert (budget.reserved, budget.spent) == (sum(flying), spent)
        assert budget.reserved + budget.spent <= limit


def test_a_refusal_tells_the_price_and_what_is_left():
    """And sets nothing aside."""
    budget = Budget(micro_usd(0.25), spent=micro_usd(0.2))
    with pytest.raises(BudgetExceededError, match=r"costs \$0\.09, and \$0\.05 is left .*\$0\.25"):
        budget.reserve(micro_usd(0.09), "m")
    assert budget.reserve(micro_usd(0.05), "m")
    assert budget.reserved == micro_usd(0.05)


def test_an_unknown_price_and_a_budget_do_not_go_together():
    """Without a budget it counts as nothing."""
    with pytest.raises(ConfigurationError, match="'m' is not known"):
        Budget(10**9).reserve(None, "m")
    budget = Budget()
    budget.reserve(None, "m")
    budget.settle(None, billed=True)
    assert (budget.reserved, budget.spent, budget.unpriced) == (0, 0, True)


def test_what_was_not_billed_needs_no_price():
    budget = Budget()
    budget.reserve(None, "m")
    budget.settle(None, billed=False)
    assert not budget.unpriced


def test_without_a_limit_everything_is_counted_and_nothing_refused():
    budget = Budget()
    for billed in (True, False):
        budget.reserve(10**12, "m")
        budget.settle(10**12, billed=billed)
    assert (budget.reserved, budget.spent) == (0, 10**12)


MODELS = {
    "flat": ImageModel(id="flat", prices=Prices(generation=0.1)),
    "tiers": ImageModel(id="tiers", prices=Prices(resolutions={"1K": 0.18}), default_resolution="1K"),
    "silent": ImageModel(id="silent"),
}


@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        ({"model": "flat"}, 100_000),
        ({"model": "flat", "variants": 3}, 300_000),
        ({"model": "tiers"}, 180_000),
        ({"model": "tiers", "resolution": "8K"}, None),
        ({"model": "silent"}, None),
        ({"model": "unlisted"}, None),
        ({"model": "flat", "enhance_prompt": True}, 140_000),
        ({"model": "flat", "enhance_prompt": True, "variants": 3}, 340_000),
        ({"model": "unlisted", "enhance_prompt": True}, None),
        ({"model": "flat", "enable_web_search": True}, 100_000),
        ({"model": "flat", "enhance_prompt": False}, 100_000),
    ],
    ids=str,
)
def test_a_requests_cost_is_that_of_all_its_variants(fields, cost):
    assert cost_of(ImageRequest("a fox", **fields), MODELS) == cost


@pytest.mark.parametrize(
    ("enhance", "answer", "refund"),
    [
        (True, {"enhanced_prompt": None}, 40_000),
        (True, {"enhanced_prompt": "a red fox"}, 0),
        (True, {"enhanced_prompt": ""}, 0),
        (True, {}, 0),  # no answer: nobody knows
        (False, {"enhanced_prompt": None}, 0),
    ],
)
def test_a_rewrite_that_did_not_come_is_given_back(enhance, answer, refund):
    assert refund_of(ImageRequest("a fox", model="flat", enhance_prompt=enhance), answer) == refund


def test_what_is_given_back_may_be_spent_again():
    budget = Budget(limit=140_000)
    assert budget.reserve(140_000, "m")
    budget.settle(140_000, billed=True, refund=40_000)
    assert (budget.spent, budget.reserved) == (100_000, 0)
    assert budget.reserve(40_000, "m")
    budget.settle(40_000, billed=False, refund=40_000)
    assert (budget.spent, budget.reserved) == (100_000, 0)
