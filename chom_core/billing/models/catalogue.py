"""What is for sale: plans of three shapes, their versions of prices, what usage costs, the features they grant.

A price is never changed: a new version follows it from an instant on. Whoever bought under the old one keeps it
(`SubscriptionItem.amount`, `SubscriptionItem.priced_at`) until staff move them.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chom_core.database import Model, ResellerRow

#: How use is priced: rules/pricing.py.
MODELS = ("flat", "per_unit", "graduated", "volume", "package")


class Plan(ResellerRow, Model):
    """A thing with a price. `allowances`: {sites, storage_gb, traffic_gb} of a hosting plan, renewed every month.

    `service_kind` is what a service plan builds. A plan that is not `active` is kept by those who have it.
    `proration` splits a period by the "second" or by the customer's local "day"; `alignment` begins periods on the
    day of purchase ("anniversary") or of the calendar; `timing` bills a period at its start ("advance") or its end
    ("arrears"). `trial_days` local days are free, once per customer.
    `usage_on_change`: when a subscription leaves the plan within a month, what was used is billed at once ("close"), or
    the month goes on under the new plan ("continue").
    `usage_limits`: {"USD": {"limits": [20000], "every": null}} bills use early, by an interim invoice, each time what a
    month has used reaches a limit (minor units), and beyond the highest after `every` more; empty: at the month's end.
    """

    __tablename__ = "plan"
    __table_args__ = (
        UniqueConstraint("reseller_id", "code"),
        CheckConstraint("shape in ('hosting', 'service', 'addon')", name="shape"),
        CheckConstraint("(shape = 'service') = (service_kind <> '')", name="service_kind"),
        CheckConstraint("proration in ('second', 'day')", name="proration"),
        CheckConstraint("alignment in ('anniversary', 'calendar')", name="alignment"),
        CheckConstraint("timing in ('advance', 'arrears')", name="timing"),
        CheckConstraint("trial_days between 0 and 730", name="trial_days"),
        CheckConstraint("usage_on_change in ('continue', 'close')", name="usage_on_change"),
    )

    code: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    shape: Mapped[str] = mapped_column(String(10))
    allowances: Mapped[dict[str, int]] = mapped_column(JSONB, default=dict)
    service_kind: Mapped[str] = mapped_column(String(60), default="")
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=50)
    proration: Mapped[str] = mapped_column(String(6), default="second", server_default="second")
    alignment: Mapped[str] = mapped_column(String(11), default="anniversary", server_default="anniversary")
    timing: Mapped[str] = mapped_column(String(7), default="advance", server_default="advance")
    trial_days: Mapped[int] = mapped_column(default=0, server_default="0")
    usage_on_change: Mapped[str] = mapped_column(String(8), default="continue", server_default="continue")
    usage_limits: Mapped[dict[str, Any]] = mapped_column(
        JSONB, default=dict, server_default=text("'{}'::jsonb")
    )

    prices: Mapped[list["Price"]] = relationship(
        lazy="selectin", order_by="Price.effective_from", viewonly=True
    )
    usage_prices: Mapped[list["UsagePrice"]] = relationship(
        lazy="selectin", order_by="UsagePrice.effective_from", viewonly=True
    )
    features: Mapped[list["PlanFeature"]] = relationship(
        lazy="selectin", order_by="PlanFeature.plugin", viewonly=True
    )


class Price(ResellerRow, Model):
    """What one billing period of a plan costs in one currency, sold from `effective_from` until `effective_until`."""

    __tablename__ = "price"
    __table_args__ = (
        UniqueConstraint(
            "reseller_id", "plan_id", "currency", "billing_period", "effective_from", name="uq_price_version"
        ),
        Index(
            "uq_price_one_open_version",
            "reseller_id",
            "plan_id",
            "currency",
            "billing_period",
            unique=True,
            postgresql_where=text("effective_until is null"),
        ),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("effective_until > effective_from", name="effective"),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("core.plan.id"))
    currency: Mapped[str] = mapped_column(String(3))
    billing_period: Mapped[str] = mapped_column(String(10))
    amount: Mapped[int] = mapped_column(BigInteger)
    effective_from: Mapped[datetime]
    effective_until: Mapped[datetime | None]


class UsagePrice(ResellerRow, Model):
    """What use of one meter costs, beyond what is `included`, for each month of a plan.

    `model` says how `tiers` are read: [{"up_to": "10" or null, "unit": "4.00", "flat": "0"}], major units as text,
    the last one without end; `package_size` is how many units one package holds. `minimum` and `maximum` bound what
    a month costs, in minor units.
    """

    __tablename__ = "usage_price"
    __table_args__ = (
        UniqueConstraint(
            "reseller_id", "plan_id", "meter", "currency", "effective_from", name="uq_usage_price_version"
        ),
        Index(
            "uq_usage_price_one_open_version",
            "reseller_id",
            "plan_id",
            "meter",
            "currency",
            unique=True,
            postgresql_where=text("effective_until is null"),
        ),
        CheckConstraint(f"model in {MODELS}", name="model"),
        CheckConstraint("included >= 0", name="included"),
        CheckConstraint("minimum >= 0 and maximum >= 0 and minimum <= maximum", name="bounds"),
        CheckConstraint("(model = 'package') = (package_size is not null)", name="package_size"),
        CheckConstraint("package_size > 0", name="package"),
        CheckConstraint("effective_until > effective_from", name="effective"),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("core.plan.id"))
    meter: Mapped[str] = mapped_column(String(60))
    currency: Mapped[str] = mapped_column(String(3))
    model: Mapped[str] = mapped_column(String(9), default="per_unit")
    tiers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    package_size: Mapped[Decimal | None] = mapped_column(Numeric(24, 6))
    included: Mapped[Decimal] = mapped_column(Numeric(24, 6), default=Decimal(0))
    minimum: Mapped[int | None] = mapped_column(BigInteger)
    maximum: Mapped[int | None] = mapped_column(BigInteger)
    effective_from: Mapped[datetime]
    effective_until: Mapped[datetime | None]


class PlanFeature(ResellerRow, Model):
    """The plan grants a feature: the name of a plugin."""

    __tablename__ = "plan_feature"
    __table_args__ = (UniqueConstraint("reseller_id", "plan_id", "plugin"),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("core.plan.id"))
    plugin: Mapped[str] = mapped_column(String(40))
