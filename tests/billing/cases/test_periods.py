"""Cases ANCH-*, PRO-18, TZ-05/06/07: where periods begin and end, by buying and renewing on the test clock.

ANCH-07, TZ-01, TZ-04 and TZ-10 are in test_subscriptions. CHOM sells months and longer, no weeks: TZ-05 to TZ-07 buy
the same first days of a calendar month of 30 days. A billing day (ANCH-08, PRO-18) is a wish of the customer's profile.
"""

from __future__ import annotations

from uuid import UUID

import pytest

from chom_core.billing.rules.proration import days
from chom_core.billing.service import usage
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import transaction
from chom_core.values import BillingPeriod, Money
from chom_core.values.period import Period
from tests.billing.plans import at, bills, buy, lines, of, plan, renew, stand
from tests.billing.shop import books_are_right
from tests.conftest import Database, make_tenant

DAILY = {"proration": "day"}


@pytest.fixture
def buyer(street: Database) -> UUID:
    return make_tenant("Northlight")


def starts(tenant: UUID) -> list[str]:
    return [f"{line.period_start:%Y-%m-%d}" for line in lines(tenant, "plan")]


@pytest.mark.parametrize(
    ("anchor", "expected"),
    [
        ("2023-01-31", ["2023-02-28", "2023-03-31", "2023-04-30"]),
        ("2024-01-31", ["2024-02-29", "2024-03-31", "2024-04-30"]),
    ],
)
def test_anch_01(buyer: UUID, anchor: str, expected: list[str]) -> None:
    plan("anch-01", 1000)
    stand(buyer, anchor)
    buy(buyer, "anch-01")
    assert renew(buyer, expected[-1]) == 3, "walking from period to period does not drift"
    assert starts(buyer) == [anchor, *expected]
    assert {line.amount for line in lines(buyer, "plan")} == {1000}


def test_anch_05(buyer: UUID) -> None:
    plan("anch-05", 1000)
    stand(buyer, "2025-01-31T15:00:00Z")
    buy(buyer, "anch-05")
    assert renew(buyer, "2025-09-30T14:59:59.999999Z") == 7
    assert of(buyer).current_period_end == at("2025-09-30T15:00:00Z")
    assert renew(buyer, "2025-09-30T15:00:00Z") == 1
    with transaction(buyer):
        now = subscriptions.current_period(of(buyer))
    assert now == Period(at("2025-09-30T15:00:00Z"), at("2025-10-31T15:00:00Z"))


def wish(tenant: UUID, day: int) -> None:
    with transaction(tenant):
        sellers.update_wishes(consolidate=False, billing_day=day)


def test_anch_08(buyer: UUID) -> None:
    plan("anch-08", 1000)
    stand(buyer, "2012-04-30")
    wish(buyer, 31)
    buy(buyer, "anch-08")
    (first,) = lines(buyer, "plan")
    assert (first.period_start, first.period_end, first.amount) == (at("2012-04-30"), at("2012-05-31"), 1000)


def test_pro_18(buyer: UUID) -> None:
    plan("pro-18", 3100, **DAILY)
    stand(buyer, "2011-02-01")
    wish(buyer, 13)
    buy(buyer, "pro-18")
    assert renew(buyer, "2011-02-13") == 1
    stub, full = lines(buyer, "plan")
    assert (stub.period_start, stub.period_end) == (at("2011-02-01"), at("2011-02-13"))
    assert stub.amount == 1200, "12/31: the divisor is 13 January to 13 February"
    assert (full.period_end, full.amount) == (at("2011-03-13"), 3100)


def test_anch_10(buyer: UUID) -> None:
    plan("anch-10", 1000, timing="arrears", prices={BillingPeriod.ANNUAL: Money(12000, "USD")})
    stand(buyer, "2024-01-31T01:00:00Z")
    buy(buyer, "anch-10", BillingPeriod.ANNUAL)
    runs = ("2024-02-29T23:00Z", "2024-03-31T23:00Z", "2024-04-30T23:00Z", "2025-01-31T01:00Z")
    assert [renew(buyer, run) for run in runs] == [0, 0, 0, 1]
    (line,) = lines(buyer, "plan")
    assert (line.period_start, line.period_end) == (at("2024-01-31T01:00Z"), at("2025-01-31T01:00Z"))
    assert line.amount == 12000


def test_anch_11(buyer: UUID) -> None:
    plan("anch-11", 700, alignment="calendar", overage={"USD": {"traffic_gb": "1.00"}}, **DAILY)
    stand(buyer, "2023-06-16")
    buy(buyer, "anch-11")
    renew(buyer, "2024-01-01")
    stand(buyer, "2024-01-20")
    with transaction(buyer):
        usage.record(usage.NewEvent("january", "traffic_gb"))
    assert renew(buyer, "2024-02-01") == 1
    last = bills(buyer)[-1]
    found = {line.kind: (line.period_start, line.period_end, line.amount) for line in last.lines}
    assert found == {
        "plan": (at("2024-02-01"), at("2024-03-01"), 700),
        "usage": (at("2024-01-01"), at("2024-02-01"), 100),
    }
    assert lines(buyer, "plan")[0].amount == 350, "15 of June's 30 days"
    books_are_right()


@pytest.mark.parametrize(
    ("zone", "when", "billed"),
    [
        pytest.param("America/Denver", "2023-06-16T05:00:00Z", 16, id="TZ-05"),
        pytest.param("America/Halifax", "2023-06-16T05:00:00Z", 15, id="TZ-06"),
        pytest.param("Europe/Paris", "2023-06-16T20:00:00Z", 15, id="TZ-07"),
    ],
)
def test_case_local_days_of_a_first_period(buyer: UUID, zone: str, when: str, billed: int) -> None:
    """The local date of the start decides how many days are billed: 100 cents a day of June."""
    plan("tz", 3000, alignment="calendar", **DAILY)
    stand(buyer, when, zone=zone)
    buy(buyer, "tz")
    (line,) = lines(buyer, "plan")
    assert line.period_start and line.period_end
    assert (days(Period(line.period_start, line.period_end), zone), line.amount) == (billed, billed * 100)
