"""Rating: the one pure function that turns what is bought into a bill. Previews show it, invoices freeze it.

The order: lines, coupons, what plugins take off, tax, total. Every line is rounded once, half up; the tax is rounded
once, from the unrounded nets of the lines after all discounts (`rules.taxes`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from chom_core.billing.rules import coupons as discounts
from chom_core.billing.rules import taxes
from chom_core.billing.rules.rounding import settle
from chom_core.values.billing import Bill, BillLine, LineProposal, RateTax, TaxAnswer
from chom_core.values.money import Money
from chom_core.values.period import Period

NO_TAX = "No tax is charged."


class Charge(Struct, frozen=True):
    """One thing to pay for one period: a plan, its price for that period, and how many.

    `amount`: what the line comes to where that is not unit × quantity (a part of a period, tiers), rounded already.
    `source` is what it is for (`item:<id>`), `details` what explains it (days, tiers); both end on the invoice line.
    `subscription_id`: whose it is, for coupons that are for one subscription.
    """

    plan: str
    kind: str
    title: str
    unit: Money
    quantity: int | Decimal = 1
    period: Period | None = None
    amount: Money | None = None
    source: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    taxable: bool = True
    subscription_id: UUID | None = None

    @property
    def total(self) -> Money:
        if self.amount is not None:
            return self.amount
        return self.unit * self.quantity if isinstance(self.quantity, int) else self.unit.times(self.quantity)


class Proposed(Struct, frozen=True):
    """A plugin's proposal, with its name."""

    plugin: str
    proposal: LineProposal


class Reduction(Struct, frozen=True):
    """A coupon to apply, and the words of its line. The line's source is `coupon:<key>`."""

    coupon: discounts.Coupon
    title: str


def lines_of(charges: Sequence[Charge]) -> tuple[BillLine, ...]:
    """The lines of what was bought, before any plugin was asked."""
    return tuple(
        BillLine(
            kind=charge.kind,
            description=charge.title,
            amount=charge.total,
            quantity=Decimal(charge.quantity),
            unit=charge.unit,
            period_start=charge.period.start if charge.period else None,
            period_end=charge.period.end if charge.period else None,
            plan=charge.plan,
            taxable=charge.taxable,
            source=charge.source,
            details=charge.details,
        )
        for charge in charges
    )


def bill(
    currency: str,
    lines: Sequence[BillLine],
    proposed: Sequence[Proposed],
    tax: TaxAnswer | None,
    reductions: Sequence[Reduction] = (),
) -> Bill:
    """The bill. Charges count before discounts; discounts stop at zero; coupons take off before plugins do.

    Each line says what of the discounts and of the tax it bears: `discount` and `tax` sum to the bill's.
    """
    whole = [*lines, *(_proposed(item) for item in proposed if item.proposal.amount.amount > 0)]
    items = [discounts.Item(line.amount, _tags(line)) for line in whole]
    off = discounts.discount(currency, items, [one.coupon for one in reductions])
    titles = {one.coupon.key: one.title for one in reductions}
    less = [
        BillLine("discount", titles[used.coupon], -used.amount, source=f"coupon:{used.coupon}")
        for used in off.applied
    ]
    left = list(off.left)
    _spread_negatives(left, whole)
    for item in proposed:
        taken = _take_off(left, [line.taxable for line in whole], item.proposal)
        if taken:
            less.append(replace(_proposed(item), amount=Money(-taken, currency)))
    shared, rates = _shared(currency, whole, left, tax)
    return _summed(currency, shared, less, tax, rates)


def _proposed(item: Proposed) -> BillLine:
    one = item.proposal
    return BillLine(one.kind, one.description, one.amount, taxable=one.taxable, proposed_by=item.plugin)


def _tags(line: BillLine) -> frozenset[str]:
    """What a scoped coupon may name a line by."""
    return frozenset(tag for tag in (line.plan, line.kind, line.source) if tag)


def _spread_negatives(left: list[Fraction], lines: Sequence[BillLine]) -> None:
    """A line below zero takes off the others, so that each line's net is what it brings to the bill."""
    for place, line in enumerate(lines):
        if line.amount.amount < 0:
            left[place] = Fraction(0)
            _spread(left, Fraction(-line.amount.amount), [True] * len(left))


def _take_off(left: list[Fraction], taxable: Sequence[bool], proposal: LineProposal) -> int:
    """What a plugin's discount takes off, and the lines' exact nets afterwards: first off lines taxed as it is."""
    wanted = min(-proposal.amount.amount, int(sum(left, Fraction(0))))
    if wanted <= 0:
        return 0
    rest = _spread(left, Fraction(wanted), [flag is proposal.taxable for flag in taxable])
    _spread(left, rest, [True] * len(left))
    return wanted


def _spread(left: list[Fraction], off: Fraction, wanted: Sequence[bool]) -> Fraction:
    """Take `off` from the wanted lines in proportion to what they hold; what they cannot bear is returned."""
    base = sum((rest for rest, want in zip(left, wanted, strict=True) if want), Fraction(0))
    taken = min(off, base)
    if taken > 0:
        for place, want in enumerate(wanted):
            if want:
                left[place] -= taken * left[place] / base
    return off - taken


def _shared(
    currency: str, lines: Sequence[BillLine], left: Sequence[Fraction], tax: TaxAnswer | None
) -> tuple[list[BillLine], tuple[RateTax, ...]]:
    """The lines with their shares of the discounts and of the tax; and the tax by rate."""
    off = [max(line.amount.amount, 0) - rest for line, rest in zip(lines, left, strict=True)]
    whole = settle(off, int(sum(off, Fraction(0))))
    every = (tax.rates or (tax.rate,) * len(lines)) if tax else (Decimal(0),) * len(lines)
    taxed = [
        taxes.Taxable(rest, rate if line.taxable else Decimal(0))
        for line, rest, rate in zip(lines, left, every, strict=False)  # rates go on to the lines of discounts
    ]
    found = taxes.taxes(currency, taxed)
    shared = [
        replace(line, discount=Money(share, currency), tax=part)
        for line, share, part in zip(lines, whole, found.parts, strict=True)
    ]
    return shared, tuple(row for row in found.by_rate if row.rate)


def _summed(
    currency: str,
    lines: Sequence[BillLine],
    less: Sequence[BillLine],
    tax: TaxAnswer | None,
    rates: tuple[RateTax, ...],
) -> Bill:
    zero = Money.zero(currency)
    every = (*lines, *less)
    subtotal = sum((line.amount for line in every), start=zero)
    due = sum((line.tax for line in every if line.tax is not None), start=zero)
    return Bill(
        currency=currency,
        lines=every,
        subtotal=subtotal,
        tax=due,
        total=subtotal + due,
        tax_title=tax.title if tax else "",
        tax_rate=rates[0].rate if len(rates) == 1 else tax.rate if tax else Decimal(0),
        tax_note=tax.note if tax else NO_TAX,
        tax_rates=rates if len(rates) > 1 else (),
    )


def overage(included: int, used: Decimal, unit: Decimal, currency: str) -> Money:
    """What use beyond the allowance costs: `unit` in major units per unit of use, rounded once."""
    beyond = max(Decimal(0), used - included)
    return Money.of(1, currency).times(unit * beyond)


def describe(title: str, period: Period | None, quantity: int = 1) -> str:
    """«Pro, 22 Nov – 22 Dec 2026»."""
    words = title if quantity == 1 else f"{quantity} × {title}"
    return f"{words}, {_day(period.start)} – {_day(period.end)}" if period else words


def _day(instant: datetime) -> str:
    return f"{instant.day} {instant:%b %Y}"
