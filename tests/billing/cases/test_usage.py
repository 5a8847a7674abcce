"""Cases USE-*, CHOM-02/04/11/13, EVT-05: what use costs, whole and in parts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from chom_core.billing.rules.metering import Aggregation, Event, aggregate, timely
from chom_core.billing.rules.pricing import (
    Billed,
    Model,
    Tariff,
    Tier,
    per_unit,
    plan_cost,
    price,
    rate,
    steps,
)
from chom_core.billing.rules.thresholds import alerts, close, exhausted, interim_due
from chom_core.values.money import Money
from tests.billing.cases.facts import span, usd, utc

USE_01 = Tariff(
    Model.GRADUATED, (Tier(D(10), D("10"), D("2")), Tier(D(20), D("5"), D("3")), Tier(None, D("5"), D("3")))
)
USE_02 = Tariff(
    Model.VOLUME, (Tier(D(100), D("2"), D("10")), Tier(D(200), D("1"), D("0")), Tier(None, D("0.5"), D("50")))
)
USE_04 = Tariff(
    Model.GRADUATED,
    (Tier(D(5), flat=D(100)), Tier(D(10), flat=D(50)), Tier(D(15), unit=D(5)), Tier(None, unit=D(1))),
)


@pytest.mark.parametrize(("units", "amount"), [(0, 2), (1, 12), (10, 102), (11, 110), (12, 115), (21, 163)])
def test_use_01(units: int, amount: int) -> None:
    assert price(USE_01, D(units), "EUR") == Money.of(amount, "EUR")


@pytest.mark.parametrize(
    ("units", "amount"),
    [
        ("0", "10"),
        ("1", "12"),
        ("100", "210"),
        ("100.5", "100.5"),
        ("101", "101"),
        ("200", "200"),
        ("300", "200"),
    ],
)
def test_use_02(units: str, amount: str) -> None:
    assert price(USE_02, D(units), "EUR") == Money.of(amount, "EUR")


def test_use_04() -> None:
    assert [step.amount for step in steps(USE_04, D(22))] == [D(100), D(50), D(25), D(7)]
    assert rate(USE_04, D(22), "USD").amount == usd("182")


def test_use_05() -> None:
    found = rate(USE_04, D(12 + 10), "USD", Billed(D(12)))
    assert [(step.units, step.unit, step.amount) for step in found.steps] == [(3, 5, 15), (7, 1, 7)]
    assert found.amount == usd("22")


def test_use_08() -> None:
    tariff = per_unit(D("0.067"))
    assert rate(tariff, D(55), "USD").amount == usd("3.69")
    assert not rate(tariff, D(55), "USD", Billed(amount=usd("3.69"))).amount
    assert not rate(tariff, D(55), "USD", Billed(D(55), usd("3.69"))).amount


def test_use_10() -> None:
    tariff = Tariff(Model.PER_UNIT, (Tier(unit=D(10)),), maximum=usd("100"))
    found = rate(tariff, D(7 + 5), "USD", Billed(D(7), usd("70")))
    assert (found.gross, found.cap_discount, found.amount) == (usd("50"), usd("20"), usd("30"))
    beyond = rate(tariff, D(20), "USD", Billed(D(12), usd("100")))
    assert (beyond.gross, beyond.cap_discount, beyond.amount) == (usd("80"), usd("80"), usd("0"))


def test_use_12() -> None:
    tariff = Tariff(Model.PER_UNIT, (Tier(unit=D(10)),), minimum=usd("100"))
    assert not rate(tariff, D(0), "USD", last=False).amount
    found = rate(tariff, D(0), "USD", Billed(D(0), usd("0")), last=True)
    assert (found.amount, found.minimum_top_up) == (usd("100"), usd("100"))
    part = rate(tariff, D(8), "USD", Billed(D(7), usd("70")), last=True)
    assert (part.amount, part.gross, part.minimum_top_up) == (usd("30"), usd("10"), usd("20"))


def test_use_15() -> None:
    tariff = Tariff(Model.PACKAGE, (Tier(unit=D(15)),), package_size=D(10))
    found = rate(tariff, D(22), "USD", Billed(D(17)))
    assert [step.units for step in found.steps] == [1]
    assert found.amount == usd("15")


def test_use_16() -> None:
    tariff, limit = per_unit(D("0.0002")), [Money(20000, "EUR")]
    day_5 = rate(tariff, D(1_000_000), "EUR", last=False).amount
    assert interim_due(Money.zero("EUR"), day_5, limit)
    assert day_5 == Money(20000, "EUR")
    day_15 = price(tariff, D(2_000_000), "EUR")
    assert not interim_due(day_5, day_15, limit), "each limit makes one interim invoice"
    last = close(Money(3100, "EUR") + day_15, [day_5])
    assert (last.fees.amount, last.credit.amount, last.total.amount) == (43100, 20000, 23100)


def test_use_18() -> None:
    first, second = span("2024-01-01", "2024-02-01"), span("2024-02-01", "2024-03-01")
    events = [Event(f"a{n}", first.start + timedelta(days=n), D(-1)) for n in range(3)]
    events += [Event(f"b{n}", second.start + timedelta(days=n), D(1)) for n in range(4)]
    assert aggregate(Aggregation.LEVEL, events, first) == -3
    assert aggregate(Aggregation.LEVEL, events, second) == 1
    late = [*events, Event("late", first.start + timedelta(days=9), D(1))]
    assert aggregate(Aggregation.LEVEL, late, second) == D("2.0")


STARTER = {
    "sites": per_unit(D("5.00"), 5),
    "storage": per_unit(D("0.10"), 10),
    "traffic": per_unit(D("0.05"), 100),
}
PRO = {
    "sites": per_unit(D("4.00"), 25),
    "storage": per_unit(D("0.08"), 50),
    "traffic": per_unit(D("0.04"), 500),
}


def test_chom_02() -> None:
    usage = {"sites": D(7), "storage": D("12.5"), "traffic": D(140)}
    lines = [rate(STARTER[meter], units, "USD").amount for meter, units in usage.items()]
    assert lines == [usd("10.00"), usd("0.25"), usd("2.00")]
    assert plan_cost(usd("29.00"), STARTER, usage) == usd("41.25")


def test_chom_04() -> None:
    usage = {"sites": D(16), "storage": D(10), "traffic": D(100)}
    starter, pro = plan_cost(usd("29.00"), STARTER, usage), plan_cost(usd("79.00"), PRO, usage)
    assert (starter, pro, starter - pro) == (usd("84.00"), usd("79.00"), usd("5.00"))


def test_chom_11() -> None:
    cap, fired, seen, suspended = usd("100.00"), list[D](), [], []
    for spent in ("49.99", "50.00", "92.00", "100.00", "100.00"):
        now = alerts(usd(spent), cap, [50, 75, 90, 100], fired)
        fired.extend(now)
        seen.append(list(now))
        suspended.append(exhausted(usd(spent), cap))
    assert seen == [[], [50], [75, 90], [100], []]
    assert suspended == [False, False, False, True, True]


def test_chom_13() -> None:
    assert plan_cost(usd("249.00"), {"seats": per_unit(D("15.00"))}, {"seats": D(30)}) == usd("699.00")


def test_evt_05() -> None:
    now = utc("2026-11-22T12:00:00Z")
    dated = [timedelta(days=-36), timedelta(days=-34), timedelta(minutes=4), timedelta(minutes=6)]
    assert [timely(now + by, now) for by in dated] == [False, True, True, False]
