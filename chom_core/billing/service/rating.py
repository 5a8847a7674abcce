"""Rating: the one pure function that turns what is bought into a bill. Previews show it, invoices freeze it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from chom_core.values.billing import Bill, BillLine, LineProposal, TaxAnswer
from chom_core.values.money import Money
from chom_core.values.period import Period

NO_TAX = "No tax is charged."


@dataclass(frozen=True, slots=True)
class Charge:
    """One thing to pay for one period: a plan, its price for that period, and how many."""

    plan: str
    kind: str
    title: str
    unit: Money
    quantity: int = 1
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class Proposed:
    """A plugin's proposal, with its name."""

    plugin: str
    proposal: LineProposal


def lines_of(charges: Sequence[Charge]) -> tuple[BillLine, ...]:
    """The lines of what was bought, before any plugin was asked."""
    return tuple(
        BillLine(
            kind=charge.kind,
            description=charge.title,
            amount=charge.unit * charge.quantity,
            quantity=Decimal(charge.quantity),
            unit=charge.unit,
            period_start=charge.period.start if charge.period else None,
            period_end=charge.period.end if charge.period else None,
            plan=charge.plan,
        )
        for charge in charges
    )


def bill(
    currency: str, lines: Sequence[BillLine], proposed: Sequence[Proposed], tax: TaxAnswer | None
) -> Bill:
    """The bill. Charges count before discounts; discounts stop at zero; tax is rounded once, on the taxable sum."""
    ordered = sorted(proposed, key=lambda item: item.proposal.amount.amount < 0)
    whole = list(lines)
    left = _sum(currency, lines)
    for item in ordered:
        amount = item.proposal.amount
        if amount.amount < 0 and (-amount).amount > left.amount:
            amount = -left
        if amount.amount == 0:
            continue
        left = left + amount
        whole.append(
            BillLine(
                kind=item.proposal.kind,
                description=item.proposal.description,
                amount=amount,
                taxable=item.proposal.taxable,
                proposed_by=item.plugin,
            )
        )
    taxable = _sum(currency, [line for line in whole if line.taxable])
    rate = tax.rate if tax else Decimal(0)
    due = max(taxable, Money.zero(currency), key=lambda money: money.amount).times(rate / 100)
    return Bill(
        currency=currency,
        lines=tuple(whole),
        subtotal=left,
        tax=due,
        total=left + due,
        tax_title=tax.title if tax else "",
        tax_rate=rate,
        tax_note=tax.note if tax else NO_TAX,
    )


def overage(included: int, used: Decimal, unit: Decimal, currency: str) -> Money:
    """What use beyond the allowance costs: `unit` in major units per unit of use, rounded once."""
    beyond = max(Decimal(0), used - included)
    return Money.of(1, currency).times(unit * beyond)


def _sum(currency: str, lines: Sequence[BillLine]) -> Money:
    total = Money.zero(currency)
    for line in lines:
        total = total + line.amount
    return total


def describe(title: str, period: Period | None, quantity: int = 1) -> str:
    """«Pro, 22 Nov – 22 Dec 2026»."""
    words = title if quantity == 1 else f"{quantity} × {title}"
    return f"{words}, {_day(period.start)} – {_day(period.end)}" if period else words


def _day(instant: datetime) -> str:
    return f"{instant.day} {instant:%b %Y}"
