"""Credit and what gives money back: grants and their uses, credit notes, refunds.

A grant's `remaining` is a projection of its uses, as a ledger balance is of its entries; `ledger.check` recomputes it.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chom_core.database import AppendOnly, Model, TenantRow

KINDS = ("account", "promotional")
#: What takes from a grant (or, negative, gives back to it). unapplied: its invoice was voided · returned: a credit
#: note gave it back · refund: paid out in cash · refund_failed: the gateway refused that · expired, revoked: gone ·
#: held: a bank decides about its money · released: it has · charged_back: against us.
USES = (
    "applied", "unapplied", "returned", "refund", "refund_failed", "expired", "revoked", "held", "released",
    "charged_back",
)  # fmt: skip
SETTLE = ("refund", "credit", "due")
REFUND_STATUSES = ("created", "pending", "succeeded", "failed")


class CreditGrant(TenantRow, Model):
    """Credit with one seller in one currency.

    account: paid in, refundable, never expires. promotional: granted, may expire, never cash. The lower `priority`
    is used first; `usage_only` pays for usage lines and nothing else. `payment_id`: the top-up (or overpayment) it
    was paid in by; `credit_note_id`: the credit note that gave it.
    """

    __tablename__ = "credit_grant"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint(f"kind in {KINDS}", name="kind"),
        CheckConstraint("amount > 0 and remaining between 0 and amount", name="amount"),
        CheckConstraint("kind = 'promotional' or expires_at is null", name="expiry"),
        Index(
            "ix_credit_grant_expiry",
            "expires_at",
            postgresql_where=text("remaining > 0 and expires_at is not null"),
        ),
    )

    seller_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(12))
    key: Mapped[str] = mapped_column(String(200))
    amount: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    priority: Mapped[int] = mapped_column(default=50)
    usage_only: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(300), default="")
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.payment.id"), index=True)
    credit_note_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.credit_note.id"), index=True)


class CreditUse(TenantRow, AppendOnly, Model):
    """Something that took from a grant (positive) or gave back to it (negative), for ever. `dispute`: its reference."""

    __tablename__ = "credit_use"
    __table_args__ = (
        CheckConstraint(f"kind in {USES}", name="kind"),
        CheckConstraint("amount <> 0", name="amount"),
        Index("ix_credit_use_dispute", "tenant_id", "dispute", postgresql_where=text("dispute is not null")),
    )

    grant_id: Mapped[UUID] = mapped_column(ForeignKey("core.credit_grant.id"), index=True)
    kind: Mapped[str] = mapped_column(String(14))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    effective_at: Mapped[datetime]
    invoice_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.invoice.id"), index=True)
    credit_note_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.credit_note.id"))
    refund_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.refund.id"), index=True)
    dispute: Mapped[str | None] = mapped_column(String(120))


class CreditNote(TenantRow, AppendOnly, Model):
    """A document that takes back part of a finalised invoice. Written once, with its number, and never changed.

    `total` went, in this order: `to_due` off what was still due, `to_refund` back to the card or `to_account` as new
    account credit (what had been paid in money), `to_credit` and `to_promotional` back to the grants they came from.
    `facts`: what was asked for under `key`, so that a replay with other facts is seen.
    """

    __tablename__ = "credit_note"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        Index("uq_credit_note_number", "seller_id", "number", unique=True),
        CheckConstraint(f"settle in {SETTLE}", name="settle"),
        CheckConstraint("subtotal >= 0 and tax >= 0 and total > 0 and total = subtotal + tax", name="total"),
        CheckConstraint(
            "to_due >= 0 and to_refund >= 0 and to_account >= 0 and to_credit >= 0 and to_promotional >= 0"
            " and to_due + to_refund + to_account + to_credit + to_promotional = total",
            name="settled",
        ),
    )

    seller_id: Mapped[UUID]
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("core.invoice.id"), index=True)
    number: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(200))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    settle: Mapped[str] = mapped_column(String(6))
    reason: Mapped[str] = mapped_column(String(300))
    currency: Mapped[str] = mapped_column(String(3))
    subtotal: Mapped[int] = mapped_column(BigInteger)
    tax: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    to_due: Mapped[int] = mapped_column(BigInteger, default=0)
    to_refund: Mapped[int] = mapped_column(BigInteger, default=0)
    to_account: Mapped[int] = mapped_column(BigInteger, default=0)
    to_credit: Mapped[int] = mapped_column(BigInteger, default=0)
    to_promotional: Mapped[int] = mapped_column(BigInteger, default=0)
    issued_at: Mapped[datetime]
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB)

    lines: Mapped[list["CreditNoteLine"]] = relationship(
        lazy="selectin", order_by="CreditNoteLine.position", viewonly=True
    )


class CreditNoteLine(TenantRow, AppendOnly, Model):
    """What a credit note takes back of one invoice line: `amount` net, `tax` its share."""

    __tablename__ = "credit_note_line"
    __table_args__ = (
        UniqueConstraint("tenant_id", "credit_note_id", "position"),
        CheckConstraint("amount >= 0 and tax >= 0", name="amount"),
    )

    credit_note_id: Mapped[UUID] = mapped_column(ForeignKey("core.credit_note.id"))
    invoice_line_id: Mapped[UUID] = mapped_column(ForeignKey("core.invoice_line.id"), index=True)
    position: Mapped[int]
    description: Mapped[str] = mapped_column(String(300))
    quantity: Mapped[Decimal] = mapped_column(Numeric(24, 6), default=Decimal(1))
    amount: Mapped[int] = mapped_column(BigInteger)
    tax: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(String(3))


class Refund(TenantRow, Model):
    """Cash given back to the card of one payment. Saved first, sent by a job, settled once.

    `from_credit`: taken from account credit (which stood for the money); `reopened`: the rest, which the customer
    owes again. `amount` is their sum.
    """

    __tablename__ = "refund"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint(f"status in {REFUND_STATUSES}", name="status"),
        CheckConstraint(
            "amount > 0 and from_credit >= 0 and reopened >= 0 and amount = from_credit + reopened",
            name="amount",
        ),
    )

    seller_id: Mapped[UUID]
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("core.payment.id"), index=True)
    credit_note_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.credit_note.id"), index=True)
    key: Mapped[str] = mapped_column(String(200))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    from_credit: Mapped[int] = mapped_column(BigInteger, default=0)
    reopened: Mapped[int] = mapped_column(BigInteger, default=0)
    status: Mapped[str] = mapped_column(String(10), default="created")
    reason: Mapped[str] = mapped_column(String(300), default="")
    reference: Mapped[str] = mapped_column(String(120), default="")
    code: Mapped[str] = mapped_column(String(60), default="")
    message: Mapped[str] = mapped_column(String(300), default="")
    settled_at: Mapped[datetime | None]
