"""Invoices. Once finalised, an invoice's facts are frozen: a trigger (ddl.py) refuses to change them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chom_core.database import Model, TenantRow
from chom_core.values.money import Money

STATUSES = ("draft", "open", "paid", "void", "uncollectible")


class Invoice(TenantRow, Model):
    """draft → open (finalised: has a number) → paid, void or uncollectible.

    `snapshot` freezes seller, customer, brand name and tax words as they were: {seller, customer, brand, tax}.
    What is due: `total - amount_paid - amount_credited - amount_noted`, never below zero.
    `amount_paid`: money received that counts towards it (a bare refund takes it back out) · `amount_credited`: credit
    used for it · `amount_noted`: credit notes, as far as they reduced what was due · `amount_refunded`: all cash given
    back · `amount_written_off`: given up as uncollectible; a later payment takes that back. `series`: whose counter
    its number came from.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        CheckConstraint(f"status in {STATUSES}", name="status"),
        CheckConstraint("(status = 'draft') = (number is null) or status = 'void'", name="number"),
        CheckConstraint("total = subtotal + tax and total >= 0", name="total"),
        CheckConstraint("amount_paid between 0 and total", name="paid"),
        CheckConstraint(
            "amount_credited >= 0 and amount_noted >= 0 and amount_refunded >= 0"
            " and amount_paid + amount_credited + amount_noted <= total",
            name="settled",
        ),
        CheckConstraint("amount_written_off between 0 and total", name="written_off"),
        UniqueConstraint("tenant_id", "subscription_id", "period_start"),
        Index(
            "uq_invoice_number",
            "seller_id",
            "number",
            unique=True,
            postgresql_where=text("number is not null"),
        ),
    )

    seller_id: Mapped[UUID]
    subscription_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.subscription.id"))
    status: Mapped[str] = mapped_column(String(14), default="draft")
    number: Mapped[str | None] = mapped_column(String(40))
    currency: Mapped[str] = mapped_column(String(3))
    subtotal: Mapped[int] = mapped_column(BigInteger)
    tax: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    tax_title: Mapped[str] = mapped_column(String(60), default="")
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(9, 4), default=Decimal(0))
    tax_note: Mapped[str] = mapped_column(String(300), default="")
    amount_paid: Mapped[int] = mapped_column(BigInteger, default=0)
    amount_refunded: Mapped[int] = mapped_column(BigInteger, default=0)
    amount_credited: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    amount_noted: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    amount_written_off: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    series: Mapped[str] = mapped_column(String(60), default="invoice", server_default="invoice")
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    finalised_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)

    lines: Mapped[list["InvoiceLine"]] = relationship(lazy="selectin", order_by="InvoiceLine.position")

    @property
    def due(self) -> Money:
        """What is left to pay; zero once it is void. A draft's is its total."""
        if self.status == "void":
            return Money.zero(self.currency)
        settled = (self.amount_paid or 0) + (self.amount_credited or 0) + (self.amount_noted or 0)
        return Money(self.total - settled, self.currency)


class InvoiceLine(TenantRow, Model):
    """One line, net, rounded once. `quantity` × `unit_amount` explains `amount`, `details` where that is not enough.

    `discount` and `tax`: its shares of the invoice's discounts and tax; a credit note never takes back more of it than
    `amount - discount` and `tax`. `source`: what it is for (`item:<id>`, `coupon:<key>`).
    """

    __tablename__ = "invoice_line"
    __table_args__ = (UniqueConstraint("tenant_id", "invoice_id", "position"),)

    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("core.invoice.id"))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    description: Mapped[str] = mapped_column(String(300))
    quantity: Mapped[Decimal] = mapped_column(Numeric(24, 6), default=Decimal(1))
    unit_amount: Mapped[int | None] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    taxable: Mapped[bool] = mapped_column(default=True)
    plan_code: Mapped[str] = mapped_column(String(60), default="")
    proposed_by: Mapped[str] = mapped_column(String(40), default="")
    discount: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    tax: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    source: Mapped[str] = mapped_column(String(80), default="", server_default="")
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'"))
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
