"""The catalogue as staff see it: every version of every price, who holds a plan, coupons and their codes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chom_core.billing.models import (
    Coupon,
    CouponCount,
    Plan,
    Price,
    PromotionCode,
    Subscription,
    SubscriptionItem,
    UsagePrice,
)
from chom_core.billing.reads.plans import words
from chom_core.billing.service.invoicing import rating
from chom_core.billing.service.offers import discounts, versions
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import clock, session
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod


class PriceVersion(Struct, frozen=True):
    """One version of a price, and how many live items still pay it."""

    id: UUID
    currency: str
    period: str
    amount: Money
    effective_from: datetime | None
    effective_until: datetime | None
    current: bool


class UsageVersion(Struct, frozen=True):
    """One version of what use costs."""

    id: UUID
    meter: str
    currency: str
    model: str
    included: Decimal
    unit: Money
    tiers: tuple[dict[str, object], ...]
    effective_from: datetime | None
    effective_until: datetime | None
    current: bool


class PlanDetails(Struct, frozen=True):
    """A plan as staff see it: policies, every version of its prices, who has it."""

    id: UUID
    code: str
    title: str
    description: str
    shape: str
    active: bool
    proration: str
    alignment: str
    timing: str
    trial_days: int
    usage_on_change: str
    features: tuple[str, ...]
    prices: tuple[PriceVersion, ...]
    usage: tuple[UsageVersion, ...]


def plan_details(plan: Plan) -> PlanDetails:
    """A plan of the current organisation's shelf."""
    now = clock.now()
    return PlanDetails(
        id=plan.id,
        code=plan.code,
        title=plan.title,
        description=plan.description,
        shape=plan.shape,
        active=plan.active,
        proration=plan.proration,
        alignment=plan.alignment,
        timing=plan.timing,
        trial_days=plan.trial_days,
        usage_on_change=plan.usage_on_change,
        features=tuple(feature.plugin for feature in plan.features),
        prices=tuple(_price(row, now) for row in sorted(plan.prices, key=_by_period)),
        usage=tuple(
            _usage(row, now)
            for row in sorted(plan.usage_prices, key=lambda row: (row.meter, row.effective_from))
        ),
    )


def _by_period(row: Price) -> tuple[str, int, datetime]:
    return row.currency, BillingPeriod(row.billing_period).months, row.effective_from


def _since(instant: datetime) -> datetime | None:
    return None if instant == versions.EVER else instant


def _price(row: Price, now: datetime) -> PriceVersion:
    return PriceVersion(
        row.id, row.currency, row.billing_period, Money(row.amount, row.currency), _since(row.effective_from),
        row.effective_until, versions.effective([row], now) is not None,
    )  # fmt: skip


def _usage(row: UsagePrice, now: datetime) -> UsageVersion:
    unit = rating.overage(0, Decimal(1), versions.first_unit(row), row.currency)
    return UsageVersion(
        row.id, row.meter, row.currency, row.model, row.included, unit, tuple(row.tiers), _since(row.effective_from),
        row.effective_until, versions.effective([row], now) is not None,
    )  # fmt: skip


def holders(here: Session, plan_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many live subscriptions hold each plan, with the session of an `everyone` unit."""
    query = (
        select(SubscriptionItem.plan_id, func.count(SubscriptionItem.id))
        .join(Subscription, Subscription.id == SubscriptionItem.subscription_id)
        .where(
            SubscriptionItem.plan_id.in_(plan_ids),
            SubscriptionItem.ended_at.is_(None),
            Subscription.status.in_(subscriptions.KEPT),
        )
        .group_by(SubscriptionItem.plan_id)
    )
    return {plan_id: int(count) for plan_id, count in here.execute(query)}


class CouponDetails(Struct, frozen=True):
    """A coupon as staff see it, with its codes and how often it was redeemed."""

    id: UUID
    name: str
    words: str
    plans: tuple[str, ...]
    stacks: bool
    redeemed: int
    max_redemptions: int | None
    per_customer: int | None
    expires_at: datetime | None
    active: bool
    codes: tuple[tuple[str, int, int | None, bool], ...]


def coupon_list(reseller: UUID) -> list[CouponDetails]:
    """The coupons of a seller, newest first. A code: (word, redeemed, limit, active)."""
    coupons = session().scalars(
        select(Coupon).where(Coupon.reseller_id == reseller).order_by(Coupon.id.desc())
    )
    codes = (
        session()
        .scalars(
            select(PromotionCode).where(PromotionCode.reseller_id == reseller).order_by(PromotionCode.code)
        )
        .all()
    )
    counts = {row.subject_id: row.redeemed for row in session().scalars(select(CouponCount))}
    return [
        CouponDetails(
            one.id, one.name, words(discounts.of_terms(one, one.id, None)), tuple(one.plans), one.stacks,
            counts.get(one.id, 0), one.max_redemptions, one.per_customer, one.expires_at, one.active,
            tuple((c.code, counts.get(c.id, 0), c.max_redemptions, c.active) for c in codes if c.coupon_id == one.id),
        )
        for one in coupons
    ]  # fmt: skip
