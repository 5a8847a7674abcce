"""More cases of changes, as Stripe, Lago and Kill Bill test them: leap days, twice a day, trials, pauses, the 31st."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from chom_core.billing.rules.coupons import Duration
from chom_core.billing.service.changes import changing, ending, rows
from chom_core.billing.service.changes.reckoning import Wanted
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.offers import coupons
from chom_core.database import PLATFORM_ID, transaction
from chom_core.values import uuid7
from chom_core.values.billing import PlanShape
from tests.billing import till
from tests.billing.plans import at, bills, buy, lines, notes, of, plan, renew, stand, upgrade
from tests.billing.shop import LATER, books_are_right
from tests.conftest import Database, make_tenant

HALF = "2024-01-16T12:00Z"  # half of January, by the second


@pytest.fixture
def buyer(street: Database) -> UUID:
    found = make_tenant("Northlight")
    stand(found, "2024-01-01")
    return found


def amounts(tenant: UUID, *kinds: str) -> list[int]:
    return [line.amount for line in lines(tenant, *kinds)]


def test_an_upgrade_on_a_leap_day(buyer: UUID) -> None:
    plan("leap-a", 2900)
    plan("leap-b", 5800)
    stand(buyer, "2024-02-15")
    buy(buyer, "leap-a")
    stand(buyer, "2024-02-29")
    upgrade(buyer, "leap-b")
    assert (amounts(buyer, "plan"), amounts(buyer, "credit")) == ([2900, 3000], [-1500])
    assert renew(buyer, "2024-03-15") == 1
    assert amounts(buyer, "plan")[-1] == 5800


def test_an_upgrade_takes_the_place_of_a_downgrade_that_waits(buyer: UUID) -> None:
    for code, cents in (("way-a", 1000), ("way-b", 2000), ("way-c", 3000)):
        plan(code, cents)
    buy(buyer, "way-b")
    assert upgrade(buyer, "way-a").state == "scheduled"
    stand(buyer, HALF)
    assert upgrade(buyer, "way-c").state == "done"
    with transaction(buyer):
        assert rows.waiting(of(buyer).id) == []
    assert renew(buyer, "2024-02-01") == 1
    assert amounts(buyer, "plan") == [2000, 1500, 3000]


def test_a_quantity_up_and_down_on_one_day(buyer: UUID) -> None:
    plan("qty", 1000)
    plan("qty-seat", 1000, shape=PlanShape.ADDON)
    buy(buyer, "qty")
    with transaction(buyer):
        changing.change(of(buyer).id, Wanted("add", plan_code="qty-seat"))
    seat = next(item.id for item in of(buyer).items if item.plan_code == "qty-seat")
    stand(buyer, HALF)
    for count in (5, 2):
        with transaction(buyer):
            assert changing.change_quantity(of(buyer).id, seat, count, when="now").state == "done"
    paid = sum(row.amount_paid for row in bills(buyer)[2:])
    assert (paid, till.left(buyer)) == (2000, 1500), "one seat more for half a month is 500"
    assert renew(buyer, "2024-02-01") == 1
    assert bills(buyer)[-1].total == 3000
    books_are_right()


def test_a_coupon_goes_on_over_an_upgrade_and_what_is_credited_is_what_was_paid(buyer: UUID) -> None:
    plan("cup-a", 10000)
    plan("cup-b", 20000)
    with transaction(PLATFORM_ID):
        made = coupons.make("Quarter", percent=Decimal(25), duration=Duration.REPEATING, repeats=3)
        coupons.add_code(made.id, "quarter")
    buy(buyer, "cup-a", promo="quarter")
    stand(buyer, HALF)
    upgrade(buyer, "cup-b")
    assert [row.total for row in bills(buyer)] == [7500, 3750]
    assert [renew(buyer, day) for day in ("2024-02-01", "2024-03-01")] == [1, 1]
    assert [row.total for row in bills(buyer)[2:]] == [15000, 20000]


def test_an_amount_that_lasts_never_takes_more_than_the_bill(buyer: UUID) -> None:
    plan("gift", 2900)
    with transaction(PLATFORM_ID):
        made = coupons.make(uuid7().hex, amount=till.Money(5000, "USD"), duration=Duration.FOREVER)
    with transaction(buyer):
        coupons.grant(made.id)
    buy(buyer, "gift")
    assert renew(buyer, "2024-03-01") == 2
    assert [(row.total, row.status) for row in bills(buyer)] == [(0, "paid")] * 3
    assert (amounts(buyer, "discount"), till.left(buyer)) == ([-2900] * 3, 0)


def test_a_trial_that_an_upgrade_ends_is_charged_from_then_on(buyer: UUID) -> None:
    plan("try-a", 1000, trial_days=14)
    plan("try-b", 3000)
    buy(buyer, "try-a")
    stand(buyer, "2024-01-06T10:00Z")
    assert upgrade(buyer, "try-b").state == "done"
    assert (of(buyer).status, amounts(buyer, "plan")) == ("active", [3000])
    assert of(buyer).current_period_end == at("2024-02-06T10:00Z")


def test_a_pause_over_the_end_of_a_period(buyer: UUID) -> None:
    plan("rest", 3100)
    buy(buyer, "rest")
    stand(buyer, HALF)
    with transaction(buyer):
        ending.pause(of(buyer).id, now=True)
    assert (renew(buyer, "2024-02-20"), till.left(buyer)) == (0, 1550)
    stand(buyer, "2024-03-05")
    with transaction(buyer):
        ending.resume(of(buyer).id)
    last = bills(buyer)[-1]
    assert (last.total, last.amount_credited, last.amount_paid) == (3100, 1550, 1550)
    assert of(buyer).current_period_end == at("2024-04-05")
    books_are_right()


@pytest.mark.parametrize("day", [29, 30, 31])
@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Pacific/Auckland"])
def test_late_days_of_the_month_come_back_after_february(buyer: UUID, zone: str, day: int) -> None:
    plan("late", 1000)
    stand(buyer, "2022-12-29T12:00Z", zone=zone)
    with transaction(buyer):
        sellers.update_wishes(consolidate=False, billing_day=day)
    buy(buyer, "late")
    renew(buyer, "2023-04-15")
    seen = [
        line for line in lines(buyer, "plan") if line.period_start and line.period_start > at("2023-01-01")
    ]
    days = [line.period_start.astimezone(ZoneInfo(zone)).day for line in seen if line.period_start]
    assert days == [day, 28, day] and {line.amount for line in seen} == {1000}


def test_a_change_in_the_last_second_costs_next_to_nothing(buyer: UUID) -> None:
    plan("end-a", 1000)
    plan("end-b", 2000)
    buy(buyer, "end-a")
    stand(buyer, at("2024-02-01") - timedelta(seconds=1))
    assert upgrade(buyer, "end-b").state == "done"
    assert renew(buyer, "2024-02-01") == 1
    assert sum(row.total for row in bills(buyer)) == 3000
    books_are_right()


def test_what_ends_unpaid_owes_only_the_time_it_ran(buyer: UUID) -> None:
    plan("owe", 3100)
    buy(buyer, "owe", card=LATER)
    assert renew(buyer, "2024-02-01") == 1
    (open_one,) = [row for row in bills(buyer) if row.status == "open"]
    stand(buyer, "2024-02-15T12:00Z")
    with transaction(buyer):
        ending.cancel_now(of(buyer).id)
    assert [note.to_due for note in notes(buyer)] == [1550]
    assert (till.due(buyer, open_one.id), till.left(buyer)) == (1550, 0)
    books_are_right()
