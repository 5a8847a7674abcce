"""What an organisation has bought and pays for again and again, what of it was billed, and what is to change."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chom_core.database import Model, TenantRow, clock

STATUSES = ("trialing", "incomplete", "active", "past_due", "paused", "cancelled")
CHANGES = ("plan", "quantity", "add", "remove", "pause", "resume")


class Subscription(TenantRow, Model):
    """Periods run from `anchor` in `zone`. `incomplete`: not paid yet, nothing is granted. `paused`: nor billed.

    `shape` is hosting or service: at most one hosting subscription lives per organisation. `cancel_at`: the instant
    from which it is not renewed. `proration`, `alignment` and `timing` are the plan's of the day it was bought.
    `started_at` is when it began, `trial_ends_at` when its first paid period begins. `billing_day`: the day of the
    month on which periods begin, where it is not the anchor's. `reprice`: staff want today's prices from the next
    renewal on.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint(f"status in {STATUSES}", name="status"),
        CheckConstraint("billing_day between 1 and 31", name="billing_day"),
        Index(
            "uq_subscription_one_hosting_plan",
            "tenant_id",
            unique=True,
            postgresql_where=text("shape = 'hosting' and status <> 'cancelled'"),
        ),
        Index(
            "ix_subscription_due",
            "current_period_end",
            postgresql_where=text("status in ('trialing', 'active', 'past_due')"),
        ),
    )

    seller_id: Mapped[UUID]
    shape: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(12), default="incomplete")
    currency: Mapped[str] = mapped_column(String(3))
    billing_period: Mapped[str] = mapped_column(String(10))
    anchor: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    proration: Mapped[str] = mapped_column(String(6), default="second", server_default="second")
    alignment: Mapped[str] = mapped_column(String(11), default="anniversary", server_default="anniversary")
    timing: Mapped[str] = mapped_column(String(7), default="advance", server_default="advance")
    started_at: Mapped[datetime | None]
    trial_ends_at: Mapped[datetime | None]
    current_period_start: Mapped[datetime]
    current_period_end: Mapped[datetime]
    billing_day: Mapped[int | None]
    reprice: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    paused_at: Mapped[datetime | None]
    cancel_at: Mapped[datetime | None]
    cancel_reason: Mapped[str] = mapped_column(String(300), default="", server_default="")
    ended_at: Mapped[datetime | None]

    items: Mapped[list["SubscriptionItem"]] = relationship(
        back_populates="subscription",
        lazy="selectin",
        order_by="SubscriptionItem.id",
        primaryjoin="and_(SubscriptionItem.subscription_id == Subscription.id, SubscriptionItem.ended_at.is_(None))",
    )


class SubscriptionItem(TenantRow, Model):
    """One plan in a subscription, at the price of the day it was bought. `service_id`: the service it pays for.

    `priced_at`: the instant whose prices it keeps, those of usage too. An item that has ended is no longer among its
    subscription's `items`. Add-ons are items beside the plan they add to.
    """

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
    priced_at: Mapped[datetime] = mapped_column(default=lambda: clock.now())
    ended_at: Mapped[datetime | None]
    service_id: Mapped[UUID | None] = mapped_column(index=True)

    subscription: Mapped[Subscription] = relationship(back_populates="items")


class BilledPeriod(TenantRow, Model):
    """What was charged for an item's time: the guard that no instant of it is ever billed twice (a trigger, ddl.py).

    `amount` is what the line came to, net, less its share of the discounts. `until`: where a change, a cancellation
    or a pause ended it early; what lies beyond was credited.
    """

    __tablename__ = "billed_period"
    __table_args__ = (
        Index(
            "uq_billed_period_item_start",
            "tenant_id",
            "item_id",
            "period_start",
            unique=True,
            postgresql_where=text("until > period_start"),
        ),
        CheckConstraint("until between period_start and period_end", name="until"),
        CheckConstraint("amount >= 0", name="amount"),
    )

    subscription_id: Mapped[UUID] = mapped_column(ForeignKey("core.subscription.id"), index=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("core.subscription_item.id"), index=True)
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("core.invoice.id"), index=True)
    plan_code: Mapped[str] = mapped_column(String(60))
    quantity: Mapped[int] = mapped_column(default=1)
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    until: Mapped[datetime]
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))


class SubscriptionChange(TenantRow, Model):
    """A change that waits for its instant (`scheduled`) or its payment (`paying`), and what became of it.

    `at_period_end`: `effective_at` moves with the end of the period. `terms` is what the change comes to, frozen when
    its invoice was drafted; `before` is what was, for the history.
    """

    __tablename__ = "subscription_change"
    __table_args__ = (
        CheckConstraint(f"kind in {CHANGES}", name="kind"),
        CheckConstraint("status in ('scheduled', 'paying', 'done', 'cancelled', 'failed')", name="status"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index(
            "uq_subscription_change_one_waiting",
            "tenant_id",
            "subscription_id",
            "kind",
            unique=True,
            postgresql_where=text("status in ('scheduled', 'paying')"),
        ),
        Index(
            "ix_subscription_change_due",
            "effective_at",
            postgresql_where=text("status = 'scheduled'"),
        ),
    )

    subscription_id: Mapped[UUID] = mapped_column(ForeignKey("core.subscription.id"), index=True)
    item_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.subscription_item.id"))
    kind: Mapped[str] = mapped_column(String(10))
    plan_code: Mapped[str] = mapped_column(String(60), default="")
    billing_period: Mapped[str] = mapped_column(String(10), default="")
    quantity: Mapped[int | None]
    effective_at: Mapped[datetime]
    at_period_end: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str] = mapped_column(String(10), default="scheduled")
    reason: Mapped[str] = mapped_column(String(300), default="")
    note: Mapped[str] = mapped_column(String(300), default="")
    requested_by: Mapped[str] = mapped_column(String(254), default="")
    before: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    invoice_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.invoice.id"), index=True)
    reminded_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
