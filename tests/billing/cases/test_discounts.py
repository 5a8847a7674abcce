"""Cases CPN-* and CHOM-10: what coupons take off, from which lines, and the tax after them."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from chom_core.billing.rules.coupons import Coupon, Duration, Item, discount, left_of
from chom_core.billing.rules.taxes import Taxable, taxes
from chom_core.values.money import Money
from tests.billing.cases.facts import eur, usd


def fixed(key: str, cents: int, *only: str) -> Coupon:
    return Coupon(key, amount=eur(cents), only=frozenset(only))


def percent(key: str, off: str) -> Coupon:
    return Coupon(key, percent=D(off))


def test_cpn_02() -> None:
    used: list[Money] = []
    active = []
    for total in (6, 300):
        left = left_of(Duration.ONCE, used, amount=eur(12))
        found = discount("EUR", [Item(eur(total))], [Coupon("c", amount=left.amount)])
        assert sum(found.left) >= 0
        used.append(found.total)
        active.append(left_of(Duration.ONCE, used, amount=eur(12)).active)
    assert (used, active) == ([eur(6), eur(6)], [True, False])


def test_cpn_03() -> None:
    found = discount("EUR", [Item(eur(200)), Item(eur(100))], [percent("c", "20")])
    assert (found.total, found.per_line) == (eur(60), (40, 20))
    assert not left_of(Duration.ONCE, [found.total]).active


@pytest.mark.parametrize(
    ("coupons", "off"),
    [
        ([fixed("a", 10), percent("b", "20")], 28),
        ([percent("a", "15"), percent("b", "20")], 32),
        ([fixed("a", 10), fixed("b", 20)], 30),
    ],
    ids="ABC",
)
def test_cpn_05(coupons: list[Coupon], off: int) -> None:
    found = discount("EUR", [Item(eur(100))], coupons)
    assert (found.total.amount, sum(found.left)) == (off, 100 - off)


def test_cpn_07() -> None:
    found = discount("EUR", [Item(eur(10000))], [fixed("a", 1000), fixed("b", 11000)])
    assert found.total == eur(10000)
    assert taxes("EUR", [Taxable(found.left[0], D(10))]).tax == eur(0)


def test_cpn_08() -> None:
    lines = [(1000, 10), (2000, 20), (3000, 10), (4000, 10)] * 2
    items = [Item(eur(net), frozenset({f"bm{n}"})) for n, (net, _) in enumerate(lines, 1)]
    coupons = [
        fixed("all", 500),  # applied first, and yet after those with a scope
        fixed("a", 2000, "bm1", "bm2"),
        fixed("b", 1000, "bm5", "bm6", "bm7", "bm8"),
    ]
    found = discount("EUR", items, coupons)
    assert [one.coupon for one in found.applied] == ["a", "b", "all"]
    expected = [
        "676.47059",
        "1352.94117",
        "88.23529",
        "117.64706",
        "126.47059",
        "252.94118",
        "379.41176",
        "505.88235",
    ]
    # the source gives each third coupon's share cut to five places before it adds: one in the last place
    assert all(
        abs(off - D(want)) < D("0.00001")
        for off, want in zip(_decimals(found.per_line), expected, strict=True)
    )
    found_tax = taxes(
        "EUR", [Taxable(net, D(rate)) for net, (_, rate) in zip(found.left, lines, strict=True)]
    )
    assert [tax.amount for tax in found_tax.per_line] == [32, 129, 291, 388, 87, 349, 262, 349]
    subtotal = sum(net for net, _ in lines) - found.total.amount
    assert (found.total.amount, subtotal, found_tax.tax.amount) == (3500, 16500, 1889)
    assert subtotal + found_tax.tax.amount == 18389
    assert sum(part.amount for part in found_tax.parts) == 1889, "shares of the invoice's tax sum to it"
    assert sum(row.tax.amount for row in found_tax.by_rate) == 1889
    assert sum(row.base.amount for row in found_tax.by_rate) == 16500


def _decimals(parts: tuple[object, ...]) -> list[D]:
    return [D(part.numerator) / D(part.denominator) for part in parts]  # type: ignore[attr-defined]


def test_chom_10() -> None:
    used, totals = list[Money](), []
    for _ in range(4):
        left = left_of(Duration.REPEATING, [off for off in used if off], repeats=3)
        found = discount("USD", [Item(usd("29.00"))], [percent("referee", "25")] if left.active else [])
        used.append(found.total)
        totals.append(usd("29.00") - found.total)
    assert used == [usd("7.25"), usd("7.25"), usd("7.25"), usd("0.00")]
    assert totals == [usd("21.75"), usd("21.75"), usd("21.75"), usd("29.00")]


def test_a_coupon_that_does_not_stack_is_used_alone_where_it_is_worth_more() -> None:
    alone = Coupon("alone", percent=D(50), stacks=False)
    both = [alone, percent("ten", "10")]
    assert [one.coupon for one in discount("EUR", [Item(eur(100))], both).applied] == ["alone"]
    better = [alone, percent("sixty", "60"), fixed("five", 5)]
    assert discount("EUR", [Item(eur(100))], better).total == eur(65)
