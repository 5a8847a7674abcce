"""Cases MON-*, CHOM-06/07/08: allocation, rounding by currency, commissions and what refunds take of them."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction

import pytest

from chom_core.billing.rules.rounding import rounded
from chom_core.billing.rules.splits import OddUnit, allocate, reverse, split
from chom_core.values.money import Money
from tests.billing.cases.facts import usd

MON_02 = ["1.1818583143661"] * 7 + ["1.170126087450276"] + ["1.0"] * 4
PARTS = [61566, 61565, 61565, 61565, 61565, 61565, 61565, 60953, 52091, 52091, 52091, 52091]


@pytest.mark.parametrize(
    ("amount", "ratios", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (101, [1, 1, 1], [34, 34, 33]),
        (5, [3, 7], [2, 3]),
        (5, [7, 3], [4, 1]),
        (-5, [7, 3], [-3, -2]),
        (2, [1, 1, 1], [1, 1, 0]),
        (101, [3, 7], [30, 71]),
        (0, [0, 0, 1], [0, 0, 0]),
    ],
)
def test_mon_01(amount: int, ratios: list[int], parts: list[int]) -> None:
    assert [part.amount for part in allocate(Money(amount, "USD"), ratios)] == parts
    assert sum(part.amount for part in Money(amount, "USD").allocate(ratios)) == amount


@pytest.mark.parametrize("sign", [1, -1])
def test_mon_02(sign: int) -> None:
    """Who gets the odd cents is the caller's choice; they always sum, and by default none is a cent off."""
    amount, weights = Money(sign * 700273, "USD"), [D(weight) for weight in MON_02]
    carried = [part.amount for part in allocate(amount, weights, OddUnit.CARRIED)]
    assert carried == [sign * part for part in PARTS]
    largest = allocate(amount, weights)
    assert sum(part.amount for part in largest) == amount.amount
    share = [amount.amount * Fraction(weight) / sum(map(Fraction, weights)) for weight in weights]
    assert all(abs(part.amount - exact) < 1 for part, exact in zip(largest, share, strict=True))


def test_mon_05() -> None:
    assert str(rounded(D("1.23556789"), "USD").major) == "1.24"
    assert str(rounded(D("1.9556789"), "JPY").major) == "2"
    assert str(rounded(D("0.1"), "BHD").major) == "0.100"


def test_wal_07() -> None:
    assert rounded(D("4.39999"), "JPY") == Money(4, "JPY")


def test_halves_go_away_from_zero() -> None:
    assert [rounded(D(text), "USD").amount for text in ("0.005", "-0.005", "0.0049", "-0.0049")] == [
        1,
        -1,
        0,
        0,
    ]


def test_chom_06() -> None:
    parts = split(usd("19.99"), {"platform": D("17.5")}, "vendor")
    assert parts == {"platform": usd("3.50"), "vendor": usd("16.49")}


def test_chom_07() -> None:
    parts = split(usd("19.99"), {"vendor": D(80), "reseller": D("6.67")}, "platform")
    assert parts == {"vendor": usd("15.99"), "reseller": usd("1.33"), "platform": usd("2.67")}


def test_chom_08() -> None:
    earned = {"platform": Money(350, "USD"), "vendor": Money(1649, "USD")}
    taken = {party: Money.zero("USD") for party in earned}
    back: dict[str, list[int]] = {party: [] for party in earned}
    for refund in (999, 1000):
        now = reverse(Money(1999, "USD"), earned, taken, Money(refund, "USD"))
        for party, part in now.items():
            back[party].append(part.amount)
            taken[party] += part
    assert back == {"platform": [175, 175], "vendor": [824, 825]}
    assert taken == earned
    with pytest.raises(ValueError, match="no more than is left"):
        reverse(Money(1999, "USD"), earned, taken, Money(1, "USD"))


def test_shares_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="100 at most"):
        split(usd("10"), {"a": D(60), "b": D(50)}, "c")
    with pytest.raises(ValueError, match="exact number"):
        allocate(usd("1"), [0.5, 0.5])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="can be billed"):
        rounded(D("NaN"), "USD")
