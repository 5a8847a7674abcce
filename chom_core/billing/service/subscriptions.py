"""Subscriptions: begun incomplete, activated by a payment, ended; and what they grant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from chom_core.audit.service import Subject, record
from chom_core.billing.models import Plan, Subscription, SubscriptionItem
from chom_core.billing.service import rating
from chom_core.billing.service.rating import Charge
from chom_core.database import Tenant, clock, current, session
from chom_core.plugin_host import gate
from chom_core.values.billing import PlanShape
from chom_core.values.errors import Conflict, NotFound
from chom_core.values.ids import parse_uuid
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod, Period, period_at
from chom_core.work import emit

LIVE = ("trialing", "active", "past_due")
_LIVE = select(Subscription).where(Subscription.status.in_(LIVE)).order_by(Subscription.id)


def hosting(*, any_state: bool = False) -> Subscription | None:
    """The organisation's hosting subscription where it lives; with `any_state` also one not yet paid."""
    states = (*LIVE, "incomplete") if any_state else LIVE
    query = select(Subscription).where(
        Subscription.shape == PlanShape.HOSTING.value, Subscription.status.in_(states)
    )
    return session().scalar(query)


def live() -> list[Subscription]:
    """Every subscription that is paid for, oldest first."""
    return list(session().scalars(_LIVE))


def subscription(subscription_id: UUID, *, lock: bool = False) -> Subscription:
    """One of the organisation's; NotFound otherwise. `lock` reads it afresh and locks its row."""
    query = select(Subscription).where(Subscription.id == subscription_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session().scalar(query)
    if found is None:
        raise NotFound("There is no such subscription.")
    return found


def begin(
    plan: Plan, unit: Money, period: BillingPeriod, quantity: int, title: str, seller_id: UUID
) -> Subscription:
    """An incomplete subscription with one item at today's price. It grants nothing yet."""
    tenant_id = current().tenant_id
    assert tenant_id is not None
    tenant = session().get_one(Tenant, tenant_id)
    now = clock.now()
    first = period_at(now, period, now, tenant.zone)
    made = Subscription(
        tenant_id=tenant_id, seller_id=seller_id, shape=plan.shape, currency=unit.currency,
        billing_period=period.value, anchor=now, zone=tenant.zone, current_period_start=first.start,
        current_period_end=first.end,
    )  # fmt: skip
    made.items.append(
        SubscriptionItem(
            tenant_id=tenant_id, plan_id=plan.id, plan_code=plan.code, title=title, shape=plan.shape,
            quantity=quantity, amount=unit.amount, currency=unit.currency,
        )
    )  # fmt: skip
    session().add(made)
    session().flush()
    return made


def charges(of: Subscription, period: Period) -> list[Charge]:
    """What one period of the subscription costs, item by item, at the frozen prices."""
    return [
        Charge(
            plan=item.plan_code,
            kind="plan" if item.shape == PlanShape.HOSTING.value else item.shape,
            title=rating.describe(item.title, period, item.quantity),
            unit=Money(item.amount, item.currency),
            quantity=item.quantity,
            period=period,
        )
        for item in of.items
    ]


def current_period(of: Subscription) -> Period:
    return Period(of.current_period_start, of.current_period_end)


def period_after(of: Subscription) -> Period:
    """The next period, counted from the anchor, so that the 31st comes back after a short month."""
    return period_at(of.anchor, BillingPeriod(of.billing_period), of.current_period_end, of.zone)


def activate(of: Subscription) -> None:
    """Paid: the subscription lives, and its plans' features are granted. Again: nothing happens."""
    before = of.status
    if before == "cancelled":
        raise Conflict("This subscription has ended.", fix="Buy the plan again.")
    of.status = "active"
    session().flush()
    if before == "active":
        return
    for item in of.items:
        plan = session().get_one(Plan, item.plan_id)
        names = [feature.plugin for feature in plan.features]
        gate.entitle(of.tenant_id, source(item), names, plan.title)
    titles = ", ".join(item.title for item in of.items)
    if before == "incomplete":
        record("subscription.activated", Subject("subscription", of.id, titles))
    emit(
        "subscription.activated" if before == "incomplete" else "subscription.restored",
        subject=f"subscription:{of.id}",
        payload={"subscription_id": str(of.id), "plans": [item.plan_code for item in of.items]},
    )


def past_due(of: Subscription) -> None:
    """A renewal was not paid. What it grants stays for now; dunning decides later."""
    if of.status == "active":
        of.status = "past_due"
        emit(
            "subscription.past_due", subject=f"subscription:{of.id}", payload={"subscription_id": str(of.id)}
        )


def end(of: Subscription, *, at: datetime | None = None) -> None:
    """It is over: nothing is billed or granted any more."""
    if of.status == "cancelled":
        return
    was_live = of.status in LIVE
    of.status, of.ended_at = "cancelled", at or clock.now()
    session().flush()
    if was_live:
        for item in of.items:
            gate.entitle(of.tenant_id, source(item), (), item.title)
        emit("subscription.ended", subject=f"subscription:{of.id}", payload={"subscription_id": str(of.id)})


def cancel(subscription_id: UUID) -> Subscription:
    """Do not renew: it runs to the end of what is paid, then ends by itself."""
    of = subscription(subscription_id, lock=True)
    if of.status not in LIVE:
        raise Conflict(f"This subscription is {of.status}.", fix="Reload the page.")
    of.cancel_at = of.current_period_end
    titles = ", ".join(item.title for item in of.items)
    record("subscription.cancelled", Subject("subscription", of.id, titles))
    emit(
        "subscription.cancelled",
        subject=f"subscription:{of.id}",
        payload={"subscription_id": str(of.id), "at": of.current_period_end.isoformat()},
    )
    return of


def keep(subscription_id: UUID) -> Subscription:
    """Take a cancellation back, before it takes effect."""
    of = subscription(subscription_id, lock=True)
    if of.status not in LIVE:
        raise Conflict(f"This subscription is {of.status}.", fix="Buy the plan again.")
    of.cancel_at = None
    return of


def source(item: SubscriptionItem) -> str:
    """How an item is named where it pays for something: a service's `paid_by`, an entitlement's `source`."""
    return f"item:{item.id}"


def item_of(reference: str) -> SubscriptionItem | None:
    """The item that `source` named, where it is this organisation's."""
    found = item_id(reference)
    return session().get(SubscriptionItem, found) if found is not None else None


def item_id(reference: str) -> UUID | None:
    """The id in what `source` names; None where it names something else."""
    kind, _, text = reference.partition(":")
    return parse_uuid(text) if kind == "item" else None
