"""Giving an invoice up: a loss on the books, which `invoices.recover` takes back as soon as somebody pays."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _

from chom_core.audit.service import Subject, record
from chom_core.billing import ledger
from chom_core.billing.models import Invoice
from chom_core.billing.service.credit import grants
from chom_core.billing.service.invoicing import invoices, sellers
from chom_core.database import session
from chom_core.values.errors import Conflict
from chom_core.work import emit


def write_off(invoice_id: UUID, reason: str) -> Invoice:
    """Give an open invoice up as uncollectible: a loss on the books. Whoever pays it later still can. Audited.

    Raises Conflict where it is not open or a payment is on its way.
    """
    sellers.lock_profile()
    invoice = invoices.locked(invoice_id)
    reason = grants.words_in(reason, "reason", 300)
    if invoice.status == "uncollectible":
        return invoice
    if invoice.status != "open":
        raise Conflict(
            _("This invoice is %(status)s: only an open one is written off.", status=invoice.status)
        )
    invoices.nothing_on_its_way(invoice)
    due, source = invoice.due, f"invoice:{invoice.id}"
    ledger.post(
        ledger.turn(f"{source}:written-off"),
        "write-off",
        [("write_off", due), ("receivable", -due)],
        seller_id=invoice.seller_id,
        source=source,
        description=f"Invoice {invoice.number} written off",
    )
    invoice.status, invoice.amount_written_off = "uncollectible", due.amount
    record("invoice.written_off", Subject("invoice", invoice.id, invoice.number or ""), reason=reason)
    emit(
        "invoice.uncollectible",
        subject=source,
        payload={"invoice_id": str(invoice.id), "due": due.amount, "currency": due.currency},
    )
    session().flush()
    return invoice
