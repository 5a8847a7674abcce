"""Coupons: the last one goes to exactly one of fifty; limits, scopes, stacking; what a failed purchase gives back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.billing.models import Coupon, CouponCount, CouponRedemption
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.buying.purchases import Click
from chom_core.billing.service.offers import coupons
from chom_core.database import PLATFORM_ID, clock, transaction
from chom_core.values import ChomError, Conflict, Invalid, Money, NotFound, uuid7
from chom_core.values.billing import Order
from tests.billing.plans import bills, buy, lines, of, plan, renew
from tests.billing.shop import DECLINED, GOOD, books_are_right
from tests.conftest import make_tenant


def coupon(code: str = "SAVE", code_limit: int | None = None, first_time: bool = False, **more: Any) -> UUID:
    with transaction(PLATFORM_ID):
        more.setdefault("percent", Decimal(50))
        if "amount" in more:
            del more["percent"]
        made = coupons.make(f"Coupon {code}", **more)
        coupons.add_code(made.id, code, max_redemptions=code_limit, first_time=first_time)
        return made.id


def counted(subject: UUID) -> int:
    with transaction() as here:
        return here.scalar(select(CouponCount.redeemed).where(CouponCount.subject_id == subject)) or 0


@pytest.mark.parametrize("limits", [{"max_redemptions": 1}, {"code_limit": 1}])
def test_one_of_fifty_gets_the_last(shop: object, limits: dict[str, int]) -> None:
    made = coupon(**limits)
    people = [make_tenant(f"B{i}") for i in range(50)]

    def redeem(who: UUID) -> bool:
        try:
            with transaction(who):
                coupons.redeem("save", "pro", "USD", None)
            return True
        except Invalid:
            return False

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(redeem, people)) == 1
    assert counted(made) == 1


def test_fifty_presses_of_one_customer_redeem_once(buyer: UUID) -> None:
    made = coupon(per_customer=1)

    def redeem(_: int) -> bool:
        try:
            with transaction(buyer):
                coupons.redeem("SAVE", "pro", "USD", None)
            return True
        except Invalid:
            return False

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(redeem, range(50))) == 1
    assert counted(made) == 1


def test_a_declined_purchase_gives_the_coupon_back_to_the_next_try(buyer: UUID) -> None:
    made = coupon(max_redemptions=1)
    order = Order("pro", promotion_code="save")

    def press(card: str, attempt: str) -> str:
        with transaction(buyer):
            click = Click(purchase, attempt, Money(3950, "USD"), {"test_card": card})
            return checkout.buy(order, click).state

    purchase = uuid7()
    assert [press(DECLINED, "1"), press(GOOD, "2")] == ["declined", "done"]
    assert counted(made) == 1
    with transaction(buyer) as here:
        assert sorted(here.scalars(select(CouponRedemption.status))) == ["active", "released"]
    assert [row.total for row in bills(buyer)] == [3950]
    books_are_right()


def test_after_a_declined_card_the_page_still_shows_the_price_with_the_code(buyer: UUID) -> None:
    """The page is shown again with the same code: its own redemption must not stand in its way."""
    coupon(max_redemptions=1)
    assert buy(buyer, "pro", card=DECLINED, promo="SAVE").state == "declined"
    assert buy(buyer, "pro", card=GOOD, promo="SAVE").state == "done"
    with transaction(buyer), pytest.raises(Invalid):
        checkout.preview(Order("pro", promotion_code="SAVE"))
    assert [bill.total for bill in bills(buyer)] == [3950]


def test_an_abandoned_purchase_lets_the_coupon_go(buyer: UUID) -> None:
    made = coupon(max_redemptions=1)
    with pytest.raises(Conflict, match="amount is"), transaction(buyer):
        checkout.buy(
            Order("pro", promotion_code="SAVE"), Click(uuid7(), "1", Money(1, "USD"), {"test_card": GOOD})
        )
    assert counted(made) == 0


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"plans": ["enterprise"]}, "other plans"),
        ({"amount": Money(5, "EUR")}, "prices in EUR"),
        ({"starts_at": timedelta(days=1)}, "not valid yet"),
        ({"expires_at": timedelta(days=-1)}, "expired"),
        ({"first_time": True}, "new customers"),
    ],
)
def test_what_does_not_count_says_why(buyer: UUID, terms: dict[str, Any], words: str) -> None:
    if "first_time" in terms:
        buy(buyer, "pro")
    now = clock.now()
    coupon(**{key: now + value if isinstance(value, timedelta) else value for key, value in terms.items()})
    with pytest.raises(Invalid, match=words) as refused, transaction(buyer):
        coupons.offered("save", "pro", "USD")
    assert "promotion_code" in refused.value.fields
    with pytest.raises(Invalid, match="no such code"), transaction(buyer):
        coupons.offered("' or 1=1", "pro", "USD")


def test_coupons_of_another_seller_are_not_here(buyer: UUID) -> None:
    reseller = make_tenant("Brightside", kind="reseller")
    with transaction(reseller):
        made = coupons.make("Theirs", percent=Decimal(10))
        coupons.add_code(made.id, "THEIRS")
    with transaction(buyer):
        with pytest.raises(Invalid, match="no such code"):
            coupons.redeem("THEIRS", "pro", "USD", None)
        with pytest.raises(NotFound):
            coupons.grant(made.id)


def test_coupons_stack_in_order_and_one_that_does_not_stands_alone(buyer: UUID) -> None:
    plan("hundred", 10000)
    ten = coupon("TEN", amount=Money(1000, "USD"), duration=coupons.Duration.FOREVER)
    fifth = coupon("FIFTH", percent=Decimal(20), duration=coupons.Duration.FOREVER)
    with transaction(buyer):
        coupons.grant(ten)
        coupons.grant(fifth)
    buy(buyer, "hundred")
    assert bills(buyer)[-1].total == 7200
    alone = coupon("ALONE", percent=Decimal(90), duration=coupons.Duration.FOREVER, stacks=False)
    with transaction(buyer):
        coupons.grant(alone)
    renew(buyer, of(buyer).current_period_end)
    assert bills(buyer)[-1].total == 1000
    books_are_right()


def test_a_voided_invoice_gives_the_coupon_back(buyer: UUID) -> None:
    coupon(percent=Decimal(100), duration=coupons.Duration.REPEATING, repeats=1)
    buy(buyer, "starter", promo="save")
    assert renew(buyer, of(buyer).current_period_end) == 1
    assert [row.total for row in bills(buyer)] == [0, 2900]
    assert len(lines(buyer, "discount")) == 1


def test_who_has_it_keeps_it_when_staff_retire_it(buyer: UUID) -> None:
    made = coupon(percent=Decimal(50), duration=coupons.Duration.FOREVER)
    buy(buyer, "starter", promo="save")
    with transaction(PLATFORM_ID):
        coupons.retire(made)
    renew(buyer, of(buyer).current_period_end)
    assert [row.total for row in bills(buyer)] == [1450, 1450]
    with pytest.raises(Invalid, match="no such code"), transaction(make_tenant("Late")):
        coupons.redeem("SAVE", "starter", "USD", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"percent": Decimal(0)},
        {"percent": Decimal("100.1")},
        {"percent": Decimal("NaN")},
        {"percent": None},
        {"amount": Money(0, "USD"), "percent": None},
        {"amount": Money(5, "USD")},
        {"repeats": 3},
        {"duration": coupons.Duration.REPEATING},
        {"max_redemptions": 0},
        {"per_customer": -1},
        {"name": " "},
        {"name": "n" * 200},
    ],
)
def test_bad_coupons_are_refused_and_nothing_is_written(shop: object, wrong: dict[str, Any]) -> None:
    terms: dict[str, Any] = {"name": "Good", "percent": Decimal(10), **wrong}
    name = terms.pop("name")
    with pytest.raises(Invalid), transaction(PLATFORM_ID):
        coupons.make(name, **terms)
    with transaction(PLATFORM_ID) as here:
        assert here.scalars(select(Coupon)).all() == []


@pytest.mark.parametrize("word", ["", "A", "A B", "Ä-1", "X" * 41, "SAVE"])
def test_bad_and_taken_codes_are_refused(shop: object, word: str) -> None:
    made = coupon()
    refused: Callable[[], object] = lambda: coupons.add_code(made, word)  # noqa: E731
    with pytest.raises(ChomError), transaction(PLATFORM_ID):
        refused()
