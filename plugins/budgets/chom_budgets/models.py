"""Budgets, the alerts they gave, and the services they paused. Amounts are minor units."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chom_sdk import TenantRow, plugin_models

Base = plugin_models("budgets")

#: The project of a budget that is for the whole organisation.
EVERYTHING = UUID(int=0)
#: What happens at 100 %. pause: purchases are blocked, too.
TELL, BLOCK, PAUSE = "tell", "block", "pause"
AT_LIMIT = (TELL, BLOCK, PAUSE)


class Budget(TenantRow, Base):  # type: ignore[misc, valid-type]
    """What a calendar month may cost, before tax. `override_until`: the last day on which it is lifted."""

    __tablename__ = "budget"
    __table_args__ = (
        UniqueConstraint("tenant_id", "project_id"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint(f"at_limit in {AT_LIMIT}", name="at_limit"),
    )

    project_id: Mapped[UUID] = mapped_column(default=EVERYTHING)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    at_limit: Mapped[str] = mapped_column(String(5), default=TELL)
    pause_services: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    override_until: Mapped[date | None]
    override_reason: Mapped[str] = mapped_column(String(300), default="")
    override_by: Mapped[str] = mapped_column(String(120), default="")


class Alert(TenantRow, Base):  # type: ignore[misc, valid-type]
    """A share of the budget was reached in `month` (its first day); `spent` is what it was then."""

    __tablename__ = "alert"
    __table_args__ = (UniqueConstraint("tenant_id", "budget_id", "month", "percent"),)

    budget_id: Mapped[UUID] = mapped_column(
        ForeignKey("plugin_budgets.budget.id", ondelete="CASCADE"), index=True
    )
    month: Mapped[date]
    percent: Mapped[int]
    spent: Mapped[int] = mapped_column(BigInteger)


class Pause(TenantRow, Base):  # type: ignore[misc, valid-type]
    """A service that a budget stopped, until `ended_at`. One at a time for each service."""

    __tablename__ = "pause"
    __table_args__ = (
        Index(
            "uq_pause_open", "tenant_id", "service_id", unique=True, postgresql_where=text("ended_at is null")
        ),
    )

    budget_id: Mapped[UUID] = mapped_column(
        ForeignKey("plugin_budgets.budget.id", ondelete="CASCADE"), index=True
    )
    service_id: Mapped[UUID]
    ended_at: Mapped[datetime | None]
