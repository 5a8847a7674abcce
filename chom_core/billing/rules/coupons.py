"""Coupons: what they take off an invoice, before tax, and from which lines.

Scoped coupons first, then in order of application; percents on what earlier coupons left. Each coupon's sum is rounded
once and never takes a line below zero; its split over the lines stays exact, so that tax is counted from unrounded
numbers. Source: Lago's applied coupons.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from chom_core.billing.rules.rounding import exact, half_up, settle
from chom_core.values.money import Money


class Duration(StrEnum):
    """How long a coupon lasts: once (an amount until used up), for some invoices, or for ever."""

    ONCE = "once"
    REPEATING = "repeating"
    FOREVER = "forever"


class Coupon(Struct, frozen=True):
    """Off: `percent` (25 is a quarter), or `amount` (what is left of it). `only`: tags of lines it is for; empty: all.

    `stacks`: may stand beside others; one that doesn't is used alone, where that takes off more than all the others.
    """

    key: str
    percent: Decimal | None = None
    amount: Money | None = None
    only: frozenset[str] = frozenset()
    stacks: bool = True

    def __post_init__(self) -> None:
        if (self.percent is None) == (self.amount is None):
            raise ValueError("a coupon takes off a percent or an amount")
        if self.percent is not None and not 0 <= exact(self.percent) <= 100:
            raise ValueError("a coupon's percent is 0 to 100")
        if self.amount is not None and self.amount.amount < 0:
            raise ValueError("a coupon's amount is 0 or more")


class Item(Struct, frozen=True):
    """A line that may be discounted: net, and the tags that coupons name it by (its plan, its meter)."""

    amount: Money
    tags: frozenset[str] = frozenset()


class Applied(Struct, frozen=True):
    """What one coupon took off: `amount` (≥ 0, whole) and its exact split in minor units, one number a line."""

    coupon: str
    amount: Money
    per_line: tuple[Fraction, ...]


class Discounts(Struct, frozen=True):
    """All coupons of an invoice, in the order in which they took off. `left`: each line's exact net afterwards."""

    applied: tuple[Applied, ...]
    left: tuple[Fraction, ...]
    total: Money

    @property
    def per_line(self) -> tuple[Fraction, ...]:
        """All discounts of each line, exact, in minor units."""
        return tuple(
            sum((used.per_line[i] for used in self.applied), Fraction(0)) for i in range(len(self.left))
        )

    def whole(self) -> tuple[Money, ...]:
        """All discounts of each line in whole minor units: they sum to `total`, and no line falls below zero."""
        units = settle(self.per_line, self.total.amount)
        return tuple(Money(unit, self.total.currency) for unit in units)


def discount(currency: str, items: Sequence[Item], coupons: Sequence[Coupon]) -> Discounts:
    """Apply `coupons` (in order of application) to an invoice's lines. Amounts of another currency take nothing off.

    Lines at or below zero are no base; together coupons never take more than the sum of all lines.
    """
    alone = [discounts for one in coupons if not one.stacks if (discounts := _stack(currency, items, [one]))]
    together = _stack(currency, items, [one for one in coupons if one.stacks])
    return max([together, *alone], key=lambda found: found.total.amount)


def _stack(currency: str, items: Sequence[Item], coupons: Sequence[Coupon]) -> Discounts:
    left = [Fraction(_in(currency, item.amount)) for item in items]
    applied = []
    for coupon in sorted(coupons, key=lambda one: not one.only):
        base = [
            rest if rest > 0 and (not coupon.only or coupon.only & item.tags) else Fraction(0)
            for rest, item in zip(left, items, strict=True)
        ]
        room = min(sum(base, Fraction(0)), sum(left, Fraction(0)))
        off = min(_off(coupon, currency, sum(base, Fraction(0))), int(room)) if room > 0 else 0
        if not off:
            continue
        split = tuple(off * part / sum(base) for part in base)
        left = [rest - part for rest, part in zip(left, split, strict=True)]
        applied.append(Applied(coupon.key, Money(off, currency), split))
    return Discounts(tuple(applied), tuple(left), Money(sum(one.amount.amount for one in applied), currency))


def _off(coupon: Coupon, currency: str, base: Fraction) -> int:
    """What the coupon would take off `base`, rounded, before the limit of zero."""
    if coupon.percent is not None:
        return half_up(base * exact(coupon.percent) / 100)
    return coupon.amount.amount if coupon.amount is not None and coupon.amount.currency == currency else 0


def _in(currency: str, amount: Money) -> int:
    if amount.currency != currency:
        raise ValueError(f"a line in {amount.currency} is on no {currency} invoice")
    return amount.amount


class Left(Struct, frozen=True):
    """What a redeemed coupon still has: `amount` of an amount coupon (None for percents), and whether it goes on."""

    active: bool
    amount: Money | None = None


def left_of(
    duration: Duration, used: Sequence[Money], *, amount: Money | None = None, repeats: int | None = None
) -> Left:
    """What is left after it took off `used`, one sum for each invoice it was on. `repeats` of a repeating coupon.

    An amount that lasts once goes on until it is used up; a repeating or lasting one is whole again on each invoice.
    """
    if duration is Duration.ONCE:
        if amount is None:
            return Left(not used)
        rest = amount - sum(used, start=Money.zero(amount.currency))
        return Left(rest.amount > 0, max(rest, Money.zero(amount.currency)))
    active = duration is Duration.FOREVER or len(used) < (repeats or 0)
    return Left(active, amount if active or amount is None else Money.zero(amount.currency))
