"""What is for sale: plans of three shapes, their prices by currency and billing period, the features they grant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chom_core.database import Model, ResellerRow


class Plan(ResellerRow, Model):
    """A thing with a price. `allowances`: {sites, storage_gb, traffic_gb} of a hosting plan, renewed every month.

    `overage`: for each allowance the price of one more unit in major units as text: {"USD": {"sites": "5.00"}}.
    `service_kind` is what a service plan builds. A plan that is not `active` is kept by those who have it.
    """

    __tablename__ = "plan"
    __table_args__ = (
        UniqueConstraint("reseller_id", "code"),
        CheckConstraint("shape in ('hosting', 'service', 'addon')", name="shape"),
        CheckConstraint("(shape = 'service') = (service_kind <> '')", name="service_kind"),
    )

    code: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    shape: Mapped[str] = mapped_column(String(10))
    allowances: Mapped[dict[str, int]] = mapped_column(JSONB, default=dict)
    overage: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    service_kind: Mapped[str] = mapped_column(String(60), default="")
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=50)

    prices: Mapped[list[Price]] = relationship(lazy="selectin", order_by="Price.id", viewonly=True)
    features: Mapped[list[PlanFeature]] = relationship(
        lazy="selectin", order_by="PlanFeature.plugin", viewonly=True
    )


class Price(ResellerRow, Model):
    """What one billing period of a plan costs in one currency."""

    __tablename__ = "price"
    __table_args__ = (
        UniqueConstraint("reseller_id", "plan_id", "currency", "billing_period"),
        CheckConstraint("amount >= 0", name="amount"),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("core.plan.id"))
    currency: Mapped[str] = mapped_column(String(3))
    billing_period: Mapped[str] = mapped_column(String(10))
    amount: Mapped[int] = mapped_column(BigInteger)


class PlanFeature(ResellerRow, Model):
    """The plan grants a feature: the name of a plugin."""

    __tablename__ = "plan_feature"
    __table_args__ = (UniqueConstraint("reseller_id", "plan_id", "plugin"),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("core.plan.id"))
    plugin: Mapped[str] = mapped_column(String(40))
