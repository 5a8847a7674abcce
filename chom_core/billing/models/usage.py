"""What was used: raw events, their sum by day, and what has been rated of it.

An event is kept for ever under its id, counted or not. Days are UTC days. A *subject* is the service that used
something; `ORGANISATION` stands for the organisation itself.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, synonym

from chom_core.database import AppendOnly, Model, TenantRow

#: The subject of an event that no single service caused.
ORGANISATION = UUID(int=0)
#: Why an event does not count. `withdrawn` is a correction that says its event never happened.
REASONS = ("", "unknown_meter", "no_subscription", "outside_window", "withdrawn")
#: Whole digits and decimals of a value.
VALUE = Numeric(24, 9)


class UsageEvent(TenantRow, Model):
    """One event. `event_id` is its sender's: it counts once for ever. `created_at` is when it was received.

    `reason` tells why it is not counted, empty where it is. `key` is what a unique meter counts. `corrects` names the
    row this one stands in for, whose `replaced_by` names this one. A trigger (ddl.py) refuses every other change.
    """

    __tablename__ = "usage_event"
    __table_args__ = (
        CheckConstraint(f"reason in {REASONS}", name="reason"),
        UniqueConstraint("tenant_id", "event_id"),
        Index("ix_usage_event_tenant_id_meter_at", "tenant_id", "meter", "at"),
        Index(
            "ix_usage_event_unmatched",
            "tenant_id",
            "id",
            postgresql_where=text("reason not in ('', 'withdrawn')"),
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column()  # a unique key begins with it: no index of its own
    event_id: Mapped[str] = mapped_column(String(100))
    meter: Mapped[str] = mapped_column(String(80))
    subject: Mapped[UUID] = mapped_column(default=ORGANISATION)
    at: Mapped[datetime]
    value: Mapped[Decimal] = mapped_column(VALUE)
    key: Mapped[str] = mapped_column(String(120), default="")
    properties: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    reason: Mapped[str] = mapped_column(String(20), default="")
    corrects: Mapped[UUID | None]
    replaced_by: Mapped[UUID | None]
    received_at = synonym("created_at")


class UsageDay(TenantRow, Model):
    """What one subject used of one meter on one UTC day: everything that any kind of meter needs of the day.

    Always equals the counted events of the day; `usage.check` proves it. `area` is value × seconds from the day's
    first event to its end, kept for time-weighted meters. Of two events at one instant the last by `event_id` counts.
    """

    __tablename__ = "usage_day"
    __table_args__ = (
        UniqueConstraint("tenant_id", "meter", "subject", "day"),
        Index("ix_usage_day_day", "day"),
    )

    tenant_id: Mapped[UUID] = mapped_column()
    meter: Mapped[str] = mapped_column(String(80))
    subject: Mapped[UUID]
    day: Mapped[date]
    events: Mapped[int]
    total: Mapped[Decimal] = mapped_column(Numeric)
    highest: Mapped[Decimal] = mapped_column(Numeric)
    last_value: Mapped[Decimal] = mapped_column(Numeric)
    last_at: Mapped[datetime]
    last_id: Mapped[str] = mapped_column(String(100))
    first_at: Mapped[datetime]
    area: Mapped[Decimal] = mapped_column(Numeric)


class UsageKey(TenantRow, Model):
    """A key that a unique meter saw on a day: keys add up over days only as a set."""

    __tablename__ = "usage_key"
    __table_args__ = (UniqueConstraint("tenant_id", "meter", "subject", "day", "key"),)

    tenant_id: Mapped[UUID] = mapped_column()
    meter: Mapped[str] = mapped_column(String(80))
    subject: Mapped[UUID]
    day: Mapped[date]
    key: Mapped[str] = mapped_column(String(120))


class UsageClosing(TenantRow, AppendOnly, Model):
    """A meter's use in one month of a subscription, as it was rated. `number` counts: a late event makes another.

    `quantity` and `events` are all that was used in the month by then; `amount` is what this closing added to the
    bill, in minor units: a month's amounts sum to its price, however often it is closed. `terms` is the tariff it was
    rated by. `interim`: made before the month was over. The row with an empty meter says that the month is closed.
    """

    __tablename__ = "usage_closing"
    __table_args__ = (
        UniqueConstraint(
            "tenant_id", "subscription_id", "meter", "period_start", "number", name="uq_usage_closing_month"
        ),
        CheckConstraint("number > 0", name="number"),
    )

    tenant_id: Mapped[UUID] = mapped_column()
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey("core.subscription.id"))
    meter: Mapped[str] = mapped_column(String(80))
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    number: Mapped[int]
    quantity: Mapped[Decimal] = mapped_column(Numeric)
    events: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    interim: Mapped[bool] = mapped_column(default=False)
    invoice_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.invoice.id"), index=True)
