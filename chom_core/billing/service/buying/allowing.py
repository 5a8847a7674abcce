"""May this be bought? Plugins (budgets, approvals) are asked before any card is."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from chom_core.billing.models import Invoice, Payment
from chom_core.billing.models.payments import OPEN
from chom_core.database import current, session
from chom_core.plugin_host import hooks, said
from chom_core.values.billing import PurchaseQuery
from chom_core.values.errors import Refused
from chom_core.values.money import Money


def ask(title: str, invoice: Money, *, kind: str, service_id: UUID | None = None) -> None:
    """Refused, with the plugin's reason and way out, where a plugin says no. `invoice`: what is charged now, net.

    The caller holds the profile's lock, so that two purchases at once are asked one after the other.
    """
    tenant_id = current().tenant_id
    assert tenant_id is not None
    query = PurchaseQuery(tenant_id, kind, title, invoice, _on_its_way(invoice.currency), service_id)
    for refusal in said(hooks.billing_may_buy(query)):
        raise Refused(str(refusal.detail), fix=str(refusal.fix))


def _on_its_way(currency: str) -> Money:
    """Net of what is being bought already: drafts whose payment may still become money."""
    paying = select(Payment.invoice_id).where(Payment.status.in_(OPEN), Payment.invoice_id.is_not(None))
    query = select(func.coalesce(func.sum(Invoice.subtotal), 0)).where(
        Invoice.status == "draft", Invoice.currency == currency, Invoice.id.in_(paying)
    )
    return Money(int(session().scalar(query) or 0), currency)
