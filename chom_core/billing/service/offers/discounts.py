"""What the coupons that a customer holds take off a bill: lines before tax, the same for preview and invoice.

Nothing is counted anywhere: how often a redemption was used, and how much of it, is read from the finalised invoice
lines that name it. A draft uses nothing up, and a voided invoice gives back what it had used.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, select

from chom_core.billing.models import Coupon, CouponRedemption, Invoice, InvoiceLine
from chom_core.billing.rules import coupons as rules
from chom_core.billing.service.invoicing.rating import Charge, Reduction
from chom_core.database import session
from chom_core.values.money import Money


class Held(Struct, frozen=True):
    """A coupon as it applies now: to every line of the customer, or to those of one subscription."""

    id: UUID
    name: str
    duration: rules.Duration
    percent: Decimal | None = None
    amount: Money | None = None
    repeats: int | None = None
    plans: tuple[str, ...] = ()
    stacks: bool = True
    subscription_id: UUID | None = None

    @property
    def mark(self) -> str:
        """How an invoice line names it, as its `source`."""
        return f"coupon:{self.id}"


def of_terms(terms: Coupon | CouponRedemption, held_as: UUID, subscription_id: UUID | None) -> Held:
    """A coupon's or a redemption's terms as a thing that takes off."""
    return Held(
        id=held_as,
        name=terms.name,
        duration=rules.Duration(terms.duration),
        percent=terms.percent,
        amount=Money(terms.amount, terms.currency) if terms.amount is not None else None,
        repeats=terms.repeats,
        plans=tuple(terms.plans),
        stacks=terms.stacks,
        subscription_id=subscription_id,
    )


def redeemed() -> list[Held]:
    """What the current organisation has redeemed, for one subscription or for all, in order of redemption."""
    query = select(CouponRedemption).where(CouponRedemption.status == "active")
    rows = session().scalars(query.order_by(CouponRedemption.redeemed_at, CouponRedemption.id)).all()
    return [of_terms(row, row.id, row.subscription_id) for row in rows]


def left_of(one: Held) -> rules.Left:
    """What is left of it after the invoices that used it."""
    query = (
        select(func.sum(InvoiceLine.amount), Invoice.currency)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(InvoiceLine.source == one.mark, Invoice.status.not_in(("draft", "void")))
        .group_by(Invoice.id, Invoice.currency)
    )
    used = [Money(-int(amount), currency) for amount, currency in session().execute(query)]
    return rules.left_of(one.duration, used, amount=one.amount, repeats=one.repeats)


def reductions(
    charges: Sequence[Charge], extra: Sequence[Held] = (), *, held: bool = True
) -> list[Reduction]:
    """The coupons that take off these charges: those that are held, and `extra`, what is about to be redeemed."""
    made = [_reduction(one, charges) for one in (*(redeemed() if held else ()), *extra)]
    return [one for one in made if one is not None]


def _reduction(one: Held, charges: Sequence[Charge]) -> Reduction | None:
    """The coupon with the lines it is for; None where it has none, or nothing left."""
    mine = [
        charge
        for charge in charges
        if (one.subscription_id is None or charge.subscription_id == one.subscription_id)
        and (not one.plans or charge.plan in one.plans)
    ]
    left = left_of(one) if mine else rules.Left(False)
    if not left.active:
        return None
    everything = not one.plans and len(mine) == len(charges)
    only = frozenset() if everything else frozenset(charge.source or charge.plan for charge in mine)
    return Reduction(rules.Coupon(str(one.id), one.percent, left.amount, only, one.stacks), one.name)
