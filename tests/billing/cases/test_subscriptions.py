"""Cases of subscriptions through the real verbs: proration, trials, zones, changes, coupons, one bill a period."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from chom_core.billing.rules.rounding import scaled
from chom_core.billing.service import usage
from chom_core.billing.service.changes import changing, ending
from chom_core.billing.service.changes.reckoning import Wanted
from chom_core.billing.service.offers import coupons, discounts
from chom_core.billing.service.subscribing import renewal, subscriptions
from chom_core.database import PLATFORM_ID, transaction
from chom_core.values import BillingPeriod, Money
from tests.billing import plans
from tests.billing.plans import at, bills, buy, lines, notes, of, plan, renew, stand, upgrade
from tests.billing.shop import books_are_right

DAILY = {"proration": "day"}


def with_tax(cents: int, percent: str) -> int:
    return scaled(Money(cents, "USD"), 1 + Decimal(percent) / 100).amount


@pytest.mark.parametrize(
    ("alignment", "fees", "credits"),
    [
        pytest.param("calendar", [871, 968, 1226], [806, 1210], id="PRO-02"),
        pytest.param("anniversary", [1000, 1161, 1471], [968, 1451], id="PRO-03"),
    ],
)
def test_case_two_upgrades_of_one_day(
    buyer: UUID, monkeypatch: pytest.MonkeyPatch, alignment: str, fees: list[int], credits: list[int]
) -> None:
    plans.taxed(monkeypatch, "25")
    for code, cents in (("small", 1000), ("middle", 1500), ("large", 1900)):
        plan(code, cents, alignment=alignment, **DAILY)
    stand(buyer, "2024-03-05T12:12")
    buy(buyer, "small")
    for when, code in (("2024-03-12T12:12Z", "middle"), ("2024-03-12T13:12Z", "large")):
        stand(buyer, when)
        assert upgrade(buyer, code).state == "done"
    assert [line.amount for line in lines(buyer, "plan")] == fees
    given = [-line.amount for line in lines(buyer, "credit")]
    assert [with_tax(cents, "25") for cents in given] == credits
    assert [row.status for row in bills(buyer)] == ["paid"] * 3
    books_are_right()


def test_pro_04(buyer: UUID) -> None:
    plan("month", 1000, **DAILY)
    plan("year", 90000, prices={BillingPeriod.ANNUAL: Money(12000, "USD")}, **DAILY)
    stand(buyer, "2023-06-29T12:12Z")
    buy(buyer, "month")
    assert [renew(buyer, f"2023-{month}-29T12:12Z") for month in ("07", "08")] == [1, 1]
    stand(buyer, "2023-09-28T05:00Z")
    assert upgrade(buyer, "year", period=BillingPeriod.ANNUAL, when="now").state == "done"
    assert [(line.kind, line.amount) for line in bills(buyer)[-1].lines if line.kind != "discount"][:1] == [
        ("plan", 9016)
    ]
    assert [line.amount for line in lines(buyer, "credit")] == [-32]
    charged = lines(buyer, "plan")[-1]
    assert charged.period_end == at("2024-06-29T12:12Z")
    assert charged.period_start is not None
    assert (charged.period_end.date() - charged.period_start.date()).days == 275
    books_are_right()


def test_pro_06(buyer: UUID) -> None:
    plan("month", 12900, **DAILY)
    plan("year", 99999, prices={BillingPeriod.ANNUAL: Money(118800, "USD")}, **DAILY)
    stand(buyer, "2023-07-19T00:00Z")
    buy(buyer, "month")
    for month in ("08", "09", "10"):
        assert renew(buyer, f"2023-{month}-19T00:00Z") == 1
    stand(buyer, "2023-11-09T10:00Z")
    before = len(bills(buyer))
    assert upgrade(buyer, "year", period=BillingPeriod.ANNUAL).state == "scheduled"
    assert (len(bills(buyer)), of(buyer).items[0].plan_code, notes(buyer)) == (before, "month", [])
    assert renew(buyer, "2023-11-19T00:00Z") == 1
    new = lines(buyer, "plan")[-1]
    assert (new.plan_code, new.amount) == ("year", 78875)
    assert (new.period_start, new.period_end) == (at("2023-11-19"), at("2024-07-19"))
    assert lines(buyer, "credit") == []
    books_are_right()


def test_pro_14(buyer: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    plans.taxed(monkeypatch, "20")
    plan("p", 5000, **DAILY)
    stand(buyer, "2023-02-08T09:00Z")
    buy(buyer, "p")
    assert [row.total for row in bills(buyer)] == [6000]
    with transaction(buyer):
        assert ending.cancel_now(of(buyer).id, reason="Too dear") == Money(5785, "USD")
    (note,) = notes(buyer)
    assert (note.subtotal, note.tax, note.total) == (4821, 964, 5785)
    books_are_right()


def test_pro_11_through_the_verbs(buyer: UUID) -> None:
    plan("p", 1000, **DAILY)
    stand(buyer, "2014-06-20T00:00Z")
    buy(buyer, "p")
    with transaction(buyer):
        ending.change_billing_day(of(buyer).id, 17)
    assert renew(buyer, "2014-07-17T00:00Z") == 0
    assert renew(buyer, "2014-07-20T00:00Z") == 1
    new = lines(buyer, "plan")[-1]
    assert (new.period_start, new.period_end, new.amount) == (at("2014-07-20"), at("2014-08-17"), 903)
    assert renew(buyer, "2014-08-17T00:00Z") == 1
    assert lines(buyer, "plan")[-1].amount == 1000
    books_are_right()


def use(tenant: UUID, name: str, when: str) -> None:
    """One gigabyte of traffic."""
    stand(tenant, when)
    with transaction(tenant):
        assert not usage.record(usage.NewEvent(name, "traffic_gb")).unmatched


def test_tri_02(buyer: UUID) -> None:
    per_unit = {"alignment": "calendar", "usage_on_change": "close", **DAILY}
    plan("small", 5000000, trial_days=10, overage={"USD": {"traffic_gb": "10.00"}}, **per_unit)
    plan("large", 10000000, trial_days=13, overage={"USD": {"traffic_gb": "12.00"}}, **per_unit)
    stand(buyer, "2024-03-05T12:12Z")
    buy(buyer, "small")
    assert of(buyer).status == "trialing"
    use(buyer, "a", "2024-03-08T12:00Z")
    stand(buyer, "2024-03-10T12:12Z")
    assert upgrade(buyer, "large").state == "done"
    assert [line.amount for line in lines(buyer, "usage")] == [1000]
    use(buyer, "b", "2024-03-11T12:00Z")
    assert renew(buyer, "2024-03-15T13:00Z") == 0
    assert renew(buyer, "2024-03-18T13:00Z") == 1
    assert [line.amount for line in lines(buyer, "plan")] == [4516129]
    assert renew(buyer, "2024-04-01T00:00Z") == 1
    assert [line.amount for line in lines(buyer, "plan")] == [4516129, 10000000]
    assert [line.amount for line in lines(buyer, "usage")] == [1000, 1200]
    books_are_right()


def test_tri_03(buyer: UUID) -> None:
    plan("p", 3500, alignment="calendar", trial_days=7, **DAILY)
    stand(buyer, "2024-03-04T21:00Z")
    buy(buyer, "p")
    assert renew(buyer, "2024-03-11T22:00Z") == 1
    assert [row.total for row in bills(buyer)] == [0, 2371]
    stand(buyer, "2024-03-11T23:00Z")
    with transaction(buyer):
        ending.cancel_now(of(buyer).id)
    assert [note.total for note in notes(buyer)] == [2371]
    stand(buyer, "2024-03-11T23:05Z")
    buy(buyer, "p")
    assert [row.total for row in bills(buyer)] == [0, 2371, 2371]
    assert of(buyer).trial_ends_at is None
    books_are_right()


def test_tz_01(buyer: UUID) -> None:
    plan("p", 24995, trial_days=30)
    stand(buyer, "2015-09-01T08:01:01Z", zone="America/Juneau")
    buy(buyer, "p")
    seen = []
    for _ in range(19):
        due = of(buyer).current_period_end
        assert renew(buyer, due - timedelta(seconds=1)) == 0
        assert renew(buyer, due) == 1
        seen.append(lines(buyer, "plan")[-1])
    assert {line.amount for line in seen} == {24995}
    assert len(lines(buyer, "plan")) == 19
    for before, after in pairwise(seen):
        assert before.period_end == after.period_start
    days = [line.period_start.astimezone(ZoneInfo("America/Juneau")) for line in seen if line.period_start]
    assert {(day.day, day.hour, day.minute) for day in days} == {(1, 0, 1)}
    assert days[0].month == 10
    books_are_right()


def test_tz_04(buyer: UUID) -> None:
    plan("p", 1000)
    stand(buyer, "2015-11-01T07:01:01Z", zone="America/Los_Angeles")
    buy(buyer, "p")
    with transaction(buyer):
        ending.cancel_on(of(buyer).id, date(2015, 12, 1))
    assert renew(buyer, "2015-12-01T07:01:02Z") == 0
    assert of(buyer).status == "active"
    assert renew(buyer, "2015-12-01T08:01:02Z") == 0
    assert (len(bills(buyer)), notes(buyer), lines(buyer, "credit")) == (1, [], [])
    with transaction(buyer):
        assert subscriptions.live() == []


def test_tz_10(buyer: UUID) -> None:
    price = {"USD": {"traffic_gb": "10.00"}}
    plan("p", 5000000, alignment="calendar", trial_days=10, overage=price, **DAILY)
    stand(buyer, "2024-03-22T01:12Z", zone="Europe/Paris")
    buy(buyer, "p")
    use(buyer, "a", "2024-03-23T10:00Z")
    made = renew(buyer, "2024-03-31T22:01Z") + renew(buyer, "2024-04-01T13:11Z") + renew(buyer)
    assert made == 1
    assert [line.amount for line in bills(buyer)[-1].lines] == [1000, 5000000]
    books_are_right()


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_inv_02(buyer: UUID, zone: str) -> None:
    plan("p", 1000)
    stand(buyer, "2024-01-31T11:30Z", zone=zone)
    buy(buyer, "p")
    stand(buyer, of(buyer).current_period_end)

    def run(_: int) -> int:
        with transaction(buyer):
            return renewal.renew_due()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(4))) == 1
    assert renew(buyer) == 0
    assert len(bills(buyer)) == 2
    books_are_right()


def test_anch_07(buyer: UUID) -> None:
    plan("p", 1000)
    stand(buyer, "2017-01-31")
    buy(buyer, "p")
    for day in ("2017-02-28", "2017-03-31"):
        assert renew(buyer, at(day) - timedelta(seconds=1)) == 0
        assert renew(buyer, day) == 1
    paid = lines(buyer, "plan")
    assert [f"{line.period_start:%Y-%m-%d}" for line in paid] == ["2017-01-31", "2017-02-28", "2017-03-31"]
    assert {line.amount for line in paid} == {1000}
    assert of(buyer).current_period_end == at("2017-04-30")


@pytest.mark.parametrize("cancelled", [True, False], ids=["cancelled", "run"])
def test_chom_14(buyer: UUID, cancelled: bool) -> None:
    stand(buyer, "2026-12-10")
    buy(buyer, "starter")
    assert of(buyer).current_period_end == at("2027-01-10")
    with transaction(buyer):
        waiting = changing.schedule_change(of(buyer).id, Wanted("plan", plan_code="pro"), at("2026-12-25"))
    if cancelled:
        stand(buyer, "2026-12-24T23:00Z")
        with transaction(buyer):
            changing.cancel_change(waiting.id)
    renew(buyer, "2026-12-25T00:00Z")
    renew(buyer, "2026-12-25T03:00Z")
    changed = [line.amount for line in lines(buyer, "credit", "plan")[1:]]
    assert changed == ([] if cancelled else [4077, -1497])
    assert of(buyer).items[0].plan_code == ("starter" if cancelled else "pro")
    books_are_right()


def test_chom_10(buyer: UUID) -> None:
    with transaction(PLATFORM_ID):
        made = coupons.make("Referee", percent=Decimal(25), duration=coupons.Duration.REPEATING, repeats=3)
        coupons.add_code(made.id, "friend")
    buy(buyer, "starter", promo=" Friend ")
    for _ in range(3):
        assert renew(buyer, of(buyer).current_period_end) == 1
    assert [row.total for row in bills(buyer)] == [2175, 2175, 2175, 2900]
    assert [line.amount for line in lines(buyer, "discount")] == [-725] * 3
    books_are_right()


def test_cpn_02(buyer: UUID) -> None:
    plan("tiny", 6)
    plan("big", 300)
    with transaction(PLATFORM_ID):
        made = coupons.make("Twelve", amount=Money(12, "USD"), duration=coupons.Duration.ONCE)
    with transaction(buyer):
        coupons.grant(made.id)
    buy(buyer, "tiny")
    assert [row.total for row in bills(buyer)] == [0]
    with transaction(buyer):
        (one,) = discounts.redeemed()
        assert discounts.left_of(one).active
        changing.schedule_change(of(buyer).id, Wanted("plan", plan_code="big"))
    assert renew(buyer, of(buyer).current_period_end) == 1
    assert [line.amount for line in lines(buyer, "discount")] == [-6, -6]
    assert bills(buyer)[-1].total == 294
    with transaction(buyer):
        assert not discounts.left_of(discounts.redeemed()[0]).active
    books_are_right()
