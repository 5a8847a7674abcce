"""The plugin's one table: which alert was given for which month."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chom_sdk import TenantRow, plugin_models

Base = plugin_models("usage_billing")


class Alert(TenantRow, Base):  # type: ignore[misc, valid-type]
    """A share of an allowance was reached in a month: told once, whatever happens to the use afterwards."""

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint(
            "tenant_id", "subscription_id", "meter", "period_start", "percent", name="uq_alert_once"
        ),
    )

    subscription_id: Mapped[UUID]
    meter: Mapped[str] = mapped_column(String(80))
    period_start: Mapped[datetime]
    percent: Mapped[int]
