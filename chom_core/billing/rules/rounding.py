"""Exact numbers, and the one way in which they become whole minor units: half up, away from zero."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction
from math import floor

from chom_core.values.money import Money, exponent

Number = Decimal | Fraction | int
#: Wide enough that sums and products of stored numbers stay exact.
_WIDE = Context(prec=80)


def exact(number: Number) -> Fraction:
    """The number without any loss. Refuses floats, booleans, NaN and the infinite with ValueError."""
    if isinstance(number, bool) or not isinstance(number, (Decimal, Fraction, int)):
        raise ValueError(f"{number!r} is no exact number: give Decimal, Fraction or int")
    if isinstance(number, Decimal) and not number.is_finite():
        raise ValueError(f"{number} is not a number that can be billed")
    return Fraction(number)


def half_up(number: Fraction) -> int:
    """The nearest whole number; a half goes away from zero, negatives too (−2.5 → −3)."""
    whole = (2 * abs(number.numerator) + number.denominator) // (2 * number.denominator)
    return -whole if number < 0 else whole


def rounded(major: Number, currency: str) -> Money:
    """An amount in major units rounded to the currency's minor unit: 1.2355 USD is $1.24, 4.39999 JPY is ¥4."""
    return Money(half_up(exact(major) * 10 ** exponent(currency)), currency)


def scaled(amount: Money, factor: Number) -> Money:
    """`amount` × `factor`, rounded once. Unlike `Money.times` it takes thirds, too."""
    return Money(half_up(amount.amount * exact(factor)), amount.currency)


def decimal(number: Fraction) -> Decimal:
    """For showing and storing: exact where a Decimal can be, else 80 digits."""
    return _WIDE.divide(Decimal(number.numerator), Decimal(number.denominator))


def settle(parts: Sequence[Fraction], total: int) -> list[int]:
    """Whole numbers for `parts` that sum to `total`, their rounded sum: each one its floor or the next above it.

    The units that are left over go to the largest remainders; of equal ones to the first.
    """
    units = [floor(part) for part in parts]
    over = total - sum(units)
    if not 0 <= over <= len(units):
        raise ValueError(f"{total} is not the rounded sum of these parts")
    for i in sorted(range(len(units)), key=lambda i: (units[i] - parts[i], i))[:over]:
        units[i] += 1
    return units


def share_of(whole: Money, done: int, of: int) -> Money:
    """`whole` × `done` / `of`, rounded: what the first `done` of `of` units carry. Its differences lose no cent."""
    if not 0 <= done <= of:
        raise ValueError(f"{done} of {of} is no part")
    return scaled(whole, Fraction(done, of)) if of else whole
