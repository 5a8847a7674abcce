"""Money: nothing is lost, nothing mixes, and it rounds once, half up, at the currency's own exponent."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from babel.numbers import get_currency_symbol, parse_decimal
from hypothesis import assume, given
from hypothesis import strategies as st

from chom_core.values import BillingPeriod, Money
from chom_core.values.money import exponent

CURRENCIES = {"JPY": 0, "USD": 2, "EUR": 2, "KWD": 3}
#: What a bigint column holds: the ledger's own bounds.
AMOUNTS = st.integers(-(2**63), 2**63 - 1) | st.integers(-1000, 1000)
CODES = st.sampled_from(sorted(CURRENCIES))
MONEY = st.builds(Money, AMOUNTS, CODES)
RATES = st.decimals(-1000, 1000, allow_nan=False, allow_infinity=False, places=6)
WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any)


@given(CODES, AMOUNTS, AMOUNTS, AMOUNTS, st.integers(-1000, 1000))
def test_it_is_a_group_and_counts_multiply(code: str, x: int, y: int, z: int, count: int) -> None:
    a, b, c = Money(x, code), Money(y, code), Money(z, code)
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Money.zero(code) == a
    assert a + -a == Money.zero(code)
    assert a - b == a + (-b) == Money(x - y, code)
    assert a * count + a == a * (count + 1)
    assert bool(a) == (x != 0)


@given(CODES, AMOUNTS, AMOUNTS)
def test_it_is_ordered_as_its_amounts(code: str, x: int, y: int) -> None:
    a, b = Money(x, code), Money(y, code)
    assert (a < b, a <= b, a > b, a >= b, a == b) == (x < y, x <= y, x > y, x >= y, x == y)


@given(MONEY, MONEY)
def test_two_currencies_never_mix(a: Money, b: Money) -> None:
    assume(a.currency != b.currency)
    assert a != b
    for mix in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__):
        with pytest.raises(ValueError, match="do not mix"):
            mix(a, b)
    with pytest.raises(ValueError, match="do not mix"):
        assert a > b


@pytest.mark.parametrize(
    "amount", [1.0, 0.5, True, False, float("nan"), Decimal("NaN"), Decimal(5), "5", None]
)
def test_minor_units_are_whole_numbers(amount: Any) -> None:
    with pytest.raises(TypeError):
        Money(amount, "USD")


@given(MONEY, st.floats() | st.decimals())
def test_a_product_stays_whole(money: Money, count: Any) -> None:
    with pytest.raises((TypeError, ArithmeticError)):
        money * count
    if isinstance(count, float):
        with pytest.raises(TypeError):
            money.times(count)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["", "US", "USDT", "usd", "Usd", "$US", "A1B", "U-D", "ÜSD", "ＵＳＤ"])
def test_a_currency_is_three_capital_letters(code: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, code)


@given(MONEY)
def test_major_units_and_back(money: Money) -> None:
    digits = CURRENCIES[money.currency]
    assert exponent(money.currency) == digits
    assert money.major * 10**digits == money.amount
    assert Money.of(money.major, money.currency) == Money.of(str(money.major), money.currency) == money
    text, _, code = str(money).partition(" ")
    assert Money.of(text, code) == money


@given(CODES, st.integers(-(10**40), 10**40), st.integers(1, 60), st.integers(1, 9))
def test_more_digits_than_the_currency_has_are_refused(code: str, whole: int, zeros: int, last: int) -> None:
    """However far behind the point the digit stands, and however long the number before it is."""
    with pytest.raises(ValueError, match="more digits"):
        Money.of(f"{whole}.{'0' * (CURRENCIES[code] + zeros - 1)}{last}", code)
    assert (
        Money.of(f"{whole}.{'0' * (CURRENCIES[code] + zeros)}", code).amount == whole * 10 ** CURRENCIES[code]
    )


@pytest.mark.parametrize("text", ["", "nine", "1,000.00", "NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        Money.of(text, "USD")


@pytest.mark.parametrize("major", [0.5, 29.0, float("nan"), True])
def test_floats_and_truth_values_make_no_money(major: Any) -> None:
    with pytest.raises(TypeError):
        Money.of(major, "USD")


@given(MONEY, st.sampled_from(["en_US", "de_DE", "fr_FR", "ja_JP", "pt_BR"]))
def test_what_people_read_is_the_amount(money: Money, locale: str) -> None:
    text = money.format(locale)
    symbol = get_currency_symbol(money.currency, locale)
    assert symbol in text
    number = text.replace(symbol, "").replace("￥", "").replace("\xa0", " ").strip()
    digits = CURRENCIES[money.currency]
    assert parse_decimal(number.replace(" ", "\u202f" if "\u202f" in number else ""), locale) == money.major
    point = "." if locale in ("en_US", "ja_JP") else ","
    assert not digits or number[-digits - 1] == point, "a currency shows all of its digits"


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(165000, "USD"), "$1,650.00"),
        (Money(-5, "USD"), "-$0.05"),
        (Money(1650, "JPY"), "¥1,650"),
        (Money(1234567, "KWD"), "KWD1,234.567"),
    ],
)
def test_how_it_looks(money: Money, text: str) -> None:
    assert money.format().replace("\xa0", "") == text


def half_up(exact: Fraction) -> int:
    """To the nearest whole number, halves away from zero; in whole numbers only."""
    away = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return away if exact >= 0 else -away


@given(MONEY, RATES)
def test_a_share_is_rounded_once_half_up(money: Money, rate: Decimal) -> None:
    share = money.times(rate)
    assert share == Money(half_up(money.amount * Fraction(rate)), money.currency)
    assert -share == (-money).times(rate) == money.times(-rate)


@given(CODES, st.integers(-(10**12), 10**12))
def test_every_half_goes_away_from_zero(code: str, n: int) -> None:
    away = n + 1 if n >= 0 else n
    assert Money(2 * n + 1, code).times(Decimal("0.5")) == Money(away, code)


@pytest.mark.parametrize(
    ("price", "rate", "expected"),
    [
        ("5 JPY", "0.1", "1 JPY"),
        ("4 JPY", "0.1", "0 JPY"),
        ("2980 JPY", "0.0005", "1 JPY"),
        ("0.05 USD", "0.1", "0.01 USD"),
        ("0.25 USD", "0.1", "0.03 USD"),  # to even would be 0.02
        ("-0.25 USD", "0.1", "-0.03 USD"),
        ("0.005 KWD", "0.1", "0.001 KWD"),
        ("1.000 KWD", "0.0625", "0.063 KWD"),
        ("19.99 EUR", "0.19", "3.80 EUR"),
    ],
)
def test_rounding_in_the_currencys_own_unit(price: str, rate: str, expected: str) -> None:
    amount, code = price.split()
    assert str(Money.of(amount, code).times(Decimal(rate))) == expected


@given(MONEY, WEIGHTS)
def test_a_split_loses_nothing_and_is_fair(money: Money, weights: list[int]) -> None:
    shares = money.allocate(weights)
    assert sum(share.amount for share in shares) == money.amount
    assert {share.currency for share in shares} == {money.currency}
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share.amount - Fraction(money.amount * weight, sum(weights))) < 1
        assert weight or not share, "who weighs nothing gets nothing"
    assert (-money).allocate(weights) == [-share for share in shares]


@given(MONEY, WEIGHTS)
def test_left_over_units_go_to_the_largest_remainders(money: Money, weights: list[int]) -> None:
    shares = [abs(share.amount) for share in money.allocate(weights)]
    exact = [Fraction(abs(money.amount) * weight, sum(weights)) for weight in weights]
    remainders = [value - int(value) for value in exact]
    got = [rest for rest, value, share in zip(remainders, exact, shares, strict=True) if share > int(value)]
    not_got = [
        rest for rest, value, share in zip(remainders, exact, shares, strict=True) if share == int(value)
    ]
    assert not got or not not_got or min(got) >= max(not_got)


@given(MONEY, st.integers(1, 10**6), st.integers(1, 40))
def test_equal_weights_differ_by_one_unit_at_most_and_the_first_come_first(
    money: Money, weight: int, count: int
) -> None:
    shares = [abs(share.amount) for share in money.allocate([weight] * count)]
    assert max(shares) - min(shares) <= 1
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1], [2, -1], [-1, 0]])
def test_weights_that_say_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Money(100, "USD").allocate(weights)


@given(CODES, st.integers(0, 10**12), st.sampled_from(BillingPeriod))
def test_price_and_saving_are_the_months_together(code: str, amount: int, every: BillingPeriod) -> None:
    monthly = Money(amount, code)
    assert every.price(monthly) + every.savings(monthly) == monthly * every.months
    assert Money.zero(code) <= every.savings(monthly)
    assert BillingPeriod.MONTHLY.price(monthly) == monthly


@pytest.mark.parametrize(
    ("every", "price", "saved"),
    [
        (BillingPeriod.MONTHLY, "29.00", "0.00"),
        (BillingPeriod.QUARTERLY, "82.65", "4.35"),
        (BillingPeriod.ANNUAL, "295.80", "52.20"),
        (BillingPeriod.BIENNIAL, "556.80", "139.20"),
    ],
)
def test_what_paying_ahead_costs(every: BillingPeriod, price: str, saved: str) -> None:
    monthly = Money.of("29.00", "USD")
    assert (every.price(monthly), every.savings(monthly)) == (Money.of(price, "USD"), Money.of(saved, "USD"))
