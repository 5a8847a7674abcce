"""Small rules by example: halves, days of a first week, the order of credit, coupons that stand alone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from chom_core.billing.rules.coupons import Coupon, Item, discount
from chom_core.billing.rules.credits import Credit, CreditKind, in_order, use
from chom_core.billing.rules.cycles import Alignment, Cycle, Interval
from chom_core.billing.rules.proration import Proration, days, prorate, unused
from chom_core.billing.rules.rounding import rounded
from chom_core.billing.rules.splits import allocate, split
from chom_core.values.money import Money
from tests.billing.rules.facts import eur, span, usd, utc

CALENDAR, DAY = Alignment.CALENDAR, Proration.DAY


@pytest.mark.parametrize(
    ("zone", "start", "billed", "cents"),
    [
        pytest.param("America/Denver", "2023-06-16T05:00:00Z", 4, 400, id="TZ-05"),
        pytest.param("America/Halifax", "2023-06-16T05:00:00Z", 3, 300, id="TZ-06"),
        pytest.param("Europe/Paris", "2023-06-16T20:00:00Z", 3, 300, id="TZ-07"),
    ],
)
def test_a_week_is_cut_by_local_days(zone: str, start: str, billed: int, cents: int) -> None:
    cycle = Cycle(Interval.WEEK, utc(start), zone, alignment=CALENDAR)
    stub, full = cycle.first(), cycle.containing(utc(start))
    assert (days(stub, zone), days(full, zone)) == (billed, 7)
    assert prorate(Money(700, "EUR"), stub, full, DAY, zone) == Money(cents, "EUR")


def test_promotional_before_account_and_the_sooner_to_expire_first() -> None:
    now = utc("2026-01-01")
    pots = [
        Credit("paid in", eur(100), priority=1),
        Credit("gift", eur(100), CreditKind.PROMOTIONAL),
        Credit("gift soon gone", eur(100), CreditKind.PROMOTIONAL, expires_at=now + timedelta(days=1)),
        Credit("gone", eur(100), CreditKind.PROMOTIONAL, expires_at=now),
    ]
    assert [pot.key for pot in in_order(pots)] == ["gone", "gift soon gone", "gift", "paid in"]
    assert [one.key for one in use(eur(250), pots, now).used] == ["gift soon gone", "gift", "paid in"]


def test_a_coupon_that_does_not_stack_is_used_alone_where_it_is_worth_more() -> None:
    alone = Coupon("alone", percent=D(50), stacks=False)
    both = [alone, Coupon("ten", percent=D(10))]
    assert [one.coupon for one in discount("EUR", [Item(eur(100))], both).applied] == ["alone"]
    better = [alone, Coupon("sixty", percent=D(60)), Coupon("five", amount=eur(5))]
    assert discount("EUR", [Item(eur(100))], better).total == eur(65)


def test_halves_go_away_from_zero() -> None:
    assert [rounded(D(text), "USD").amount for text in ("0.005", "-0.005", "0.0049", "-0.0049")] == [
        1,
        -1,
        0,
        0,
    ]


def test_shares_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="100 at most"):
        split(usd("10"), {"a": D(60), "b": D(50)}, "c")
    with pytest.raises(ValueError, match="exact number"):
        allocate(usd("1"), [0.5, 0.5])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="can be billed"):
        rounded(D("NaN"), "USD")


def test_by_the_second_is_the_default() -> None:
    day = span("2024-01-01", "2024-02-01")
    assert prorate(eur(3100), span("2024-01-01", "2024-01-01T12:00Z"), day) == eur(50)
    assert unused(eur(3100), day, utc("2024-01-31T12:00Z")) == eur(50)
    assert Proration("second") is Proration.SECOND
