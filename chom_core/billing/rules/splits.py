"""Splits: shares of an amount that always add up to it, and commissions that a refund takes back to the cent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import trunc

from chom_core.billing.rules.rounding import Number, exact, half_up, settle
from chom_core.values.money import Money


class OddUnit(StrEnum):
    """Who gets what doesn't divide: the largest remainders (ties: the first), or carried from the last to the first."""

    LARGEST = "largest"
    CARRIED = "carried"


def allocate(amount: Money, weights: Sequence[Number], odd: OddUnit = OddUnit.LARGEST) -> tuple[Money, ...]:
    """Split by weights that need not be whole (≥ 0, one above 0, else ValueError). The parts sum to `amount`."""
    exactly = [exact(weight) for weight in weights]
    whole = sum(exactly, Fraction(0))
    if whole <= 0 or min(exactly) < 0:
        raise ValueError("weights are ≥ 0, at least one above 0")
    if odd is OddUnit.CARRIED:
        units = _carried(amount.amount, exactly)
    else:
        units = settle([amount.amount * weight / whole for weight in exactly], amount.amount)
    return tuple(Money(unit, amount.currency) for unit in units)


def _carried(amount: int, weights: Sequence[Fraction]) -> list[int]:
    units: list[int] = []
    left, whole = amount, sum(weights, Fraction(0))
    for weight in reversed(weights):
        units.insert(0, trunc(left * weight / whole) if whole else 0)
        left, whole = left - units[0], whole - weight
    return units


def split(sale: Money, percents: Mapping[str, Decimal], remainder: str) -> dict[str, Money]:
    """Shares of a sale (≥ 0): each party its percent, rounded half up; `remainder` gets what is left, never below zero.

    `remainder` is not among `percents`. The parts sum to the sale. ValueError for percents below 0 or above 100 in sum.
    """
    rates = {party: exact(percent) for party, percent in percents.items()}
    if remainder in rates:
        raise ValueError(f"{remainder!r} gets the remainder, so it has no percent")
    if sale.amount < 0 or any(rate < 0 for rate in rates.values()) or sum(rates.values()) > 100:
        raise ValueError("a sale of 0 or more is split by percents of 0 or more, 100 at most together")
    parts: dict[str, Money] = {}
    left = sale.amount
    for party, rate in rates.items():
        part = min(half_up(sale.amount * rate / 100), left)
        parts[party] = Money(part, sale.currency)
        left -= part
    return {**parts, remainder: Money(left, sale.currency)}
