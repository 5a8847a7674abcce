"""Unpaid invoices on their ladder: the seller's terms, how far each is, every step, what stands still for it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import AppendOnly, Model, ResellerRow, TenantRow

STATUSES = ("open", "settled", "waived", "ended")
#: What an invoice that nobody pays ends with: the services stay suspended, or the subscription ends.
OUTCOMES = ("keep", "cancel")


class DunningPolicy(ResellerRow, Model):
    """A seller's ladder; without a row, `rules.ladder.DEFAULT` holds. Days are local days after the first refusal.

    `retry_days`: when the card is asked again, 0 is the first refusal itself. `contact_rung`: from which rung on the
    billing profile's address is told too. `warn_days`: how long before the suspension its date is told once more.
    """

    __tablename__ = "dunning_policy"
    __table_args__ = (
        UniqueConstraint("reseller_id"),
        CheckConstraint(f"outcome in {OUTCOMES}", name="outcome"),
        CheckConstraint("suspend_day between 1 and 365 and end_day between suspend_day and 730", name="days"),
        CheckConstraint("warn_days between 1 and suspend_day", name="warn_days"),
        CheckConstraint("contact_rung between 0 and 20", name="contact_rung"),
    )

    retry_days: Mapped[list[int]] = mapped_column(JSONB)
    contact_rung: Mapped[int]
    warn_days: Mapped[int]
    suspend_day: Mapped[int]
    end_day: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(6))


class Dunning(TenantRow, Model):
    """One unpaid invoice on its ladder. `terms` is the seller's policy of the first day: told dates are kept.

    open → settled (paid, voided, nothing due any more), waived (staff let it go) or ended (uncollectible).
    `rung`: how many asks of the ladder are done. `asked_at`: when the gateway first answered for this invoice.
    `told_at`: when the date in `suspend_at` was told. `next_at`: when something falls due.
    """

    __tablename__ = "dunning"
    __table_args__ = (
        UniqueConstraint("tenant_id", "invoice_id"),
        CheckConstraint(f"status in {STATUSES}", name="status"),
        CheckConstraint("(status = 'open') = (closed_at is null)", name="closed"),
        Index("ix_dunning_due", "next_at", postgresql_where=text("status = 'open'")),
    )

    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("core.invoice.id"), index=True)
    status: Mapped[str] = mapped_column(String(7), default="open")
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    zone: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime]
    rung: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    warn_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    suspend_at: Mapped[datetime]
    suspended_at: Mapped[datetime | None]
    end_at: Mapped[datetime]
    next_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    code: Mapped[str] = mapped_column(String(60), default="")
    message: Mapped[str] = mapped_column(String(300), default="")


class DunningStep(TenantRow, AppendOnly, Model):
    """What was done for an unpaid invoice, for ever. `key` makes it, and the notice that goes with it, happen once."""

    __tablename__ = "dunning_step"
    __table_args__ = (UniqueConstraint("tenant_id", "dunning_id", "key"),)

    dunning_id: Mapped[UUID] = mapped_column(ForeignKey("core.dunning.id"))
    key: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(12))
    rung: Mapped[int]
    at: Mapped[datetime]
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.payment.id"))
    by: Mapped[str] = mapped_column(String(254), default="")
    note: Mapped[str] = mapped_column(String(300), default="")


class DunningHold(TenantRow, Model):
    """A service that stands still for an unpaid invoice. It runs again when the last hold on it is released."""

    __tablename__ = "dunning_hold"
    __table_args__ = (UniqueConstraint("tenant_id", "dunning_id", "service_id"),)

    dunning_id: Mapped[UUID] = mapped_column(ForeignKey("core.dunning.id"))
    service_id: Mapped[UUID] = mapped_column(index=True)
    released_at: Mapped[datetime | None]
