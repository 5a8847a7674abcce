"""Giving back: the unused rest of a billed period, with its tax, becomes credit notes and so account credit."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from chom_core.billing.models import BilledPeriod, Invoice
from chom_core.billing.service.changes import billed
from chom_core.billing.service.invoicing import credit_notes, invoices
from chom_core.database import session
from chom_core.values.money import Money


def back(row: BilledPeriod, amount: Money, *, key: str, reason: str) -> Money:
    """Give back `amount`, net, of what was paid for `row`'s item, once per `key`. Returns it with its tax.

    The line that billed it gives first. What that line was itself paid with (the unused time of an earlier plan, on the
    same invoice) comes back from the earlier invoices, so no note takes back more than a line was worth.
    """
    left, total = amount, Money.zero(amount.currency)
    for invoice_id in _invoices(row):
        invoice = invoices.locked(invoice_id)
        if not left or invoice.status in ("draft", "void"):
            continue
        wanted: dict[int, Money] = {}
        for one in credit_notes.creditable(invoice):
            if left and one.line.source == f"item:{row.item_id}" and one.line.kind in billed.KINDS:
                wanted[one.line.position] = part = min(left, one.net)
                left = left - part
        if wanted:
            note = credit_notes.issue(invoice_id, wanted, "credit", reason=reason, key=f"{key}:{invoice_id}")
            total = total + Money(note.total, note.currency)
    return total


def _invoices(row: BilledPeriod) -> list[UUID]:
    """The row's own invoice, then the item's earlier ones, newest first."""
    query = (
        select(Invoice.id)
        .join(BilledPeriod, BilledPeriod.invoice_id == Invoice.id)
        .where(BilledPeriod.item_id == row.item_id, Invoice.id != row.invoice_id)
    )
    earlier = session().scalars(query.order_by(Invoice.id.desc()).distinct()).all()
    return [row.invoice_id, *earlier]
