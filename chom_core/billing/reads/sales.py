"""What a sale brought in, and how two organisations are related: for programmes that pay for referrals and sales.

Both look into another organisation than the unit's own, in a unit of their own that only reads, and answer no more
than what is asked here.
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import func, select

from chom_core.billing.models import (
    BillingProfile,
    CreditGrant,
    CreditNote,
    CreditUse,
    Invoice,
    PaymentMethod,
)
from chom_core.billing.rules.rounding import half_up
from chom_core.database import Tenant, transaction
from chom_core.identity.models import Membership, Person
from chom_core.values.errors import NotFound
from chom_core.values.money import Money


class Sale(Struct, frozen=True):
    """An invoice as a sale: `net` before tax, `collected` what of it was paid by now and not given back.

    Promotional credit is no payment. `paid`: nothing is due any more. `begins`: the first day it bills.
    """

    invoice_id: UUID
    tenant_id: UUID
    status: str
    paid: bool
    net: Money
    collected: Money
    begins: datetime | None


class Relation(Struct, frozen=True):
    """How two organisations hang together: the same one, a person in both, an address, a card; the same seller."""

    same_organisation: bool
    same_person: bool
    same_email: bool
    same_card: bool
    same_seller: bool

    @property
    def themselves(self) -> str:
        """Why they are one and the same customer («person», «card», …); empty where they are two."""
        found = {
            "organisation": self.same_organisation,
            "person": self.same_person,
            "email": self.same_email,
            "card": self.same_card,
        }
        return next((why for why, is_so in found.items() if is_so), "")


def sale(tenant_id: UUID, invoice_id: UUID) -> Sale:
    """The invoice of that organisation as a sale, as it stands now; NotFound."""
    with transaction(tenant_id) as here:
        of = here.scalar(select(Invoice).where(Invoice.id == invoice_id))
        if of is None:
            raise NotFound(_("There is no such invoice."))
        used = here.scalar(
            select(func.coalesce(func.sum(CreditUse.amount), 0))
            .join(CreditGrant, CreditGrant.id == CreditUse.grant_id)
            .where(CreditUse.invoice_id == of.id, CreditGrant.kind == "account")
            .where(CreditUse.kind.in_(("applied", "unapplied", "returned")))
        )
        noted = here.scalar(
            select(func.coalesce(func.sum(CreditNote.to_refund + CreditNote.to_account), 0)).where(
                CreditNote.invoice_id == of.id
            )
        )
        kept = max(0, of.amount_paid + int(used or 0) - int(noted or 0)) if of.status != "void" else 0
        net = _share(of.subtotal, kept, of.total)
        return Sale(
            of.id, tenant_id, of.status, of.paid_at is not None and not of.due, Money(of.subtotal, of.currency),
            Money(net, of.currency), of.period_start,
        )  # fmt: skip


def relation(one: UUID, other: UUID) -> Relation:
    """How the organisations `one` and `other` hang together."""
    ours, theirs = _facts(one), _facts(other)
    return Relation(
        one == other,
        bool(ours.people & theirs.people),
        bool(ours.emails & theirs.emails),
        bool(ours.cards & theirs.cards),
        ours.seller == theirs.seller,
    )


class _Facts(Struct, frozen=True):
    people: frozenset[UUID]
    emails: frozenset[str]
    cards: frozenset[tuple[str, str]]
    seller: UUID | None


def _facts(tenant_id: UUID) -> _Facts:
    with transaction(tenant_id) as here:
        tenant = here.get_one(Tenant, tenant_id)
        rows = here.execute(
            select(Person.id, Person.email)
            .join(Membership, Membership.person_id == Person.id)
            .where(Membership.tenant_id == tenant_id)
        ).all()
        billing = here.scalars(select(BillingProfile.email).where(BillingProfile.email != "")).all()
        cards = here.execute(select(PaymentMethod.gateway, PaymentMethod.reference)).all()
    emails = {_folded(email) for email in (*(email for _id, email in rows), *billing)}
    return _Facts(
        frozenset(person for person, _email in rows),
        frozenset(emails),
        frozenset((gateway, reference) for gateway, reference in cards),
        tenant.parent_id,
    )


def _folded(email: str) -> str:
    """The same mailbox however it is written: `Kim+shop@x.org` is kim@x.org."""
    name, _at, host = email.strip().lower().partition("@")
    return f"{name.partition('+')[0]}@{host}"


def _share(whole: int, part: int, of: int) -> int:
    return half_up(Fraction(whole * min(part, of), of)) if of else 0
