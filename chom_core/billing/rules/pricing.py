"""Charge models: what use of a meter costs in one period, whole or over several interim invoices.

Every model is a price of *all* the period's units; a line is the difference to what was billed before, so tiers,
allowances, minima and maxima are used up once per period however often it is billed, and a re-run bills nothing.
Sources: Lago (graduated, volume, package), OpenMeter (flat prices of tiers, caps, split lines), Kill Bill (#1124).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from chom_core.billing.rules.rounding import decimal, exact, rounded
from chom_core.values.money import Money


class Model(StrEnum):
    """How tiers are read.

    flat: the first tier's `flat`, whatever was used. per_unit: its `unit` for each (and its `flat`).
    graduated: each unit at the price of the tier it falls in. volume: all units at the price of the tier the sum falls
    in. package: begun packages of `package_size` at the first tier's `unit` (and its `flat`).
    """

    FLAT = "flat"
    PER_UNIT = "per_unit"
    GRADUATED = "graduated"
    VOLUME = "volume"
    PACKAGE = "package"


class Tier(Struct, frozen=True):
    """Up to and with `up_to` units (None: without end): `unit` for each, `flat` for entering; major units."""

    up_to: Decimal | None = None
    unit: Decimal = Decimal(0)
    flat: Decimal = Decimal(0)


class Tariff(Struct, frozen=True):
    """What one meter costs in a period. `included` units are free; tiers and packages begin above them.

    `minimum`, `maximum`: the least and the most that one period costs; prorate a minimum before, where a period is cut.
    The first tier's `flat` is due also where nothing was used. ValueError for tiers that don't rise or don't end open.
    """

    model: Model
    tiers: tuple[Tier, ...]
    package_size: Decimal | None = None
    included: Decimal = Decimal(0)
    minimum: Money | None = None
    maximum: Money | None = None

    def __post_init__(self) -> None:
        ends = [tier.up_to for tier in self.tiers]
        closed = [end for end in ends if end is not None]
        if not ends or ends[-1] is not None or len(closed) != len(ends) - 1:
            raise ValueError("a tariff has tiers, and exactly the last one has no end")
        for number in (*closed, self.included, *(n for tier in self.tiers for n in (tier.unit, tier.flat))):
            exact(number)
        if any(low >= high for low, high in zip([Decimal(0), *closed], closed, strict=False)):
            raise ValueError("tiers rise from above 0")
        if self.included < 0:
            raise ValueError("an allowance is 0 or more")
        if (self.model is Model.PACKAGE) != (self.package_size is not None):
            raise ValueError("packages have a size, and nothing else has")
        if self.package_size is not None and exact(self.package_size) <= 0:
            raise ValueError("a package holds more than nothing")
        if self.minimum and self.maximum and self.maximum < self.minimum:
            raise ValueError("the most is no less than the least")


def per_unit(unit: Decimal, included: Decimal | int = 0) -> Tariff:
    """The plainest tariff: `unit` (major units) for each unit beyond `included`."""
    return Tariff(Model.PER_UNIT, (Tier(unit=unit),), included=Decimal(included))


class Step(Struct, frozen=True):
    """A part of the explanation: `units` (packages, of a package tariff) × `unit` + `flat`, major units, unrounded."""

    units: Decimal
    unit: Decimal
    flat: Decimal = Decimal(0)

    @property
    def exact(self) -> Fraction:
        return exact(self.units) * exact(self.unit) + exact(self.flat)

    @property
    def amount(self) -> Decimal:
        """In major units, not rounded: rounding happens once, at the line."""
        return decimal(self.exact)


def steps(tariff: Tariff, units: Decimal, before: Decimal | None = None) -> tuple[Step, ...]:
    """How `units`, all that was used in the period, are priced; after `before` units that earlier invoices billed.

    `before` None: nothing was billed yet, not even the first `flat`. The steps' sum is price(units) − price(before).
    Units below zero (a level that went under) count as none.
    """
    now = _chargeable(tariff, units)
    then = _chargeable(tariff, before) if before is not None else None
    if tariff.model is Model.GRADUATED:
        return tuple(_graduated(tariff.tiers, now, then))
    if tariff.model is Model.VOLUME:
        return tuple(_volume(tariff.tiers, now, then))
    tier = tariff.tiers[0]
    flat = tier.flat if then is None else Decimal(0)
    if tariff.model is Model.FLAT:
        return (Step(Decimal(1), Decimal(0), flat),) if flat else ()
    if tariff.package_size is not None:
        size = exact(tariff.package_size)
        now, then = Fraction(-(-now // size)), Fraction(-(-(then or 0) // size))
    more = decimal(now - (then or 0))
    return (Step(more, tier.unit, flat),) if more or flat else ()


def price(tariff: Tariff, units: Decimal, currency: str) -> Money:
    """What `units` cost in a period, rounded once; without minimum and maximum."""
    return rounded(sum((step.exact for step in steps(tariff, units)), Fraction(0)), currency)


def _chargeable(tariff: Tariff, units: Decimal) -> Fraction:
    return max(exact(units) - exact(tariff.included), Fraction(0))


def _graduated(tiers: Sequence[Tier], now: Fraction, then: Fraction | None) -> list[Step]:
    made: list[Step] = []
    low = Fraction(0)
    for number, tier in enumerate(tiers):
        high = exact(tier.up_to) if tier.up_to is not None else max(now, then or low, low)
        if number and now <= low and (then is None or then <= low):
            break
        entered = 1 if not number or now > low else 0
        had = 0 if then is None else 1 if not number or then > low else 0
        more = max(min(now, high) - low, Fraction(0)) - max(min(then or Fraction(0), high) - low, Fraction(0))
        flat = tier.flat * (entered - had)
        if more or flat:
            made.append(Step(decimal(more), tier.unit, flat))
        low = high
    return made


def _volume(tiers: Sequence[Tier], now: Fraction, then: Fraction | None) -> list[Step]:
    def whole(units: Fraction, sign: int) -> Step:
        tier = next(tier for tier in tiers if tier.up_to is None or units <= exact(tier.up_to))
        return Step(decimal(sign * units), tier.unit, sign * tier.flat)

    if then is None:
        return [whole(now, 1)]
    return [whole(now, 1), whole(then, -1)] if now != then else []


class Billed(Struct, frozen=True):
    """What earlier invoices of the same period billed: `units` in all, and/or the net `amount` in all.

    Where `amount` isn't known, it is what the units cost; where `units` aren't, they have no steps to leave out.
    """

    units: Decimal | None = None
    amount: Money | None = None


class Rated(Struct, frozen=True):
    """One line: `amount` = `gross` − `cap_discount` + `minimum_top_up`. `steps` explain `gross` before its rounding.

    `amount` is below zero where a correction made the period cheaper than what was billed.
    """

    amount: Money
    gross: Money
    cap_discount: Money
    minimum_top_up: Money
    steps: tuple[Step, ...]


def rate(
    tariff: Tariff, units: Decimal, currency: str, billed: Billed | None = None, *, last: bool = True
) -> Rated:
    """Rate all `units` that the period used so far, less what was `billed`. `last`: the period's last line.

    Only the last line brings the period up to its minimum. The lines of a period sum to what one invoice would say.
    """
    zero = Money.zero(currency)
    before = zero
    then = billed.units if billed is not None else None
    if then is not None:
        before = price(tariff, then, currency)
    elif billed is not None and billed.amount is not None:
        before = billed.amount
    paid = billed.amount if billed is not None and billed.amount is not None else _capped(before, tariff)
    whole = price(tariff, units, currency)
    gross = whole - before
    capped = _capped(whole, tariff)
    top_up = zero
    if last and tariff.minimum is not None and capped < tariff.minimum:
        top_up = tariff.minimum - capped
    amount = capped + top_up - paid
    return Rated(amount, gross, gross + top_up - amount, top_up, steps(tariff, units, then))


def _capped(amount: Money, tariff: Tariff) -> Money:
    return tariff.maximum if tariff.maximum is not None and amount > tariff.maximum else amount
