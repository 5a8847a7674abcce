"""Money of a reseller's customers that the platform's account at a gateway took: held for the reseller, handed on by
`monthly`.

A payment that went straight to the reseller's own account (`Payment.direct`) is none of it. What was collected is an
earning against cash in the reseller's organisation, with the platform's seller: the platform has it, and owes all of
it. Refunds and what a bank took back lower it; what the gateway kept does not (that is the platform's cost).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, or_, select

from chom_core.billing.models import CreditGrant, Dispute, Invoice, Payment, Seller
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.partners import changed, earnings
from chom_core.billing.service.paying import owners
from chom_core.database import clock, here, session, transaction
from chom_core.values.money import Money

#: How long money stays before it is handed on: most refunds are asked for within days.
HELD = timedelta(days=7)


class _Taken(Struct, frozen=True):
    """One payment, and what of it is gone again: refunded, or with a bank."""

    id: UUID
    amount: int
    gone: int
    currency: str


def party(reseller: UUID) -> str:
    """What the reseller is called on the ledger as the owner of collected money: not as one who earns a share."""
    return f"{reseller}/collected"


def note() -> int:
    """Note what was collected for the current reseller, and follow refunds; how many payments it is of.

    Only payments of which something may have changed since the last time are looked at. Again: nothing happens.
    """
    mine = session().scalar(select(Seller.id).where(Seller.reseller_id == here()))
    if mine is None or not sellers.decides():
        return 0
    changes, platform = 0, cache(owners.platform_seller_id)
    with changed.since_last("collected") as payments:
        for customer, some in groupby(payments, key=itemgetter(0)):
            for one in _taken_of(customer, mine, [payment_id for _customer, payment_id in some]):
                changes += _follow(one, platform)
    return changes


def _follow(one: _Taken, platform: Callable[[], UUID]) -> bool:
    """Whether something of this payment was not known."""
    key, whole = f"collected/{one.id}", Money(one.amount, one.currency)
    new = earnings.known(key) is None
    if new:
        earnings.earn(
            party(here()), "reseller", whole, key, f"payment:{one.id}", clock.now() + HELD,
            seller_id=platform(), against="cash",
        )  # fmt: skip
    return bool(earnings.claw_back(key, Money(one.gone, one.currency), whole)) or new


def _taken_of(customer: UUID, seller: UUID, among: Sequence[UUID]) -> list[_Taken]:
    """Which of these payments a customer made to this seller by way of the platform's account."""
    with transaction(customer) as there:
        away = (
            select(Dispute.payment_id, func.sum(Dispute.amount))
            .where(Dispute.status != "won", Dispute.payment_id.in_(among))
            .group_by(Dispute.payment_id)
        )
        disputed = dict(there.execute(away).all())
        with_me = or_(
            Payment.invoice_id.in_(select(Invoice.id).where(Invoice.seller_id == seller)),
            Payment.id.in_(select(CreditGrant.payment_id).where(CreditGrant.seller_id == seller)),
        )
        query = select(Payment).where(
            Payment.id.in_(among), Payment.status == "succeeded", ~Payment.direct, with_me
        )
        rows = there.scalars(query.order_by(Payment.id)).all()
    return [
        _Taken(
            row.id,
            row.amount,
            min(row.amount, row.amount_refunded + int(disputed.get(row.id, 0))),
            row.currency,
        )
        for row in rows
    ]
