"""Whose money a payment is: the seller that it stands with on the ledger, and the reseller it belongs to."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.billing.models import CreditGrant, Invoice, Payment, Seller
from chom_core.billing.service.invoicing import sellers
from chom_core.database import PLATFORM_ID, current, session, transaction
from chom_core.values.errors import Unavailable


def seller_id(payment: Payment) -> UUID:
    """The invoice's seller; of a top-up the one its credit is with, or will be."""
    if payment.invoice_id is not None:
        return session().get_one(Invoice, payment.invoice_id).seller_id
    kept = select(CreditGrant.seller_id).where(CreditGrant.payment_id == payment.id).limit(1)
    return session().scalar(kept) or sellers.seller().id


def reseller_of(payment: Payment) -> UUID | None:
    """The reseller whose money it is; None: the platform's.

    The platform's is also what a reseller itself pays (no gateway sends money back to who paid it), what is owed to a
    seller of former days, and what customers of a reseller pay that has a share: there the platform is the seller.
    """
    reseller = current().reseller_id
    if reseller is None or reseller in (PLATFORM_ID, current().tenant_id):
        return None
    mine = session().scalar(select(Seller.id).where(Seller.reseller_id == reseller))
    return reseller if mine == seller_id(payment) and sells_itself(reseller) else None


def sells_itself(reseller: UUID) -> bool:
    """Does this reseller sell on its own account: at wholesale, or with nothing agreed yet? Not by a share."""
    with transaction(reseller):
        return sellers.decides()


def platform_seller_id() -> UUID:
    """The platform's own seller; Unavailable where it sells nothing."""
    with transaction(PLATFORM_ID) as there:
        found = there.scalar(select(Seller.id).where(Seller.reseller_id == PLATFORM_ID))
    if found is None:
        raise Unavailable(
            _("The platform sells nothing yet."), fix=_("Staff: set up its seller under Staff → Settings.")
        )
    return found
