"""What the coupons that a customer holds take off a bill: lines before tax, the same for preview and invoice.

Nothing is counted anywhere: how often a redemption was used, and how much of it, is read from the finalised invoice
lines that name it. A draft uses nothing up, and a voided invoice gives back what it had used.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from chom_core.billing.models import Coupon, CouponRedemption, Invoice, InvoiceLine
from chom_core.billing.rules import coupons as rules
from chom_core.database import current, session
from chom_core.values.billing import BillLine
from chom_core.values.money import Money


@dataclass(frozen=True, slots=True)
class Held:
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
        """How a discount's line names it: `proposed_by`."""
        return f"coupon:{self.id.hex}"

    def rule(self, left: Money | None) -> rules.Coupon:
        """The rule of it, with what is `left` of an amount."""
        base = str(self.subscription_id or "")
        tags = [f"{base}/{plan}" for plan in self.plans] or ([f"{base}/"] if base else [])
        return rules.Coupon(self.mark, self.percent, left, frozenset(tags), self.stacks)


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


def held(subscription_ids: Collection[UUID]) -> list[Held]:
    """What the current organisation has redeemed for these subscriptions or for all, in order of redemption."""
    if current().tenant_id is None:
        return []
    query = select(CouponRedemption).where(CouponRedemption.status == "active")
    rows = session().scalars(query.order_by(CouponRedemption.redeemed_at, CouponRedemption.id)).all()
    return [
        of_terms(row, row.id, row.subscription_id)
        for row in rows
        if row.subscription_id is None or row.subscription_id in subscription_ids
    ]


def left_of(one: Held) -> rules.Left:
    """What is left of it after the invoices that used it."""
    query = (
        select(func.sum(InvoiceLine.amount))
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(InvoiceLine.proposed_by == one.mark, Invoice.status.not_in(("draft", "void")))
        .group_by(Invoice.id, Invoice.currency)
        .add_columns(Invoice.currency)
    )
    used = [Money(-int(amount), currency) for amount, currency in session().execute(query)]
    return rules.left_of(one.duration, used, amount=one.amount, repeats=one.repeats)


def discounted(currency: str, lines: Sequence[BillLine], extra: Sequence[Held] = ()) -> tuple[BillLine, ...]:
    """`lines`, each with what is taken off it, and the discounts as lines of their own. `extra`: not yet redeemed."""
    subscriptions = {line.subscription_id for line in lines if line.subscription_id is not None}
    mine = [*held(subscriptions), *extra]
    working = [(one, left) for one in mine if (left := left_of(one)).active]
    if not working:
        return tuple(lines)
    found = rules.discount(
        currency,
        [rules.Item(line.amount, _tags(line)) for line in lines],
        [one.rule(left.amount) for one, left in working],
    )
    whole = found.whole()
    names = {one.mark: one.name for one, _left in working}
    return (
        *(replace(line, discount=off) if off else line for line, off in zip(lines, whole, strict=True)),
        *(
            BillLine("discount", names[one.coupon], -one.amount, proposed_by=one.coupon)
            for one in found.applied
            if one.amount
        ),
    )


def _tags(line: BillLine) -> frozenset[str]:
    base = str(line.subscription_id or "")
    return frozenset({f"/{line.plan}", f"{base}/{line.plan}", f"{base}/", "/"})
