"""Money of a reseller's customers that the platform's account at a gateway took: held for the reseller, and handed on.

A payment that went straight to the reseller's own account (`Payment.direct`) is none of it. What was collected is an
earning against cash in the reseller's organisation, with the platform's seller: the platform has it, and owes all of
it. Refunds and what a bank took back lower it; what the gateway kept does not (that is the platform's cost).
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, or_, select

from chom_core.billing.models import (
    CreditGrant,
    Dispute,
    Earning,
    Invoice,
    Payment,
    Seller,
)
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.partners import earnings, payouts, terms
from chom_core.billing.service.paying import owners
from chom_core.database import Tenant, clock, current, restart, session, transaction
from chom_core.values.money import Money

#: How long money stays before it is handed on: most refunds are asked for within days.
HELD = timedelta(days=7)
#: Less than this waits for the next month, in major units: a transfer has its price, too.
LEAST = 1


class _Taken(Struct, frozen=True):
    """One payment, and what of it is gone again: refunded, or with a bank."""

    id: UUID
    amount: int
    gone: int
    currency: str


def party(reseller: UUID) -> str:
    """What the reseller is called on the ledger as the owner of collected money: not as one who earns a share."""
    return f"{reseller}/collected"


def hand_on() -> int:
    """Note what was collected for the current reseller, follow refunds, and pay out once a month. Changed earnings."""
    here = current().tenant_id
    assert here is not None
    mine = session().scalar(select(Seller.id).where(Seller.reseller_id == here))
    if mine is None or not sellers.decides():
        return 0
    noted = select(Earning.key, Earning.taken_back).where(Earning.party == party(here))
    known: dict[str, int] = dict(session().execute(noted).all())
    changed, platform = 0, None
    for customer in session().scalars(terms.customers(here, left=True).order_by(Tenant.id)).all():
        for one in _taken_of(customer.id, mine):
            key = f"collected/{one.id}"
            if key not in known:
                platform = platform or owners.platform_seller_id()
                _note(here, one, key, platform)
            elif known[key] == one.gone:
                continue
            whole = Money(one.amount, one.currency)
            earnings.claw_back(key, Money(one.gone, one.currency), whole)
            changed += 1
    _pay_out(here)
    return changed


def _note(here: UUID, one: _Taken, key: str, platform: UUID) -> None:
    earnings.earn(
        party(here), "reseller", Money(one.amount, one.currency), key, f"payment:{one.id}", clock.now() + HELD,
        seller_id=platform, against="cash",
    )  # fmt: skip


def _pay_out(here: UUID) -> None:
    """Once a month, all that is available; by hand where the reseller has no account that can be paid."""
    restart()
    for owed in earnings.payable(party(here), "reseller"):
        if not owed.on_its_way:
            least, run = Money.of(LEAST, owed.currency), f"collected-{clock.now():%Y-%m}"
            payouts.pay_out(party(here), "reseller", run, minimum=least)


def _taken_of(customer: UUID, seller: UUID) -> list[_Taken]:
    """What a customer paid to this seller by way of the platform's account."""
    with transaction(customer) as there:
        away = (
            select(Dispute.payment_id, func.sum(Dispute.amount))
            .where(Dispute.status != "won")
            .group_by(Dispute.payment_id)
        )
        disputed = dict(there.execute(away).all())
        with_me = or_(
            Payment.invoice_id.in_(select(Invoice.id).where(Invoice.seller_id == seller)),
            Payment.id.in_(select(CreditGrant.payment_id).where(CreditGrant.seller_id == seller)),
        )
        query = select(Payment).where(Payment.status == "succeeded", ~Payment.direct, with_me)
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
