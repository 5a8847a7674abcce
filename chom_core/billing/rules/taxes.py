"""Tax: of lines, of an invoice, and of what a credit note gives back. Always on net amounts after coupons.

An invoice's tax is rounded once, from the unrounded sum over its lines (Lago's rule). What a line or a rate shows is
its share of that, so that parts sum to the whole. A credit note takes tax back cumulatively: sub + tax = total, and
notes that give back all of an invoice give back all of its tax.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

from chom_core.billing.rules.rounding import exact, half_up, settle, share_of
from chom_core.values.billing import RateTax
from chom_core.values.money import Money


class Taxable(Struct, frozen=True):
    """A line's exact net after coupons, in minor units, and its tax rate in percent (19, not 0.19; 0 where exempt)."""

    net: Fraction | int
    rate: Decimal

    @property
    def exact(self) -> Fraction:
        """Its tax in minor units, unrounded."""
        rate = exact(self.rate)
        if not 0 <= rate < 1000:
            raise ValueError(f"a tax rate is in percent, from 0; this is {self.rate}")
        return exact(self.net) * rate / 100


class Taxes(Struct, frozen=True):
    """`tax` of the invoice; `per_line`: each line's own rounded tax, for information; `parts`: shares that sum to it.

    `by_rate`: bases sum to the invoice's net, taxes to `tax`; lowest rate first.
    """

    tax: Money
    per_line: tuple[Money, ...]
    parts: tuple[Money, ...]
    by_rate: tuple[RateTax, ...]


def taxes(currency: str, lines: Sequence[Taxable]) -> Taxes:
    """The tax of an invoice's lines. Rounded half up, once, from their unrounded sum."""
    exactly = [line.exact for line in lines]
    whole = half_up(sum(exactly, Fraction(0)))
    return Taxes(
        tax=Money(whole, currency),
        per_line=tuple(Money(half_up(tax), currency) for tax in exactly),
        parts=tuple(Money(part, currency) for part in settle(exactly, whole)),
        by_rate=_by_rate(currency, lines, exactly, whole),
    )


def _by_rate(
    currency: str, lines: Sequence[Taxable], exactly: Sequence[Fraction], whole: int
) -> tuple[RateTax, ...]:
    rates = sorted({line.rate for line in lines})
    nets = [sum((exact(line.net) for line in lines if line.rate == rate), Fraction(0)) for rate in rates]
    sums = [
        sum((tax for line, tax in zip(lines, exactly, strict=True) if line.rate == rate), Fraction(0))
        for rate in rates
    ]
    bases = settle(nets, half_up(sum(nets, Fraction(0))))
    parts = settle(sums, whole)
    return tuple(
        RateTax(rate, Money(base, currency), Money(part, currency))
        for rate, base, part in zip(rates, bases, parts, strict=True)
    )


class Note(Struct, frozen=True):
    """A credit note's line: `sub` net and `tax`; its total is their sum, always."""

    sub: Money
    tax: Money

    @property
    def total(self) -> Money:
        return self.sub + self.tax


def note(net: Money, tax: Money, noted: Money, amount: Money) -> Note:
    """Give back `amount` net of a line of `net` and `tax`, of which notes gave back `noted` net before.

    ValueError where it would be more than the line.
    """
    if amount.amount < 0 or noted.amount < 0 or noted + amount > net:
        raise ValueError("a credit note gives back no more than the line")
    after = share_of(tax, (noted + amount).amount, net.amount)
    return Note(
        amount, after - (share_of(tax, noted.amount, net.amount) if noted else Money.zero(net.currency))
    )


def note_of_total(net: Money, tax: Money, noted: Money, amount: Money) -> Note:
    """The same, where `amount` and `noted` are with tax: how much of it is net and how much tax."""
    whole = net + tax
    if amount.amount < 0 or noted.amount < 0 or noted + amount > whole:
        raise ValueError("a credit note gives back no more than the line")
    zero = Money.zero(net.currency)
    before = share_of(tax, noted.amount, whole.amount) if noted else zero
    back = share_of(tax, (noted + amount).amount, whole.amount) - before
    return Note(amount - back, back)
