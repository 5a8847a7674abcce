"""Subscriptions with all their parts, what is to change, how a plan compares, and the catalogue as staff see it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select

from chom_core.billing.models import (
    Plan,
    Subscription,
    SubscriptionChange,
    SubscriptionItem,
)
from chom_core.billing.service.changes import rows
from chom_core.billing.service.offers import catalogue, discounts, limits
from chom_core.billing.service.offers.discounts import Held
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import session
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod


class ItemInfo(Struct, frozen=True):
    """One part of a subscription at the price it keeps. `unit` is for one, for one period."""

    id: UUID
    plan: str
    title: str
    shape: str
    quantity: int
    unit: Money
    price: Money
    priced_at: datetime
    service_id: UUID | None


class ChangeInfo(Struct, frozen=True):
    """A change that waits, or what became of it."""

    id: UUID
    kind: str
    plan: str
    period: str
    quantity: int | None
    effective_at: datetime
    at_period_end: bool
    status: str
    reason: str
    note: str
    requested_by: str


class CouponInfo(Struct, frozen=True):
    """A coupon that applies to a subscription, in words."""

    id: UUID
    name: str
    words: str
    active: bool


class SubscriptionDetails(Struct, frozen=True):
    """A subscription with everything a person may change about it."""

    id: UUID
    shape: str
    status: str
    title: str
    period: BillingPeriod
    currency: str
    zone: str
    anchor: datetime
    billing_day: int | None
    proration: str
    timing: str
    current_period_start: datetime
    current_period_end: datetime
    trial_ends_at: datetime | None
    paused_at: datetime | None
    cancel_at: datetime | None
    cancel_reason: str
    items: tuple[ItemInfo, ...]
    changes: tuple[ChangeInfo, ...]
    coupons: tuple[CouponInfo, ...]
    usage_limits: tuple[Money, ...] = ()


def subscription(subscription_id: UUID) -> SubscriptionDetails:
    """One of the organisation's, paused or over as well; NotFound otherwise."""
    of = subscriptions.subscription(subscription_id)
    mine = [one for one in discounts.redeemed() if one.subscription_id in (None, of.id)]
    return SubscriptionDetails(
        id=of.id,
        shape=of.shape,
        status=of.status,
        title=subscriptions.main_item(of).title if of.items else "",
        period=BillingPeriod(of.billing_period),
        currency=of.currency,
        zone=of.zone,
        anchor=of.anchor,
        billing_day=of.billing_day,
        proration=of.proration,
        timing=of.timing,
        current_period_start=of.current_period_start,
        current_period_end=of.current_period_end,
        trial_ends_at=of.trial_ends_at,
        paused_at=of.paused_at,
        cancel_at=of.cancel_at,
        cancel_reason=of.cancel_reason,
        items=tuple(_item(item) for item in of.items),
        changes=tuple(change(row) for row in rows.waiting(of.id)),
        coupons=tuple(
            CouponInfo(one.id, one.name, words(one), discounts.left_of(one).active) for one in mine
        ),
        usage_limits=_limits(of),
    )


def _limits(of: Subscription) -> tuple[Money, ...]:
    """The amounts of a month's use at which it is billed early."""
    if not of.items:
        return ()
    return limits.of_plan(session().get_one(Plan, subscriptions.main_item(of).plan_id), of.currency).amounts


def history(subscription_id: UUID, limit: int = 50) -> list[ChangeInfo]:
    """What has become of earlier changes, newest first."""
    query = select(SubscriptionChange).where(
        SubscriptionChange.subscription_id == subscription_id,
        SubscriptionChange.status.not_in(rows.WAITING),
    )
    return [
        change(row) for row in session().scalars(query.order_by(SubscriptionChange.id.desc()).limit(limit))
    ]


def change(row: SubscriptionChange) -> ChangeInfo:
    return ChangeInfo(
        row.id, row.kind, row.plan_code, row.billing_period, row.quantity, row.effective_at, row.at_period_end,
        row.status, row.reason, row.note, row.requested_by,
    )  # fmt: skip


def _item(item: SubscriptionItem) -> ItemInfo:
    unit = Money(item.amount, item.currency)
    return ItemInfo(
        item.id, item.plan_code, item.title, item.shape, item.quantity, unit, unit * item.quantity, item.priced_at,
        item.service_id,
    )  # fmt: skip


def words(one: Held) -> str:
    """«25 % off, 3 invoices»."""
    from flask_babel import gettext as _

    off = (
        f"{one.percent.normalize():f} %"
        if one.percent is not None
        else str(one.amount.format() if one.amount else "")
    )
    lasts = {
        "once": _("once"), "forever": _("for ever"), "repeating": _("%(count)s invoices", count=one.repeats or 0),
    }[one.duration.value]  # fmt: skip
    return str(_("%(off)s off, %(lasts)s", off=off, lasts=lasts))


def comparable(of: SubscriptionDetails) -> list[Plan]:
    """The plans that a subscription may change to: of its shape, and building the same."""
    main = next(item for item in of.items if item.shape != "addon")
    mine = catalogue_plan(main.plan)
    return [
        plan
        for plan in catalogue.plans(currency=of.currency)
        if plan.shape == of.shape and (mine is None or plan.service_kind == mine.service_kind)
    ]


def catalogue_plan(code: str) -> Plan | None:
    """A plan of the shelf, sold or not."""
    from chom_core.billing.service.invoicing.sellers import reseller_id

    return session().scalar(select(Plan).where(Plan.code == code, Plan.reseller_id == reseller_id()))
