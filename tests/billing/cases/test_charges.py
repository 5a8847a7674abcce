"""Cases USE-*, CHOM-02, CHOM-04: what use costs, by recording events, by the estimate, by interim and last invoices.

EVT-* are in tests/billing/usage/test_recording (the verbs of recording), CHOM-11 in the budgets plugin, CHOM-13 in
tests/billing/payouts/test_wholesale. Each plan is paid afterwards, so that one invoice carries the month and its use.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D
from typing import Any
from uuid import UUID

import pytest

from chom_core.billing.reads.usage_plans import plan_costs
from chom_core.billing.service import usage
from chom_core.billing.service.offers import catalogue, limits, versions
from chom_core.billing.service.usage import invoices
from chom_core.billing.service.usage.rating import UsageLine
from chom_core.database import PLATFORM_ID, transaction
from chom_core.values import Money, uuid7
from tests.billing.plans import at, bills, buy, lines, of, plan, renew, stand
from tests.billing.shop import books_are_right
from tests.billing.usage import scene
from tests.conftest import Database, make_tenant

FROM, DAY_5, DAY_15, END = "2024-01-01", "2024-01-05T12:00Z", "2024-01-15T12:00Z", "2024-02-01"
USE_04 = [
    {"up_to": "5", "flat": "100"}, {"up_to": "10", "flat": "50"}, {"up_to": "15", "unit": "5"},
    {"up_to": None, "unit": "1"},
]  # fmt: skip


@pytest.fixture
def buyer(street: Database) -> UUID:
    return make_tenant("Northlight")


def sold(tenant: UUID, code: str, tiers: Any, *, limit: int = 0, cents: int = 0, **more: Any) -> None:
    """The tenant holds a plan with this price of traffic since FROM. `limit`: cents at which use is billed early."""
    plan(code, cents, timing="arrears")
    with transaction(PLATFORM_ID):
        row = catalogue.plan(code)
        one = versions.per_unit(tiers) if isinstance(tiers, str) else tiers
        versions.set_usage_price(row, more.pop("meter", "traffic_gb"), "USD", one, **more)
        limits.set_limits(row, "USD", [Money(limit, "USD")] if limit else [])
    stand(tenant, FROM)
    buy(tenant, code)
    stand(tenant, "2024-01-02")


def use(tenant: UUID, units: str | int, meter: str = "traffic_gb", **more: Any) -> None:
    with transaction(tenant):
        assert usage.record(usage.NewEvent(uuid7().hex, meter, D(units), **more)).accepted == 1


def so_far(tenant: UUID) -> UsageLine:
    with transaction(tenant):
        (line,) = usage.estimate(of(tenant))
        return line


def billed_early(tenant: UUID) -> int:
    with transaction(tenant):
        return invoices.bill_reached()


def growing(tenant: UUID, *units: str | int) -> Iterator[Money]:
    """What the month costs when it has used each of `units`, rising."""
    before = D(0)
    for count in units:
        if D(count) > before:
            use(tenant, str(D(count) - before))
        before = D(count)
        yield so_far(tenant).fees


def test_use_01(buyer: UUID) -> None:
    tiers = [
        {"up_to": "10", "unit": "10", "flat": "2"}, {"up_to": "20", "unit": "5", "flat": "3"},
        {"up_to": None, "unit": "5", "flat": "3"},
    ]  # fmt: skip
    sold(buyer, "use-01", tiers, model="graduated")
    found = [money.amount // 100 for money in growing(buyer, 0, 1, 10, 11, 12, 21)]
    assert found == [2, 12, 102, 110, 115, 163]
    assert renew(buyer, END) == 1
    assert [line.amount for line in lines(buyer, "usage")] == [16300]
    books_are_right()


def test_use_02(buyer: UUID) -> None:
    tiers = [
        {"up_to": "100", "unit": "2", "flat": "10"}, {"up_to": "200", "unit": "1", "flat": "0"},
        {"up_to": None, "unit": "0.5", "flat": "50"},
    ]  # fmt: skip
    sold(buyer, "use-02", tiers, model="volume")
    found = [str(money.major) for money in growing(buyer, 0, 1, 100, "100.5", 101, 200, 300)]
    assert found == ["10.00", "12.00", "210.00", "100.50", "101.00", "200.00", "200.00"]


def test_use_04(buyer: UUID) -> None:
    sold(buyer, "use-04", USE_04, model="graduated")
    use(buyer, 22)
    assert [step.amount for step in so_far(buyer).rated.steps] == [100, 50, 25, 7]
    assert renew(buyer, END) == 1
    assert [line.amount for line in lines(buyer, "usage")] == [18200]


def test_use_05(buyer: UUID) -> None:
    sold(buyer, "use-05", USE_04, model="graduated", limit=16000)
    use(buyer, 12)
    assert billed_early(buyer) == 1
    use(buyer, 10)
    assert renew(buyer, END) == 1
    first, rest = lines(buyer, "usage")
    assert (first.amount, rest.amount) == (16000, 2200)
    steps = [(D(step["units"]), D(step["unit"]), D(step["flat"])) for step in rest.details["steps"]]
    assert steps == [(3, 5, 0), (7, 1, 0)]


def test_use_08(buyer: UUID) -> None:
    sold(buyer, "use-08", "0.067", limit=369)
    use(buyer, 55)
    assert [billed_early(buyer), billed_early(buyer)] == [1, 0]
    renew(buyer, END)
    renew(buyer)
    assert [line.amount for line in lines(buyer, "usage")] == [369]


def test_use_10(buyer: UUID) -> None:
    sold(buyer, "use-10", "10", maximum=Money(10000, "USD"), limit=7000)
    use(buyer, 7)
    assert billed_early(buyer) == 1
    use(buyer, 5)
    rated = so_far(buyer).rated
    assert [one.amount for one in (rated.gross, rated.cap_discount, rated.amount)] == [5000, 2000, 3000]
    use(buyer, 8)
    assert renew(buyer, END) == 1
    assert [line.amount for line in lines(buyer, "usage")] == [7000, 3000]


def test_use_12(buyer: UUID) -> None:
    sold(buyer, "use-12", "10", minimum=Money(10000, "USD"), limit=1)
    stand(buyer, DAY_15)
    assert (so_far(buyer).amount.amount, billed_early(buyer)) == (0, 0)
    assert renew(buyer, END) == 1
    assert [line.amount for line in lines(buyer, "usage")] == [10000]


def test_use_15(buyer: UUID) -> None:
    sold(buyer, "use-15", "15", model="package", package_size=D(10), limit=3000)
    use(buyer, 17)
    assert billed_early(buyer) == 1
    use(buyer, 5)
    line = so_far(buyer)
    assert ([step.units for step in line.rated.steps], line.amount.amount) == ([1], 1500)
    assert renew(buyer, END) == 1
    assert [line.amount for line in lines(buyer, "usage")] == [3000, 1500]


def test_use_16(buyer: UUID) -> None:
    sold(buyer, "use-16", "0.0002", cents=3100, limit=20000)
    for day, made in ((DAY_5, 1), (DAY_15, 0)):
        stand(buyer, day)
        use(buyer, 1_000_000)
        assert [billed_early(buyer), billed_early(buyer)] == [made, 0]
    assert renew(buyer, END) == 1
    assert [row.total for row in bills(buyer) if row.total] == [20000, 23100]
    base, rest = bills(buyer)[-1].lines
    assert (base.amount + rest.details["fees"], rest.details["billed"]) == (43100, 20000)
    books_are_right()


def test_use_18(buyer: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was invoiced stays; the next month's level has the late change in it."""
    scene.kinds(monkeypatch)
    sold(buyer, "use-18", "1.00", meter="t.level")
    for _ in range(3):
        use(buyer, -1, "t.level")
    assert renew(buyer, END) == 1
    stand(buyer, "2024-02-05")
    for _ in range(4):
        use(buyer, 1, "t.level")
    use(buyer, 1, "t.level", at=at(DAY_15))
    with transaction(buyer):
        first, now = sorted(usage.estimate(of(buyer)), key=lambda line: line.month.start)
    assert (first.late, first.amount.amount, now.use.quantity) == (True, 0, D("2.0"))
    assert lines(buyer, "usage") == []


def test_chom_02(buyer: UUID) -> None:
    stand(buyer, FROM)
    buy(buyer, "starter")
    for meter, units in (("sites", "7"), ("storage_gb", "12.5"), ("traffic_gb", "140")):
        use(buyer, units, meter, at=at(FROM))
    assert renew(buyer, END) == 1
    assert [line.amount for line in bills(buyer)[-1].lines] == [1000, 25, 200, 2900]
    assert bills(buyer)[-1].total == 4125
    books_are_right()


def test_chom_04(buyer: UUID) -> None:
    stand(buyer, FROM)
    buy(buyer, "starter")
    for meter, units in (("sites", "16"), ("storage_gb", "10"), ("traffic_gb", "100")):
        use(buyer, units, meter, at=at(FROM))
    stand(buyer, DAY_5)
    with transaction(buyer):
        costs = {one.code: one for one in plan_costs()}
    assert (costs["starter"].total.amount, costs["pro"].total.amount) == (8400, 7900)
    assert costs["pro"].saves == Money(500, "USD")
