"""Earnings and payouts, read."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from chom_core.billing.models import Payout
from chom_core.database import session
from chom_core.values.money import Money


class PayoutInfo(Struct, frozen=True):
    """One payout: pending, posted or voided. `method`: manual, credit, or the gateway's name."""

    id: UUID
    tenant_id: UUID
    kind: str
    party: str
    amount: Money
    method: str
    status: str
    reference: str
    message: str
    created_at: datetime
    settled_at: datetime | None


def payout_list(
    *, party: str = "", status: str = "", limit: int = 100, here: Session | None = None
) -> list[PayoutInfo]:
    """Payouts of the current organisation (of all, in an `everyone` session given as `here`), newest first."""
    query = select(Payout).order_by(Payout.id.desc()).limit(min(limit, 500))
    if party:
        query = query.where(Payout.party == party)
    if status:
        query = query.where(Payout.status == status)
    return [payout_info(row) for row in (here or session()).scalars(query)]


def payout_info(of: Payout) -> PayoutInfo:
    """The payout as plugins and pages see it."""
    return PayoutInfo(
        of.id, of.tenant_id, of.kind, of.party, Money(of.amount, of.currency), of.method, of.status, of.reference,
        of.message, of.created_at, of.settled_at,
    )  # fmt: skip
