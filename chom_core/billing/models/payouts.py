"""What vendors, affiliates and resellers have earned, and what was paid out to them.

Both stand in the payee's own organisation, beside the ledger's payable and payout accounts that they explain.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Model, TenantRow

#: Who earns; `<kind>_payable` is the account on the ledger.
EARNERS = ("vendor", "affiliate", "reseller")
PAYOUT_STATUSES = ("pending", "posted", "voided")


class Earning(TenantRow, Model):
    """One thing that `party` has earned. It may be paid out from `available_at`, less what was taken back.

    `key` comes from what was sold: it is earned once, for ever. `taken_back` follows refunds of that sale. `against`
    is the account that owes it: "commission" is the seller's cost, "cash" is money that it holds for somebody else.
    """

    __tablename__ = "earning"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint(f"kind in {EARNERS}", name="kind"),
        CheckConstraint("amount > 0 and taken_back between 0 and amount", name="amount"),
        CheckConstraint("against in ('commission', 'cash')", name="against"),
        Index("ix_earning_party", "tenant_id", "kind", "party", "currency"),
    )

    seller_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(10))
    party: Mapped[str] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(180))
    amount: Mapped[int] = mapped_column(BigInteger)
    taken_back: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(String(3))
    source: Mapped[str] = mapped_column(String(120))
    available_at: Mapped[datetime]
    against: Mapped[str] = mapped_column(String(10), default="commission", server_default="commission")


class Payout(TenantRow, Model):
    """One payout to `party`: pending until the money is there (posted), or came to nothing (voided).

    `method`: "manual" (staff pay it and say so), "credit" (it became credit), or the name of a payout gateway.
    """

    __tablename__ = "payout"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint(f"kind in {EARNERS}", name="kind"),
        CheckConstraint(f"status in {PAYOUT_STATUSES}", name="status"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("(status = 'pending') = (settled_at is null)", name="settled"),
        Index(
            "uq_payout_one_pending",
            "tenant_id",
            "kind",
            "party",
            "currency",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
    )

    seller_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(10))
    party: Mapped[str] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(180))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    method: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(8), default="pending")
    reference: Mapped[str] = mapped_column(String(120), default="")
    message: Mapped[str] = mapped_column(String(300), default="")
    settled_at: Mapped[datetime | None]
