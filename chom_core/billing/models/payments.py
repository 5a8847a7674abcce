"""Cards on file, and attempts to move money. An attempt is saved and committed before the gateway is called."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Model, TenantRow

#: created: saved, the gateway's answer not yet known. The first four are open: they can still become money.
STATUSES = ("created", "requires_action", "pending", "authorised", "succeeded", "declined", "cancelled")
OPEN = STATUSES[:4]


class PaymentMethod(TenantRow, Model):
    """A card kept at the gateway. Never its number: only what a person recognises it by."""

    __tablename__ = "payment_method"
    __table_args__ = (
        UniqueConstraint("tenant_id", "gateway", "reference"),
        Index(
            "uq_payment_method_one_default",
            "tenant_id",
            unique=True,
            postgresql_where=text("is_default and removed_at is null"),
        ),
    )

    gateway: Mapped[str] = mapped_column(String(40))
    reference: Mapped[str] = mapped_column(String(120))
    brand: Mapped[str] = mapped_column(String(30))
    last4: Mapped[str] = mapped_column(String(4))
    expiry_month: Mapped[int]
    expiry_year: Mapped[int]
    is_default: Mapped[bool] = mapped_column(default=False)
    removed_at: Mapped[datetime | None]


class Payment(TenantRow, Model):
    """One attempt to pay an invoice, or to top up the account credit. `key` is made from what is paid, for ever.

    `intent`: charge takes the money at once, authorise holds it until the service stands. `checkout_id` where the
    attempt belongs to a purchase. A top-up has no invoice: money paid in is owed back until a finalised (and taxed)
    invoice uses it, so it is no sale yet. `amount_applied`: what counted towards the invoice; the rest of a payment
    is account credit. `amount_refunded`: given back, refunds on their way included. `direct`: the gateway gave the
    money to the reseller whose customer paid; otherwise the platform's account there has it.
    """

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint(f"status in {STATUSES}", name="status"),
        CheckConstraint("intent in ('charge', 'authorise')", name="intent"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("amount_applied between 0 and amount", name="applied"),
        CheckConstraint("amount_refunded between 0 and amount", name="refunded"),
        CheckConstraint("(purpose = 'top_up') = (invoice_id is null)", name="purpose"),
        Index(  # of an invoice; a second payment may follow one that succeeded, where a refund re-opened the debt
            "uq_payment_one_open_attempt",
            "tenant_id",
            "invoice_id",
            unique=True,
            postgresql_where=text("status in ('created', 'requires_action', 'pending', 'authorised')"),
        ),
    )

    purpose: Mapped[str] = mapped_column(String(10), default="invoice", server_default="invoice")
    invoice_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.invoice.id"), index=True)
    checkout_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.checkout.id"))
    key: Mapped[str] = mapped_column(String(200))
    gateway: Mapped[str] = mapped_column(String(40))
    method_id: Mapped[UUID] = mapped_column(ForeignKey("core.payment_method.id"))
    intent: Mapped[str] = mapped_column(String(10))
    off_session: Mapped[bool] = mapped_column(default=False)
    return_url: Mapped[str] = mapped_column(String(500), default="")
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    amount_applied: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    amount_refunded: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    status: Mapped[str] = mapped_column(String(16), default="created")
    reference: Mapped[str] = mapped_column(String(120), default="", index=True)
    url: Mapped[str] = mapped_column(Text, default="")
    code: Mapped[str] = mapped_column(String(60), default="")
    message: Mapped[str] = mapped_column(String(300), default="")
    fix: Mapped[str] = mapped_column(String(300), default="")
    settled_at: Mapped[datetime | None]
    direct: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
