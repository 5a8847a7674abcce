"""Invoices and payments, as their customer and staff see them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from chom_core.billing.models import Invoice, Payment, PaymentMethod
from chom_core.billing.reads.shapes import InvoiceInfo, LineInfo, PaymentInfo
from chom_core.database import session
from chom_core.values.errors import NotFound
from chom_core.values.money import Money


def invoice_list(limit: int = 200, here: Session | None = None) -> list[InvoiceInfo]:
    """Finalised invoices, newest first; with the session of an `everyone` unit those of all organisations."""
    query = select(Invoice).where(Invoice.number.is_not(None)).order_by(Invoice.id.desc()).limit(limit)
    return [invoice_info(row) for row in (here or session()).scalars(query)]


def invoice(invoice_id: UUID) -> InvoiceInfo:
    """One finalised invoice of the organisation; NotFound otherwise."""
    found = session().scalar(select(Invoice).where(Invoice.id == invoice_id, Invoice.number.is_not(None)))
    if found is None:
        raise NotFound(_("There is no such invoice."))
    return invoice_info(found)


def invoice_info(row: Invoice) -> InvoiceInfo:
    currency = row.currency
    return InvoiceInfo(
        id=row.id,
        tenant_id=row.tenant_id,
        number=row.number or "",
        status=row.status,
        currency=currency,
        subtotal=Money(row.subtotal, currency),
        tax=Money(row.tax, currency),
        total=Money(row.total, currency),
        due=row.due,
        paid=Money(row.amount_paid, currency),
        credited=Money(row.amount_credited, currency),
        noted=Money(row.amount_noted, currency),
        refunded=Money(row.amount_refunded, currency),
        tax_title=row.tax_title,
        tax_rate=row.tax_rate,
        tax_note=row.tax_note,
        issued_at=row.finalised_at,
        due_at=row.due_at,
        paid_at=row.paid_at,
        lines=tuple(
            LineInfo(
                line.position,
                line.kind,
                line.description,
                line.quantity,
                Money(line.unit_amount, currency) if line.unit_amount is not None else None,
                Money(line.amount, currency),
                line.period_start,
                line.period_end,
                Money(line.discount, currency),
                Money(line.tax, currency),
                line.source,
                dict(line.details),
            )
            for line in row.lines
        ),
        snapshot=dict(row.snapshot),
    )


def payment_list(
    invoice_id: UUID | None = None, limit: int = 200, here: Session | None = None
) -> list[PaymentInfo]:
    """Attempts to pay, newest first; with the session of an `everyone` unit those of all organisations."""
    query = select(Payment, PaymentMethod).join(PaymentMethod, PaymentMethod.id == Payment.method_id)
    if invoice_id is not None:
        query = query.where(Payment.invoice_id == invoice_id)
    return payment_infos((here or session()).execute(query.order_by(Payment.id.desc()).limit(limit)))


def payment_infos(rows: Iterable[Row[Payment, PaymentMethod]]) -> list[PaymentInfo]:
    """Attempts with their cards, as values."""
    return [
        PaymentInfo(
            row.id, row.tenant_id, row.invoice_id, row.status, Money(row.amount, row.currency),
            Money(row.amount_refunded, row.currency), card_words(method), row.code, row.message, row.created_at,
        )
        for row, method in rows
    ]  # fmt: skip


def card_words(method: PaymentMethod) -> str:
    """«Visa ending in 4242»."""
    return f"{method.brand} ending in {method.last4}"
