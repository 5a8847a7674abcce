"""Disputes: payments that banks took back, and what CHOM answers to each."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Model, TenantRow

ANSWERS = ("draft", "sending", "sent", "refused")


class Dispute(TenantRow, Model):
    """A bank took `amount` of a payment back: while it decides (`open`), or for good (`lost`). `reference`: the
    gateway's name for it.

    `reason` is the bank's, in the gateway's words; until `evidence_due` it takes an answer. `answered`: the gateway
    says that it has one, wherever that was given.
    """

    __tablename__ = "dispute"
    __table_args__ = (
        UniqueConstraint("tenant_id", "reference"),
        CheckConstraint("status in ('open', 'won', 'lost')", name="status"),
        CheckConstraint("amount > 0", name="amount"),
    )

    payment_id: Mapped[UUID] = mapped_column(ForeignKey("core.payment.id"), index=True)
    reference: Mapped[str] = mapped_column(String(120))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(4), default="open")
    reason: Mapped[str] = mapped_column(String(60), default="", server_default="")
    evidence_due: Mapped[datetime | None]
    answered: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    closed_at: Mapped[datetime | None]


class DisputeAnswer(TenantRow, Model):
    """What the bank is told: one for each dispute, a draft until a person decides, then sent once.

    `kind`: evidence, or accept (the dispute is given up). draft → sending: a job asks the gateway, under `key`, which
    is saved before the call → sent, or refused: the gateway said no, nothing was sent, and a person decides again
    (`turn` counts that). `version` counts the changes of the text: what is confirmed is what was read.
    """

    __tablename__ = "dispute_answer"
    __table_args__ = (
        UniqueConstraint("tenant_id", "dispute_id"),
        CheckConstraint("kind in ('evidence', 'accept')", name="kind"),
        CheckConstraint(f"status in {ANSWERS}", name="status"),
        CheckConstraint("(status = 'draft') = (key = '')", name="key"),
    )

    dispute_id: Mapped[UUID] = mapped_column(ForeignKey("core.dispute.id"))
    evidence: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    version: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str] = mapped_column(String(8), default="evidence")
    status: Mapped[str] = mapped_column(String(8), default="draft")
    turn: Mapped[int] = mapped_column(default=0)
    key: Mapped[str] = mapped_column(String(120), default="")
    decided_by: Mapped[str] = mapped_column(String(254), default="")
    decided_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    message: Mapped[str] = mapped_column(String(300), default="")
