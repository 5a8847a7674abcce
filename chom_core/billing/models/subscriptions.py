"""What an organisation has bought and pays for again and again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chom_core.database import Model, TenantRow

STATUSES = ("trialing", "incomplete", "active", "past_due", "cancelled")


class Subscription(TenantRow, Model):
    """Periods run from `anchor` in `zone`. `incomplete`: not paid yet, nothing is granted.

    `shape` is hosting or service: at most one hosting subscription lives per organisation. `cancel_at`: the instant
    from which it is not renewed.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint(f"status in {STATUSES}", name="status"),
        Index(
            "uq_subscription_one_hosting_plan",
            "tenant_id",
            unique=True,
            postgresql_where=text("shape = 'hosting' and status <> 'cancelled'"),
        ),
        Index(
            "ix_subscription_due",
            "current_period_end",
            postgresql_where=text("status in ('active', 'past_due')"),
        ),
    )

    seller_id: Mapped[UUID]
    shape: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(12), default="incomplete")
    currency: Mapped[str] = mapped_column(String(3))
    billing_period: Mapped[str] = mapped_column(String(10))
    anchor: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    current_period_start: Mapped[datetime]
    current_period_end: Mapped[datetime]
    cancel_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    items: Mapped[list[SubscriptionItem]] = relationship(
        back_populates="subscription", lazy="selectin", order_by="SubscriptionItem.id"
    )


class SubscriptionItem(TenantRow, Model):
    """One plan in a subscription, at the price of the day it was bought. `service_id`: the service it pays for."""

    __tablename__ = "subscription_item"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    subscription_id: Mapped[UUID] = mapped_column(ForeignKey("core.subscription.id"), index=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("core.plan.id"))
    plan_code: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(200))
    shape: Mapped[str] = mapped_column(String(10))
    quantity: Mapped[int] = mapped_column(default=1)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    service_id: Mapped[UUID | None] = mapped_column(index=True)

    subscription: Mapped[Subscription] = relationship(back_populates="items")
