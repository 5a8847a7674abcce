"""A customer of the company lets its bank take a payment back, and the bank has not decided yet.

No gateway of the demo tells of disputes: it is told by the verb that gateways tell it with.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import exists, select

from chom_core.billing.models import Dispute, Payment
from chom_core.billing.service.paying import disputes
from chom_core.database import PLATFORM_ID, Tenant, everyone, transaction
from chom_core.demo.company import Company
from chom_core.values.money import Money

REFERENCE = "dispute-1"


def dispute(company: Company) -> UUID | None:
    """Have the newest payment of a customer disputed whom nobody enters as; its organisation. None: it was before."""
    with everyone("the demo: whose payment is disputed") as here:
        if here.scalar(select(exists().where(Dispute.reference == REFERENCE))):
            return None
        people = {wanted.name for wanted in company.organisations}
        newest = (
            select(Payment)
            .join(Tenant, Tenant.id == Payment.tenant_id)
            .where(Tenant.parent_id == PLATFORM_ID, Tenant.kind == "customer", Tenant.name.not_in(people))
            .where(Payment.purpose == "invoice", Payment.status == "succeeded", Payment.amount_refunded == 0)
            .order_by(Payment.settled_at.desc(), Payment.id)
        )
        found = here.scalars(newest.limit(1)).first()
        if found is None:
            return None
        payment_id, tenant_id, money = found.id, found.tenant_id, Money(found.amount, found.currency)
    with transaction(tenant_id):
        disputes.disputed(payment_id, REFERENCE, money, "open")
    return tenant_id
