"""Voiding: the invoice should never have been. Its number stays used, its entries are turned round."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.audit.service import Subject, record
from chom_core.billing import ledger
from chom_core.billing.models import CreditNote, Invoice
from chom_core.billing.service.credit import grants
from chom_core.billing.service.invoicing import credit_notes, invoices, sellers
from chom_core.billing.service.invoicing.credit_notes import Settle
from chom_core.billing.service.paying import disputes, settlement
from chom_core.database import clock, session
from chom_core.values.errors import Conflict
from chom_core.values.money import Money
from chom_core.work import emit


def void(invoice_id: UUID, *, settle: Settle = "refund", reason: str = "") -> Invoice:
    """Void an invoice; one that is void already stays so. Audited.

    Where nothing was paid and nothing noted, its entries are turned round and its credit goes back. Else a credit note
    takes back all that is left, and `settle` says where the money goes. Conflict where a payment is on its way.
    """
    sellers.lock_profile()
    invoice = invoices.locked(invoice_id)
    if invoice.status == "void":
        return invoice
    invoices.nothing_on_its_way(invoice)
    if invoice.status != "draft":
        invoices.recover(invoice)
        noted = session().scalar(select(CreditNote.id).where(CreditNote.invoice_id == invoice.id).limit(1))
        if invoice.amount_paid or noted is not None:
            _take_back(invoice, settle, reason)
        else:
            _turn_round(invoice)
        emit("invoice.voided", subject=f"invoice:{invoice.id}", payload={"invoice_id": str(invoice.id)})
    invoice.status, invoice.voided_at = "void", clock.now()
    record("invoice.voided", Subject("invoice", invoice.id, invoice.number or ""), reason=reason)
    session().flush()
    settlement.pay_open_by_credit()
    return invoice


def _take_back(invoice: Invoice, settle: Settle, reason: str) -> None:
    """All that is left, by a credit note; what is still due of it is only taken off."""
    if not any(one.total for one in credit_notes.creditable(invoice)):
        if invoice.due:
            raise Conflict(
                _("All of this invoice is noted, and part of it was refunded."), fix=_("Write it off.")
            )
        return
    words = reason or f"Invoice {invoice.number} is void"
    credit_notes.issue(invoice.id, None, settle, reason=words, key=f"invoice/{invoice.id}/void", closes=False)


def _turn_round(invoice: Invoice) -> None:
    """Nobody paid: receivable, revenue and tax go, and credit is where it was before."""
    total, zero = Money(invoice.total, invoice.currency), Money.zero(invoice.currency)
    used = {"account": zero, "promotional": zero}
    for kind in used:
        used[kind] = grants.give_back(invoice, kind, total, "unapplied")
    due = invoice.due
    if total:
        ledger.post(
            f"invoice:{invoice.id}:void",
            "void",
            [
                ("revenue", Money(invoice.subtotal, invoice.currency)),
                ("tax_payable", Money(invoice.tax, invoice.currency)),
                ("receivable", -due),
                ("customer_credit", -used["account"]),
                ("promotional_credit", -used["promotional"]),
            ],
            seller_id=invoice.seller_id,
            source=f"invoice:{invoice.id}",
            description=f"Invoice {invoice.number} voided",
        )
    invoice.amount_credited = 0
    disputes.claim()
