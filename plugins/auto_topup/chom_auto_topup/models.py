"""The rule of an organisation, and each time a card was asked by it. Amounts are minor units."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chom_sdk import TenantRow, plugin_models

Base = plugin_models("auto_topup")

#: charging: the gateway was asked, or is about to be, and its answer is not known yet.
STATUSES = ("charging", "succeeded", "declined")


class Rule(TenantRow, Base):  # type: ignore[misc, valid-type]
    """When to charge what. `method_id` None: the default card. `cap`: the most in a month, None for no limit.

    `crossing` counts the top-ups that succeeded, `failures` the refusals since the last one, `tried_on` the day of the
    newest: together they make the key of the next charge. `agreed_by` said that a card may be charged by itself.
    """

    __tablename__ = "rule"
    __table_args__ = (
        UniqueConstraint("tenant_id"),
        CheckConstraint("threshold >= 0 and amount > 0 and (cap is null or cap >= amount)", name="amounts"),
    )

    enabled: Mapped[bool]
    threshold: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    cap: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    method_id: Mapped[UUID | None]
    crossing: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    tried_on: Mapped[date | None]
    paused_at: Mapped[datetime | None]
    agreed_by: Mapped[str] = mapped_column(String(120))
    agreed_at: Mapped[datetime]


class Attempt(TenantRow, Base):  # type: ignore[misc, valid-type]
    """A card that was asked, under a key that makes it one charge. `balance`: the credit that was left then."""

    __tablename__ = "attempt"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint(f"status in {STATUSES}", name="status"),
    )

    key: Mapped[str] = mapped_column(String(120))
    amount: Mapped[int] = mapped_column(BigInteger)
    balance: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    method_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(String(10), default="charging")
    card: Mapped[str] = mapped_column(String(60), default="")
    payment_id: Mapped[UUID | None]
    code: Mapped[str] = mapped_column(String(60), default="")
    message: Mapped[str] = mapped_column(String(300), default="")
    settled_at: Mapped[datetime | None]
